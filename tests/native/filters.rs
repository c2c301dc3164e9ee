//! Filters: what each operator means, what is refused, and that rows and trees are matched alike.
//!
//! Not compared with another implementation here: `tests/js/mingo.test.mjs` does that.

use crate::notation::{object, value};
use crate::value_laws::{document, row_of};
use hyphadb::error::{Error, ErrorKind};
use hyphadb::query::Filter;
use hyphadb::value::shape::Shapes;
use hyphadb::value::{Object, Value, row};
use proptest::prelude::*;

#[track_caller]
fn check(filter: &str, matching: &[&str], others: &[&str]) {
    let filter = Filter::parse(&object(filter)).unwrap();
    for (documents, expected) in [(matching, true), (others, false)] {
        for document in documents {
            assert_eq!(filter.matches((&object(document)).into()).unwrap(), expected, "{document} by {filter:?}");
        }
    }
}

fn refusal(filter: &str) -> Error {
    Filter::parse(&object(filter)).unwrap_err()
}

#[test]
fn not_and_nor_turn_an_answer_round() {
    check("{a: {$not: {$gt: 5}}}", &["{a: 5}", "{}", "{a: 'x'}", "{a: []}"], &["{a: 6}", "{a: [1, 6]}"]);
    check("{a: {$not: {$gt: 2, $lt: 5}}}", &["{a: 2}", "{a: 5}", "{}"], &["{a: 3}", "{a: [1, 9]}"]);
    check("{a: {$not: {$not: {$eq: 1}}}}", &["{a: 1}"], &["{}", "{a: 2}"]);
    check("{$nor: [{a: 1}, {b: {$gt: 1}}]}", &["{a: 2}", "{}", "{b: 1}"], &["{a: 1}", "{a: 2, b: 2}"]);
    check("{a: {$not: {$regex: '^x'}}}", &["{a: 'yx'}", "{}", "{a: 1}"], &["{a: 'xy'}", "{a: ['y', 'x']}"]);
    check("{$and: [{$nor: [{a: 1}]}, {$or: [{b: 1}, {b: 2}]}]}", &["{b: 1}"], &["{a: 1, b: 1}", "{b: 3}"]);
}

#[test]
fn a_type_is_that_of_the_value_or_of_an_element() {
    check("{a: {$type: 'string'}}", &["{a: 'x'}", "{a: [1, 'x']}"], &["{a: 1}", "{}", "{a: [['x']]}"]);
    check("{a: {$type: 'array'}}", &["{a: []}", "{a: [1]}", "{a: [[]]}"], &["{a: 1}", "{a: {}}"]);
    check("{a: {$type: 'null'}}", &["{a: null}", "{a: [null]}"], &["{}", "{a: 0}"]);
    check("{a: {$type: 'number'}}", &["{a: 1}", "{a: 1.5}", "{a: 1n}"], &["{a: '1'}", "{a: Date(1)}", "{a: true}"]);
    check("{a: {$type: 'int'}}", &["{a: 1}", "{a: -0}"], &["{a: 1.5}", "{a: 1n}", "{a: inf}"]);
    check("{a: {$type: 1}}", &["{a: 1}", "{a: 1.5}", "{a: inf}"], &["{a: 1n}"]);
    check("{a: {$type: 'long'}}", &["{a: 1n}"], &["{a: 1}"]);
    check(
        "{a: {$type: ['bool', 9, 'binData']}}",
        &["{a: true}", "{a: Date(0)}", "{a: Bytes(1)}"],
        &["{a: 1}", "{a: {}}"],
    );
}

