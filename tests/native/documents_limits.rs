//! Documents and requests that are too much, or no longer what they were: refused, and never a panic.

use crate::documents::{DOCS, READINGS};
use crate::documents_fixture::{Ask, Fixture};
use crate::notation::value;
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
