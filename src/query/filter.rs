//! Filters: MongoDB's query documents, parsed once and matched against documents.
//!
//! Not a plan: which keys to read for a filter is `query/plan.rs`.
//!
//! Invariants: an array matches where it matches as a whole or one of its elements does; what is missing matches as
//! null does; `$gt` and its kin hold only between values of one type, numbers and bigints being one. Source: MongoDB
//! manual, "Query and Projection Operators" (<https://www.mongodb.com/docs/manual/reference/operator/query/>).

use crate::error::{Error, ErrorKind, Result};
use crate::sorted;
use crate::value::order::{self, Bracket};
use crate::value::path::Found;
use crate::value::view::ObjectView;
use crate::value::{Object, Path, Value, View};
use core::cmp::Ordering;
use core::ops::ControlFlow;

/// A parsed filter.
///
/// ```
/// use hyphadb::query::Filter;
/// use hyphadb::value::{Object, Value};
/// let filter = Filter::parse(&Object::from([("n", Object::from([("$gt", Value::from(5))]).into())]))?;
/// assert!(filter.matches((&Object::from([("n", Value::BigInt(6))])).into())?);
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold; where there is none, every document matches.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// What lies at the path passes the test.
    Field(Path, Test),
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to the value.
    Eq(Value),
    /// Not equal.
    Ne(Value),
    /// Of the same type, and greater.
    Gt(Value),
    /// Of the same type, and greater or equal.
    Gte(Value),
    /// Of the same type, and less.
    Lt(Value),
    /// Of the same type, and less or equal.
    Lte(Value),
    /// Equal to one of the values, which stand in order, each once.
    In(Vec<Value>),
    /// Equal to none of the values, which stand in order, each once.
    Nin(Vec<Value>),
    /// There, whatever its value (`true`), or missing.
    Exists(bool),
}

const OPERATORS_HINT: &str =
    "a filter has fields, $and and $or; a field has a value, or $eq $ne $gt $gte $lt $lte $in $nin $exists";

impl Filter {
    /// The filter that every document matches.
    #[must_use]
    pub const fn all() -> Filter {
        Filter::All(Vec::new())
    }

    /// Reads a filter document.
    ///
    /// # Errors
    /// `unsupported` for operators that are not there, with their name; `invalid` for a `$` in the wrong place and for
    /// bad operands, with the path.
    pub fn parse(filter: &Object) -> Result<Filter> {
        let mut all = Vec::with_capacity(filter.len());
        for (name, operand) in filter.iter() {
            match &**name {
                "$and" => all.extend(parse_list("$and", operand)?),
                "$or" => all.push(Filter::Any(parse_list("$or", operand)?)),
                name if name.starts_with('$') => return Err(misplaced(name)),
                name => parse_field(name, operand, &mut all)?,
            }
        }
        Ok(Filter::All(all))
    }

    /// Whether the document matches.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn matches(&self, document: ObjectView<'_>) -> Result<bool> {
        match self {
            Filter::All(filters) => {
                for filter in filters {
                    if !filter.matches(document)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Any(filters) => {
                for filter in filters {
                    if filter.matches(document)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::Field(path, test) => test.matches(path, document),
        }
    }

    /// What must hold together: the parts of `$and`, taken apart at every level.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<&Filter> {
        match self {
            Filter::All(filters) => filters.iter().flat_map(Filter::conjuncts).collect(),
            filter => vec![filter],
        }
    }

    /// The fields that must equal a value, as an upsert writes them.
    #[must_use]
    pub fn equalities<'a>(&'a self) -> Vec<(&'a Path, &'a Value)> {
        let equality = |filter: &'a Filter| match filter {
            Filter::Field(path, Test::Eq(value)) => Some((path, value)),
            _ => None,
        };
        self.conjuncts().into_iter().filter_map(equality).collect()
    }

    /// Whether every document matches.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.conjuncts().is_empty()
    }
}

fn parse_list(operator: &str, operand: &Value) -> Result<Vec<Filter>> {
    let filters = operand.as_array().filter(|filters| !filters.is_empty());
    let filters = filters.ok_or_else(|| Error::invalid(format!("`{operator}` takes an array of filters")))?;
    let parse = |filter: &Value| match filter {
        Value::Object(filter) => Filter::parse(filter),
        other => Err(Error::invalid(format!("`{operator}` takes an array of filters, not of {}", other.type_name()))),
    };
    filters.iter().map(parse).collect()
}

fn misplaced(operator: &str) -> Error {
    let of_fields = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"];
    if of_fields.contains(&operator) {
        return Error::invalid(format!("`{operator}` stands outside of a field")).with_hint(OPERATORS_HINT);
    }
    unsupported(operator)
}

fn unsupported(operator: &str) -> Error {
    let error = Error::new(ErrorKind::Unsupported, format!("filter operator `{operator}` is not supported"));
    error.with_hint(OPERATORS_HINT).with_detail("operator", operator)
}

fn parse_field(name: &str, operand: &Value, all: &mut Vec<Filter>) -> Result<()> {
    let path = Path::parse(name)?;
    let operators = match operand {
        Value::Object(object) if object.iter().any(|(name, _)| name.starts_with('$')) => object,
        value => {
            all.push(Filter::Field(path, Test::Eq(value.clone())));
            return Ok(());
        }
    };
    for (operator, operand) in operators.iter() {
        let test = Test::parse(operator, operand).map_err(|error| error.context(format!("field `{path}`")))?;
        all.push(Filter::Field(path.clone(), test));
    }
    Ok(())
}

