//! What expressions give, and which are refused.

#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::value::Object;

const NOON: i64 = 1_795_435_200_000;

fn o<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

fn a<const N: usize>(elements: [Value; N]) -> Value {
    Value::Array(elements.into())
}

fn n(number: f64) -> Value {
    Value::number(number).unwrap()
}

fn document() -> Value {
    let item = |n: i32| o([("n", n.into()), ("t", a(["x".into(), n.into()]))]);
    o([
        ("one", 1.into()),
        ("half", n(0.5)),
        ("big", Value::BigInt(7)),
        ("text", "Gr\u{fc}n \u{1f600} x".into()),
        ("nothing", Value::Null),
        ("list", a([3.into(), 1.into(), 2.into(), 1.into()])),
        ("items", a([item(5), Value::Null, item(6), o([("m", 1.into())])])),
        ("at", Value::Date(NOON)),
        ("deep", o([("er", o([("x", 9.into())]))])),
    ])
}

fn names() -> Names<'static> {
    Names { now: Some(Timestamp::from_ms(NOON)), outer: &[] }
}

fn evaluate(expression: &Value) -> Result<Option<Value>> {
    Expression::parse(expression, names())?.value((&document()).into(), &[])
}

#[track_caller]
fn check(expression: Value, expected: impl Into<Value>) {
    assert_eq!(
        evaluate(&expression).map(|found| found.unwrap_or("missing".into())),
        Ok(expected.into()),
        "{expression}"
    );
}

#[track_caller]
fn call(name: &str, arguments: impl Into<Value>, expected: impl Into<Value>) {
    check(o([(name, arguments.into())]), expected);
}

#[track_caller]
fn fails(expression: Value, expected: &str) {
    assert_eq!(evaluate(&expression).unwrap_err().to_string(), expected, "{expression}");
}

#[test]
fn paths_lead_through_objects_arrays_and_places() {
    check("$one".into(), 1);
    check("$deep.er.x".into(), 9);
    check("$$ROOT.deep.er".into(), o([("x", 9.into())]));
    check("$items.n".into(), a([5.into(), 6.into()]));
    check("$items.t".into(), a([a(["x".into(), 5.into()]), a(["x".into(), 6.into()])]));
    check("$items.0.n".into(), 5);
    check("$list.1".into(), 1);
    check("$list.9".into(), "missing");
    check("$one.x".into(), "missing");
    check("$$NOW".into(), Value::Date(NOON));
    check("$$REMOVE".into(), "missing");
    check(a(["$nope".into(), "$one".into()]), a([Value::Null, 1.into()]));
    check(o([("x", "$nope".into()), ("y", o([("$literal", "$one".into())]))]), o([("y", "$one".into())]));
}

#[test]
fn arithmetic_keeps_bigints_exact_and_dates_dates() {
    call("$add", a(["$one".into(), "$half".into(), 2.into()]), n(3.5));
    call("$add", a(["$big".into(), 1.into()]), Value::BigInt(8));
    call("$add", a(["$big".into(), "$half".into()]), n(7.5));
    call("$add", a(["$at".into(), 500.into()]), Value::Date(NOON + 500));
    call("$add", a(["$one".into(), "$nothing".into()]), Value::Null);
    call("$add", a([]), 0);
    call("$multiply", a([Value::BigInt(i64::MAX), 2.into()]), n(18_446_744_073_709_551_616.0));
    call("$subtract", a(["$at".into(), Value::Date(NOON - 60)]), 60);
    call("$divide", a([Value::BigInt(7), 2.into()]), n(3.5));
    call("$mod", a([(-7).into(), 3.into()]), -1);
    call("$round", a([n(2.5)]), 2);
    call("$round", a([n(4.25678), 2.into()]), n(4.26));
    call("$round", a([1234.into(), (-2).into()]), 1200);
    call("$trunc", a([n(-2.79), 1.into()]), n(-2.7));
    call("$pow", a([2.into(), 10.into()]), 1024);
    call("$pow", a([(-1).into(), n(0.5)]), Value::Null);
    call("$abs", n(-0.5), n(0.5));
    call("$sqrt", 9, 3);
    call("$log10", 1000, n(1000_f64.log10()));
    let fail = |name: &str, arguments: Value, message: &str| fails(o([(name, arguments)]), message);
    fail("$divide", a([1.into(), 0.into()]), "`$divide`: the divisor is 0");
    fail("$add", a(["$text".into(), 1.into()]), "`$add`: an argument is string, not a number");
    fail("$add", a(["$at".into(), n(f64::INFINITY)]), "`$add`: a date lies beyond the year 275760");
    fail("$ln", 0.into(), "`$ln`: only numbers above 0 have logarithms");
}