#[test]
fn patterns_match_text_and_nothing_else() {
    check("{a: {$regex: 'b+'}}", &["{a: 'abbc'}", "{a: [1, 'b']}"], &["{a: 'B'}", "{}", "{a: null}", "{a: [['b']]}"]);
    check("{a: {$regex: '^ab$', $options: 'i'}}", &["{a: 'AB'}"], &["{a: 'xab'}"]);
    check("{a: {$options: 'x', $regex: ' a b '}}", &["{a: 'ab'}"], &["{a: 'a b'}"]);
    check("{a: {$regex: '5'}}", &["{a: '5'}"], &["{a: 5}"]);
    check("{a: {$in: [1, {$regex: '^x'}, 'y']}}", &["{a: 1}", "{a: 'y'}", "{a: 'xx'}"], &["{a: 'yx'}", "{}"]);
    check("{a: {$nin: [1, {$regex: '^x'}]}}", &["{a: 2}", "{}", "{a: 'yx'}"], &["{a: 1}", "{a: ['x']}"]);
    check("{a: {$all: [{$regex: '^x'}, 1]}}", &["{a: [1, 'xx']}"], &["{a: 'xx'}", "{a: [1]}"]);
}

#[test]
fn size_and_elements_are_of_arrays() {
    check("{a: {$size: 2}}", &["{a: [1, [2]]}"], &["{a: [1]}", "{a: 2}", "{}", "{a: [[1, 2]]}"]);
    check("{a: {$size: 0}}", &["{a: []}"], &["{}", "{a: null}", "{a: [null]}"]);
    check("{'a.b': {$size: 1n}}", &["{a: [{b: []}, {b: [1]}]}"], &["{a: [{b: 1}]}"]);
    check("{a: {$all: [1, 'x']}}", &["{a: ['x', 2, 1n]}"], &["{a: [1]}", "{a: 1}"]);
    check("{a: {$all: [1]}}", &["{a: [1]}", "{a: 1}"], &["{}"]);
    check("{a: {$all: [[1, 2]]}}", &["{a: [1, 2]}", "{a: [[1, 2], 3]}"], &["{a: [2, 1]}"]);
    check("{a: {$all: []}}", &[], &["{}", "{a: []}"]);
    check("{'a.b': {$all: [1, 2]}}", &["{a: [{b: 1}, {b: 2}]}"], &["{a: [{b: 1}]}"]);
}

#[test]
fn one_element_passes_all_that_elem_match_asks() {
    check("{a: {$elemMatch: {$gt: 1, $lt: 5}}}", &["{a: [0, 3]}"], &["{a: [0, 9]}", "{a: 3}", "{a: [[3]]}", "{a: []}"]);
    check(
        "{a: {$elemMatch: {b: 1, c: {$ne: 2}}}}",
        &["{a: [{b: 1}]}"],
        &["{a: [{b: 1, c: 2}, {b: 2}]}", "{a: {b: 1}}"],
    );
    check("{a: {$elemMatch: {$or: [{b: 1}, {b: 2}]}}}", &["{a: [5, {b: 2}]}"], &["{a: [{b: 3}, 1, [{b: 1}]]}"]);
    check("{a: {$elemMatch: {$not: {$gt: 1}}}}", &["{a: [2, 'x']}"], &["{a: [2]}", "{}"]);
    check("{a: {$elemMatch: {$elemMatch: {$eq: 1}}}}", &["{a: [[2, 1]]}"], &["{a: [1]}", "{a: [[[1]]]}"]);
    check("{a: {$elemMatch: {}}}", &["{a: [{}]}"], &["{a: []}", "{a: [1]}"]);
    check("{a: {$elemMatch: {$nin: [1, null]}}}", &["{a: [1, 2]}"], &["{a: [1, null]}"]);
    check("{a: {$all: [{$elemMatch: {b: 1}}, {$elemMatch: {b: 2}}]}}", &["{a: [{b: 2}, {b: 1}]}"], &["{a: [{b: 1}]}"]);
    check("{a: {$elemMatch: {$exists: true, $size: 1}}}", &["{a: [[1]]}"], &["{a: [1]}"]);
}

