//! A storage in memory: the plainest true implementation of the contract.
//!
//! Not durable: it lives as long as its last handle. It is what `memory()` opens, and what every other storage is
//! compared with.
//!
//! Invariants: no method is ever pending; a clone of a [`Memory`] is another connection to the same database; a clone
//! of [`Contents`] is a picture of one state and never changes with the original.

use super::{
    Append, Applied, Batch, CommitSeq, LogRecord, NameRange, Storage, StorageError, StorageResult, Store, Tail,
};
use super::{Failure, Register};
use crate::planted::{Bug, planted};
use crate::sorted::Sorted;
use core::cell::{Cell, RefCell};
use std::rc::Rc;

/// One stored value, shared between the states that have it.
pub type Value = Rc<Vec<u8>>;

type Values = Sorted<Rc<[u8]>, Value>;

/// All that a storage holds for one database. Cheap to clone: values are shared, maps are copied when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    head: Option<Value>,
    manifest: Option<Value>,
    log: Rc<Sorted<CommitSeq, Value>>,
    stores: [Rc<Values>; 3],
    size_bytes: usize,
}

impl Contents {
    /// The value of a register.
    #[must_use]
    pub fn register(&self, register: Register) -> Option<&Value> {
        match register {
            Register::Head => self.head.as_ref(),
            Register::Manifest => self.manifest.as_ref(),
        }
    }

    /// Sets a register, or takes its value away.
    pub fn set_register(&mut self, register: Register, value: Option<Value>) {
        let added = value.as_ref().map_or(0, |value| value.len());
        let slot = match register {
            Register::Head => &mut self.head,
            Register::Manifest => &mut self.manifest,
        };
        let old = core::mem::replace(slot, value);
        self.account(added, old.map_or(0, |old| old.len()));
    }

    /// The records of the log, ascending.
    pub fn log(&self) -> impl DoubleEndedIterator<Item = (CommitSeq, &Value)> {
        self.log.iter().map(|(seq, value)| (*seq, value))
    }

    /// Sets a record of the log, or takes it away.
    pub fn set_record(&mut self, seq: CommitSeq, value: Option<Value>) {
        let added = value.as_ref().map_or(0, |value| value.len());
        let log = Rc::make_mut(&mut self.log);
        let old = match value {
            Some(value) => log.insert(seq, value),
            None => log.remove(&seq),
        };
        self.account(added, old.map_or(0, |old| old.len()));
    }

    /// The values of a store, by name.
    pub fn values(&self, store: Store) -> impl DoubleEndedIterator<Item = (&[u8], &Value)> {
        let [main, backup, cache] = &self.stores;
        let values = match store {
            Store::Main => main,
            Store::Backup => backup,
            Store::Cache => cache,
        };
        values.iter().map(|(name, value)| (&**name, value))
    }

    /// The value of this name.
    #[must_use]
    pub fn value(&self, store: Store, name: &[u8]) -> Option<&Value> {
        let [main, backup, cache] = &self.stores;
        match store {
            Store::Main => main.get(name),
            Store::Backup => backup.get(name),
            Store::Cache => cache.get(name),
        }
    }

    /// Sets the value of a name, or takes it away.
    pub fn set_value(&mut self, store: Store, name: &[u8], value: Option<Value>) {
        let added = value.as_ref().map_or(0, |value| value.len() + name.len());
        let values = self.values_mut(store);
        let old = match value {
            Some(value) => values.insert(name.into(), value),
            None => values.remove(name),
        };
        self.account(added, old.map_or(0, |old| old.len() + name.len()));
    }

    /// Bytes of all names and values.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// [`Storage::read_log`] on this state.
    #[must_use]
    pub fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> Tail {
        let bytes = |value: &Value| value.as_ref().clone();
        let records = after.map_or(self.log.from(&CommitSeq::new(0)), |after| self.log.from(&after.next()));
        Tail {
            head: self.head.as_ref().map(bytes),
            manifest: self.manifest.as_ref().filter(|_| manifest).map(bytes),
            records: records.iter().map(|(seq, value)| LogRecord { seq: *seq, bytes: bytes(value) }).collect(),
        }
    }

