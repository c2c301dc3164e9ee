//! Entries: what is found by those of two indexes, and documents that are made of entries alone, as a projection takes them,
//! while others are read where entries do not tell.
//!
//! Not at random: that is in `documents_plans.rs`.

use crate::documents_fixture::{Ask, Fixture};
use crate::documents_plans::objects;
use crate::notation::{object, value};
use hyphadb::engine::Company;
use hyphadb::query::{Filter, Projection};
use hyphadb::value::{Object, Path, Value, order};

/// Entries tell strings, dates and fractions; whole numbers may have been bigints, and null may have been missing.
#[test]
fn what_entries_tell_is_not_read_of_documents() {
    let fixture = Fixture::new(5);
    fixture.run(async {
        let indexes = "['k', 'n', ['t', 'at'], 'x', 'tags', {name: 'sparse', fields: 's', sparse: true}]";
        let database = fixture.open("tab", &format!("[['docs', {{key: 'id', indexes: {indexes}}}]]")).await;
        let document = |at: i64| {
            let x = ["1.5", "'x'", "null", "2"][at as usize % 4];
            let s = if at % 3 == 0 { ", s: 'y'" } else { "" };
            let whole = format!("{{id: 'd{at:04}', t: 't{}', at: Date({at}), k: 'k{at:04}'", at % 5);
            object(&format!("{whole}, n: {at}, x: {x}, tags: ['a{0}', 'b{0}']{s}}}", at % 10))
        };
        let docs = Value::Array((0..600).map(|at| document(at).into()).collect());
        let put = Object::from([("op", "put".into()), ("collection", "docs".into()), ("docs", docs)]);
        database.ask_value(put).await.unwrap();
        for phase in 0..2 {
            // The question, what is projected, and how many documents are read for how many.
            for (question, project, read, returned) in [
                ("filter: {k: {$gte: 'k0100', $lt: 'k0200'}}", "[['k', 1]]", 0, 100),
                ("filter: {k: {$gte: 'k0100', $lt: 'k0200'}}", "[['k', 1], ['id', 0]]", 0, 100),
                ("filter: {k: /k01/}", "[['id', 1]]", 0, 100),
                ("filter: {k: /k01/}", "[['id', 1], ['n', 1]]", 100, 100),
                (
                    "filter: {t: {$in: ['t1', 't3']}}, sort: [['at', -1]], skip: 2, limit: 50",
                    "[['t', 1], ['at', 1]]",
                    0,
                    50,
                ),
                ("filter: {t: {$gte: 't1'}}, sort: [['at', -1]], limit: 20", "[['at', 1], ['t', 1]]", 0, 20),
                ("filter: {t: 't1'}, sort: [['s', -1]]", "[['t', 1]]", 120, 120),
                // Every second value is exact, and every fourth.
                ("filter: {x: {$ne: 5}}, sort: [['x', 1]], limit: 600", "[['x', 1]]", 600, 600),
                ("filter: {x: {$gt: 1}}", "[['x', 1]]", 150, 300),
                ("filter: {n: {$gte: 500}}", "[['n', 1]]", 100, 100),
                ("filter: {tags: 'a1'}", "[['tags', 1]]", 60, 60),
                ("filter: {tags: {$in: ['a1', 'b1']}}", "[['id', 1]]", 0, 60),
                ("filter: {s: 'y'}", "[['s', 1]]", 0, 200),
                ("", "[['k', 1]]", 0, 600),
                ("", "[['s', 1]]", 600, 600),
            ] {
                let question = question.replace("/k01/", "{$regex: '^k01'}");
                let asked = format!("collection: 'docs', project: {project}, {question}");
                let explained =
                    database.try_ask(&format!("{{op: 'explain', mode: 'executionStats', {asked}}}")).await.unwrap();
                let execution = explained.get("execution").unwrap().as_object().unwrap();
                let numbers = ["documents", "returned"].map(|name| execution.get(name).unwrap().to_string());
                assert_eq!(numbers, [read.to_string(), returned.to_string()], "phase {phase}, {asked}: {explained}");
                let found = objects(&database.try_ask(&format!("{{op: 'find', {asked}}}")).await.unwrap());
                let whole = objects(
                    &database.try_ask(&format!("{{op: 'find', collection: 'docs', {question}}}")).await.unwrap(),
                );
                let pairs = value(project);
                let projection =
                    Projection::parse(pairs.as_array().unwrap(), &[Path::parse("id").unwrap()]).unwrap().unwrap();
                let mut expected: Vec<Object> =
                    whole.iter().map(|whole| projection.apply(whole.into()).unwrap()).collect();
                let mut sorted = found.clone();
                if !question.contains("sort") {
                    sorted.sort_by_key(|object| object.to_string());
                    expected.sort_by_key(|object| object.to_string());
                }
                assert_eq!(sorted, expected, "phase {phase}, {asked}");
                let opened = database.ask(&format!("{{op: 'cursor_open', {asked}}}")).await;
                let mut parts = Vec::new();
                loop {
                    let cursor = opened.trim_matches(['{', '}']);
                    let next = database.try_ask(&format!("{{op: 'cursor_next', max: 70, {cursor}}}")).await.unwrap();
                    parts.extend(objects(&next));
                    if next.get("done") == Some(&true.into()) {
                        break;
                    }
                }
                parts.sort_by_key(|object| object.to_string());
                expected.sort_by_key(|object| object.to_string());
                assert_eq!(parts, expected, "phase {phase}, {asked} by a cursor");
                let columns = database.ask(&format!("{{op: 'find', want: 'columns', fields: ['k'], {asked}}}")).await;
                assert!(columns.contains("\"k0"), "{columns}");
            }
            while phase == 0 && database.maintain(Company::Alone).await.unwrap() {}
        }
        // Documents with the fields in another order: none is made of entries any more where that would tell.
        let other = "{op: 'put', collection: 'docs', docs: [{id: 'z', at: Date(9), k: 'z', t: 'tz'}]}";
        database.try_ask(other).await.unwrap();
        let asked = |project: &str| {
            format!(
                "{{op: 'explain', mode: 'executionStats', collection: 'docs', filter: {{t: 'tz'}}, project: {project}}}"
            )
        };
        for (project, read) in [("[['t', 1], ['at', 1]]", 1), ("[['t', 1]]", 0)] {
            let explained = database.ask(&asked(project)).await;
            assert!(explained.contains(&format!("documents: {read}, blocksFetched")), "{explained}");
        }
        let find = "{op: 'find', collection: 'docs', filter: {t: 'tz'}, project: [['t', 1], ['at', 1], ['id', 0]]}";
        assert_eq!(database.ask(find).await, "{docs: [{at: Date(9), t: \"tz\"}]}");
    });
}

