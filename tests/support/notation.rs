//! Values as tests write them: `{id: 'r1', tags: [1, 2n], at: Date(5), raw: Bytes(1 2), gone: null}`.
//!
//! Not JSON: names need no quotes, strings have single or double ones and no escapes. Numbers may be `-0`, `inf`.

use hyphadb::value::{Name, Object, Value};

/// Reads one value; panics where it is none.
pub fn value(text: &str) -> Value {
    let mut rest = text.trim();
    let value = take(&mut rest);
    assert!(rest.trim().is_empty(), "left over: `{rest}` of `{text}`");
    value
}

/// Reads one object.
pub fn object(text: &str) -> Object {
    match value(text) {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn eat(rest: &mut &str, token: &str) -> bool {
    *rest = rest.trim_start();
    match rest.strip_prefix(token) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn word<'a>(rest: &mut &'a str) -> &'a str {
    *rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "$_.-+".contains(c))).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    word
}

fn quoted<'a>(rest: &mut &'a str) -> Option<&'a str> {
    *rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| "'\"".contains(*c))?;
    let (text, after) = rest.strip_prefix(quote)?.split_once(quote).expect("a string ends");
    *rest = after;
    Some(text)
}

fn take(rest: &mut &str) -> Value {
    if eat(rest, "{") {
        let mut fields: Vec<(Name, Value)> = Vec::new();
        while !eat(rest, "}") {
            let name = quoted(rest).unwrap_or_else(|| word(rest));
            assert!(eat(rest, ":"), "a name is followed by a colon: `{rest}`");
            fields.push((name.into(), take(rest)));
            eat(rest, ",");
        }
        return Value::Object(Object::from_fields(fields).unwrap());
    }
    if eat(rest, "[") {
        let mut elements = Vec::new();
        while !eat(rest, "]") {
            elements.push(take(rest));
            eat(rest, ",");
        }
        return Value::Array(elements);
    }
    if let Some(text) = quoted(rest) {
        return Value::from(text);
    }
    match word(rest) {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "Date" => {
            let (ms, after) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
            *rest = after;
            Value::Date(ms.parse().unwrap())
        }
        "Bytes" => {
            let (bytes, after) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
            *rest = after;
            Value::Bytes(bytes.split_whitespace().map(|byte| byte.parse().unwrap()).collect())
        }
        word => match word.strip_suffix('n') {
            Some(bigint) => Value::BigInt(bigint.parse().unwrap()),
            None => Value::number(word.parse().unwrap_or_else(|_| panic!("`{word}` is no value"))).unwrap(),
        },
    }
}
