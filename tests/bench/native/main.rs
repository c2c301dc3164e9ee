//! What writing costs natively, step by step: microseconds of processor time per document, the least of several rounds.
//!
//! `cargo run --profile bench --example write`; a word after `--` runs only the steps whose name has it, which is what
//! `valgrind --tool=callgrind` wants. Not the benchmark of the product, which runs in a browser: here is no IndexedDB
//! and no wasm, so only ratios between the steps, and between two versions, say anything.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a program for measuring"
)]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::engine::Company;
use hyphadb::env::{Env, LocalFuture, Timestamp};
use hyphadb::storage::memory::Memory;
use hyphadb::value::batch::{Batch, Rows};
use hyphadb::value::shape::Shapes;
use hyphadb::value::{Object, Value, codec};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

#[path = "../../support/batch.rs"]
mod batch;

const BATCH: usize = 1000;
const BATCHES: usize = 20;
const LOGGED: usize = 10;
const ROUNDS: usize = 5;

/// A machine's clock and cheap chance.
struct Machine {
    start: Instant,
    random: Cell<u64>,
}

impl Env for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_750_000_000_000)
    }

    fn monotonic_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = (next(&self.random) >> 32) as u8;
        }
    }

    fn sleep(&self, _: u32) -> LocalFuture<'static, ()> {
        Box::pin(core::future::ready(()))
    }
}

fn next(state: &Cell<u64>) -> u64 {
    let mut word = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(word);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Nothing is ever pending for long on a storage in memory.
fn wait<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// A reading of about 209 bytes of JSON.
fn reading(random: &Cell<u64>, place: usize) -> Object {
    let words = ["pressure", "rising", "after", "the", "filter", "was", "changed", "at", "night"];
    let pick = |below: u64| usize::try_from(next(random) % below).unwrap();
    let tags = (0..=pick(3)).map(|_| Value::from(["indoor", "edge", "new", "checked"][pick(4)])).collect();
    let note: Vec<&str> = (0..6).map(|_| words[pick(9)]).collect();
    let agent = format!("agent-{:03}", pick(200));
    let site = format!("site-{:02}", pick(40));
    let kind = ["temperature", "humidity", "power"][pick(3)];
    let status = if pick(20) == 0 { "warn" } else { "ok" };
    let value = Value::number(f64::from(u32::try_from(pick(10_000)).unwrap()) / 100.0).unwrap();
    Object::from([
        ("id", format!("{:016x}", next(random)).into()),
        ("ts", Value::number(1_750_000_000_000.0 + place as f64 * 250.0).unwrap()),
        ("agent", agent.into()),
        ("site", site.into()),
        ("kind", kind.into()),
        ("status", status.into()),
        ("value", value),
        ("unit", "celsius".into()),
        ("tags", Value::Array(tags)),
        ("note", note.join(" ").into()),
    ])
}

fn list(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(*value)).collect())
}

fn open() -> Database<Memory> {
    open_in(Memory::new())
}

fn open_in(memory: Memory) -> Database<Memory> {
    let indexes = vec!["agent".into(), "ts".into(), list(&["site", "ts"])];
    let readings = Object::from([("key", "id".into()), ("indexes", indexes.into())]);
    let collections = vec![vec!["readings".into(), readings.into()].into()];
    let config = Object::from([("name", "bench".into()), ("collections", collections.into())]);
    let env = Rc::new(Machine { start: Instant::now(), random: Cell::new(7) });
    wait(Database::open(memory, env, Config::parse(&config).unwrap())).unwrap()
}

fn request<const N: usize>(op: &str, more: [(&str, Value); N]) -> Vec<u8> {
    let mut request = Object::from([("op", op.into()), ("collection", "readings".into())]);
    for (name, value) in more {
        request.set(name, value);
    }
    codec::encoded(&request.into())
}

fn insert(docs: &[Object]) -> Vec<u8> {
    request("insert", [("docs", Value::Bytes(batch::batch(docs.iter())))])
}

/// Times `work`, and prints the least time of its rounds for each of `count` things.
struct Steps {
    wanted: String,
}

impl Steps {
    fn run<T>(&self, name: &str, count: usize, mut prepare: impl FnMut() -> T, mut work: impl FnMut(&mut T)) {
        if !name.contains(&self.wanted) {
            return;
        }
        let mut least = f64::INFINITY;
        for _ in 0..ROUNDS {
            let mut state = prepare();
            let start = processor_ns();
            work(&mut state);
            least = least.min((processor_ns() - start) / 1e9);
        }
        println!("{name:<44} {:8.3} us", least * 1e6 / count as f64);
    }
}

