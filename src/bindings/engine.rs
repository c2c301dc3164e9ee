//! The class `Engine`: one opened database. [JS]
//!
//! Not a session: whoever holds it may do everything.

use super::callbacks::Callbacks;
use super::promise::Reader;
use super::transaction::Transaction;
use super::{error, panic, promise};
use crate::db::Database;
use crate::db::config::{Config, StorageKind};
use crate::engine::Company;
use crate::env::Env;
use crate::env::browser::BrowserEnv;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use crate::storage::any::AnyStorage;
use crate::storage::indexed_db::{Found, HeadStart, IndexedDb, IndexedDbOptions};
use crate::storage::memory::Memory;
use core::cell::RefCell;
use js_sys::{Array, Function, Promise, Uint8Array};
use std::rc::Rc;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// One opened database.
#[wasm_bindgen]
pub struct Engine {
    database: Rc<Database<AnyStorage>>,
    commits: Callbacks,
    changes: Callbacks,
    lives: Callbacks,
    connection: Callbacks,
    reader: RefCell<Option<Reader>>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a database; `config` is one encoded object. `head_start`: an open connection, the keys of its log and their
    /// values, or undefined.
    ///
    /// # Errors
    /// See the facade's `open`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Engine>")]
    pub fn open(config: Vec<u8>, head_start: Option<Array>) -> core::result::Result<Promise, JsValue> {
        panic::watch();
        panic::check()?;
        Ok(promise::of(async move { open(&config, head_start).await.map(JsValue::from) }))
    }

    /// Answers one encoded request: at once when nothing has to be read from the storage, else with a promise.
    ///
    /// # Errors
    /// See the facade.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array | Promise<Uint8Array>")]
    pub fn request(&self, request: Vec<u8>) -> core::result::Result<JsValue, JsValue> {
        panic::check()?;
        if let Some(answer) = self.database.glance(&request) {
            return Ok(promise::to_js(&answer));
        }
        let database = self.database.clone();
        let work = async move {
            let answer = database.request(&request).await;
            if database.engine().is_preload_due() {
                let engine = database.engine().clone();
                // Nobody waits for it.
                drop(promise::of(async move {
                    engine.preload().await;
                    Ok(JsValue::UNDEFINED)
                }));
            }
            answer
        };
        promise::answer(work, self.reader.borrow().clone())
    }

    /// Has long answers to requests read by `reader`, without a copy of their bytes: what it makes of them is the answer.
    pub fn read_with(&self, reader: Reader) {
        self.reader.replace(Some(reader));
    }

    /// Begins a transaction on the state of now.
    ///
    /// # Errors
    /// `closed` after [`Engine::close`].
    pub fn begin(&self) -> core::result::Result<Transaction, JsValue> {
        panic::check()?;
        let transaction = self.database.begin().map_err(|error| error::to_js(&error))?;
        Ok(Transaction::new(transaction))
    }

    /// Looks for commits of other contexts; true: there was something new.
    ///
    /// # Errors
    /// `lost` when the database was wiped or rolled back.
    #[wasm_bindgen(unchecked_return_type = "Promise<boolean>")]
    pub fn catch_up(&self) -> core::result::Result<Promise, JsValue> {
        panic::check()?;
        let database = self.database.clone();
        Ok(promise::of(async move { database.catch_up().await.map(JsValue::from) }))
    }

    /// Does one piece of the background work that is due; true: more is left. `is_alone`: no other context has the
    /// database open.
    ///
    /// # Errors
    /// The storage's failures; nothing is lost then.
    #[wasm_bindgen(unchecked_return_type = "Promise<boolean>")]
    pub fn maintain(&self, is_alone: bool) -> core::result::Result<Promise, JsValue> {
        panic::check()?;
        let database = self.database.clone();
        let company = if is_alone { Company::Alone } else { Company::Others };
        Ok(promise::of(async move { database.maintain(company).await.map(JsValue::from) }))
    }

    /// The newest commit known here.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "commits are numbered below 2^53")]
    pub fn seq(&self) -> f64 {
        self.database.seq().get() as f64
    }

