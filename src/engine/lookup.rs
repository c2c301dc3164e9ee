//! Lookups: the values of keys, from the newest place that knows them.
//!
//! Not a scan: where each key may lie is worked out, and nothing is passed over. Many keys are looked up together: the
//! blocks that hold them are fetched in one call for each segment.
//!
//! Invariant: the newest source that has a key decides, be it by a tombstone.

use super::block_cache::Cached;
use super::blocks::Reading;
use super::heads::Made;
use super::manifest::SegmentMeta;
use super::segment::{INDEX_BLOCK, block_ref};
use super::slice::Slice;
use super::snapshot::Snapshot;
use super::{Inner, filter};
use crate::bytes::order;
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
/// Where the filter let so many keys pass one after the other, the keys are there, and to ask it costs more than it saves.
const PASSES_MAX: usize = 16;

impl<S: Storage> Snapshot<S> {
    /// The value of a key.
    ///
    /// Ready at the first poll when the block is in memory.
    ///
    /// # Errors
    /// `corrupt` naming the lost range, `conflict` when the snapshot is too old, or the storage's failure.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        match self.peek(key) {
            Some(known) => Ok(known),
            None => Ok(self.get_many(&[key]).await?.pop().flatten()),
        }
    }

    /// The value of a key, where that can be told without fetching anything.
    #[must_use]
    pub fn peek(&self, key: &[u8]) -> Option<Option<Slice>> {
        let hash = filter::hash(key);
        let mut known = self.in_memory(key, hash);
        for segments in self.state.manifest.levels.iter().enumerate().flat_map(apart) {
            if known.is_some() {
                return known;
            }
            let at = segments.partition_point(|segment| order(&segment.last, key).is_lt());
            if let Some(segment) = segments.get(at)
                && order(&segment.first, key).is_le()
            {
                known = self.inner.peek_in_segment(segment, key, hash)?;
            }
        }
        Some(known.flatten())
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
        for segments in self.state.manifest.levels.iter().enumerate().flat_map(apart) {
            let mut open: Vec<Vec<usize>> = vec![Vec::new(); segments.len()];
            let lasts: Vec<&[u8]> = segments.iter().map(|segment| segment.last.as_slice()).collect();
            let heads = Made::of(&lasts);
            for (place, (key, _)) in keys.iter().enumerate() {
                if !is_open(place) {
                    continue;
                }
                let search = |from| lasts.partition_point(|last| order(last, key).is_lt()).max(from);
                let at = heads.lower_bound(key, &search);
                if let (Some(segment), Some(open)) = (segments.get(at), open.get_mut(at))
                    && order(&segment.first, key).is_le()
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
        let known = self.state.memtable.get_hashed(key, hash);
        // No document is resident.
        if known.is_some() || filter::is_filtered(key) { known } else { self.state.pinned.get(key) }
    }
}

fn covers(segment: &SegmentMeta, key: &[u8]) -> bool {
    order(&segment.first, key).is_le() && order(key, &segment.last).is_le()
}

/// The segments of a level as groups in which they lie apart, the newest first.
fn apart<'a>((level, segments): (usize, &'a Vec<Rc<SegmentMeta>>)) -> core::slice::Chunks<'a, Rc<SegmentMeta>> {
    segments.chunks(if level == 0 { 1 } else { segments.len().max(1) })
}

impl<S: Storage> Inner<S> {
    /// What a segment knows of a key, where its index and the block are in memory.
    fn peek_in_segment(&self, segment: &SegmentMeta, key: &[u8], hash: u64) -> Option<Known> {
        let Cached::Index(index) = self.cached(segment, INDEX_BLOCK)? else { return None };
        let block = index.run.find(key);
        if !index.filter.may_hold_hashed(key, hash) || block >= index.run.len() {
            return Some(None);
        }
        match self.cached(segment, block as u32)? {
            Cached::Block(run) => Some(run.get_hashed(key, hash)),
            _ => None,
        }
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
            let mut passes = 0;
            for place in open {
                let Some((key, hash)) = keys.get(place) else { continue };
                if passes < PASSES_MAX && !index.filter.may_hold_hashed(key, *hash) {
                    passes = 0;
                    continue;
                }
                passes += 1;
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
            let guess = |(place, block): &(usize, usize)| blocks.get(*block)?.guess(keys.get(*place)?.1);
            let guesses: Vec<_> = wanted.iter().map(guess).collect();
            for ((place, block), guess) in wanted.into_iter().zip(guesses) {
                if let (Some(known), Some((key, hash))) = (found.get_mut(place), keys.get(place)) {
                    *known = blocks.get(block).and_then(|run| run.get_guessed(guess, key, *hash));
                }
            }
            Ok(())
        })
    }
}
