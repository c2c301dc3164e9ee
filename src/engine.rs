//! The engine: one ordered key space over a storage of bytes, with snapshots and serialisable transactions.
//!
//! Not aware of JavaScript, sessions or HTTP. Every context (tab, worker) that has the database open runs an engine of
//! its own; they are equal, and meet only in the storage.
//!
//! # How it works
//!
//! A commit is one guarded append to the shared log ([`commit`](self)); the newest state is the memtable; when that has
//! grown, a checkpoint writes it as a segment and trims the log; compaction merges segments. Opening reads the manifest
//! and the log, and no block.
//!
//! # Invariants
//!
//! - The log in the storage is the truth. Memory is never ahead of it: what a reader sees was acknowledged by the
//!   storage, or was read from it.
//! - A state is immutable; a change makes a new one and swaps it in without an await between.
//! - No borrow of a cell lives across an await.
//! - After an answer that may have been lost, the log is read before anything is said of the commit.

use crate::env::timeout::timeout;
use crate::env::{Env, random_id};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{COLUMN_BYTES_MAX, SORT_BYTES_MAX};
use crate::storage::{CommitSeq, Durability, Failure, Storage, StorageError, StorageResult};
use block_cache::BlockCache;
use columns::ColumnCache;
use commit::Queue;
use core::cell::{Cell, RefCell};
use core::future::Future;
use extents::Extents;
use fetches::Fetches;
use format::Head;
use manifest::{Manifest, SegmentId, SegmentMeta};
use memtable::Memtable;
use preload::Preloading;
use recent::Recent;
use run::Run;
use std::rc::{Rc, Weak};

mod block_cache;
mod blocks;
pub mod catalog;
mod catch_up;
mod checkpoint;
mod columns;
mod commit;
mod compact;
mod digits;
pub mod estimate;
mod extents;
mod fetches;
mod figures;
mod filter;
mod flip;
pub mod format;
mod frame;
mod heads;
pub mod index;
mod log;
mod lookup;
mod maintain;
pub mod manifest;
pub mod memtable;
pub mod merge;
mod output;
mod packed;
mod places;
mod preload;
mod read_set;
mod recent;
pub mod record;
mod recovery;
pub mod run;
mod segment;
pub mod slice;
pub mod snapshot;
mod space;
mod text;
pub mod transaction;
mod unpacked;
pub mod unsorted;
mod waiter;
mod weave;
mod write_set;

pub use crate::value::{Direction, KeyRange};
pub(crate) use columns::{Columns, Next, Open};
pub use commit::Committed;
pub use estimate::Estimates;
pub use figures::Figures;
pub use frame::DatabaseId;
pub use slice::Slice;
pub use snapshot::{Scan, ScanStep, Snapshot};
pub use transaction::{Transaction, TransactionScan};

/// What a program remembers of a database in a place that does not fail together with its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which database it was.
    pub database: DatabaseId,
    /// The newest commit that had survived power loss then: [`Figures::durable_seq`].
    pub seq: CommitSeq,
}

