//! The seam of bytes: what the engine needs of a disk, and nothing more.
//!
//! Not a key-value API for users, and not aware of documents, formats or checksums: every value here is opaque. What
//! the bytes mean is said in `engine/format.rs`.
//!
//! # The model
//!
//! A storage holds, for one database: two *registers* ([`Register::Head`], [`Register::Manifest`]), a *log* of records
//! numbered by commit, and three *stores* of named values ([`Store`]). Several connections (tabs, workers) may have
//! the same database open at once; none of them is special.
//!
//! # The contract (the suite in `tests/support/storage_suite.rs` holds every implementation to it)
//!
//! 1. Each call is one transaction: all of it takes effect, or nothing.
//! 2. [`Storage::append`] and [`Storage::apply`] are serial among all connections, and take effect only when their
//!    guard holds *inside* that transaction. Where it does not hold, nothing changes and the answer says so.
//! 3. [`Storage::read_log`] and [`Storage::get`] see a state between two such transactions, never a part of one; a
//!    connection that has had the answer of a write sees it in its next read.
//! 4. After the answer of a [`Durability::Strict`] write, that write and all before it survive power loss. After the
//!    answer of a [`Durability::Relaxed`] write it survives the death of the process; power loss may take away a
//!    suffix of the order in which transactions took effect, and only a suffix.
//! 5. Any stored value may come back missing, old or altered. A storage neither hides nor mends that.
//! 6. Any call may fail with a [`StorageError`] or never answer. [`Outcome::NotApplied`] is said only when the
//!    transaction can have no effect, now or later; in doubt the outcome is [`Outcome::Unknown`].
//! 7. After [`Failure::ConnectionLost`] the next call connects anew by itself. After [`Storage::close`] every call
//!    fails with [`Failure::Closed`].
//! 8. When the quota is used up, writes fail with [`Failure::Quota`] and change nothing; a batch that only deletes
//!    still goes through, and what it frees can then be written.

use crate::error::{Error, ErrorKind};
use core::fmt;
use serde::{Deserialize, Serialize};

#[cfg(target_arch = "wasm32")]
pub mod any;
#[cfg(target_arch = "wasm32")]
pub mod indexed_db;
pub mod memory;
#[cfg(feature = "simulation")]
pub mod simulated;

/// The number of a commit: 1, 2, 3, and so on without a gap, over all connections. 0 stands before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct CommitSeq(u64);

impl CommitSeq {
    /// Before the first commit.
    pub const ZERO: CommitSeq = CommitSeq(0);
    /// The largest number that every storage can hold (JavaScript's exact integers, with room for piece numbers).
    pub const MAX: CommitSeq = CommitSeq(1 << 40);

    /// From a number that was stored or received.
    #[must_use]
    pub const fn new(seq: u64) -> Self {
        CommitSeq(seq)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of the commit after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        CommitSeq(self.0 + 1)
    }
}

impl fmt::Display for CommitSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The three stores of named values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Store {
    /// Segments of the database itself.
    Main,
    /// Local backups.
    Backup,
    /// What may be thrown away at any time.
    Cache,
}

impl Store {
    /// All of them.
    pub const ALL: [Store; 3] = [Store::Main, Store::Backup, Store::Cache];
}

/// The two values that name the present state; each guards its own kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Register {
    /// Who the database is, its format, and its newest commit. Guards [`Storage::append`].
    Head,
    /// Which segments there are, and which commits they hold. Guards [`Storage::apply`].
    Manifest,
}

/// What a write survives once it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Durability {
    /// The death of the process.
    #[default]
    Relaxed,
    /// Power loss, as far as the disk honours a flush.
    Strict,
}

impl Durability {
    /// The name that users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Durability::Relaxed => "relaxed",
            Durability::Strict => "strict",
        }
    }
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Its commit.
    pub seq: CommitSeq,
    /// Its bytes, whole: a storage that has to split values puts them together again.
    pub bytes: Vec<u8>,
}

/// What [`Storage::read_log`] found, all in one state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The head register; none in a new database.
    pub head: Option<Vec<u8>>,
    /// The manifest register, where it was asked for and exists.
    pub manifest: Option<Vec<u8>>,
    /// The records after the commit that was asked for, ascending. There may be gaps where records were lost.
    pub records: Vec<LogRecord>,
}

/// Compare-and-append: what a commit writes.
#[derive(Clone, Debug)]
pub struct Append {
    /// The head must equal this (or be absent, for `None`).
    pub expected_head: Option<Vec<u8>>,
    /// The head to set.
    pub head: Vec<u8>,
    /// The record to add.
    pub record: LogRecord,
    /// What the write must survive once it is answered.
    pub durability: Durability,
}

/// A range of names in a store: from `start` (included) to `end` (excluded, or no end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameRange {
    /// The first name.
    pub start: Vec<u8>,
    /// Behind the last name; none means to the end of the store.
    pub end: Option<Vec<u8>>,
}

impl NameRange {
    /// Every name of the store.
    #[must_use]
    pub fn all() -> Self {
        NameRange { start: Vec::new(), end: None }
    }

    /// Just this name.
    #[must_use]
    pub fn one(name: &[u8]) -> Self {
        let mut end = name.to_vec();
        end.push(0);
        NameRange { start: name.to_vec(), end: Some(end) }
    }
}

