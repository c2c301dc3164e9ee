//! Columns against rows: two contexts on one storage, one of which has no room for columns, are asked the same.
//!
//! Seeds are in every message; `HYPHADB_SEED` runs one alone.

use crate::documents_fixture::{Ask, Fixture, describe, seeds, tiny};
use crate::documents_model::Maker;
use hyphadb::db::Database;
use hyphadb::engine::{Company, Options};
use hyphadb::planted::{Bug, plant};
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value};

const COLLECTIONS: &str = "[['c', {key: 'id'}], ['other', {key: 'id'}]]";
/// Fields of one type each, and some of several.
const FIELDS: [&str; 11] = ["id", "n", "s", "d", "b", "o.x", "a", "m", "u", "none", "o"];

/// A document in which most fields keep to their type.
fn document(maker: &mut Maker, id: u64) -> String {
    document_with(maker, &id.to_string(), id)
}

/// The same with another key, which may stand behind some fields.
fn document_with(maker: &mut Maker, key: &str, id: u64) -> String {
    let mut text = match id % 11 {
        0 => format!("{{first: 'some text', second: {id}, id: {key}"),
        _ => format!("{{id: {key}"),
    };
    let mut field = |maker: &mut Maker, name: &str, choices: &[&str]| {
        let value = match maker.0.below(20) {
            0 => return,
            1 => "null".to_owned(),
            _ => maker.pick(choices).to_owned(),
        };
        text += &format!(", {name}: {value}");
    };
    field(maker, "n", &["0", "-0", "1", "1.5", "-7", "0.1", "1e300", "inf", "3", "12345.678"]);
    field(maker, "s", &["'a'", "'b'", "'', u: 'x'", "'long text of a word'", "'\u{e9}'", "'a', u: 1"]);
    field(maker, "d", &["Date(0)", "Date(-1)", "Date(3600000)", "Date(3599999)", "Date(1700000000000)"]);
    field(maker, "b", &["true", "false"]);
    field(maker, "o", &["{x: 1}", "{x: 2}", "{}", "{x: null}", "5", "{y: 1, x: -3}"]);
    if maker.0.percent(5) {
        let odd = maker.value();
        field(maker, maker_field(id), &[&odd]);
    }
    text + "}"
}

/// Where something unusual stands.
const fn maker_field(id: u64) -> &'static str {
    match id % 3 {
        0 => "a",
        1 => "m",
        _ => "w",
    }
}

fn test(maker: &mut Maker) -> String {
    let choices =
        ["0", "1", "1.5", "1n", "-0", "'a'", "''", "null", "true", "Date(0)", "Date(3600000)", "inf", "{x: 1}", "[1]"];
    let (left, right) = (maker.pick(&choices).to_owned(), maker.pick(&choices).to_owned());
    match maker.0.below(10) {
        0 | 1 => left,
        2 => format!("{{$gt: {left}}}"),
        3 => format!("{{$gte: {left}, $lt: {right}}}"),
        4 => format!("{{$lte: {left}}}"),
        5 => format!("{{$ne: {left}}}"),
        6 => format!("{{$in: [{left}, {right}]}}"),
        7 => format!("{{$nin: [{left}, {right}]}}"),
        8 => maker.pick(&["{$exists: true}", "{$exists: false}", "{$type: 'number'}", "{$mod: [2, 1]}"]).to_owned(),
        _ => maker.pick(&["{$regex: 'a'}", "{$not: {$gt: 0}}", "{$size: 1}"]).to_owned(),
    }
}

fn filter(maker: &mut Maker) -> String {
    let mut terms = Vec::new();
    for _ in 0..maker.0.below(3) {
        let field = maker.pick(&FIELDS).to_owned();
        if !terms.iter().any(|term: &String| term.starts_with(&format!("'{field}':"))) {
            terms.push(format!("'{field}': {}", test(maker)));
        }
    }
    if maker.0.percent(10) {
        terms.push(format!("$or: [{{n: {}}}, {{s: {}}}]", test(maker), test(maker)));
    }
    format!("{{{}}}", terms.join(", "))
}