/// Sizes and times that a program may choose. The defaults were chosen for a browser.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// A checkpoint is due when the memtable holds more bytes than this.
    pub memtable_bytes: usize,
    /// Bytes of a block before compression.
    pub block_bytes: usize,
    /// Bytes of an extent, as stored: a value of the storage, which holds several blocks.
    pub extent_bytes: usize,
    /// Bytes of a segment, as stored; a compaction begins a new one beyond.
    pub segment_bytes: u64,
    /// A compaction is due when the first level has this many segments; three times as many while commits come in.
    pub level0_segments: usize,
    /// How long after a commit, or after a read that had to wait for a block, compaction waits.
    pub quiet_ms: f64,
    /// Bytes that level 1 may hold, as stored; each deeper level ten times the one above.
    pub level1_bytes: u64,
    /// Bytes of blocks kept in memory: a quarter of it as stored, the rest unpacked.
    pub cache_bytes: usize,
    /// Bytes of columns kept in memory; none are made where it is 0.
    pub column_bytes: usize,
    /// Bytes of documents, keys and sort keys that one sort may keep until it can give out the first.
    pub sort_bytes: usize,
    /// Whether all blocks are brought into memory behind the first read of one, where the cache has room for them.
    pub preload: bool,
    /// Bytes of recent commits kept for validation while transactions are under way.
    pub recent_bytes: usize,
    /// How long a segment that is out of use is kept for other contexts' snapshots.
    pub retire_ms: i64,
    /// Bytes that one write of background work may carry.
    pub batch_bytes: usize,
    /// About how many bytes of the log one transaction trims.
    pub trim_bytes: usize,
    /// How long background work may hold the thread before it gives others a turn.
    pub slice_ms: f64,
    /// How long a storage call may take.
    pub deadline_ms: u32,
    /// Bytes of the reserve record, given up when the quota is used up.
    pub reserve_bytes: usize,
    /// How long a commit waits for room on a full disk when it deletes, or when something was deleted so recently.
    pub room_ms: u32,
    /// What must be found at opening: an emptier or older storage gives `lost`, not a new database.
    pub mark: Option<Mark>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            memtable_bytes: 4 * 1024 * 1024,
            block_bytes: 32 * 1024,
            // Browsers keep values above 64 KiB as files of their own: written and read at twice the speed of smaller
            // ones, and their space is free as soon as they are deleted.
            extent_bytes: 512 * 1024,
            segment_bytes: 2 * 1024 * 1024,
            level0_segments: 4,
            quiet_ms: 150.0,
            level1_bytes: 32 * 1024 * 1024,
            cache_bytes: 64 * 1024 * 1024,
            column_bytes: COLUMN_BYTES_MAX,
            sort_bytes: SORT_BYTES_MAX,
            preload: true,
            recent_bytes: 16 * 1024 * 1024,
            retire_ms: 60_000,
            batch_bytes: 1024 * 1024,
            // LevelDB writes down what a larger transaction deletes, so the files grow to twice the data, and commits wait:
            // 90 ms for 4 MiB at once, 11 to 29 ms in parts.
            trim_bytes: 256 * 1024,
            slice_ms: 8.0,
            deadline_ms: 10_000,
            // Just so large that browsers keep it as a file of its own, whose space is free as soon as it is deleted.
            reserve_bytes: 1280 * 1024,
            room_ms: 15_000,
            mark: None,
        }
    }
}

/// What happened, for listeners: a commit took effect in this context's view.
#[derive(Clone, Debug)]
pub struct CommitEvent {
    /// The newest commit now.
    pub seq: CommitSeq,
    /// Whether this context wrote it.
    pub is_own: bool,
    /// What it wrote; `None` when several commits were skipped over and anything may have changed.
    pub run: Option<Run>,
}

/// One immutable state of the database, as this context knows it.
#[derive(Debug)]
pub(crate) struct State {
    head: Head,
    head_bytes: Vec<u8>,
    manifest: Rc<Manifest>,
    /// As stored; none where there is no manifest yet.
    manifest_bytes: Option<Rc<Vec<u8>>>,
    /// The resident keys as of the checkpoint.
    pinned: Run,
    memtable: Memtable,
}

/// Whether other contexts may read this database too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Company {
    /// They may: what they read is kept for them a while.
    #[default]
    Others,
    /// None does, as far as the browser knows. Where it is wrong, a read of theirs fails with `conflict`, and a new
    /// snapshot reads right.
    Alone,
}

/// How full the disk is, as far as failed writes told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    None,
    /// A write failed for the quota; since then nothing was deleted that could be reclaimed.
    Full,
    /// A write failed for the quota, and something was deleted since: reclaiming its space is due.
    Reclaimable,
}

type Listener = Rc<dyn Fn(&CommitEvent)>;

