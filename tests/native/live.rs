//! Live queries against fresh ones: after each of many random commits, every result that is followed is what a query gives.
//!
//! Who follows here does what the facade does: it keeps the documents of a window and applies differences to them.
//! `HYPHADB_LIVE_COMMITS` says how many commits there are in all, `HYPHADB_SEED` is the first seed; seeds are
//! in every message, and 1 commit runs one alone.

use crate::documents_fixture::{Ask, Fixture, describe, tiny};
use crate::documents_model::Maker;
use crate::notation::{object, value};
use hyphadb::db::Database;
use hyphadb::db::config::Config;
use hyphadb::engine::Company;
use hyphadb::env::simulated::World;
use hyphadb::query::{Filter, Sort};
use hyphadb::storage::simulated::{Disk, DiskOptions, Simulated};
use hyphadb::storage::{Durability, Storage};
use hyphadb::value::{Object, Value, codec};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

const COLLECTIONS: &str = "[['c', {key: 'id', indexes: ['a', ['b', 'a'], {name: 's', fields: ['s', 'b'], sparse: true}]}], ['other', {key: 'id'}]]";
/// Commits in all, unless said otherwise.
const COMMITS: usize = 2_500;

/// One that follows a query.
struct Follower {
    /// As a request asks it.
    question: String,
    skip: usize,
    limit: usize,
    is_pipeline: bool,
    window: Vec<Object>,
}

impl Follower {
    fn new(maker: &mut Maker) -> Follower {
        let filter = match maker.0.below(10) {
            0..=2 => "{}".to_owned(),
            3..=4 => format!("{{a: {}}}", maker.scalar()),
            5 => format!("{{b: {{$in: [{}, {}]}}, a: {{$ne: 1}}}}", maker.scalar(), maker.scalar()),
            6 => format!("{{s: {}, a: {}}}", maker.scalar(), maker.scalar()),
            _ => maker.filter(),
        };
        if maker.0.percent(15) {
            let rest = maker.pick(&[
                "{$group: {_id: '$a', n: {$sum: 1}, most: {$max: '$b'}}}, {$sort: {_id: 1}}",
                "{$count: 'n'}",
                "{$sort: {b: 1, id: 1}}, {$skip: 1}, {$limit: 3}, {$project: {a: 1}}",
                "{$sort: {s: -1, id: 1}}, {$limit: 4}, {$unwind: '$a'}",
                "{$lookup: {from: 'other', localField: 'a', foreignField: 'a', as: 'o'}}, {$sort: {id: 1}}",
                "{$unionWith: {coll: 'other'}}, {$group: {_id: null, n: {$sum: 1}}}",
                "{$sort: {id: 1}}, {$facet: {some: [{$limit: 2}], all: [{$count: 'n'}]}}",
            ]);
            let question = format!("collection: 'c', pipeline: [{{$match: {filter}}}, {rest}]");
            return Follower { question, skip: 0, limit: usize::MAX, is_pipeline: true, window: Vec::new() };
        }
        // The order among equals is that of a live query: by key, in the direction of the last field.
        let mut sort = match value(&maker.sort()) {
            Value::Array(pairs) => pairs,
            other => panic!("{other}"),
        };
        let direction = sort.last().map_or(Value::from(1), |pair| pair.as_array().unwrap()[1].clone());
        if !sort.iter().any(|pair| pair.as_array().unwrap()[0] == Value::from("id")) && maker.0.percent(50) {
            sort.push(Value::Array(vec!["id".into(), direction]));
        }
        let mut question = format!("collection: 'c', filter: {filter}, sort: {}", Value::Array(sort));
        let (mut skip, mut limit) = (0, usize::MAX);
        if maker.0.percent(60) {
            (skip, limit) = (maker.0.index(4), maker.0.index(5));
            question += &format!(", skip: {skip}, limit: {limit}");
        } else if maker.0.percent(20) {
            skip = maker.0.index(6);
            question += &format!(", skip: {skip}");
        }
        if maker.0.percent(20) {
            question += maker.pick(&[", project: [['a', 1]]", ", project: [['s', 0], ['c', 0]]"]);
        }
        Follower { question, skip, limit, is_pipeline: false, window: Vec::new() }
    }

