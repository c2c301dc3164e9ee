//! Plans never change an answer: random collections, indexes, filters, sorts and windows against a list that is searched
//! from front to back; before and after checkpoints, compaction and updates, with indexes and without.
//!
//! Seeds are in every message: `HYPHADB_SEED` runs one alone, `HYPHADB_CASES` so many cases, from that seed on.

use crate::documents_fixture::{Ask, Fixture, tiny};
use crate::documents_model::Maker;
use crate::notation::{object, value};
use core::ops::ControlFlow;
use hyphadb::db::Database;
use hyphadb::engine::Company;
use hyphadb::query::{Filter, Projection, Sort};
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Path, Value, View, key};
use std::collections::BTreeMap;

/// `a` and `c` may hold arrays, `b` and `s` anything else, `n`, `t` and `k` are few plain values.
const INDEXES: [&str; 14] = [
    "'a'",
    "['b', 'a']",
    "'c.d'",
    "{name: 's', fields: ['s', 'b'], sparse: true}",
    "{name: 'sparse_a', fields: 'a', sparse: true}",
    "'n'",
    "'t'",
    "['t', 'n']",
    "['t', 'n', 'b']",
    "['n', 't']",
    "['k', 't', 'n']",
    "['a', 'n']",
    "'k'",
    "'b'",
];

/// Some of these are held by indexes, with values that entries tell exactly or not.
const PROJECTIONS: [&str; 8] = [
    "[]",
    "[['t', 1], ['n', 1]]",
    "[['a', 0]]",
    "[['k', 1]]",
    "[['t', 1], ['k', 1]]",
    "[['id', 1]]",
    "[['b', 1]]",
    "[['c.d', 1], ['k', 1]]",
];

/// Without the key, so that documents do not say which they are.
const KEYLESS: [&str; 5] = [
    "[['k', 1], ['id', 0]]",
    "[['k', 1], ['n', 1], ['id', 0]]",
    "[['a', 1], ['id', 0]]",
    "[['s', 1], ['b', 1], ['id', 0]]",
    "[['t', 1], ['id', 0]]",
];

const FIELDS: [&str; 10] = ["a", "b", "c.d", "c", "s", "n", "t", "k", "id", "a.0"];

/// How much was asked, to see that the questions are worth asking.
#[derive(Default)]
struct Tally {
    cases: usize,
    composed: usize,
    plans: BTreeMap<String, usize>,
}

struct Asker {
    maker: Maker,
    model: BTreeMap<Vec<u8>, Object>,
    tally: Tally,
}

fn id_of(document: &Object) -> Vec<u8> {
    key::encode(document.get("id").unwrap().into()).unwrap()
}

impl Asker {
    fn document(&mut self, id: &str, arrays: &str) -> Object {
        let maker = &mut self.maker;
        let mut text = format!("{{id: {id}");
        if maker.0.percent(85) {
            let a = if arrays.contains('a') { maker.value() } else { maker.scalar() };
            text += &format!(", a: {a}");
        }
        for (field, percent) in [("b", 70), ("s", 40)] {
            if maker.0.percent(percent) {
                text += &format!(", {field}: {}", maker.scalar());
            }
        }
        if maker.0.percent(60) {
            text += &match maker.0.below(if arrays.contains('c') { 3 } else { 1 }) {
                0 => format!(", c: {{d: {}}}", maker.scalar()),
                1 => format!(", c: [{{d: {}}}, {}, {{e: 1}}]", maker.value(), maker.scalar()),
                _ => format!(", c: {}", maker.value()),
            };
        }
        let t = maker.pick(&["x", "y", "yes", "z"]).to_owned();
        let tail =
            [format!(", n: {}", maker.0.below(40)), format!(", t: '{t}'"), format!(", k: 'k{}'", maker.0.below(25))];
        // Not all documents of some collections have their fields in one order.
        let turned = if arrays.len() == 1 && maker.0.percent(5) { 1 } else { 0 };
        text += &format!("{}{}{}}}", tail[turned], tail[1 - turned], tail[2]);
        object(&text)
    }

    fn operand(&mut self, field: &str) -> String {
        let maker = &mut self.maker;
        match field {
            "n" => maker.0.below(42).to_string(),
            "t" => format!("'{}'", maker.pick(&["x", "y", "yes", "z", "no"])),
            "k" => format!("'k{}'", maker.0.below(26)),
            "id" => self.id(),
            _ => maker.scalar(),
        }
    }

