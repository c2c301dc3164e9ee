//! Runs from their stored form (`packed.rs`).
//!
//! Not trusting: stored bytes may be damaged or hostile.
//!
//! Invariants: what was packed comes back; nothing panics, and what is built is bounded whatever the bytes say; keys that
//! do not ascend are refused.

use super::catalog::DOCUMENT_PREFIX_LEN;
use super::digits;
use super::format::SPACE_DOCUMENT;
use super::packed::{Build, NUMBERED};
use super::run::{Run, RunBuilder};
use crate::bytes::Reader;
use crate::error::{Error, Result};
use crate::limits::KEY_BYTES_MAX;
use crate::value::fields::Gap;

/// A run in the log is far smaller: see `limits::TRANSACTION_BYTES_MAX`.
const UNPACKED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Reads what [`super::packed::pack`] wrote.
///
/// # Errors
/// `corrupt` for anything else.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Run> {
    unpacked(bytes).ok_or_else(|| Error::corrupt("a packed run is malformed"))
}

/// What a packed run says of itself, and its streams.
struct Streams<'a> {
    entries: usize,
    unpacked_bytes: usize,
    stretches: Reader<'a>,
    lengths: Reader<'a>,
    numbers: Reader<'a>,
    fronts: Reader<'a>,
    values: Reader<'a>,
    digits: Reader<'a>,
}

impl<'a> Streams<'a> {
    fn of(bytes: &'a [u8]) -> Option<Streams<'a>> {
        let mut reader = Reader::new(bytes);
        // Each entry has a length, and so a byte.
        let entries = number(&mut reader).filter(|entries| *entries <= bytes.len())?;
        let unpacked_bytes = number(&mut reader).filter(|unpacked| *unpacked <= UNPACKED_BYTES_MAX)?;
        let mut lens = [0; 5];
        for len in &mut lens {
            *len = number(&mut reader)?;
        }
        let [stretches, lengths, numbers, fronts, values] = lens;
        Some(Streams {
            entries,
            unpacked_bytes,
            stretches: reader.part(stretches)?,
            lengths: reader.part(lengths)?,
            numbers: reader.part(numbers)?,
            fronts: reader.part(fronts)?,
            values: reader.part(values)?,
            digits: reader,
        })
    }

    /// How the next entries are built, and how many; at most so many are left.
    fn stretch(&mut self, left: usize) -> Option<(usize, Build)> {
        let mut next = || number(&mut self.stretches);
        let repeats = next()?;
        let (shared, front, ending) = (next()?, next()?, next()?);
        let own = if ending & 1 == 1 { Some(next()?) } else { None };
        let is_sound = repeats > 0 && repeats <= left && front <= KEY_BYTES_MAX && shared <= KEY_BYTES_MAX;
        is_sound.then_some((repeats, Build { shared, front, ending: ending >> 1, own }))
    }
}

fn unpacked(bytes: &[u8]) -> Option<Run> {
    let streams = Streams::of(bytes)?;
    let (entries, unpacked_bytes, has_numbers) = (streams.entries, streams.unpacked_bytes, !streams.numbers.is_empty());
    let mut unpacker = Unpacker {
        streams,
        primaries: Vec::new(),
        before: (0, 0),
        // Most runs have room at once; what the bytes say is not believed beyond that.
        run: RunBuilder::with_capacity(unpacked_bytes.min(8 * bytes.len()), entries),
    };
    while unpacker.run.len() < entries {
        unpacker.stretch(entries, has_numbers)?;
    }
    (unpacker.is_at_end() && unpacker.run.len_bytes() == unpacked_bytes).then(|| unpacker.run.finish())
}

/// A value as it is stored: what stood at `gap` is not in the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gapped<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) gap: Gap,
}