fn group(maker: &mut Maker) -> String {
    let keys = [
        "null",
        "'$s'",
        "'$n'",
        "'$d'",
        "'$b'",
        "'$o.x'",
        "'$u'",
        "'$none'",
        "{s: '$s', b: '$b'}",
        "{n: '$n', one: 1, missing: '$none'}",
        "{$dateTrunc: {date: '$d', unit: 'hour'}}",
        "{$subtract: ['$n', {$mod: ['$n', 2]}]}",
        "{$size: {$ifNull: ['$a', []]}}",
        "{$year: '$d'}",
        "{$toUpper: '$s'}",
        "'$m'",
    ];
    let key = maker.pick(&keys).to_owned();
    let mut folds = vec![format!("_id: {key}")];
    for number in 0..maker.0.below(5) {
        let fold = maker.pick(&[
            "$sum",
            "$avg",
            "$min",
            "$max",
            "$count",
            "$first",
            "$last",
            "$push",
            "$addToSet",
            "$stdDevPop",
        ]);
        let input = match fold {
            "$count" => "{}".to_owned(),
            _ => maker
                .pick(&["'$n'", "'$s'", "'$d'", "'$b'", "1", "'$o.x'", "{$multiply: ['$n', 2]}", "'$m'", "'x'"])
                .to_owned(),
        };
        folds.push(format!("f{number}: {{{fold}: {input}}}"));
    }
    format!("{{$group: {{{}}}}}", folds.join(", "))
}

fn question(maker: &mut Maker) -> String {
    let filter = filter(maker);
    match maker.0.below(6) {
        0 => format!("op: 'find', filter: {filter}"),
        1 => format!("op: 'find', filter: {filter}, sort: [['n', 1], ['id', -1]], limit: 5"),
        2 => format!("op: 'find', filter: {filter}, want: 'keys', sort: [['id', -1]], skip: 1"),
        3 => format!("op: 'count', filter: {filter}"),
        4 => {
            let count = 1 + maker.0.below(3);
            let fields: Vec<String> = (0..count).map(|_| format!("'{}'", maker.pick(&FIELDS))).collect();
            let more = maker.pick(&["", ", sort: [['id', -1]]", ", skip: 2", ", skip: 1, limit: 2000"]);
            format!("op: 'find', filter: {filter}, want: 'columns', fields: [{}]{more}", fields.join(", "))
        }
        _ => {
            let start = if maker.0.percent(50) { format!("{{$match: {filter}}}, ") } else { String::new() };
            format!("op: 'aggregate', pipeline: [{start}{}]", group(maker))
        }
    }
}

async fn change(maker: &mut Maker, database: &Database<Memory>) {
    let id = |maker: &mut Maker| maker.0.below(60);
    let collection = maker.pick(&["c", "c", "c", "other"]).to_owned();
    let request = match maker.0.below(6) {
        0..=3 => {
            let count = 1 + maker.0.below(8);
            let documents: Vec<String> = (0..count)
                .map(|_| {
                    let id = id(maker);
                    document(maker, id)
                })
                .collect();
            format!("op: 'put', docs: [{}]", documents.join(", "))
        }
        4 => {
            let (low, field) = (id(maker), maker.pick(&["n", "s", "o.x"]).to_owned());
            let value = if field == "s" { "'b'" } else { "4" };
            format!(
                "op: 'update', filter: {{id: {{$gte: {low}, $lt: {}}}}}, update: {{$set: {{'{field}': {value}}}}}, multi: true",
                low + 9
            )
        }
        _ => format!("op: 'delete_keys', keys: [{}, {}, {}]", id(maker), id(maker), id(maker)),
    };
    // A key twice in one put is refused: as good as none.
    let _ = Box::pin(database.ask(&format!("{{{request}, collection: '{collection}'}}"))).await;
    match maker.0.below(8) {
        0 => drop(Box::pin(database.engine().checkpoint()).await.unwrap()),
        1 => while Box::pin(database.maintain(Company::Others)).await.unwrap() {},
        _ => {}
    }
}