    fn id(&mut self) -> String {
        let number = self.maker.0.below(320);
        if self.maker.0.percent(30) { format!("'k{number}'") } else { number.to_string() }
    }

    fn operator(&mut self, field: &str) -> String {
        let (left, right) = (self.operand(field), self.operand(field));
        match self.maker.0.below(20) {
            0..=2 => format!("$eq: {left}"),
            3 => format!("$ne: {left}"),
            4 | 5 => format!("$gt: {left}"),
            6 | 7 => format!("$gte: {left}"),
            8 | 9 => format!("$lt: {left}"),
            10 => format!("$lte: {left}"),
            11 | 12 => format!("$in: [{left}, {right}]"),
            13 => format!("$nin: [{left}, {right}]"),
            14 => format!("$exists: {}", self.maker.pick(&["true", "false"])),
            15 => format!("$type: '{}'", self.maker.pick(&["number", "string", "null", "array", "long", "date"])),
            16 => self.pattern(),
            17 => format!("$mod: [{}, 1]", 2 + self.maker.0.below(3)),
            18 => format!("$size: {}", self.maker.0.below(3)),
            _ => format!("$elemMatch: {{$gte: {left}}}"),
        }
    }

    /// Mostly such that begin with a text, of which plans make ranges, in all the forms that may or may not.
    fn pattern(&mut self) -> String {
        let maker = &mut self.maker;
        let anchor = maker.pick(&["^", "^", "^", "", "(^)", "^^"]).to_owned();
        let text =
            maker.pick(&["x", "y", "ye", "yes", "k", "k1", "k2", "(?:k)1", "[y]", "a", "", "Y", "K1"]).to_owned();
        let more = maker.pick(&["", "", "", "*", "+", "?", "{1}", "$", ".", "|z", "[^5]*$", "(1|2)", "\\b"]);
        // A repetition repeats something.
        let text = if text.is_empty() && !more.is_empty() && "*+?{1}".contains(more) { "y" } else { &text };
        let options = match maker.0.below(8) {
            0 => ", $options: 'i'",
            1 => ", $options: 'm'",
            _ => "",
        };
        format!("$regex: '{anchor}{text}{more}'{options}")
    }

    fn condition(&mut self) -> String {
        let field = self.maker.pick(&FIELDS).to_owned();
        let test = match self.maker.0.below(10) {
            0..=3 => self.operand(&field),
            4 if field == "a" => self.maker.value(),
            5 => {
                let (one, mut other) = (self.operator(&field), self.operator(&field));
                while other.split(':').next() == one.split(':').next() {
                    other = self.operator(&field);
                }
                format!("{{{one}, {other}}}")
            }
            6 => format!("{{$not: {{{}}}}}", self.operator(&field)),
            _ => format!("{{{}}}", self.operator(&field)),
        };
        format!("{{'{field}': {test}}}")
    }

    /// A filter, and how many conditions it has.
    fn filter(&mut self, depth: usize) -> (String, usize) {
        let parts = match self.maker.0.below(12) {
            0..=2 => 1,
            3..=7 => 2,
            8..=10 => 3,
            _ => 4,
        };
        let mut conditions = 0;
        let mut texts = Vec::new();
        for _ in 0..parts {
            if depth < 2 && self.maker.0.percent(20) {
                let (text, count) = self.filter(depth + 1);
                conditions += count;
                texts.push(text);
            } else {
                conditions += 1;
                texts.push(self.condition());
            }
        }
        let operator = match self.maker.0.below(10) {
            0..=5 => "$and",
            6..=8 => "$or",
            _ => "$nor",
        };
        (format!("{{{operator}: [{}]}}", texts.join(", ")), conditions)
    }

    fn sort(&mut self) -> String {
        let mut fields: Vec<String> = Vec::new();
        let way = self.maker.pick(&["1", "-1"]).to_owned();
        for _ in 0..[0, 1, 1, 2, 3][self.maker.0.index(5)] {
            let field = self.maker.pick(&["n", "t", "k", "b", "a", "id", "c.d", "s"]).to_owned();
            let way = if self.maker.0.percent(85) { &*way } else { self.maker.pick(&["1", "-1"]) };
            if !fields.iter().any(|other| other.starts_with(&format!("['{field}'"))) {
                fields.push(format!("['{field}', {way}]"));
            }
        }
        format!("[{}]", fields.join(", "))
    }