    /// The same question with the order of a live query spelled out.
    fn fresh(&self) -> Object {
        if self.is_pipeline {
            return object(&format!("{{op: 'aggregate', {}}}", self.question));
        }
        let mut request = object(&format!("{{op: 'find', {}}}", self.question));
        let mut sort = request.get("sort").unwrap().as_array().unwrap().to_vec();
        if !sort.iter().any(|pair| pair.as_array().unwrap()[0] == Value::from("id")) {
            let direction = sort.last().map_or(Value::from(1), |pair| pair.as_array().unwrap()[1].clone());
            sort.push(Value::Array(vec!["id".into(), direction]));
        }
        request.set("sort", Value::Array(sort));
        request
    }

    fn seen(&self) -> Vec<Object> {
        self.window.iter().skip(self.skip).take(self.limit).cloned().collect()
    }

    /// Applies a difference; answers whether more has to be asked for.
    fn apply(&mut self, entry: &[Value]) -> Result<bool, String> {
        let [_, _, removed, placed, docs, due] = entry else { return Err("another form".into()) };
        let numbers = |value: &Value| match value {
            Value::Bytes(bytes) => {
                bytes.chunks(4).map(|four| u32::from_le_bytes(four.try_into().unwrap()) as usize).collect::<Vec<_>>()
            }
            other => panic!("{other}"),
        };
        let (removed, placed) = (numbers(removed), numbers(placed));
        let mut docs = docs.as_array().unwrap().iter().map(|doc| doc.as_object().unwrap().clone());
        let due = *due == Value::Bool(true);
        let before = self.window.clone();
        for place in removed.iter().rev() {
            self.window.remove(*place);
        }
        for triple in placed.chunks(3) {
            let [at, from, kind] = *triple else { return Err("no triples".into()) };
            let old = from.checked_sub(1).map(|from| before[from].clone());
            let document = if kind & 1 == 1 {
                docs.next().ok_or("a document is missing")?
            } else {
                old.clone().ok_or("nothing to move")?
            };
            if kind & 1 == 1
                && old.is_some_and(|old| codec::encoded(&old.into()) == codec::encoded(&document.clone().into()))
            {
                return Err("what did not change crossed".into());
            }
            self.window.insert(at, document);
        }
        if docs.next().is_some() { Err("documents are left over".into()) } else { Ok(due) }
    }
}

/// Those who follow one database, and what they were not told yet.
struct Followers {
    all: BTreeMap<usize, Follower>,
    waiting: Rc<RefCell<Vec<Vec<u8>>>>,
    made: usize,
    readings: Cell<usize>,
}

impl Followers {
    fn of<S: Storage>(database: &Database<S>) -> Followers {
        let waiting: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
        let queue = Rc::clone(&waiting);
        database.on_live(move |message| queue.borrow_mut().push(message));
        Followers { all: BTreeMap::new(), waiting, made: 0, readings: Cell::new(0) }
    }

    async fn add<S: Storage>(&mut self, database: &Database<S>, maker: &mut Maker) -> Result<(), String> {
        self.made += 1;
        let number = self.made;
        let follower = Follower::new(maker);
        let request = format!("{{op: 'live_open', live: {number}, {}}}", follower.question);
        self.all.insert(number, follower);
        self.ask(database, &request).await
    }

    async fn remove<S: Storage>(&mut self, database: &Database<S>, number: usize) {
        self.all.remove(&number);
        database.ask(&format!("{{op: 'live_close', live: {number}}}")).await;
    }

    async fn ask<S: Storage>(&mut self, database: &Database<S>, request: &str) -> Result<(), String> {
        let request = codec::encoded(&object(request).into());
        let mut answer = database.send(&request).await.map_err(|error| describe(&error))?;
        loop {
            let mut due = self.apply(&answer)?;
            let Some(number) = due.pop() else { return Ok(()) };
            assert!(due.is_empty(), "an answer is of one");
            answer = self.next(database, number).await?;
        }
    }

    async fn next<S: Storage>(&self, database: &Database<S>, number: usize) -> Result<Vec<u8>, String> {
        self.readings.set(self.readings.get() + 1);
        let request = codec::encoded(&object(&format!("{{op: 'live_next', live: {number}}}")).into());
        database.send(&request).await.map_err(|error| describe(&error))
    }