    /// The database's identity, in hexadecimal.
    #[must_use]
    pub fn database(&self) -> String {
        self.database.engine().database().to_string()
    }

    /// The newest commit that is known to survive power loss.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "commits are numbered below 2^53")]
    pub fn durable_seq(&self) -> f64 {
        self.database.engine().figures().durable_seq as f64
    }

    /// Calls `callback` after each commit, own and others'.
    pub fn on_commit(&self, callback: Function) {
        self.commits.set(Some(callback));
    }

    /// Calls `callback` with the encoded change after each commit, own and others'; without one, none is encoded.
    pub fn on_change(&self, callback: Option<Function>) {
        self.changes.set(callback);
    }

    /// Calls `callback` with the encoded message after each commit that concerns live queries; see `db/live/message.rs`.
    pub fn on_live(&self, callback: Function) {
        self.lives.set(Some(callback));
    }

    /// Calls `callback` with `lost`, `reopened` or `deleted`.
    pub fn on_connection(&self, callback: Function) {
        self.connection.set(Some(callback));
    }

    /// Waits for the calls under way and closes.
    ///
    /// # Errors
    /// `closed` after a panic.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn close(&self) -> core::result::Result<Promise, JsValue> {
        panic::check()?;
        let database = self.database.clone();
        Ok(promise::of(async move {
            database.close().await;
            Ok(JsValue::UNDEFINED)
        }))
    }
}

async fn open(config: &[u8], head_start: Option<Array>) -> Result<Engine> {
    let config = Config::decode(config)?;
    let env: Rc<dyn Env> = Rc::new(BrowserEnv::new());
    let connection = Callbacks::default();
    let storage = match config.storage {
        StorageKind::Memory => AnyStorage::Memory(Memory::new()),
        StorageKind::IndexedDb => {
            AnyStorage::IndexedDb(open_indexed_db(&config, head_start, env.clone(), &connection).await?)
        }
    };
    let database = Database::open(storage, env, config).await?;
    let (commits, changes) = (Callbacks::default(), Callbacks::default());
    let (queue, with_changes) = (commits.clone(), changes.clone());
    database.on_commit(move |news| {
        queue.push(|| JsValue::UNDEFINED);
        let news = news.clone();
        with_changes.push(move || Uint8Array::from(news.encode().as_slice()).into());
    });
    let lives = Callbacks::default();
    let followed = lives.clone();
    database.on_live(move |message| followed.push(move || Uint8Array::from(message.as_slice()).into()));
    Ok(Engine { database: Rc::new(database), commits, changes, lives, connection, reader: RefCell::default() })
}

async fn open_indexed_db(
    config: &Config,
    head_start: Option<Array>,
    env: Rc<dyn Env>,
    events: &Callbacks,
) -> Result<IndexedDb> {
    let mut options = IndexedDbOptions::new(config.name.as_str());
    options.main.clone_from(&config.stores.main);
    options.backup.clone_from(&config.stores.backup);
    options.cache.clone_from(&config.stores.cache);
    let adopted = head_start.and_then(|given| IndexedDb::adopt(options.clone(), env.clone(), read_head_start(&given)));
    let storage = match adopted {
        Some(storage) => storage,
        None => IndexedDb::open(options, env).await?,
    };
    if let Found::Wiped(words) = storage.found()
        && !config.accepts_loss
    {
        storage.close().await;
        let message = format!("the browser lost database `{}` and said: {words}", config.name);
        return Err(Error::new(ErrorKind::Lost, message)
            .with_hint("restore a backup; `acceptLoss: true`, or opening it once more, begins an empty database"));
    }
    let queue = events.clone();
    storage.on_event(move |event| queue.push(move || JsValue::from_str(event.name())));
    Ok(storage)
}

/// The facade's own tuple, so nothing is asked of its types.
fn read_head_start(given: &Array) -> HeadStart {
    let [database, keys, values] = [0, 1, 2].map(|place| given.get(place));
    HeadStart { database: database.unchecked_into(), log: [keys.unchecked_into(), values.unchecked_into()] }
}
