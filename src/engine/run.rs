//! A run: keys in ascending order with their values or tombstones, in one buffer.
//!
//! The one form of data in the engine: a commit, a part of the memtable and a block of a segment are all runs, so what
//! was committed is never taken apart again. Not a map: it is built once, in order, and never changed.
//!
//! Layout, integers lowest byte first: entries, then one u32 for each entry (where it begins), then the u32 number of
//! entries. An entry: varint key length; varint value length + 1, or 0 for a tombstone; key; value.
//!
//! Invariant: keys ascend strictly; every entry was checked once, when the run was built or run.

use super::filter::{Filter, FilterBuilder};
use super::format::SPACE_DOCUMENT;
use super::heads::Heads;
use super::places::{Look, Places};
use super::slice::Slice;
use crate::bytes::{Reader, is_same, order, put_varint};
use core::cmp::Ordering;
use std::rc::{Rc, Weak};

/// An entry of a run: its key, and its value unless it is a tombstone.
pub type Entry<'a> = (&'a [u8], Option<&'a [u8]>);

/// See the module.
#[derive(Clone, Debug)]
pub struct Run {
    bytes: Rc<Vec<u8>>,
    count: usize,
    /// Where the offsets begin.
    table: usize,
    /// Says of a document without a search that it is not here.
    documents: Option<Rc<Filter>>,
    search: Rc<Search>,
}

/// What is made in memory for runs that are searched again and again.
#[derive(Debug, Default)]
struct Search {
    heads: Heads,
    places: Places,
}

/// Which run it is, without keeping it.
#[derive(Debug)]
pub(super) struct RunId(Weak<Vec<u8>>);

impl RunId {
    pub(super) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// As long as the id is there, no other run has its place in memory.
    pub(super) fn is(&self, run: &Run) -> bool {
        core::ptr::eq(self.0.as_ptr(), Rc::as_ptr(&run.bytes))
    }
}

/// Where one entry lies in the buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    key: (usize, usize),
    value: Option<(usize, usize)>,
}

impl Run {
    /// A run without entries.
    #[must_use]
    pub fn empty() -> Self {
        RunBuilder::default().finish()
    }

