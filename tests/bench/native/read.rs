//! What reading costs without a browser: requests to answers, on readings in memory.
//!
//! `cargo run --profile bench --features simulation --example read -- [part of a name]` prints the least and the median time of each
//! read. Under a profiler, name one and set `ROUNDS`.

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
use hyphadb::engine::Company;
use hyphadb::engine::Options;
use hyphadb::env::simulated::World;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value, codec};
use readings::{Numbers, SITES, TS_START_MS, TS_STEP_MS, readings};
use std::rc::Rc;
use std::time::Instant;

const BATCH: usize = 1000;

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

fn request(op: &str, more: Vec<(&str, Value)>) -> Vec<u8> {
    let mut request = Object::from([("op", op.into()), ("collection", "readings".into())]);
    for (name, value) in more {
        request.set(name, value);
    }
    codec::encoded(&request.into())
}

fn open(documents: &[Object]) -> Database<Memory> {
    let world = World::new(1);
    let index = |fields: &[&str]| Object::from([("fields", list(fields.iter().map(|f| (*f).into()).collect()))]).into();
    let indexes = list(vec![index(&["agent"]), index(&["ts"]), index(&["site", "ts"])]);
    let collection = Object::from([("key", "id".into()), ("indexes", indexes)]);
    let collections = list(vec![list(vec!["readings".into(), collection.into()])]);
    let config = Object::from([("name", "bench".into()), ("collections", collections)]);
    let column_bytes =
        std::env::var("COLUMN_BYTES").map_or(Options::default().column_bytes, |bytes| bytes.parse().unwrap());
    let options = Options { cache_bytes: 256 * 1024 * 1024, column_bytes, ..Options::default() };
    let env = Rc::new(world.env("bench"));
    world
        .block_on(async move {
            let opened = Database::open_with(Memory::new(), env, Config::parse(&config).unwrap(), options).await;
            let database = opened.unwrap();
            for batch in documents.chunks(BATCH) {
                let docs = list(batch.iter().cloned().map(Value::from).collect());
                database.request(&request("insert", vec![("docs", docs)])).await.unwrap();
                database.maintain(Company::Alone).await.unwrap();
            }
            while database.maintain(Company::Alone).await.unwrap() {}
            database
        })
        .unwrap()
}

fn measure(name: &str, rounds: usize, database: &Database<Memory>, mut next: impl FnMut() -> Vec<u8>) {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
        return;
    }
    let rounds = std::env::var("ROUNDS").map_or(rounds, |rounds| rounds.parse().unwrap());
    let mut times_us: Vec<f64> = Vec::new();
    let mut bytes = 0;
    for _ in 0..rounds {
        let request = next();
        let start = Instant::now();
        bytes = at_once(database.request(&request)).unwrap().len();
        times_us.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times_us.sort_by(f64::total_cmp);
    println!("{name:<24} min {:>9.1} us   p50 {:>9.1} us   {bytes} bytes", times_us[0], times_us[rounds / 2]);
}

