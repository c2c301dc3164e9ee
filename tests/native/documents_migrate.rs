//! Migrations: an opening brings every document to its version, whatever breaks off in between; older contexts read only.
//!
//! The function of the program is stood for by one that moves `n` to `m`; the steps are those of `facade/migration.ts`.

use crate::documents_fixture::{Ask, Fixture, describe, seeds, tiny};
use crate::notation::{object, value};
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::engine::Company;
use hyphadb::env::simulated::{Group, World};
use hyphadb::error::{ErrorKind, Result};
use hyphadb::storage::simulated::{Disk, DiskOptions, Simulated};
use hyphadb::storage::{Durability, Storage};
use hyphadb::value::{Object, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const ALL: &str = "{op: 'find', collection: 'c', filter: {}}";

fn version(version: u32) -> String {
    let schema = if version == 1 { "{required: ['n']}" } else { "{required: ['m'], properties: {v: {default: 2}}}" };
    format!("[['c', {{key: 'id', indexes: ['n', 'm'], version: {version}, schema: {schema}}}]]")
}

fn request(op: &str, fields: &[(&str, Value)]) -> Object {
    let mut request = Object::from([("op", op.into()), ("collection", "c".into())]);
    fields.iter().for_each(|(name, value)| request.set(*name, value.clone()));
    request
}

/// The documents of a slice, as they become, and where it ends.
fn migrated(slice: &Object) -> (Vec<Value>, Value) {
    let change = |document: &Value| {
        let mut document = document.as_object().unwrap().clone();
        let moved = document.remove("n").unwrap();
        document.set("m", moved);
        Value::Object(document)
    };
    let docs = slice.get("docs").unwrap().as_array().unwrap();
    (docs.iter().map(change).collect(), slice.get("last").unwrap().clone())
}

/// Brings the collection to version 2, and stops after so many slices where that is said.
async fn migrate<S: Storage>(database: &Database<S>, slices_max: Option<usize>) -> Result<()> {
    let two = ("version", Value::from(2));
    database.ask_value(request("migration_begin", core::slice::from_ref(&two))).await?;
    let mut after = Value::Null;
    for slice in 0.. {
        if slices_max == Some(slice) {
            return Ok(());
        }
        let transaction = database.begin()?;
        let read = [two.clone(), ("after", after), ("max", 3.into())];
        let (documents, last) = migrated(&transaction.ask_value(request("migration_read", &read)).await?);
        if !documents.is_empty() {
            let write = request("migration_write", &[("documents", documents.into())]);
            let answer = transaction.ask_value(write).await?;
            assert_eq!(answer.to_string(), "{writeErrors: []}");
            transaction.commit(Durability::Strict).await?;
        }
        if last == Value::Null {
            break;
        }
        after = last;
    }
    database.ask_value(request("migration_end", &[two])).await.map(|_| ())
}

async fn fill<S: Storage>(database: &Database<S>, count: usize) {
    for id in 0..count {
        let insert = format!("{{op: 'insert', collection: 'c', docs: [{{id: {id}, n: {id}}}]}}");
        assert!(database.ask(&insert).await.contains("insertedIds"));
    }
}

fn all_at_two(count: usize) -> String {
    let docs: Vec<String> = (0..count).map(|id| format!("{{id: {id}, m: {id}, v: 2}}")).collect();
    format!("{{docs: [{}]}}", docs.join(", "))
}

#[test]
fn every_document_is_brought_to_the_version_wherever_it_breaks_off() {
    for broken in 0..4 {
        let fixture = Fixture::new(1);
        fixture.run(async {
            fill(&fixture.open("old", &version(1)).await, 10).await;
            // The one that breaks off is not closed: it is gone.
            let first = fixture.open("first", &version(2)).await;
            migrate(&first, Some(broken)).await.unwrap();
            assert!(first.ask("{op: 'migrations'}").await.contains("version: 2, oldest: 1"));
            let second = fixture.open("second", &version(2)).await;
            migrate(&second, None).await.unwrap();
            assert_eq!(second.ask(ALL).await, all_at_two(10), "after {broken} slices");
            assert_eq!(second.ask("{op: 'migrations'}").await, "{collections: [{version: 2, oldest: 2, name: \"c\"}]}");
            let by_index = "{op: 'find', collection: 'c', filter: {m: 7}, want: 'keys'}";
            assert_eq!(second.ask(by_index).await, "{keys: [7]}");
            assert_eq!(second.ask("{op: 'count', collection: 'c', filter: {n: {$exists: true}}}").await, "{count: 0}");
            let third = fixture.open("third", &version(2)).await;
            let read = request("migration_read", &[("version", 2.into()), ("max", 5.into())]);
            assert!(
                third.ask_value(read).await.unwrap().to_string().starts_with("{docs: [], versions: [], last: null")
            );
        });
    }
}

#[test]
fn an_older_context_reads_and_is_told_why_it_may_not_write() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let old = fixture.open("old", &version(1)).await;
        fill(&old, 4).await;
        let under_way = old.begin().unwrap();
        under_way.ask("{op: 'put', collection: 'c', docs: [{id: 1, n: 100}]}").await;
        let new = fixture.open("new", &version(2)).await;
        migrate(&new, None).await.unwrap();
        assert_eq!(under_way.commit(Durability::Relaxed).await.unwrap_err().kind().code(), "conflict");
        for write in [
            "{op: 'insert', collection: 'c', docs: [{id: 9, n: 9}]}",
            "{op: 'insert', collection: 'c', ordered: false, docs: [{id: 9, n: 9}]}",
            "{op: 'put', collection: 'c', docs: [{id: 1, n: 9}]}",
            "{op: 'update', collection: 'c', filter: {id: 1}, update: {$set: {n: 1}}}",
            "{op: 'delete', collection: 'c', filter: {id: 1}}",
            "{op: 'delete_keys', collection: 'c', keys: [1]}",
            "{op: 'bulk_write', collection: 'c', operations: [{deleteOne: {filter: {id: 1}}}, {deleteOne: {filter: {id: 2}}}]}",
        ] {
            let error = old.try_ask(write).await.unwrap_err();
            let said = "unsupported: collection `c` is at version 2, and this context knows version 1";
            assert!(describe(&error).contains("collection `c` is at version 2"), "{write}: {}", describe(&error));
            assert!(describe(&error) == said || write.contains("bulk_write"), "{write}: {}", describe(&error));
        }
        old.catch_up().await.unwrap();
        assert_eq!(old.ask(ALL).await, all_at_two(4));
        // An older program that opens now may read as well, and one that says nothing of a version is an older one.
        for collections in [&*version(1), "[]"] {
            let late = fixture.open("late", collections).await;
            assert_eq!(late.ask(ALL).await, all_at_two(4));
            assert!(late.ask("{op: 'delete', collection: 'c', filter: {}}").await.starts_with("unsupported"));
        }
        assert_eq!(new.ask("{op: 'delete', collection: 'c', filter: {id: 3}}").await, "{deletedCount: 1}");
    });
}

