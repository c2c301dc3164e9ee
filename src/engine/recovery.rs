//! Opens a database: reads head, manifest and log in one look, checks that they belong together, rebuilds the state.
//!
//! Not a repair: nothing is changed, but for a storage that is wholly empty, where the first commit is written.
//!
//! Invariants: an empty state is given out only for an empty storage; every commit from the checkpoint to the head is
//! there, unbroken, or opening fails and says which is lost; no block is read.

use super::block_cache::BlockCache;
use super::columns::ColumnCache;
use super::extents::Extents;
use super::fetches::Fetches;
use super::format::{FORMAT, Head};
use super::frame::{Checksum, DatabaseId};
use super::log::ATTEMPTS;
use super::manifest::Manifest;
use super::memtable::Memtable;
use super::preload::Preloading;
use super::recent::Recent;
use super::record::Record;
use super::run::Run;
use super::unpacked;
use super::{Inner, Mark, Options, Pressure, State, log};
use crate::env::timeout::timeout;
use crate::env::{Env, random_id};
use crate::error::{Error, ErrorKind, Result};
use crate::sorted::Sorted;
use crate::storage::{
    Append, Batch, CommitSeq, Durability, Failure, LogRecord, NameRange, Storage, StorageError, StorageResult, Store,
    Tail,
};
use core::cell::{Cell, RefCell};
use core::future::Future;
use std::rc::Rc;

/// A name in the store `main` that is there as soon as a database is: an empty log beside it means loss, not newness.
const IDENTITY_NAME: &[u8] = b"\xff identity";

/// What a look at the storage gave.
pub(super) struct Loaded {
    pub(super) state: State,
    /// The log's records after the checkpoint.
    pub(super) records: Vec<(Record, Checksum)>,
    /// Bytes of the log, as stored.
    pub(super) log_bytes: usize,
}

/// A storage call while there is no engine yet.
async fn attempt<T, F: Future<Output = StorageResult<T>>>(
    env: &dyn Env,
    options: &Options,
    mut work: impl FnMut() -> F,
) -> StorageResult<T> {
    let mut tries = 0;
    loop {
        let error = match timeout(env, options.deadline_ms, work()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => StorageError::unknown(Failure::Timeout, "the storage did not answer in time"),
        };
        if tries >= ATTEMPTS || !log::may_help(error.failure) {
            return Err(error);
        }
        tries += 1;
        env.sleep(log::backoff_ms(tries)).await;
    }
}

/// Opens what is stored, or creates the database where nothing is.
pub(super) async fn open<S: Storage>(storage: S, env: Rc<dyn Env>, options: Options) -> Result<Inner<S>> {
    for _ in 0..=ATTEMPTS {
        let tail = attempt(&*env, &options, || storage.read_log(None, true)).await?;
        if let Some(loaded) = load(&tail)? {
            check_mark(&loaded.state.head, options.mark)?;
            return Ok(assemble(storage, env, options, loaded));
        }
        if options.mark.is_some() {
            return Err(wiped("the storage is empty, but the database was here"));
        }
        create(&storage, &*env, &options).await?;
    }
    Err(Error::new(ErrorKind::Unavailable, "the new database could not be read back"))
}

fn assemble<S: Storage>(storage: S, env: Rc<dyn Env>, options: Options, loaded: Loaded) -> Inner<S> {
    let recent = Recent::new(loaded.state.head.seq, options.recent_bytes);
    Inner {
        storage,
        env,
        options,
        state: RefCell::new(Rc::new(loaded.state)),
        recent: RefCell::new(recent),
        cache: RefCell::new(BlockCache::new(options.cache_bytes - options.cache_bytes / 4)),
        columns: RefCell::new(ColumnCache::new(options.column_bytes)),
        extents: RefCell::new(Extents::new(options.cache_bytes / 4)),
        fetches: Fetches::default(),
        preloading: Preloading::default(),
        queue: RefCell::default(),
        listeners: RefCell::default(),
        in_flight: Cell::new(None),
        found: Cell::new(None),
        // What earlier contexts wrote may not be flushed, whatever the manifest says: they may have died before it was.
        durable: Cell::new(options.mark.map_or(CommitSeq::ZERO, |mark| mark.seq)),
        relieve_at_bytes: Cell::new(0),
        log_bytes: Cell::new(loaded.log_bytes),
        background: Cell::new(false),
        sweep_due: Cell::new(true),
        pressure: Cell::new(Pressure::None),
        company: Cell::default(),
        busy_ms: Cell::new(f64::MIN),
        replaced: RefCell::default(),
        room_until_ms: Cell::new(f64::MIN),
        has_reserve: Cell::new(false),
        is_closed: Cell::new(false),
        latched: RefCell::new(None),
        grouped_commits: Cell::new(0),
        appends: Cell::new(0),
    }
}

fn wiped(what: &str) -> Error {
    Error::new(ErrorKind::Lost, what)
        .with_hint("restore a backup, or delete the database to begin anew")
        .with_detail("kind", "wiped")
}

/// Tells a database that was replaced or rolled back from outside from the one that was here.
fn check_mark(head: &Head, mark: Option<Mark>) -> Result<()> {
    let Some(mark) = mark else { return Ok(()) };
    if head.database != mark.database {
        return Err(wiped("another database is in the place of the one that was here"));
    }
    if head.seq < mark.seq {
        return Err(Error::new(
            ErrorKind::Lost,
            format!("the database was rolled back from commit {} to {}", mark.seq, head.seq),
        )
        .with_hint("restore a backup, or accept the loss to go on from the older state")
        .with_detail("kind", "rolled back")
        .with_detail("seq", head.seq)
        .with_detail("expected_seq", mark.seq));
    }
    Ok(())
}

