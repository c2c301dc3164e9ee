//! Facts about updates: what becomes of a document, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

#[track_caller]
fn check(document: Value, operator: &str, operands: Value, expected: &str) {
    let result = Update::parse(&Object::from([(operator, operands)]), &[], &Filter::all(), Timestamp::from_ms(0))
        .and_then(|update| {
            let key = [Path::parse("id").unwrap()];
            let (after, changed) = update.apply(document.as_object().unwrap(), &key)?;
            assert_eq!(changed, after != *document.as_object().unwrap());
            Ok(after)
        });
    assert_eq!(result.map_or_else(|error| error.to_string(), |after| after.to_string()), expected);
}

#[test]
fn set_goes_through_objects_and_elements() {
    let rows = || object([("a", vec![object([("b", 1.into())])].into())]);
    check(rows(), "$set", object([("a.0.b", 2.into())]), "{a: [{b: 2}]}");
    check(rows(), "$set", object([("a.2", 2.into())]), "{a: [{b: 1}, null, 2]}");
    check(rows(), "$set", object([("c.d.e", 2.into())]), "{a: [{b: 1}], c: {d: {e: 2}}}");
    check(rows(), "$set", object([("a.b", 2.into())]), "cannot set `a.b`: `b` is not an element of the array");
    check(
        rows(),
        "$set",
        object([("a.99999999", 2.into())]),
        "cannot set `a.99999999`: `99999999` is not an element of the array",
    );
    check(rows(), "$set", object([("a.0.b.c", 2.into())]), "cannot set `a.0.b.c`: number has no field `c`");
}

#[test]
fn unset_keeps_the_numbers_of_elements() {
    let rows = || object([("a", vec![1.into(), object([("b", 1.into())])].into()), ("c", Value::Null)]);
    check(rows(), "$unset", object([("c", "".into()), ("a.0", "".into())]), "{a: [null, {b: 1}]}");
    check(rows(), "$unset", object([("a.1.b", "".into()), ("x.y", "".into())]), "{a: [1, {}], c: null}");
}

#[test]
fn inc_adds_numbers_of_both_types() {
    let inc = |value: Value, amount: Value, expected: &str| {
        check(object([("n", value)]), "$inc", object([("n", amount)]), expected);
    };
    inc(1.into(), Value::number(0.5).unwrap(), "{n: 1.5}");
    inc(1.into(), Value::BigInt(2), "{n: 3n}");
    inc(Value::BigInt(2), 1.into(), "{n: 3n}");
    inc(Value::BigInt(2), Value::number(0.5).unwrap(), "`$inc` of `n`: a bigint and a fraction do not go together");
    inc(Value::BigInt(i64::MAX), Value::BigInt(1), "`$inc` of `n`: the result is beyond 64 bits");
    inc("x".into(), 1.into(), "`$inc` of `n`: the value is string, not a number");
    inc(1.into(), "x".into(), "`$inc` of `n` takes a number or bigint, not string");
    let infinite = |sign: f64| Value::number(sign * f64::INFINITY).unwrap();
    inc(infinite(1.0), infinite(-1.0), "`$inc` of `n`: the result is NaN");
    check(object([]), "$inc", object([("m.n", 1.into())]), "{m: {n: 1}}");
}

#[test]
fn mistakes_are_named() {
    let document = || object([("id", 1.into())]);
    check(document(), "$set", object([("id", 2.into())]), "key field `id` cannot be changed");
    check(document(), "$unset", object([("id", 1.into())]), "key field `id` cannot be changed");
    check(document(), "$set", object([("id", Value::BigInt(1))]), "{id: 1n}");
    check(document(), "$set", object([("a", 1.into()), ("a.b", 2.into())]), "updates of `a` and `a.b` are in conflict");
    check(document(), "$set", 1.into(), "`$set` takes an object, not number");
    check(document(), "$foo", object([]), "`$foo` is not an update operator");
    check(document(), "name", 1.into(), "`name` is not an update operator");
    check(
        document(),
        "$set",
        object([("a.$.b", 1.into())]),
        "`$set`: `a.$` has no meaning: the filter asks nothing of an element of `a`",
    );
}
