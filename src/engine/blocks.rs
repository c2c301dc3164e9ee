//! Fetches blocks: from memory, else from the storage, checked.
//!
//! Invariant: a block that is missing, damaged, old or out of place gives `corrupt` with the range of keys that it
//! held; only where the manifest has moved on meanwhile it gives `conflict`, and a new snapshot reads right.

use super::Inner;
use super::block_cache::Cached;
use super::frame::{self, Kind, Place};
use super::manifest::{BlockRef, SegmentMeta};
use super::run::Run;
use super::segment::{INDEX_BLOCK, SegmentIndex};
use super::unpacked;
use crate::error::{Error, ErrorKind, Result};
use crate::planted::{Bug, planted};
use crate::storage::{Storage, Store};
use std::rc::Rc;

/// The number of an extent and its bytes as stored; none where the storage has nothing under its name.
pub(super) type Extent = (u32, Option<Rc<Vec<u8>>>);

/// What becomes of what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is likely to be asked for again: it is kept.
    Kept,
    /// It is read once, from one end to the other, and takes nobody's place.
    Passing,
}

impl<S: Storage> Inner<S> {
    /// The index of a segment.
    pub(super) async fn segment_index(&self, segment: &Rc<SegmentMeta>) -> Result<Rc<SegmentIndex>> {
        loop {
            if let Some(Cached::Index(index)) = self.cached(segment, INDEX_BLOCK) {
                return Ok(index);
            }
            if let Some(damage) = self.bring_indexes(vec![segment]).await? {
                return Err(self.lost(segment, damage, &segment.first, &segment.last).await);
            }
        }
    }

    /// Whether the index of a segment is in memory.
    pub(super) fn has_index(&self, segment: &SegmentMeta) -> bool {
        self.cache.borrow().has(segment.id, INDEX_BLOCK)
    }

    /// Fetches the indexes of these segments, but for those that are on their way, in one call. Answers what is wrong with
    /// one of them; whoever asks for another finds out by himself.
    pub(super) async fn bring_indexes(&self, missing: Vec<&Rc<SegmentMeta>>) -> Result<Option<Error>> {
        let first = missing.first().copied();
        let taken = missing.into_iter().map(|segment| (segment, self.fetches.begin(segment.id, &[INDEX_BLOCK])));
        let mine: Vec<_> = taken.filter(|(_, taken)| !taken.extents().is_empty()).collect();
        if mine.is_empty() {
            if let Some(first) = first {
                self.fetches.landed(first.id, INDEX_BLOCK).await;
            }
            return Ok(None);
        }
        let names = mine.iter().map(|(segment, _)| segment.id.extent_name(INDEX_BLOCK).to_vec()).collect();
        let mut damage = None;
        for ((segment, _), stored) in mine.iter().zip(self.fetch(names).await?) {
            let payload = self.open_block(segment, segment.index, Kind::Index, stored.as_deref());
            match payload.and_then(|payload| SegmentIndex::parse(&payload)) {
                Ok(index) => self.cache.borrow_mut().insert(segment.id, INDEX_BLOCK, Cached::Index(Rc::new(index))),
                Err(error) => damage = Some(error),
            }
        }
        Ok(damage)
    }

