//! Documents in transactions and in several contexts at once: what each sees, and that nothing is lost.

use crate::documents_fixture::{Ask, Fixture, describe};
use crate::notation::value;
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::error::ErrorKind;
use hyphadb::storage::Durability;
use hyphadb::storage::simulated::{Disk, DiskOptions};
use hyphadb::value::{Object, codec};
use std::cell::RefCell;
use std::rc::Rc;

const READINGS: &str = "[['readings', {key: 'id', indexes: ['site', ['site', 'ts'], 'tags', \
    {name: 'serial', fields: 'serial', unique: true, sparse: true}]}]]";

const DOCS: &str = "[{id: 1, site: 'a', ts: 30, tags: ['x', 'y']}, {id: 2, site: 'b', ts: 20, serial: 's2'}, \
    {id: 3, site: 'a', ts: 10, tags: 'x', serial: 's3'}, {id: 4, site: 'a', ts: 20, tags: []}]";

#[test]
fn transactions_read_their_own_writes_and_are_validated() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        let transaction = database.begin().unwrap();
        assert_eq!(transaction.ask("{op: 'insert', collection: 'readings', docs: [{id: 5, site: 'a', ts: 15, other: 1}]}").await, "{insertedIds: [5]}");
        let find = "{op: 'find', collection: 'readings', filter: {site: 'a'}, sort: [['ts', 1]], want: 'keys'}";
        assert_eq!(transaction.ask(find).await, "{keys: [3, 5, 4, 1]}");
        assert_eq!(database.ask(find).await, "{keys: [3, 4, 1]}");
        let failing = "{op: 'insert', collection: 'readings', docs: [{id: 6}, {id: 5}]}";
        assert_eq!(transaction.ask(failing).await, "already_exists: document 1: collection `readings` has a document with key `5` already");
        assert_eq!(transaction.ask("{op: 'count', collection: 'readings'}").await, "{count: 5}");
        assert_eq!(transaction.ask("{op: 'create_index', collection: 'readings', spec: 'x'}").await, "invalid: `create_index` cannot be part of a transaction");
        let committed = codec::decode(&transaction.commit(Durability::Strict).await.unwrap()).unwrap();
        assert!(committed.as_object().unwrap().get("seq").is_some());
        assert_eq!(describe(&transaction.try_ask(find).await.unwrap_err()), "closed: the transaction has ended");

        // Two that read and write the same: the second to commit is told to run again.
        let increment = "{op: 'update', collection: 'readings', filter: {id: 1}, update: {$inc: {ts: 1}}}";
        let (first, second) = (database.begin().unwrap(), database.begin().unwrap());
        assert_eq!(first.ask(increment).await, second.ask(increment).await);
        first.commit(Durability::Relaxed).await.unwrap();
        assert_eq!(second.commit(Durability::Relaxed).await.unwrap_err().kind(), ErrorKind::Conflict);

        // A bulk write that breaks off takes the transaction with it.
        let third = database.begin().unwrap();
        let bulk = "{op: 'bulk_write', collection: 'readings', operations: [{insertOne: {document: {id: 8}}}, {insertOne: {document: {id: 8}}}]}";
        assert!(third.ask(bulk).await.starts_with("already_exists: operation 1"));
        assert!(third.ask(find).await.starts_with("already_exists: the transaction failed"));
        assert!(third.commit(Durability::Relaxed).await.is_err());
        let fourth = database.begin().unwrap();
        fourth.ask(increment).await;
        fourth.rollback();
        assert_eq!(database.ask("{op: 'get', collection: 'readings', keys: [1, 8]}").await, "{docs: [{id: 1, site: \"a\", ts: 31, tags: [\"x\", \"y\"]}, null]}");
    });
}

