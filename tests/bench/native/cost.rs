//! What the constants of `src/query/plan/cost.rs` stand for, measured; and whether the plans that they choose are good.
//!
//! `cargo run --profile bench --features simulation --example cost` prints microseconds of each step, over documents whose blocks
//! are in memory, without vectors. `... --example cost -- plans [seed]` asks random questions of a database with all indexes,
//! and of databases with one each and with none: the plan that is chosen among all should be about as quick as the best of
//! those. `COUNT` documents, `QUESTIONS`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a program for measuring"
)]

mod readings;

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::engine::{Company, Options};
use hyphadb::env::simulated::World;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value, codec};
use readings::{Numbers, SITES, TS_START_MS, TS_STEP_MS, readings};
use std::rc::Rc;
use std::time::Instant;

const INDEXES: [&[&str]; 5] = [&["agent"], &["ts"], &["site", "ts"], &["status"], &["value"]];

/// Nothing in memory ever waits.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a read in memory waits"),
    }
}

fn list(values: Vec<Value>) -> Value {
    Value::Array(values)
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

fn request(op: &str, more: &[(&str, Value)]) -> Vec<u8> {
    let mut request = Object::from([("op", op.into()), ("collection", "readings".into())]);
    for (name, value) in more {
        request.set(*name, value.clone());
    }
    codec::encoded(&request.into())
}

fn open(documents: &[Object], indexes: &[&[&str]], cache_bytes: usize) -> Database<Memory> {
    let world = World::new(1);
    let index = |fields: &&[&str]| object([("fields", list(fields.iter().map(|field| (*field).into()).collect()))]);
    let indexes = list(indexes.iter().map(index).collect());
    let collection = object([("key", "id".into()), ("indexes", indexes)]);
    let collections = list(vec![list(vec!["readings".into(), collection])]);
    let config = Object::from([("name", "bench".into()), ("collections", collections)]);
    let options = Options { cache_bytes, column_bytes: 0, ..Options::default() };
    let env = Rc::new(world.env("bench"));
    let opened = async {
        let opened = Database::open_with(Memory::new(), env, Config::parse(&config).unwrap(), options).await;
        let database = opened.unwrap();
        for batch in documents.chunks(1000) {
            let docs = list(batch.iter().cloned().map(Value::from).collect());
            database.request(&request("insert", &[("docs", docs)])).await.unwrap();
            database.maintain(Company::Alone).await.unwrap();
        }
        while database.maintain(Company::Alone).await.unwrap() {}
        database
    };
    world.block_on(opened).unwrap()
}

/// The least time of some rounds.
fn least_us(database: &Database<Memory>, rounds: usize, request: &[u8]) -> f64 {
    let once = |_| {
        let start = Instant::now();
        at_once(database.request(request)).unwrap();
        start.elapsed().as_secs_f64() * 1e6
    };
    (0..rounds).map(once).fold(f64::INFINITY, f64::min)
}

fn steps(documents: &[Object]) {
    let count = documents.len() as f64;
    let database = open(documents, &INDEXES, 256 * 1024 * 1024);
    let scanned = open(documents, &[], 256 * 1024 * 1024);
    let uncached = open(documents, &[], 0);
    let counted = |filter: Value| request("count", &[("filter", filter)]);
    let time = |filter: Value| least_us(&database, 20, &counted(filter));
    let print = |name: &str, us: f64| println!("{name:<36} {us:>7.3} us");
    let all = |operator: &str, operand: Value| object([("ts", object([(operator, operand)]))]);

    let points = |last: i32| list((0..last).map(|at| (TS_START_MS + at * TS_STEP_MS + 1).into()).collect());
    let seek = (time(all("$in", points(1000))) - time(all("$in", points(1)))) / 999.0;
    print("SEEK, a range begun", seek);
    let entry = time(all("$gte", 0.into())) / count;
    print("ENTRY, an entry passed", entry);
    let site = |more: Vec<(&str, Value)>| {
        let mut filter = Object::from([("site", object([("$gte", "".into())]))]);
        more.into_iter().for_each(|(name, value)| filter.set(name, value));
        filter.into()
    };
    let asked = time(site(vec![("ts", object([("$ne", 5.into())]))])) / count;
    print("ASK_ENTRY, an entry asked", asked - entry);
    let scan = least_us(&scanned, 20, &request("count", &[])) / count;
    print("SCAN, a document passed", scan);
    let warn = || object([("status", "warn".into())]);
    let scan_asked = least_us(&scanned, 20, &counted(warn())) / count;
    print("ASK, a document asked", scan_asked - scan);
    let uncached = least_us(&uncached, 5, &request("count", &[])) / count;
    print("SCAN, of blocks that are unpacked", uncached);
    // Of the entries of one agent each document lies somewhere else.
    let agents = |more: Vec<(&str, Value)>| {
        let among = (0..40).map(|at| format!("agent-{:03}", at * 5).into()).collect();
        let mut filter = Object::from([("agent", object([("$in", list(among))]))]);
        more.into_iter().for_each(|(name, value)| filter.set(name, value));
        Value::from(filter)
    };
    let found = count / 5.0;
    let looked_up = (time(agents(vec![("note", object([("$exists", false.into())]))])) - time(agents(vec![]))) / found;
    print("LOOK_UP, a document by its key", looked_up - (scan_asked - scan));
    let keys = |sort: Value| request("find", &[("want", "keys".into()), ("sort", sort)]);
    let by = |field: &str| list(vec![list(vec![field.into(), 1.into()])]);
    let sorted = least_us(&scanned, 5, &keys(by("value"))) - least_us(&scanned, 5, &keys(list(Vec::new())));
    print("GATHER, a document sorted", sorted / count);
    let most = || object([("$gte", TS_START_MS.into())]);
    let either = object([("$or", list(vec![object([("ts", most())]), object([("agent", "none".into())])]))]);
    print("DEDUPE, a key remembered", time(either) / count - entry);
}

/// A random question: a filter, a sort, and how many are wanted.
fn question(numbers: &mut Numbers, count: u64) -> Vec<(&'static str, Value)> {
    let mut filter = Object::new();
    for _ in 0..=numbers.below(2) {
        let start = numbers.below(count);
        let width = 1_u64.max(count >> numbers.below(14));
        let at = |place: u64| (TS_START_MS + place as i32 * TS_STEP_MS).into();
        let site = |number: u64| -> Value { format!("site-{number:02}").into() };
        let (field, asked) = match numbers.below(7) {
            0 => ("agent", format!("agent-{:03}", numbers.below(200)).into()),
            1 => ("site", site(numbers.below(SITES))),
            2 => ("site", object([("$in", list((0..=numbers.below(SITES)).map(site).collect()))])),
            3 | 4 => ("ts", object([("$gte", at(start)), ("$lt", at(start + width))])),
            5 => ("status", if numbers.below(3) == 0 { "ok".into() } else { "warn".into() }),
            _ => ("value", object([("$gt", Value::number(numbers.below(400) as f64 / 10.0).unwrap())])),
        };
        filter.set(field, asked);
    }
    let mut question = vec![("filter", filter.into())];
    let way: Value = if numbers.below(2) == 0 { 1.into() } else { (-1).into() };
    match numbers.below(4) {
        0 | 1 => question.push(("sort", list(vec![list(vec!["ts".into(), way])]))),
        2 => question.push(("sort", list(vec![list(vec!["value".into(), way])]))),
        _ => {}
    }
    if numbers.below(2) == 0 {
        question.push(("limit", 50.into()));
    }
    question
}

fn plans(documents: &[Object], seed: u64) {
    let cache_bytes = 256 * 1024 * 1024;
    let together = open(documents, &INDEXES, cache_bytes);
    let mut each: Vec<(String, Database<Memory>)> =
        INDEXES.iter().map(|index| (index.join("+"), open(documents, &[index], cache_bytes))).collect();
    each.push(("none".to_owned(), open(documents, &[], cache_bytes)));
    let mut numbers = Numbers(seed);
    let mut ratios: Vec<f64> = Vec::new();
    let questions: usize = std::env::var("QUESTIONS").map_or(100, |count| count.parse().unwrap());
    for _ in 0..questions {
        let question = question(&mut numbers, documents.len() as u64);
        let find = request("find", &question);
        let mut mine = least_us(&together, 3, &find);
        let (mut best, mut by) = (f64::INFINITY, "");
        for (name, database) in &each {
            let time = least_us(database, 3, &find);
            if time < best {
                (best, by) = (time, name);
            }
        }
        mine = mine.min(least_us(&together, 3, &find));
        let ratio = mine / best;
        ratios.push(ratio);
        if ratio > 1.5 && mine > best + 50.0 {
            let explained = at_once(together.request(&request("explain", &question))).unwrap();
            let Ok(Value::Object(explained)) = codec::decode(&explained) else { continue };
            let asked: Vec<String> = question.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let plan =
                ["plan", "index", "bounds", "among", "estimate"].map(|name| explained.get(name).map(Value::to_string));
            let plan: Vec<String> = plan.into_iter().flatten().collect();
            println!("{ratio:.2}: {mine:.0} us, {best:.0} by {by}; {}\n    {}", asked.join(", "), plan.join(" "));
        }
    }
    ratios.sort_by(f64::total_cmp);
    let above = ratios.iter().filter(|ratio| **ratio > 2.0).count();
    let at = |part: usize| ratios[(questions - 1) * part / 100];
    println!(
        "{questions} questions, seed {seed}: as slow as the best of one index or none, median {:.2}, 90 % {:.2}, \
        the worst {:.2}; {above} above 2",
        at(50),
        at(90),
        at(100)
    );
}

fn main() {
    let count: usize = std::env::var("COUNT").map_or(50_000, |count| count.parse().unwrap());
    let documents = readings(count);
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("plans") => plans(&documents, words.next().map_or(1, |seed| seed.parse().unwrap())),
        _ => steps(&documents),
    }
}
