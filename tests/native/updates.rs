//! Updates: what each operator makes of a document, and what is refused.
//!
//! Not compared with another implementation here: `tests/js/mingo.test.mjs` does that.

use crate::notation::{object, value};
use hyphadb::env::Timestamp;
use hyphadb::error::{Error, ErrorKind, Result};
use hyphadb::query::{Filter, Update};
use hyphadb::value::{Object, Path};

fn update(update: &str, array_filters: &str, filter: &str) -> Result<Update> {
    let filter = Filter::parse(&object(filter)).unwrap();
    Update::parse(&object(update), value(array_filters).as_array().unwrap(), &filter, Timestamp::from_ms(77))
}

fn made(before: &str, text: &str, array_filters: &str, filter: &str) -> Result<Object> {
    let document = object(before);
    let (after, differs) = update(text, array_filters, filter)?.apply(&document, &[Path::parse("id")?])?;
    assert_eq!(differs, after != document);
    Ok(after)
}

#[track_caller]
fn makes(before: &str, text: &str, after: &str) {
    assert_eq!(made(before, text, "[]", "{}").unwrap(), object(after), "{text} of {before}");
}

#[track_caller]
fn fails(before: &str, text: &str, message: &str) {
    let error = made(before, text, "[]", "{}").unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Invalid, message), "{text} of {before}");
}

#[test]
fn numbers_are_multiplied_and_bounded() {
    makes("{n: 3, m: 2n}", "{$mul: {n: 1.5, m: 4}}", "{n: 4.5, m: 8n}");
    makes("{}", "{$mul: {n: 5, m: 5n}}", "{n: 0, m: 0n}");
    makes("{n: 3, m: 3n, k: 'x'}", "{$min: {n: 2, m: 5, k: 9}, $max: {j: 1}}", "{n: 2, m: 3n, k: 9, j: 1}");
    makes("{n: 3, d: null, s: 'x'}", "{$max: {n: 'text', d: 0, s: 5}}", "{n: 'text', d: 0, s: 'x'}");
    fails("{n: 'x'}", "{$mul: {n: 2}}", "`$mul` of `n`: the value is string, not a number");
    fails("{n: null}", "{$inc: {n: 2}}", "`$inc` of `n`: the value is null, not a number");
    fails("{}", "{$mul: {n: 'x'}}", "`$mul` of `n` takes a number or bigint, not string");
    fails("{n: 9223372036854775807n}", "{$mul: {n: 2}}", "`$mul` of `n`: the result is beyond 64 bits");
}

