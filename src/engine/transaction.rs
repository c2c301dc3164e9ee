//! A transaction: reads of one snapshot, writes kept back until the commit.
//!
//! Not a lock, and not tied to any transaction of the storage: it may live across any await. Two transactions never
//! wait for each other; the later one to commit fails with `conflict` when it read what the earlier one wrote.
//!
//! Invariants: it reads its own writes; every key and range it read (also in vain) is in the read set; dropping it
//! without a commit has no effect.

use super::merge::{Merge, Source};
use super::read_set::{RangeId, ReadSet};
use super::run::Run;
use super::slice::Slice;
use super::snapshot::{Scan, ScanStep, Snapshot};
use super::write_set::WriteSet;
use super::{Inner, State};
use crate::error::{Error, Result};
use crate::limits::{KEY_BYTES_MAX, TRANSACTION_BYTES_MAX};
use crate::storage::{CommitSeq, Storage};
use crate::value::{Direction, KeyRange};
use core::cell::RefCell;
use std::rc::Rc;

/// Keeps the commits since its snapshot in memory, for the validation.
pub(super) struct Active<S: Storage> {
    inner: Rc<Inner<S>>,
    seq: CommitSeq,
}

impl<S: Storage> Active<S> {
    pub(super) fn new(inner: &Rc<Inner<S>>, seq: CommitSeq) -> Self {
        inner.recent.borrow_mut().enter(seq);
        Active { inner: Rc::clone(inner), seq }
    }
}

impl<S: Storage> Drop for Active<S> {
    fn drop(&mut self) {
        self.inner.recent.borrow_mut().leave(self.seq);
    }
}

/// See the module.
pub struct Transaction<S: Storage> {
    snapshot: Snapshot<S>,
    reads: Rc<RefCell<ReadSet>>,
    writes: RefCell<WriteSet>,
    active: Active<S>,
}

/// What is left of a transaction when it goes to commit.
pub(super) struct Finished<S: Storage> {
    pub(super) snapshot: CommitSeq,
    pub(super) reads: ReadSet,
    pub(super) run: Run,
    pub(super) active: Active<S>,
}

impl<S: Storage> Transaction<S> {
    pub(super) fn new(inner: &Rc<Inner<S>>, state: Rc<State>) -> Self {
        let active = Active::new(inner, state.head.seq);
        Transaction {
            snapshot: Snapshot { inner: Rc::clone(inner), state },
            reads: Rc::default(),
            writes: RefCell::default(),
            active,
        }
    }

    /// The snapshot that it reads.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot<S> {
        &self.snapshot
    }

    /// The value of a key: its own write, else the snapshot's.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        if let Some(own) = self.writes.borrow_mut().get(key) {
            return Ok(own);
        }
        self.reads.borrow_mut().add_point(key);
        self.snapshot.get(key).await
    }

    /// The values of keys, each as [`Transaction::get`] gives it.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Slice>>> {
        let own: Vec<Option<Option<Slice>>> = {
            let mut writes = self.writes.borrow_mut();
            keys.iter().map(|key| writes.get(key)).collect()
        };
        let others = keys.iter().zip(&own).filter(|(_, own)| own.is_none());
        let others: Vec<&[u8]> = others.map(|(key, _)| *key).collect();
        others.iter().for_each(|key| self.reads.borrow_mut().add_point(key));
        let mut values = self.snapshot.get_many(&others).await?.into_iter();
        Ok(own.into_iter().map(|own| own.unwrap_or_else(|| values.next().flatten())).collect())
    }

    /// The value of a key, without making the transaction depend on it: for what cannot change its meaning.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn get_untracked(&self, key: &[u8]) -> Result<Option<Slice>> {
        if let Some(own) = self.writes.borrow_mut().get(key) {
            return Ok(own);
        }
        self.snapshot.get(key).await
    }

    /// Makes the transaction depend on a key, as if it had been read.
    pub fn depend_on(&self, key: &[u8]) {
        if self.writes.borrow_mut().get(key).is_none() {
            self.reads.borrow_mut().add_point(key);
        }
    }

    /// The entries of a range, with the writes that were made before this call.
    #[must_use]
    pub fn scan(&self, range: KeyRange, direction: Direction) -> TransactionScan<S> {
        let mut sources = Vec::new();
        if !self.writes.borrow().is_empty() {
            sources.extend(self.writes.borrow_mut().runs().filter_map(|run| Source::run(run.clone(), &range)));
        }
        sources.extend(self.snapshot.sources(&range));
        let read = self.reads.borrow_mut().add_range(&range.start, range.end.as_deref(), direction);
        let scan = Scan::new(self.snapshot.clone(), Merge::new(sources, range, direction));
        TransactionScan { scan, reads: Rc::clone(&self.reads), read }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// `limit` for a key that is too long, or when the transaction writes too much.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.write(key, Some(value))
    }

    /// Deletes a key; deleting one that is not there is no error.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn delete(&self, key: &[u8]) -> Result<()> {
        self.write(key, None)
    }

    /// Writes a whole run, whose keys are within their limit.
    ///
    /// # Errors
    /// `limit` when the transaction writes too much.
    pub fn put_run(&self, run: Run) -> Result<()> {
        let mut writes = self.writes.borrow_mut();
        if writes.len_bytes() + run.as_bytes().len() > TRANSACTION_BYTES_MAX {
            return Err(too_much());
        }
        if !run.is_empty() {
            writes.set_run(run);
        }
        Ok(())
    }

    fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        if key.len() > KEY_BYTES_MAX {
            return Err(Error::limit(format!("a key has {} bytes, the limit is {KEY_BYTES_MAX}", key.len())));
        }
        let mut writes = self.writes.borrow_mut();
        if writes.len_bytes() + key.len() + value.map_or(0, <[u8]>::len) > TRANSACTION_BYTES_MAX {
            return Err(too_much());
        }
        writes.set(key, value);
        Ok(())
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.writes.borrow().is_empty()
    }

    pub(super) fn finish(self) -> Finished<S> {
        let reads = core::mem::take(&mut *self.reads.borrow_mut());
        let run = self.writes.take().into_run();
        Finished { snapshot: self.snapshot.seq(), reads, run, active: self.active }
    }
}

fn too_much() -> Error {
    let error = Error::limit(format!("a transaction may write {TRANSACTION_BYTES_MAX} bytes"));
    error.with_hint("write in several transactions")
}

/// A scan that tells its transaction how far it went.
pub struct TransactionScan<S: Storage> {
    scan: Scan<S>,
    reads: Rc<RefCell<ReadSet>>,
    read: RangeId,
}

impl<S: Storage> TransactionScan<S> {
    /// Goes to the next entry, if it is in memory.
    pub fn step(&mut self) -> ScanStep {
        let step = self.scan.step();
        match step {
            ScanStep::Entry => {
                let slices = self.scan.slices();
                self.reads.borrow_mut().reach(self.read, slices.as_ref().map(|(key, _)| key));
            }
            ScanStep::End => self.reads.borrow_mut().reach(self.read, None),
            ScanStep::Needs => {}
        }
        step
    }

    /// The entries beneath.
    #[must_use]
    pub const fn scan(&self) -> &Scan<S> {
        &self.scan
    }

    /// Fetches what [`ScanStep::Needs`] asked for.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn fill(&mut self) -> Result<()> {
        self.scan.fill().await
    }

    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        loop {
            match self.step() {
                ScanStep::Entry => return Ok(self.scan.slices()),
                ScanStep::Needs => self.fill().await?,
                ScanStep::End => return Ok(None),
            }
        }
    }
}
