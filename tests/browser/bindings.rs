//! The exports of the wasm, driven as the facade drives them: encoded requests in, encoded answers out.

use crate::support::fresh_name;
use hyphadb::bindings::{Engine, delete_database};
use hyphadb::value::{Object, Value, codec};
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::convert::TryFromJsValue;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(Object::from(fields))
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::Array(values.to_vec())
}

async fn open(name: &str) -> Engine {
    let readings = object([("key", "id".into()), ("indexes", list([object([("fields", list(["site".into()]))])]))]);
    let config = object([("name", name.into()), ("collections", list([list(["readings".into(), readings])]))]);
    let opened = settled(Engine::open(codec::encoded(&config), None)).await.unwrap();
    Engine::try_from_js_value(opened).unwrap()
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

/// Every type that a document can hold.
fn reading(id: &str) -> Value {
    object([
        ("id", id.into()),
        ("site", "north".into()),
        ("ts", Value::Date(1_700_000_000_123)),
        ("bytes", Value::Bytes(vec![0, 255])),
        ("count", Value::BigInt(i64::MIN)),
        ("zero", Value::number(-0.0).unwrap()),
        ("__proto__", object([("nested", list([Value::Null, Value::Bool(true), "\u{1f600}".into()]))])),
    ])
}

/// The answer, and whether it came at once.
async fn answer(answer: Result<JsValue, JsValue>) -> Result<(Object, bool), JsValue> {
    let answer = answer?;
    let (bytes, at_once) = match answer.dyn_into::<Promise>() {
        Ok(promise) => (JsFuture::from(promise).await?, false),
        Err(bytes) => (bytes, true),
    };
    let Value::Object(answer) = codec::decode(&bytes.unchecked_into::<Uint8Array>().to_vec()).unwrap() else {
        panic!("an answer is an object")
    };
    Ok((answer, at_once))
}

fn insert(id: &str) -> Vec<u8> {
    let docs = list([reading(id)]);
    codec::encoded(&object([("op", "insert".into()), ("collection", "readings".into()), ("docs", docs)]))
}

fn get(id: &str) -> Vec<u8> {
    let keys = list([id.into()]);
    codec::encoded(&object([("op", "get".into()), ("collection", "readings".into()), ("keys", keys)]))
}

fn count() -> Vec<u8> {
    let filter = object([("site", "north".into())]);
    codec::encoded(&object([("op", "count".into()), ("collection", "readings".into()), ("filter", filter)]))
}

#[wasm_bindgen_test]
async fn documents_come_back_exactly_at_once_and_after_reopening() {
    let name = fresh_name("bindings").await;
    let engine = open(&name).await;
    let (inserted, at_once) = answer(engine.request(insert("r1"))).await.unwrap();
    assert!(!at_once && inserted.get("seq").is_some());
    let (found, at_once) = answer(engine.request(get("r1"))).await.unwrap();
    assert!(at_once, "what is in memory costs no promise");
    assert_eq!(found.get("docs"), Some(&list([reading("r1")])));
    settled(engine.close()).await.unwrap();

    let engine = open(&name).await;
    let (found, _) = answer(engine.request(get("r1"))).await.unwrap();
    assert_eq!(found.get("docs"), Some(&list([reading("r1")])));
    settled(engine.close()).await.unwrap();
    settled(delete_database(name)).await.unwrap();
}

#[wasm_bindgen_test]
async fn transactions_and_errors_cross_the_boundary() {
    let name = fresh_name("bindings").await;
    let engine = open(&name).await;
    let transaction = engine.begin().unwrap();
    answer(transaction.request(insert("a"))).await.unwrap();
    answer(transaction.request(insert("b"))).await.unwrap();
    assert_eq!(answer(engine.request(count())).await.unwrap().0.get("count"), Some(&Value::from(0)));
    answer(transaction.commit("strict")).await.unwrap();
    assert_eq!(answer(engine.request(count())).await.unwrap().0.get("count"), Some(&Value::from(2)));

    let error = answer(engine.request(insert("a"))).await.unwrap_err();
    let part = |name: &str| Reflect::get(&error, &name.into()).unwrap();
    assert_eq!(part("code").as_string().as_deref(), Some("already_exists"));
    assert!(part("message").is_string() && part("hint").is_string() && part("details").is_object());
    assert_eq!(part("retryable").as_bool(), Some(false));

    settled(engine.close()).await.unwrap();
    let error = answer(engine.request(count())).await.unwrap_err();
    assert_eq!(Reflect::get(&error, &"code".into()).unwrap().as_string().as_deref(), Some("closed"));
    settled(delete_database(name)).await.unwrap();
}