fn main() {
    let count: usize = std::env::var("COUNT").map_or(100_000, |count| count.parse().unwrap());
    let documents = readings(count);
    let database = open(&documents);
    let numbers = core::cell::RefCell::new(Numbers(2));
    let id = |_| documents[numbers.borrow_mut().below(count as u64) as usize].get("id").unwrap().clone();
    let agent = || Object::from([("agent", format!("agent-{:03}", numbers.borrow_mut().below(200)).into())]).into();
    let site = || Object::from([("site", format!("site-{:02}", numbers.borrow_mut().below(SITES)).into())]).into();
    let newest = || list(vec![list(vec!["ts".into(), (-1).into()])]);
    let range = || {
        let start = TS_START_MS + numbers.borrow_mut().below(count as u64 - 1000) as i32 * TS_STEP_MS;
        let bounds = Object::from([("$gte", start.into()), ("$lt", (start + 1000 * TS_STEP_MS).into())]);
        Object::from([("ts", bounds.into())]).into()
    };
    let find = |more: Vec<(&str, Value)>| request("find", more);
    let fields = || list(vec!["ts".into(), "value".into(), "site".into()]);
    let warn = || -> Value {
        Object::from([("status", "warn".into()), ("value", Object::from([("$gt", 5.into())]).into())]).into()
    };

    measure("get", 5000, &database, || request("get", vec![("keys", list(vec![id(0)]))]));
    measure("bulk_get_1000", 100, &database, || request("get", vec![("keys", list((0..1000).map(id).collect()))]));
    measure("agent_sort_ts_50", 200, &database, || {
        find(vec![("filter", agent()), ("sort", newest()), ("limit", 50.into())])
    });
    measure("site_sort_ts_50", 500, &database, || {
        find(vec![("filter", site()), ("sort", newest()), ("limit", 50.into())])
    });
    // A part of the sites, the newest of all: each site's entries give the order.
    measure("sites_sort_ts_50", 200, &database, || {
        let sites = list(vec!["site-01".into(), "site-04".into(), "site-07".into()]);
        let among = Object::from([("site", Object::from([("$in", sites)]).into())]);
        find(vec![("filter", among.into()), ("sort", newest()), ("limit", 50.into())])
    });
    // What matches often, in the order of an index that says nothing of it.
    measure("ok_sort_ts_50", 100, &database, || {
        let ok = Object::from([("status", "ok".into())]);
        find(vec![("filter", ok.into()), ("sort", newest()), ("limit", 50.into())])
    });
    measure("agent_or_agent", 100, &database, || {
        let mut narrow = Object::new();
        narrow.set("$or", list(vec![agent(), range()]));
        find(vec![("filter", narrow.into()), ("want", "count".into())])
    });
    measure("agent_documents_500", 100, &database, || find(vec![("filter", agent())]));
    measure("most_of_range", 10, &database, || {
        let most = Object::from([("$gte", (TS_START_MS + 1000 * TS_STEP_MS).into())]);
        find(vec![
            ("filter", Object::from([("ts", most.into())]).into()),
            ("want", "count".into()),
            ("limit", 90_000.into()),
        ])
    });
    measure("distinct_agents", 10, &database, || {
        request("distinct", vec![("field", "agent".into()), ("filter", Object::new().into())])
    });
    measure("range_1000", 100, &database, || find(vec![("filter", range())]));
    measure("range_1000_keys", 100, &database, || find(vec![("filter", range()), ("want", "keys".into())]));
    measure("range_1000_count", 100, &database, || find(vec![("filter", range()), ("want", "count".into())]));
    measure("range_1000_columns", 100, &database, || {
        find(vec![("filter", range()), ("want", "columns".into()), ("fields", fields())])
    });
    let columns = || find(vec![("want", "columns".into()), ("fields", list(vec!["ts".into(), "value".into()]))]);
    let grouped = |by: Value| {
        let fold = |name: &str| Object::from([(name, "$value".into())]).into();
        let group = Object::from([
            ("_id", by),
            ("count", Object::from([("$sum", 1.into())]).into()),
            ("avg", fold("$avg")),
            ("max", fold("$max")),
        ]);
        request("aggregate", vec![("pipeline", list(vec![Object::from([("$group", group.into())]).into()]))])
    };
    let hour = || -> Value {
        let part = Object::from([("$mod", list(vec!["$ts".into(), 3600.into()]))]);
        Object::from([("$subtract", list(vec!["$ts".into(), part.into()]))]).into()
    };
    for rounds in [1, 20] {
        measure("group_by_site", rounds, &database, || grouped("$site".into()));
        measure("group_by_hour", rounds, &database, || grouped(hour()));
        measure("all_columns", rounds, &database, columns);
        measure("scan_warn", rounds, &database, || find(vec![("filter", warn())]));
    }
    measure("count_all", 10, &database, || request("count", vec![]));
    measure("all", 5, &database, || find(vec![]));
}
