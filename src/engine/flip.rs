//! Changes the manifest: the one moment at which background work takes effect.
//!
//! Invariants: a flip is one strict transaction, guarded by the manifest that the work began with; where the answer is
//! lost, the stored manifest tells; a flip that was overtaken has no effect, and its blocks are swept by a later one.

use super::manifest::Manifest;
use super::recovery::orphan_ranges;
use super::run::Run;
use super::segment::StoredExtent;
use super::{Inner, State, log};
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::{Applied, Batch, CommitSeq, Durability, NameRange, Outcome, Storage, StorageError, Store};
use std::rc::Rc;

/// What goes into the flip's transaction beside the manifest.
pub(super) struct Change {
    /// The manifest that the work began with.
    generation: u64,
    /// The log lets go of its records up to this one, and the memtable of its frozen part.
    pub(super) trim: Option<CommitSeq>,
    /// Blocks that were held back.
    pub(super) puts: Vec<StoredExtent>,
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
        let batch = batch(&state, change, is_swept);
        if planted(Bug::TrimBeforeFlip) {
            let early = Batch { trim: batch.trim, durability: Durability::Strict, ..Batch::default() };
            let _ = self.call(self.storage.apply(early)).await;
        }
        let has_trim = batch.trim.is_some();
        match self.apply_flip(&state, &manifest, batch).await {
            Ok(Some(bytes)) => {
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
    async fn apply_flip(&self, state: &State, manifest: &Manifest, mut batch: Batch) -> Result<Option<Vec<u8>>> {
        let bytes = manifest.encode(state.head.database)?;
        batch.manifest = Some(bytes.clone());
        let mut attempt = 0;
        loop {
            let error: StorageError = match self.call(self.storage.apply(batch.clone())).await {
                Ok(Applied::Done) => {
                    self.durable.set(self.durable.get().max(state.head.seq));
                    return Ok(Some(bytes));
                }
                Ok(Applied::Refused) if attempt == 0 => return Ok(None),
                Ok(Applied::Refused) => return Ok(self.is_stored(state, &bytes).await?.then_some(bytes)),
                Err(error) => error,
            };
            if attempt < log::ATTEMPTS && log::may_help(error.failure) {
                attempt += 1;
                self.env.sleep(log::backoff_ms(attempt)).await;
            } else if error.outcome == Outcome::Unknown && self.is_stored(state, &bytes).await? {
                return Ok(Some(bytes));
            } else {
                return Err(error.into());
            }
        }
    }

    /// Whether a flip whose answer was lost took effect. Where it did, it is flushed once more: nobody said that it was.
    async fn is_stored(&self, state: &State, manifest: &[u8]) -> Result<bool> {
        let tail = self.read(async || self.storage.read_log(Some(CommitSeq::MAX), true).await).await?;
        let is_stored = tail.manifest.as_deref() == Some(manifest);
        if is_stored {
            self.flush(state.head.seq).await;
        }
        Ok(is_stored)
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