/// What all handles of one engine share.
pub(crate) struct Inner<S: Storage> {
    storage: S,
    env: Rc<dyn Env>,
    options: Options,
    state: RefCell<Rc<State>>,
    recent: RefCell<Recent>,
    cache: RefCell<BlockCache>,
    columns: RefCell<ColumnCache>,
    extents: RefCell<Extents>,
    fetches: Fetches,
    preloading: Preloading,
    queue: RefCell<Queue<S>>,
    listeners: RefCell<Vec<Listener>>,
    /// The record that this engine is writing now.
    in_flight: Cell<Option<record::CommitId>>,
    /// The last record found in the log that carried the id of `in_flight`.
    found: Cell<Option<CommitSeq>>,
    /// The newest commit that is known to survive power loss.
    durable: Cell<CommitSeq>,
    /// How large the memtable may grow before this context looks for another's checkpoint.
    relieve_at_bytes: Cell<usize>,
    /// About how many bytes of the log no segment holds, as stored.
    log_bytes: Cell<usize>,
    background: Cell<bool>,
    /// Blocks of writers that died may lie about: the next flip deletes them.
    sweep_due: Cell<bool>,
    pressure: Cell<Pressure>,
    company: Cell<Company>,
    /// When this engine last committed.
    busy_ms: Cell<f64>,
    /// Segments that this engine's compactions have replaced: alive while one of its snapshots reads them.
    replaced: RefCell<Vec<(SegmentId, Weak<SegmentMeta>)>>,
    /// Until when space that was given back may not be free yet.
    room_until_ms: Cell<f64>,
    /// Whether this engine has seen to the reserve record.
    has_reserve: Cell<bool>,
    is_closed: Cell<bool>,
    /// Why no call can succeed any more.
    latched: RefCell<Option<Error>>,
    grouped_commits: Cell<u64>,
    appends: Cell<u64>,
}

/// A database, opened in this context. Cloning gives another handle of the same engine.
pub struct Engine<S: Storage> {
    inner: Rc<Inner<S>>,
}

impl<S: Storage> Clone for Engine<S> {
    fn clone(&self) -> Self {
        Engine { inner: Rc::clone(&self.inner) }
    }
}

impl<S: Storage> Engine<S> {
    /// Opens the database in this storage; creates it where the storage is empty.
    ///
    /// # Errors
    /// `corrupt`, `lost` or `unsupported` for what is stored; `unavailable` when the storage does not answer.
    pub async fn open(storage: S, env: Rc<dyn Env>, options: Options) -> Result<Self> {
        let inner = recovery::open(storage, env, options).await?;
        Ok(Engine { inner: Rc::new(inner) })
    }

    /// The newest state known here.
    ///
    /// # Errors
    /// `closed` after [`Engine::close`]; `lost` or `corrupt` once that was found.
    pub fn snapshot(&self) -> Result<Snapshot<S>> {
        self.inner.check_open()?;
        Ok(Snapshot { inner: Rc::clone(&self.inner), state: self.inner.state() })
    }

    /// Begins a transaction on the newest state known here.
    ///
    /// # Errors
    /// As [`Engine::snapshot`].
    pub fn begin(&self) -> Result<Transaction<S>> {
        self.inner.check_open()?;
        Ok(Transaction::new(&self.inner, self.inner.state()))
    }

    /// Commits a transaction; one that wrote nothing always succeeds.
    ///
    /// # Errors
    /// `conflict`: run it again; `limit`: the quota is used up, nothing was written; `unavailable` with
    /// `details.outcome` telling whether it is `not committed` or `unknown`; `unsupported`: this version may only read.
    pub async fn commit(&self, transaction: Transaction<S>, durability: Durability) -> Result<Committed> {
        self.inner.check_open()?;
        self.inner.commit(transaction.finish(), durability).await
    }

    /// Looks for commits of other contexts; answers whether there was something new.
    ///
    /// # Errors
    /// `lost` when the database was wiped or rolled back, `corrupt`, or the storage's failure.
    pub async fn catch_up(&self) -> Result<bool> {
        self.inner.check_open()?;
        let has_news = self.inner.catch_up().await?;
        self.inner.relieve().await;
        Ok(has_news)
    }

    /// Writes the memtable as a segment and trims the log. Answers `false` when there was nothing to write, or when
    /// background work is under way already.
    ///
    /// # Errors
    /// The storage's failure; nothing is lost then.
    pub async fn checkpoint(&self) -> Result<bool> {
        self.inner.check_open()?;
        self.inner.checkpoint().await
    }

    /// Merges segments where that is due; one compaction. Answers whether one was done.
    ///
    /// # Errors
    /// `corrupt` when a block is damaged (its segment stays in place), or the storage's failure.
    pub async fn compact(&self) -> Result<bool> {
        self.inner.check_open()?;
        self.inner.compact().await
    }