async fn answer(database: &Database<Memory>, question: &str) -> Result<Object, String> {
    let answer = Box::pin(database.try_ask(&format!("{{{question}, collection: 'c'}}"))).await;
    answer.map_err(|error| describe(&error))
}

/// Answers how many bytes of columns there were at most.
async fn compare(fixture: &Fixture, bytes_max: usize, seed: u64) -> Result<usize, String> {
    let mut maker = Maker(fixture.world.random("columns"));
    let on = Fixture { options: Options { column_bytes: bytes_max, ..tiny() }, ..fixture.clone() };
    let off = Fixture { options: Options { column_bytes: 0, ..tiny() }, ..fixture.clone() };
    let (on, off) = (on.open("on", COLLECTIONS).await, off.open("off", COLLECTIONS).await);
    let mut most = 0;
    for step in 0..60 {
        change(&mut maker, &on).await;
        off.catch_up().await.unwrap();
        for _ in 0..6 {
            let question = question(&mut maker);
            // Twice: the second answer comes of what was kept.
            for round in 1..=2 {
                let (columns, rows) = (answer(&on, &question).await, answer(&off, &question).await);
                if columns != rows {
                    return Err(format!("seed {seed}, step {step}, round {round}: {question}\n{columns:?}\n{rows:?}"));
                }
            }
            let bytes = on.engine().figures().column_bytes;
            assert!(bytes <= bytes_max, "{bytes} bytes of columns");
            most = most.max(bytes);
        }
        assert_eq!(off.engine().figures().column_bytes, 0);
    }
    Ok(most)
}

fn run(seed: u64, bytes_max: usize) -> Result<usize, String> {
    let fixture = Fixture::new(seed);
    fixture.run(compare(&fixture, bytes_max, seed))
}

/// Keys that the stored form has in a form of its own, and leaves out of the values.
fn long_key(kind: u64, id: u64) -> String {
    let spread = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match kind {
        0 => format!("'{spread:016x}'"),
        1 => format!("'{:08x}-0e02-41d4-a716-446655440000'", spread >> 32),
        2 => format!("'reading-{id:06}'"),
        _ => id.to_string(),
    }
}

/// What lies in blocks that nobody has looked into is asked for by contexts that have just opened.
async fn compare_stored(fixture: &Fixture, seed: u64) -> Result<(), String> {
    let mut maker = Maker(fixture.world.random("stored"));
    let options = Options { block_bytes: 700, segment_bytes: 6_000, extent_bytes: 2_000, ..tiny() };
    let writer = Fixture { options, ..fixture.clone() }.open("writer", COLLECTIONS).await;
    for step in 0..6 {
        // In half of the runs keys rise, so that segments lie apart.
        let from = if seed.is_multiple_of(2) { step * 60 } else { 0 };
        let documents: Vec<String> = (from..from + 60)
            .filter(|_| maker.0.percent(80))
            .collect::<Vec<u64>>()
            .into_iter()
            .map(|id| document_with(&mut maker, &long_key(seed / 2 % 4, id), id))
            .collect();
        writer.ask(&format!("{{op: 'put', collection: 'c', docs: [{}]}}", documents.join(", "))).await;
        let key = long_key(seed / 2 % 4, from + 5);
        writer.ask(&format!("{{op: 'delete_keys', collection: 'c', keys: [{key}]}}")).await;
        match maker.0.below(3) {
            0 => {}
            1 => drop(Box::pin(writer.engine().checkpoint()).await.unwrap()),
            _ => while Box::pin(writer.maintain(Company::Others)).await.unwrap() {},
        }
        for _ in 0..6 {
            let question = question(&mut maker);
            let on = Fixture { options: Options { column_bytes: 1 << 20, ..tiny() }, ..fixture.clone() };
            let off = Fixture { options: Options { column_bytes: 0, ..tiny() }, ..fixture.clone() };
            let (on, off) = (on.open("on", COLLECTIONS).await, off.open("off", COLLECTIONS).await);
            let (columns, rows) = (answer(&on, &question).await, answer(&off, &question).await);
            if columns != rows {
                return Err(format!("seed {seed}, step {step}: {question}\n{columns:?}\n{rows:?}"));
            }
            on.close().await;
            off.close().await;
        }
    }
    Ok(())
}

