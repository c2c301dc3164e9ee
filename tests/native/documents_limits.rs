//! Documents and requests that are too much, or no longer what they were: refused, and never a panic.

use crate::documents::{DOCS, READINGS};
use crate::documents_fixture::{Ask, Fixture, tiny};
use crate::notation::value;
use hyphadb::engine::{Company, Options};
use hyphadb::error::ErrorKind;
use hyphadb::value::{Object, Value, codec};

#[test]
fn documents_that_are_too_deep_or_too_large_are_refused() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let mut deep = value("{}");
        for _ in 0..64 {
            deep = vec![deep].into();
        }
        let large = Value::from("x".repeat(16 * 1024 * 1024));
        let long_key = Value::from("x".repeat(2000));
        let wide = Value::Object(
            Object::from_fields((0..10_001).map(|i| (format!("f{i}").into(), Value::Null)).collect()).unwrap(),
        );
        let name = Value::from(Object::from([("x".repeat(1025).as_str(), Value::Null)]));
        let indexed = Value::from("y".repeat(5000));
        for (field, value) in [("v", deep), ("v", large), ("id", long_key), ("v", wide), ("v", name), ("site", indexed)]
        {
            let docs = vec![Value::from(Object::from([(field, value)]))];
            let request =
                Object::from([("op", "insert".into()), ("collection", "readings".into()), ("docs", docs.into())]);
            let error = database.ask_value(request).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        }
        assert_eq!(database.ask("{op: 'count', collection: 'readings'}").await, "{count: 0}");
    });
}

#[test]
fn altered_requests_are_answered_or_refused_and_never_panic() {
    let fixture = Fixture::new(9);
    let mut random = fixture.world.random("requests");
    let requests = [
        "{op: 'insert', collection: 'readings', docs: [{id: 1, a: [1, {b: 2n}], at: Date(5)}], ordered: false}",
        "{op: 'find', collection: 'readings', filter: {site: {$gt: 'a'}, $or: [{ts: 1}, {ts: null}]}, sort: [['ts', -1]], project: [['ts', 1]], limit: 5}",
        "{op: 'update', collection: 'readings', filter: {site: 'a'}, update: {$set: {'x.y': 1}, $inc: {n: 1}}, multi: true, upsert: true}",
        "{op: 'bulk_write', collection: 'readings', operations: [{insertOne: {document: {id: 7}}}, {deleteMany: {filter: {id: 7}}}]}",
        "{op: 'create_index', collection: 'readings', spec: {name: 'n', fields: ['p', 'q'], unique: false}}",
        "{op: 'cursor_open', collection: 'readings', filter: {}}",
    ];
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        database.ask(&format!("{{op: 'insert', collection: 'readings', docs: {DOCS}}}")).await;
        for round in 0..6000 {
            let mut bytes = codec::encoded(&value(requests[round % requests.len()]));
            for _ in 0..=random.below(3) {
                let place = random.index(bytes.len());
                match random.below(3) {
                    0 => bytes[place] = random.below(256) as u8,
                    1 => bytes[place] = bytes[random.index(bytes.len())],
                    _ => drop(bytes.remove(place)),
                }
            }
            if let Err(error) = database.request(&bytes).await {
                assert!(!matches!(error.kind(), ErrorKind::Internal | ErrorKind::Corrupt), "round {round}: {error}");
            }
        }
        assert!(database.ask("{op: 'find', collection: 'readings'}").await.starts_with("{docs: ["));
    });
}

/// 400 documents of about 260 bytes: 100 kB, of which a sort may keep 20 kB.
#[test]
fn a_sort_that_keeps_too_much_ends_and_one_of_a_few_does_not() {
    let mut fixture = Fixture::new(3);
    fixture.options = Options { sort_bytes: 20_000, ..tiny() };
    fixture.run(async {
        let database = fixture.open("tab", "[['docs', {key: 'id', indexes: ['k']}]]").await;
        let document = |id: i32| {
            let text = Value::from(format!("{id:0>200}"));
            Value::from(Object::from([("id", id.into()), ("k", (id % 7).into()), ("n", (id * 37 % 400).into()), ("t", text)]))
        };
        let docs: Vec<Value> = (0..400).map(document).collect();
        let insert = [("op", "insert".into()), ("collection", "docs".into()), ("docs", docs.into())];
        database.ask_value(Object::from(insert)).await.unwrap();
        for phase in 0..2 {
            let refused = async |request: &str| {
                let error = database.try_ask(&format!("{{collection: 'docs', {request}}}")).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Limit, "phase {phase}, {request}: {error}");
                assert!(error.to_string().contains("the sort has to keep more than 20000 bytes"), "{error}");
                assert!(error.hint().contains("`limit`"), "{}", error.hint());
            };
            refused("op: 'find', sort: [['n', 1]]").await;
            refused("op: 'find', sort: [['n', 1]], limit: 300").await;
            refused("op: 'find', filter: {k: {$gte: 0}}, sort: [['k', 1], ['id', -1]], want: 'keys'").await;
            let opened = database.ask("{op: 'cursor_open', collection: 'docs', sort: [['n', 1]]}").await;
            refused(&format!("op: 'cursor_next', max: 5, {}", opened.trim_matches(['{', '}']))).await;
            for (sort, expected) in [("1", "[{n: 10}, {n: 11}]"), ("-1", "[{n: 389}, {n: 388}]")] {
                let few = format!("sort: [['n', {sort}]], skip: 10, limit: 2, project: [['n', 1], ['id', 0]]");
                let found = database.ask(&format!("{{op: 'find', collection: 'docs', {few}}}")).await;
                assert_eq!(found, format!("{{docs: {expected}}}"), "phase {phase}");
            }
            // The statement that failed is all that did.
            assert_eq!(database.ask("{op: 'count', collection: 'docs', sort: [['n', 1]]}").await, "{count: 400}");
            let changed = "{op: 'find_and_update', collection: 'docs', sort: [['n', -1]], update: {$inc: {k: 0}}, project: [['n', 1], ['id', 0]]}";
            assert_eq!(database.ask(changed).await, "{doc: {n: 399}}");
            while phase == 0 && database.maintain(Company::Alone).await.unwrap() {}
        }
    });
}

#[test]
fn more_shapes_than_are_kept_are_no_obstacle() {
    let fixture = Fixture::new(1);
    fixture.run(async {
        let database = fixture.open("tab", READINGS).await;
        let document = |i: i32| {
            let nested = Object::from([(format!("name {i}").as_str(), Value::from(i))]);
            Object::from([("id", i.into()), ("map", nested.into())])
        };
        for from in [0, 6000] {
            let docs = (from..from + 6000).map(|i| Value::from(document(i))).collect::<Vec<_>>();
            let insert = [("op", "insert".into()), ("collection", "readings".into()), ("docs", docs.into())];
            database.ask_value(Object::from(insert)).await.unwrap();
        }
        for id in [0, 4095, 4096, 11_999] {
            let found = database.ask(&format!("{{op: 'get', collection: 'readings', keys: [{id}]}}")).await;
            assert_eq!(found, format!("{{docs: [{}]}}", document(id)));
        }
    });
}