    /// A question that several ranges, or several indexes together, may answer.
    fn narrow(&mut self) -> ((String, usize), String) {
        let more = self.condition();
        let (n, k) = (self.operand("n"), self.operand("k"));
        let way = self.maker.pick(&["1", "-1"]).to_owned();
        let pattern = self.pattern();
        let (filter, conditions) = match self.maker.0.below(7) {
            5 => (format!("{{t: {{$in: ['x', 'y', 'yes']}}, k: {{{pattern}}}}}"), 2),
            6 => (format!("{{$and: [{{k: {{{pattern}}}}}, {{n: {{$gte: {n}}}}}]}}"), 2),
            0 => (format!("{{t: {{$in: ['x', 'y']}}, k: {k}}}"), 2),
            1 => (format!("{{$and: [{{t: {{$in: ['x', 'z', 'yes']}}}}, {more}]}}"), 2),
            2 => (format!("{{$or: [{{t: 'x', n: {{$gt: {n}}}}}, {{t: 'y'}}]}}"), 3),
            3 => (format!("{{$or: [{{n: {n}}}, {{k: {k}}}, {{id: {}}}]}}", self.id()), 3),
            _ => (format!("{{$or: [{{n: {n}}}, {{$and: [{{k: {k}}}, {more}]}}]}}"), 3),
        };
        ((filter, conditions), format!("[['{}', {way}]]", self.maker.pick(&["n", "n", "t", "k"])))
    }

