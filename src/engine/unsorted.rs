//! Keys and values in any order, to be made a run.
//!
//! Not a map in order: a key is found by its hash, a range only after sorting.
//!
//! Invariant: of several writes of a key the last one wins.

use super::filter::hash;
use super::run::RunBuilder;

/// One write; its key and value lie behind each other.
#[derive(Clone, Copy, Debug)]
struct Write {
    key_start: u32,
    value_start: u32,
    end: u32,
    is_tombstone: bool,
}

/// Writes up to this many are searched one by one.
const LINEAR_MAX: usize = 16;
/// No write: an empty slot.
const NONE: u32 = u32::MAX;

/// See the module. It holds less than 4 GiB: a transaction may write far less.
#[derive(Debug, Default)]
pub struct Unsorted {
    bytes: Vec<u8>,
    writes: Vec<Write>,
    /// The number of the last write of a key, at a place that its hash says or behind; a power of two, half of it empty.
    slots: Vec<u32>,
    /// How many of the writes are in the slots.
    indexed: usize,
}

impl Unsorted {
    /// Sets a value, or a tombstone.
    pub fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        let key_start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(key);
        let value_start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value.unwrap_or_default());
        let end = self.bytes.len() as u32;
        self.writes.push(Write { key_start, value_start, end, is_tombstone: value.is_none() });
    }

    fn key(&self, write: &Write) -> &[u8] {
        self.bytes.get(write.key_start as usize..write.value_start as usize).unwrap_or_default()
    }

    fn value(&self, write: &Write) -> Option<&[u8]> {
        let value = write.value_start as usize..write.end as usize;
        (!write.is_tombstone).then(|| self.bytes.get(value).unwrap_or_default())
    }

    /// The last write of a key: its value, or a tombstone (`Some(None)`).
    pub(crate) fn find(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.writes.len() <= LINEAR_MAX {
            return self.writes.iter().rev().find(|write| self.key(write) == key).map(|write| self.value(write));
        }
        self.index();
        let number = self.slots.get(self.slot_of(key)).copied()?;
        self.writes.get(number as usize).map(|write| self.value(write))
    }

    /// Puts the writes into slots that are not there yet.
    fn index(&mut self) {
        if self.slots.len() < 2 * self.writes.len() {
            self.slots = vec![NONE; (4 * self.writes.len()).next_power_of_two()];
            self.indexed = 0;
        }
        for number in self.indexed..self.writes.len() {
            let slot = self.writes.get(number).map_or(0, |write| self.slot_of(self.key(write)));
            if let Some(slot) = self.slots.get_mut(slot) {
                *slot = number as u32;
            }
        }
        self.indexed = self.writes.len();
    }

    /// The slot that has this key, or the empty one where it would be.
    fn slot_of(&self, key: &[u8]) -> usize {
        let mask = self.slots.len().saturating_sub(1);
        let mut slot = hash(key) as usize & mask;
        while let Some(write) = self.slots.get(slot).and_then(|number| self.writes.get(*number as usize)) {
            if self.key(write) == key {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// How many writes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets everything, and keeps its room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.writes.clear();
        self.slots.clear();
        self.indexed = 0;
    }

    /// Appends everything to a run, whose keys must all be less.
    pub fn sort_into(&self, run: &mut RunBuilder) {
        let order = sorted(self.writes.len(), |index| self.writes.get(index).map_or(&[], |write| self.key(write)));
        let mut places = order.iter().filter_map(|place| self.writes.get(*place as usize)).peekable();
        while let Some(write) = places.next() {
            let is_last = places.peek().is_none_or(|next| self.key(next) != self.key(write));
            if is_last {
                run.push(self.key(write), self.value(write));
            }
        }
    }
}

/// The numbers of keys in the order of the keys; equal ones in the order of their numbers.
///
/// Keys of one index begin alike: what they all begin with is passed over. Then plain numbers are sorted, eight bytes of
/// each key, and where those are the same the next eight: half the time of comparing keys.
pub fn sorted<'a>(count: usize, key: impl Fn(usize) -> &'a [u8]) -> Vec<u32> {
    let first = if count == 0 { &[] } else { key(0) };
    let mut alike = first.len();
    let mut is_sorted = true;
    let mut before = first;
    for index in 1..count {
        let key = key(index);
        alike = first.iter().zip(key).take(alike).take_while(|(left, right)| left == right).count();
        is_sorted = is_sorted && before <= key;
        before = key;
    }
    if is_sorted {
        return (0..count as u32).collect();
    }
    let mut order: Vec<(u64, u32)> = (0..count as u32).map(|index| (0, index)).collect();
    sort_from(&mut order, alike, &|index| key(index as usize));
    order.into_iter().map(|(_, index)| index).collect()
}