    /// Applies a message; answers who has to be read.
    fn apply(&mut self, message: &[u8]) -> Result<Vec<usize>, String> {
        let mut due = Vec::new();
        for entry in codec::decode(message).unwrap().as_array().unwrap() {
            let entry = entry.as_array().unwrap();
            let number = entry[0].to_string().parse().unwrap();
            let Some(follower) = self.all.get_mut(&number) else { return Err("someone who left was told".into()) };
            if follower.apply(entry).map_err(|error| format!("{}: {error}", follower.question))? {
                due.push(number);
            }
        }
        Ok(due)
    }

    /// Hears of everything that has happened.
    async fn hear<S: Storage>(&mut self, database: &Database<S>) -> Result<(), String> {
        loop {
            let message = match self.waiting.borrow_mut() {
                mut waiting if !waiting.is_empty() => waiting.remove(0),
                _ => return Ok(()),
            };
            for entry in codec::decode(&message).unwrap().as_array().unwrap() {
                let empty = Value::Bytes(Vec::new());
                let [_, _, removed, placed, _, due] = entry.as_array().unwrap() else { panic!("another form") };
                if *removed == empty && *placed == empty && *due == Value::Bool(false) {
                    return Err("told of nothing".into());
                }
            }
            for number in self.apply(&message)? {
                self.ask(database, &format!("{{op: 'live_next', live: {number}}}")).await?;
                self.readings.set(self.readings.get() + 1);
            }
        }
    }

    /// What a follower without a projection has to see, without any plan: all documents, matched and sorted here.
    async fn brute<S: Storage>(&self, database: &Database<S>, follower: &Follower) -> Result<Vec<Object>, String> {
        let answer = database.try_ask("{op: 'find', collection: 'c'}").await.map_err(|error| describe(&error))?;
        let request = follower.fresh();
        let filter = Filter::parse(request.get("filter").unwrap().as_object().unwrap()).unwrap();
        let sort = Sort::parse(request.get("sort").unwrap().as_array().unwrap()).unwrap();
        let all = answer.get("docs").unwrap().as_array().unwrap().iter().map(|doc| doc.as_object().unwrap().clone());
        let mut matching: Vec<Object> = all.filter(|doc| filter.matches(doc.into()).unwrap()).collect();
        matching.sort_by_cached_key(|doc| {
            let mut key = Vec::new();
            sort.push_key(doc.into(), &mut key).unwrap();
            key
        });
        Ok(matching.into_iter().skip(follower.skip).take(follower.limit).collect())
    }

    async fn compare<S: Storage>(&self, database: &Database<S>) -> Result<(), String> {
        for follower in self.all.values() {
            let answer = database.ask_value(follower.fresh()).await.map_err(|error| describe(&error))?;
            let fresh: Vec<Object> = answer
                .get("docs")
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .map(|doc| doc.as_object().unwrap().clone())
                .collect();
            if fresh != follower.seen() {
                let text = |all: &[Object]| all.iter().map(Object::to_string).collect::<Vec<_>>().join(", ");
                let brute = if follower.is_pipeline { Vec::new() } else { self.brute(database, follower).await? };
                if !follower.is_pipeline && brute == follower.seen() {
                    return Err(format!("{}: the fresh query is wrong: [{}]", follower.question, text(&fresh)));
                }
                return Err(format!(
                    "{}: [{}] instead of [{}]",
                    follower.question,
                    text(&follower.seen()),
                    text(&fresh)
                ));
            }
        }
        Ok(())
    }
}

/// One write, as a request.
fn write(maker: &mut Maker) -> Object {
    let text = match maker.0.below(12) {
        0..=5 => {
            let docs: Vec<Value> = (0..=maker.0.below(3))
                .map(|n| {
                    let id = format!("{}", maker.0.below(12) * 4 + n);
                    maker.document(&id).into()
                })
                .collect();
            return Object::from([("op", "put".into()), ("collection", "c".into()), ("docs", Value::Array(docs))]);
        }
        6..=8 => format!("op: 'update', filter: {{id: {}}}, update: {}, upsert: true", maker.id(), maker.update()),
        9 => format!("op: 'update', filter: {}, update: {}, multi: true", maker.filter(), maker.update()),
        10 => format!("op: 'delete', filter: {}, multi: {}", maker.filter(), maker.pick(&["true", "false"])),
        _ => format!("op: 'delete_keys', keys: [{}, {}]", maker.id(), maker.id()),
    };
    object(&format!("{{{text}, collection: 'c'}}"))
}

