//! Indexes over documents that are there already, while this and other contexts go on writing.

use crate::documents_fixture::{Ask, Fixture};
use crate::notation::value;
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::env::simulated::{Group, World};
use hyphadb::planted::{Bug, plant};
use hyphadb::storage::simulated::{Disk, DiskOptions, Simulated};
use hyphadb::value::Object;
use std::cell::RefCell;
use std::rc::Rc;

async fn open(world: &World, disk: &Disk, group: Group, label: &str) -> Rc<Database<Simulated>> {
    let config = Object::from([("name", "test".into()), ("collections", value("[['c', {key: 'id'}]]"))]);
    let env = Rc::new(world.env(label));
    Rc::new(Database::open(disk.connect(group), env, Config::parse(&config).unwrap()).await.unwrap())
}

async fn fill(database: &Database<impl hyphadb::storage::Storage>, count: usize) {
    for from in (0..count).step_by(500) {
        let docs: Vec<String> =
            (from..(from + 500).min(count)).map(|i| format!("{{id: {i}, n: {i}, tags: [{}, 't']}}", i % 7)).collect();
        let insert = format!("{{op: 'insert', collection: 'c', docs: [{}]}}", docs.join(", "));
        assert!(database.ask(&insert).await.starts_with("{inserted"));
    }
}

#[test]
fn an_index_that_is_built_while_two_contexts_write_has_every_document() {
    for seed in 1..=6 {
        let world = World::new(seed);
        let disk = Disk::new(&world, DiskOptions { latency_max_us: 500, ..DiskOptions::default() });
        let (one, two) = (world.group(), world.group());
        let first = world.block_on(open(&world, &disk, one, "one")).unwrap();
        world.block_on(fill(&*first, 2000)).unwrap();
        let second = world.block_on(open(&world, &disk, two, "two")).unwrap();
        let seen: Rc<RefCell<Vec<String>>> = Rc::default();
        let builder = Rc::clone(&first);
        let built = world.spawn("build", one, async move {
            let answers = [
                builder.ask("{op: 'create_index', collection: 'c', spec: {name: 'tags', fields: 'tags'}}").await,
                builder
                    .ask("{op: 'create_index', collection: 'c', spec: {name: 'n', fields: 'n', unique: true}}")
                    .await,
            ];
            answers.join(" ")
        });
        let (watcher, noted) = (Rc::clone(&first), Rc::clone(&seen));
        world.spawn("watch", one, async move {
            for _ in 0..50 {
                let progress = watcher.ask("{op: 'index_progress', collection: 'c', name: 'tags'}").await;
                noted.borrow_mut().push(progress);
                hyphadb::env::Env::sleep(&**watcher.engine().env(), 1).await;
            }
        });
        for (writer, group, base) in [(Rc::clone(&first), one, 10_000), (Rc::clone(&second), two, 20_000)] {
            let mut random = world.random(&format!("writer {base}"));
            world.spawn("write", group, async move {
                for i in 0..60 {
                    let id = random.below(2000);
                    let request = match random.below(3) {
                        0 => format!("{{op: 'delete', collection: 'c', filter: {{id: {id}}}}}"),
                        1 => format!("{{op: 'update', collection: 'c', filter: {{id: {id}}}, update: {{$set: {{tags: ['new', {i}]}}}}}}"),
                        _ => format!("{{op: 'insert', collection: 'c', docs: [{{id: {}, n: {}, tags: 'new'}}]}}", base + i, base + i),
                    };
                    let answer = writer.ask(&request).await;
                    assert!(answer.starts_with('{'), "{request}: {answer}");
                    writer.catch_up().await.unwrap();
                }
            });
        }
        world.run().unwrap();
        assert_eq!(built.take().unwrap(), "{name: \"tags\"} {name: \"n\"}", "seed {seed}");
        assert!(seen.borrow().iter().any(|progress| progress.contains("total: 2")), "{:?}", seen.borrow());
        let work = async {
            for database in [&first, &second] {
                database.catch_up().await.unwrap();
                // By the index, and without it: what is negated twice is read of documents alone.
                for test in ["'new'", "'t'", "3", "{$gte: 'a'}"] {
                    let by_index = format!("{{op: 'count', collection: 'c', filter: {{tags: {test}}}}}");
                    let by_scan =
                        format!("{{op: 'count', collection: 'c', filter: {{$nor: [{{$nor: [{{tags: {test}}}]}}]}}}}");
                    assert_eq!(database.ask(&by_index).await, database.ask(&by_scan).await, "seed {seed} {test}");
                }
                let explain = database.ask("{op: 'explain', collection: 'c', filter: {n: {$gte: 0}}}").await;
                assert!(explain.contains("index: \"n\""), "{explain}");
                let all = database.ask("{op: 'count', collection: 'c'}").await;
                assert_eq!(
                    database.ask("{op: 'count', collection: 'c', filter: {n: {$gte: 0}}}").await,
                    all,
                    "seed {seed}"
                );
            }
        };
        world.block_on(work).unwrap();
    }
}

