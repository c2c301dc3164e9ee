//! Facts about filters: what matches, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

fn array<const N: usize>(elements: [Value; N]) -> Value {
    Value::Array(elements.into())
}

#[track_caller]
fn check(document: &Value, operator: &str, operand: Value, expected: bool) {
    let filter = Filter::parse(&Object::from([("a.b", object([(operator, operand.clone())]))])).unwrap();
    let found = filter.matches(document.as_object().unwrap().into()).unwrap();
    assert_eq!(found, expected, "{document} against {operator} {operand}");
}

fn at(value: Value) -> Value {
    object([("a", object([("b", value)]))])
}

#[test]
fn arrays_match_by_element_and_whole() {
    let document = at(array([1.into(), array([2.into(), 3.into()]), "x".into()]));
    for (operand, expected) in [
        (Value::from(1), true),
        (2.into(), false),
        (array([2.into(), 3.into()]), true),
        (array([1.into(), array([2.into(), 3.into()]), "x".into()]), true),
        (array([1.into()]), false),
        (Value::Null, false),
    ] {
        check(&document, "$eq", operand.clone(), expected);
        check(&document, "$ne", operand.clone(), !expected);
        check(&document, "$in", array([operand.clone(), "?".into()]), expected);
        check(&document, "$nin", array(["?".into(), operand]), !expected);
    }
    check(&document, "$gt", "w".into(), true);
    check(&document, "$lt", 1.into(), false);
    let rows = object([("a", array([object([("b", 1.into())]), object([("b", 5.into())])]))]);
    check(&rows, "$eq", 5.into(), true);
    check(&rows, "$gt", 5.into(), false);
    check(&rows, "$exists", true.into(), true);
}

#[test]
fn null_matches_what_is_missing() {
    for document in [at(Value::Null), object([("a", object([]))]), object([]), object([("a", 1.into())])] {
        check(&document, "$eq", Value::Null, true);
        check(&document, "$gte", Value::Null, true);
        check(&document, "$gt", Value::Null, false);
        check(&document, "$in", array([Value::Null]), true);
        check(&document, "$ne", Value::Null, false);
        check(&document, "$lt", 5.into(), false);
    }
    check(&object([]), "$exists", false.into(), true);
    check(&at(Value::Null), "$exists", true.into(), true);
    check(&at(array([])), "$eq", Value::Null, false);
}

#[test]
fn ranges_stay_within_a_type() {
    check(&at("6".into()), "$gt", 5.into(), false);
    check(&at(Value::BigInt(6)), "$gt", 5.into(), true);
    check(&at(Value::BigInt(5)), "$eq", 5.into(), true);
    check(&at(Value::Bool(true)), "$gt", Value::Bool(false), true);
    check(&at(Value::Date(5)), "$gt", 1.into(), false);
    check(&at(object([("x", 1.into())])), "$eq", object([("x", Value::BigInt(1))]), true);
}

#[test]
fn parts_are_joined() {
    let either = array([object([("x", 1.into())]), object([("y", 1.into()), ("x", 2.into())])]);
    let filter = Filter::parse(&Object::from([("$or", either), ("$and", array([object([("z", 1.into())])]))])).unwrap();
    let matches = |x: i32, y: i32, z: i32| {
        let document = Object::from([("x", x.into()), ("y", y.into()), ("z", z.into())]);
        filter.matches((&document).into()).unwrap()
    };
    assert!(matches(1, 0, 1) && matches(2, 1, 1));
    assert!(!matches(1, 0, 0) && !matches(2, 0, 1));
    assert_eq!(filter.equalities().len(), 1);
    assert!(Filter::parse(&Object::new()).unwrap().is_all());
}

#[test]
fn mistakes_are_named() {
    let message = |name: &str, operand: Value| Filter::parse(&Object::from([(name, operand)])).unwrap_err().to_string();
    assert_eq!(message("$gt", 1.into()), "`$gt` stands outside of a field");
    assert_eq!(message("$and", array([])), "`$and` takes an array of filters");
    assert_eq!(message("$or", array([1.into()])), "`$or` takes an array of filters, not of number");
    assert_eq!(message("$where", "x".into()), "filter operator `$where` is not supported");
    assert_eq!(message("a", object([("$in", 1.into())])), "field `a`: `$in` takes an array, not number");
    assert_eq!(message("a", object([("$exists", "x".into())])), "field `a`: `$exists` takes a boolean, not string");
    assert_eq!(
        message("a", object([("$gt", 1.into()), ("b", 1.into())])),
        "field `a`: `b` stands among operators; it is no operator"
    );
    assert_eq!(message("a", object([("$or", array([]))])), "field `a`: `$or` stands inside of a field");
    assert_eq!(message("a.$b", 1.into()), "path `a.$b`: `$b` is not a field name");
}