#[test]
fn mod_cuts_and_divides_numbers() {
    check(
        "{a: {$mod: [4, 1]}}",
        &["{a: 5}", "{a: 5.9}", "{a: 9n}", "{a: [0, 1]}"],
        &["{a: -3}", "{a: '5'}", "{a: inf}", "{}"],
    );
    check("{a: {$mod: [4, 0]}}", &["{a: -0}", "{a: 8}", "{a: 0.5}"], &["{a: null}", "{}", "{a: Date(4)}", "{a: true}"]);
    check("{a: {$mod: [-1, 0]}}", &["{a: -9223372036854775808n}"], &[]);
    check("{a: {$mod: [4, -1]}}", &["{a: -5}"], &["{a: 3}"]);
}

#[test]
fn an_expression_compares_fields_with_each_other() {
    check("{$expr: {$gt: ['$a', '$b']}}", &["{a: 2, b: 1n}", "{a: 'x', b: 5}"], &["{a: 1, b: 1}", "{}"]);
    check("{a: 1, $nor: [{$expr: {$eq: ['$b', 2]}}]}", &["{a: 1, b: 1}", "{a: 1}"], &["{a: 1, b: 2}", "{b: 1}"]);
    check("{$expr: '$a'}", &["{a: 1}", "{a: ''}"], &["{}", "{a: null}", "{a: 0}", "{a: false}"]);
    let filter = Filter::parse(&object("{$expr: {$add: ['$a', 1]}}")).unwrap();
    let error = filter.matches((&object("{a: 'x'}")).into()).unwrap_err();
    assert!(error.to_string().starts_with("`$expr`: "), "{error}");
}

#[test]
fn what_an_upsert_writes_is_what_must_be_equal() {
    let filter =
        Filter::parse(&object("{a: 1, b: {$all: [2]}, $and: [{c: {$eq: 3}}], d: {$not: {$eq: 4}}, $nor: [{e: 5}]}"));
    let filter = filter.unwrap();
    let paths: Vec<&str> = filter.equalities().iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a", "b", "c"]);
}

