//! What it costs to hold a document against a schema: nanoseconds per reading, the least of several rounds.
//!
//! `cargo run --profile bench --example schema -- [part of a name]`. Beside it stands what reading all fields costs by itself.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a program for measuring"
)]

mod readings;

use hyphadb::schema::Schema;
use hyphadb::value::shape::Shapes;
use hyphadb::value::{Object, Value, View, row, writer};
use std::time::Instant;

const ROUNDS: usize = 30;
const COUNT: usize = 5000;

fn list(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(*value)).collect())
}

fn of_type(name: &str) -> Object {
    Object::from([("type", name.into())])
}

/// Ten properties with types, some with a bound or a choice.
fn plain() -> Object {
    let choice = |values: &[&str]| Value::from(Object::from([("enum", list(values))]));
    let above = |bound: i32, name: &str| Value::from(Object::from([("type", name.into()), ("minimum", bound.into())]));
    let text = || Value::from(of_type("string"));
    let tags = Object::from([("type", "array".into()), ("items", of_type("string").into())]);
    let properties = Object::from([
        ("id", text()),
        ("ts", above(0, "integer")),
        ("agent", text()),
        ("site", text()),
        ("kind", choice(&["temperature", "humidity", "pressure"])),
        ("status", choice(&["ok", "warn"])),
        ("value", above(-1000, "number")),
        ("unit", text()),
        ("tags", tags.into()),
        ("note", text()),
    ]);
    Object::from([
        ("type", "object".into()),
        ("required", list(&["id", "ts", "agent", "site", "kind", "status", "value", "unit"])),
        ("properties", properties.into()),
    ])
}

fn measure(name: &str, mut work: impl FnMut() -> usize) {
    // A word behind the call runs only what has it in its name, once: for a profiler.
    let wanted = std::env::args().nth(1);
    if wanted.as_ref().is_some_and(|wanted| !name.contains(&**wanted)) {
        return;
    }
    let mut least = f64::INFINITY;
    for _ in 0..if wanted.is_some() { 1 } else { ROUNDS } {
        let start = Instant::now();
        assert_eq!(work(), COUNT);
        least = least.min(start.elapsed().as_secs_f64());
    }
    println!("{name:>40}: {:7.1} ns", least / COUNT as f64 * 1e9);
}

fn main() {
    let documents = readings::readings(COUNT);
    let mut shapes = Shapes::new();
    let mut encode = |document: &Object| {
        let mut bytes = Vec::new();
        for names in writer::encode(document, &shapes, &mut bytes).unwrap().iter() {
            shapes.add(names).unwrap();
        }
        if bytes.is_empty() {
            writer::encode(document, &shapes, &mut bytes).unwrap();
        }
        bytes
    };
    let rows: Vec<Vec<u8>> = documents.iter().map(&mut encode).collect();
    let trees: Vec<Value> = documents.into_iter().map(Value::from).collect();
    let mut closed = plain();
    closed.set("additionalProperties", false.into());
    let mut patterned = plain();
    let id = Object::from([("pattern", "^[0-9a-f]{24}$".into())]);
    patterned
        .set("allOf", vec![Object::from([("properties", Object::from([("id", id.into())]).into())]).into()].into());
    measure("reading all fields of a row", || {
        let fields = rows.iter().map(|bytes| row::open(bytes, &shapes).unwrap().iter().filter(Result::is_ok).count());
        fields.filter(|count| *count == 10).count()
    });
    for (name, schema) in [("plain", plain()), ("closed", closed), ("with a pattern", patterned)] {
        let schema = Schema::compile(&schema.into()).unwrap();
        measure(&format!("{name}, a row"), || {
            let valid = |bytes: &&Vec<u8>| schema.is_valid(View::Object(row::open(bytes, &shapes).unwrap())).unwrap();
            rows.iter().filter(valid).count()
        });
        measure(&format!("{name}, a tree"), || {
            trees.iter().filter(|tree| schema.is_valid((*tree).into()).unwrap()).count()
        });
    }
}
