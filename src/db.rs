//! The database that a program opens: collections of documents over the engine.
//!
//! Not the engine, which knows keys and bytes; not JavaScript, which meets this through `bindings`. Everything that a
//! user does with documents is a request ([`Database::request`]): one encoded object in, one encoded value out.
//!
//! Invariants: a document and its index entries are written in one commit; a request that fails has written nothing;
//! no borrow of a cell lives across an await.

use crate::engine::{Company, Engine, Options};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::CONFLICT_RETRIES_MAX;
use crate::storage::{CommitSeq, Durability, Storage};
use crate::value::Object;
use config::Config;
use core::cell::RefCell;
use cursor::Cursors;
use request::{Request, Scope};
use shared::Shared;
use std::rc::Rc;
pub use watch::News;
use work::Work;

#[cfg_attr(not(feature = "pipelines"), path = "db/no_aggregate.rs")]
mod aggregate;
mod answer;
mod by_key;
mod change;
mod collection;
pub mod config;
mod cursor;
mod define;
mod document;
mod draft;
mod find;
mod gate;
mod glance;
mod index_build;
mod live;
mod migrate;
mod operation;
mod request;
mod rules;
mod run;
mod shared;
mod slow;
mod sorter;
mod told;
mod watch;
mod work;
mod write;

/// How often a read is tried again on a new snapshot.
const READ_TRIES_MAX: u32 = 3;

/// An open database. See the module.
pub struct Database<S: Storage> {
    shared: Rc<Shared<S>>,
}

impl<S: Storage> Database<S> {
    /// Opens the database in this storage, and makes the collections and indexes that are configured and not there.
    ///
    /// # Errors
    /// `invalid` where a stored collection has another key, or an index of the same name is another one; what
    /// [`Engine::open`] fails with.
    pub async fn open(storage: S, env: Rc<dyn Env>, config: Config) -> Result<Self> {
        let mut options = Options::default();
        if let Some(cache_bytes) = config.cache_bytes {
            options.cache_bytes = cache_bytes;
        }
        options.preload = config.preload;
        options.mark = config.mark;
        Database::open_with(storage, env, config, options).await
    }

    /// The same with the engine's own options.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn open_with(storage: S, env: Rc<dyn Env>, config: Config, options: Options) -> Result<Self> {
        let engine = Engine::open(storage, env, options).await?;
        let opened = Shared::new(engine.clone(), config.durability).await.map(Rc::new);
        let ensured = match &opened {
            Ok(shared) => request::ensure(shared, &config.collections).await,
            Err(error) => Err(error.clone()),
        };
        match (opened, ensured) {
            (Ok(shared), Ok(())) => {
                config.query_time_ms.into_iter().for_each(|query_time_ms| shared.slow.set_query_time(query_time_ms));
                shared.conflict_retries.set(config.conflict_retries.unwrap_or(CONFLICT_RETRIES_MAX));
                Ok(Database { shared })
            }
            (_, Err(error)) | (Err(error), _) => {
                engine.close().await;
                Err(error)
            }
        }
    }

    /// Answers one encoded request; see `db/request.rs`. Ready at the first poll where nothing has to be read from the
    /// storage or written to it.
    ///
    /// # Errors
    /// What the request fails with; then it has written nothing.
    pub async fn request(&self, request: &[u8]) -> Result<Vec<u8>> {
        let request = Request::decode(request)?;
        self.shared.engine.snapshot()?;
        let mut tries = 0;
        loop {
            match Scope::Latest(&self.shared).answer(&request).await {
                // Another context's compaction took away what the snapshot needs: a new snapshot does not need it.
                Err(error) if error.kind() == ErrorKind::Conflict && request.only_reads() && tries < READ_TRIES_MAX => {
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Begins a transaction on the newest state known here.
    ///
    /// # Errors
    /// `closed` after [`Database::close`].
    pub fn begin(&self) -> Result<Transaction<S>> {
        let work = Work::begin(&self.shared)?;
        Ok(Transaction {
            shared: Rc::clone(&self.shared),
            work: RefCell::new(Some(Rc::new(work))),
            cursors: Cursors::default(),
        })
    }

    /// Looks for commits of other contexts; answers whether there was something new.
    ///
    /// # Errors
    /// As [`Engine::catch_up`].
    pub async fn catch_up(&self) -> Result<bool> {
        self.shared.engine.catch_up().await
    }

    /// Does one piece of the background work that is due. Answers whether more is left.
    ///
    /// # Errors
    /// As [`Engine::maintain`].
    pub async fn maintain(&self, company: Company) -> Result<bool> {
        self.shared.engine.note_company(company);
        let swept = index_build::sweep(&self.shared).await?;
        Ok(self.shared.engine.maintain().await? || swept)
    }

    /// The newest commit known here.
    #[must_use]
    pub fn seq(&self) -> CommitSeq {
        self.shared.engine.snapshot().map_or(CommitSeq::ZERO, |snapshot| snapshot.seq())
    }

    /// The engine beneath.
    #[must_use]
    pub fn engine(&self) -> &Engine<S> {
        &self.shared.engine
    }

    /// Calls `listener` after each commit, own and others'; see `db/watch.rs`. It must only take note.
    pub fn on_commit(&self, listener: impl Fn(&News) + 'static) {
        self.shared.listeners.add(listener);
    }

    /// Calls `listener` with what each commit makes of live queries; see `db/live.rs`. It must only take note.
    pub fn on_live(&self, listener: impl Fn(Vec<u8>) + 'static) {
        self.shared.lives.listen(listener);
    }

    /// Waits for the commits under way and closes. Every later call fails with `closed`.
    pub async fn close(&self) {
        self.shared.cursors.clear();
        self.shared.lives.clear();
        self.shared.engine.close().await;
    }
}

/// Requests that take effect together, or not at all. It reads what was committed when it began, and its own writes.
pub struct Transaction<S: Storage> {
    shared: Rc<Shared<S>>,
    /// None after its end.
    work: RefCell<Option<Rc<Work<S>>>>,
    cursors: Cursors<S>,
}

impl<S: Storage> Transaction<S> {
    /// Answers one encoded request in the transaction; answers carry no commit.
    ///
    /// # Errors
    /// What the request fails with; then it has written nothing.
    pub async fn request(&self, request: &[u8]) -> Result<Vec<u8>> {
        let request = Request::decode(request)?;
        self.shared.engine.snapshot()?;
        let work = self.work.borrow().clone().ok_or_else(ended)?;
        Scope::Within(&work, &self.cursors).answer(&request).await
    }

    /// Commits; answers `{ seq, durability }`, encoded.
    ///
    /// # Errors
    /// `conflict`: run it again; `closed` after its end; what [`Engine::commit`] fails with.
    pub async fn commit(&self, durability: Durability) -> Result<Vec<u8>> {
        let work = self.work.take().ok_or_else(ended)?;
        self.cursors.clear();
        let work = Rc::try_unwrap(work).map_err(|_| {
            let error = Error::invalid("the transaction still has requests under way");
            error.with_hint("await every call before the transaction ends")
        })?;
        let committed = self.shared.engine.commit(work.finish()?, durability).await?;
        let mut answer = Object::new();
        request::push_commit(&mut answer, &committed);
        Ok(request::encoded(answer))
    }

    /// Forgets what it wrote. Ending it twice is no error.
    pub fn rollback(&self) {
        self.cursors.clear();
        self.work.take();
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the transaction has ended").with_hint("begin another transaction")
}