#[test]
fn what_is_written_meanwhile_is_not_migrated_again_and_nothing_is_lost() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        fill(&fixture.open("old", &version(1)).await, 10).await;
        let (one, two) = (fixture.open("one", &version(2)).await, fixture.open("two", &version(2)).await);
        migrate(&one, Some(1)).await.unwrap();
        assert!(
            two.ask("{op: 'put', collection: 'c', docs: [{id: 8, m: 80}, {id: 11, m: 11}]}").await.contains("keys")
        );
        // A slice that was read before the other wrote is in conflict with it.
        one.catch_up().await.unwrap();
        let slow = one.begin().unwrap();
        let read = request("migration_read", &[("version", 2.into()), ("max", 100.into())]);
        let (documents, _) = migrated(&slow.ask_value(read).await.unwrap());
        assert_eq!(documents.len(), 6);
        migrate(&two, None).await.unwrap();
        slow.ask_value(request("migration_write", &[("documents", documents.into())])).await.unwrap();
        assert_eq!(slow.commit(Durability::Relaxed).await.unwrap_err().kind().code(), "conflict");
        let found = two.ask(ALL).await;
        assert!(found.contains("{id: 8, m: 80, v: 2}") && found.contains("{id: 11, m: 11, v: 2}"), "{found}");
        assert_eq!(found.matches("m: ").count(), 11);
        assert_eq!(two.ask("{op: 'migrations'}").await, "{collections: [{version: 2, oldest: 2, name: \"c\"}]}");
    });
}

#[test]
fn a_trial_tells_what_cannot_be_and_writes_nothing() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let old = fixture.open("old", &version(1)).await;
        fill(&old, 3).await;
        let (before, seq) = (old.ask(ALL).await, old.seq());
        let try_write = |documents: &str, schema: &str| {
            request("migration_write", &[("documents", value(documents)), ("schema", value(schema))])
        };
        let good = try_write("[{id: 0, m: 0}, {id: 1, m: 1}]", "{required: ['m']}");
        assert_eq!(old.ask_value(good).await.unwrap().to_string(), "{writeErrors: []}");
        let bad = try_write("[{id: 0, m: 0}, {id: 7, m: 1}, {m: 5}, {id: 1}, 5]", "{required: ['m']}");
        let answer = old.ask_value(bad).await.unwrap();
        let errors = answer.get("writeErrors").unwrap().as_array().unwrap();
        let told = |error: &Value| {
            let error = error.as_object().unwrap();
            format!("{} {}", error.get("index").unwrap(), error.get("message").unwrap().as_str().unwrap())
        };
        let told: Vec<String> = errors.iter().map(told).collect();
        assert_eq!(
            told,
            [
                "1 a migration changed the key of a document",
                "2 a migration changed the key of a document",
                "3 collection `c`, document `1`: document has no field `m`",
                "4 a document is an object, not number",
            ]
        );
        assert_eq!((old.ask(ALL).await, old.seq()), (before, seq));
    });
}

