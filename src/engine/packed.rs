//! The stored form of a run, in blocks and in the log: without what its keys and values have in common.
//!
//! Not searched: it is unpacked into a run when it is read. Not compression: LZ4 comes behind it (`frame.rs`), and has
//! half of the work. Measured on readings with three indexes, after LZ4: 97 bytes a document and its entries in blocks
//! instead of 179, 66 in the log instead of 96.
//!
//! # The form
//!
//! ```text
//! packed  := varint entries, varint bytes of the run, varint length * 5, stretches, lengths, numbers, fronts, values, digits
//! stretch := varint entries, varint shared, varint front, varint ending << 1 | own, [own: varint place]
//! ```
//!
//! Five streams, each a length and bytes, and what is left for the sixth: like stands by like, and what LZ4 cannot make
//! smaller stands last. Entries that are built alike are a stretch. A key is `shared` bytes of the key before, `front`
//! bytes of `fronts`, and an ending:
//!
//! | ending | what it is |
//! | --- | --- |
//! | 0 | nothing |
//! | 1 | the primary key of a document of the same run, whose number, counted from 0, is in `numbers`; documents stand before entries |
//! | 2 or more | text of hexadecimal digits: a form of `digits.rs`, its bytes in `digits` |
//!
//! The length of a value plus one is in `lengths`, 0 for a tombstone. With `own` the value has the text of the key of its
//! own document in it, at `place`, and is stored without.
//!
//! Invariant: what was packed unpacks to the same run (`unpacked.rs`).

use super::catalog::{DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN};
use super::digits;
use super::format::{SPACE_DOCUMENT, SPACE_INDEX};
use super::run::Run;
use crate::bytes::put_varint;
use crate::limits::KEY_FIELDS_MAX;
use crate::value::key;

/// The ending that is the primary key of a document of the same run.
pub(super) const NUMBERED: usize = 1;
/// Bytes that the keys of a stretch may have in common beyond `shared`, all together: about what a stretch takes.
const WASTE_MAX: usize = 5;
/// Where the text of a document's key stands in its value, if it does.
const OWN_PLACE_MAX: usize = 64;
/// Shorter text is not looked for.
const OWN_BYTES_MIN: usize = 8;

/// How the entries of a stretch are built.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) shared: usize,
    pub(super) front: usize,
    pub(super) ending: usize,
    /// The place of the key's text in the value.
    pub(super) own: Option<usize>,
}

/// Appends a run.
pub(crate) fn pack(run: &Run, out: &mut Vec<u8>) {
    Packer::of(run).finish(out);
}

/// A run's stored form.
pub(crate) fn packed(run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    pack(run, &mut out);
    out
}

#[derive(Default)]
struct Packer {
    stretches: Vec<u8>,
    lengths: Vec<u8>,
    numbers: Vec<u8>,
    fronts: Vec<u8>,
    values: Vec<u8>,
    digits: Vec<u8>,
    entries: usize,
    unpacked_bytes: usize,
    build: Build,
    /// Entries of the stretch, and what more their keys have in common.
    repeats: usize,
    waste: usize,
}

impl Packer {
    fn of(run: &Run) -> Packer {
        let documents = Documents::of(run);
        let unpacked_bytes = run.as_bytes().len();
        let mut packer = Packer { entries: run.len(), unpacked_bytes, ..Packer::default() };
        packer.values.reserve(unpacked_bytes / 2);
        let mut before: &[u8] = &[];
        // Where the text of the document's key stood last; none once it was looked for in vain.
        let mut near = Some(0);
        for (key, value) in run.iter() {
            let (end, ending) = packer.ending(key, &documents);
            let front = key.get(..end).unwrap_or_default();
            let own = match (near, value) {
                (Some(place), Some(value)) if key.first() == Some(&SPACE_DOCUMENT) => {
                    near = own_place(key, value, place);
                    near
                }
                _ => None,
            };
            let shared = packer.shared(before, front);
            packer.entry(Build { shared, front: front.len() - shared, ending, own });
            packer.fronts.extend_from_slice(front.get(packer.build.shared..).unwrap_or_default());
            packer.value(key, value, own);
            before = front;
        }
        packer.end_stretch();
        packer
    }

