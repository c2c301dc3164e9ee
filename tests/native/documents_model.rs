//! Documents against a list: random writes and queries, with and without indexes, before and after checkpoints, in
//! several contexts. The list is searched from front to back and sorted as a whole.
//!
//! Seeds are in every message; `HYPHADB_SEED` runs one alone.

use crate::documents_fixture::{Ask, Fixture, describe, happen, seeds, tiny};
use crate::notation::value;
use hyphadb::db::Database;
use hyphadb::env::Timestamp;
use hyphadb::env::simulated::Random;
use hyphadb::error::ErrorKind;
use hyphadb::planted::{Bug, plant};
use hyphadb::query::{Filter, Sort, Update};
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Path, Value, key, order};

/// The same documents go into both collections.
const COLLECTIONS: &str = "[['plain', {key: 'id'}], ['indexed', {key: 'id', indexes: ['a', ['b', 'a'], 'c.d', \
    {name: 's', fields: ['s', 'b'], sparse: true}, {name: 'u', fields: 'u', unique: true, sparse: true}]}]]";

/// By key bytes.
#[derive(Clone, Default)]
struct Model(std::collections::BTreeMap<Vec<u8>, Object>);

fn id_of(document: &Object) -> Vec<u8> {
    key::encode(document.get("id").unwrap().into()).unwrap()
}

fn is_array(document: &Object, field: &str) -> bool {
    matches!(document.get(field), Some(Value::Array(_)))
}

impl Model {
    /// Writes one after the other; the first error stops it.
    fn write(&mut self, documents: &[Object]) -> Result<(), &'static str> {
        for document in documents {
            let two_arrays = is_array(document, "a") && is_array(document, "b")
                || is_array(document, "s") && is_array(document, "b");
            if two_arrays {
                return Err("invalid");
            }
        }
        for document in documents {
            let id = id_of(document);
            if let Some(unique) = document.get("u") {
                let same = |other: &Object| other.get("u").is_some_and(|u| order::compare_values(u, unique).is_eq());
                if self.0.iter().any(|(other_id, other)| *other_id != id && same(other)) {
                    return Err("already_exists");
                }
            }
            self.0.insert(id, document.clone());
        }
        Ok(())
    }

    fn matching(&self, filter: &Filter) -> Vec<Object> {
        self.0.values().filter(|document| filter.matches((*document).into()).unwrap()).cloned().collect()
    }
}

/// Makes documents, filters and sorts over few names and few values, so that much is equal.
pub struct Maker(pub Random);

