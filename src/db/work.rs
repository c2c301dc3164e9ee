//! Work: one transaction together with the catalog of its snapshot; and readers, of a transaction or of a snapshot.
//!
//! Not retried here: `db/run.rs` does that for calls that commit by themselves.
//!
//! Invariants: the catalog is that of the transaction's snapshot, but for parts that only ever grow; a collection that
//! was touched is in the read set, so that a change of its indexes by another is noticed at the commit.

use super::shared::Shared;
use super::told::Told;
use crate::engine::catalog::{Catalog, Collection};
use crate::engine::{Direction, Estimates, KeyRange, Scan, ScanStep, Slice, Snapshot, Transaction, TransactionScan};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use core::cell::RefCell;
use std::rc::Rc;

/// See the module.
pub(crate) struct Work<S: Storage> {
    pub(crate) shared: Rc<Shared<S>>,
    transaction: Rc<Transaction<S>>,
    // None where the catalog as known was out of date: it is loaded at first use.
    catalog: RefCell<Option<Rc<Catalog>>>,
    // A statement failed after it had begun to write: nothing of this may be committed.
    failed: RefCell<Option<Error>>,
    /// What was written while someone wanted to know.
    pub(crate) told: Told,
}

impl<S: Storage> Work<S> {
    /// Begins on the newest state known here.
    pub(crate) fn begin(shared: &Rc<Shared<S>>) -> Result<Self> {
        let transaction = shared.engine.begin()?;
        Ok(Work {
            shared: Rc::clone(shared),
            transaction: Rc::new(transaction),
            catalog: RefCell::new(shared.known_catalog()),
            failed: RefCell::default(),
            told: Told::default(),
        })
    }

    /// The transaction, to read and write.
    pub(crate) fn transaction(&self) -> &Transaction<S> {
        &self.transaction
    }

    /// Reads what the transaction reads.
    pub(crate) fn reader(&self) -> Reader<S> {
        Reader::Transaction(Rc::clone(&self.transaction))
    }

    /// The catalog of the snapshot.
    pub(crate) async fn catalog(&self) -> Result<Rc<Catalog>> {
        if let Some(catalog) = &*self.catalog.borrow() {
            return Ok(Rc::clone(catalog));
        }
        let snapshot = self.transaction.snapshot();
        let catalog = Rc::new(load_catalog(snapshot).await?);
        self.shared.offer(&catalog, snapshot.seq())?;
        *self.catalog.borrow_mut() = Some(Rc::clone(&catalog));
        Ok(catalog)
    }

    /// Takes in what was defined since, where it only grows.
    pub(crate) async fn grow_catalog(&self, newer: &Catalog) -> Result<()> {
        let grown = self.catalog().await?.grown(newer);
        *self.catalog.borrow_mut() = Some(Rc::new(grown));
        Ok(())
    }

    /// A collection, which becomes part of the read set.
    pub(crate) async fn collection(&self, name: &str) -> Result<Rc<Collection>> {
        if let Some(error) = &*self.failed.borrow() {
            return Err(error.clone());
        }
        let catalog = self.catalog().await?;
        let collection = catalog.collection(name).ok_or_else(|| no_collection(name))?;
        self.transaction.depend_on(&collection.id.record_key());
        Ok(Rc::clone(collection))
    }

    /// Nothing of this may be committed any more.
    pub(crate) fn fail(&self, error: &Error) {
        let failed = Error::new(error.kind(), format!("the transaction failed: {error}"));
        let failed = failed.with_hint("roll it back and run it again");
        self.failed.borrow_mut().get_or_insert(failed);
    }

    /// The transaction, to be committed.
    pub(crate) fn finish(self) -> Result<Transaction<S>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        Rc::try_unwrap(self.transaction).map_err(|_| {
            let error = Error::invalid("the transaction still has requests under way");
            error.with_hint("await every call before the transaction ends")
        })
    }
}

/// The error for a collection that is not there.
pub(crate) fn no_collection(name: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("collection `{name}` does not exist"));
    error.with_hint("name it in `collections` when opening the database").with_detail("collection", name)
}

