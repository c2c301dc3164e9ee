//! Changes the manifest: the one moment at which background work takes effect.
//!
//! Invariants: a flip is one strict transaction, guarded by the manifest that the work began with; where the answer is
//! lost, the stored manifest tells; a flip that was overtaken has no effect, and its blocks are swept by a later one.

use super::manifest::Manifest;
use super::recovery::orphan_ranges;
use super::segment::StoredExtent;
use super::unpacked;
use super::{Inner, State, log};
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::{Applied, Batch, CommitSeq, Durability, NameRange, Outcome, Storage, StorageError, Store};
use std::rc::Rc;

/// When the log is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trim {
    /// Bit by bit, after the flip ([`Inner::trim_log`]).
    Later,
    /// In the flip's own transaction, which so frees more than it takes.
    Now,
}

/// What goes into the flip's transaction beside the manifest.
pub(super) struct Change {
    /// The manifest that the work began with.
    generation: u64,
    /// Segments hold every commit up to this one now: the memtable lets go of its frozen part.
    pub(super) checkpoint: Option<CommitSeq>,
    /// When the log lets go of those commits.
    pub(super) trim: Trim,
    /// Blocks that were held back.
    pub(super) puts: Vec<StoredExtent>,
    /// Blocks to delete.
    pub(super) deletes: Vec<NameRange>,
}

impl Change {
    pub(super) const fn new(generation: u64) -> Self {
        Change { generation, checkpoint: None, trim: Trim::Later, puts: Vec::new(), deletes: Vec::new() }
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
        let checkpoint = change.checkpoint;
        let batch = batch(&state, change, is_swept);
        if planted(Bug::TrimBeforeFlip) {
            let early = Batch { trim: checkpoint, durability: Durability::Strict, ..Batch::default() };
            let _ = self.call(self.storage.apply(early)).await;
        }
        match self.apply_flip(&state, &manifest, batch).await {
            Ok(Some(bytes)) => {
                self.take_over(&state, manifest, bytes, checkpoint.is_some()).await?;
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

    /// Trims the log of commits that segments hold, from `from` to `upto`, which are about so many bytes. In small
    /// transactions: LevelDB writes down what a large one deletes, and makes commits wait for it. What a failure leaves
    /// is never read, and trimmed after the next checkpoint.
    pub(super) async fn trim_log(&self, from: CommitSeq, upto: CommitSeq, bytes: usize) {
        let records = upto.get().saturating_sub(from.get());
        let parts = (bytes.div_ceil(self.options.trim_bytes.max(1)) as u64).clamp(1, records.max(1));
        for part in 1..=parts {
            let seq = CommitSeq::new(from.get() + records * part / parts);
            let trim = Some(if part == parts { trim_point(upto) } else { seq });
            if self.call(self.storage.apply(Batch { trim, ..Batch::default() })).await.is_err() {
                return;
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
    async fn take_over(&self, before: &State, manifest: Manifest, bytes: Vec<u8>, is_checkpoint: bool) -> Result<()> {
        let state = self.state();
        let is_frozen_gone = is_checkpoint && state.memtable.frozen().is_empty();
        if state.manifest.generation != before.manifest.generation || is_frozen_gone {
            // The state was taken anew from the storage meanwhile: take it once more, with what was just written.
            self.reload().await?;
            return Ok(());
        }
        let mut next = state.duplicate();
        next.pinned = unpacked::unpack(&manifest.pinned)?;
        next.manifest = Rc::new(manifest);
        next.manifest_bytes = Some(Rc::new(bytes));
        if is_checkpoint {
            next.memtable.drop_frozen();
        }
        *self.state.borrow_mut() = Rc::new(next);
        Ok(())
    }
}

fn trim_point(checkpoint: CommitSeq) -> CommitSeq {
    if planted(Bug::TrimTooFar) { checkpoint.next() } else { checkpoint }
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
        trim: change.checkpoint.filter(|_| change.trim == Trim::Now).map(trim_point),
        durability: Durability::Strict,
    }
}