#[test]
fn mistakes_are_refused_with_their_path_and_a_hint() {
    use ErrorKind::{Invalid, Limit, Unsupported};
    let deep = |depth: usize| (0..depth).fold("{a: 1}".to_owned(), |filter, _| format!("{{$nor: [{filter}]}}"));
    let deep_not = |depth: usize| (0..depth).fold("{$gt: 1}".to_owned(), |test, _| format!("{{$not: {test}}}"));
    let long = "x".repeat(5000);
    for (filter, kind, message) in [
        ("{$where: 'x'}", Unsupported, "filter operator `$where` is not supported"),
        ("{a: {$near: 1}}", Unsupported, "field `a`: filter operator `$near` is not supported"),
        (
            "{$or: [{a: 1}, {b: {$foo: 1}}]}",
            Unsupported,
            "`$or[1]`: field `b`: filter operator `$foo` is not supported",
        ),
        ("{a: {b: {$gt: 1}}}", Invalid, "field `a`: operator `$gt` stands inside of a value"),
        ("{a: {$eq: {$gt: 1}}}", Invalid, "field `a`: operator `$gt` stands inside of a value"),
        ("{a: {$in: [1, [{$ne: 1}]]}}", Invalid, "field `a`: operator `$ne` stands inside of a value"),
        ("{a: {$ne: {$regex: 'x'}}}", Invalid, "field `a`: operator `$regex` stands inside of a value"),
        ("{a: {$not: 5}}", Invalid, "field `a`: `$not` takes an object of operators, not number"),
        ("{a: {$not: {}}}", Invalid, "field `a`: `$not` takes an object of operators, not object"),
        ("{a: {$nor: [{b: 1}]}}", Invalid, "field `a`: `$nor` stands inside of a field"),
        ("{$not: {a: 1}}", Invalid, "`$not` stands outside of a field"),
        ("{a: {$elemMatch: {$expr: true}}}", Invalid, "field `a`: `$elemMatch`: `$expr` stands inside of `$elemMatch`"),
        ("{a: {$expr: true}}", Invalid, "field `a`: `$expr` stands inside of a field"),
        ("{$nor: []}", Invalid, "`$nor` takes an array of filters"),
        ("{a: {$type: 'text'}}", Invalid, "field `a`: `$type` does not know \"text\""),
        ("{a: {$type: 0}}", Invalid, "field `a`: `$type` does not know 0"),
        ("{a: {$type: []}}", Invalid, "field `a`: `$type` takes a type, or an array of types, not an empty one"),
        ("{a: {$type: 'objectId'}}", Unsupported, "field `a`: `$type` does not know \"objectId\""),
        ("{a: {$size: -1}}", Invalid, "field `a`: `$size` takes a whole number from 0 on, not -1"),
        ("{a: {$size: 1.5}}", Invalid, "field `a`: `$size` takes a whole number from 0 on, not 1.5"),
        ("{a: {$all: 1}}", Invalid, "field `a`: `$all` takes an array, not number"),
        ("{a: {$elemMatch: 1}}", Invalid, "field `a`: `$elemMatch` takes an object, not number"),
        (
            "{a: {$elemMatch: {b: {$foo: 1}}}}",
            Unsupported,
            "field `a`: `$elemMatch`: field `b`: filter operator `$foo` is not supported",
        ),
        (
            "{a: {$elemMatch: {$gt: 1, b: 1}}}",
            Invalid,
            "field `a`: `$elemMatch`: `b` stands among operators; it is no operator",
        ),
        ("{a: {$mod: [0, 1]}}", Invalid, "field `a`: `$mod` cannot divide by 0"),
        (
            "{a: {$mod: [2]}}",
            Invalid,
            "field `a`: `$mod` takes an array of two whole numbers: what to divide by, and what is left",
        ),
        ("{a: {$regex: 5}}", Invalid, "field `a`: `$regex` takes a string, not number"),
        ("{a: {$regex: 'x', $options: 1}}", Invalid, "field `a`: `$options` takes a string, not number"),
        (
            "{a: {$regex: 'x', $options: 'g'}}",
            Invalid,
            "field `a`: `$options`: `g` is no option of a pattern, they are i, m, s and x",
        ),
        ("{a: {$options: 'i'}}", Invalid, "field `a`: `$options` stands without `$regex`"),
        ("{a: {$regex: '('}}", Invalid, "field `a`: pattern `(`: `(` is not closed"),
        (
            "{a: {$regex: '(?=x)'}}",
            Unsupported,
            "field `a`: pattern `(?=x)`: look-around and flags, `(?`, are not supported",
        ),
        ("{a: {$in: [{$regex: 'x', b: 1}]}}", Invalid, "field `a`: `b` stands beside a pattern of `$in`"),
        (&format!("{{a: {{$regex: '{long}'}}}}"), Limit, "field `a`: pattern has 5000 bytes, the limit is 4096"),
        (
            "{a: {$regex: '(x{100}){100}'}}",
            Limit,
            "field `a`: pattern `(x{100}){100}`: more than 4096 instructions: repeat less",
        ),
    ] {
        let error = refusal(filter);
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{filter}");
        assert!(error.hint().len() > 5, "{filter} has no hint");
    }
    for filter in [deep(33), format!("{{a: {}}}", deep_not(33))] {
        let error = refusal(&filter);
        assert_eq!(error.kind(), Limit);
        assert!(error.to_string().ends_with("filter is more than 32 operators deep"), "{error}");
    }
    assert!(Filter::parse(&object(&deep(32))).is_ok());
    let wide = Object::from([("$or", Value::Array(vec![object("{a: 1}").into(); 10_001]))]);
    assert_eq!(Filter::parse(&wide).unwrap_err().kind(), Limit);
    let listed = Object::from([("a", Object::from([("$in", Value::Array(vec![Value::from(1); 50_000]))]).into())]);
    assert!(Filter::parse(&listed).is_ok());
}

