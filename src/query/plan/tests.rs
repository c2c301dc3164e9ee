//! Snapshots of plans: what is asked, and how it is answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

fn op(operator: &str, operand: impl Into<Value>) -> Value {
    object([(operator, operand.into())])
}

fn between(low: i32, high: i32) -> Value {
    object([("$gte", low.into()), ("$lt", high.into())])
}

fn paths(fields: &[&str]) -> Vec<Path> {
    fields.iter().map(|field| Path::parse(field).unwrap()).collect()
}

/// Indexes: site+ts, ts, tags (over elements), tags+ts (over elements), serial (sparse).
fn indexes() -> Vec<IndexFacts> {
    let index = |name: &str, fields: &[&str], sparse, multi| IndexFacts {
        name: name.into(),
        fields: paths(fields),
        sparse,
        multi,
    };
    vec![
        index("site_ts", &["site", "ts"], false, 0),
        index("ts", &["ts"], false, 0),
        index("tags", &["tags"], false, 1),
        index("tags_ts", &["tags", "ts"], false, 1),
        index("serial", &["serial"], true, 0),
    ]
}

struct Asked {
    filter: Value,
    sort: Vec<Value>,
    first_only: bool,
    key: Vec<&'static str>,
}

fn asked(filter: Value) -> Asked {
    Asked { filter, sort: Vec::new(), first_only: false, key: vec!["id"] }
}

impl Asked {
    fn sort(mut self, fields: &[(&str, i32)]) -> Self {
        self.sort = fields.iter().map(|(field, way)| Value::Array(vec![(*field).into(), (*way).into()])).collect();
        self
    }

    fn first(mut self) -> Self {
        self.first_only = true;
        self
    }

