//! What stages make of documents.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::value::view::ObjectView;
use crate::value::{Object, codec};
use std::rc::Rc;

/// No collection is behind these tests.
#[derive(Clone, Debug)]
struct Document(Object);

impl Record for Document {
    fn score(&self) -> Option<f64> {
        None
    }

    fn view(&self) -> Result<ObjectView<'_>> {
        Ok((&self.0).into())
    }

    fn weight(&self) -> usize {
        1
    }
}

fn o<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

fn a<const N: usize>(elements: [Value; N]) -> Value {
    Value::Array(elements.into())
}

fn parse(stages: &[Value]) -> Result<Pipeline> {
    let key_fields = [Path::parse("id").unwrap()];
    let context = Context { now: Timestamp::from_ms(5), outer: &[], key_fields: &key_fields, foreign: &|_| None };
    Pipeline::parse(stages, context)
}

/// All at once, then one by one: the same comes out.
fn run(stages: &[Value], documents: &[Value]) -> Result<Vec<Value>> {
    let pipeline = parse(stages)?;
    let rows = || documents.iter().map(|document| Row::Stored(Document(document.as_object().unwrap().clone())));
    let together = pass(&pipeline, vec![rows().collect()])?;
    let apart = pass(&pipeline, rows().map(|row| vec![row]).collect())?;
    assert_eq!(together, apart);
    Ok(together)
}

fn pass(pipeline: &Pipeline, batches: Vec<Vec<Row<Document>>>) -> Result<Vec<Value>> {
    let mut batches = batches;
    for stage in &pipeline.stages {
        let mut step = Step::new(Rc::clone(stage), Rc::new([]), &|| 7);
        let mut out = Vec::new();
        for batch in batches {
            step.push(batch, &mut out)?;
        }
        step.finish(&mut out)?;
        batches = vec![out];
    }
    batches.into_iter().flatten().map(Value::try_from).collect()
}

fn documents() -> Vec<Value> {
    let document = |id: i32, site: &str, value: Value| o([("id", id.into()), ("site", site.into()), ("v", value)]);
    vec![
        document(1, "n", 4.into()),
        document(2, "s", 1.into()),
        document(3, "n", Value::Null),
        document(4, "n", Value::BigInt(6)),
        document(5, "s", 3.into()),
    ]
}

#[track_caller]
fn check<const N: usize>(stages: &[Value], expected: [Value; N]) {
    assert_eq!(run(stages, &documents()), Ok(expected.into()));
}

fn stage(name: &str, operand: impl Into<Value>) -> Value {
    o([(name, operand.into())])
}

#[test]
fn groups_come_in_the_order_of_their_first_documents() {
    let group = o([
        ("_id", "$site".into()),
        ("sum", o([("$sum", "$v".into())])),
        ("mean", o([("$avg", "$v".into())])),
        ("ids", o([("$push", "$id".into())])),
        ("n", o([("$count", o([]))])),
    ]);
    let of = |id: &str, sum: Value, mean: i32, ids: Value, n: i32| {
        o([("_id", id.into()), ("sum", sum), ("mean", mean.into()), ("ids", ids), ("n", n.into())])
    };
    let north = of("n", Value::BigInt(10), 5, a([1.into(), 3.into(), 4.into()]), 3);
    let south = of("s", 4.into(), 2, a([2.into(), 5.into()]), 2);
    check(&[stage("$group", group)], [north, south]);
}

#[test]
fn numbers_of_both_types_are_one_key_and_null_is_what_is_missing() {
    let documents = [o([("v", 5.into())]), o([("v", Value::BigInt(5))]), o([("v", Value::Null)]), o([])];
    let group = stage("$group", o([("_id", "$v".into()), ("n", o([("$sum", 1.into())]))]));
    let of = |id: Value, n: i32| o([("_id", id), ("n", n.into())]);
    assert_eq!(run(&[group], &documents), Ok(vec![of(5.into(), 2), of(Value::Null, 2)]));
    let parts = stage("$group", o([("_id", o([("k", "$v".into())]))]));
    let keys = run(&[parts], &documents).unwrap();
    assert_eq!(keys.last(), Some(&o([("_id", o([]))])));
    assert_eq!(keys.len(), 3);
}

#[test]
fn a_sort_before_a_limit_keeps_no_more_than_is_wanted() {
    let many: Vec<Value> = (0..5000).map(|n| o([("id", n.into()), ("v", ((n * 7919) % 5000).into())])).collect();
    let stages = [stage("$sort", o([("v", (-1).into())])), stage("$skip", 2), stage("$limit", 3)];
    assert!(matches!(&**parse(&stages).unwrap().stages.first().unwrap(), Stage::Sort(_, Some(5))));
    let found = run(&stages, &many).unwrap();
    let values: Vec<_> = found.iter().map(|found| found.as_object().unwrap().get("v").unwrap().clone()).collect();
    assert_eq!(values, [4997.into(), 4996.into(), 4995.into()]);
}