    /// How many entries, tombstones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn id(&self) -> RunId {
        RunId(Rc::downgrade(&self.bytes))
    }

    /// The buffer.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where the entry with this number begins.
    #[inline]
    pub(super) fn offset(&self, index: usize) -> Option<usize> {
        let bytes = self.bytes.get(self.table + 4 * index..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes) as usize)
    }

    /// Where the key of an entry begins, its length, and that of the value plus one.
    fn head(&self, index: usize) -> Option<(usize, usize, usize)> {
        if index >= self.count {
            return None;
        }
        self.head_from(self.offset(index)?)
    }

    /// The same of the entry that begins there.
    fn head_from(&self, offset: usize) -> Option<(usize, usize, usize)> {
        let entry = self.bytes.get(offset..self.table)?;
        if let [key_len @ 0..0x80, value_len @ 0..0x80, ..] = entry {
            return Some((offset + 2, usize::from(*key_len), usize::from(*value_len)));
        }
        if let [key_len @ 0..0x80, low, high @ 0..0x80, ..] = entry {
            return Some((offset + 3, usize::from(*key_len), usize::from(low & 0x7f) | usize::from(*high) << 7));
        }
        let mut reader = Reader::new(entry);
        let key_len = usize::try_from(reader.varint()?).ok()?;
        let value_len = usize::try_from(reader.varint()?).ok()?;
        Some((self.table - reader.rest().len(), key_len, value_len))
    }

    /// Where the entry with this number lies.
    pub(crate) fn place(&self, index: usize) -> Option<Place> {
        if index >= self.count {
            return None;
        }
        self.place_from(self.offset(index)?)
    }

    /// Where the entry that begins there lies.
    pub(super) fn place_from(&self, offset: usize) -> Option<Place> {
        let (start, key_len, value_len) = self.head_from(offset)?;
        let key_end = start.checked_add(key_len)?;
        let value_end = key_end.checked_add(value_len.saturating_sub(1))?;
        if value_end > self.table {
            return None;
        }
        Some(Place { key: (start, key_end), value: (value_len > 0).then_some((key_end, value_end)) })
    }

    /// The key of the entry that lies there.
    pub(crate) fn key_at(&self, place: Place) -> &[u8] {
        self.bytes.get(place.key.0..place.key.1).unwrap_or_default()
    }

    /// The value of the entry that lies there; none for a tombstone.
    pub(crate) fn value_at(&self, place: Place) -> Option<&[u8]> {
        let (start, end) = place.value?;
        self.bytes.get(start..end)
    }

    /// The entry that lies there as shared slices.
    pub(crate) fn slices_at(&self, place: Place) -> Option<(Slice, Option<Slice>)> {
        let key = Slice::new(&self.bytes, place.key.0, place.key.1)?;
        match place.value {
            Some((start, end)) => Some((key, Some(Slice::new(&self.bytes, start, end)?))),
            None => Some((key, None)),
        }
    }

    /// The entry with this number.
    #[must_use]
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let (start, key_len, value_len) = self.head(index)?;
        let (key, rest) = self.bytes.get(start..self.table)?.split_at_checked(key_len)?;
        match value_len.checked_sub(1) {
            Some(value_len) => Some((key, Some(rest.get(..value_len)?))),
            None => Some((key, None)),
        }
    }

    /// The key of the entry with this number.
    #[must_use]
    pub fn key(&self, index: usize) -> Option<&[u8]> {
        let (start, key_len, _) = self.head(index)?;
        self.bytes.get(start..)?.get(..key_len)
    }

    /// The entry with this number as shared slices.
    #[must_use]
    pub fn slices(&self, index: usize) -> Option<(Slice, Option<Slice>)> {
        self.slices_at(self.place(index)?)
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.count).filter_map(|index| self.entry(index))
    }

    /// The keys of its documents.
    pub(crate) fn documents(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let range = self.lower_bound(&[SPACE_DOCUMENT])..self.lower_bound(&[SPACE_DOCUMENT + 1]);
        range.map(|index| self.key(index).unwrap_or_default())
    }

    /// The same run with a filter of its documents: for one that is looked into again and again.
    #[must_use]
    pub(crate) fn filtered(self) -> Self {
        if self.documents.is_some() {
            return self;
        }
        let mut builder = FilterBuilder::default();
        self.documents().for_each(|key| builder.add(key));
        Run { documents: Some(Rc::new(builder.finish())), ..self }
    }

    /// Whether it has a filter.
    pub(crate) const fn is_filtered(&self) -> bool {
        self.documents.is_some()
    }

    /// Whether the run may have this key, which has this hash.
    #[must_use]
    pub(crate) fn may_hold(&self, key: &[u8], hash: u64) -> bool {
        self.documents.as_ref().is_none_or(|documents| documents.may_hold_hashed(key, hash))
    }

    /// The number of the first entry whose key is not less than `key`.
    #[must_use]
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.lower_bound_within(0, self.count, key)
    }

    fn lower_bound_within(&self, mut low: usize, mut high: usize, key: &[u8]) -> usize {
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle) {
                Some(found) if order(found, key).is_lt() => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// The same as [`Run::lower_bound`], for a run that may be searched often.
    #[must_use]
    pub(super) fn find(&self, key: &[u8]) -> usize {
        self.search.heads.lower_bound(self, key)
    }

    /// The same for a key that is known not to lie before `from`; quick where it lies not far behind.
    #[must_use]
    pub fn lower_bound_from(&self, from: usize, key: &[u8]) -> usize {
        let (mut low, mut step) = (from, 1);
        while self.key(low + step - 1).is_some_and(|found| order(found, key).is_lt()) {
            low += step;
            step *= 2;
        }
        self.lower_bound_within(low, (low + step - 1).min(self.count), key)
    }

    /// What the run says of this key: nothing, a tombstone (`Some(None)`), or a value.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Option<Slice>> {
        let place = self.place(self.lower_bound(key))?;
        if self.key_at(place) == key { self.known_at(place) } else { None }
    }

    /// The same for a key with this hash, in a run that may be looked into often.
    #[must_use]
    pub(super) fn get_hashed(&self, key: &[u8], hash: u64) -> Option<Option<Slice>> {
        match self.search.places.look(self, key, hash) {
            Look::Here(place) => self.known_at(place),
            Look::Nowhere => None,
            Look::Unknown => self.get(key),
        }
    }

    /// Where a key with this hash probably lies. Who looks up many guesses for all of them first: the processor waits for
    /// several places in memory at once, where it would wait for each that it has to compare.
    #[must_use]
    pub(super) fn guess(&self, hash: u64) -> Option<Place> {
        self.search.places.guess(self, hash)
    }

    /// As [`Run::get_hashed`], where it was guessed where the key lies.
    #[must_use]
    pub(super) fn get_guessed(&self, guess: Option<Place>, key: &[u8], hash: u64) -> Option<Option<Slice>> {
        match guess {
            Some(place) if is_same(self.key_at(place), key) => self.known_at(place),
            _ => self.get_hashed(key, hash),
        }
    }

    fn known_at(&self, place: Place) -> Option<Option<Slice>> {
        match place.value {
            Some((start, end)) => Slice::new(&self.bytes, start, end).map(Some),
            None => Some(None),
        }
    }

    /// Whether there is an entry, which may be a tombstone, with this key.
    #[must_use]
    pub fn has(&self, key: &[u8]) -> bool {
        self.key(self.lower_bound(key)) == Some(key)
    }

    /// Whether any key of the run lies in `start..end`.
    #[must_use]
    pub fn touches(&self, start: &[u8], end: Option<&[u8]>) -> bool {
        match self.key(self.lower_bound(start)) {
            Some(key) => end.is_none_or(|end| key < end),
            None => false,
        }
    }

    /// Merges two runs; where both have a key, `newer` wins.
    #[must_use]
    pub fn merge(older: &Run, newer: &Run) -> Run {
        let mut builder = RunBuilder::with_capacity(older.bytes.len() + newer.bytes.len(), older.count + newer.count);
        let (mut a, mut b) = (0, 0);
        loop {
            let (left, right) = (older.entry(a), newer.entry(b));
            let order = match (left, right) {
                (None, None) => return builder.finish(),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            if order.is_le() {
                a += 1;
            }
            if order.is_ge() {
                b += 1;
            }
            if let Some((key, value)) = if order.is_lt() { left } else { right } {
                builder.push(key, value);
            }
        }
    }
}