#[test]
fn bits_are_those_of_64_bit_integers() {
    makes("{n: 13}", "{$bit: {n: {and: 10}}}", "{n: 8}");
    makes("{n: 3, m: 1n, k: -1}", "{$bit: {n: {or: 5}, m: {xor: 3}, k: {and: 255n}}}", "{n: 7, m: 2n, k: 255n}");
    makes("{n: 1099511627777}", "{$bit: {n: {and: -2}}}", "{n: 1099511627776}");
    makes("{n: -0, m: 9007199254740992n}", "{$bit: {n: {or: 0}, m: {or: 1}}}", "{n: 0, m: 9007199254740993n}");
    makes("{}", "{$bit: {a: {or: 5}, b: {and: 5}, 'c.d': {xor: 5n}}}", "{a: 5, b: 0, c: {d: 5n}}");
    makes("{a: [1, 2]}", "{$bit: {'a.$[]': {xor: 3}}}", "{a: [2, 1]}");
    fails("{n: 1.5}", "{$bit: {n: {and: 1}}}", "`$bit` of `n`: a fraction has no bits");
    fails("{n: inf}", "{$bit: {n: {and: 1}}}", "`$bit` of `n`: a fraction has no bits");
    fails("{n: '1'}", "{$bit: {n: {and: 1}}}", "`$bit` of `n`: the value is string, not a number");
    let beyond = "`$bit` of `n`: the result is more than a number holds: make it a bigint";
    fails("{n: 9007199254740992}", "{$bit: {n: {or: 1}}}", beyond);
    for operand in ["5", "{}", "{not: 5}", "{and: 1, or: 2}", "{and: 1.5}", "{and: '1'}", "[1]"] {
        let error = made("{n: 1}", &format!("{{$bit: {{n: {operand}}}}}"), "[]", "{}").unwrap_err().to_string();
        let expected = "`$bit` of `n` takes one of `and`, `or` and `xor`, with a whole number or bigint, not ";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn the_present_time_is_a_date() {
    makes("{a: 1}", "{$currentDate: {a: true, 'b.c': {$type: 'date'}}}", "{a: Date(77), b: {c: Date(77)}}");
    let refused = |operand: &str| {
        let error = update(&format!("{{$currentDate: {{a: {operand}}}}}"), "[]", "{}").unwrap_err();
        (error.kind(), error.to_string())
    };
    let timestamp = "`$currentDate` of `a`: there are dates, and no timestamps".to_owned();
    assert_eq!(refused("{$type: 'timestamp'}"), (ErrorKind::Unsupported, timestamp));
    for operand in ["false", "1", "'date'", "{}", "{$type: 'string'}", "{$type: 'date', x: 1}", "Date(5)"] {
        let (kind, message) = refused(operand);
        assert_eq!(kind, ErrorKind::Invalid, "{operand}");
        assert!(message.ends_with("is neither true nor `{ $type: 'date' }`"), "{message}");
    }
}

#[test]
fn all_elements_that_are_listed_are_taken_out() {
    makes("{a: [1, 2, 1n, 'x', null, 2]}", "{$pullAll: {a: [1, 'x', 5]}}", "{a: [2, null, 2]}");
    makes("{a: [[1], {x: 1}, {x: 1, y: 2}, 1]}", "{$pullAll: {a: [[1], {x: 1}]}}", "{a: [{x: 1, y: 2}, 1]}");
    makes("{a: [{$gt: 1}, 5]}", "{$pullAll: {a: []}, $set: {b: 1}}", "{a: [{$gt: 1}, 5], b: 1}");
    makes("{}", "{$pullAll: {a: [1]}}", "{}");
    makes("{a: [{b: [1, 2]}, {b: [2]}]}", "{$pullAll: {'a.$[].b': [2]}}", "{a: [{b: [1]}, {b: []}]}");
    fails("{a: 1}", "{$pullAll: {a: [1]}}", "`$pullAll` of `a`: the value is number, not an array");
    fails("{a: [1]}", "{$pullAll: {a: 1}}", "`$pullAll` of `a` takes an array, not number");
}

#[test]
fn a_field_gets_another_name() {
    makes("{a: 1, b: 2}", "{$rename: {a: 'c'}}", "{b: 2, c: 1}");
    makes("{a: {x: 1}, b: 2}", "{$rename: {'a.x': 'b'}}", "{a: {}, b: 1}");
    makes("{a: 1}", "{$rename: {a: 'b.c'}}", "{b: {c: 1}}");
    makes("{a: 1}", "{$rename: {gone: 'a'}}", "{a: 1}");
    fails("{a: [{x: 1}]}", "{$rename: {'a.0.x': 'b'}}", "`$rename` of `a.0.x` to `b`: `a.0.x` leads into an array");
    fails("{a: [1], b: 1}", "{$rename: {b: 'a.0'}}", "`$rename` of `b` to `a.0`: `a.0` leads into an array");
    fails("{a: 1, b: 1}", "{$rename: {b: 'a.c'}}", "cannot set `a.c`: number has no field `c`");
    fails("{}", "{$rename: {a: 'a.b'}}", "updates of `a` and `a.b` are in conflict");
    fails("{}", "{$rename: {a: 'b'}, $set: {'b.c': 1}}", "updates of `b` and `b.c` are in conflict");
    fails("{}", "{$rename: {a: 5}}", "`$rename` of `a` takes a path, not number");
    fails("{id: 1}", "{$rename: {id: 'b'}}", "key field `id` cannot be changed");
}

#[test]
fn elements_are_added_in_place_in_order_and_cut() {
    makes("{a: [1]}", "{$push: {a: [2]}}", "{a: [1, [2]]}");
    makes("{}", "{$push: {a: {b: 1}}}", "{a: [{b: 1}]}");
    makes("{a: [1, 2]}", "{$push: {a: {$each: [8, 9], $position: 1}}}", "{a: [1, 8, 9, 2]}");
    makes("{a: [1, 2]}", "{$push: {a: {$each: [9], $position: -1}}}", "{a: [1, 9, 2]}");
    makes("{a: [1, 2]}", "{$push: {a: {$each: [9], $position: -7}}}", "{a: [9, 1, 2]}");
    makes("{a: [1, 2]}", "{$push: {a: {$each: [9], $position: 7}}}", "{a: [1, 2, 9]}");
    makes("{a: [3, 'x', 1]}", "{$push: {a: {$each: [2, null], $sort: 1}}}", "{a: [null, 1, 2, 3, 'x']}");
    makes("{a: [3, 1]}", "{$push: {a: {$each: [2], $sort: -1, $slice: 2}}}", "{a: [3, 2]}");
    makes("{a: [1, 2, 3]}", "{$push: {a: {$each: [4], $slice: -2}}}", "{a: [3, 4]}");
    makes("{a: [1, 2, 3]}", "{$push: {a: {$each: [], $slice: 0}}}", "{a: []}");
    makes("{a: [1]}", "{$push: {a: {$each: [2], $slice: -9}}}", "{a: [1, 2]}");
    let rows = "{a: [{n: 2, k: 1}, {n: 1, k: 2}, 7]}";
    let sorted = "{a: [7, {n: 1, k: 3}, {n: 1, k: 2}, {n: 2, k: 1}]}";
    makes(rows, "{$push: {a: {$each: [{n: 1, k: 3}], $sort: {n: 1, k: -1}}}}", sorted);
    makes("{}", "{$push: {a: {$each: [3, 1, 2], $sort: 1, $slice: 2}}}", "{a: [1, 2]}");
    fails("{a: 5}", "{$push: {a: 1}}", "`$push` of `a`: the value is number, not an array");
    fails("{}", "{$push: {a: {$slice: 1}}}", "`$push` of `a`: `$each` takes an array, and has to be there");
    fails("{}", "{$push: {a: {$each: 1}}}", "`$push` of `a`: `$each` takes an array, and has to be there");
    fails("{}", "{$push: {a: {$each: [], $slice: 1.5}}}", "`$push` of `a`: `$slice` takes a whole number, not 1.5");
    fails(
        "{}",
        "{$push: {a: {$each: [], $sort: 2}}}",
        "`$push` of `a`: `$sort` takes 1, -1 or an object of them, not 2",
    );
    fails(
        "{}",
        "{$push: {a: {$each: [], $foo: 2}}}",
        "`$push` of `a`: `$foo` is not known here, there are $each, $position, $sort and $slice",
    );
}

#[test]
fn a_set_has_each_new_element_once() {
    makes("{a: [1, {x: 1}]}", "{$addToSet: {a: 1n}}", "{a: [1, {x: 1}]}");
    makes("{a: [1, 1]}", "{$addToSet: {a: {$each: [2, 1, 2, {x: 1}]}}}", "{a: [1, 1, 2, {x: 1}]}");
    makes("{}", "{$addToSet: {a: {$each: [1, 1]}}}", "{a: [1]}");
    fails("{a: {}}", "{$addToSet: {a: 1}}", "`$addToSet` of `a`: the value is object, not an array");
    fails(
        "{}",
        "{$addToSet: {a: {$each: [], $slice: 1}}}",
        "`$addToSet` of `a`: `$slice` is not known here, there are $each",
    );
}

#[test]
fn elements_are_taken_out_by_end_value_or_condition() {
    makes("{a: [1, 2, 3], b: [1, 2]}", "{$pop: {a: 1, b: -1, c: 1}}", "{a: [1, 2], b: [2]}");
    makes("{a: []}", "{$pop: {a: -1}}", "{a: []}");
    makes("{a: [1, 2, 1n, [1]]}", "{$pull: {a: 1}}", "{a: [2, [1]]}");
    makes("{a: [1, 5, 'x', [9]]}", "{$pull: {a: {$gte: 5}}}", "{a: [1, 'x']}");
    makes("{a: ['x', 'y']}", "{$pull: {a: {$in: ['x', {$regex: 'z'}]}}}", "{a: ['y']}");
    makes("{a: [{n: 1, m: 1}, {n: 2}, 1]}", "{$pull: {a: {n: 1}}}", "{a: [{n: 2}, 1]}");
    makes("{a: [{n: 1}, {n: 5}]}", "{$pull: {a: {$or: [{n: {$gt: 4}}, {n: 0}]}}}", "{a: [{n: 1}]}");
    makes("{}", "{$pull: {a: 1}}", "{}");
    fails("{a: 5}", "{$pull: {a: 1}}", "`$pull` of `a`: the value is number, not an array");
    fails("{a: null}", "{$pop: {a: 1}}", "`$pop` of `a`: the value is null, not an array");
    fails("{}", "{$pop: {a: 2}}", "`$pop` of `a`: 2 is neither 1, the last, nor -1, the first");
}

#[test]
fn what_is_set_on_insert_is_set_then_alone() {
    makes("{a: 1}", "{$setOnInsert: {b: 1}, $inc: {a: 1}}", "{a: 2}");
    let update = update("{$setOnInsert: {b: 1}, $inc: {a: 1}}", "[]", "{}").unwrap();
    assert_eq!(update.insert(&object("{id: 5}")).unwrap(), object("{id: 5, b: 1, a: 1}"));
}

#[test]
fn elements_are_meant_all_some_or_the_one_that_was_found() {
    let rows = "{a: [{n: 1}, {n: 5, m: [1, 2]}, {n: 9, m: []}]}";
    let check = |before: &str, text: &str, array_filters: &str, filter: &str, after: &str| {
        assert_eq!(made(before, text, array_filters, filter).unwrap(), object(after), "{text} of {before}");
    };
    check("{a: [1, 2]}", "{$inc: {'a.$[]': 10}}", "[]", "{}", "{a: [11, 12]}");
    check(rows, "{$set: {'a.$[].n': 0}}", "[]", "{}", "{a: [{n: 0}, {n: 0, m: [1, 2]}, {n: 0, m: []}]}");
    check(
        rows,
        "{$set: {'a.$[x].k': 0}}",
        "[{'x.n': {$gt: 5}}]",
        "{}",
        "{a: [{n: 1}, {n: 5, m: [1, 2]}, {n: 9, m: [], k: 0}]}",
    );
    check("{a: [1, 8, 3]}", "{$set: {'a.$[x]': 5}}", "[{x: {$gte: 5}}]", "{}", "{a: [1, 5, 3]}");
    check("{a: [1, 8]}", "{$set: {'a.$[x]': 5}}", "[{x: 77}]", "{}", "{a: [1, 8]}");
    check(
        "{a: [{m: [1, 2]}, {m: [3, 2]}]}",
        "{$mul: {'a.$[x].m.$[y]': 10}}",
        "[{'x.m': 1}, {$or: [{y: 2}, {y: 9}]}]",
        "{}",
        "{a: [{m: [1, 20]}, {m: [3, 2]}]}",
    );
    check("{a: [1, 8, 9]}", "{$set: {'a.$': 0}}", "[]", "{a: {$gt: 5}}", "{a: [1, 0, 9]}");
    check(rows, "{$set: {'a.$.k': 1}}", "[]", "{'a.n': 5}", "{a: [{n: 1}, {n: 5, m: [1, 2], k: 1}, {n: 9, m: []}]}");
    check(
        rows,
        "{$unset: {'a.$': 1}}",
        "[]",
        "{a: {$elemMatch: {n: {$gt: 1}, m: {$size: 0}}}}",
        "{a: [{n: 1}, {n: 5, m: [1, 2]}, null]}",
    );
    check("{a: [4, 6]}", "{$set: {'a.$': 0}}", "[]", "{a: {$gte: 5, $lt: 9}}", "{a: [4, 0]}");
    check(
        "{a: [9, 1]}",
        "{$set: {'a.$': 0}}",
        "[]",
        "{a: {$in: [1, {$regex: 'x'}]}, b: {$not: {$gt: 5}}}",
        "{a: [9, 0]}",
    );
    check("{a: [9, 1]}", "{$set: {'a.$': 0}}", "[]", "{a: {$not: {$gt: 9}}}", "{a: [0, 1]}");
    check("{a: [{n: 1}, 5]}", "{$set: {'a.$.n': 0}}", "[]", "{a: {$elemMatch: {n: {$ne: 5}}}}", "{a: [{n: 0}, 5]}");
    // Elements that two filters let through are one place.
    check(
        "{a: [{n: 1}, {n: 2}]}",
        "{$set: {'a.$[x].k': 1, 'a.$[y].k': 2}}",
        "[{'x.n': 1}, {'y.n': 2}]",
        "{}",
        "{a: [{n: 1, k: 1}, {n: 2, k: 2}]}",
    );
    let refused = |before: &str, text: &str, array_filters: &str, filter: &str| -> Error {
        let error = made(before, text, array_filters, filter).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
        assert!(error.hint().len() > 5, "{text} has no hint");
        error
    };
    for (before, text, array_filters, filter, message) in [
        (
            "{a: [{n: 1}]}",
            "{$set: {'a.$[x].k': 1, 'a.$[y].k': 2}}",
            "[{'x.n': 1}, {'y.n': {$gt: 0}}]",
            "{}",
            "updates of `a.0.k` and `a.0.k` are in conflict",
        ),
        ("{a: [1]}", "{$set: {'a.$[]': 1, 'a.0': 2}}", "[]", "{}", "updates of `a.0` and `a.0` are in conflict"),
        ("{a: [1]}", "{$set: {'a.$[]': 1, a: 2}}", "[]", "{}", "updates of `a.$[]` and `a` are in conflict"),
        ("{a: 5}", "{$set: {'a.$[]': 1}}", "[]", "{}", "cannot update `a.$[]`: `a` is number, not an array"),
        ("{}", "{$set: {'a.$[]': 1}}", "[]", "{}", "cannot update `a.$[]`: `a` is missing, not an array"),
        (
            "{a: [4, 9]}",
            "{$set: {'a.$': 0}}",
            "[]",
            "{a: {$gte: 5, $lt: 9}}",
            "cannot update `a.$`: no element of `a` matches by itself",
        ),
        (
            "{a: [1]}",
            "{$set: {'a.$': 0}}",
            "[]",
            "{b: 1}",
            "`$set`: `a.$` has no meaning: the filter asks nothing of an element of `a`",
        ),
        ("{a: [1]}", "{$set: {'a.$.b.$': 0}}", "[]", "{a: 1}", "`$set`: path `a.$.b.$`: `$` stands behind another `$`"),
        ("{}", "{$set: {'$[].a': 0}}", "[]", "{}", "`$set`: path `$[].a`: `$[]` stands behind no array"),
        ("{}", "{$set: {'a.$[x]': 0}}", "[]", "{}", "`$set`: no array filter is named `x`"),
        ("{}", "{$set: {a: 0}}", "[{x: 1}]", "{}", "array filter `x` is not used by the update"),
        ("{}", "{$set: {'a.$[x]': 0}}", "[{x: 1}, {'x.n': 1}]", "{}", "array filter 1: there is another for `x`"),
        ("{}", "{$set: {'a.$[x]': 0}}", "[{x: 1, y: 1}]", "{}", "array filter 0: is of `x` and of `y`"),
        ("{}", "{$set: {'a.$[x]': 0}}", "[5]", "{}", "array filter 0: is number, not an object"),
        (
            "{}",
            "{$set: {'a.$[x]': 0}}",
            "[{$expr: true}]",
            "{}",
            "array filter 0: `$expr` is of documents, not of elements",
        ),
        ("{}", "{$set: {'a.$[x]': 0}}", "[{}]", "{}", "array filter 0: names no element"),
        (
            "{}",
            "{$set: {'a.$[X]': 0}}",
            "[{X: 1}]",
            "{}",
            "array filter 0: `X` is no name: a small letter, then letters and digits",
        ),
        ("{}", "{$rename: {'a.$[]': 'b'}}", "[]", "{}", "`$rename` of `a.$[]`: elements have no names"),
    ] {
        assert_eq!(refused(before, text, array_filters, filter).to_string(), message, "{text}");
    }
}

#[test]
fn an_update_that_is_not_known_is_refused() {
    let refused = |text: &str| update(text, "[]", "{}").unwrap_err();
    assert_eq!(refused("{$put: {a: 1}}").to_string(), "`$put` is not an update operator");
    assert_eq!(refused("{}").to_string(), "update has no operator");
    assert_eq!(refused("{$set: {'a.$b': 1}}").to_string(), "`$set`: path `a.$b`: `$b` is not a field name");
    let error = refused("{$pull: {a: {n: {$near: 1}}}}");
    assert_eq!(error.to_string(), "`$pull` of `a`: field `n`: filter operator `$near` is not supported");
}

#[test]
fn names_of_prototypes_are_data() {
    makes("{}", "{$set: {'__proto__.x': 1}, $push: {constructor: 1}}", "{__proto__: {x: 1}, constructor: [1]}");
}