    /// Where the ending of a key begins, and which it is; what stands for it is put away.
    fn ending(&mut self, key: &[u8], documents: &Documents<'_>) -> (usize, usize) {
        if let Some((end, number)) = documents.find(key) {
            put_varint(&mut self.numbers, number as u64);
            return (end, NUMBERED);
        }
        // Most often it is as that of the key before.
        let last = self.build.ending;
        if let Some(end) = digits::pack(last, key, &mut self.digits) {
            return (end, last);
        }
        let found = digits::form_of(key).and_then(|form| Some((digits::pack(form, key, &mut self.digits)?, form)));
        found.unwrap_or((key.len(), 0))
    }

    /// How many bytes at the front are as those before.
    fn shared(&self, before: &[u8], front: &[u8]) -> usize {
        let sure = self.build.shared;
        let sure = if front.get(..sure).is_some_and(|sure| before.starts_with(sure)) { sure } else { 0 };
        let (before, front) = (before.iter().skip(sure), front.iter().skip(sure));
        sure + before.zip(front).take_while(|(left, right)| left == right).count()
    }

    /// Goes on with the stretch, if this entry can be built in the same way.
    fn entry(&mut self, build: Build) {
        let now = self.build;
        let is_alike = now.shared <= build.shared
            && (now.shared + now.front, now.ending, now.own) == (build.shared + build.front, build.ending, build.own);
        self.waste += build.shared.saturating_sub(now.shared);
        if !is_alike || self.repeats == 0 || self.waste > WASTE_MAX {
            self.end_stretch();
            self.build = build;
            self.waste = 0;
        }
        self.repeats += 1;
    }

    fn end_stretch(&mut self) {
        if self.repeats == 0 {
            return;
        }
        let Build { shared, front, ending, own } = self.build;
        for number in [self.repeats, shared, front, ending << 1 | usize::from(own.is_some())] {
            put_varint(&mut self.stretches, number as u64);
        }
        if let Some(place) = own {
            put_varint(&mut self.stretches, place as u64);
        }
        self.repeats = 0;
    }

    fn value(&mut self, key: &[u8], value: Option<&[u8]>, own: Option<usize>) {
        put_varint(&mut self.lengths, value.map_or(0, |value| value.len() as u64 + 1));
        let value = value.unwrap_or_default();
        let Some((before, rest)) = own.and_then(|place| value.split_at_checked(place)) else {
            return self.values.extend_from_slice(value);
        };
        self.values.extend_from_slice(before);
        self.values.extend_from_slice(rest.get(own_text(key).len()..).unwrap_or_default());
    }

    fn finish(self, out: &mut Vec<u8>) {
        put_varint(out, self.entries as u64);
        put_varint(out, self.unpacked_bytes as u64);
        let streams = [&self.stretches, &self.lengths, &self.numbers, &self.fronts, &self.values];
        streams.iter().for_each(|stream| put_varint(out, stream.len() as u64));
        streams.into_iter().chain([&self.digits]).for_each(|stream| out.extend_from_slice(stream));
    }
}

/// The text of a document's key.
fn own_text(key: &[u8]) -> &[u8] {
    key.get(DOCUMENT_PREFIX_LEN + 1..key.len().saturating_sub(1)).unwrap_or_default()
}

/// Where the text of a document's key stands in its value: there where it stood before, or else anywhere near the front.
fn own_place(key: &[u8], value: &[u8], near: usize) -> Option<usize> {
    let text = own_text(key);
    if key.get(DOCUMENT_PREFIX_LEN) != Some(&key::TAG_STRING) || text.len() < OWN_BYTES_MIN {
        return None;
    }
    if value.get(near..).is_some_and(|value| value.starts_with(text)) {
        return Some(near);
    }
    value.windows(text.len()).take(OWN_PLACE_MAX).position(|window| window == text)
}