/// Reads the whole catalog of a snapshot.
pub(crate) async fn load_catalog<S: Storage>(snapshot: &Snapshot<S>) -> Result<Catalog> {
    let mut catalog = Catalog::new();
    let range = KeyRange::prefix(&[crate::engine::format::SPACE_CATALOG]);
    let mut scan = snapshot.scan(range, Direction::Ascending);
    while let Some((key, value)) = scan.next().await? {
        catalog.apply(&key, Some(&value))?;
    }
    Ok(catalog)
}

/// Where documents are read from.
pub(crate) enum Reader<S: Storage> {
    /// What was committed.
    Snapshot(Snapshot<S>),
    /// The same, and what the transaction wrote; reads are part of its read set.
    Transaction(Rc<Transaction<S>>),
}

impl<S: Storage> Clone for Reader<S> {
    fn clone(&self) -> Self {
        match self {
            Reader::Snapshot(snapshot) => Reader::Snapshot(snapshot.clone()),
            Reader::Transaction(transaction) => Reader::Transaction(Rc::clone(transaction)),
        }
    }
}

impl<S: Storage> Reader<S> {
    /// What was committed, without what a transaction wrote.
    pub(crate) fn snapshot(&self) -> &Snapshot<S> {
        match self {
            Reader::Snapshot(snapshot) => snapshot,
            Reader::Transaction(transaction) => transaction.snapshot(),
        }
    }

    /// The value of a key.
    pub(crate) async fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        match self {
            Reader::Snapshot(snapshot) => snapshot.get(key).await,
            Reader::Transaction(transaction) => transaction.get(key).await,
        }
    }

    /// The values of keys, in the order of the keys.
    pub(crate) async fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Slice>>> {
        match self {
            Reader::Snapshot(snapshot) => snapshot.get_many(keys).await,
            Reader::Transaction(transaction) => transaction.get_many(keys).await,
        }
    }

    /// What tells roughly how much a collection holds, without what a transaction wrote.
    pub(crate) async fn estimates(&self, collection: &Collection) -> Estimates<S> {
        let mut within = vec![KeyRange::prefix(&collection.id.documents())];
        within.extend(collection.indexes.iter().map(|index| KeyRange::prefix(&collection.id.index_entries(index.id))));
        match self {
            Reader::Snapshot(snapshot) => snapshot.estimates(&within).await,
            Reader::Transaction(transaction) => transaction.snapshot().estimates(&within).await,
        }
    }

    /// The entries of a range.
    pub(crate) fn scan(&self, range: KeyRange, direction: Direction) -> ReaderScan<S> {
        match self {
            Reader::Snapshot(snapshot) => ReaderScan::Snapshot(snapshot.scan(range, direction)),
            Reader::Transaction(transaction) => ReaderScan::Transaction(transaction.scan(range, direction)),
        }
    }
}

/// The entries of a range, one after the other.
pub(crate) enum ReaderScan<S: Storage> {
    Snapshot(Scan<S>),
    Transaction(TransactionScan<S>),
}

impl<S: Storage> ReaderScan<S> {
    /// Goes to the next entry, if it is in memory.
    pub(crate) fn step(&mut self) -> ScanStep {
        match self {
            ReaderScan::Snapshot(scan) => scan.step(),
            ReaderScan::Transaction(scan) => scan.step(),
        }
    }

    /// The entries beneath: the last step's is to be had from them.
    pub(crate) const fn scan(&self) -> &Scan<S> {
        match self {
            ReaderScan::Snapshot(scan) => scan,
            ReaderScan::Transaction(scan) => scan.scan(),
        }
    }

    /// Goes to the next entry.
    pub(crate) async fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        match self {
            ReaderScan::Snapshot(scan) => scan.next().await,
            ReaderScan::Transaction(scan) => scan.next().await,
        }
    }

    /// Fetches what the last step needed.
    pub(crate) async fn fill(&mut self) -> Result<()> {
        match self {
            ReaderScan::Snapshot(scan) => scan.fill().await,
            ReaderScan::Transaction(scan) => scan.fill().await,
        }
    }
}