#[test]
fn operations_that_name_documents_by_key_do_what_they_would_one_by_one() {
    let bulk = |operations: &str| format!("{{op: 'bulk_write', collection: 'readings', operations: [{operations}]}}");
    let set = |id: u32, update: &str| format!("{{updateOne: {{filter: {{id: {id}}}, update: {update}}}}}");
    let counts = |matched: u32, modified: u32, deleted: u32, upserted: u32| {
        format!(
            "{{insertedIds: [], insertedCount: 0, matchedCount: {matched}, modifiedCount: {modified}, deletedCount: {deleted}, \
            upsertedCount: {upserted}}}"
        )
    };
    let more = "{deleteOne: {filter: {id: 1}}}, {deleteMany: {filter: {id: 9}}}, {replaceOne: {filter: {id: 4}, replacement: {x: 1}}}";
    let moved =
        [&set(3, "{$set: {serial: 't'}}"), &set(2, "{$set: {serial: 's3'}}"), more, &set(77, "{$inc: {ts: 1}}")];
    let taken = [set(3, "{$set: {ts: 1}}"), set(2, "{$set: {serial: 't'}}")];
    let idle = [set(3, "{$set: {serial: 't'}}"), set(2, "{$set: {site: ['y']}}"), set(4, "{$unset: {no: 1}}")];
    let twice = [set(2, "{$inc: {ts: 1}}"), set(2, "{$inc: {ts: 1}}")];
    let upsert =
        [set(2, "{$inc: {ts: 1}}"), "{updateOne: {filter: {id: 6}, update: {$set: {y: 1}}, upsert: true}}".into()];
    let filtered =
        ["{deleteOne: {filter: {id: 2, ts: 5}}}", "{deleteOne: {filter: {$and: [{id: 3}, {ts: {$gt: 99}}]}}}"];
    let moved = bulk(&moved.join(", "));
    let taken = bulk(&taken.join(", "));
    let idle = bulk(&idle.join(", "));
    let twice = bulk(&twice.join(", "));
    let upsert = bulk(&upsert.join(", "));
    let filtered = bulk(&filtered.join(", "));
    let (three, one, two, upserted, none) =
        (counts(3, 3, 1, 0), counts(3, 1, 0, 0), counts(2, 2, 0, 0), counts(1, 1, 0, 1), counts(0, 0, 0, 0));
    let steps: [(&str, &str); 9] = [
        (&moved, &three),
        (&taken, "already_exists: operation 1: index `serial` of collection `readings` has `\"t\"` already"),
        (&idle, &one),
        (&twice, &two),
        (&upsert, &upserted),
        (&filtered, &none),
        ("{op: 'find', collection: 'readings', filter: {serial: {$in: ['s3', 't']}}, want: 'keys'}", "{keys: [2, 3]}"),
        ("{op: 'find', collection: 'readings', filter: {site: 'y'}, want: 'keys'}", "{keys: [2]}"),
        ("{op: 'get', collection: 'readings', keys: [4, 6]}", "{docs: [{id: 4, x: 1}, {id: 6, y: 1}]}"),
    ];
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        for (request, expected) in steps {
            assert_eq!(database.ask(request).await, *expected, "{request}");
        }
    });
}

#[test]
fn concurrent_inserts_share_few_appends_and_concurrent_updates_are_not_lost() {
    let fixture = Fixture::new(1);
    let group = fixture.world.group();
    let disk = Disk::new(&fixture.world, DiskOptions { latency_max_us: 1000, ..DiskOptions::default() });
    let config = Object::from([("name", "test".into()), ("collections", value(READINGS))]);
    let env = Rc::new(fixture.world.env("tab"));
    let opened = Database::open(disk.connect(group), env, Config::parse(&config).unwrap());
    let database = Rc::new(fixture.run(opened).unwrap());
    let before = database.engine().figures().appends;
    for i in 0..1000 {
        let database = Rc::clone(&database);
        let insert = format!("{{op: 'insert', collection: 'readings', docs: [{{id: {i}, site: 's{}'}}]}}", i % 7);
        fixture.world.spawn(
            "insert",
            group,
            async move { assert!(database.ask(&insert).await.starts_with("{inserted")) },
        );
    }
    fixture.world.run().unwrap();
    let appends = database.engine().figures().appends - before;
    assert!(appends <= 10, "1000 inserts took {appends} appends");
    assert_eq!(fixture.run(database.ask("{op: 'count', collection: 'readings'}")), "{count: 1000}");
    for _ in 0..200 {
        let database = Rc::clone(&database);
        fixture.world.spawn("increment", group, async move {
            let increment = "{op: 'update', collection: 'readings', filter: {id: 7}, update: {$inc: {n: 1}}}";
            assert_eq!(database.ask(increment).await, "{matchedCount: 1, modifiedCount: 1}");
        });
    }
    fixture.world.run().unwrap();
    assert_eq!(
        fixture.run(database.ask("{op: 'get', collection: 'readings', keys: [7]}")),
        "{docs: [{id: 7, site: \"s0\", n: 200}]}"
    );
}

