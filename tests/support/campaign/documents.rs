//! Collections with indexes, written by several contexts at once: do documents and indexes tell the same?
//!
//! Not a test of the query language.
//!
//! What must hold at the end: every index has just the entries that the documents give, a query by an index finds what
//! looking at every document finds, and no two documents share a unique value.

use super::Campaign;
use super::entries;
use super::plan::tiny;
use super::report::{Checked, Finding, Report, Verdict, found};
use super::tab::is_typed;
use core::cell::RefCell;
use hyphadb::db::Database;
use hyphadb::db::config::{CollectionConfig, Config, IndexSpec};
use hyphadb::engine::Company;
use hyphadb::engine::Options;
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::{Error, ErrorKind, Result};
use hyphadb::storage::simulated::{Disk, DiskOptions, Fault, Script, Simulated};
use hyphadb::value::{Name, Object, Value, codec};
use std::rc::Rc;

const COLORS: [&str; 3] = ["red", "green", "blue"];
const TAGS: [&str; 4] = ["a", "b", "c", "d"];
const IDS: usize = 12;
const SERIALS: usize = 7;
const SIZES: usize = 3;

/// Runs one case.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("documents");
    let world = World::new(random.next_u64());
    let latency_max_us = *random.pick(&[1, 500, 5000]).unwrap();
    let disk = Disk::new(&world, DiskOptions { latency_max_us, ..DiskOptions::default() });
    if random.percent(30) {
        let call = random.between(10, 120);
        let fault = if random.percent(40) { Fault::Crash } else { Fault::any_survivable(&mut random) };
        disk.set_script(Script::default().at(call, fault));
    }
    let checked = run(&world, &disk, tiny(&mut random), &mut random);
    report.documents += 1;
    report.count_all(&disk.fired());
    report.note(Campaign::Documents, seed, checked);
    // Whatever still runs holds the world.
    world.shut_down();
}

fn run(world: &World, disk: &Disk, options: Options, random: &mut Random) -> Checked {
    let findings = Rc::new(RefCell::new(Vec::<Finding>::new()));
    for context in 0..random.between(2, 3) {
        let group = world.group();
        let label = format!("context {context}");
        let env: Rc<dyn Env> = Rc::new(world.env(&label));
        let (disk, findings, random) = (disk.clone(), Rc::clone(&findings), random.derive(&label));
        let inner = world.clone();
        let _detached = world.spawn("context", group, async move {
            if let Err(finding) = live(&inner, &disk, group, env, options, random, &findings).await {
                findings.borrow_mut().push(finding);
            }
        });
    }
    if let Err(stall) = world.run() {
        return found(Verdict::Wrong, stall.to_string());
    }
    if let Some(finding) = findings.take().into_iter().next() {
        return Err(finding);
    }
    disk.clear_faults();
    let env: Rc<dyn Env> = Rc::new(world.env("judge"));
    let judged = world.block_on(async {
        let database = open(disk, Group::SYSTEM, &env, options).await?;
        judge(&database).await
    });
    judged.unwrap_or_else(|stall| found(Verdict::Wrong, stall.to_string()))
}

async fn live(
    world: &World,
    disk: &Disk,
    group: Group,
    env: Rc<dyn Env>,
    options: Options,
    mut random: Random,
    findings: &Rc<RefCell<Vec<Finding>>>,
) -> Checked {
    let database = Rc::new(open(disk, group, &env, options).await?);
    let mut clients = Vec::new();
    for client in 0..random.between(1, 2) {
        let (database, env, mut random) = (Rc::clone(&database), Rc::clone(&env), random.derive(&client.to_string()));
        let findings = Rc::clone(findings);
        clients.push(world.spawn("client", group, async move {
            for _ in 0..random.between(3, 9) {
                if let Err(error) = request(&database, write(&mut random)).await
                    && let Err(finding) = tolerate(&error)
                {
                    findings.borrow_mut().push(finding);
                }
                env.sleep(random.below(30) as u32).await;
            }
        }));
    }
    for _ in 0..20 {
        if let Err(error) = database.maintain(Company::Alone).await {
            tolerate(&error)?;
        }
        env.sleep(random.between(1, 30) as u32).await;
    }
    for client in clients {
        client.await;
    }
    Ok(())
}

fn tolerate(error: &Error) -> Checked {
    if is_typed(error) || error.kind() == ErrorKind::AlreadyExists {
        return Ok(());
    }
    found(Verdict::Wrong, format!("a request failed with `{}`: {error}", error.kind().code()))
}

async fn open(disk: &Disk, group: Group, env: &Rc<dyn Env>, options: Options) -> Checked<Database<Simulated>> {
    let index = |spec: Value| IndexSpec::parse(&spec);
    let config = || -> Result<Config> {
        let serial = [("fields", list([text("serial")])), ("unique", Value::Bool(true)), ("sparse", Value::Bool(true))];
        let things = CollectionConfig {
            indexes: vec![
                index(text("color"))?,
                index(object(serial))?,
                index(text("tags"))?,
                index(list([text("color"), text("size")]))?,
                index(object([("fields", list([text("color"), text("tags")])), ("type", text("text"))]))?,
            ],
            ..CollectionConfig::parse("things", &Object::from_fields(vec![(Name::from("key"), text("id"))])?)?
        };
        Ok(Config { collections: vec![things], ..Config::in_memory("documents") })
    };
    let config = match config() {
        Ok(config) => config,
        Err(error) => return found(Verdict::Wrong, format!("the configuration: {error}")),
    };
    for _ in 0..8 {
        match Database::open_with(disk.connect(group), Rc::clone(env), config.clone(), options).await {
            Ok(database) => return Ok(database),
            Err(error) => tolerate(&error)?,
        }
        env.sleep(100).await;
    }
    found(Verdict::Wrong, "opening failed again and again")
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(name, value)| (Name::from(name), value)).collect();
    Value::Object(Object::from_fields(fields).unwrap())
}