/// Gives the values of a packed run of nothing but documents to `each`, in their order, none for a tombstone: keys are not
/// built, and nothing is copied. None where that is not to be had, or where `each` says so.
pub(super) fn values<'a>(bytes: &'a [u8], each: &mut dyn FnMut(Option<Gapped<'a>>) -> Option<()>) -> Option<()> {
    let mut streams = Streams::of(bytes)?;
    let mut left = streams.entries;
    while left > 0 {
        let (repeats, build) = streams.stretch(left)?;
        left -= repeats;
        let ending = match build.ending {
            0 => 0,
            NUMBERED => return None,
            form => digits::unpacked_len(form)?,
        };
        let text = (build.shared + build.front + ending).saturating_sub(DOCUMENT_PREFIX_LEN + 2);
        let gap = build.own.map_or(Gap::default(), |place| Gap { start: place, len: text });
        for _ in 0..repeats {
            let Some(len) = number(&mut streams.lengths)?.checked_sub(1) else {
                each(None)?;
                continue;
            };
            let bytes = streams.values.take(len.checked_sub(gap.len)?)?;
            each(Some(Gapped { bytes, gap }))?;
        }
    }
    (streams.stretches.is_empty() && streams.lengths.is_empty() && streams.values.is_empty()).then_some(())
}

fn number(reader: &mut Reader<'_>) -> Option<usize> {
    usize::try_from(reader.varint()?).ok()
}

struct Unpacker<'a> {
    streams: Streams<'a>,
    /// Where in the run the primary keys of its documents are; kept where entries name them.
    primaries: Vec<(usize, usize)>,
    /// Where in the run the key before is.
    before: (usize, usize),
    run: RunBuilder,
}

impl Unpacker<'_> {
    fn stretch(&mut self, entries: usize, has_numbers: bool) -> Option<()> {
        let (repeats, build) = self.streams.stretch(entries - self.run.len())?;
        for _ in 0..repeats {
            self.entry(&build)?;
            let (start, end) = self.before;
            if has_numbers && self.run.bytes.get(start) == Some(&SPACE_DOCUMENT) {
                self.primaries.push((end.min(start + DOCUMENT_PREFIX_LEN), end));
            }
        }
        Some(())
    }

    /// Builds an entry at its place.
    fn entry(&mut self, build: &Build) -> Option<()> {
        let primary = match build.ending {
            NUMBERED => *self.primaries.get(number(&mut self.streams.numbers)?)?,
            _ => (0, 0),
        };
        let ending = match build.ending {
            0 => 0,
            NUMBERED => primary.1.checked_sub(primary.0)?,
            form => digits::unpacked_len(form)?,
        };
        let key_len = build.shared.checked_add(build.front)?.checked_add(ending)?;
        let value = number(&mut self.streams.lengths)?.checked_sub(1);
        let (before, stop) = self.before;
        if build.shared > stop - before || key_len > KEY_BYTES_MAX || self.run.bytes.len() > UNPACKED_BYTES_MAX {
            return None;
        }
        let start = self.run.begin(key_len, value);
        let bytes = &mut self.run.bytes;
        bytes.extend_from_within(before..before + build.shared);
        bytes.extend_from_slice(self.streams.fronts.take(build.front)?);
        match build.ending {
            0 => {}
            NUMBERED => bytes.extend_from_within(primary.0..primary.1),
            form => digits::unpack(form, self.streams.digits.take(digits::packed_len(form)?)?, bytes),
        }
        let key = bytes.get(start + build.shared..)?;
        if stop > 0 && key <= bytes.get(before + build.shared..stop)? {
            return None;
        }
        self.before = (start, start + key_len);
        value.map_or(Some(()), |len| self.value(len, build.own))
    }

    fn value(&mut self, len: usize, own: Option<usize>) -> Option<()> {
        let Some(place) = own else {
            self.run.bytes.extend_from_slice(self.streams.values.take(len)?);
            return Some(());
        };
        let (start, end) = self.before;
        let (from, to) = (start + DOCUMENT_PREFIX_LEN + 1, end.checked_sub(1)?);
        let rest = len.checked_sub(to.checked_sub(from)?)?.checked_sub(place)?;
        self.run.bytes.extend_from_slice(self.streams.values.take(place)?);
        self.run.bytes.extend_from_within(from..to);
        self.run.bytes.extend_from_slice(self.streams.values.take(rest)?);
        Some(())
    }

    fn is_at_end(&self) -> bool {
        let Streams { stretches, lengths, numbers, fronts, values, digits, .. } = &self.streams;
        [stretches, lengths, numbers, fronts, values, digits].iter().all(|stream| stream.is_empty())
    }
}