/// Builds a run, key by ascending key.
#[derive(Debug, Default)]
pub struct RunBuilder {
    /// The entries, one behind the other.
    pub(super) bytes: Vec<u8>,
    offsets: Vec<u32>,
}

impl RunBuilder {
    /// With room for this many bytes and entries.
    #[must_use]
    pub fn with_capacity(bytes: usize, entries: usize) -> Self {
        RunBuilder { bytes: Vec::with_capacity(bytes), offsets: Vec::with_capacity(entries) }
    }

    /// Adds an entry; its key must be greater than all before.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.begin(key.len(), value.map(<[u8]>::len));
        self.bytes.extend_from_slice(key);
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
        }
    }

    /// Begins an entry, whose key and value of these lengths are to be appended to `bytes`. Answers where the key begins.
    pub(super) fn begin(&mut self, key_len: usize, value_len: Option<usize>) -> usize {
        self.offsets.push(self.bytes.len() as u32);
        let value_len = value_len.map_or(0, |len| len + 1);
        if key_len < 0x80 && value_len < 0x80 {
            self.bytes.extend_from_slice(&[key_len as u8, value_len as u8]);
        } else {
            put_varint(&mut self.bytes, key_len as u64);
            put_varint(&mut self.bytes, value_len as u64);
        }
        self.bytes.len()
    }

    /// Bytes that [`RunBuilder::finish`] would give now.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len() + 4 * self.offsets.len() + 4
    }

    /// How many entries were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The run; the builder is empty afterwards.
    #[must_use]
    pub fn finish(&mut self) -> Run {
        let mut bytes = core::mem::take(&mut self.bytes);
        let offsets = core::mem::take(&mut self.offsets);
        let table = bytes.len();
        bytes.reserve_exact(4 * offsets.len() + 4);
        for offset in &offsets {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes.extend_from_slice(&(offsets.len() as u32).to_le_bytes());
        Run { bytes: Rc::new(bytes), count: offsets.len(), table, documents: None, search: Rc::default() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn run(entries: &[(&str, Option<&str>)]) -> Run {
        let mut builder = RunBuilder::default();
        for (key, value) in entries {
            builder.push(key.as_bytes(), value.map(str::as_bytes));
        }
        builder.finish()
    }

    fn text(run: &Run) -> String {
        let show = |(key, value): Entry<'_>| {
            format!("{}={}", key.escape_ascii(), value.map_or("-".into(), |value| value.escape_ascii().to_string()))
        };
        run.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_run_finds_its_keys() {
        let run = run(&[("a", Some("1")), ("b", None), ("c", Some(""))]);
        assert_eq!(text(&run), "a=1 b=- c=");
        assert_eq!(run.get(b"a").unwrap().unwrap().as_bytes(), b"1");
        assert_eq!(run.get(b"b"), Some(None));
        assert_eq!(run.get(b"bb"), None);
        assert_eq!(run.get(b"d"), None);
        for key in [&b""[..], b"a", b"bb", b"c", b"d"] {
            let place = run.lower_bound(key);
            assert!((0..=place).all(|from| run.lower_bound_from(from, key) == place));
        }
        assert_eq!(run.lower_bound(b"bb"), 2);
        assert!(run.touches(b"b", Some(b"c")) && !run.touches(b"bb", Some(b"c")) && !run.touches(b"d", None));
    }

    #[test]
    fn the_newer_run_wins_a_merge_and_tombstones_stay() {
        let older = run(&[("a", Some("1")), ("b", Some("1")), ("d", Some("1"))]);
        let newer = run(&[("b", None), ("c", Some("2")), ("d", Some("2"))]);
        assert_eq!(text(&Run::merge(&older, &newer)), "a=1 b=- c=2 d=2");
    }
}