/// Writes in one of the databases.
async fn commit(database: &Database<impl Storage>, maker: &mut Maker) {
    if maker.0.percent(80) {
        // A write may be refused: two arrays cannot be in one index.
        let _ = database.ask_value(write(maker)).await;
        return;
    }
    let transaction = database.begin().unwrap();
    let mut is_well = true;
    for _ in 0..maker.0.below(5) {
        is_well &= transaction.ask_value(write(maker)).await.is_ok();
    }
    if is_well && maker.0.percent(80) {
        let _ = transaction.commit(Durability::Relaxed).await;
    }
}

/// Follows a database while it and another context write; answers how many commits there were.
async fn follow(fixture: &Fixture, count: usize, commits: usize) -> Result<(usize, usize), String> {
    let mut maker = Maker(fixture.world.random("live"));
    let (own, other) = (fixture.open("own", COLLECTIONS).await, fixture.open("other", COLLECTIONS).await);
    let mut followers = Followers::of(&own);
    for _ in 0..count {
        followers.add(&own, &mut maker).await?;
    }
    let first = own.seq().get();
    while own.seq().get() < first + commits as u64 {
        match maker.0.below(30) {
            0..=2 => {
                other.catch_up().await.unwrap();
                for _ in 0..=maker.0.below(2) {
                    commit(&other, &mut maker).await;
                }
                own.catch_up().await.unwrap();
            }
            3 => {
                let _ = own.maintain(Company::Others).await.unwrap();
            }
            // What it leaves in the log may be gone before the other looks: then commits were skipped.
            4 => {
                other.catch_up().await.unwrap();
                commit(&other, &mut maker).await;
                let _ = other.engine().checkpoint().await.unwrap();
                own.catch_up().await.unwrap();
            }
            5 if maker.0.percent(20) => {
                let gone = *followers.all.keys().next().unwrap();
                followers.remove(&own, gone).await;
                followers.add(&own, &mut maker).await?;
            }
            6 => {
                let (id, a) = (maker.0.below(3), maker.scalar());
                drop(own.ask(&format!("{{op: 'put', collection: 'other', docs: [{{id: {id}, a: {a}}}]}}")).await);
            }
            _ => commit(&own, &mut maker).await,
        }
        followers.hear(&own).await?;
        followers.compare(&own).await?;
    }
    Ok(((own.seq().get() - first) as usize, followers.readings.get()))
}

#[test]
fn what_is_followed_equals_a_fresh_query_after_every_commit() {
    let given = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<usize>().ok());
    let commits = given("HYPHADB_LIVE_COMMITS").unwrap_or(COMMITS);
    let (mut done, mut readings, first) = (0, 0, given("HYPHADB_SEED").unwrap_or(1));
    let mut seeds = first..;
    while done < commits {
        let seed = seeds.next().unwrap();
        let (count, steps) = match seed % 25 {
            0 => (1_000, 20),
            1..=3 => (60, 100),
            n => (1 + n % 8, 200),
        };
        let fixture = Fixture { options: tiny(), ..Fixture::new(seed as u64) };
        let followed = fixture.run(follow(&fixture, count, steps)).map_err(|error| format!("seed {seed}: {error}"));
        let (more, read) = followed.unwrap();
        (done, readings) = (done + more, readings + read);
    }
    eprintln!("{done} commits from seed {first} up to {}, {readings} readings", seeds.start);
    assert!(readings > 0 && readings < done * 20, "{readings} readings");
}

async fn open(world: &World, disk: &Disk, label: &str) -> Database<Simulated> {
    let config = Object::from([("name", "test".into()), ("collections", value(COLLECTIONS))]);
    let env = Rc::new(world.env(label));
    Database::open_with(disk.connect(world.group()), env, Config::parse(&config).unwrap(), tiny()).await.unwrap()
}