    /// [`Storage::get`] on this state.
    #[must_use]
    pub fn get(&self, store: Store, names: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
        names.iter().map(|name| self.value(store, name).map(|value| value.as_ref().clone())).collect()
    }

    /// [`Storage::append`] on this state.
    pub fn append(&mut self, append: Append) -> Applied {
        if self.head.as_deref() != append.expected_head.as_ref() && !planted(Bug::HeadCheckDropped) {
            return Applied::Refused;
        }
        self.set_register(Register::Head, Some(Rc::new(append.head)));
        self.set_record(append.record.seq, Some(Rc::new(append.record.bytes)));
        Applied::Done
    }

    /// [`Storage::apply`] on this state.
    pub fn apply(&mut self, batch: Batch) -> Applied {
        if let Some(expected) = &batch.expected_manifest
            && self.manifest.as_deref() != expected.as_ref()
            && !planted(Bug::ManifestCheckDropped)
        {
            return Applied::Refused;
        }
        for (store, range) in &batch.deletes {
            self.delete_range(*store, range);
        }
        for (store, name, bytes) in batch.puts {
            self.set_value(store, &name, Some(Rc::new(bytes)));
        }
        if let Some(manifest) = batch.manifest {
            self.set_register(Register::Manifest, Some(Rc::new(manifest)));
        }
        if let Some(upto) = batch.trim {
            let trimmed = Rc::make_mut(&mut self.log).take(&CommitSeq::new(0), Some(&upto.next()));
            let freed = trimmed.map(|(_, value)| value.len()).sum();
            self.account(0, freed);
        }
        Applied::Done
    }

    fn delete_range(&mut self, store: Store, range: &NameRange) {
        let deleted = self.values_mut(store).take(range.start.as_slice(), range.end.as_deref());
        let freed = deleted.map(|(name, value)| name.len() + value.len()).sum();
        self.account(0, freed);
    }

    fn values_mut(&mut self, store: Store) -> &mut Values {
        let [main, backup, cache] = &mut self.stores;
        Rc::make_mut(match store {
            Store::Main => main,
            Store::Backup => backup,
            Store::Cache => cache,
        })
    }

    fn account(&mut self, added: usize, removed: usize) {
        self.size_bytes = self.size_bytes.saturating_add(added).saturating_sub(removed);
    }
}

/// A connection to a database in memory. A clone is another connection to the same database.
///
/// ```
/// use hyphadb::storage::memory::Memory;
/// let first_tab = Memory::new();
/// let second_tab = first_tab.clone();
/// # let _ = second_tab;
/// ```
#[derive(Debug, Default)]
pub struct Memory {
    contents: Rc<RefCell<Contents>>,
    closed: Cell<bool>,
}

impl Memory {
    /// A connection to a new, empty database.
    #[must_use]
    pub fn new() -> Self {
        Memory::default()
    }

    /// A connection to a database with these contents.
    #[must_use]
    pub fn with_contents(contents: Contents) -> Self {
        Memory { contents: Rc::new(RefCell::new(contents)), closed: Cell::new(false) }
    }

    /// A picture of the present state.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.contents.borrow().clone()
    }

    fn check_open(&self) -> StorageResult<()> {
        if self.closed.get() {
            return Err(StorageError::not_applied(Failure::Closed, "the storage was closed"));
        }
        Ok(())
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Memory { contents: Rc::clone(&self.contents), closed: Cell::new(false) }
    }
}

impl Storage for Memory {
    async fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> StorageResult<Tail> {
        self.check_open()?;
        Ok(self.contents.borrow().read_log(after, manifest))
    }

    async fn append(&self, append: Append) -> StorageResult<Applied> {
        self.check_open()?;
        Ok(self.contents.borrow_mut().append(append))
    }

    async fn get(&self, store: Store, names: &[Vec<u8>]) -> StorageResult<Vec<Option<Vec<u8>>>> {
        self.check_open()?;
        Ok(self.contents.borrow().get(store, names))
    }

    async fn apply(&self, batch: Batch) -> StorageResult<Applied> {
        self.check_open()?;
        Ok(self.contents.borrow_mut().apply(batch))
    }

    async fn close(&self) {
        self.closed.set(true);
    }
}
