//! Fetches blocks: from memory, else from the storage, checked.
//!
//! Invariant: a block that is missing, damaged, old or out of place gives `corrupt` with the range of keys that it
//! held; only where the manifest has moved on meanwhile it gives `conflict`, and a new snapshot reads right.

use super::frame::{self, Kind, Place};
use super::manifest::{BlockRef, SegmentMeta};
use super::run::Run;
use super::segment::INDEX_BLOCK;
use super::{Inner, State};
use crate::error::{Error, ErrorKind, Result};
use crate::planted::{Bug, planted};
use crate::storage::{Storage, Store};
use std::rc::Rc;

impl<S: Storage> Inner<S> {
    /// The index of a segment's blocks.
    pub(super) async fn block_index(&self, segment: &SegmentMeta) -> Result<Run> {
        if let Some(run) = self.cached(segment, INDEX_BLOCK) {
            return Ok(run);
        }
        let name = segment.id.block_name(INDEX_BLOCK);
        let stored = self.fetch(vec![name]).await?.pop().flatten();
        let run = self.checked(segment, segment.index, Kind::Index, stored);
        match run {
            Ok(run) => Ok(run),
            Err(error) => Err(self.lost(segment, error, &segment.first, &segment.last).await),
        }
    }

    /// Some blocks of a segment, in the order of `refs`; those not in memory are fetched in one call.
    pub(super) async fn blocks(&self, segment: &SegmentMeta, index: &Run, refs: &[BlockRef]) -> Result<Vec<Run>> {
        let mut runs: Vec<Option<Run>> = refs.iter().map(|block| self.cached(segment, block.block)).collect();
        let missing: Vec<BlockRef> =
            refs.iter().zip(&runs).filter(|(_, run)| run.is_none()).map(|(block, _)| *block).collect();
        if !missing.is_empty() {
            let names = missing.iter().map(|block| segment.id.block_name(block.block)).collect();
            let mut stored = self.fetch(names).await?.into_iter();
            let mut wanted = missing.into_iter();
            for run in runs.iter_mut().filter(|run| run.is_none()) {
                let (Some(block), Some(bytes)) = (wanted.next(), stored.next()) else {
                    break;
                };
                match self.checked(segment, block, Kind::Block, bytes) {
                    Ok(fetched) => *run = Some(fetched),
                    Err(error) => {
                        let (from, to) = held_range(segment, index, block.block as usize);
                        return Err(self.lost(segment, error, &from, &to).await);
                    }
                }
            }
        }
        runs.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| Error::internal("a block was not fetched"))
    }

    fn cached(&self, segment: &SegmentMeta, block: u32) -> Option<Run> {
        self.cache.borrow_mut().get(segment.id, block)
    }

    async fn fetch(&self, names: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>> {
        self.read(async || self.storage.get(Store::Main, &names).await).await
    }

    fn checked(&self, segment: &SegmentMeta, block: BlockRef, kind: Kind, stored: Option<Vec<u8>>) -> Result<Run> {
        let Some(bytes) = stored else {
            if planted(Bug::MissingBlockIsEmpty) {
                return Ok(Run::empty());
            }
            return Err(Error::corrupt("a block is missing"));
        };
        let name = segment.id.block_name(block.block);
        let place = Place { database: self.state().head.database, kind, name: &name };
        let (payload, checksum) = frame::open(place, &bytes)?;
        let is_named = checksum == block.checksum && bytes.len() == block.bytes as usize;
        if !is_named && !planted(Bug::ChecksumSkipped) && !planted(Bug::ChecksumUnbound) {
            return Err(Error::corrupt("a block is not the one that its segment names"));
        }
        let run = Run::parse(payload)?;
        self.cache.borrow_mut().insert(segment.id, block.block, run.clone());
        Ok(run)
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
        if !is_in_use(&self.state(), segment) {
            return Error::new(ErrorKind::Conflict, "the snapshot is too old: its segments were compacted away");
        }
        error
            .context("reading a segment")
            .with_detail("from", from.escape_ascii())
            .with_detail("to", to.escape_ascii())
            .with_detail("segment", format!("{:?}", segment.id.0))
    }
}

fn is_in_use(state: &Rc<State>, segment: &SegmentMeta) -> bool {
    state.manifest.segments().any(|other| other.id == segment.id)
}

/// The keys that a block held: after the last key of the block before, up to its own last key.
fn held_range(segment: &SegmentMeta, index: &Run, block: usize) -> (Vec<u8>, Vec<u8>) {
    let from = block.checked_sub(1).and_then(|before| index.key(before)).unwrap_or(&segment.first);
    let to = index.key(block).unwrap_or(&segment.last);
    (from.to_vec(), to.to_vec())
}
