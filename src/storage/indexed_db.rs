//! A storage on IndexedDB: the default disk of a browser. [JS]
//!
//! Not a general wrapper: rexie deletes databases. What else the contract of [`Storage`] needs it hides (the durability
//! hint, `commit()`, the `abort` event with its reason, a connection that was opened outside), so that is driven on
//! web-sys, in `connection` and `transaction`. Nothing here judges bytes: checksums are the engine's.
//!
//! Invariants:
//! - The IndexedDB version is 1 for ever: a frozen tab would stall an upgrade without any event.
//! - One call is one IndexedDB transaction, and nothing is awaited inside it: every step runs in the `success` event of
//!   the step before (`reads`, `writes`). Guards are compared inside the transaction that writes.
//! - An acknowledged write has had its `complete` event.
//! - No event handler outlives its transaction or its connection.

mod chromium;
mod connection;
mod layout;
mod reads;
mod transaction;
mod writes;

use self::connection::Connection;
use self::transaction::{Access, run};
use self::writes::{Pace, Plan};
use super::{
    Append, Applied, Batch, CommitSeq, Durability, Failure, Storage, StorageError, StorageResult, Store, Tail,
};
use crate::env::Env;
use crate::env::timeout::timeout;
use crate::planted::{Bug, planted};
use core::cell::{Cell, RefCell};
use js_sys::Array;
use rexie::Rexie;
use std::rc::Rc;
use web_sys::IdbDatabase;

/// The object store that holds the log and the registers.
const LOG: &str = "log";

/// Names and patience of an [`IndexedDb`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexedDbOptions {
    /// The database's name, one per origin.
    pub name: String,
    /// The object store of [`Store::Main`].
    pub main: String,
    /// The object store of [`Store::Backup`].
    pub backup: String,
    /// The object store of [`Store::Cache`].
    pub cache: String,
    /// How long one attempt to open or delete may take.
    pub open_deadline_ms: u32,
    /// How long one transaction may take, waiting for its turn included; then it is aborted.
    pub transaction_deadline_ms: u32,
}

impl IndexedDbOptions {
    /// The usual object stores and deadlines.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        IndexedDbOptions {
            name: name.into(),
            main: "main".to_owned(),
            backup: "backup".to_owned(),
            cache: "cache".to_owned(),
            open_deadline_ms: 10_000,
            transaction_deadline_ms: 8_000,
        }
    }

    fn store(&self, store: Store) -> &str {
        match store {
            Store::Main => &self.main,
            Store::Backup => &self.backup,
            Store::Cache => &self.cache,
        }
    }

    /// All object stores, the log's last.
    fn stores(&self) -> [&str; 4] {
        [&self.main, &self.backup, &self.cache, LOG]
    }

    fn check(&self) -> StorageResult<()> {
        let names = self.stores();
        if names.iter().all(|name| names.iter().filter(|other| *other == name).count() == 1) {
            return Ok(());
        }
        let message = format!("object stores need four different names, got `{}`", names.join("`, `"));
        Err(StorageError::not_applied(Failure::Unavailable, message))
    }
}

/// What the browser did to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionEvent {
    /// It was closed by force, or stopped answering; the next call connects anew.
    Lost,
    /// A new connection stands in for a lost one.
    Reopened,
    /// Another context deletes the database; this connection gave way and stays closed.
    Deleted,
}

impl ConnectionEvent {
    /// The name that users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ConnectionEvent::Lost => "lost",
            ConnectionEvent::Reopened => "reopened",
            ConnectionEvent::Deleted => "deleted",
        }
    }
}

/// How the database was found when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was there.
    Existing,
    /// It was not there, as far as the browser says.
    Absent,
    /// The browser lost it, and says so (`dataLoss`, Chromium only): its words.
    Wiped(String),
}

/// Closes all connections of this instance, after a panic: transactions under way end by themselves.
pub fn abandon() {
    connection::abandon();
}

/// What was done about a database while the wasm was on its way.
pub struct HeadStart {
    /// An open connection to it.
    pub database: IdbDatabase,
    /// All keys of the object store `log`, and the values of these keys: read in one transaction.
    pub log: [Array; 2],
}

/// A database in IndexedDB. Clones share one connection.
#[derive(Clone)]
pub struct IndexedDb {
    connection: Rc<Connection>,
    pace: Pace,
    /// The log as a head start has read it, for the first reading.
    read_ahead: Rc<RefCell<Option<[Array; 2]>>>,
    /// Bytes appended in small values since the browser was last asked to tidy up.
    untidy_bytes: Rc<Cell<usize>>,
}

impl IndexedDb {
    /// Opens the database, and creates it where it is not there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] where there is no IndexedDB or it refuses, [`Failure::Timeout`] when it does not answer
    /// (a frozen tab may be in the way), [`Failure::Damaged`] when the database is not one of ours,
    /// [`Failure::Newer`] when its IndexedDB version is not 1.
    pub async fn open(options: IndexedDbOptions, env: Rc<dyn Env>) -> StorageResult<IndexedDb> {
        options.check()?;
        let connection = Connection::new(options, env);
        connection.handle().await?;
        Ok(IndexedDb::on(connection, None))
    }