impl Maker {
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.0.index(choices.len())]
    }

    pub fn scalar(&mut self) -> String {
        self.pick(&["null", "0", "-0", "1", "1n", "2", "1.5", "'x'", "'y'", "''", "true", "Date(1)", "Bytes(1)"])
            .to_owned()
    }

    pub fn value(&mut self) -> String {
        match self.0.below(10) {
            0..=6 => self.scalar(),
            7 => "[]".to_owned(),
            8 => format!("[{}, {}]", self.scalar(), self.scalar()),
            _ => self.pick(&["[[1], 'x', 'x']", "{d: 1}", "[{d: 1}, {d: 'x'}, 5]"]).to_owned(),
        }
    }

    pub fn document(&mut self, id: &str) -> Object {
        let mut text = format!("{{id: {id}");
        for (field, percent) in [("a", 85), ("b", 60), ("s", 40)] {
            if self.0.percent(percent) {
                text += &format!(", {field}: {}", self.value());
            }
        }
        if self.0.percent(50) {
            text += &match self.0.below(3) {
                0 => format!(", c: {{d: {}}}", self.value()),
                1 => format!(", c: [{{d: {}}}, {}, {{e: 1}}]", self.value(), self.scalar()),
                _ => format!(", c: {}", self.value()),
            };
        }
        if self.0.percent(30) {
            text += &format!(", u: {}", self.0.below(25));
        }
        crate::notation::object(&(text + "}"))
    }

    pub fn id(&mut self) -> String {
        let number = self.0.below(30);
        match self.0.below(4) {
            0 => format!("'k{number}'"),
            1 => format!("{number}n"),
            _ => number.to_string(),
        }
    }

    fn test(&mut self) -> String {
        let (left, right) = (self.scalar(), self.scalar());
        match self.0.below(12) {
            0..=2 => left,
            3 => format!("{{$in: [{left}, {right}]}}"),
            4 => format!("{{$gt: {left}}}"),
            5 => format!("{{$gte: {left}, $lt: {right}}}"),
            6 => format!("{{$lte: {left}}}"),
            7 => format!("{{$ne: {left}}}"),
            8 => self.pick(&["{$exists: true}", "{$exists: false}", "{$nin: [null, 1]}"]).to_owned(),
            9 => {
                let ready = [
                    "{$type: 'null'}",
                    "{$type: ['string', 'bool']}",
                    "{$regex: '^x?'}",
                    "{$size: 0}",
                    "{$mod: [2, 0]}",
                ];
                self.pick(&ready).to_owned()
            }
            10 => {
                let operator = self.pick(&["$elemMatch", "$not"]);
                format!("{{{operator}: {{$gte: {left}, $lt: {right}}}}}")
            }
            11 if self.0.percent(50) => format!("{{$all: [{left}, {right}]}}"),
            _ => self.value(),
        }
    }

    pub fn filter(&mut self) -> String {
        let mut fields = Vec::new();
        for name in ["a", "b", "c.d", "s", "u", "id", "c"] {
            if self.0.percent(22) {
                fields.push(format!("{name}: {}", self.test()));
            }
        }
        if self.0.percent(10) {
            fields.push(format!("$or: [{{a: {}}}, {{b: {}}}]", self.test(), self.test()));
        }
        format!("{{{}}}", fields.join(", "))
    }

    pub fn sort(&mut self) -> String {
        let mut fields = Vec::new();
        let way = self.pick(&["1", "-1"]);
        for name in ["b", "a", "c.d", "s", "id"] {
            if self.0.percent(25) {
                let way = if self.0.percent(80) { way } else { self.pick(&["1", "-1"]) };
                fields.push(format!("['{name}', {way}]"));
            }
        }
        format!("[{}]", fields.join(", "))
    }

    pub fn update(&mut self) -> String {
        match self.0.below(10) {
            8 => format!("{{$bit: {{b: {{{}: 3}}}}}}", self.pick(&["and", "or", "xor"])),
            9 => format!("{{$pullAll: {{a: [{}, {}]}}}}", self.scalar(), self.scalar()),
            0 => format!("{{$set: {{a: {}}}}}", self.value()),
            4 => format!("{{$max: {{b: {}}}, $min: {{s: {}}}}}", self.scalar(), self.scalar()),
            5 => format!("{{$mul: {{b: 2}}, $setOnInsert: {{s: {}}}}}", self.scalar()),
            6 => format!("{{$push: {{a: {}}}}}", self.scalar()),
            7 => format!("{{$pull: {{a: {{$gte: {}}}}}, $rename: {{s: 'c'}}}}", self.scalar()),
            1 => format!("{{$set: {{'c.d': {}}}, $unset: {{s: 1}}}}", self.scalar()),
            2 => "{$inc: {b: 1}}".to_owned(),
            _ => format!("{{$unset: {{b: 1}}, $set: {{s: {}}}}}", self.scalar()),
        }
    }
}

fn documents(answer: &Object) -> Vec<Object> {
    answer.get("docs").unwrap().as_array().unwrap().iter().map(|doc| doc.as_object().unwrap().clone()).collect()
}

fn sorted_by_id(mut documents: Vec<Object>) -> Vec<Object> {
    documents.sort_by_key(id_of);
    documents
}

