//! Background work: what is due, and in which order.
//!
//! Not a timer: something else calls it. One piece of background work runs at a time in one engine; that another
//! context does some too is wasteful, never wrong.

use super::flip::Change;
use super::manifest::Retired;
use super::{Company, Inner, Pressure};
use crate::error::Result;
use crate::storage::{CommitSeq, Storage};
use core::cell::Cell;

/// Marks that background work is under way; the mark goes when this is dropped.
pub(super) struct Background<'a>(&'a Cell<bool>);

impl Drop for Background<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl<S: Storage> Inner<S> {
    /// The background, unless somebody has it.
    pub(super) fn enter_background(&self) -> Option<Background<'_>> {
        (!self.background.replace(true)).then(|| Background(&self.background))
    }

    pub(super) fn is_maintenance_due(&self) -> bool {
        self.is_checkpoint_due()
            || self.next_compaction().is_some()
            || self.is_collection_due()
            || self.is_reserve_due()
    }

    /// One piece of the work that is due.
    pub(super) async fn maintain(&self) -> Result<()> {
        if self.pressure.get() == Pressure::Reclaimable {
            self.reclaim().await;
        } else if self.is_reserve_due() {
            // First of all: where the disk fills up soon, there is no room for it later.
            self.put_reserve().await;
        } else if self.is_checkpoint_due() {
            self.checkpoint().await?;
        } else if self.must_compaction_wait() {
            self.env.sleep((self.options.quiet_ms as u32).max(1)).await;
        } else if !self.compact().await? {
            self.collect_retired().await?;
        }
        Ok(())
    }

    /// Keeps the memtable and the log bounded where background work does not keep pace, or where another context does
    /// it: writes a checkpoint, or takes over what another context has checkpointed.
    ///
    /// A failure is for the next call to meet that needs the storage: nothing is lost by a memtable that is too large.
    pub(super) async fn relieve(&self) {
        let limit = self.options.memtable_bytes;
        let bytes = || self.state().memtable.len_bytes();
        if bytes() <= self.relieve_at_bytes.get().max(limit + limit / 2) {
            return;
        }
        let _ = self.checkpoint().await;
        // Where that did not help, not at every commit again.
        self.relieve_at_bytes.set(2 * bytes());
    }

    /// Looks whether another context has changed the manifest, before work is done in vain.
    pub(super) async fn refresh_manifest(&self) -> Result<()> {
        let tail = self.read(async || self.storage.read_log(Some(CommitSeq::MAX), true).await).await?;
        if tail.manifest.as_deref() != self.state().manifest_bytes.as_deref().map(Vec::as_slice) {
            self.reload().await?;
        }
        Ok(())
    }

    fn is_collection_due(&self) -> bool {
        self.state().manifest.retired.iter().any(|retired| self.is_unread(retired, self.options.retire_ms))
    }

    /// Whether nobody reads this segment any more: it was retired long enough ago, or there is nobody else.
    fn is_unread(&self, retired: &Retired, retire_ms: i64) -> bool {
        let is_old = retired.at_ms <= self.env.now().as_ms().saturating_sub(retire_ms);
        let is_read_here = || {
            let replaced = self.replaced.borrow();
            replaced.iter().any(|(id, segment)| *id == retired.id && segment.strong_count() > 0)
        };
        is_old || (self.company.get() == Company::Alone && !is_read_here())
    }

    /// Deletes segments that have been out of use for long enough.
    pub(super) async fn collect_retired(&self) -> Result<bool> {
        let Some(_mark) = self.enter_background() else {
            return Ok(false);
        };
        if !self.is_collection_due() {
            return Ok(false);
        }
        self.collect(self.options.retire_ms).await
    }

    pub(super) async fn collect(&self, retire_ms: i64) -> Result<bool> {
        let state = self.state();
        let retired = state.manifest.retired.iter();
        let gone: Vec<_> = retired.filter(|retired| self.is_unread(retired, retire_ms)).copied().collect();
        if gone.is_empty() {
            return Ok(false);
        }
        let mut change = Change::new(state.manifest.generation);
        change.deletes = gone.iter().map(|retired| retired.id.names()).collect();
        let flipped = self.flip(change, |manifest| manifest.retired.retain(|retired| !gone.contains(retired))).await?;
        for retired in gone.iter().filter(|_| flipped) {
            self.cache.borrow_mut().remove_segment(retired.id);
            self.extents.borrow_mut().remove_segment(retired.id);
            self.columns.borrow_mut().remove_segment(retired.id);
            self.replaced.borrow_mut().retain(|(id, _)| *id != retired.id);
        }
        Ok(flipped)
    }
}