#[test]
fn fields_are_set_within_objects_and_the_objects_of_arrays() {
    let document = o([("a", a([o([("b", 1.into())]), 7.into()])), ("c", 2.into())]);
    let set = stage("$set", o([("a.x", "$c".into()), ("d.e", "$a.b".into()), ("c", "$$REMOVE".into())]));
    let elements = a([o([("b", 1.into()), ("x", 2.into())]), o([("x", 2.into())])]);
    assert_eq!(
        run(&[set], core::slice::from_ref(&document)),
        Ok(vec![o([("a", elements), ("d", o([("e", a([1.into()]))]))])])
    );
    let project = stage("$project", o([("a", o([("b", 1.into())])), ("n", o([("$add", a(["$c".into(), 1.into()]))]))]));
    let kept = o([("a", a([o([("b", 1.into())])])), ("n", 3.into())]);
    assert_eq!(run(&[project], core::slice::from_ref(&document)), Ok(vec![kept]));
    let unset = stage("$unset", a(["a.b".into(), "c".into()]));
    assert_eq!(run(&[unset], &[document]), Ok(vec![o([("a", a([o([]), 7.into()]))])]));
}

#[test]
fn the_key_stays_unless_it_is_left_out() {
    check(&[stage("$limit", 1), stage("$project", o([("v", true.into())]))], [o([("id", 1.into()), ("v", 4.into())])]);
    check(&[stage("$limit", 1), stage("$project", o([("v", 1.into()), ("id", 0.into())]))], [o([("v", 4.into())])]);
}

#[test]
fn an_array_is_unwound_and_numbered() {
    let documents =
        [o([("a", a([5.into(), 6.into()]))]), o([("a", a([]))]), o([("b", 1.into())]), o([("a", 7.into())])];
    let of = |value: i32| o([("a", value.into())]);
    assert_eq!(run(&[stage("$unwind", "$a")], &documents), Ok(vec![of(5), of(6), of(7)]));
    let kept =
        o([("path", "$a".into()), ("includeArrayIndex", "i".into()), ("preserveNullAndEmptyArrays", true.into())]);
    let numbered = |value: i32, i: Value| o([("a", value.into()), ("i", i)]);
    let expected = vec![
        numbered(5, 0.into()),
        numbered(6, 1.into()),
        o([("i", Value::Null)]),
        o([("b", 1.into()), ("i", Value::Null)]),
        numbered(7, Value::Null),
    ];
    assert_eq!(run(&[stage("$unwind", kept)], &documents), Ok(expected));
}

#[test]
fn buckets_are_named_by_their_lower_boundary() {
    let bucket =
        o([("groupBy", "$id".into()), ("boundaries", a([1.into(), 3.into(), 5.into()])), ("default", "rest".into())]);
    let of = |id: Value, count: i32| o([("_id", id), ("count", count.into())]);
    check(&[stage("$bucket", bucket)], [of(1.into(), 2), of(3.into(), 2), of("rest".into(), 1)]);
    let strict = o([("groupBy", "$id".into()), ("boundaries", a([1.into(), 3.into()]))]);
    assert!(run(&[stage("$bucket", strict)], &documents()).is_err());
}

#[test]
fn windows_look_at_neighbours_within_their_partition() {
    let within = |bounds: Value| o([("$sum", "$id".into()), ("window", o([("documents", bounds)]))]);
    let window = o([
        ("partitionBy", "$site".into()),
        ("sortBy", o([("id", 1.into())])),
        (
            "output",
            o([
                ("sum", within(a(["unbounded".into(), "current".into()]))),
                ("two", within(a([0.into(), 1.into()]))),
                ("rank", o([("$rank", o([]))])),
                ("before", o([("$shift", o([("output", "$id".into()), ("by", (-1).into())]))])),
            ]),
        ),
    ]);
    let project = o([("sum", 1.into()), ("two", 1.into()), ("rank", 1.into()), ("before", 1.into())]);
    let of = |id: i32, sum: i32, two: i32, rank: i32, before: Value| {
        o([("id", id.into()), ("sum", sum.into()), ("two", two.into()), ("rank", rank.into()), ("before", before)])
    };
    check(
        &[stage("$setWindowFields", window), stage("$project", project)],
        [
            of(1, 1, 4, 1, Value::Null),
            of(3, 4, 7, 2, 1.into()),
            of(4, 8, 4, 3, 3.into()),
            of(2, 2, 7, 1, Value::Null),
            of(5, 7, 5, 2, 2.into()),
        ],
    );
}

#[test]
fn windows_of_dates_are_measured_in_units() {
    const HOUR_MS: i64 = 3_600_000;
    let at = |hour: i64| o([("id", Value::BigInt(hour)), ("at", Value::Date(hour * HOUR_MS))]);
    let range = o([("range", a([(-2).into(), 0.into()])), ("unit", "hour".into())]);
    let count = o([("$count", o([])), ("window", range)]);
    let window = o([("sortBy", o([("at", 1.into())])), ("output", o([("n", count)]))]);
    let found = run(&[stage("$setWindowFields", window)], &[at(0), at(1), at(2), at(3), at(7)]).unwrap();
    let counts: Vec<Value> = found.iter().map(|found| found.as_object().unwrap().get("n").unwrap().clone()).collect();
    assert_eq!(counts, [1.into(), 2.into(), 3.into(), 3.into(), 1.into()]);
}

#[test]
fn what_a_pipeline_makes_can_be_stored() {
    let mut nested = Value::from("$v");
    for _ in 0..55 {
        nested = o([("n", nested)]);
    }
    let deep = stage("$set", o([("v", nested)]));
    let found = run(core::slice::from_ref(&deep), &documents()).unwrap();
    assert!(codec::decode(&codec::encoded(found.first().unwrap())).is_ok());
    let error = run(&[deep.clone(), deep], &documents()).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Limit);
}