#[test]
fn changes_are_told_to_every_context() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let (one, two) = (fixture.open("one", READINGS).await, fixture.open("two", "[]").await);
        let told: Rc<RefCell<Vec<String>>> = Rc::default();
        for (name, database) in [("one", &one), ("two", &two)] {
            let told = Rc::clone(&told);
            database.on_commit(move |message| {
                let mut message = codec::decode(&message.encode()).unwrap().as_object().unwrap().clone();
                message.remove("seq");
                told.borrow_mut().push(format!("{name} {message}"));
            });
        }
        one.ask("{op: 'insert', collection: 'readings', docs: [{id: 1n}, {id: 'x'}]}").await;
        one.ask("{op: 'put', collection: 'readings', docs: [{id: 1n}, {id: 2}]}").await;
        one.ask("{op: 'delete_keys', collection: 'readings', keys: ['x']}").await;
        assert!(two.catch_up().await.unwrap());
        let changes = [
            "[]",
            "[[\"readings\", [[\"insert\", 1n], [\"insert\", \"x\"]]]]",
            "[[\"readings\", [[\"update\", 1n], [\"insert\", 2]]]]",
            "[[\"readings\", [[\"delete\", \"x\"]]]]",
        ];
        let told = told.take();
        for (name, own) in [("one", true), ("two", false)] {
            let expected: Vec<_> =
                changes.iter().map(|list| format!("{name} {{own: {own}, reset: false, changes: {list}}}")).collect();
            let told: Vec<_> = told.iter().filter(|line| line.starts_with(name)).cloned().collect();
            assert_eq!(told, expected);
        }
    });
}

#[test]
fn a_second_open_must_agree() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let first = fixture.open("one", "[['a', {key: 'id', indexes: ['x']}], ['b', {key: ['p', 'q']}]]").await;
        first.ask("{op: 'insert', collection: 'a', docs: [{id: 1, x: 5, y: 6}]}").await;
        let second = fixture.open("two", "[['a', {indexes: ['y']}], ['b', {}], ['c', {}]]").await;
        assert_eq!(second.ask("{op: 'collections'}").await, "{collections: [{name: \"a\", key: \"id\"}, {name: \"b\", key: [\"p\", \"q\"]}, {name: \"c\", key: \"id\"}]}");
        assert_eq!(second.ask("{op: 'find', collection: 'a', filter: {y: 6}, want: 'count'}").await, "{count: 1}");
        let explain = "{op: 'explain', collection: 'a', filter: {y: 6}}";
        assert!(second.ask(explain).await.contains("index: \"y\""));
        let refused = |error: hyphadb::error::Error| describe(&error);
        let wrong_key = fixture.try_open("three", "[['a', {key: 'other'}]]").await.err().map(refused);
        assert_eq!(wrong_key.unwrap(), "invalid: collection `a` has the key `id`, not `other`");
        let wrong_index = fixture.try_open("four", "[['a', {indexes: [{fields: 'x', unique: true}]}]]").await.err().map(refused);
        assert_eq!(wrong_index.unwrap(), "invalid: index `x` of collection `a` is there with another definition");
        first.catch_up().await.unwrap();
        assert!(first.ask(explain).await.contains("index: \"y\""));
        assert_eq!(first.ask("{op: 'create_collection', name: 'd', key: 'k', indexes: ['z']}").await, "{}");
        assert_eq!(first.ask("{op: 'insert', collection: 'd', docs: [{k: 1}]}").await, "{insertedIds: [1]}");
    });
}

#[test]
fn increments_of_two_contexts_are_not_lost() {
    for seed in 1..=20 {
        let world = hyphadb::env::simulated::World::new(seed);
        let disk = Disk::new(&world, DiskOptions { latency_max_us: 500, ..DiskOptions::default() });
        let config = Object::from([("name", "test".into()), ("collections", value(READINGS))]);
        let mut databases = Vec::new();
        for label in ["one", "two"] {
            let group = world.group();
            let env = Rc::new(world.env(label));
            let opened = Database::open(disk.connect(group), env, Config::parse(&config).unwrap());
            let database = Rc::new(world.block_on(opened).unwrap().unwrap());
            for _ in 0..50 {
                let database = Rc::clone(&database);
                world.spawn("increment", group, async move {
                    let increment =
                        "{op: 'update', collection: 'readings', filter: {id: 7}, update: {$inc: {n: 1}}, upsert: true}";
                    let answer = database.ask(increment).await;
                    assert!(answer.starts_with("{matchedCount"), "{answer}");
                });
            }
            databases.push(database);
        }
        world.run().unwrap();
        for database in databases {
            world.block_on(database.catch_up()).unwrap().unwrap();
            let answer = world.block_on(database.ask("{op: 'get', collection: 'readings', keys: [7]}")).unwrap();
            assert_eq!(answer, "{docs: [{id: 7, n: 100}]}", "seed {seed}");
        }
    }
}