/// Nanoseconds that this process has run (Linux), whatever else the machine does.
fn processor_ns() -> f64 {
    // Only then is the time up to now counted.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Rows as an insert makes them, twice: the first time learns the shapes.
fn rows(bytes: &[u8]) {
    let batch = Batch::open(bytes).unwrap();
    let mut shapes = Shapes::new();
    for _ in 0..2 {
        let mut rows = Rows::new(&batch, &shapes, Some("id"));
        let mut out = Vec::with_capacity(batch.len_bytes());
        (0..batch.len()).for_each(|_| assert!(!rows.next(&mut out, &mut String::new).unwrap()));
        let missing = rows.take_missing();
        missing.iter().for_each(|names| assert!(shapes.add(names).unwrap().is_some()));
    }
}

fn ask(database: &Database<Memory>, request: &[u8]) -> Vec<u8> {
    wait(database.request(request)).unwrap()
}

fn main() {
    let steps = Steps { wanted: std::env::args().nth(1).unwrap_or_default() };
    let random = Cell::new(1);
    let docs: Vec<Object> = (0..BATCH * BATCHES).map(|place| reading(&random, place)).collect();
    let batches: Vec<Vec<u8>> = docs.chunks(BATCH).map(insert).collect();
    steps.run("batch to rows", BATCH, || batch::batch(docs[..BATCH].iter()), |bytes| rows(bytes));
    let insert_all = |database: &mut Database<Memory>| batches.iter().for_each(|batch| drop(ask(database, batch)));
    steps.run("insert batches", docs.len(), open, insert_all);
    // As many as there are before a checkpoint.
    let logged = || {
        let memory = Memory::new();
        let database = open_in(memory.clone());
        batches[..LOGGED].iter().for_each(|batch| drop(ask(&database, batch)));
        (memory, database)
    };
    let checkpoint =
        |(_, database): &mut (Memory, Database<Memory>)| assert!(wait(database.engine().checkpoint()).unwrap());
    steps.run("checkpoint", LOGGED * BATCH, logged, checkpoint);
    let reopen = |(memory, _): &mut (Memory, Database<Memory>)| drop(open_in(memory.clone()));
    steps.run("open, for each document in the log", LOGGED * BATCH, logged, reopen);
    let singles: Vec<Vec<u8>> = docs[..BATCH].iter().map(|doc| insert(core::slice::from_ref(doc))).collect();
    steps.run("insert one by one", BATCH, open, |database| singles.iter().for_each(|one| drop(ask(database, one))));
    let concurrently = |database: &mut Database<Memory>| {
        let mut pending: Vec<_> = singles.iter().map(|one| Box::pin(database.request(one))).collect();
        let mut context = Context::from_waker(Waker::noop());
        while !pending.is_empty() {
            pending.retain_mut(|one| one.as_mut().poll(&mut context).is_pending());
        }
    };
    steps.run("insert together (no pending storage)", BATCH, open, concurrently);

    let full = || {
        let database = open();
        batches.iter().for_each(|batch| drop(ask(&database, batch)));
        while wait(database.maintain(Company::Alone)).unwrap() {}
        database
    };
    let chosen: Vec<&Object> = docs.iter().step_by(BATCHES).collect();
    let keys: Vec<Value> = chosen.iter().map(|doc| doc.get("id").unwrap().clone()).collect();
    let update = |key: &Value, field: &str, value: Value| {
        let filter = Object::from([("id", key.clone())]);
        let update = Object::from([("$set", Object::from([(field, value)]).into())]);
        let body = Object::from([("filter", filter.into()), ("update", update.into())]);
        Value::from(Object::from([("updateOne", body.into())]))
    };
    for (field, value) in [("value", Value::from(5)), ("agent", Value::from("agent-new"))] {
        let operations: Vec<Value> = keys.iter().map(|key| update(key, field, value.clone())).collect();
        let operations = request("bulk_write", [("operations", operations.into())]);
        let name = format!("update `{field}` in a bulk write");
        steps.run(&name, BATCH, full, |database| drop(ask(database, &operations)));
    }
    let filter = Object::from([("id", Object::from([("$in", keys.clone().into())]).into())]);
    let set = Object::from([("$set", Object::from([("value", 5.into())]).into())]);
    let many = request("update", [("filter", filter.into()), ("update", set.into()), ("multi", true.into())]);
    steps.run("update `value` of many keys", BATCH, full, |database| drop(ask(database, &many)));
    let delete = request("delete_keys", [("keys", keys.into())]);
    steps.run("delete by key", BATCH, full, |database| drop(ask(database, &delete)));
}