/// A write of background work: segments, the flip of the manifest, deletions.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The manifest must equal this (or be absent, for `Some(None)`). `None`: no guard.
    pub expected_manifest: Option<Option<Vec<u8>>>,
    /// The manifest to set.
    pub manifest: Option<Vec<u8>>,
    /// Ranges to delete, before anything is put.
    pub deletes: Vec<(Store, NameRange)>,
    /// Values to put: store, name, bytes.
    pub puts: Vec<(Store, Vec<u8>, Vec<u8>)>,
    /// Delete the log's records up to and including this commit.
    pub trim: Option<CommitSeq>,
    /// What the write must survive once it is answered.
    pub durability: Durability,
}

impl Batch {
    /// Whether the batch only frees space: such a batch goes through on a full disk.
    #[must_use]
    pub fn only_deletes(&self) -> bool {
        self.puts.is_empty() && self.manifest.is_none()
    }
}

/// The answer of a guarded write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// All of it took effect.
    Done,
    /// The guard did not hold: another connection was first, and nothing changed.
    Refused,
}

/// Why a storage call failed, by what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The quota is used up: free something.
    Quota,
    /// The transaction was aborted: the same call may succeed.
    Aborted,
    /// The connection is dead: the next call makes a new one.
    ConnectionLost,
    /// No answer before the deadline.
    Timeout,
    /// The storage cannot be used now, or not at all.
    Unavailable,
    /// The storage itself says that its data are damaged.
    Damaged,
    /// A newer version of the storage's own layout.
    Newer,
    /// The storage was closed by this program.
    Closed,
}

/// Whether a write that failed took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It did not, and will not.
    NotApplied,
    /// It may have, or may yet: only the head can tell.
    Unknown,
}

/// A failed storage call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageError {
    /// What to do next.
    pub failure: Failure,
    /// Whether the write took effect; `NotApplied` for reads.
    pub outcome: Outcome,
    /// What the storage said, for people: lower-case, one line.
    pub message: String,
}

impl StorageError {
    /// A failure of which it is certain that nothing was applied.
    #[must_use]
    pub fn not_applied(failure: Failure, message: impl Into<String>) -> Self {
        StorageError { failure, outcome: Outcome::NotApplied, message: message.into() }
    }

    /// A failure that leaves the outcome open.
    #[must_use]
    pub fn unknown(failure: Failure, message: impl Into<String>) -> Self {
        StorageError { failure, outcome: Outcome::Unknown, message: message.into() }
    }

    /// What a DOMException of this name means when it comes from IndexedDB. `during_commit`: the transaction had been
    /// asked to commit, and no `abort` event was seen, so its outcome is open.
    #[must_use]
    pub fn from_exception(name: &str, message: &str, during_commit: bool) -> Self {
        let failure = match name {
            "QuotaExceededError" => Failure::Quota,
            "AbortError" | "TransactionInactiveError" | "ConstraintError" => Failure::Aborted,
            "InvalidStateError" | "NotFoundError" => Failure::ConnectionLost,
            "TimeoutError" => Failure::Timeout,
            "UnknownError" | "OperationError" => Failure::ConnectionLost,
            "NotReadableError" | "DataError" | "DataCloneError" | "EncodingError" => Failure::Damaged,
            "VersionError" => Failure::Newer,
            _ => Failure::Unavailable,
        };
        let outcome = if during_commit { Outcome::Unknown } else { Outcome::NotApplied };
        StorageError { failure, outcome, message: format!("indexeddb `{name}`: {message}") }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        let kind = match error.failure {
            Failure::Quota => ErrorKind::Limit,
            Failure::Aborted | Failure::ConnectionLost | Failure::Timeout | Failure::Unavailable => {
                ErrorKind::Unavailable
            }
            Failure::Damaged => ErrorKind::Corrupt,
            Failure::Newer => ErrorKind::Unsupported,
            Failure::Closed => ErrorKind::Closed,
        };
        let outcome = match error.outcome {
            Outcome::NotApplied => "not committed",
            Outcome::Unknown => "unknown",
        };
        Error::new(kind, error.message).with_detail("outcome", outcome)
    }
}

/// The result of a storage call.
pub type StorageResult<T> = core::result::Result<T, StorageError>;

/// A disk. See the module for the contract.
#[expect(async_fn_in_trait, reason = "the core runs on one thread: its futures need not be Send")]
pub trait Storage {
    /// Reads the head, the records after `after`, and (where `manifest` is set) the manifest: all in one state.
    ///
    /// With `after: None` the records after the trimmed part of the log are read, that is, all there are.
    async fn read_log(&self, after: Option<CommitSeq>, manifest: bool) -> StorageResult<Tail>;

    /// Adds a record and sets the head, if the head is still the expected one.
    async fn append(&self, append: Append) -> StorageResult<Applied>;

    /// Reads values by name, pipelined; `None` where there is none. The answers stand in the order of the names.
    async fn get(&self, store: Store, names: &[Vec<u8>]) -> StorageResult<Vec<Option<Vec<u8>>>>;

    /// Applies a batch, if the manifest is still the expected one (or no guard is given).
    async fn apply(&self, batch: Batch) -> StorageResult<Applied>;

    /// Waits for the calls under way, then closes this connection. Closing twice is no error.
    async fn close(&self);
}
