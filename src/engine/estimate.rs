//! Estimates: how many entries lie in a range of keys, roughly, from what is in memory anyway.
//!
//! Not a count, and not stored: runs in memory are searched, of segments the indexes of their blocks; no block is read.
//!
//! Invariant: the same state gives the same estimate, whatever is in the cache. What a segment hides of another is not
//! known and counts twice; the index of a segment that cannot be read is left out, and whoever reads it says why.

use super::manifest::SegmentMeta;
use super::segment::SegmentIndex;
use super::snapshot::Snapshot;
use crate::storage::Storage;
use crate::value::{KeyRange, key_range};
use std::rc::Rc;

/// The least part of a block that a range is taken to hold.
const LEAST: f64 = 1.0 / 64.0;
/// The same of all keys that begin alike: how often a value is there cannot be told by where it stands.
const LEAST_ALIKE: f64 = 0.25;
/// Bytes that an entry without a value takes in a block beside its key.
const ENTRY_BYTES: usize = 8;

/// The figures of one snapshot, within one range of keys.
pub struct Estimates<S: Storage> {
    snapshot: Snapshot<S>,
    segments: Vec<(Rc<SegmentMeta>, Rc<SegmentIndex>)>,
}

impl<S: Storage> Snapshot<S> {
    /// Makes ready to estimate within these ranges. Fetches indexes of segments that are not in memory.
    pub async fn estimates(&self, within: &[KeyRange]) -> Estimates<S> {
        let is_near = |segment: &&Rc<SegmentMeta>| {
            within
                .iter()
                .any(|range| segment.last >= range.start && range.end.as_ref().is_none_or(|end| segment.first < *end))
        };
        let near: Vec<&Rc<SegmentMeta>> = self.state.manifest.segments().filter(is_near).collect();
        let missing = near.iter().copied().filter(|segment| !self.inner.has_index(segment));
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            let _ = self.inner.bring_indexes(missing).await;
        }
        let mut segments = Vec::with_capacity(near.len());
        for segment in near {
            if let Ok(index) = self.inner.segment_index(segment).await {
                segments.push((Rc::clone(segment), index));
            }
        }
        Estimates { snapshot: self.clone(), segments }
    }
}

impl<S: Storage> Estimates<S> {
    /// How many index entries lie in the range: their values are empty, so that their keys tell how many a block holds.
    #[must_use]
    pub fn entries(&self, range: &KeyRange) -> f64 {
        let block_bytes = self.snapshot.inner.options.block_bytes;
        self.sum(range, &|_, index, block| {
            let key = index.run.key(block).or_else(|| index.run.key(block.checked_sub(1)?));
            block_bytes as f64 / (key.map_or(64, <[u8]>::len) + ENTRY_BYTES) as f64
        })
    }

    /// How many keys with values lie in the range, taking blocks to hold what the segment's blocks hold on average.
    #[must_use]
    pub fn values(&self, range: &KeyRange) -> f64 {
        self.sum(range, &|segment, index, _| segment.entries as f64 / index.run.len().max(1) as f64)
    }

    fn sum(&self, range: &KeyRange, per_block: &dyn Fn(&SegmentMeta, &SegmentIndex, usize) -> f64) -> f64 {
        if range.is_empty() {
            return 0.0;
        }
        let state = &self.snapshot.state;
        let resident = state.memtable.newest_first().chain(core::iter::once(&state.pinned));
        let in_memory = resident.map(|run| {
            let end = range.end.as_ref().map_or(run.len(), |end| run.lower_bound(end));
            end.saturating_sub(run.lower_bound(&range.start))
        });
        let in_memory: usize = in_memory.sum();
        let on_disk = self.segments.iter().map(|(segment, index)| {
            let is_outside = segment.last < range.start || range.end.as_ref().is_some_and(|end| segment.first >= *end);
            if is_outside {
                return 0.0;
            }
            let low = index.run.lower_bound(&range.start);
            let end = range.end.as_ref().map_or(index.run.len() as f64, |end| place(segment, index, end));
            let is_alike = range.end == key_range::successor(&range.start);
            let least = if is_alike { LEAST_ALIKE } else { LEAST };
            let touched = (end - place(segment, index, &range.start)).max(least);
            (touched * per_block(segment, index, low)).min(segment.entries as f64)
        });
        in_memory as f64 + on_disk.sum::<f64>()
    }
}

/// Where a key lies among the blocks of a segment, and in its block, by the keys at the ends of that.
fn place(segment: &SegmentMeta, index: &SegmentIndex, key: &[u8]) -> f64 {
    let block = index.run.lower_bound(key);
    let before = block.checked_sub(1).and_then(|before| index.run.key(before)).unwrap_or(&segment.first);
    let Some(last) = index.run.key(block) else { return block as f64 };
    block as f64 + part(before, last, key)
}

/// Which part of the way from one key to another lies before a third, taking keys to lie evenly where the two part.
fn part(first: &[u8], last: &[u8], key: &[u8]) -> f64 {
    let common = first.iter().zip(last).take_while(|(left, right)| left == right).count();
    let number = |key: &[u8]| {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(key.get(common..).unwrap_or_default()).for_each(|(byte, of_key)| *byte = *of_key);
        u64::from_be_bytes(bytes) as f64
    };
    let (start, end) = (number(first), number(last));
    let is_between = key > first && key < last && end > start;
    match key <= first {
        true => 0.0,
        false if is_between => ((number(key) - start) / (end - start)).clamp(0.0, 1.0),
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lies_between_others_by_the_bytes_where_they_part() {
        assert!((part(b"ab\x00", b"ab\x80", b"ab\x40") - 0.5).abs() < 1e-9);
        assert!((part(b"k-05z", b"k-09a", b"k-07") - 0.375).abs() < 0.1);
        for (key, expected) in [(&b"a"[..], 0.0), (b"b", 0.0), (b"d", 1.0), (b"e", 1.0)] {
            assert!((part(b"b", b"d", key) - expected).abs() < 1e-9, "{key:?}");
        }
        assert!((part(b"b", b"b", b"b\x01") - 1.0).abs() < 1e-9 && part(b"", b"", b"").abs() < 1e-9);
    }
}