    /// Whether a checkpoint or a compaction is due.
    #[must_use]
    pub fn is_maintenance_due(&self) -> bool {
        self.inner.is_maintenance_due()
    }

    /// Does what is due, in slices of [`Options::slice_ms`]. Answers whether more is left.
    ///
    /// # Errors
    /// As [`Engine::checkpoint`] and [`Engine::compact`].
    pub async fn maintain(&self) -> Result<bool> {
        self.inner.check_open()?;
        self.inner.maintain().await?;
        Ok(self.is_maintenance_due())
    }

    /// Whether [`Engine::preload`] has something to do: a read had to wait for a block, and all of them have room.
    #[must_use]
    pub fn is_preload_due(&self) -> bool {
        self.inner.is_preload_due()
    }

    /// Brings all blocks into memory, giving others a turn again and again. Whatever goes wrong, the reads that come upon
    /// it tell.
    pub async fn preload(&self) {
        self.inner.preload().await;
    }

    /// Says whether others may read this database too: alone, segments that are out of use are deleted at once.
    pub fn note_company(&self, company: Company) {
        self.inner.company.set(company);
    }

    /// Calls this after each commit that becomes visible here, own or not. The listener must only take note.
    pub fn on_commit(&self, listener: impl Fn(&CommitEvent) + 'static) {
        self.inner.listeners.borrow_mut().push(Rc::new(listener));
    }

    /// Time and chance, as the engine has them.
    #[must_use]
    pub fn env(&self) -> &Rc<dyn Env> {
        &self.inner.env
    }

    /// The database's identity.
    #[must_use]
    pub fn database(&self) -> DatabaseId {
        self.inner.state().head.database
    }

    /// Numbers for people and tests.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.inner.figures()
    }

    /// Waits for the commits under way, then closes the storage. Every later call fails with `closed`.
    pub async fn close(&self) {
        if !self.inner.is_closed.replace(true) {
            self.inner.storage.close().await;
        }
    }
}

impl State {
    /// The same state, to make the next one of.
    fn duplicate(&self) -> State {
        State {
            head: self.head.clone(),
            head_bytes: self.head_bytes.clone(),
            manifest: Rc::clone(&self.manifest),
            manifest_bytes: self.manifest_bytes.clone(),
            pinned: self.pinned.clone(),
            memtable: self.memtable.clone(),
        }
    }
}

impl<S: Storage> Inner<S> {
    fn state(&self) -> Rc<State> {
        Rc::clone(&self.state.borrow())
    }

    fn check_open(&self) -> Result<()> {
        if self.is_closed.get() {
            return Err(Error::new(ErrorKind::Closed, "the database is closed"));
        }
        match &*self.latched.borrow() {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// No call will succeed any more: what is known in memory is not what is stored.
    fn latch(&self, error: Error) -> Error {
        self.latched.borrow_mut().get_or_insert(error).clone()
    }

    /// A storage call with a deadline. After the deadline its outcome is unknown.
    async fn call<T>(&self, work: impl Future<Output = StorageResult<T>>) -> StorageResult<T> {
        match timeout(&*self.env, self.options.deadline_ms, work).await {
            Ok(result) => result,
            Err(_) => Err(StorageError::unknown(Failure::Timeout, "the storage did not answer in time")),
        }
    }

    /// A read, tried again where that may help.
    async fn read<T>(&self, mut work: impl AsyncFnMut() -> StorageResult<T>) -> Result<T> {
        let mut attempt = 0;
        loop {
            match self.call(work()).await {
                Ok(value) => return Ok(value),
                Err(error) if attempt < log::ATTEMPTS && log::may_help(error.failure) => {
                    attempt += 1;
                    self.env.sleep(log::backoff_ms(attempt)).await;
                }
                Err(error) => {
                    let outcome = StorageError { outcome: crate::storage::Outcome::NotApplied, ..error };
                    return Err(outcome.into());
                }
            }
        }
    }

    fn notify(&self, event: &CommitEvent) {
        let listeners = self.listeners.borrow().clone();
        for listener in listeners {
            listener(event);
        }
    }

    fn random_id(&self) -> [u8; 16] {
        random_id(&*self.env)
    }
}
