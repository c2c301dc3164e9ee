//! Forms: what a filter asks, without the values.
//!
//! Not a filter any more: nothing reads it back.
//!
//! Invariant: filters that differ in values alone have one form; fields and operators are all in it.

use crate::query::filter::{Element, Filter, Test};
use crate::query::weight;
use crate::value::{Object, Value};

/// What stands for a value.
const VALUE: &str = "?";

/// The form of a filter: `{ site: '?', ts: { $gte: '?' } }`. Adds to `bytes` what its values take, roughly.
pub(crate) fn of(filter: &Filter, bytes: &mut usize) -> Object {
    let mut form = Object::new();
    let mut more = Vec::new();
    for conjunct in filter.conjuncts() {
        let (name, operand) = match conjunct {
            Filter::Field(path, test) => {
                let (operator, operand) = of_test(test, bytes);
                add(&mut form, path.as_str(), operator, operand);
                continue;
            }
            Filter::Itself(test) => of_test(test, bytes),
            Filter::All(filters) => ("$and", of_all(filters, bytes)),
            Filter::Any(filters) => ("$or", of_all(filters, bytes)),
            Filter::Not(filter) => ("$nor", of_all(core::slice::from_ref(&**filter), bytes)),
            Filter::Expression(_) => ("$expr", VALUE.into()),
            Filter::Text(_) => ("$text", VALUE.into()),
        };
        if form.get(name).is_some() {
            more.push(Object::from([(name, operand)]).into());
        } else {
            form.set(name, operand);
        }
    }
    if !more.is_empty() {
        form.set("$and", more.into());
    }
    form
}

fn of_all(filters: &[Filter], bytes: &mut usize) -> Value {
    let mut forms: Vec<Value> = Vec::new();
    for filter in filters {
        forms.push(of(filter, bytes).into());
    }
    forms.into()
}

/// Joins what is asked of one field.
fn add(form: &mut Object, path: &str, operator: &str, operand: Value) {
    let asked = match form.remove(path) {
        None if operator == "$eq" => operand,
        None => Object::from([(operator, operand)]).into(),
        Some(Value::Object(mut asked)) => {
            asked.set(operator, operand);
            asked.into()
        }
        Some(equal) => Object::from([("$eq", equal), (operator, operand)]).into(),
    };
    form.set(path, asked);
}

fn of_test(test: &Test, bytes: &mut usize) -> (&'static str, Value) {
    let (operator, values) = match test {
        Test::Eq(value) => ("$eq", core::slice::from_ref(value)),
        Test::Ne(value) => ("$ne", core::slice::from_ref(value)),
        Test::Gt(value) => ("$gt", core::slice::from_ref(value)),
        Test::Gte(value) => ("$gte", core::slice::from_ref(value)),
        Test::Lt(value) => ("$lt", core::slice::from_ref(value)),
        Test::Lte(value) => ("$lte", core::slice::from_ref(value)),
        Test::In(values) => ("$in", &values[..]),
        Test::Nin(values) => ("$nin", &values[..]),
        Test::Exists(_) => ("$exists", &[][..]),
        Test::Type(_) => ("$type", &[][..]),
        Test::Pattern(_) => ("$regex", &[][..]),
        Test::Size(_) => ("$size", &[][..]),
        Test::Mod(..) => ("$mod", &[][..]),
        Test::Element(element) => {
            let (Element::Object(filter) | Element::Value(filter)) = &**element;
            return ("$elemMatch", of(filter, bytes).into());
        }
    };
    values.iter().for_each(|value| *bytes += weight::of(value));
    (operator, VALUE.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn form(filter: Object) -> String {
        Value::Object(of(&Filter::parse(&filter).unwrap(), &mut 0)).to_string()
    }

    #[test]
    fn fields_and_operators_stay_and_values_go() {
        let range = Object::from([("$gte", 1.into()), ("$lt", 9.into())]);
        let filter = Object::from([("site", "x".into()), ("ts", range.into())]);
        assert_eq!(form(filter), r#"{site: "?", ts: {$gte: "?", $lt: "?"}}"#);
        let part = |field: &str, value: i32| Value::Object(Object::from([(field, value.into())]));
        let either = vec![part("a", 1), part("b", 2)];
        assert_eq!(form(Object::from([("$or", either.clone().into())])), r#"{$or: [{a: "?"}, {b: "?"}]}"#);
        let both =
            vec![Object::from([("$or", either.clone().into())]).into(), Object::from([("$or", either.into())]).into()];
        let twice = r#"{$or: [{a: "?"}, {b: "?"}], $and: [{$or: [{a: "?"}, {b: "?"}]}]}"#;
        assert_eq!(form(Object::from([("$and", Value::Array(both))])), twice);
    }

    #[test]
    fn the_values_of_a_list_are_weighed_and_are_one_placeholder() {
        let list = |count: usize| {
            Object::from([("a", Object::from([("$in", vec![Value::from("abc"); count].into())]).into())])
        };
        assert_eq!(form(list(3)), r#"{a: {$in: "?"}}"#);
        let (mut one, mut bytes) = (0, 0);
        of(&Filter::parse(&Object::from([("a", "abc".into())])).unwrap(), &mut one);
        of(&Filter::parse(&Object::from([("a", "abcabc".into())])).unwrap(), &mut bytes);
        assert_eq!(bytes - one, 3);
    }
}