    /// Some blocks of a segment, in the order of `refs`; those not in memory are fetched in one call.
    pub(super) async fn blocks(
        &self,
        segment: &SegmentMeta,
        index: &Run,
        refs: &[BlockRef],
        reading: Reading,
    ) -> Result<Vec<Run>> {
        let mut runs: Vec<Option<Run>> = refs
            .iter()
            .map(|block| match self.cached(segment, block.block) {
                Some(Cached::Block(run)) => Some(run),
                _ => None,
            })
            .collect();
        let missing: Vec<u32> =
            refs.iter().zip(&runs).filter(|(_, run)| run.is_none()).map(|(block, _)| block.extent).collect();
        if !missing.is_empty() && reading == Reading::Kept {
            self.preloading.note_missing(self.env.monotonic_ms());
        }
        let extents = self.extents_of(segment, missing, reading).await?;
        for (run, block) in runs.iter_mut().zip(refs).filter(|(run, _)| run.is_none()) {
            match self.parsed_block(segment, *block, &extents) {
                Ok(parsed) => {
                    if reading == Reading::Kept {
                        self.cache.borrow_mut().insert(segment.id, block.block, Cached::Block(parsed.clone()));
                    }
                    *run = Some(parsed);
                }
                Err(error) => {
                    self.extents.borrow_mut().remove(segment.id, block.extent);
                    let (from, to) = held_range(segment, index, block.block as usize);
                    return Err(self.lost(segment, error, &from, &to).await);
                }
            }
        }
        runs.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| Error::internal("a block was not fetched"))
    }

    /// Extents with their numbers; those neither in memory nor on their way are fetched in one call.
    pub(super) async fn extents_of(
        &self,
        segment: &SegmentMeta,
        mut numbers: Vec<u32>,
        reading: Reading,
    ) -> Result<Vec<Extent>> {
        numbers.sort_unstable();
        numbers.dedup();
        let mut extents: Vec<Extent> = Vec::with_capacity(numbers.len());
        loop {
            self.take_kept(segment, &mut numbers, &mut extents);
            let Some(first) = numbers.first() else {
                return Ok(extents);
            };
            let mine = self.fetches.begin(segment.id, &numbers);
            if mine.extents().is_empty() {
                self.fetches.landed(segment.id, *first).await;
                continue;
            }
            let names = mine.extents().iter().map(|number| segment.id.extent_name(*number).to_vec()).collect();
            for (number, bytes) in mine.extents().iter().zip(self.fetch(names).await?) {
                let bytes = bytes.map(Rc::new);
                if let Some(bytes) = bytes.as_ref().filter(|_| reading == Reading::Kept) {
                    self.extents.borrow_mut().insert(segment.id, *number, Rc::clone(bytes));
                }
                extents.push((*number, bytes));
            }
            numbers.retain(|number| !mine.extents().contains(number));
        }
    }

    /// Moves the extents that are in memory from `numbers` to `extents`.
    fn take_kept(&self, segment: &SegmentMeta, numbers: &mut Vec<u32>, extents: &mut Vec<Extent>) {
        numbers.retain(|number| {
            let kept = self.extents.borrow().get(segment.id, *number);
            extents.extend(kept.clone().map(|bytes| (*number, Some(bytes))));
            kept.is_none()
        });
    }

    pub(super) fn parsed_block(&self, segment: &SegmentMeta, block: BlockRef, extents: &[Extent]) -> Result<Run> {
        let is_missing = || !extents.iter().any(|(number, bytes)| *number == block.extent && bytes.is_some());
        if planted(Bug::MissingBlockIsEmpty) && is_missing() {
            return Ok(Run::empty());
        }
        unpacked::unpack(&self.packed_block(segment, block, extents)?)
    }

    /// A block as it was packed, checked.
    pub(super) fn packed_block(&self, segment: &SegmentMeta, block: BlockRef, extents: &[Extent]) -> Result<Vec<u8>> {
        let extent = extents.iter().find(|(number, _)| *number == block.extent).and_then(|(_, bytes)| bytes.as_ref());
        let stored = extent.and_then(|extent| {
            let start = block.offset as usize;
            extent.get(start..start.checked_add(block.bytes as usize)?)
        });
        self.open_block(segment, block, Kind::Block, stored)
    }

    pub(super) fn cached(&self, segment: &SegmentMeta, block: u32) -> Option<Cached> {
        self.cache.borrow_mut().get(segment.id, block)
    }

    async fn fetch(&self, names: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>> {
        self.read(async || self.storage.get(Store::Main, &names).await).await
    }

    fn open_block(&self, segment: &SegmentMeta, block: BlockRef, kind: Kind, stored: Option<&[u8]>) -> Result<Vec<u8>> {
        let stored = stored.ok_or_else(|| Error::corrupt("a block is missing"))?;
        let name = segment.id.block_name(block.block);
        let place = Place { database: self.state().head.database, kind, name: &name };
        let (payload, checksum) = frame::open(place, stored)?;
        let is_named = checksum == block.checksum && stored.len() == block.bytes as usize;
        if !is_named && !planted(Bug::ChecksumSkipped) && !planted(Bug::ChecksumUnbound) {
            return Err(Error::corrupt("a block is not the one that its segment names"));
        }
        Ok(payload)
    }

    /// Whether the newest manifest known here names this segment.
    pub(super) fn is_in_use(&self, segment: &SegmentMeta) -> bool {
        self.state().manifest.segments().any(|other| other.id == segment.id)
    }

    /// Tells damage from a segment that another context has replaced meanwhile.
    async fn lost(&self, segment: &SegmentMeta, error: Error, from: &[u8], to: &[u8]) -> Error {
        if error.kind() != ErrorKind::Corrupt {
            return error;
        }
        if let Err(unreachable) = self.reload().await {
            // Whether it is damage cannot be told now.
            return unreachable;
        }
        if !self.is_in_use(segment) {
            return Error::new(ErrorKind::Conflict, "the snapshot is too old: its segments were compacted away");
        }
        error
            .context("reading a segment")
            .with_detail("from", from.escape_ascii())
            .with_detail("to", to.escape_ascii())
            .with_detail("segment", format!("{:?}", segment.id.0))
    }
}

/// The keys that a block held: after the last key of the block before, up to its own last key.
fn held_range(segment: &SegmentMeta, index: &Run, block: usize) -> (Vec<u8>, Vec<u8>) {
    let from = block.checked_sub(1).and_then(|before| index.key(before)).unwrap_or(&segment.first);
    let to = index.key(block).unwrap_or(&segment.last);
    (from.to_vec(), to.to_vec())
}