#[test]
fn columns_answer_what_rows_answer() {
    for seed in seeds(30) {
        let most = run(seed, 1 << 20).unwrap();
        assert!(most > 0, "no columns were made");
    }
}

#[test]
fn columns_of_blocks_as_they_are_stored_answer_what_rows_answer() {
    for seed in seeds(32) {
        let fixture = Fixture::new(seed);
        fixture.run(compare_stored(&fixture, seed)).unwrap();
    }
}

/// Objects with more fields than a shape takes have their names in their rows.
#[test]
fn columns_of_documents_without_a_shape_answer_what_rows_answer() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let writer = fixture.open("writer", COLLECTIONS).await;
        let more: String = (0..600).map(|field| format!(", f{field}: {field}")).collect();
        for id in 0..40 {
            writer.ask(&format!("{{op: 'insert', collection: 'c', docs: [{{id: {id}, n: {id}{more}}}]}}")).await;
        }
        writer.engine().checkpoint().await.unwrap();
        let reader = fixture.open("reader", COLLECTIONS).await;
        let group = "pipeline: [{$group: {_id: null, sum: {$sum: '$n'}, all: {$sum: 1}}}]";
        let sums = reader.ask(&format!("{{op: 'aggregate', collection: 'c', {group}}}")).await;
        assert_eq!(sums, "{docs: [{_id: null, sum: 780, all: 40}]}");
        assert!(reader.engine().figures().column_bytes > 0);
        let found = reader.ask("{op: 'find', collection: 'c', filter: {n: {$gte: 20}}, want: 'count'}").await;
        assert_eq!(found, "{count: 20}");
    });
}

#[test]
fn columns_stay_within_their_bound_and_answer_right_when_they_are_driven_out() {
    for seed in seeds(10) {
        run(seed, 9_000).unwrap();
    }
}

#[test]
fn documents_that_newer_ones_have_replaced_are_noticed_where_columns_count_them() {
    plant(Some(Bug::ColumnsCountShadowed));
    let caught = (1..=5).any(|seed| run(seed, 1 << 20).is_err());
    plant(None);
    assert!(caught);
}

#[test]
fn explain_tells_what_vectors_are_asked_for() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", "[['c', {key: 'id', indexes: ['i']}]]").await;
        database.ask("{op: 'insert', collection: 'c', docs: [{id: 1, n: 5, i: 1}, {id: 2, n: 6, i: 2}]}").await;
        for (question, expected) in [
            ("filter: {n: {$gt: 5}, s: 'x'}", Some("[\"n\", \"s\"]")),
            ("filter: {n: 5}, limit: 5", None),
            ("filter: {n: 5}, sort: [['n', 1]], limit: 5", Some("[\"n\"]")),
            ("filter: {$or: [{n: 5}, {s: 'x'}]}", None),
            ("filter: {i: 5}", None),
            ("filter: {}", None),
            ("pipeline: [{$match: {n: 5}}, {$group: {_id: '$s', n: {$sum: '$n'}}}]", Some("[\"n\", \"s\"]")),
            ("pipeline: [{$group: {_id: {$hour: '$d'}}}]", Some("[\"(computed)\"]")),
            ("pipeline: [{$group: {_id: '$$NOW'}}]", Some("[]")),
            ("pipeline: [{$group: {_id: {$add: ['$d', '$$NOW']}}}]", None),
            ("pipeline: [{$limit: 5}, {$group: {_id: '$s'}}]", None),
        ] {
            let explained = database.try_ask(&format!("{{op: 'explain', collection: 'c', {question}}}")).await.unwrap();
            assert_eq!(explained.get("vectors").map(Value::to_string).as_deref(), expected, "{question}");
        }
    });
}