/// Queries are opened and read anew while both contexts commit, on a disk that takes its time.
async fn meanwhile(world: World, seed: u64) -> Result<(), String> {
    let disk = Disk::new(&world, DiskOptions::default());
    let databases = [Rc::new(open(&world, &disk, "own").await), Rc::new(open(&world, &disk, "other").await)];
    let writers = databases.clone().map(|database| {
        let mut maker = Maker(world.random(&format!("writer {seed} {:?}", Rc::as_ptr(&database))));
        world.spawn("writer", world.group(), async move {
            for _ in 0..40 {
                commit(&*database, &mut maker).await;
                let _ = database.maintain(Company::Others).await;
            }
        })
    });
    let own = &databases[0];
    let mut maker = Maker(world.random("follower"));
    let mut followers = Followers::of(own);
    for _ in 0..12 {
        followers.add(own, &mut maker).await?;
        followers.hear(own).await?;
        own.catch_up().await.map_err(|error| describe(&error))?;
    }
    for writer in writers {
        writer.await;
    }
    own.catch_up().await.map_err(|error| describe(&error))?;
    followers.hear(own).await?;
    followers.compare(own).await
}

#[test]
fn commits_during_a_reading_are_taken_in_after_it() {
    for seed in 1..=30 {
        let world = World::new(seed);
        world
            .block_on(meanwhile(world.clone(), seed))
            .unwrap()
            .map_err(|error| format!("seed {seed}: {error}"))
            .unwrap();
    }
}

#[test]
fn mistakes_are_told_at_once() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", COLLECTIONS).await;
        let ask = |rest: &str| format!("{{op: 'live_open', live: 1, {rest}}}");
        assert_eq!(database.ask(&ask("collection: 'none'")).await, "not_found: collection `none` does not exist");
        let refused = database.ask(&ask("collection: 'c', filter: {a: {$near: 1}}")).await;
        assert!(refused.starts_with("unsupported: "), "{refused}");
        assert!(database.ask(&ask("collection: 'c', sort: [['a', 5]]")).await.starts_with("invalid: sort"));
        assert_eq!(database.ask("{op: 'live_next', live: 1}").await, "not_found: the live query is not open");
        assert_eq!(database.ask("{op: 'live_close', live: 1}").await, "{}");
        let transaction = database.begin().unwrap();
        assert_eq!(
            transaction.ask(&ask("collection: 'c'")).await,
            "invalid: a live query cannot be part of a transaction"
        );
    });
}

#[test]
fn a_pipeline_runs_again_only_after_a_commit_that_can_concern_it() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", COLLECTIONS).await;
        let told: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
        let queue = Rc::clone(&told);
        database.on_live(move |message| queue.borrow_mut().push(message));
        let send = async |request: &str| database.send(&codec::encoded(&object(request).into())).await.unwrap();
        let counted = "pipeline: [{$match: {a: 1}}, {$count: 'n'}]";
        let joined =
            "pipeline: [{$match: {a: 5}}, {$lookup: {from: 'other', localField: 'a', foreignField: 'a', as: 'o'}}]";
        for (number, pipeline) in [(1, counted), (2, joined)] {
            send(&format!("{{op: 'live_open', live: {number}, collection: 'c', {pipeline}}}")).await;
        }
        let cases: [(&str, &[&str]); 7] = [
            ("op: 'put', collection: 'c', docs: [{id: 1, a: 2}, {id: 2, a: 3}]", &[]),
            ("op: 'put', collection: 'c', docs: [{id: 1, a: 1}]", &["1"]),
            ("op: 'put', collection: 'c', docs: [{id: 1, a: 2}]", &["1"]),
            ("op: 'put', collection: 'c', docs: [{id: 1, a: 3}]", &[]),
            ("op: 'put', collection: 'other', docs: [{id: 1, a: 3}]", &["2"]),
            ("op: 'put', collection: 'c', docs: [{id: 3, a: [1, 5]}]", &["1", "2"]),
            ("op: 'delete', collection: 'c', filter: {}, multi: true", &["1", "2"]),
        ];
        for (write, expected) in cases {
            send(&format!("{{{write}}}")).await;
            let messages = core::mem::take(&mut *told.borrow_mut());
            let of = |message: &Vec<u8>| codec::decode(message).unwrap().as_array().unwrap().to_vec();
            let entries: Vec<Value> = messages.iter().flat_map(of).collect();
            let numbers: Vec<String> = entries.iter().map(|entry| entry.as_array().unwrap()[0].to_string()).collect();
            assert_eq!(numbers, expected, "{write}");
            for number in numbers {
                send(&format!("{{op: 'live_next', live: {number}}}")).await;
            }
        }
    });
}
