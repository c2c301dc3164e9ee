//! Which indexes queries want, over a collection of a hundred thousand documents.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::query::Sort;
use crate::query::plan::Wants;
use crate::value::Object;

const DOCUMENTS: f64 = 100_000.0;

struct Many;

impl Statistics for Many {
    fn documents(&self) -> f64 {
        DOCUMENTS
    }

    fn documents_in(&self, range: &KeyRange) -> f64 {
        if *range == KeyRange::all() { DOCUMENTS } else { DOCUMENTS / 10.0 }
    }

    fn entries_in(&self, index: &IndexFacts, range: &KeyRange) -> f64 {
        self.documents_in(range) / index.fields.len() as f64
    }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn op(operator: &str, operand: impl Into<Value>) -> Value {
    Object::from([(operator, operand.into())]).into()
}

fn part<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Object::from(fields).into()
}

struct Asked {
    filter: Filter,
    sort: Sort,
    first: Option<usize>,
}

fn asked(filter: Value, sort: &[(&str, i32)], first: Option<usize>) -> Asked {
    let pair = |(field, way): &(&str, i32)| Value::Array(vec![(*field).into(), (*way).into()]);
    let sort = Sort::parse(&sort.iter().map(pair).collect::<Vec<_>>()).unwrap();
    Asked { filter: Filter::parse(filter.as_object().unwrap()).unwrap(), sort, first }
}

/// What is wanted of a collection with the key `id` and these indexes: the fields, and whom they serve.
#[track_caller]
fn check(asked: &[Asked], indexes: &[&[&str]], expected: &[(&str, &[usize])]) {
    let indexes: Vec<IndexFacts> = indexes
        .iter()
        .map(|fields| {
            let fields: Vec<Path> = fields.iter().map(|field| path(field)).collect();
            IndexFacts { name: flat_name(&fields).into(), fields, sparse: false, multi: 0, weights: None }
        })
        .collect();
    let key_fields = [path("id")];
    let wanting: Vec<Wanting<'_>> = asked
        .iter()
        .map(|Asked { filter, sort, first }| Wanting {
            question: Question {
                filter,
                sort,
                first: *first,
                wants: Wants::Documents,
                fields: &[],
                key_fields: &key_fields,
                indexes: &indexes,
                text: None,
            },
            count: 1.0,
            matching: first.is_none().then_some(10.0),
        })
        .collect();
    let mut found = advise(&wanting, &Many).unwrap();
    found.sort_by_key(|wanted| flat_name(&wanted.fields));
    let told: Vec<(String, Vec<usize>)> =
        found.iter().map(|wanted| (flat_name(&wanted.fields), wanted.serves.clone())).collect();
    let expected: Vec<(String, Vec<usize>)> =
        expected.iter().map(|(fields, serves)| ((*fields).to_owned(), serves.to_vec())).collect();
    assert_eq!(told, expected);
    assert!(found.iter().all(|wanted| wanted.then * WORTH <= wanted.now));
}

fn flat_name(fields: &[Path]) -> String {
    fields.iter().map(Path::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_equal_comes_first_then_the_order_then_a_range() {
    let filter = || part([("value", op("$gt", 5)), ("site", "x".into())]);
    check(&[asked(filter(), &[("ts", -1)], Some(50))], &[], &[("site ts value", &[0])]);
    check(&[asked(filter(), &[], None)], &[], &[("site value", &[0])]);
    check(&[asked(part([]), &[("ts", -1)], Some(50))], &[], &[("ts", &[0])]);
    check(&[asked(part([("site", op("$in", vec!["x".into(), "y".into()]))]), &[], None)], &[], &[("site", &[0])]);
    check(&[asked(part([("value", op("$gte", 5))]), &[], None)], &[], &[("value", &[0])]);
}

#[test]
fn the_primary_key_need_not_be_named() {
    check(&[asked(part([("site", "x".into())]), &[("id", 1)], Some(50))], &[], &[("site", &[0])]);
    check(&[asked(part([("id", 5.into()), ("site", "x".into())]), &[], None)], &[], &[]);
}

#[test]
fn one_index_serves_several_where_one_order_of_its_fields_is_right_for_all() {
    let both = || asked(part([("a", 1.into()), ("b", 2.into())]), &[], None);
    let b = || asked(part([("b", 2.into())]), &[], None);
    check(&[both(), b()], &[], &[("b a", &[0, 1])]);
    check(&[b(), both()], &[], &[("b a", &[0, 1])]);
    let b_by_a = asked(part([("b", 2.into())]), &[("a", 1)], Some(50));
    check(&[both(), b_by_a], &[], &[("b a", &[0, 1])]);
    let c_by_a = asked(part([("c", 2.into())]), &[("a", 1)], Some(50));
    check(&[both(), c_by_a], &[], &[("a b", &[0]), ("c a", &[1])]);
}

#[test]
fn what_is_there_is_not_named() {
    let filter = || part([("site", "x".into()), ("ts", op("$gt", 5))]);
    check(&[asked(filter(), &[], None)], &[&["site", "ts", "value"]], &[]);
    check(&[asked(filter(), &[], None)], &[&["value"]], &[("site ts", &[0])]);
}

#[test]
fn no_index_serves_an_order_that_goes_two_ways_or_what_no_key_answers() {
    check(&[asked(part([]), &[("a", 1), ("b", -1)], Some(50))], &[], &[]);
    check(&[asked(part([("a", op("$exists", true))]), &[], None)], &[], &[]);
    check(&[asked(part([("a", Value::Array(vec![1.into()]))]), &[], None)], &[], &[]);
}

#[test]
fn each_part_of_an_or_wants_its_own() {
    let either = vec![part([("a", 1.into()), ("d", 1.into())]), part([("b", op("$lt", 5)), ("c", 1.into())])];
    let filter = part([("$or", either.into())]);
    check(&[asked(filter, &[], None)], &[], &[("a d", &[0]), ("c b", &[0])]);
}
