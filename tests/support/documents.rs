//! A database of documents for tests: the one door through which they open one and ask it.
//!
//! Not a mock: the real engine, in memory, in virtual time.

use crate::notation::{object, value};
use hyphadb::db::config::Config;
use hyphadb::db::{Database, Transaction};
use hyphadb::engine::{Company, Options};
use hyphadb::env::simulated::{Random, World};
use hyphadb::error::{Error, Result};
use hyphadb::storage::Storage;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value, codec};
use std::ops::RangeInclusive;
use std::rc::Rc;

/// The engine's limits so small that a few dozen commits go through checkpoints and several levels.
pub fn tiny() -> Options {
    Options {
        memtable_bytes: 4_000,
        block_bytes: 400,
        quiet_ms: 0.0,
        extent_bytes: 1_000,
        segment_bytes: 4_000,
        level0_segments: 3,
        level1_bytes: 20_000,
        cache_bytes: 8_000,
        batch_bytes: 2_000,
        reserve_bytes: 100,
        ..Options::default()
    }
}

/// A storage, and contexts that open it.
#[derive(Clone)]
pub struct Fixture {
    pub world: World,
    pub memory: Memory,
    pub options: Options,
}

impl Fixture {
    pub fn new(seed: u64) -> Self {
        Fixture { world: World::new(seed), memory: Memory::new(), options: Options::default() }
    }

    /// Opens with these collections, e.g. `[['c', {key: 'id'}]]`. Each label is a context of its own.
    pub async fn try_open(&self, label: &str, collections: &str) -> Result<Database<Memory>> {
        let config = Object::from([("name", "test".into()), ("collections", value(collections))]);
        let env = Rc::new(self.world.env(label));
        Database::open_with(self.memory.clone(), env, Config::parse(&config)?, self.options).await
    }

    pub async fn open(&self, label: &str, collections: &str) -> Database<Memory> {
        self.try_open(label, collections).await.unwrap()
    }

    /// Runs to the end in virtual time.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.world.block_on(work).unwrap()
    }
}

/// The seeds of a test of chance: so many, or the one that `HYPHADB_SEED` names.
pub fn seeds(count: u64) -> RangeInclusive<u64> {
    match std::env::var("HYPHADB_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 1..=count,
    }
}

/// What may happen between two statements: the context at `place` does background work or a checkpoint, another context
/// opens the database, or this one goes away. `name` is that of a further context. Answers the draw; from 4 on nothing was done.
pub async fn happen(
    fixture: &Fixture,
    (databases, place): (&mut Vec<Database<Memory>>, usize),
    (name, collections): (&str, &str),
    random: &mut Random,
) -> std::result::Result<u64, String> {
    let draw = random.below(12);
    match draw {
        0 => {
            let company = if databases.len() == 1 { Company::Alone } else { Company::Others };
            let _ = databases[place].maintain(company).await.map_err(|error| error.to_string())?;
        }
        1 => drop(databases[place].engine().checkpoint().await.map_err(|error| error.to_string())?),
        2 if databases.len() < 3 => databases.push(fixture.open(name, collections).await),
        3 if databases.len() > 1 => drop(databases.remove(place)),
        _ => {}
    }
    Ok(draw)
}

/// What can be asked.
pub trait Ask {
    async fn send(&self, request: &[u8]) -> Result<Vec<u8>>;

    /// Sends a request, through the codec both ways.
    async fn ask_value(&self, request: Object) -> Result<Object> {
        let answer = self.send(&codec::encoded(&request.into())).await?;
        match codec::decode(&answer).unwrap() {
            Value::Object(answer) => Ok(answer),
            other => panic!("the answer is {other}"),
        }
    }

    /// Sends a request in notation.
    async fn try_ask(&self, request: &str) -> Result<Object> {
        self.ask_value(object(request)).await
    }

    /// The answer as text, without the commit.
    async fn ask(&self, request: &str) -> String {
        match self.try_ask(request).await {
            Ok(mut answer) => {
                answer.remove("seq");
                answer.remove("durability");
                answer.to_string()
            }
            Err(error) => describe(&error),
        }
    }
}

/// `code: message`.
pub fn describe(error: &Error) -> String {
    format!("{}: {error}", error.kind().code())
}

impl<S: Storage> Ask for Database<S> {
    async fn send(&self, request: &[u8]) -> Result<Vec<u8>> {
        self.request(request).await
    }
}

impl<S: Storage> Ask for Transaction<S> {
    async fn send(&self, request: &[u8]) -> Result<Vec<u8>> {
        self.request(request).await
    }
}
