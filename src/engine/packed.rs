//! A run as a log record holds it: without the primary keys that index entries have in common with their documents.
//!
//! Not searched: it is unpacked into a run when the log is read. Measured on readings with three indexes: 91 bytes a
//! document after compression instead of 140, and a third less time to compress them.
//!
//! # The form
//!
//! ```text
//! packed := varint count, entry * count
//! entry  := varint (key length << 1 | r), varint (value length + 1, or 0 for a tombstone), key, [r: varint document], value
//! ```
//!
//! With `r`, the key goes on with the primary key of a document of the same run: the one with this number, counted from
//! 0. Only keys of index entries have it; documents stand before them.
//!
//! Invariants: what was packed unpacks to the same run; unpacking never panics, and is bounded whatever the bytes say.

use super::catalog::{DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN};
use super::filter::hash;
use super::format::{SPACE_DOCUMENT, SPACE_INDEX};
use super::run::{Run, RunBuilder};
use crate::bytes::{Reader, put_varint};
use crate::error::{Error, Result};
use crate::limits::{KEY_BYTES_MAX, KEY_FIELDS_MAX};
use crate::value::key;

/// A run in the log is far smaller: see `limits::TRANSACTION_BYTES_MAX`.
const UNPACKED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Appends a run.
pub(crate) fn pack(run: &Run, out: &mut Vec<u8>) {
    let documents = Documents::of(run);
    put_varint(out, run.len() as u64);
    for (key, value) in run.iter() {
        let found = documents.find(key);
        let (front, number) = found.map_or((key, None), |(front, number)| (front, Some(number)));
        put_varint(out, (front.len() as u64) << 1 | u64::from(number.is_some()));
        put_varint(out, value.map_or(0, |value| value.len() as u64 + 1));
        out.extend_from_slice(front);
        if let Some(number) = number {
            put_varint(out, number as u64);
        }
        out.extend_from_slice(value.unwrap_or_default());
    }
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
        let mut slot = hash(primary) as usize & mask;
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

    /// The key of an index entry without the primary key at its end, and the number of its document.
    fn find<'k>(&self, key: &'k [u8]) -> Option<(&'k [u8], usize)> {
        if self.slots.len() < 2 || key.first() != Some(&SPACE_INDEX) {
            return None;
        }
        let mut rest = key.get(INDEX_PREFIX_LEN..)?;
        for _ in 0..KEY_FIELDS_MAX {
            key::skip(&mut rest).ok()?;
            if let Some(number) = self.at(self.slot(rest)) {
                return Some((key.get(..key.len() - rest.len())?, number));
            }
        }
        None
    }
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// `corrupt` for anything else.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Run> {
    unpacked(bytes).ok_or_else(|| Error::corrupt("a packed run is malformed"))
}

fn unpacked(bytes: &[u8]) -> Option<Run> {
    let mut reader = Reader::new(bytes);
    let count = usize::try_from(reader.varint()?).ok().filter(|count| *count <= bytes.len())?;
    let mut run = RunBuilder::with_capacity(bytes.len() + bytes.len() / 2, count);
    let mut primaries: Vec<&[u8]> = Vec::new();
    let (mut key, mut before) = (Vec::new(), Vec::new());
    for index in 0..count {
        let head = reader.varint()?;
        let value_len = usize::try_from(reader.varint()?).ok()?;
        let front = reader.take(usize::try_from(head >> 1).ok()?)?;
        key.clear();
        key.extend_from_slice(front);
        if head & 1 == 1 {
            key.extend_from_slice(primaries.get(usize::try_from(reader.varint()?).ok()?)?);
        } else if front.first() == Some(&SPACE_DOCUMENT) {
            primaries.push(front.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default());
        }
        let value = match value_len.checked_sub(1) {
            Some(len) => Some(reader.take(len)?),
            None => None,
        };
        if key.len() > KEY_BYTES_MAX || (index > 0 && key <= before) || run.len_bytes() > UNPACKED_BYTES_MAX {
            return None;
        }
        run.push(&key, value);
        core::mem::swap(&mut key, &mut before);
    }
    reader.is_empty().then(|| run.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::View;

    fn component(value: &str) -> Vec<u8> {
        key::encode(View::String(value)).unwrap()
    }

    /// Documents with entries of two indexes, some entries of documents that are elsewhere, and a key of another kind.
    fn sample() -> Run {
        let mut entries: Vec<(Vec<u8>, Option<Vec<u8>>)> = vec![(vec![1, 1], Some(vec![7]))];
        for number in 0..50_u32 {
            let primary = component(&format!("id{}", number * 7 % 50));
            let key = [&[SPACE_DOCUMENT, 0, 0, 0, 1][..], &primary].concat();
            if number % 5 > 0 {
                entries.push((key, (number % 3 > 0).then(|| vec![number as u8; 200])));
            }
            for index in 1..3 {
                let values = [component("a\0b"), component(&format!("id{number}"))].concat();
                let key = [&[SPACE_INDEX, 0, 0, 0, 1, 0, 0, 0, index][..], &values, &primary].concat();
                entries.push((key, (number % 2 > 0).then(Vec::new)));
            }
        }
        entries.sort();
        let mut run = RunBuilder::default();
        entries.iter().for_each(|(key, value)| run.push(key, value.as_deref()));
        run.finish()
    }

    fn packed(run: &Run) -> Vec<u8> {
        let mut bytes = Vec::new();
        pack(run, &mut bytes);
        bytes
    }

    #[test]
    fn what_was_packed_unpacks_to_the_same_run_and_is_smaller() {
        let run = sample();
        let bytes = packed(&run);
        assert_eq!(unpack(&bytes).unwrap().as_bytes(), run.as_bytes());
        assert!(bytes.len() + 500 < run.as_bytes().len());
        assert_eq!(unpack(&packed(&Run::empty())).unwrap().len(), 0);
    }

    #[test]
    fn damage_is_corrupt_or_another_run() {
        let bytes = packed(&sample());
        for len in 0..bytes.len() {
            assert!(unpack(bytes.get(..len).unwrap()).is_err(), "cut at {len}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            *flipped.get_mut(at).unwrap() ^= 0x11;
            let _ = unpack(&flipped).map(|run| run.iter().count());
        }
    }
}