/// Two conditions of a tenth each over 3,000 documents, in memory and in segments; every second question has an order.
#[test]
fn an_intersection_finds_what_both_indexes_have() {
    let fixture = Fixture::new(5);
    let asked = fixture.run(async {
        let database = fixture.open("tab", "[['docs', {key: 'id', indexes: ['a', 'b', 'tags']}]]").await;
        let document = |at: i64| {
            let tags = if at % 7 == 0 { format!("[{}, {}]", at % 11, at % 13) } else { (at % 11).to_string() };
            object(&format!("{{id: {at}, a: {}, b: {}, tags: {tags}}}", at * 7 % 500, at * 13 % 331))
        };
        for part in 0..3_i64 {
            let docs = Value::Array((part * 1000..part * 1000 + 1000).map(|at| document(at).into()).collect());
            let put = Object::from([("op", "put".into()), ("collection", "docs".into()), ("docs", docs)]);
            database.ask_value(put).await.unwrap();
            while part == 1 && database.maintain(Company::Alone).await.unwrap() {}
        }
        let mut intersections = 0;
        for case in 0..40_i64 {
            let (a, b) = (case * 37 % 450, case * 53 % 290);
            let tags =
                if case % 3 == 0 { format!(", tags: {{$in: [{}, {}]}}", case % 11, case % 5) } else { String::new() };
            let filter = format!("{{a: {{$gte: {a}, $lt: {}}}, b: {{$gte: {b}, $lt: {}}}{tags}}}", a + 50, b + 33);
            let more = if case % 2 == 0 { "sort: [['b', -1]], limit: 20" } else { "skip: 1" };
            let request = |op: &str| format!("{{op: '{op}', collection: 'docs', filter: {filter}, {more}}}");
            let explained = database.try_ask(&request("explain")).await.unwrap();
            intersections += usize::from(explained.get("plan") == Some(&"intersection".into()));
            let parsed = Filter::parse(&object(&filter)).unwrap();
            let all = (0..3000).map(document).filter(|document| parsed.matches(document.into()).unwrap());
            let mut expected: Vec<Object> = all.collect();
            let matching = expected.len();
            let found = objects(&database.try_ask(&request("find")).await.unwrap());
            let b_of = |document: &Object| document.get("b").unwrap().clone();
            if case % 2 == 0 {
                expected.sort_by(|left, right| order::compare_values(&b_of(right), &b_of(left)));
                expected.truncate(20);
                assert_eq!(found.iter().map(b_of).collect::<Vec<_>>(), expected.iter().map(b_of).collect::<Vec<_>>());
            } else {
                assert_eq!(found.len(), expected.len().saturating_sub(1), "{filter}");
            }
            let count =
                database.try_ask(&format!("{{op: 'count', collection: 'docs', filter: {filter}}}")).await.unwrap();
            assert_eq!(count.get("count"), Some(&Value::count(matching)), "{filter}");
        }
        intersections
    });
    assert!(asked >= 10, "{asked} of 40");
}
