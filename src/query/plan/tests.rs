//! Snapshots of plans: what is asked, and how it is answered; by what the filter says alone, and over data.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::value::{Object, Value, View, key};

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
        weights: None,
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
    first: Option<usize>,
    key: Vec<&'static str>,
}

fn asked(filter: Value) -> Asked {
    Asked { filter, sort: Vec::new(), first: None, key: vec!["id"] }
}

impl Asked {
    fn sort(mut self, fields: &[(&str, i32)]) -> Self {
        self.sort = fields.iter().map(|(field, way)| Value::Array(vec![(*field).into(), (*way).into()])).collect();
        self
    }

    fn first(mut self) -> Self {
        self.first = Some(50);
        self
    }

    fn key(mut self, fields: &[&'static str]) -> Self {
        self.key = fields.to_vec();
        self
    }

    fn plans(&self, indexes: &[IndexFacts], statistics: &dyn Statistics) -> Vec<Plan> {
        let filter = Filter::parse(self.filter.as_object().unwrap()).unwrap();
        let sort = Sort::parse(&self.sort).unwrap();
        let key_fields = paths(&self.key);
        let (first, wants) = (self.first, Wants::Documents);
        plans(
            &Question {
                filter: &filter,
                sort: &sort,
                first,
                wants,
                fields: &[],
                key_fields: &key_fields,
                indexes,
                text: None,
            },
            statistics,
        )
        .unwrap()
    }

    /// By what the filter says alone.
    fn plan(&self) -> Plan {
        self.plans(&indexes(), &Unknown).swap_remove(0)
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
        "index site_ts [site in [\"a\", \"b\"]], merge",
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
    for test in [op("$exists", true), op("$type", "null"), op("$size", 0)] {
        check(asked(object([("serial", test)])).sort(&[("serial", 1)]).first(), "index serial, filter");
    }
    check(asked(object([("serial", op("$regex", ""))])).sort(&[("serial", 1)]).first(), "index serial where serial");
    for test in [op("$not", op("$eq", 1)), op("$nin", vec![Value::Null]), op("$exists", false)] {
        check(asked(object([("serial", test)])).sort(&[("serial", 1)]).first(), "scan, sort, filter");
    }
}

#[test]
fn parts_of_and_bind_together_and_parts_of_or_each_for_itself() {
    let both = vec![object([("site", "x".into())]), object([("ts", 5.into())])];
    check(asked(object([("$and", both.clone().into())])), "index site_ts [site = \"x\", ts = 5]");
    check(asked(object([("$or", both.into())])), "index site_ts [site = \"x\"] + index ts [ts = 5], dedupe");
}

#[test]
fn what_a_pattern_begins_with_is_a_range() {
    let begins = |pattern: &str| op("$regex", pattern);
    check(asked(object([("ts", begins("^ab"))])), "index ts [ts begins with \"ab\"]");
    check(asked(object([("ts", begins("^ab$"))])), "index ts [ts begins with \"ab\"] where ts");
    check(asked(object([("id", begins("^ab"))])), "primary [id begins with \"ab\"]");
    check(asked(object([("id", begins("^a+"))])), "primary [id begins with \"a\"], filter");
    check(
        asked(object([("site", "x".into()), ("ts", begins("^ab*"))])).sort(&[("ts", -1)]),
        "index site_ts [site = \"x\", ts begins with \"a\"] where ts descending",
    );
    let both = object([("$regex", "^a".into()), ("$gte", "ab".into()), ("$lt", "ac".into())]);
    check(asked(object([("ts", both)])), "index ts [ts begins with \"a\", ts >= \"ab\", ts < \"ac\"]");
    check(asked(object([("tags", begins("^ab"))])), "index tags [tags begins with \"ab\"], dedupe");
    check(asked(object([("tags", begins("^ab."))])), "index tags [tags begins with \"ab\"], dedupe, filter");
    check(asked(object([("serial", begins("^ab"))])), "index serial [serial begins with \"ab\"]");
    let among = op("$in", vec![begins("^a"), begins("^b"), 5.into()]);
    check(
        asked(object([("ts", among)])),
        "index ts [ts in [5]] + index ts [ts begins with \"a\"] + index ts [ts begins with \"b\"], dedupe",
    );
    for pattern in ["ab", "^", "^a|b", "^(a|b)", "^.a"] {
        check(asked(object([("id", begins(pattern))])), "scan, filter");
    }
    for options in ["i", "m"] {
        let test = object([("$regex", "^ab".into()), ("$options", options.into())]);
        check(asked(object([("id", test)])), "scan, filter");
    }
    check(asked(object([("id", op("$not", begins("^ab")))])), "scan, filter");
}

#[test]
fn a_union_needs_keys_for_each_of_its_parts() {
    let or = |parts: Vec<Value>| object([("$or", parts.into())]);
    check(asked(or(vec![object([("ts", 5.into())]), object([("z", 1.into())])])), "scan, filter");
    check(
        asked(or(vec![object([("ts", 5.into()), ("z", 1.into())]), object([("id", 1.into())])])),
        "index ts [ts = 5] + 1 key(s) [id = 1], dedupe, filter",
    );
    let values = vec![object([("ts", 5.into())]), object([("ts", op("$in", vec![3.into(), 5.into()]))])];
    check(asked(or(values)), "index ts [ts in [3, 5]]");
    let sites = vec![object([("site", "x".into()), ("ts", op("$gt", 3))]), object([("site", "y".into())])];
    check(
        asked(or(sites)).sort(&[("ts", -1)]),
        "index site_ts [site = \"x\", ts > 3] + index site_ts [site = \"y\"] descending, dedupe, merge",
    );
}

#[test]
fn entries_are_asked_before_documents_are_read() {
    check(
        asked(object([("site", "x".into()), ("ts", op("$ne", 5)), ("id", op("$in", vec![1.into(), 2.into()]))])),
        "2 key(s) [id in [1, 2]], filter",
    );
    check(asked(object([("site", "x".into()), ("ts", op("$ne", 5))])), "index site_ts [site = \"x\"] where ts");
    check(asked(object([("tags", "x".into()), ("ts", op("$ne", 5))])), "index tags_ts [tags = \"x\"] where ts");
    // An entry does not know whether null was missing, nor what kind of number a number was.
    check(asked(object([("site", "x".into()), ("ts", op("$exists", true))])), "index site_ts [site = \"x\"], filter");
    check(asked(object([("site", "x".into()), ("ts", op("$type", "long"))])), "index site_ts [site = \"x\"], filter");
}

/// Readings: 20,000 of 20 sites, 200 agents, of which one in ten is a warning; `ts` counts up.
struct Readings(Vec<(IndexFacts, Vec<Vec<u8>>)>);

const READINGS: i32 = 20_000;

impl Readings {
    fn with(indexes: &[&[&str]]) -> Self {
        let field = |name: &str, at: i32| match name {
            "site" => Value::from(format!("site-{:02}", at % 20)),
            "agent" => Value::from(format!("agent-{:03}", at % 200)),
            "status" => Value::from(if at % 10 == 3 { "warn" } else { "ok" }),
            _ => Value::from(at),
        };
        let of = |fields: &&[&str]| {
            let facts = IndexFacts {
                name: fields.join("_").into(),
                fields: paths(fields),
                sparse: false,
                multi: 0,
                weights: None,
            };
            let entry = |at: i32| {
                let mut entry = Vec::new();
                for name in fields.iter().chain(&["id"]) {
                    key::push(&mut entry, View::from(&field(name, at))).unwrap();
                }
                entry
            };
            let mut entries: Vec<Vec<u8>> = (0..READINGS).map(entry).collect();
            entries.sort();
            (facts, entries)
        };
        Readings(indexes.iter().map(of).collect())
    }

    fn plans(&self, asked: &Asked) -> Vec<Plan> {
        let facts: Vec<IndexFacts> = self.0.iter().map(|(facts, _)| facts.clone()).collect();
        asked.plans(&facts, self)
    }

    #[track_caller]
    fn check(&self, asked: Asked, expected: &str) {
        let plans = self.plans(&asked);
        assert_eq!(plans.first().unwrap().to_string(), expected, "{plans:#?}");
    }
}

impl Statistics for Readings {
    fn documents(&self) -> f64 {
        f64::from(READINGS)
    }

    fn documents_in(&self, range: &KeyRange) -> f64 {
        (0..READINGS).filter(|at| range.contains(&key::encode((&Value::from(*at)).into()).unwrap())).count() as f64
    }

    fn entries_in(&self, index: &IndexFacts, range: &KeyRange) -> f64 {
        let (_, entries) = self.0.iter().find(|(facts, _)| facts.name == index.name).unwrap();
        entries.iter().filter(|entry| range.contains(entry)).count() as f64
    }
}

#[test]
fn what_matches_often_is_found_in_the_order_and_what_is_rare_by_its_own_entries() {
    let readings = Readings::with(&[&["agent"], &["ts"], &["status"], &["site", "ts"]]);
    let agent = || asked(object([("agent", "agent-007".into())])).sort(&[("ts", -1)]);
    readings.check(agent().first(), "index agent [agent = \"agent-007\"], sort");
    readings.check(asked(object([("status", "ok".into())])).sort(&[("ts", -1)]).first(), "index ts descending, filter");
    // All of them: reading in order would look up every document, one by one.
    readings.check(asked(object([("status", "ok".into())])).sort(&[("ts", -1)]), "scan, sort, filter");
    readings.check(
        asked(object([("status", "warn".into()), ("agent", "agent-013".into())])),
        "index agent [agent = \"agent-013\"], filter",
    );
    readings.check(
        asked(object([("site", "site-03".into())])).sort(&[("ts", -1)]).first(),
        "index site_ts [site = \"site-03\"] descending",
    );
    let sites = op("$in", vec!["site-03".into(), "site-07".into()]);
    readings.check(
        asked(object([("site", sites)])).sort(&[("ts", -1)]).first(),
        "index site_ts [site in [\"site-03\", \"site-07\"]] descending, merge",
    );
}

/// What is asked, where these fields are all that is wanted.
#[track_caller]
fn check_fields(indexes: &[IndexFacts], fields: &[&str], asked: &Asked, expected: &str, covers: bool) {
    let filter = Filter::parse(asked.filter.as_object().unwrap()).unwrap();
    let (sort, key_fields, fields) = (Sort::parse(&asked.sort).unwrap(), paths(&asked.key), paths(fields));
    let question = Question {
        filter: &filter,
        sort: &sort,
        first: asked.first,
        wants: Wants::Documents,
        fields: &fields,
        key_fields: &key_fields,
        indexes,
        text: None,
    };
    let all = plan(&question, &Readings::with(&[&["agent"], &["ts"], &["status"], &["site", "ts"]])).unwrap();
    assert_eq!((all.to_string().as_str(), all.covers(&question)), (expected, covers));
    let tree = explain(&[all], &question, (0, None)).to_string();
    assert_eq!(tree.contains("stage: \"documents\"") || expected.starts_with("scan"), !covers, "{tree}");
}

#[test]
fn an_index_that_holds_all_that_is_wanted_is_read_for_that() {
    let readings = Readings::with(&[&["agent"], &["ts"], &["status"], &["site", "ts"]]);
    let indexes: Vec<IndexFacts> = readings.0.iter().map(|(facts, _)| facts.clone()).collect();
    let check = |fields: &[&str], asked: Asked, expected: &str, covers: bool| {
        check_fields(&indexes, fields, &asked, expected, covers);
    };
    check(&["agent", "id"], asked(object([])), "index agent", true);
    check(&["agent", "z"], asked(object([])), "scan", false);
    let most = || object([("ts", op("$gte", 100))]);
    check(&["ts"], asked(most()), "index ts [ts >= 100]", true);
    check(&["site"], asked(most()), "index site_ts where ts", true);
    check(&["agent"], asked(most()), "scan, filter", false);
    check(&["ts", "site"], asked(object([])).sort(&[("ts", -1)]), "index site_ts, sort", true);
    check(
        &["site"],
        asked(object([("site", "site-03".into()), ("z", 1.into())])),
        "index site_ts [site = \"site-03\"], filter",
        false,
    );
    // Their order is not in the entries.
    check(
        &["ts"],
        asked(object([("ts", op("$gte", 19_000))])).sort(&[("agent", 1)]),
        "index ts [ts >= 19000], sort",
        false,
    );
    let mut sparse = indexes.clone();
    sparse.iter_mut().for_each(|index| index.sparse = true);
    check_fields(&sparse, &["agent"], &asked(object([])), "scan", false);
    let mut multi = indexes.clone();
    multi.iter_mut().for_each(|index| index.multi = 1);
    check_fields(&multi, &["agent"], &asked(object([])), "scan", false);
    check_fields(&multi, &["ts"], &asked(object([])), "scan", false);
    check_fields(
        &multi,
        &["id"],
        &asked(object([("site", "site-03".into())])),
        "index site_ts [site = \"site-03\"]",
        true,
    );
}

#[test]
fn where_one_index_gives_just_what_is_wanted_nothing_is_estimated() {
    let key_fields = paths(&["id"]);
    let indexes = indexes();
    let certain_of = |filter: Value, first| {
        let filter = Filter::parse(filter.as_object().unwrap()).unwrap();
        let sort = Sort::parse(&[Value::Array(vec!["ts".into(), (-1).into()])]).unwrap();
        let (wants, fields) = (Wants::Documents, &[]);
        let question = Question {
            filter: &filter,
            sort: &sort,
            first,
            wants,
            fields,
            key_fields: &key_fields,
            indexes: &indexes,
            text: None,
        };
        certain(&question).unwrap().map(|plan| plan.to_string())
    };
    let site = || object([("site", "x".into())]);
    assert_eq!(certain_of(site(), Some(50)).unwrap(), "index site_ts [site = \"x\"] descending");
    assert_eq!(certain_of(object([]), Some(50)).unwrap(), "index ts descending");
    assert_eq!(certain_of(site(), None), None);
    assert_eq!(certain_of(object([("site", "x".into()), ("z", 1.into())]), Some(50)), None);
}

#[test]
fn the_narrower_range_is_read_and_one_that_holds_nearly_all_is_not() {
    let readings = Readings::with(&[&["agent"], &["ts"], &["site", "ts"]]);
    readings.check(asked(object([("ts", op("$gte", 100))])), "scan, filter");
    readings.check(asked(object([("ts", op("$gte", 19_900))])), "index ts [ts >= 19900]");
    let both = |from: i32| asked(object([("ts", op("$gte", from)), ("agent", "agent-001".into())]));
    readings.check(both(100), "index agent [agent = \"agent-001\"], filter");
    readings.check(both(19_990), "index ts [ts >= 19990], filter");
    let site = |from: i32| asked(object([("ts", op("$gte", from)), ("site", op("$gte", "site-01"))]));
    readings.check(site(19_000), "index ts [ts >= 19000], filter");
}

#[test]
fn a_union_pays_only_where_its_parts_are_narrow() {
    let readings = Readings::with(&[&["agent"], &["ts"], &["status"]]);
    let or = |parts: Vec<Value>| asked(object([("$or", parts.into())]));
    let narrow = object([("ts", op("$gt", 19_950))]);
    readings.check(
        or(vec![narrow.clone(), object([("agent", "agent-001".into())])]),
        "index ts [ts > 19950] + index agent [agent = \"agent-001\"], dedupe",
    );
    readings.check(or(vec![narrow, object([("status", "ok".into())])]), "scan, filter");
}

#[test]
fn two_indexes_are_read_where_documents_are_what_costs() {
    let readings = Readings::with(&[&["agent"], &["ts"], &["status"]]);
    // A twentieth of the documents each, and a four-hundredth of both.
    let ts = || ("ts", between(10_000, 11_000));
    let agents =
        |last: u32| ("agent", object([("$gte", "agent-000".into()), ("$lt", format!("agent-{last:03}").into())]));
    let both = asked(object([ts(), agents(10)]));
    readings.check(
        both,
        "index ts [ts >= 10000, ts < 11000] among index agent [agent >= \"agent-000\", agent < \"agent-010\"], filter",
    );
    readings
        .check(asked(object([ts(), agents(1)])), "index agent [agent >= \"agent-000\", agent < \"agent-001\"], filter");
    readings.check(asked(object([ts(), ("status", "ok".into())])), "index ts [ts >= 10000, ts < 11000], filter");
}

#[test]
fn explain_says_the_plan_as_a_tree_and_why_not_another() {
    let readings = Readings::with(&[&["agent"], &["ts"]]);
    let asked = asked(object([("agent", "agent-007".into()), ("z", 1.into())])).sort(&[("ts", -1)]).first();
    let plans = readings.plans(&asked);
    let (filter, sort) = (Filter::all(), Sort::parse(&asked.sort).unwrap());
    let (first, wants) = (Some(50), Wants::Documents);
    let question =
        Question { filter: &filter, sort: &sort, first, wants, fields: &[], key_fields: &[], indexes: &[], text: None };
    let explained = explain(&plans, &question, (0, Some(50))).to_string();
    let expected = "{plan: \"index\", index: \"agent\", bounds: \"agent = \\\"agent-007\\\"\", sorted: false, residual: true, \
        estimate: {keys: 100, documents: 100, cost: 239}, tree: {stage: \"limit\", skip: 0, limit: 50, input: \
        {stage: \"sort\", by: [[\"ts\", -1]], keeps: 50, input: {stage: \"filter\", fields: [\"z\"], input: \
        {stage: \"documents\", input: {stage: \"index\", index: \"agent\", bounds: \"agent = \\\"agent-007\\\"\", ranges: 1, \
        direction: \"ascending\"}}}}}, alternatives: [";
    assert!(explained.starts_with(expected), "{explained}");
    assert!(explained.contains("plan: \"scan\"") && explained.contains("% of the cost"), "{explained}");
}

#[test]
fn gt_leaves_out_the_value_itself_in_compound_keys() {
    let plan = asked(object([("ts", op("$gt", 5))])).plan();
    let Access::Index { ranges, .. } = &plan.walks.first().unwrap().access else { panic!() };
    let entry = |ts: i32| [crate::value::key::encode((&Value::from(ts)).into()).unwrap(), vec![0x18, b'k', 0]].concat();
    let contains = |ts| ranges.iter().any(|range| range.contains(&entry(ts)));
    assert!(!contains(5) && contains(6) && !contains(4));
}
