//! What 100,000 readings take on disk, natively: the segments and the log of a database in memory.
//!
//! `cargo run --profile bench --example size`. Not the benchmark of the product: what a browser makes of the bytes is not
//! in it. The readings are those of `tests/bench/page/documents.js`.

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
use hyphadb::storage::Store;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value, codec};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

#[path = "../../support/batch.rs"]
mod batch;

const COUNT: usize = 100_000;
const BATCH: usize = 1000;

/// A clock that stands still but for the slices of background work, and cheap chance.
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
            self.random.set(self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            *byte = (self.random.get() >> 56) as u8;
        }
    }

    fn sleep(&self, _: u32) -> LocalFuture<'static, ()> {
        Box::pin(core::future::ready(()))
    }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(value) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// mulberry32, as in `documents.js`.
struct Chance(u32);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let mut mixed = (self.0 ^ (self.0 >> 15)).wrapping_mul(self.0 | 1);
        mixed ^= mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(mixed | 61));
        f64::from(mixed ^ (mixed >> 14)) / 4_294_967_296.0
    }

    fn below(&mut self, limit: u64) -> usize {
        (self.next() * limit as f64) as usize
    }

    fn one<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64)]
    }

    fn hex(&mut self) -> String {
        format!("{:08x}", self.below(1 << 32))
    }
}

fn spread(integer: u32) -> u32 {
    let mixed = (integer ^ (integer >> 16)).wrapping_mul(0x85eb_ca6b);
    let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
    mixed ^ (mixed >> 16)
}

fn reading(index: usize) -> Object {
    let kinds = [("temperature", "C"), ("humidity", "%"), ("pressure", "hPa"), ("vibration", "mm/s"), ("current", "A")];
    let all_tags = ["indoor", "outdoor", "roof", "cellar", "spare", "leased", "mains", "solar"];
    let notes = [
        "calibrated",
        "battery low",
        "door open",
        "sunlight",
        "fan running",
        "after maintenance",
        "new firmware",
        "probe 2",
        "cable replaced",
        "restarted",
        "checked by hand",
        "clock adjusted",
        "nothing unusual",
    ];
    let mut chance = Chance(spread(index as u32 ^ spread(1)));
    let id = chance.hex() + &chance.hex() + &chance.hex();
    let ts = 1_700_000_000_000.0 + (index * 1000 + chance.below(1000)) as f64;
    let agent = format!("agent-{:03}", chance.below(200));
    let site = format!("site-{:02}", chance.below(40));
    let (kind, unit) = chance.one(&kinds);
    let status = if chance.next() < 0.1 { "warn" } else { "ok" };
    let value = (chance.next() * 10_000.0).round() / 100.0;
    let tags = (0..=chance.below(3)).map(|_| Value::from(chance.one(&all_tags))).collect();
    let note = format!("{}, {}", chance.one(&notes), chance.one(&notes));
    Object::from([
        ("id", id.into()),
        ("ts", Value::number(ts).unwrap()),
        ("agent", agent.into()),
        ("site", site.into()),
        ("kind", kind.into()),
        ("status", status.into()),
        ("value", Value::number(value).unwrap()),
        ("unit", unit.into()),
        ("tags", Value::Array(tags)),
        ("note", note.into()),
    ])
}

fn list(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(*value)).collect())
}

fn main() {
    let indexes = vec!["agent".into(), "ts".into(), list(&["site", "ts"])];
    let readings = Object::from([("key", "id".into()), ("indexes", indexes.into())]);
    let collections = vec![vec!["readings".into(), readings.into()].into()];
    let config = Object::from([("name", "bench".into()), ("collections", collections.into())]);
    let memory = Memory::new();
    let env = Rc::new(Machine { start: Instant::now(), random: Cell::new(7) });
    let database = wait(Database::open(memory.clone(), env, Config::parse(&config).unwrap())).unwrap();
    let docs: Vec<Object> = (0..COUNT).map(reading).collect();
    let (mut logged, mut before) = (0, 0);
    let log_bytes = |memory: &Memory| memory.contents().log().last().map_or(0, |(_, value)| value.len());
    for docs in docs.chunks(BATCH) {
        let docs = Value::Bytes(batch::batch(docs.iter()));
        let request = Object::from([("op", "insert".into()), ("collection", "readings".into()), ("docs", docs)]);
        wait(database.request(&codec::encoded(&request.into()))).unwrap();
        logged += log_bytes(&memory);
        before += 1;
        wait(database.maintain(Company::Alone)).unwrap();
    }
    while wait(database.maintain(Company::Alone)).unwrap() {}
    let contents = memory.contents();
    let main: usize =
        contents.values(Store::Main).map(|(_, value)| value.len()).filter(|len| *len != 1280 * 1024).sum();
    let log: usize = contents.log().map(|(_, value)| value.len()).sum();
    println!("{} records, {:.1} bytes a document in the log", before, logged as f64 / COUNT as f64);
    println!("segments {main} bytes, log left {log}");
}
