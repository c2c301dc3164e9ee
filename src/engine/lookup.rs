//! Lookups: the values of keys, from the newest place that knows them.
//!
//! Not a scan: where each key may lie is worked out, and nothing is passed over. Many keys are looked up together: the
//! blocks that hold them are fetched in one call for each segment.
//!
//! Invariant: the newest source that has a key decides, be it by a tombstone.

use super::blocks::Reading;
use super::manifest::SegmentMeta;
use super::segment::block_ref;
use super::slice::Slice;
use super::snapshot::Snapshot;
use super::{Inner, filter};
use crate::env::LocalFuture;
use crate::env::side_by_side::side_by_side;
use crate::error::Result;
use crate::storage::Storage;
use core::cell::RefCell;
use std::rc::Rc;

/// What is known of a key: nothing, a tombstone, or its value.
type Known = Option<Option<Slice>>;

/// A key with its hash for filters.
type Hashed<'a> = (&'a [u8], u64);

/// Segments of one level that are looked into side by side: so many times [`super::Options::segment_bytes`] may be read
/// at once.
const LANES: usize = 8;

/// No block.
const NOWHERE: u32 = u32::MAX;

impl<S: Storage> Snapshot<S> {
    /// The value of a key.
    ///
    /// Ready at the first poll when the block is in memory.
    ///
    /// # Errors
    /// `corrupt` naming the lost range, `conflict` when the snapshot is too old, or the storage's failure.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        let hash = filter::hash(key);
        if let Some(found) = self.in_memory(key, hash) {
            return Ok(found);
        }
        for (level, segments) in self.state.manifest.levels.iter().enumerate() {
            let segments = if level == 0 { segments } else { one_that_covers(segments, key) };
            for segment in segments.iter().filter(|segment| covers(segment, key)) {
                if let Some(found) = self.inner.get_in_segment(segment, key, hash).await? {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// The values of keys, in the order of the keys, which may be any.
    ///
    /// Ready at the first poll when the blocks are in memory.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Slice>>> {
        let keys: Vec<Hashed<'_>> = keys.iter().map(|key| (*key, filter::hash(key))).collect();
        let found: Vec<Known> = keys.iter().map(|(key, hash)| self.in_memory(key, *hash)).collect();
        let is_near = |segment: &SegmentMeta| {
            keys.iter().zip(&found).any(|((key, _), known)| known.is_none() && covers(segment, key))
        };
        let missing =
            self.state.manifest.segments().filter(|segment| !self.inner.has_index(segment) && is_near(segment));
        self.inner.bring_indexes(missing.collect()).await?;
        let found = RefCell::new(found);
        let is_open = |place: usize| found.borrow().get(place).is_some_and(Option::is_none);
        for (level, segments) in self.state.manifest.levels.iter().enumerate() {
            if level == 0 {
                for segment in segments {
                    let places = keys.iter().enumerate().filter(|(_, (key, _))| covers(segment, key));
                    let open = places.map(|(place, _)| place).filter(|place| is_open(*place)).collect();
                    self.inner.get_many_in_segment(segment, &keys, open, &found).await?;
                }
                continue;
            }
            let mut open: Vec<Vec<usize>> = vec![Vec::new(); segments.len()];
            for (place, (key, _)) in keys.iter().enumerate() {
                let at = segments.partition_point(|segment| segment.last.as_slice() < *key);
                let is_there = segments.get(at).is_some_and(|segment| covers(segment, key));
                if is_there
                    && is_open(place)
                    && let Some(open) = open.get_mut(at)
                {
                    open.push(place);
                }
            }
            let touched = segments.iter().zip(open).filter(|(_, open)| !open.is_empty());
            let mut works = touched.map(|(segment, open)| self.inner.get_many_in_segment(segment, &keys, open, &found));
            side_by_side(LANES, &mut works).await?;
        }
        Ok(found.into_inner().into_iter().map(Option::flatten).collect())
    }

    fn in_memory(&self, key: &[u8], hash: u64) -> Known {
        self.state.memtable.get_hashed(key, hash).or_else(|| self.state.pinned.get(key))
    }
}

fn covers(segment: &SegmentMeta, key: &[u8]) -> bool {
    segment.first.as_slice() <= key && key <= segment.last.as_slice()
}

/// Of segments that lie apart, the one that may have the key.
fn one_that_covers<'a>(segments: &'a [Rc<SegmentMeta>], key: &[u8]) -> &'a [Rc<SegmentMeta>] {
    let at = segments.partition_point(|segment| segment.last.as_slice() < key);
    segments.get(at..=at).unwrap_or_default()
}

impl<S: Storage> Inner<S> {
    async fn get_in_segment(&self, segment: &Rc<SegmentMeta>, key: &[u8], hash: u64) -> Result<Known> {
        let index = self.segment_index(segment).await?;
        if !index.filter.may_hold_hashed(key, hash) {
            return Ok(None);
        }
        let Some(block) = block_ref(&index.run, index.run.find(key)) else {
            return Ok(None);
        };
        let blocks = self.blocks(segment, &index.run, &[block], Reading::Kept).await?;
        Ok(blocks.first().and_then(|run| run.get(key)))
    }

    /// Finds what a segment knows of the keys at these places.
    fn get_many_in_segment<'a>(
        &'a self,
        segment: &'a Rc<SegmentMeta>,
        keys: &'a [Hashed<'a>],
        open: Vec<usize>,
        found: &'a RefCell<Vec<Known>>,
    ) -> LocalFuture<'a, Result<()>> {
        Box::pin(async move {
            if open.is_empty() {
                return Ok(());
            }
            let index = self.segment_index(segment).await?;
            let mut refs = Vec::new();
            // By the block's number: its place in `refs`.
            let mut place_of = vec![NOWHERE; index.run.len()];
            let mut wanted = Vec::with_capacity(open.len());
            for place in open {
                let Some((key, hash)) = keys.get(place) else { continue };
                if !index.filter.may_hold_hashed(key, *hash) {
                    continue;
                }
                let block = index.run.find(key);
                let Some(slot) = place_of.get_mut(block) else { continue };
                if *slot == NOWHERE {
                    let Some(block) = block_ref(&index.run, block) else { continue };
                    *slot = refs.len() as u32;
                    refs.push(block);
                }
                wanted.push((place, *slot as usize));
            }
            let blocks = self.blocks(segment, &index.run, &refs, Reading::Kept).await?;
            let mut found = found.borrow_mut();
            for (place, block) in wanted {
                if let (Some(known), Some((key, _))) = (found.get_mut(place), keys.get(place)) {
                    *known = blocks.get(block).and_then(|run| run.get(key));
                }
            }
            Ok(())
        })
    }
}