#[test]
fn comparisons_follow_the_one_order_across_types() {
    call("$lt", a([5.into(), "".into()]), true);
    call("$eq", a([5.into(), Value::BigInt(5)]), true);
    call("$eq", a(["$nope".into(), Value::Null]), false);
    call("$lt", a(["$nope".into(), Value::Null]), true);
    call("$cmp", a([a([1.into()]), a([1.into(), 2.into()])]), -1);
    call("$and", a([1.into(), "".into(), a([])]), true);
    call("$and", a([1.into(), 0.into(), o([("$divide", a([1.into(), 0.into()]))])]), false);
    call("$or", a(["$nope".into(), Value::Null, false.into()]), false);
    call("$not", a(["$nope".into()]), true);
}

#[test]
fn conditions_evaluate_only_the_branch_they_take() {
    let fails = || o([("$divide", a([1.into(), 0.into()]))]);
    call("$cond", a([true.into(), 1.into(), fails()]), 1);
    call("$cond", o([("if", "$nope".into()), ("then", fails()), ("else", 2.into())]), 2);
    call("$ifNull", a(["$nope".into(), "$nothing".into(), 3.into(), fails()]), 3);
    let branch = |case: Value, then: Value| o([("case", case), ("then", then)]);
    let branches = a([branch(false.into(), fails()), branch("$one".into(), "hit".into())]);
    call("$switch", o([("branches", branches)]), "hit");
    super::tests::fails(
        o([("$switch", o([("branches", a([branch(false.into(), 1.into())]))]))]),
        "`$switch` has no branch for a document, and no `default`",
    );
}

#[test]
fn variables_stand_for_what_was_bound_last() {
    let body = o([("$add", a(["$$x".into(), "$$y".into(), "$one".into()]))]);
    call("$let", o([("vars", o([("x", 10.into()), ("y", "$half".into())])), ("in", body)]), n(11.5));
    let double = o([("$multiply", a(["$$this".into(), 2.into()]))]);
    call("$map", o([("input", "$list".into()), ("in", double)]), a([6.into(), 2.into(), 4.into(), 2.into()]));
    let above = o([("$gt", a(["$$i.n".into(), 5.into()]))]);
    let filter = o([("input", "$items".into()), ("as", "i".into()), ("cond", above)]);
    check(o([("$size", o([("$filter", filter)]))]), 1);
    let sum = o([("$add", a(["$$value".into(), "$$this".into()]))]);
    call("$reduce", o([("input", "$list".into()), ("initialValue", 100.into()), ("in", sum)]), 107);
    fails("$$nope".into(), "variable `$$nope` is not known");
}

#[test]
fn text_is_counted_in_code_points() {
    call("$concat", a(["a".into(), "$text".into()]), "aGr\u{fc}n \u{1f600} x");
    call("$toUpper", "$text", "GR\u{dc}N \u{1f600} X");
    call("$toLower", "$nope", "");
    call("$substrCP", a(["$text".into(), 5.into(), 2.into()]), "\u{1f600} ");
    call("$strLenCP", "$text", 8);
    call("$indexOfCP", a(["$text".into(), "x".into()]), 7);
    call("$indexOfCP", a(["$text".into(), "x".into(), 0.into(), 7.into()]), -1);
    call("$split", a(["a,b,".into(), ",".into()]), a(["a".into(), "b".into(), "".into()]));
    call("$trim", o([("input", " \ta ".into())]), "a");
    call("$ltrim", o([("input", "xxaxx".into()), ("chars", "x".into())]), "axx");
    let matches = |input: &str, options: &str| {
        o([("input", input.into()), ("regex", "^gr.N".into()), ("options", options.into())])
    };
    call("$regexMatch", matches("$text", "i"), true);
    call("$regexMatch", matches("$text", ""), false);
    call("$regexMatch", matches("$nope", ""), false);
    let replace = |all: &str, by: &str| {
        o([(all, o([("input", "aaa".into()), ("find", "a".into()), ("replacement", by.into())]))])
    };
    check(replace("$replaceOne", "b"), "baa");
    check(replace("$replaceAll", "b"), "bbb");
}