/// Compares the answers of a query with the list's.
async fn compare(ask: &impl Ask, model: &Model, collection: &str, maker: &mut Maker) -> Result<(), String> {
    let (filter, sort) = (maker.filter(), maker.sort());
    let (skip, limit) = (maker.0.below(4), maker.0.below(12));
    let window = if maker.0.percent(40) { format!(", skip: {skip}, limit: {limit}") } else { String::new() };
    let question = format!("collection: '{collection}', filter: {filter}, sort: {sort}{window}");
    let parsed = Filter::parse(&crate::notation::object(&filter)).unwrap();
    let order = Sort::parse(value(&sort).as_array().unwrap()).unwrap();
    let sort_key = |document: &Object| {
        let mut key = Vec::new();
        order.push_key(document.into(), &mut key).unwrap();
        key
    };
    let matching = model.matching(&parsed);
    let answer = ask.try_ask(&format!("{{op: 'find', {question}}}")).await.map_err(|e| format!("{question}: {e}"))?;
    let found = documents(&answer);
    let mut expected = matching.clone();
    expected.sort_by_key(sort_key);
    let mismatch = |what: &str| Err(format!("{question}: {what}: found {}", found.len()));
    if window.is_empty() {
        if sorted_by_id(found.clone()) != matching {
            return mismatch(&format!("{} match", matching.len()));
        }
    } else {
        expected = expected.into_iter().skip(skip as usize).take(limit as usize).collect();
        if found.len() != expected.len() || found.iter().any(|document| !matching.contains(document)) {
            return mismatch("another window");
        }
    }
    // Which of several equals comes first is not said.
    if found.iter().map(sort_key).ne(expected.iter().map(sort_key)) {
        return mismatch("another order");
    }
    let keys = ask.try_ask(&format!("{{op: 'find', want: 'keys', {question}}}")).await.map_err(|e| e.to_string())?;
    // Keys may be had another way than documents, so that other equals may come first.
    let keys = keys.get("keys").unwrap().as_array().unwrap().iter();
    let of_keys: Vec<Option<&Object>> =
        keys.map(|id| matching.iter().find(|document| id_of(document) == key::encode(id.into()).unwrap())).collect();
    let mut each: Vec<Vec<u8>> = of_keys.iter().flatten().map(|document| id_of(document)).collect();
    each.sort();
    each.dedup();
    let sort_keys = of_keys.iter().map(|document| document.map(sort_key));
    if each.len() != of_keys.len() || sort_keys.ne(expected.iter().map(|document| Some(sort_key(document)))) {
        return mismatch("other keys");
    }
    let columns = ask
        .try_ask(&format!("{{op: 'find', want: 'columns', fields: ['u'], {question}}}"))
        .await
        .map_err(|e| e.to_string())?;
    let column: Vec<Value> = found.iter().map(|document| document.get("u").cloned().unwrap_or(Value::Null)).collect();
    let expected = Value::Array(vec![Value::Array(vec!["u".into(), Value::Array(column)])]);
    if columns.get("columns") != Some(&expected) {
        return mismatch("another column");
    }
    let count = ask.try_ask(&format!("{{op: 'count', collection: '{collection}', filter: {filter}}}")).await;
    if count.map_err(|e| e.to_string())?.get("count") != Some(&Value::count(matching.len())) {
        return mismatch("another count");
    }
    Ok(())
}