/// A writing request on the collection.
fn write(random: &mut Random) -> Value {
    let by_id = |random: &mut Random| object([("id", Value::count(random.index(IDS)))]);
    let on = |op: &'static str, rest: Vec<(&'static str, Value)>| {
        object([("op", text(op)), ("collection", text("things"))].into_iter().chain(rest))
    };
    let one = Value::Bool(false);
    match random.below(10) {
        0..=2 => on("insert", vec![("docs", list([document(random)]))]),
        3 => on("put", vec![("docs", list([document(random), document(random)]))]),
        4..=6 => {
            let set = [("$set", change(random))];
            on("update", vec![("filter", by_id(random)), ("update", object(set)), ("multi", one)])
        }
        7 => {
            let filter = object([("color", color(random))]);
            let update = object([("$set", object([("size", Value::count(random.index(SIZES)))]))]);
            on("update", vec![("filter", filter), ("update", update), ("multi", Value::Bool(true))])
        }
        8 => {
            let update = object([("$unset", object([("serial", Value::Bool(true))]))]);
            on("update", vec![("filter", by_id(random)), ("update", update), ("multi", one)])
        }
        _ => on("delete", vec![("filter", by_id(random)), ("multi", one)]),
    }
}

fn color(random: &mut Random) -> Value {
    text(random.pick(&COLORS).unwrap())
}

fn tags(random: &mut Random) -> Value {
    let from = random.index(TAGS.len());
    let count = random.between(1, 3) as usize;
    list((0..count).map(|at| text(TAGS[(from + at) % TAGS.len()])))
}

fn document(random: &mut Random) -> Value {
    let mut fields = vec![
        ("id", Value::count(random.index(IDS))),
        ("color", color(random)),
        ("tags", tags(random)),
        ("size", Value::count(random.index(SIZES))),
    ];
    if random.percent(60) {
        fields.push(("serial", Value::count(random.index(SERIALS))));
    }
    object(fields)
}

fn change(random: &mut Random) -> Value {
    match random.below(3) {
        0 => object([("color", color(random))]),
        1 => object([("serial", Value::count(random.index(SERIALS)))]),
        _ => object([("tags", tags(random)), ("color", color(random))]),
    }
}

async fn request(database: &Database<Simulated>, request: Value) -> Result<Value> {
    codec::decode(&database.request(&codec::encoded(&request)).await?)
}

/// The documents that a filter finds, by what they show.
async fn find(database: &Database<Simulated>, filter: Value) -> Result<Vec<Value>> {
    let found = request(database, object([("op", text("find")), ("collection", text("things")), ("filter", filter)]));
    let found = found.await?;
    let docs = found.as_object().and_then(|found| found.get("docs")).and_then(Value::as_array);
    Ok(docs.unwrap_or_default().to_vec())
}

async fn judge(database: &Database<Simulated>) -> Checked {
    match compare(database).await {
        Ok(checked) => checked,
        Err(error) => found(Verdict::Wrong, format!("reading at the end: {error}")),
    }
}

async fn compare(database: &Database<Simulated>) -> Result<Checked> {
    let all = find(database, object([])).await?;
    let field = |document: &Value, name: &str| document.as_object().and_then(|document| document.get(name)).cloned();
    let serials: Vec<_> = all.iter().filter_map(|document| field(document, "serial")).collect();
    if serials.iter().enumerate().any(|(at, serial)| serials[..at].contains(serial)) {
        return Ok(found(Verdict::Wrong, format!("two documents have the same serial: {all:?}")));
    }
    let held = entries::read(database).await?;
    if held.stored != held.due {
        let (stored, due) = (held.stored.len(), held.due.len());
        return Ok(found(Verdict::Wrong, format!("{stored} index entries, {due} are due, and others: {all:?}")));
    }
    let mut filters = Vec::new();
    filters.extend(COLORS.map(|color| vec![("color", text(color))]));
    filters.extend(TAGS.map(|tag| vec![("tags", text(tag))]));
    filters.extend((0..SERIALS).map(|serial| vec![("serial", Value::count(serial))]));
    filters.extend((0..SIZES).map(|size| vec![("color", text("red")), ("size", Value::count(size))]));
    // No index begins with it: columns are asked.
    filters.extend((0..SIZES).map(|size| vec![("size", Value::count(size))]));
    for filter in filters {
        let fits = |document: &&Value| {
            filter.iter().all(|(name, wanted)| match field(document, name) {
                Some(Value::Array(items)) => items.contains(wanted),
                value => value.as_ref() == Some(wanted),
            })
        };
        let sorted = |mut shown: Vec<String>| {
            shown.sort();
            shown
        };
        let expected = sorted(all.iter().filter(fits).map(|document| format!("{document:?}")).collect());
        let by_index = find(database, object(filter.clone())).await?;
        let by_index = sorted(by_index.iter().map(|document| format!("{document:?}")).collect());
        if by_index != expected {
            return Ok(found(Verdict::Wrong, format!("{filter:?} finds {by_index:?} instead of {expected:?}")));
        }
    }
    Ok(Ok(()))
}