/// Writes the first commit of a new database. That another context does the same at the same time is no error: then one
/// of the two is refused.
async fn create<S: Storage>(storage: &S, env: &dyn Env, options: &Options) -> Result<()> {
    for store in [Store::Main, Store::Backup] {
        let names = vec![IDENTITY_NAME.to_vec()];
        let found = attempt(env, options, || storage.get(store, &names)).await?;
        if found.iter().any(Option::is_some) {
            // Another context may have made the database since the log was read: then there is a head now.
            let tail = attempt(env, options, || storage.read_log(None, false)).await?;
            let is_made = tail.head.is_some();
            return if is_made { Ok(()) } else { Err(wiped("the log is gone, but the database was here")) };
        }
    }
    let database = DatabaseId(random_id(env));
    let record =
        Record { seq: CommitSeq::ZERO.next(), id: random_id(env), previous: 0, time: env.now(), run: Run::empty() };
    let (stored, checksum) = record.encode(database);
    let head = Head { format: FORMAT, database, incarnation: random_id(env), seq: record.seq, record: checksum };
    let durability = Durability::Strict;
    let append = Append { expected_head: None, head: head.encode(), record: stored, durability };
    let _ = attempt(env, options, || storage.append(append.clone())).await?;
    let puts = [Store::Main, Store::Backup].map(|store| identity(store, database));
    let identity = Batch { puts: puts.to_vec(), durability, ..Batch::default() };
    let _ = attempt(env, options, || storage.apply(identity.clone())).await?;
    Ok(())
}

/// What stands in a store as soon as there is a database.
pub(super) fn identity(store: Store, database: DatabaseId) -> (Store, Vec<u8>, Vec<u8>) {
    (store, IDENTITY_NAME.to_vec(), database.0.to_vec())
}

/// What [`Storage::read_log`] with everything gave, as a state; `None` where nothing is stored at all.
pub(super) fn load(tail: &Tail) -> Result<Option<Loaded>> {
    let Some(head_bytes) = &tail.head else {
        if tail.manifest.is_none() && tail.records.is_empty() {
            return Ok(None);
        }
        return Err(Error::corrupt("the head is missing"));
    };
    let head = Head::decode(head_bytes)?;
    let manifest = match &tail.manifest {
        Some(bytes) => Manifest::decode(head.database, bytes)?,
        None => Manifest::empty(),
    };
    let records = chain(&head, &manifest, &tail.records)?;
    let mut memtable = Memtable::default();
    for (record, _) in &records {
        memtable.push(record.run.clone());
    }
    let pinned = unpacked::unpack(&manifest.pinned).map_err(|error| error.context("the manifest"))?;
    let state = State {
        head,
        head_bytes: head_bytes.clone(),
        manifest: Rc::new(manifest),
        manifest_bytes: tail.manifest.clone().map(Rc::new),
        pinned,
        memtable,
    };
    let log_bytes = tail.records.iter().map(|record| record.bytes.len()).sum();
    Ok(Some(Loaded { state, records, log_bytes }))
}

/// The records from the checkpoint to the head, checked to be one unbroken chain.
fn chain(head: &Head, manifest: &Manifest, stored: &[LogRecord]) -> Result<Vec<(Record, Checksum)>> {
    if manifest.checkpoint > head.seq {
        return Err(Error::corrupt("the manifest is newer than the head"));
    }
    let mut seq = manifest.checkpoint;
    let mut previous = manifest.checkpoint_record;
    let mut records = Vec::new();
    for stored in stored.iter().filter(|stored| stored.seq > manifest.checkpoint) {
        if stored.seq != seq.next() {
            return Err(lost(seq.next(), stored.seq));
        }
        let (record, checksum) = Record::decode(head.database, stored)?;
        if record.previous != previous {
            return Err(Error::corrupt(format!("commit {} does not follow the one before", record.seq))
                .with_detail("seq", record.seq));
        }
        (seq, previous) = (record.seq, checksum);
        records.push((record, checksum));
    }
    if seq < head.seq {
        return Err(lost(seq.next(), head.seq.next()));
    }
    if seq > head.seq || previous != head.record {
        return Err(Error::corrupt("the head does not belong to the log"));
    }
    Ok(records)
}

fn lost(from: CommitSeq, to: CommitSeq) -> Error {
    let last = to.get().saturating_sub(1);
    Error::corrupt(format!("the log's commits {from} to {last} are missing"))
        .with_detail("seq_from", from)
        .with_detail("seq_to", last)
}

/// The names of every block older than the manifest that it does not know: what writers that died left behind.
pub(super) fn orphan_ranges(manifest: &Manifest) -> Vec<NameRange> {
    let mut known = Sorted::default();
    let ids = manifest.segments().map(|segment| segment.id).chain(manifest.retired.iter().map(|retired| retired.id));
    for names in ids.map(|id| id.names()) {
        known.insert(names.start, names.end);
    }
    let limit = manifest.generation.to_be_bytes().to_vec();
    let mut ranges = Vec::new();
    let mut start = Vec::new();
    for (first, end) in known.iter().take_while(|(first, _)| *first < limit) {
        if start < *first {
            ranges.push(NameRange { start, end: Some(first.clone()) });
        }
        start = end.clone().unwrap_or_default();
    }
    if start < limit {
        ranges.push(NameRange { start, end: Some(limit) });
    }
    ranges
}
