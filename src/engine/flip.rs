//! Changes the manifest: the one moment at which background work takes effect.
//!
//! Invariants: a flip is one strict transaction, guarded by the manifest that the work began with; where the answer is
//! lost, the stored manifest tells; a flip that was overtaken has no effect, and its blocks are swept by a later one.

use super::manifest::Manifest;
use super::recovery::orphan_ranges;
use super::run::Run;
use super::segment::StoredBlock;
use super::{Inner, Pressure, State, log};
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::{
    Applied, Batch, CommitSeq, Durability, Failure, NameRange, Outcome, Storage, StorageError, Store,
};
use std::rc::Rc;

/// The name of the reserve record: given up when the quota is used up, so that a full disk can still free space.
pub(super) const RESERVE_NAME: &[u8] = b"\xff reserve";

/// What goes into the flip's transaction beside the manifest.
pub(super) struct Change {
    /// The manifest that the work began with.
    generation: u64,
    /// The log lets go of its records up to this one, and the memtable of its frozen part.
    pub(super) trim: Option<CommitSeq>,
    /// Blocks that were held back.
    pub(super) puts: Vec<StoredBlock>,
    /// Blocks to delete.
    pub(super) deletes: Vec<NameRange>,
}

impl Change {
    pub(super) const fn new(generation: u64) -> Self {
        Change { generation, trim: None, puts: Vec::new(), deletes: Vec::new() }
    }
}

impl<S: Storage> Inner<S> {
    /// Changes the manifest, if no other context did since the work began. Answers whether it did.
    pub(super) async fn flip(&self, change: Change, edit: impl FnOnce(&mut Manifest)) -> Result<bool> {
        let state = self.state();
        if state.manifest.generation != change.generation {
            return Ok(false);
        }
        let mut manifest = (*state.manifest).clone();
        edit(&mut manifest);
        manifest.generation += 1;
        let is_swept = self.sweep_due.replace(false);
        let mut batch = batch(&state, change, is_swept);
        self.keep_reserve(&mut manifest, &mut batch);
        if planted(Bug::TrimBeforeFlip) {
            let early = Batch { trim: batch.trim, durability: Durability::Strict, ..Batch::default() };
            let _ = self.call(self.storage.apply(early)).await;
        }
        let has_trim = batch.trim.is_some();
        let result = self.apply_flip(&state, &mut manifest, batch).await;
        match result {
            Ok(Some(bytes)) => {
                self.durable.set(self.durable.get().max(state.head.seq));
                self.take_over(&state, manifest, bytes, has_trim).await?;
                Ok(true)
            }
            Ok(None) => {
                self.sweep_due.set(true);
                self.reload().await?;
                Ok(false)
            }
            Err(error) => {
                self.sweep_due.set(true);
                Err(error)
            }
        }
    }

    /// Applies the flip; the manifest's bytes when it took effect, `None` when another context was first.
    async fn apply_flip(&self, state: &State, manifest: &mut Manifest, mut batch: Batch) -> Result<Option<Vec<u8>>> {
        let mut attempt = 0;
        loop {
            let bytes = manifest.encode(state.head.database)?;
            batch.manifest = Some(bytes.clone());
            let error: StorageError = match self.call(self.storage.apply(batch.clone())).await {
                Ok(Applied::Done) => return Ok(Some(bytes)),
                Ok(Applied::Refused) if attempt == 0 => return Ok(None),
                Ok(Applied::Refused) => return Ok(self.is_stored(&bytes).await?.then_some(bytes)),
                Err(error) => error,
            };
            if error.failure == Failure::Quota && manifest.reserve && !state.manifest.reserve {
                // The reserve can wait.
                manifest.reserve = false;
                batch.puts.retain(|(_, name, _)| name != RESERVE_NAME);
            } else if attempt < log::ATTEMPTS && log::may_help(error.failure) {
                attempt += 1;
                self.env.sleep(log::backoff_ms(attempt)).await;
            } else if error.outcome == Outcome::Unknown && self.is_stored(&bytes).await? {
                return Ok(Some(bytes));
            } else {
                return Err(error.into());
            }
        }
    }

    async fn is_stored(&self, manifest: &[u8]) -> Result<bool> {
        let tail = self.read(async || self.storage.read_log(Some(CommitSeq::MAX), true).await).await?;
        Ok(tail.manifest.as_deref() == Some(manifest))
    }

    /// Makes the new manifest this context's own.
    async fn take_over(&self, before: &State, manifest: Manifest, bytes: Vec<u8>, is_trimmed: bool) -> Result<()> {
        let state = self.state();
        let is_frozen_gone = is_trimmed && state.memtable.frozen().is_empty();
        if state.manifest.generation != before.manifest.generation || is_frozen_gone {
            // The state was taken anew from the storage meanwhile: take it once more, with what was just written.
            self.reload().await?;
            return Ok(());
        }
        let mut next = state.duplicate();
        next.pinned = Run::parse(manifest.pinned.clone())?;
        next.manifest = Rc::new(manifest);
        next.manifest_bytes = Some(Rc::new(bytes));
        if is_trimmed {
            next.memtable.drop_frozen();
        }
        *self.state.borrow_mut() = Rc::new(next);
        Ok(())
    }

    /// Puts the reserve in its place when it is not there.
    fn keep_reserve(&self, manifest: &mut Manifest, batch: &mut Batch) {
        if manifest.reserve || self.options.reserve_bytes == 0 || self.pressure.get() != Pressure::None {
            return;
        }
        // Random, since a browser compresses what it stores.
        let mut reserve = vec![0; self.options.reserve_bytes];
        self.env.fill_random(&mut reserve);
        batch.puts.push((Store::Main, RESERVE_NAME.to_vec(), reserve));
        manifest.reserve = true;
    }

    /// Gives up the cache and the reserve, in a transaction that only deletes: Firefox lets nothing else through after
    /// the quota was used up.
    pub(super) async fn free_space(&self) {
        let batch = Batch {
            deletes: vec![(Store::Cache, NameRange::all()), (Store::Main, NameRange::one(RESERVE_NAME))],
            ..Batch::default()
        };
        if self.pressure.get() == Pressure::None {
            self.pressure.set(Pressure::Reclaimable);
        }
        // Where even that fails, the retry fails with the quota again, and says so.
        let _ = self.call(self.storage.apply(batch)).await;
    }
}

fn batch(state: &State, change: Change, is_swept: bool) -> Batch {
    let mut deletes = change.deletes;
    if is_swept {
        deletes.extend(orphan_ranges(&state.manifest));
    }
    Batch {
        expected_manifest: Some(state.manifest_bytes.as_deref().cloned()),
        manifest: None,
        deletes: deletes.into_iter().map(|range| (Store::Main, range)).collect(),
        puts: change.puts.into_iter().map(|(name, bytes)| (Store::Main, name, bytes)).collect(),
        trim: change.trim.map(|seq| if planted(Bug::TrimTooFar) { seq.next() } else { seq }),
        durability: Durability::Strict,
    }
}