#[test]
fn arrays_objects_and_sets() {
    call("$arrayElemAt", a(["$list".into(), (-1).into()]), 1);
    call("$arrayElemAt", a(["$list".into(), 7.into()]), "missing");
    call("$first", "$items", document().as_object().unwrap().get("items").unwrap().as_array().unwrap()[0].clone());
    call("$slice", a(["$list".into(), 1.into(), 2.into()]), a([1.into(), 2.into()]));
    call("$slice", a(["$list".into(), (-3).into()]), a([1.into(), 2.into(), 1.into()]));
    call("$in", a([2.into(), "$list".into()]), true);
    call("$range", a([5.into(), 0.into(), (-2).into()]), a([5.into(), 3.into(), 1.into()]));
    call("$range", a([0.into(), 0.into()]), a([]));
    call("$indexOfArray", a(["$list".into(), 1.into(), 2.into()]), 3);
    call("$reverseArray", a([a([1.into(), 2.into()])]), a([2.into(), 1.into()]));
    call("$concatArrays", a([a([1.into()]), "$list".into()]), a([1.into(), 3.into(), 1.into(), 2.into(), 1.into()]));
    call("$concatArrays", a([a([1.into()]), "$nope".into()]), Value::Null);
    call(
        "$sortArray",
        o([("input", "$list".into()), ("sortBy", (-1).into())]),
        a([3.into(), 2.into(), 1.into(), 1.into()]),
    );
    call("$setUnion", a(["$list".into(), a([4.into(), 3.into()])]), a([3.into(), 1.into(), 2.into(), 4.into()]));
    call("$setIntersection", a(["$list".into(), a([2.into(), 3.into()])]), a([3.into(), 2.into()]));
    call("$objectToArray", o([("a", 1.into())]), a([o([("k", "a".into()), ("v", 1.into())])]));
    call("$arrayToObject", a([a([a(["a".into(), 1.into()]), a(["a".into(), 2.into()])])]), o([("a", 2.into())]));
    call(
        "$mergeObjects",
        a([o([("a", 1.into())]), "$nope".into(), o([("b", 2.into()), ("a", 3.into())])]),
        o([("a", 3.into()), ("b", 2.into())]),
    );
    call("$sum", "$list", 7);
    call("$avg", a([1.into(), "x".into(), 2.into()]), n(1.5));
    call("$max", "$list", 3);
    call("$stdDevSamp", a([1.into()]), Value::Null);
    call("$median", o([("input", "$list".into())]), 1);
    let parts = o([("input", "$list".into()), ("p", a([0.into(), n(0.75), 1.into()]))]);
    call("$percentile", parts, a([1.into(), 2.into(), 3.into()]));
}

#[test]
fn dates_are_taken_apart_in_utc_or_at_an_offset() {
    call("$year", "$at", 2026);
    call("$hour", o([("date", "$at".into()), ("timezone", "-13:30".into())]), 22);
    call("$dayOfWeek", "$at", 2);
    let trunc = |unit: &str, bin: i32| o([("date", "$at".into()), ("unit", unit.into()), ("binSize", bin.into())]);
    let day = NOON - NOON.rem_euclid(86_400_000);
    call("$dateTrunc", trunc("day", 1), Value::Date(day));
    call("$dateTrunc", trunc("hour", 5), Value::Date(NOON - (NOON - 946_684_800_000).rem_euclid(5 * 3_600_000)));
    call("$dateTrunc", trunc("week", 1), Value::Date(day - 86_400_000));
    call("$dateToString", o([("date", "$at".into())]), "2026-11-23T12:00:00.000Z");
    let format = |format: &str| o([("date", "$at".into()), ("format", format.into()), ("timezone", "+05:45".into())]);
    call("$dateToString", format("%d.%m.%Y %H:%M %z %Z %b %%"), "23.11.2026 17:45 +0545 +345 Nov %");
    let text = |text: &str| o([("dateString", text.into()), ("onError", "bad".into())]);
    call("$dateFromString", text("2026-11-23T13:00+01:00"), Value::Date(NOON));
    call("$dateFromString", text("2026-02-29"), "bad");
    let leap = o([("startDate", Value::Date(1_706_659_200_000)), ("unit", "month".into()), ("amount", 1.into())]);
    call("$dateAdd", leap, Value::Date(1_709_164_800_000));
    let diff = |unit: &str| o([("startDate", Value::Date(NOON - 1)), ("endDate", "$at".into()), ("unit", unit.into())]);
    call("$dateDiff", diff("hour"), 1);
    call("$dateDiff", diff("day"), 0);
    fails(
        o([("$year", o([("date", "$at".into()), ("timezone", "Europe/Berlin".into())]))]),
        "`$year`: time zone `Europe/Berlin` is not supported",
    );
}