    /// One question in all its forms.
    async fn case(&mut self, database: &Database<Memory>, collection: &str) -> Result<(), String> {
        let ((mut filter, mut conditions), mut sort) = (self.filter(0), self.sort());
        if self.maker.0.percent(20) {
            ((filter, conditions), sort) = self.narrow();
        }
        let (mut skip, mut limit) = (0, usize::MAX);
        let mut window = String::new();
        if self.maker.0.percent(50) {
            (skip, limit) = (self.maker.0.below(4) as usize, self.maker.0.below(30) as usize);
            window = format!(", skip: {skip}, limit: {limit}");
        }
        let project = self.maker.pick(&PROJECTIONS).to_owned();
        let question = format!("collection: '{collection}', filter: {filter}, sort: {sort}{window}");
        self.tally.cases += 1;
        self.tally.composed += usize::from(conditions > 1);
        let failed = |what: String| format!("{{op: 'find', {question}, project: {project}}}: {what}");
        let parsed = Filter::parse(&object(&filter)).map_err(|error| failed(error.to_string()))?;
        let order = Sort::parse(value(&sort).as_array().unwrap()).unwrap();
        let sort_key = |document: &Object| {
            let mut key = Vec::new();
            order.push_key(document.into(), &mut key).unwrap();
            key
        };
        let matching: BTreeMap<&[u8], &Object> = self
            .model
            .iter()
            .filter(|(_, document)| parsed.matches((*document).into()).unwrap())
            .map(|(id, document)| (id.as_slice(), document))
            .collect();
        let mut keys: Vec<Vec<u8>> = matching.values().map(|document| sort_key(document)).collect();
        keys.sort();
        let keys: Vec<Vec<u8>> = keys.into_iter().skip(skip).take(limit).collect();
        let check = |found: &[Object], what: &str| -> Result<(), String> {
            let ids: Vec<Vec<u8>> = found.iter().map(id_of).collect();
            let mut distinct = ids.clone();
            distinct.sort();
            distinct.dedup();
            let documents: Option<Vec<&Object>> = ids.iter().map(|id| matching.get(id.as_slice()).copied()).collect();
            let Some(documents) = documents.filter(|_| distinct.len() == ids.len()) else {
                return Err(failed(format!("{what}: what does not match, or twice: {found:?}")));
            };
            // Which of several equals comes first is not said.
            if documents.iter().map(|document| sort_key(document)).ne(keys.iter().cloned()) {
                return Err(failed(format!("{what}: found {} of {}, or in another order", ids.len(), keys.len())));
            }
            Ok(())
        };
        let ask = async |request: String| database.try_ask(&request).await.map_err(|error| failed(error.to_string()));
        let found = ask(format!("{{op: 'find', {question}, project: {project}}}")).await?;
        let found = objects(&found);
        check(&found, "documents")?;
        let pairs = value(&project);
        let projection = Projection::parse(pairs.as_array().unwrap(), &[Path::parse("id").unwrap()]).unwrap();
        for document in &found {
            let whole = matching[id_of(document).as_slice()];
            let expected = projection.as_ref().map(|projection| projection.apply(whole.into()).unwrap());
            if document != expected.as_ref().unwrap_or(whole) {
                return Err(failed(format!("{document}, expected {whole} projected")));
            }
        }
        let pairs = value(self.maker.pick(&KEYLESS));
        let projection = Projection::parse(pairs.as_array().unwrap(), &[Path::parse("id").unwrap()]).unwrap().unwrap();
        let keyless =
            format!("op: 'find', collection: '{collection}', filter: {filter}, sort: {sort}, project: {pairs}");
        let mut found: Vec<String> =
            objects(&ask(format!("{{{keyless}}}")).await?).iter().map(Object::to_string).collect();
        let mut expected: Vec<String> =
            matching.values().map(|whole| projection.apply((*whole).into()).unwrap().to_string()).collect();
        found.sort();
        expected.sort();
        if found != expected {
            return Err(failed(format!("{{{keyless}}} gives {found:?}, expected {expected:?}")));
        }
        let answer = ask(format!("{{op: 'find', want: 'keys', {question}}}")).await?;
        let ids = answer.get("keys").unwrap().as_array().unwrap().iter();
        check(&ids.map(|id| Object::from([("id", id.clone())])).collect::<Vec<_>>(), "keys")?;
        let answer = ask(format!("{{op: 'find', want: 'count', {question}}}")).await?;
        if answer.get("count") != Some(&Value::count(keys.len())) {
            return Err(failed(format!("count {answer}, expected {}", keys.len())));
        }
        let field = Path::parse(self.maker.pick(&["n", "t", "b", "s", "a", "c.d"])).unwrap();
        let mut expected: Vec<Vec<u8>> = Vec::new();
        for document in matching.values() {
            let mut add = |value: View<'_>| expected.push(key::encode(value).unwrap());
            let _ = field.visit((*document).into(), &mut |found| {
                match found {
                    Some(View::Array(elements)) => elements.iter().for_each(|element| add(element.unwrap())),
                    Some(value) => add(value),
                    None => {}
                }
                Ok(ControlFlow::Continue(()))
            });
        }
        expected.sort();
        expected.dedup();
        let answer = ask(format!("{{op: 'distinct', field: '{field}', {question}}}")).await?;
        let values = answer.get("values").unwrap().as_array().unwrap().iter();
        if values.map(|value| key::encode(value.into()).unwrap()).ne(expected) {
            return Err(failed(format!("distinct `{field}`: {answer}")));
        }
        let explained = ask(format!("{{op: 'explain', {question}, project: {project}}}")).await?;
        let plan = explained.get("plan").and_then(Value::as_str).unwrap();
        let (plan, tree) = (plan.to_owned(), explained.get("tree").unwrap().to_string());
        let merge = if tree.contains("\"merge\"") { " merge" } else { "" };
        *self.tally.plans.entry(format!("{plan}{merge}")).or_default() += 1;
        if plan == "index" && !tree.contains("\"documents\"") {
            *self.tally.plans.entry("covered".to_owned()).or_default() += 1;
        }
        if self.maker.0.percent(20) {
            self.case_by_parts(database, collection, (&filter, matching.len())).await?;
        }
        Ok(())
    }

    /// TLP: what a condition parts a collection into adds up to the collection. NoREC: where the condition is asked of
    /// documents alone (twice negated, no plan goes by it), it holds for as many.
    async fn case_by_parts(
        &self,
        database: &Database<Memory>,
        collection: &str,
        (filter, matching): (&str, usize),
    ) -> Result<(), String> {
        let count = async |filter: &str| -> Result<usize, String> {
            let request = format!("{{op: 'count', collection: '{collection}', filter: {filter}}}");
            let answer = database.try_ask(&request).await.map_err(|error| format!("{filter}: {error}"))?;
            match answer.get("count") {
                Some(Value::Number(count)) => Ok(count.get() as usize),
                other => panic!("{other:?}"),
            }
        };
        let with = count(filter).await?;
        let without = count(&format!("{{$nor: [{filter}]}}")).await?;
        let unplanned = count(&format!("{{$nor: [{{$nor: [{filter}]}}]}}")).await?;
        let mut parts = 0;
        for test in ["{$type: 'null'}", "{$exists: false}", "{$exists: true, $not: {$type: 'null'}}"] {
            parts += count(&format!("{{$and: [{filter}, {{b: {test}}}]}}")).await?;
        }
        let all = self.model.len();
        if [with, unplanned, parts] != [matching; 3] || with + without != all {
            return Err(format!("{filter}: {with} + {without} of {all}; unplanned {unplanned}, by null {parts}"));
        }
        Ok(())
    }
}

