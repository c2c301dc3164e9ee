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
use crate::value::KeyRange;
use std::rc::Rc;

/// Where both ends of a range lie in one block, it is taken to hold this part of the block.
const WITHIN_BLOCK: f64 = 0.25;
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
            let blocks = index.run.len();
            let low = index.run.lower_bound(&range.start);
            let high = range.end.as_ref().map_or(blocks, |end| index.run.lower_bound(end));
            let touched = if high > low { (high - low) as f64 } else { WITHIN_BLOCK };
            (touched * per_block(segment, index, low)).min(segment.entries as f64)
        });
        in_memory as f64 + on_disk.sum::<f64>()
    }
}
