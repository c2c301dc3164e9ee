//! Slow queries: what is remembered of them, and what is advised.

use crate::documents_fixture::{Ask, Fixture};
use crate::notation::{object, value};
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::limits::SLOW_QUERIES_MAX;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value};
use std::rc::Rc;

/// Opens with a threshold; with 0 every query is slow, for no time passes.
async fn open(fixture: &Fixture, query_time_ms: i32) -> Database<Memory> {
    let config = Object::from([
        ("name", "test".into()),
        ("alert_thresholds", Object::from([("query_time", query_time_ms.into())]).into()),
        (
            "collections",
            value("[['c', {key: 'id', indexes: ['n', {fields: 'u', unique: true}]}], ['d', {indexes: ['x']}]]"),
        ),
    ]);
    let env = Rc::new(fixture.world.env("one"));
    Database::open_with(fixture.memory.clone(), env, Config::parse(&config).unwrap(), fixture.options).await.unwrap()
}

async fn fill(database: &Database<Memory>, count: usize) {
    let document = |n: usize| object(&format!("{{id: {n}, n: {}, u: {n}, s: {}, t: {}}}", n % 10, n % 50, n % 1000));
    let documents: Vec<Value> = (0..count).map(|n| document(n).into()).collect();
    let mut insert = object("{op: 'insert', collection: 'c'}");
    insert.set("docs", documents.into());
    database.ask_value(insert).await.unwrap();
}

async fn ask(database: &Database<Memory>, request: &str) -> Object {
    database.ask_value(object(request)).await.unwrap()
}

async fn slow(database: &Database<Memory>) -> Vec<Object> {
    let answer = ask(database, "{op: 'slow_queries'}").await;
    answer.get("queries").unwrap().as_array().unwrap().iter().map(|query| query.as_object().unwrap().clone()).collect()
}

async fn advice(database: &Database<Memory>, kind: &str) -> Vec<String> {
    let answer = ask(database, "{op: 'advise'}").await;
    let all = answer.get("advice").unwrap().as_array().unwrap();
    let of_kind = all.iter().map(|advice| advice.as_object().unwrap());
    let of_kind = of_kind.filter(|advice| advice.get("advice").unwrap().as_str() == Some(kind));
    of_kind.map(|advice| format!("{} {}", advice.get("collection").unwrap(), advice.get("index").unwrap())).collect()
}

/// Some of what is told of a query.
fn told(query: &Object) -> String {
    let names = ["collection", "filter", "sort", "count", "keys", "documents", "returned", "plan"];
    names.map(|name| query.get(name).unwrap().to_string()).join(" ")
}

#[test]
fn queries_that_differ_in_values_alone_are_one() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = open(&fixture, 0).await;
        fill(&database, 100).await;
        for s in [1, 2, 3] {
            ask(
                &database,
                &format!("{{op: 'find', collection: 'c', filter: {{s: {s}}}, sort: [['t', -1]], limit: 1}}"),
            )
            .await;
        }
        ask(&database, "{op: 'count', collection: 'c', filter: {n: 1}}").await;
        ask(&database, "{op: 'update', collection: 'c', multi: true, filter: {n: 1, s: 11}, update: {$set: {v: 1}}}")
            .await;
        ask(&database, "{op: 'aggregate', collection: 'c', pipeline: [{$match: {t: {$lt: 5}}}, {$count: 'n'}]}").await;
        let mut all: Vec<String> = slow(&database).await.iter().map(told).collect();
        all.sort();
        assert_eq!(
            all,
            [
                r#""c" {n: "?", s: "?"} [] 1 10 10 2 "index n, filter""#,
                r#""c" {n: "?"} [] 1 10 0 10 "index n""#,
                r#""c" {s: "?"} [["t", -1]] 3 300 6 3 "scan, sort, filter""#,
                r#""c" {t: {$lt: "?"}} [] 1 100 0 5 "scan, filter""#,
            ]
        );
    });
}

#[test]
fn what_reads_far_more_than_it_returns_is_slow_however_quick() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = open(&fixture, 1000).await;
        fill(&database, 9_000).await;
        ask(&database, "{op: 'find', collection: 'c', filter: {t: 5}}").await;
        assert!(slow(&database).await.is_empty());
        let more: Vec<Value> = (9_000..12_000).map(|n| object(&format!("{{id: {n}, u: {n}}}")).into()).collect();
        let mut insert = object("{op: 'insert', collection: 'c'}");
        insert.set("docs", more.into());
        database.ask_value(insert).await.unwrap();
        ask(&database, "{op: 'find', collection: 'c', filter: {t: 5}}").await;
        ask(&database, "{op: 'find', collection: 'c', filter: {n: {$gte: 0}}}").await;
        let all = slow(&database).await;
        assert_eq!(all.iter().map(told).collect::<Vec<_>>(), [r#""c" {t: "?"} [] 1 12000 9 9 "scan, filter""#]);
        assert_eq!(advice(&database, "create").await, [r#""c" {fields: ["t"]}"#]);
    });
}

#[test]
fn what_is_advised_and_made_is_not_advised_again() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = open(&fixture, 0).await;
        fill(&database, 3_000).await;
        ask(&database, "{op: 'find', collection: 'c', filter: {s: 1, u: {$gt: 5}}, sort: [['t', -1]], limit: 5}").await;
        ask(&database, "{op: 'find', collection: 'c', filter: {s: 2}}").await;
        assert_eq!(advice(&database, "create").await, [r#""c" {fields: ["s", "t", "u"]}"#]);
        ask(&database, "{op: 'create_index', collection: 'c', spec: ['s', 't', 'u']}").await;
        assert!(advice(&database, "create").await.is_empty());
        let find =
            ask(&database, "{op: 'find', collection: 'c', filter: {s: 1, u: {$gt: 5}}, sort: [['t', -1]], limit: 5}")
                .await;
        assert_eq!(find.get("docs").unwrap().as_array().unwrap().len(), 5);
    });
}

#[test]
fn an_index_is_unused_until_a_query_reads_it() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = open(&fixture, 1000).await;
        fill(&database, 100).await;
        assert!(advice(&database, "unused").await.is_empty(), "nothing was looked for in any collection");
        ask(&database, "{op: 'find', collection: 'c', filter: {s: 5}}").await;
        assert_eq!(advice(&database, "unused").await, [r#""c" "n""#]);
        ask(&database, "{op: 'delete', collection: 'c', filter: {n: 5}}").await;
        assert!(advice(&database, "unused").await.is_empty());
    });
}

#[test]
fn what_is_remembered_is_bounded() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = open(&fixture, 0).await;
        for field in 0..SLOW_QUERIES_MAX + 20 {
            ask(&database, &format!("{{op: 'find', collection: 'c', filter: {{f{field}: 1}}}}")).await;
        }
        assert_eq!(slow(&database).await.len(), SLOW_QUERIES_MAX);
        let many: String = (0..3000).map(|n| format!("g{n}: 1, ")).collect();
        ask(&database, &format!("{{op: 'find', collection: 'c', filter: {{{many}h: 1}}}}")).await;
        let all = slow(&database).await;
        assert!(all.iter().any(|query| query.get("filter") == Some(&"?".into())), "{all:?}");
        assert!(advice(&database, "create").await.is_empty());
    });
}
