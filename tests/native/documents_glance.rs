//! Glances: what is answered at once is what a request is answered with, whatever is asked for and wherever it lies.

use crate::documents_fixture::{Fixture, describe, tiny};
use crate::notation::value;
use hyphadb::db::Database;
use hyphadb::engine::{Company, Options};
use hyphadb::storage::memory::Memory;
use hyphadb::value::{Object, Value, codec};

const COLLECTIONS: &str = "[['things', {key: 'id'}], ['pairs', {key: ['a', 'b']}]]";

fn pair(collection: &str, key: &Value) -> Vec<u8> {
    codec::encoded(&Value::Array(vec![collection.into(), key.clone()]))
}

async fn ask(database: &Database<Memory>, request: Object) -> Result<Value, String> {
    let answer = database.request(&codec::encoded(&request.into())).await;
    answer.map(|bytes| codec::decode(&bytes).unwrap()).map_err(|error| describe(&error))
}

/// What a `get` answers, as an answer for one.
async fn by_request(database: &Database<Memory>, collection: &str, key: &Value) -> Result<Value, String> {
    let keys = Value::Array(vec![key.clone()]);
    let request = Object::from([("op", "get".into()), ("collection", collection.into()), ("keys", keys)]);
    let answer = ask(database, request).await?;
    Ok(answer.as_object().unwrap().get("docs").unwrap().as_array().unwrap()[0].clone())
}

/// The only document of an answer.
fn one(answer: &[u8]) -> Value {
    codec::decode(answer).unwrap().as_object().unwrap().get("docs").unwrap().as_array().unwrap()[0].clone()
}

/// Compares all ways to ask for one document; answers whether a glance told it.
async fn check(database: &Database<Memory>, collection: &str, key: &Value) -> bool {
    let glanced = database.glance(&pair(collection, key)).map(|bytes| one(&bytes));
    let expected = by_request(database, collection, key).await;
    let asked = database.request(&pair(collection, key)).await;
    let asked = asked.map(|bytes| one(&bytes)).map_err(|error| describe(&error));
    assert_eq!(asked, expected, "`{collection}` {key}");
    if let Some(glanced) = &glanced {
        assert_eq!(Ok(glanced), expected.as_ref(), "`{collection}` {key}");
    }
    glanced.is_some()
}

fn documents() -> Vec<Value> {
    let mut documents: Vec<Value> = (0..400).map(|n| value(&format!("{{id: 'key {n}', n: {n}}}"))).collect();
    documents.extend((0..400).map(|n| value(&format!("{{id: {n}, n: '{n}'}}"))));
    let kinds = "null, true, false, 0, -0, 1.5, 1e300, 9007199254740993n, 'text', '', Date(-1), Bytes(1 2), [], [1, ['x']], {}, {a: {b: [{}]}}";
    documents.push(value(&format!("{{id: Date(5), all: [{kinds}], none: null, deep: {{a: {{b: 'c'}}}}}}")));
    documents.push(value("{id: 9007199254740993n}"));
    documents.push(value("{id: -0, first: 1}"));
    documents
}

async fn filled(fixture: &Fixture) -> Database<Memory> {
    let database = fixture.open("tab", COLLECTIONS).await;
    for docs in documents().chunks(50) {
        let docs = Value::Array(docs.to_vec());
        let request = Object::from([("op", "put".into()), ("collection", "things".into()), ("docs", docs)]);
        ask(&database, request).await.unwrap();
    }
    let docs = value("[{a: 'x', b: 1, c: 'one'}, {a: 'x', b: 2, c: 'two'}]");
    ask(&database, Object::from([("op", "put".into()), ("collection", "pairs".into()), ("docs", docs)])).await.unwrap();
    let gone = Value::Array((0..400).step_by(7).map(|n| value(&format!("'key {n}'"))).collect());
    let request = Object::from([("op", "delete_keys".into()), ("collection", "things".into()), ("keys", gone)]);
    ask(&database, request).await.unwrap();
    database
}

/// Asks for everything that there is and for much that there is not; answers how often a glance told it, and all.
async fn check_all(database: &Database<Memory>) -> (usize, usize) {
    let mut keys: Vec<Value> =
        documents().iter().map(|document| document.as_object().unwrap().get("id").unwrap().clone()).collect();
    let others =
        "['key', 'key 400', 'key 1\\', '', 0.5, 400, 1n, 9007199254740992, null, true, [], [1], {}, Bytes(1), Date(6)]";
    keys.extend(value(others).as_array().unwrap().iter().cloned());
    let (mut told, mut all) = (0, 0);
    for key in &keys {
        all += 1;
        told += usize::from(check(database, "things", key).await);
    }
    for key in value("[['x', 1], ['x', 2], ['x', 3], ['x'], 'x', [1, 'x', 2]]").as_array().unwrap() {
        check(database, "pairs", key).await;
    }
    assert!(!check(database, "nowhere", &"key 1".into()).await);
    (told, all)
}

#[test]
fn a_glance_tells_what_a_request_is_answered_with() {
    for (options, tells_all) in [(Options::default(), true), (tiny(), false)] {
        let fixture = Fixture { options, ..Fixture::new(3) };
        fixture.run(async {
            let database = filled(&fixture).await;
            for _ in 0..6 {
                let (told, all) = check_all(&database).await;
                // Of keys that cannot be keys a glance never tells.
                assert!(told > 0 && (!tells_all || told + 6 >= all), "{told} of {all}");
                database.maintain(Company::Alone).await.unwrap();
            }
        });
    }
}

#[test]
fn a_glance_sees_each_commit_and_nothing_after_the_end() {
    let fixture = Fixture::new(4);
    fixture.run(async {
        let database = fixture.open("tab", COLLECTIONS).await;
        let wanted = pair("things", &"a".into());
        let glance = || database.glance(&wanted).map(|bytes| one(&bytes));
        assert_eq!(glance(), Some(Value::Null));
        for n in 0..3 {
            let docs = value(&format!("[{{id: 'a', n: {n}}}]"));
            let request = |docs| Object::from([("op", "put".into()), ("collection", "things".into()), ("docs", docs)]);
            ask(&database, request(docs.clone())).await.unwrap();
            assert_eq!(glance(), Some(docs.as_array().unwrap()[0].clone()));
            let transaction = database.begin().unwrap();
            transaction.request(&codec::encoded(&request(value("[{id: 'a', n: 9}]")).into())).await.unwrap();
            assert_eq!(glance(), Some(docs.as_array().unwrap()[0].clone()), "what is not committed is not seen");
            let own = one(&transaction.request(&wanted).await.unwrap());
            assert_eq!(own, value("{id: 'a', n: 9}"), "but by the transaction");
            transaction.rollback();
        }
        assert_eq!(database.glance(&[]), None);
        assert_eq!(database.glance(&codec::encoded(&Value::from("a"))), None);
        assert_eq!(database.glance(&[&wanted[..], &[0]].concat()), None);
        database.close().await;
        assert_eq!(glance(), None);
        assert!(!check(&database, "things", &"a".into()).await);
    });
}