#[test]
fn a_unique_index_that_cannot_be_is_not_left_behind() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", "[['c', {key: 'id'}]]").await;
        fill(&database, 1500).await;
        database.ask("{op: 'insert', collection: 'c', docs: [{id: 9999, n: 3}]}").await;
        let create = "{op: 'create_index', collection: 'c', spec: {fields: 'n', unique: true}}";
        assert_eq!(database.ask(create).await, "already_exists: index `n` of collection `c` has `3` already");
        assert_eq!(database.ask("{op: 'indexes', collection: 'c'}").await, "{indexes: []}");
        database.ask("{op: 'delete_keys', collection: 'c', keys: [9999]}").await;
        assert_eq!(database.ask(create).await, "{name: \"n\"}");
        assert_eq!(database.ask(create).await, "{name: \"n\"}");
        let insert = "{op: 'insert', collection: 'c', docs: [{id: 9999, n: 3n}]}";
        assert_eq!(database.ask(insert).await, "already_exists: index `n` of collection `c` has `3` already");
        assert_eq!(
            database.ask("{op: 'indexes', collection: 'c'}").await,
            "{indexes: [{name: \"n\", fields: [\"n\"], unique: true, sparse: false, state: \"ready\", multi: false}]}"
        );
        let entries = |database: &Database<_>| {
            let mut scan = database.engine().snapshot().unwrap().scan(
                hyphadb::engine::KeyRange::prefix(&[hyphadb::engine::format::SPACE_INDEX]),
                hyphadb::engine::Direction::Ascending,
            );
            async move {
                let mut count = 0;
                while scan.next().await.unwrap().is_some() {
                    count += 1;
                }
                count
            }
        };
        assert_eq!(entries(&database).await, 1500);
        assert_eq!(database.ask("{op: 'drop_index', collection: 'c', name: 'n'}").await, "{}");
        assert_eq!(entries(&database).await, 0);
        assert!(database.ask(insert).await.starts_with("{inserted"));
    });
}

/// Two contexts insert the same unique value at once: one of them must fail.
fn race(seed: u64) -> usize {
    let world = World::new(seed);
    let disk = Disk::new(&world, DiskOptions { latency_max_us: 500, ..DiskOptions::default() });
    let groups = [world.group(), world.group()];
    let mut written = Vec::new();
    let first = world.block_on(open(&world, &disk, groups[0], "one")).unwrap();
    let create = "{op: 'create_index', collection: 'c', spec: {fields: 'n', unique: true}}";
    world.block_on(first.ask(create)).unwrap();
    let second = world.block_on(open(&world, &disk, groups[1], "two")).unwrap();
    for (place, database) in [first, second].into_iter().enumerate() {
        written.push(world.spawn("insert", groups[place], async move {
            let insert = format!("{{op: 'insert', collection: 'c', docs: [{{id: {place}, n: 'same'}}]}}");
            let answer = database.ask(&insert).await;
            assert!(answer.starts_with("{inserted") || answer.starts_with("already_exists"), "{answer}");
            answer.starts_with("{inserted")
        }));
    }
    world.run().unwrap();
    written.iter().filter(|written| written.take() == Some(true)).count()
}

#[test]
fn of_two_contexts_that_write_one_unique_value_one_fails() {
    for seed in 1..=50 {
        assert_eq!(race(seed), 1, "seed {seed}");
    }
}

#[test]
fn uniqueness_that_is_not_validated_is_noticed() {
    plant(Some(Bug::UniqueUntracked));
    let caught = (1..=50).any(|seed| race(seed) != 1);
    plant(None);
    assert!(caught);
}

#[test]
fn an_index_build_that_broke_off_is_finished_by_the_next_open() {
    let world = World::new(3);
    let disk = Disk::new(&world, DiskOptions { latency_max_us: 500, ..DiskOptions::default() });
    let (one, two) = (world.group(), world.group());
    let first = world.block_on(open(&world, &disk, one, "one")).unwrap();
    world.block_on(fill(&*first, 3000)).unwrap();
    let builder = Rc::clone(&first);
    world.spawn("build", one, async move {
        builder.ask("{op: 'create_index', collection: 'c', spec: {fields: 'n'}}").await;
    });
    let watched = Rc::clone(&first);
    let reached = world.block_on(async {
        loop {
            let progress = watched.ask("{op: 'index_progress', collection: 'c', name: 'n'}").await;
            if !progress.starts_with("{done: 0") {
                return progress;
            }
            hyphadb::env::Env::sleep(&**watched.engine().env(), 1).await;
        }
    });
    assert!(reached.unwrap().contains("total: 3000"));
    world.kill(one);
    let work = async {
        let config = "[['c', {indexes: ['n']}]]";
        let config = Object::from([("name", "test".into()), ("collections", value(config))]);
        let env = Rc::new(world.env("two"));
        let second = Database::open(disk.connect(two), env, Config::parse(&config).unwrap()).await.unwrap();
        assert!(second.ask("{op: 'indexes', collection: 'c'}").await.contains("ready"));
        assert_eq!(second.ask("{op: 'count', collection: 'c', filter: {n: {$gte: 0}}}").await, "{count: 3000}");
    };
    world.block_on(work).unwrap();
}