#[test]
fn versions_that_are_none_are_refused() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        for (config, expected) in [
            ("{version: 0}", "invalid: collection `c`: `version` is 0; versions begin with 1"),
            ("{version: 129}", "limit: collection `c`: `version` is 129, the limit is 128"),
            ("{version: 'x'}", "invalid: collection `c`: `version` is \"x\", not a count"),
        ] {
            let error = fixture.try_open("tab", &format!("[['c', {config}]]")).await.err().unwrap();
            assert_eq!(describe(&error), expected);
        }
        let database = fixture.open("tab", "[['c', {version: 128}]]").await;
        database.ask("{op: 'insert', collection: 'c', docs: [{id: 1}]}").await;
        database.ask("{op: 'put', collection: 'c', docs: [{id: 1, n: 1}]}").await;
        let read = object("{op: 'migration_read', collection: 'c', version: 128, max: 5}");
        assert!(database.ask_value(read).await.unwrap().to_string().starts_with("{docs: []"));
    });
}

async fn open(world: &World, disk: &Disk, group: Group, label: &str, at: u32) -> Result<Database<Simulated>> {
    let config = Object::from([("name", "test".into()), ("collections", value(&version(at)))]);
    let env = Rc::new(world.env(label));
    Database::open_with(disk.connect(group), env, Config::parse(&config)?, tiny()).await
}

/// Writes documents of version 1 until it may not, or is killed. What was acknowledged is kept.
async fn write_as_older(database: Database<Simulated>, next: Rc<Cell<usize>>, acknowledged: Rc<RefCell<Vec<usize>>>) {
    loop {
        let id = next.replace(next.get() + 1);
        let insert = format!("{{op: 'insert', collection: 'c', docs: [{{id: {id}, n: {id}}}], durability: 'strict'}}");
        match database.try_ask(&insert).await {
            Ok(_) => acknowledged.borrow_mut().push(id),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => {
                assert!(!matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt), "{error}");
                return;
            }
        }
    }
}

/// One round after the other an older context writes, two newer ones migrate, and all are killed somewhere.
fn crash(seed: u64) -> usize {
    let world = World::new(seed);
    let disk = Disk::new(&world, DiskOptions { latency_max_us: 800, ..DiskOptions::default() });
    let mut random = world.random("crash");
    let (next, acknowledged) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
    for round in 0..5 {
        let groups = [world.group(), world.group(), world.group()];
        for (place, group) in groups.into_iter().enumerate() {
            let label = format!("round {round} tab {place}");
            let (world_of, disk) = (world.clone(), disk.clone());
            let (next, acknowledged) = (Rc::clone(&next), Rc::clone(&acknowledged));
            world.spawn(&label.clone(), group, async move {
                // The first round belongs to the older context: there has to be something.
                let at = if place == 0 || round == 0 { 1 } else { 2 };
                let Ok(database) = open(&world_of, &disk, group, &label, at).await else { return };
                if at == 1 {
                    return write_as_older(database, next, acknowledged).await;
                }
                while let Err(error) = migrate(&database, None).await {
                    let is_typed = !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt);
                    assert!(is_typed, "{}: {error}", error.kind().code());
                    if error.kind() != ErrorKind::Conflict || database.maintain(Company::Others).await.is_err() {
                        return;
                    }
                }
            });
        }
        for _ in 0..random.between(200, 3000) {
            if !world.step() {
                break;
            }
        }
        if random.percent(50) {
            disk.lose_power();
        }
        groups.into_iter().for_each(|group| world.kill(group));
    }
    let after = async {
        world.sleep_us(100_000).await;
        let database = open(&world, &disk, world.group(), "after", 2).await.unwrap();
        migrate(&database, None).await.unwrap();
        let found = database.try_ask(ALL).await.unwrap();
        let found = found.get("docs").unwrap().as_array().unwrap();
        let mut ids = Vec::new();
        for document in found {
            let document = document.as_object().unwrap();
            assert!(document.get("n").is_none() && document.get("m") == document.get("id"), "seed {seed}: {document}");
            ids.push(document.get("id").unwrap().to_string().parse().unwrap());
        }
        let lost: Vec<usize> = acknowledged.borrow().iter().copied().filter(|id| !ids.contains(id)).collect();
        assert!(lost.is_empty(), "seed {seed}: {lost:?} of {} documents", ids.len());
        let indexed = database.ask("{op: 'count', collection: 'c', filter: {m: {$gte: 0}}}").await;
        assert_eq!(indexed, format!("{{count: {}}}", ids.len()), "seed {seed}");
        ids.len()
    };
    world.block_on(after).unwrap()
}

#[test]
fn after_crashes_and_lost_power_in_the_middle_every_document_is_migrated_once_and_none_is_lost() {
    let documents: usize = seeds(40).map(crash).sum();
    assert!(documents > 400 || std::env::var("HYPHADB_SEED").is_ok(), "only {documents} documents");
}