    /// Goes on from a head start; `None` where it led to another program's database. Its log answers the first reading of
    /// everything, so the caller must have begun it after every commit that it wants to see.
    #[must_use]
    pub fn adopt(options: IndexedDbOptions, env: Rc<dyn Env>, head_start: HeadStart) -> Option<IndexedDb> {
        options.check().ok()?;
        let connection = Connection::new(options, env);
        let is_ours = connection.adopt(head_start.database);
        is_ours.then(|| IndexedDb::on(connection, Some(head_start.log)))
    }

    fn on(connection: Rc<Connection>, log: Option<[Array; 2]>) -> IndexedDb {
        let read_ahead = Rc::new(RefCell::new(log));
        IndexedDb { connection, pace: Pace::of_this_browser(), read_ahead, untidy_bytes: Rc::default() }
    }

    /// How the last connection found the database.
    #[must_use]
    pub fn found(&self) -> Found {
        self.connection.found()
    }

    /// Calls `listener` on every [`ConnectionEvent`], from inside an event of the browser: it must not call back.
    pub fn on_event(&self, listener: impl Fn(ConnectionEvent) + 'static) {
        self.connection.on_event(Rc::new(listener));
    }

    /// Deletes a database; one that is not there counts as deleted.
    ///
    /// # Errors
    /// [`Failure::Timeout`] when another context holds it open and does not give way: it is then deleted as soon as
    /// that context closes it.
    pub async fn delete(name: &str, deadline_ms: u32, env: &dyn Env) -> StorageResult<()> {
        let owned = name.to_owned();
        // Detached, so that the browser's late answer finds its handlers in place.
        let deletion = transaction::detached(async move { Rexie::delete(&owned).await });
        match timeout(env, deadline_ms, deletion).await {
            Ok(Some(Ok(()))) => Ok(()),
            Ok(Some(Err(error))) => Err(connection::from_rexie(&error)),
            Ok(None) => Err(StorageError::unknown(Failure::Unavailable, "indexeddb gave no answer to a deletion")),
            Err(_) => {
                let message =
                    format!("`{name}` is not deleted after {deadline_ms} ms: another tab or worker holds it open");
                Err(StorageError::unknown(Failure::Timeout, message))
            }
        }
    }
}

impl Storage for IndexedDb {
    async fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> StorageResult<Tail> {
        let call = self.connection.call()?;
        // Whatever is asked first, what was read ahead is soon out of date.
        let read_ahead = self.read_ahead.take();
        if let (Some([keys, values]), None, true) = (read_ahead, after, manifest) {
            return Ok(reads::tail_of(&keys, &values));
        }
        run(&call, Access::Read(&[LOG]), |objects| reads::read_log(objects, after, manifest)).await
    }

    async fn append(&self, append: Append) -> StorageResult<Applied> {
        let call = self.connection.call()?;
        let scope = [LOG, call.options().store(writes::TURNS)];
        let access = Access::Write(&scope, effective(append.durability));
        if layout::is_cut(&append.record) {
            self.untidy_bytes.set(self.untidy_bytes.get() + append.record.bytes.len());
        }
        let plan = Plan::append(append, self.pace)?;
        let result = run(&call, access, |objects| writes::write(objects, plan)).await;
        if self.pace == Pace::Together && matches!(&result, Err(error) if error.failure == Failure::Quota) {
            chromium::tidy_up(&call.options().name, call.env()).await;
        }
        result
    }

    async fn get(&self, store: Store, names: &[Vec<u8>]) -> StorageResult<Vec<Option<Vec<u8>>>> {
        let call = self.connection.call()?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let object = call.options().store(store);
        run(&call, Access::Read(&[object]), |objects| reads::get_named(objects, object, names)).await
    }

    async fn apply(&self, batch: Batch) -> StorageResult<Applied> {
        let call = self.connection.call()?;
        let scope = writes::scope_of(&batch, call.options());
        if scope.is_empty() {
            return Ok(Applied::Done);
        }
        let durability = effective(batch.durability);
        let frees = batch.only_deletes() && batch.expected_manifest.is_none();
        let access = if frees { Access::Free(&scope, durability) } else { Access::Write(&scope, durability) };
        let has_trim = batch.trim.is_some();
        let plan = Plan::batch(batch, call.options(), self.pace)?;
        let result = run(&call, access, |objects| writes::write(objects, plan)).await;
        if self.pace == Pace::Together && has_trim && self.untidy_bytes.get() > chromium::UNTIDY_BYTES_MAX {
            self.untidy_bytes.set(0);
            chromium::tidy_up(&call.options().name, call.env()).await;
        }
        result
    }

    async fn close(&self) {
        self.connection.close().await;
    }
}

fn effective(durability: Durability) -> Durability {
    if planted(Bug::StrictIgnored) { Durability::Relaxed } else { durability }
}
