//! Facts of schemas, and what holds for all of them.
//!
//! Not the standard's own cases: those are in `schema_suite.rs`.

use crate::json;
use crate::value_laws::{document, row_of};
use hyphadb::error::{Error, ErrorKind};
use hyphadb::schema::{APPLIED_DEPTH_MAX, SCHEMAS_MAX, Schema, VIOLATIONS_MAX};
use hyphadb::value::shape::Shapes;
use hyphadb::value::{Object, Value, View, row};
use proptest::prelude::*;

fn schema(text: &str) -> Schema {
    Schema::compile(&json::value(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> Error {
    Schema::compile(&json::value(text)).err().unwrap_or_else(|| panic!("{text} is taken"))
}

fn is_valid(schema: &Schema, value: &Value) -> bool {
    schema.is_valid(value.into()).unwrap()
}

fn told(schema: &Schema, value: &Value) -> Vec<String> {
    schema.validate(value.into()).unwrap().iter().map(ToString::to_string).collect()
}

const READING: &str = r#"{
    "type": "object",
    "required": ["id", "ts", "value"],
    "properties": {
        "id": {"type": "string", "minLength": 2},
        "ts": {"type": "integer", "minimum": 0},
        "value": {"type": "number"},
        "status": {"enum": ["ok", "warn"]},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": true},
        "at/~": {"const": 1}
    },
    "additionalProperties": false
}"#;

#[test]
fn all_that_is_wrong_is_told_at_once_with_places_and_reasons() {
    let schema = schema(READING);
    let good = json::value(r#"{"id": "r1", "ts": 1, "value": 2.5, "status": "ok", "tags": ["a", "b"]}"#);
    assert_eq!(told(&schema, &good), [""; 0]);
    let bad =
        json::value(r#"{"id": "r", "ts": -1.5, "status": "off", "tags": ["a", 1, "a"], "at/~": 2, "colour": "red"}"#);
    let expected = [
        "`/id` has 1 characters, fewer than 2",
        "`/ts` is -1.5, not of type integer",
        "`/ts` is -1.5, below the minimum 0",
        "`/status` is \"off\", none of \"ok\", \"warn\"",
        "`/tags/1` is 1, not of type string",
        "`/tags` has equal elements, 0 and 2",
        "`/at~1~0` is 2, not 1",
        "`/colour` is a field that the schema does not have",
        "document has no field `value`",
    ];
    let mut found = told(&schema, &bad);
    found.sort();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(found, sorted);
    let violations = schema.validate((&bad).into()).unwrap();
    let place = |keyword: &str| {
        let violation = violations.iter().find(|violation| violation.keyword == keyword).unwrap();
        (&*violation.pointer, &*violation.schema_pointer)
    };
    assert_eq!(place("minimum"), ("/ts", "/properties/ts/minimum"));
    assert_eq!(place("const"), ("/at~1~0", "/properties/at~1~0/const"));
    assert_eq!(place("required"), ("", "/required"));
    assert_eq!(place("additionalProperties"), ("/colour", "/additionalProperties"));
}

#[test]
fn a_choice_tells_what_its_nearest_schema_is_missing() {
    let schema = schema(
        r#"{"oneOf": [{"required": ["a", "b"], "properties": {"a": {"const": 1}}}, {"properties": {"a": {"const": 2}}}]}"#,
    );
    let expected = "document matches none of the 2 schemas; the nearest says: `/a` is 3, not 2";
    assert_eq!(told(&schema, &json::value(r#"{"a": 3}"#)), [expected]);
    assert_eq!(told(&schema, &json::value("{}")), [""; 0]);
}

#[test]
fn no_more_violations_are_told_than_anyone_reads() {
    let schema = schema(r#"{"items": {"type": "string"}}"#);
    let many = Value::Array(vec![1.into(); VIOLATIONS_MAX * 2]);
    assert_eq!(schema.validate((&many).into()).unwrap().len(), VIOLATIONS_MAX);
}

#[test]
fn what_json_has_not_is_named_by_x_type() {
    let (date, bytes, bigint) = (Value::Date(5), Value::Bytes(vec![1]), Value::BigInt(5));
    let infinity = Value::number(f64::INFINITY).unwrap();
    for kind in ["null", "boolean", "object", "array", "number", "string", "integer"] {
        let schema = schema(&format!(r#"{{"type": "{kind}"}}"#));
        assert_eq!(is_valid(&schema, &bigint), kind == "number" || kind == "integer");
        assert!([&date, &bytes, &infinity].into_iter().all(|value| !is_valid(&schema, value)), "{kind}");
    }
    for (name, value) in [("date", &date), ("bytes", &bytes), ("bigint", &bigint)] {
        let schema = schema(&format!(r#"{{"x-type": "{name}"}}"#));
        let others = [&date, &bytes, &bigint].into_iter().filter(|other| *other != value);
        assert!(is_valid(&schema, value) && !is_valid(&schema, &5.into()));
        assert!(others.into_iter().all(|other| !is_valid(&schema, other)));
    }
    let either = schema(r#"{"type": ["string", "null"], "x-type": ["date"]}"#);
    assert!([Value::from("x"), Value::Null, date.clone()].iter().all(|value| is_valid(&either, value)));
    assert_eq!(told(&either, &bytes), ["document is Uint8Array(1), not of type null or string or date"]);
    let bounds = schema(r#"{"minimum": 6, "multipleOf": 2, "enum": [5, 6]}"#);
    assert_eq!(told(&bounds, &bigint).len(), 2);
    assert!(is_valid(&bounds, &Value::BigInt(6)));
    assert!(is_valid(&schema("{}"), &infinity));
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (text, kind, part) in [
        (r#"{"propertys": {}}"#, ErrorKind::Unsupported, "schema: `propertys` is no keyword"),
        (r#"{"properties": {"a": {"definitions": {}}}}"#, ErrorKind::Unsupported, "schema at `/properties/a`: `def"),
        (r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, ErrorKind::Unsupported, "`$schema`"),
        (r#"{"$ref": "https://example.com/a.json"}"#, ErrorKind::Unsupported, "another document"),
        (r##"{"$ref": "#/$defs/a"}"##, ErrorKind::Invalid, "leads to no schema"),
        (r##"{"$ref": "#"}"##, ErrorKind::Invalid, "leads back to itself"),
        (r##"{"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}"##, ErrorKind::Invalid, "leads back to itself"),
        (r#"{"minimum": "5"}"#, ErrorKind::Invalid, "`minimum` takes a number, not \"5\""),
        (r#"{"minLength": -1}"#, ErrorKind::Invalid, "`minLength` takes a number from zero"),
        (r#"{"required": ["a", "a"]}"#, ErrorKind::Invalid, "`required` takes an array of strings, each once"),
        (r#"{"type": "date"}"#, ErrorKind::Invalid, "`type` takes one of null, boolean"),
        (r#"{"x-type": "string"}"#, ErrorKind::Invalid, "`x-type` takes one of date, bytes, bigint"),
        (r#"{"multipleOf": 0}"#, ErrorKind::Invalid, "`multipleOf` takes a number above zero, not 0"),
        (r#"{"allOf": []}"#, ErrorKind::Invalid, "`allOf` takes an array of schemas, at least one"),
        (r#"{"items": [{}]}"#, ErrorKind::Invalid, "schema at `/items`: a schema is an object or a boolean"),
        (r#"{"pattern": "(?=a)"}"#, ErrorKind::Unsupported, "look-around"),
        (r#"{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}"#, ErrorKind::Invalid, "anchor `x` stands twice"),
        (r#"{"$id": "a", "$defs": {"b": {"$id": "a"}}}"#, ErrorKind::Invalid, "`$id` `a` stands twice"),
    ] {
        let error = refusal(text);
        assert!(error.kind() == kind && error.to_string().contains(part), "{text}: {error}");
    }
    assert_eq!(refusal(r#"{"propertys": {}}"#).hint(), "did you mean `properties`?");
    assert!(is_valid(&schema(r#"{"x-colour": "red", "$comment": "mine", "format": "email"}"#), &"no mail".into()));
}

#[test]
fn schemas_of_schemas_are_those_of_the_standard() {
    let meta = schema(r#"{"$ref": "https://json-schema.org/draft/2020-12/schema"}"#);
    assert!(is_valid(&meta, &json::value(READING)));
    let violations = meta.validate((&json::value(r#"{"properties": {"a": {"minimum": "5"}}}"#)).into()).unwrap();
    let [violation] = &violations[..] else { panic!("{violations:?}") };
    assert_eq!(violation.to_string(), "`/properties/a/minimum` is \"5\", not of type number");
    let at = "https://json-schema.org/draft/2020-12/meta/validation#/properties/minimum/type";
    assert_eq!(violation.schema_pointer, at);
}

#[test]
fn defaults_are_filled_and_nothing_else() {
    let schema = schema(
        r##"{
            "properties": {
                "a": {"type": "integer", "default": 1},
                "b": {"$ref": "#/$defs/b"},
                "c": {"items": {"properties": {"d": {"default": "x"}}}},
                "e": {"default": {}, "properties": {"f": {"default": []}}},
                "g": {"anyOf": [{"default": 1}]}
            },
            "$defs": {"b": {"default": null}}
        }"##,
    );
    let mut value = json::value(r#"{"a": "kept", "c": [{}, 5, {"d": 2}]}"#);
    let fills = schema.fills((&value).into()).unwrap();
    fills.iter().for_each(|fill| fill.apply(&mut value));
    let expected = r#"{"a": "kept", "c": [{"d": "x"}, 5, {"d": 2}], "b": null, "e": {"f": []}}"#;
    let expected = json::value(expected);
    assert!(is_valid(&Schema::compile(&Object::from([("const", expected)]).into()).unwrap(), &value), "{value}");
    assert_eq!(schema.fills((&value).into()).unwrap(), []);
    assert_eq!(schema.fills(View::Null).unwrap(), []);
}

#[test]
fn a_default_in_itself_ends() {
    let endless = schema(r##"{"properties": {"a": {"$ref": "#", "default": {}}, "b": {"$ref": "#", "default": {}}}}"##);
    assert_eq!(endless.fills((&Value::from(Object::new())).into()).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn recursion_ends_and_holds_the_stack() {
    let run = || {
        // Many schemas on one and the same value.
        let chain: String = (0..2000).map(|i| format!(r##""{i}": {{"$ref": "#/$defs/{}"}},"##, i + 1)).collect();
        let long = schema(&format!(r##"{{"$ref": "#/$defs/0", "$defs": {{{chain} "2000": {{}}}}}}"##));
        assert_eq!(long.is_valid(View::Null).unwrap_err().kind(), ErrorKind::Limit);
        // A value as deep as documents may be, each level through three schemas.
        let tree = schema(r##"{"properties": {"a": {"allOf": [{"$ref": "#"}]}}}"##);
        let deep = (0..60).fold(Value::Null, |value, _| Object::from([("a", value)]).into());
        assert!(is_valid(&tree, &deep));
        let deeper = (0..APPLIED_DEPTH_MAX).fold(Value::Null, |value, _| Object::from([("a", value)]).into());
        assert_eq!(tree.is_valid((&deeper).into()).unwrap_err().kind(), ErrorKind::Limit);
        // Twice the work at each level.
        let double = schema(
            r##"{"anyOf": [{"properties": {"a": {"$ref": "#"}, "b": false}}, {"required": ["c"], "properties": {"a": {"$ref": "#"}}}]}"##,
        );
        let bottom = Object::from([("b", Value::Null)]).into();
        let deep = (0..50).fold(bottom, |value, _| Object::from([("a", value)]).into());
        assert_eq!(double.is_valid((&deep).into()).unwrap_err().kind(), ErrorKind::Limit);
    };
    std::thread::Builder::new().stack_size(768 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_schema_has_its_bounds() {
    let wide: String = (0..SCHEMAS_MAX).map(|i| format!(r#""{i}": {{}},"#)).collect();
    assert_eq!(refusal(&format!(r#"{{"properties": {{{wide} "last": {{}}}}}}"#)).kind(), ErrorKind::Limit);
    let deep = (0..SCHEMAS_MAX + 1).fold(Value::Bool(true), |inner, _| Object::from([("not", inner)]).into());
    assert_eq!(Schema::compile(&deep).unwrap_err().kind(), ErrorKind::Limit);
}

/// Any schema: words of the standard with operands that mostly fit.
fn any_schema() -> impl Strategy<Value = Value> {
    let count = (0..4).prop_map(|count: i32| Value::from(count));
    let name = prop_oneof!["[ab]{0,2}", Just("c".to_owned())];
    let kinds = prop::sample::select(vec!["null", "boolean", "object", "array", "number", "string", "integer"]);
    let scalar = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), count.clone(), Just("a".into())];
    let pattern = prop::sample::select(vec!["^a", "b$", "[ab]{2}", "(a|b)*c", "\\w"]).prop_map(Value::from);
    let target =
        prop::sample::select(vec!["#", "#/$defs/a", "#a", "#/properties/a", "#/$defs/b"]).prop_map(Value::from);
    let object = |fields: Vec<(String, Value)>| {
        let mut object = Object::new();
        fields.into_iter().for_each(|(name, value)| object.set(name, value));
        Value::from(object)
    };
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), Just(Object::new().into())];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let names =
            prop::collection::vec(name.clone(), 0..3).prop_map(|names| names.into_iter().map(Value::from).collect());
        let word = |words: &[&'static str]| prop::sample::select(words.to_vec()).prop_map(str::to_owned);
        let one = ["items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"];
        let last = ["unevaluatedItems", "unevaluatedProperties"];
        let bounds = ["minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxLength", "minItems"];
        let more = ["maxItems", "minProperties", "maxProperties", "minContains", "maxContains"];
        let several = prop::collection::vec(inner.clone(), 1..3).prop_map(Value::Array);
        let named = prop::collection::vec((name.clone(), inner.clone()), 0..3).prop_map(object);
        let field = prop_oneof![
            (word(&one), inner.clone()),
            (word(&last), inner),
            (word(&["allOf", "anyOf", "oneOf", "prefixItems"]), several),
            (word(&["properties", "patternProperties", "dependentSchemas", "$defs"]), named),
            (word(&bounds), count.clone()),
            (word(&more), count.clone()),
            (word(&["type"]), kinds.clone().prop_map(Value::from)),
            (word(&["const", "default"]), scalar.clone()),
            (word(&["enum"]), prop::collection::vec(scalar.clone(), 0..3).prop_map(Value::Array)),
            (word(&["required"]), names.prop_map(Value::Array)),
            (word(&["pattern"]), pattern.clone()),
            (word(&["uniqueItems"]), any::<bool>().prop_map(Value::from)),
            (word(&["$ref", "$dynamicRef"]), target.clone()),
            (word(&["$anchor", "$dynamicAnchor"]), Just("a".into())),
        ];
        prop::collection::vec(field, 0..4).prop_map(object)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_answers_the_same_of_tree_and_row_and_with_its_reasons(schema in any_schema(), document in document()) {
        let Ok(schema) = Schema::compile(&schema) else { return Ok(()) };
        let mut shapes = Shapes::new();
        let bytes = row_of(&document, &mut shapes);
        let tree = Value::from(document);
        let stored = View::Object(row::open(&bytes, &shapes).unwrap());
        let answers = [schema.is_valid((&tree).into()), schema.is_valid(stored)];
        let [Ok(valid), Ok(valid_row)] = answers else {
            prop_assert!(answers.iter().all(|answer| answer.is_err()));
            return Ok(());
        };
        prop_assert_eq!(valid, valid_row);
        prop_assert_eq!(schema.validate((&tree).into()).unwrap().is_empty(), valid);
        let _ = schema.fills(stored);
    }

    #[test]
    fn no_document_panics_as_a_schema(document in document(), value in document()) {
        if let Ok(schema) = Schema::compile(&Value::from(document)) {
            let _ = schema.validate((&Value::from(value)).into());
        }
    }

    #[test]
    fn not_is_the_opposite_and_a_choice_of_two_equals_is_none(schema in any_schema(), document in document()) {
        let value = Value::from(document);
        let list = |schemas: &[&Value]| Value::Array(schemas.iter().map(|schema| (*schema).clone()).collect());
        let compiled = |wrapped: Object| Schema::compile(&wrapped.into());
        let (Ok(own), Ok(not), Ok(twice), Ok(once)) = (
            Schema::compile(&schema),
            compiled(Object::from([("not", schema.clone())])),
            compiled(Object::from([("oneOf", list(&[&schema, &schema]))])),
            compiled(Object::from([("oneOf", list(&[&schema, &false.into()]))])),
        ) else {
            return Ok(());
        };
        // References are to the whole document: what is wrapped is another schema then.
        let is_plain = !schema.to_string().contains("Ref") && !schema.to_string().contains("$ref");
        if let (true, Ok(valid)) = (is_plain, own.is_valid((&value).into())) {
            prop_assert_eq!(is_valid(&not, &value), !valid);
            prop_assert_eq!(is_valid(&once, &value), valid);
            prop_assert!(!is_valid(&twice, &value));
        }
    }

    #[test]
    fn patterns_match_what_another_engine_matches(
        pattern in "([ab]|a\\*|b\\+|\\(a\\|b\\)|\\(ab\\)\\{1,2\\}|\\[\\^a\\]|\\[a-b\\]\\?|\\.|\\\\d|\\\\w\\*|\\\\b){0,5}",
        is_anchored in any::<bool>(),
        text in "[ab1 ]{0,8}",
    ) {
        let pattern = if is_anchored { format!("^{pattern}$") } else { pattern };
        let other = regex_lite::Regex::new(&pattern).unwrap();
        let schema = Schema::compile(&Object::from([("pattern", (&*pattern).into())]).into()).unwrap();
        prop_assert_eq!(is_valid(&schema, &(&*text).into()), other.is_match(&text), "`{}` in `{}`", pattern, text);
    }
}