pub fn objects(answer: &Object) -> Vec<Object> {
    answer.get("docs").unwrap().as_array().unwrap().iter().map(|doc| doc.as_object().unwrap().clone()).collect()
}

async fn put(database: &Database<Memory>, documents: Vec<Object>) -> Result<(), String> {
    for collection in ["indexed", "plain"] {
        let docs = Value::Array(documents.iter().cloned().map(Value::from).collect());
        let put = Object::from([("op", "put".into()), ("collection", collection.into()), ("docs", docs)]);
        database.ask_value(put).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

const CASES_OF_A_PHASE: usize = 25;

async fn work(fixture: &Fixture) -> Result<Tally, String> {
    let maker = Maker(fixture.world.random("plans"));
    let mut asker = Asker { maker, model: BTreeMap::new(), tally: Tally::default() };
    let mut indexes: Vec<&str> = Vec::new();
    for index in INDEXES {
        if asker.maker.0.percent(45) {
            indexes.push(index);
        }
    }
    let indexes = indexes.join(", ");
    let collections = format!("[['plain', {{key: 'id'}}], ['indexed', {{key: 'id', indexes: [{indexes}]}}]]");
    let database = fixture.open("tab", &collections).await;
    let arrays = asker.maker.pick(&["", "a", "c", "ac"]).to_owned();
    let size = [5, 60, 300][asker.maker.0.index(3)];
    for phase in 0..5 {
        let changed = if phase == 0 { size } else { size / 5 };
        let mut documents: BTreeMap<Vec<u8>, Object> = BTreeMap::new();
        for _ in 0..changed {
            let id = asker.id();
            let document = asker.document(&id, &arrays);
            documents.insert(id_of(&document), document);
        }
        put(&database, documents.values().cloned().collect()).await?;
        asker.model.extend(documents);
        if phase == 3 {
            let gone = "{n: {$lt: 6}}";
            for collection in ["indexed", "plain"] {
                let delete = format!("{{op: 'delete', collection: '{collection}', filter: {gone}, multi: true}}");
                database.try_ask(&delete).await.map_err(|error| error.to_string())?;
            }
            let gone = Filter::parse(&object(gone)).unwrap();
            asker.model.retain(|_, document| !gone.matches((&*document).into()).unwrap());
        }
        if phase == 1 || phase == 4 {
            while database.maintain(Company::Alone).await.map_err(|error| error.to_string())? {}
        }
        for _ in 0..CASES_OF_A_PHASE {
            let collection = if asker.maker.0.percent(85) { "indexed" } else { "plain" };
            let case = asker.case(&database, collection).await;
            case.map_err(|error| format!("phase {phase}, indexes {indexes}: {error}"))?;
        }
    }
    Ok(asker.tally)
}

#[test]
fn an_answer_is_the_same_whatever_the_plan() {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let first = number("HYPHADB_SEED");
    let cases = number("HYPHADB_CASES").unwrap_or(if first.is_some() { 1 } else { 4_000 }) as usize;
    let mut total = Tally::default();
    for seed in first.unwrap_or(1).. {
        let mut fixture = Fixture::new(seed);
        if seed % 4 != 0 {
            fixture.options = tiny();
        }
        match fixture.run(work(&fixture)) {
            Ok(tally) => {
                total.cases += tally.cases;
                total.composed += tally.composed;
                for (plan, count) in tally.plans {
                    *total.plans.entry(plan).or_default() += count;
                }
            }
            Err(error) => panic!("HYPHADB_SEED={seed}: {error}"),
        }
        if total.cases >= cases {
            break;
        }
    }
    eprintln!("{} cases, {} with several conditions, plans {:?}", total.cases, total.composed, total.plans);
    assert!(total.composed * 10 >= total.cases * 7, "{} of {}", total.composed, total.cases);
    if total.cases >= 4_000 {
        for plan in ["key", "primary", "index", "scan", "union", "index merge", "union merge", "covered"] {
            assert!(total.plans.contains_key(plan), "{plan}: {:?}", total.plans);
        }
    }
}