/// Sorts numbers of keys that are the same up to `from`.
fn sort_from<'a>(order: &mut [(u64, u32)], from: usize, key: &dyn Fn(u32) -> &'a [u8]) {
    let mut longest = 0;
    for (head_of, index) in order.iter_mut() {
        let key = key(*index);
        longest = longest.max(key.len());
        *head_of = head(key.get(from..).unwrap_or_default());
    }
    if longest <= from {
        // The same to the end but for zeros: the shorter first.
        order.iter_mut().for_each(|(head_of, index)| *head_of = key(*index).len() as u64);
        return order.sort_unstable();
    }
    order.sort_unstable();
    for same in order.chunk_by_mut(|(left, _), (right, _)| left == right).filter(|same| same.len() > 1) {
        sort_from(same, from + 8, key);
    }
}

/// The first eight bytes, as a number that sorts as they do.
fn head(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let mut padded = [0; 8];
    for (place, byte) in padded.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_be_bytes(padded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_whatever_they_begin_with() {
        for front in ["", "a", "0123456789"] {
            let keys: Vec<String> =
                (0..500_u32).map(|i| format!("{front}{}", i.wrapping_mul(2_654_435_761) % 300)).collect();
            let mut expected: Vec<u32> = (0..500).collect();
            expected.sort_by_key(|index| (keys.get(*index as usize).cloned(), *index));
            assert_eq!(sorted(500, |index| keys.get(index).unwrap().as_bytes()), expected);
        }
        let long = "x".repeat(50);
        let keys = [format!("{long}b"), format!("{long}a"), long.clone(), "x".to_owned(), format!("{long}a")];
        assert_eq!(sorted(5, |index| keys.get(index).unwrap().as_bytes()), [3, 2, 1, 4, 0]);
        let nested = [&b"ab"[..], b"a", b"ab\0", b"", b"ab\0\0\0\0\0\0\0\0"];
        assert_eq!(sorted(5, |index| nested.get(index).unwrap()), [3, 1, 0, 2, 4]);
        assert!(sorted(0, |_| &[]).is_empty());
    }

    #[test]
    fn of_many_writes_the_last_of_a_key_is_found() {
        let mut unsorted = Unsorted::default();
        let mut last = std::collections::BTreeMap::new();
        for number in 0..2000_u32 {
            let key = (number.wrapping_mul(2_654_435_761) % 700).to_be_bytes();
            let value = (!number.is_multiple_of(5)).then(|| number.to_be_bytes());
            unsorted.set(&key, value.as_ref().map(<[u8; 4]>::as_slice));
            last.insert(key, value);
            if number.is_multiple_of(37) {
                assert_eq!(unsorted.find(&key), Some(value.as_ref().map(<[u8; 4]>::as_slice)));
                assert_eq!(unsorted.find(b"none"), None);
            }
        }
        assert!(last.iter().all(|(key, value)| unsorted.find(key) == Some(value.as_ref().map(<[u8; 4]>::as_slice))));
        unsorted.clear();
        assert_eq!(unsorted.find(&[0, 0, 0, 0]), None);
    }

    #[test]
    fn the_last_write_of_a_key_wins() {
        let mut unsorted = Unsorted::default();
        for (key, value) in [("b", Some("1")), ("a", Some("2")), ("b", None), ("a", Some("3")), ("c", Some(""))] {
            unsorted.set(key.as_bytes(), value.map(str::as_bytes));
        }
        for (key, value) in [("a", Some(&b"3"[..])), ("b", None), ("c", Some(b""))] {
            assert_eq!(unsorted.find(key.as_bytes()), Some(value));
        }
        let mut builder = RunBuilder::default();
        unsorted.sort_into(&mut builder);
        let run = builder.finish();
        let found: Vec<_> = run.iter().collect();
        assert_eq!(found, [(&b"a"[..], Some(&b"3"[..])), (b"b", None), (b"c", Some(b""))]);
    }
}