/// The documents of a run, by primary key.
struct Documents<'a> {
    run: &'a Run,
    first: usize,
    /// Numbers of documents plus one, at a place that the hash says or behind; 0 is an empty slot.
    slots: Vec<u32>,
}

impl<'a> Documents<'a> {
    fn of(run: &'a Run) -> Self {
        let first = run.lower_bound(&[SPACE_DOCUMENT]);
        let behind = run.lower_bound(&[SPACE_DOCUMENT + 1]);
        // Without index entries nobody asks.
        let count = if behind < run.len() { behind - first } else { 0 };
        let mut documents = Documents { run, first, slots: vec![0; (2 * count).next_power_of_two()] };
        for number in 0..count {
            let slot = documents.slot(documents.primary(number));
            if let Some(slot) = documents.slots.get_mut(slot) {
                *slot = number as u32 + 1;
            }
        }
        documents
    }

    fn primary(&self, number: usize) -> &'a [u8] {
        self.run.key(self.first + number).and_then(|key| key.get(DOCUMENT_PREFIX_LEN..)).unwrap_or_default()
    }

    /// The slot of this primary key, or the empty one where it would be.
    fn slot(&self, primary: &[u8]) -> usize {
        let mask = self.slots.len().saturating_sub(1);
        let mut slot = spread(primary) as usize & mask;
        while let Some(number) = self.at(slot) {
            if self.primary(number) == primary {
                break;
            }
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn at(&self, slot: usize) -> Option<usize> {
        self.slots.get(slot)?.checked_sub(1).map(|number| number as usize)
    }

    /// Where in the key of an index entry the primary key begins, and the number of its document.
    fn find(&self, key: &[u8]) -> Option<(usize, usize)> {
        if self.slots.len() < 2 || key.first() != Some(&SPACE_INDEX) {
            return None;
        }
        let mut rest = key.get(INDEX_PREFIX_LEN..)?;
        for _ in 0..KEY_FIELDS_MAX {
            key::skip(&mut rest).ok()?;
            if let Some(number) = self.at(self.slot(rest)) {
                return Some((key.len() - rest.len(), number));
            }
        }
        None
    }
}

/// A number that differs where keys do, most often: of no other use than to find a slot, so a plain one will do.
fn spread(key: &[u8]) -> u64 {
    let (words, rest) = key.as_chunks::<8>();
    let rest = rest.iter().fold(key.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    words.chain([rest]).fold(0, |sum: u64, word| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::run::RunBuilder;
    use super::super::unpacked::{unpack, values};
    use super::*;
    use crate::value::{Value, View};
    use proptest::prelude::*;

    fn run(mut entries: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Run {
        entries.sort();
        entries.dedup_by(|left, right| left.0 == right.0);
        let mut run = RunBuilder::default();
        entries.iter().for_each(|(key, value)| run.push(key, value.as_deref()));
        run.finish()
    }

    /// Documents with entries of two indexes, some entries of documents that are elsewhere, and a key of another kind.
    fn sample(id: impl Fn(u32) -> Value) -> Run {
        let mut entries: Vec<(Vec<u8>, Option<Vec<u8>>)> = vec![(vec![1, 1], Some(vec![7]))];
        for number in 0..50_u32 {
            let id = id(number * 7 % 50);
            let primary = key::encode(View::from(&id)).unwrap();
            let key = [&[SPACE_DOCUMENT, 0, 0, 0, 1][..], &primary].concat();
            if number % 5 > 0 {
                let front = vec![4; number as usize % 3];
                let text = id.as_str().unwrap_or_default().as_bytes();
                let value = [&front, text, &[number as u8; 200]].concat();
                entries.push((key, (number % 3 > 0).then_some(value)));
            }
            for index in 1..3 {
                let values = [
                    key::encode(View::String("a\0b")).unwrap(),
                    key::encode(View::String(&format!("id{number}"))).unwrap(),
                ];
                let key = [&[SPACE_INDEX, 0, 0, 0, 1, 0, 0, 0, index][..], &values.concat(), &primary].concat();
                entries.push((key, (number % 2 > 0).then(Vec::new)));
            }
        }
        run(entries)
    }

    fn samples() -> [Run; 5] {
        let spread = |number: u32| u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        [
            sample(|number| format!("id{number}").into()),
            sample(|number| format!("{:016x}", spread(number)).into()),
            sample(|number| format!("{:08x}-0e02-41d4-a716-446655440000", spread(number) as u32).into()),
            sample(|number| Value::from(number as i32)),
            sample(|number| {
                Value::from(if number % 2 == 0 {
                    format!("{:08x}", number)
                } else {
                    "longer text".repeat(9) + &number.to_string()
                })
            }),
        ]
    }

    #[test]
    fn what_was_packed_unpacks_to_the_same_run_and_is_smaller() {
        for run in samples() {
            let bytes = packed(&run);
            assert_eq!(unpack(&bytes).unwrap().as_bytes(), run.as_bytes());
            assert!(bytes.len() + 800 < run.as_bytes().len(), "{} {}", bytes.len(), run.as_bytes().len());
        }
        assert_eq!(unpack(&packed(&Run::empty())).unwrap().len(), 0);
    }

    #[test]
    fn damage_is_corrupt_or_another_run() {
        for run in samples() {
            let bytes = packed(&run);
            for len in 0..bytes.len() {
                assert!(unpack(bytes.get(..len).unwrap()).is_err(), "cut at {len}");
            }
            for (at, bits) in (0..bytes.len()).flat_map(|at| [(at, 0x11), (at, 0x80), (at, 0xff)]) {
                let mut flipped = bytes.clone();
                *flipped.get_mut(at).unwrap() ^= bits;
                let Ok(other) = unpack(&flipped) else { continue };
                assert!(other.iter().zip(other.iter().skip(1)).all(|((left, _), (right, _))| left < right));
            }
        }
    }

    /// The values of a run of documents, with what is left out of them put back.
    fn values_of(run: &Run) -> Option<Vec<Option<Vec<u8>>>> {
        let bytes = packed(run);
        let mut found = Vec::new();
        let mut keys = run.iter().map(|(key, _)| key);
        values(&bytes, &mut |value| {
            let key = keys.next()?;
            found.push(match value {
                Some(value) if value.gap.len > 0 => {
                    let (front, back) = value.bytes.split_at_checked(value.gap.start)?;
                    Some([front, own_text(key), back].concat())
                }
                value => value.map(|value| value.bytes.to_vec()),
            });
            Some(())
        })?;
        Some(found)
    }

    #[test]
    fn values_of_documents_are_found_without_their_keys() {
        for run in samples() {
            let documents = run.iter().filter(|(key, _)| key.first() == Some(&SPACE_DOCUMENT));
            let mut alone = RunBuilder::default();
            documents.for_each(|(key, value)| alone.push(key, value));
            let alone = alone.finish();
            let expected: Vec<Option<Vec<u8>>> = alone.iter().map(|(_, value)| value.map(<[u8]>::to_vec)).collect();
            assert_eq!(values_of(&alone), Some(expected));
            assert_eq!(values_of(&run), None, "entries of indexes are no documents");
            let bytes = packed(&alone);
            for len in 0..bytes.len() {
                let _ = values(bytes.get(..len).unwrap(), &mut |_| Some(()));
            }
        }
    }

    proptest! {
        #[test]
        fn any_run_comes_back(
            entries in prop::collection::vec(
                ("[0-9a-f]{0,3}(\\x10\\x00\\x00\\x00\\x01)?(\\x20[ab]{0,9})?(\\x18[0-9a-f]{0,24}-?\\x00)?", prop::option::of("[0-9a-f]{0,20}")),
                0..40,
            )
        ) {
            let run = run(entries.into_iter().map(|(key, value)| (key.into_bytes(), value.map(String::into_bytes))).collect());
            let back = unpack(&packed(&run)).unwrap();
            prop_assert_eq!(back.as_bytes(), run.as_bytes());
        }

        #[test]
        fn bytes_that_nobody_packed_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
            let _ = values(&bytes, &mut |_| Some(()));
        }
    }
}