#[test]
fn conversions_say_what_cannot_be_converted() {
    call("$toString", n(0.1), "0.1");
    call("$toString", "$at", "2026-11-23T12:00:00.000Z");
    call("$toInt", "12.0", 12);
    call("$toLong", "$big", Value::BigInt(7));
    call("$toDouble", true, 1);
    call("$toBool", "$nothing", Value::Null);
    call("$toDate", 5, Value::Date(5));
    call("$type", "$nope", "missing");
    call("$type", "$half", "double");
    let convert = |to: &str| o([("input", "x".into()), ("to", to.into()), ("onError", 1.into())]);
    call("$convert", convert("int"), 1);
    fails(o([("$toInt", "x".into())]), "`$toInt`: string \"x\" cannot be converted to number");
}

#[test]
fn mistakes_are_refused_before_a_document_is_read() {
    let refused = |expression: Value, kind: crate::error::ErrorKind, message: &str| {
        let error = Expression::parse(&expression, names()).unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (kind, message));
    };
    use crate::error::ErrorKind::{Invalid, Limit, Unsupported};
    let within = o([("x", o([("$add", a([1.into(), o([("$nope", 1.into())])]))]))]);
    refused(within, Unsupported, "`x`: `$add`: `1`: `$nope`: this expression operator is not supported");
    refused(o([("$function", 1.into())]), Unsupported, "`$function`: this expression operator is not supported");
    refused(o([("$divide", a([1.into()]))]), Invalid, "`$divide`: it takes 2 argument(s), not 1");
    refused(o([("$dateTrunc", o([("date", 1.into())]))]), Invalid, "`$dateTrunc`: argument `unit` is missing");
    refused(o([("$trim", o([("input", 1.into()), ("x", 1.into())]))]), Invalid, "`$trim`: argument `x` is not known");
    refused(o([("$add", 1.into()), ("b", 1.into())]), Invalid, "`$add` stands among the fields of an object");
    refused("$a..b".into(), Invalid, "path `a..b` has an empty part");
    let mut deep = Value::from(1);
    for _ in 0..64 {
        deep = o([("$abs", deep)]);
    }
    assert_eq!(Expression::parse(&deep, names()).unwrap_err().kind(), Limit);
    assert!(Expression::parse(&"$$NOW".into(), Names::default()).is_err());
}

#[test]
fn what_would_grow_without_bound_is_a_limit() {
    let kind = |expression: Value| evaluate(&expression).unwrap_err().kind();
    use crate::error::ErrorKind::Limit;
    assert_eq!(kind(o([("$range", a([0.into(), n(1e15)]))])), Limit);
    let reduce = |body: Value, steps: i32| {
        o([(
            "$reduce",
            o([("input", o([("$range", a([0.into(), steps.into()]))])), ("initialValue", "ab".into()), ("in", body)]),
        )])
    };
    assert_eq!(kind(reduce(o([("$concat", a(["$$value".into(), "$$value".into()]))]), 60)), Limit);
    assert_eq!(kind(reduce(a(["$$value".into()]), 100)), Limit);
}

#[test]
fn outer_variables_come_with_each_evaluation() {
    let outer: [Name; 2] = ["a".into(), "b".into()];
    let sum = o([("$add", a(["$$a".into(), o([("$ifNull", a(["$$b".into(), 1.into()]))])]))]);
    let sum = Expression::parse(&sum, Names { now: None, outer: &outer }).unwrap();
    assert_eq!(sum.value((&document()).into(), &[Some(5.into()), None]), Ok(Some(6.into())));
}