    fn key(mut self, fields: &[&'static str]) -> Self {
        self.key = fields.to_vec();
        self
    }

    fn plan(&self) -> Plan {
        let filter = Filter::parse(self.filter.as_object().unwrap()).unwrap();
        let sort = Sort::parse(&self.sort).unwrap();
        let (key_fields, indexes) = (paths(&self.key), indexes());
        let first_only = self.first_only;
        plan(&Question { filter: &filter, sort: &sort, first_only, key_fields: &key_fields, indexes: &indexes })
            .unwrap()
    }
}

#[track_caller]
fn check(asked: Asked, expected: &str) {
    assert_eq!(asked.plan().to_string(), expected);
}

#[test]
fn keys_and_ranges_of_the_primary_key() {
    check(asked(object([])), "scan");
    check(asked(object([("id", 5.into())])), "1 key(s) [id = 5]");
    check(asked(object([("id", 5.into()), ("x", 1.into()), ("ts", 3.into())])), "1 key(s) [id = 5], filter");
    check(asked(object([("id", op("$in", vec![3.into(), 1.into()]))])), "2 key(s) [id in [1, 3]]");
    check(asked(object([("id", between(1, 9))])), "primary [id >= 1, id < 9]");
    check(asked(object([("id", between(9, 1))])), "nothing [id >= 9, id < 1]");
    check(asked(object([("id", op("$in", vec![]))])), "nothing [id in []]");
    check(asked(object([("a", 1.into()), ("b", 2.into())])).key(&["a", "b"]), "1 key(s) [a = 1, b = 2]");
    check(asked(object([("a", 1.into())])).key(&["a", "b"]).sort(&[("b", -1)]), "primary [a = 1] descending");
    check(asked(object([("b", 1.into())])).key(&["a", "b"]), "scan, filter");
    check(asked(object([])).sort(&[("id", -1)]), "primary descending");
}

#[test]
fn equality_then_range_then_order() {
    check(asked(object([("site", "x".into())])), "index site_ts [site = \"x\"]");
    check(asked(object([("site", "x".into())])).sort(&[("ts", -1)]), "index site_ts [site = \"x\"] descending");
    check(
        asked(object([("site", "x".into()), ("ts", between(1, 9))])),
        "index site_ts [site = \"x\", ts >= 1, ts < 9]",
    );
    check(asked(object([("ts", op("$gt", 5)), ("z", 1.into())])), "index ts [ts > 5], filter");
    check(
        asked(object([("site", op("$in", vec!["a".into(), "b".into()]))])).sort(&[("ts", 1)]),
        "index site_ts [site in [\"a\", \"b\"]], sort",
    );
    check(
        asked(object([("site", op("$in", vec!["a".into(), "b".into()]))])).sort(&[("site", 1), ("ts", 1)]),
        "index site_ts [site in [\"a\", \"b\"]]",
    );
    check(asked(object([("site", "x".into())])).sort(&[("site", -1), ("ts", 1)]), "index site_ts [site = \"x\"]");
    check(asked(object([("site", op("$gt", "x"))])).sort(&[("ts", 1)]), "index site_ts [site > \"x\"], sort");
    check(
        asked(object([("site", "x".into()), ("ts", 1.into()), ("id", op("$gt", 5))])),
        "index site_ts [site = \"x\", ts = 1, id > 5]",
    );
    check(asked(object([("site", op("$ne", "x"))])), "scan, filter");
}

#[test]
fn an_index_is_read_for_its_order_alone_when_few_are_wanted() {
    check(asked(object([])).sort(&[("ts", -1)]).first(), "index ts descending");
    check(asked(object([])).sort(&[("ts", 1), ("id", 1)]).first(), "index ts");
    check(asked(object([])).sort(&[("ts", 1), ("id", -1)]).first(), "scan, sort");
    check(asked(object([])).sort(&[("site", 1), ("ts", 1)]).first(), "index site_ts");
    check(asked(object([])).sort(&[("site", 1), ("ts", -1)]).first(), "scan, sort");
    check(asked(object([])).sort(&[("ts", 1)]), "scan, sort");
    check(asked(object([("z", 1.into())])).sort(&[("ts", 1)]).first(), "index ts, filter");
}

#[test]
fn an_index_over_elements_gives_each_document_once_and_no_order_of_its_own() {
    check(asked(object([("tags", "x".into())])).sort(&[("tags", 1)]).first(), "index tags [tags = \"x\"], sort");
    check(asked(object([("tags", "x".into())])), "index tags [tags = \"x\"]");
    check(asked(object([("tags", "x".into())])).sort(&[("ts", 1)]).first(), "index tags_ts [tags = \"x\"]");
    check(
        asked(object([("tags", op("$in", vec!["x".into(), "y".into()]))])),
        "index tags [tags in [\"x\", \"y\"]], dedupe",
    );
    check(asked(object([("tags", between(1, 9))])), "index tags [tags >= 1], dedupe, filter");
    check(asked(object([("tags", vec!["x".into()].into())])), "scan, filter");
    check(asked(object([])).sort(&[("tags", 1)]).first(), "scan, sort");
}

#[test]
fn a_sparse_index_serves_only_filters_that_exclude_what_is_missing() {
    check(asked(object([("serial", 1.into())])), "index serial [serial = 1]");
    check(asked(object([("serial", op("$gte", 1))])), "index serial [serial >= 1]");
    check(asked(object([("serial", Value::Null)])), "scan, filter");
    check(asked(object([("serial", op("$ne", Value::Null))])).sort(&[("serial", 1)]).first(), "scan, sort, filter");
    check(asked(object([("serial", op("$in", vec![Value::Null, 1.into()]))])), "scan, filter");
    check(asked(object([])).sort(&[("serial", 1)]).first(), "scan, sort");
    for test in [op("$exists", true), op("$type", "null"), op("$regex", ""), op("$size", 0)] {
        check(asked(object([("serial", test)])).sort(&[("serial", 1)]).first(), "index serial, filter");
    }
    for test in [op("$not", op("$eq", 1)), op("$nin", vec![Value::Null]), op("$exists", false)] {
        check(asked(object([("serial", test)])).sort(&[("serial", 1)]).first(), "scan, sort, filter");
    }
}

#[test]
fn parts_of_and_bind_and_parts_of_or_do_not() {
    let both = vec![object([("site", "x".into())]), object([("ts", 5.into())])];
    check(asked(object([("$and", both.clone().into())])), "index site_ts [site = \"x\", ts = 5]");
    check(asked(object([("$or", both.into())])), "scan, filter");
}

#[test]
fn explain_is_plain() {
    let plan = asked(object([("site", "x".into()), ("z", 1.into())])).sort(&[("ts", 1)]).plan();
    let expected = "{plan: \"index\", index: \"site_ts\", bounds: \"site = \\\"x\\\"\", sorted: true, residual: true}";
    assert_eq!(plan.explain().to_string(), expected);
}

#[test]
fn gt_leaves_out_the_value_itself_in_compound_keys() {
    let Access::Index { ranges, .. } = asked(object([("ts", op("$gt", 5))])).plan().access else { panic!() };
    let entry = |ts: i32| [crate::value::key::encode((&Value::from(ts)).into()).unwrap(), vec![0x18, b'k', 0]].concat();
    let contains = |ts| ranges.iter().any(|range| range.contains(&entry(ts)));
    assert!(!contains(5) && contains(6) && !contains(4));
}