/// One random write to one collection, in a database or a transaction; the model follows.
async fn change(ask: &impl Ask, model: &mut Model, collection: &str, maker: &mut Maker) -> Result<(), String> {
    let mut next = model.clone();
    let (request, expected) = match maker.0.below(10) {
        0..=4 => {
            let op = maker.pick(&["insert", "put"]);
            let mut documents: Vec<Object> = Vec::new();
            for _ in 0..=maker.0.below(3) {
                let id = maker.id();
                let document = maker.document(&id);
                if !documents.iter().any(|other| id_of(other) == id_of(&document)) {
                    documents.push(document);
                }
            }
            let taken = documents.iter().any(|document| model.0.contains_key(&id_of(document)));
            let expected = if op == "insert" && taken { Err("already_exists") } else { next.write(&documents) };
            let docs = Value::Array(documents.into_iter().map(Value::from).collect());
            (Object::from([("op", op.into()), ("docs", docs)]), expected)
        }
        5..=7 => {
            let (filter, update) = (maker.filter(), maker.update());
            let mut expected = Ok(());
            let parsed = Filter::parse(&crate::notation::object(&filter)).unwrap();
            let apply = Update::parse(&crate::notation::object(&update), &[], &parsed, Timestamp::default()).unwrap();
            for document in model.matching(&parsed) {
                let changed =
                    apply.apply(&document, &[Path::parse("id").unwrap()]).map_err(|error| error.kind().code());
                expected = expected.and_then(|()| next.write(&[changed?.0]));
            }
            (
                crate::notation::object(&format!("{{op: 'update', filter: {filter}, update: {update}, multi: true}}")),
                expected,
            )
        }
        8 => {
            let filter = maker.filter();
            let parsed = Filter::parse(&crate::notation::object(&filter)).unwrap();
            if model.matching(&parsed).len() > 8 {
                return Ok(());
            }
            next.0.retain(|_, document| !parsed.matches((&*document).into()).unwrap());
            (crate::notation::object(&format!("{{op: 'delete', filter: {filter}, multi: true}}")), Ok(()))
        }
        _ => {
            let id = maker.id();
            next.0.remove(&key::encode((&value(&id)).into()).unwrap());
            (crate::notation::object(&format!("{{op: 'delete_keys', keys: [{id}]}}")), Ok(()))
        }
    };
    let mut request = request;
    request.set("collection", collection.into());
    let text = request.to_string();
    let answer = ask.ask_value(request).await;
    // Where several things are wrong, which of them is said first is open.
    match (&answer, expected) {
        (Ok(_), Ok(())) => *model = next,
        (Err(error), Err(_)) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists) => {}
        (answer, expected) => {
            let answer = answer.as_ref().map_or_else(describe, Object::to_string);
            return Err(format!("{text}: {answer}, expected {expected:?}"));
        }
    }
    Ok(())
}

async fn work(fixture: &Fixture, steps: u32, seed: u64) -> Result<(), String> {
    let mut maker = Maker(fixture.world.random("documents"));
    let mut databases: Vec<Database<Memory>> = vec![fixture.open("context 0", COLLECTIONS).await];
    let mut model = Model::default();
    for step in 0..steps {
        let place = maker.0.index(databases.len());
        let database = &databases[place];
        database.catch_up().await.map_err(|error| error.to_string())?;
        if maker.0.percent(20) {
            let transaction = database.begin().unwrap();
            let mut inner = model.clone();
            for _ in 0..maker.0.below(4) {
                change(&transaction, &mut inner, "indexed", &mut maker).await?;
                compare(&transaction, &inner, "indexed", &mut maker).await?;
            }
            if maker.0.percent(70) {
                transaction.commit(Durability::Relaxed).await.map_err(|error| error.to_string())?;
                model = inner;
            }
        } else {
            change(database, &mut model, "indexed", &mut maker).await?;
        }
        // The plain collection gets the state as it is: it is the same question without indexes.
        if step % 10 == 9 {
            database.ask("{op: 'delete', collection: 'plain', multi: true}").await;
            let docs = Value::Array(model.0.values().cloned().map(Value::from).collect());
            let insert = Object::from([("op", "insert".into()), ("collection", "plain".into()), ("docs", docs)]);
            database.ask_value(insert).await.map_err(|error| error.to_string())?;
            for _ in 0..3 {
                compare(database, &model, "plain", &mut maker).await?;
            }
        }
        for _ in 0..3 {
            compare(database, &model, "indexed", &mut maker).await?;
        }
        let further = format!("context {seed} {step}");
        happen(fixture, (&mut databases, place), (&further, COLLECTIONS), &mut maker.0).await?;
    }
    Ok(())
}

fn run(seed: u64, steps: u32) -> Result<(), String> {
    let fixture = Fixture { options: tiny(), ..Fixture::new(seed) };
    fixture.run(work(&fixture, steps, seed)).map_err(|error| format!("seed {seed}: {error}"))
}

#[test]
fn random_documents_and_queries_equal_a_list() {
    for seed in seeds(60) {
        run(seed, 120).unwrap();
    }
}

#[test]
fn index_entries_that_are_kept_are_noticed() {
    plant(Some(Bug::IndexEntriesKept));
    let caught = (1..=20).any(|seed| run(seed, 120).is_err());
    plant(None);
    assert!(caught);
}