#[test]
fn a_text_too_long_for_a_pattern_is_a_limit_that_names_the_field() {
    let filter = Filter::parse(&object("{'a.b': {$regex: '(x|xx|xxx|xxxx|xxxxx|xxxxxx)*y'}}")).unwrap();
    let document = |count: usize| Object::from([("a", Object::from([("b", Value::from("x".repeat(count)))]).into())]);
    assert!(!filter.matches((&document(100_000)).into()).unwrap());
    let error = filter.matches((&document(4_000_000)).into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().starts_with("field `a.b`: pattern `(x|"), "{error}");
}

/// Filters over few names and few values, as documents of `value_laws` have them.
fn filters() -> impl Strategy<Value = Object> {
    let small = prop_oneof![
        Just("null"),
        Just("0"),
        Just("-1"),
        Just("1n"),
        Just("''"),
        Just("'a'"),
        Just("true"),
        Just("Date(0)"),
        Just("Bytes(1)"),
        Just("[]"),
        Just("[1, 'a']"),
        Just("{}"),
        Just("{a: 1}"),
    ];
    let small = small.prop_map(value);
    let list = proptest::collection::vec(small.clone(), 1..4).prop_map(Value::Array);
    let ready = prop_oneof![
        Just("{$exists: true}"),
        Just("{$exists: false}"),
        Just("{$type: ['string', 'array', 'null']}"),
        Just("{$type: 'number'}"),
        Just("{$regex: '^[a-c]?'}"),
        Just("{$regex: 'A', $options: 'i'}"),
        Just("{$size: 2}"),
        Just("{$mod: [2, 1]}"),
    ];
    let test = prop_oneof![
        2 => (prop_oneof![Just("$eq"), Just("$ne"), Just("$gt"), Just("$gte"), Just("$lt"), Just("$lte")], small)
            .prop_map(|(operator, operand)| Object::from([(operator, operand)])),
        1 => (prop_oneof![Just("$in"), Just("$nin"), Just("$all")], list).prop_map(|(operator, operand)| Object::from([(operator, operand)])),
        1 => ready.prop_map(object),
    ];
    let test = test.prop_recursive(3, 8, 1, |inner| {
        prop_oneof![
            inner.clone().prop_map(|test| Object::from([("$not", test.into())])),
            inner.prop_map(|test| Object::from([("$elemMatch", test.into())]))
        ]
    });
    let field = ("[ab01]{1,2}(\\.[ab01]{1,2}){0,2}", test)
        .prop_map(|(path, test)| Object::from([(path.as_str(), test.into())]));
    field.prop_recursive(3, 16, 3, |inner| {
        let joined =
            (prop_oneof![Just("$and"), Just("$or"), Just("$nor")], proptest::collection::vec(inner.clone(), 1..4));
        let joined = joined.prop_map(|(operator, filters)| {
            Object::from([(operator, Value::Array(filters.into_iter().map(Value::from).collect()))])
        });
        let within = ("[ab]", inner).prop_map(|(path, filter)| {
            Object::from([(path.as_str(), Object::from([("$elemMatch", filter.into())]).into())])
        });
        prop_oneof![2 => joined, 1 => within]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_match_as_trees_do(document in document(), filter in filters()) {
        let parsed = Filter::parse(&filter).unwrap();
        let mut shapes = Shapes::new();
        let bytes = row_of(&document, &mut shapes);
        let of_row = parsed.matches(row::open(&bytes, &shapes).unwrap()).unwrap();
        prop_assert_eq!(of_row, parsed.matches((&document).into()).unwrap());
        let nor = Filter::parse(&Object::from([("$nor", Value::Array(vec![filter.into()]))])).unwrap();
        prop_assert_eq!(nor.matches((&document).into()).unwrap(), !of_row);
    }
}