impl Test {
    fn parse(operator: &str, operand: &Value) -> Result<Test> {
        let list = || match operand {
            Value::Array(values) => {
                let compare = |left: usize, right: usize| match (values.get(left), values.get(right)) {
                    (Some(left), Some(right)) => order::compare_values(left, right),
                    _ => Ordering::Equal,
                };
                let mut places = sorted::order(values.len(), &mut { compare });
                places.dedup_by(|left, right| compare(*left, *right).is_eq());
                Ok(places.into_iter().filter_map(|place| values.get(place).cloned()).collect())
            }
            other => Err(Error::invalid(format!("`{operator}` takes an array, not {}", other.type_name()))),
        };
        Ok(match operator {
            "$eq" => Test::Eq(operand.clone()),
            "$ne" => Test::Ne(operand.clone()),
            "$gt" => Test::Gt(operand.clone()),
            "$gte" => Test::Gte(operand.clone()),
            "$lt" => Test::Lt(operand.clone()),
            "$lte" => Test::Lte(operand.clone()),
            "$in" => Test::In(list()?),
            "$nin" => Test::Nin(list()?),
            "$exists" => match operand {
                Value::Bool(exists) => Test::Exists(*exists),
                Value::Number(number) => Test::Exists(number.get() != 0.0),
                other => return Err(Error::invalid(format!("`$exists` takes a boolean, not {}", other.type_name()))),
            },
            "$and" | "$or" => {
                return Err(Error::invalid(format!("`{operator}` stands inside of a field")).with_hint(OPERATORS_HINT));
            }
            operator if operator.starts_with('$') => return Err(unsupported(operator)),
            name => {
                let message = format!("`{name}` stands among operators; it is no operator");
                return Err(Error::invalid(message).with_hint(OPERATORS_HINT));
            }
        })
    }

    fn matches(&self, path: &Path, document: ObjectView<'_>) -> Result<bool> {
        match self {
            Test::Eq(value) => any(path, document, &|found| compare(found, value, Ordering::is_eq)),
            Test::Ne(value) => Ok(!any(path, document, &|found| compare(found, value, Ordering::is_eq))?),
            Test::Gt(value) => any(path, document, &|found| compare(found, value, Ordering::is_gt)),
            Test::Gte(value) => any(path, document, &|found| compare(found, value, Ordering::is_ge)),
            Test::Lt(value) => any(path, document, &|found| compare(found, value, Ordering::is_lt)),
            Test::Lte(value) => any(path, document, &|found| compare(found, value, Ordering::is_le)),
            Test::In(values) => any(path, document, &|found| among(found, values)),
            Test::Nin(values) => Ok(!any(path, document, &|found| among(found, values))?),
            Test::Exists(exists) => {
                let found = path.visit(document, &mut |found| {
                    Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                Ok(found.is_break() == *exists)
            }
        }
    }

    /// Whether a document in which the field is missing certainly fails.
    #[must_use]
    pub fn excludes_missing(&self) -> bool {
        match self {
            Test::Eq(value) | Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value) => {
                *value != Value::Null
            }
            Test::In(values) => !values.contains(&Value::Null),
            // What is not equal to null may as well be a path that leads to nothing through an array.
            Test::Ne(_) | Test::Nin(_) => false,
            Test::Exists(exists) => *exists,
        }
    }
}

/// Whether something at the path passes: a value, or an element where it is an array.
fn any(path: &Path, document: ObjectView<'_>, test: &dyn Fn(View<'_>) -> Result<bool>) -> Result<bool> {
    let flow = path.visit(document, &mut |found: Found<'_>| {
        let value = found.unwrap_or(View::Null);
        if test(value)? {
            return Ok(ControlFlow::Break(()));
        }
        if let View::Array(elements) = value {
            for element in elements.iter() {
                if test(element?)? {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(flow.is_break())
}

fn compare(found: View<'_>, value: &Value, holds: fn(Ordering) -> bool) -> Result<bool> {
    let value = View::from(value);
    Ok(Bracket::of(found) == Bracket::of(value) && holds(order::compare(found, value)?))
}

/// Binary search among values in order.
fn among(found: View<'_>, values: &[Value]) -> Result<bool> {
    let mut rest = values;
    while let Some(middle) = rest.get(rest.len() / 2) {
        let (low, high) = rest.split_at(rest.len() / 2);
        rest = match order::compare(found, middle.into())? {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low,
            Ordering::Greater => high.get(1..).unwrap_or(&[]),
        };
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
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
        let filter =
            Filter::parse(&Object::from([("$or", either), ("$and", array([object([("z", 1.into())])]))])).unwrap();
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
        let message =
            |name: &str, operand: Value| Filter::parse(&Object::from([(name, operand)])).unwrap_err().to_string();
        assert_eq!(message("$gt", 1.into()), "`$gt` stands outside of a field");
        assert_eq!(message("$and", array([])), "`$and` takes an array of filters");
        assert_eq!(message("$or", array([1.into()])), "`$or` takes an array of filters, not of number");
        assert_eq!(message("$where", "x".into()), "filter operator `$where` is not supported");
        assert_eq!(
            message("a", object([("$regex", "x".into())])),
            "field `a`: filter operator `$regex` is not supported"
        );
        assert_eq!(message("a", object([("$in", 1.into())])), "field `a`: `$in` takes an array, not number");
        assert_eq!(message("a", object([("$exists", "x".into())])), "field `a`: `$exists` takes a boolean, not string");
        assert_eq!(
            message("a", object([("$gt", 1.into()), ("b", 1.into())])),
            "field `a`: `b` stands among operators; it is no operator"
        );
        assert_eq!(message("a", object([("$or", array([]))])), "field `a`: `$or` stands inside of a field");
        assert_eq!(message("a.$b", 1.into()), "path `a.$b`: `$b` is not a field name");
    }
}
