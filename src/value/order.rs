//! The one total order of values: comparison, sort, index and key all follow it.
//!
//! Not equality of representation: `5`, `5n` and `5.0` are equal here, and `-0` equals `0`; `==` tells them apart.
//!
//! The order is MongoDB's: null, numbers (exactly compared, whatever their type), strings by UTF-8 bytes, objects,
//! arrays, bytes (length first), booleans, dates. Source: MongoDB manual, "Comparison/Sort Order"
//! (<https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/>).

use crate::error::Result;
use crate::value::view::{ArrayView, ObjectView};
use crate::value::{TWO_63, Value, View};
use core::cmp::Ordering;

/// A type's place in the order. Numbers and bigints share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bracket {
    /// `null`, and what is missing.
    Null,
    /// Numbers and bigints.
    Number,
    /// Strings.
    String,
    /// Objects.
    Object,
    /// Arrays.
    Array,
    /// Bytes.
    Bytes,
    /// Booleans.
    Bool,
    /// Dates.
    Date,
}

impl Bracket {
    /// The bracket of a value.
    #[must_use]
    pub fn of(value: View<'_>) -> Bracket {
        match value {
            View::Null => Bracket::Null,
            View::Number(_) | View::BigInt(_) => Bracket::Number,
            View::String(_) => Bracket::String,
            View::Object(_) => Bracket::Object,
            View::Array(_) => Bracket::Array,
            View::Bytes(_) => Bracket::Bytes,
            View::Bool(_) => Bracket::Bool,
            View::Date(_) => Bracket::Date,
        }
    }
}

/// Compares two values.
///
/// # Errors
/// `corrupt` for damaged rows; views of trees never fail.
pub fn compare(left: View<'_>, right: View<'_>) -> Result<Ordering> {
    Ok(match (left, right) {
        (View::Number(left), View::Number(right)) => float(left.get(), right.get()),
        (View::BigInt(left), View::BigInt(right)) => left.cmp(&right),
        (View::Number(left), View::BigInt(right)) => float_to_integer(left.get(), right),
        (View::BigInt(left), View::Number(right)) => float_to_integer(right.get(), left).reverse(),
        (View::String(left), View::String(right)) => left.as_bytes().cmp(right.as_bytes()),
        (View::Object(left), View::Object(right)) => objects(left, right)?,
        (View::Array(left), View::Array(right)) => arrays(left, right)?,
        (View::Bytes(left), View::Bytes(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
        (View::Bool(left), View::Bool(right)) => left.cmp(&right),
        (View::Date(left), View::Date(right)) => left.cmp(&right),
        (left, right) => Bracket::of(left).cmp(&Bracket::of(right)),
    })
}

/// Compares two trees.
#[must_use]
pub fn compare_values(left: &Value, right: &Value) -> Ordering {
    // A tree cannot be damaged: the error cannot come.
    compare(left.into(), right.into()).unwrap_or(Ordering::Equal)
}

fn float(left: f64, right: f64) -> Ordering {
    // Neither is NaN. `total_cmp` would put -0 before 0.
    left.partial_cmp(&right).unwrap_or(Ordering::Equal)
}

/// Compares without rounding the integer to a float, which would lose digits beyond 2^53.
fn float_to_integer(left: f64, right: i64) -> Ordering {
    if left >= TWO_63 {
        return Ordering::Greater;
    }
    if left < -TWO_63 {
        return Ordering::Less;
    }
    let whole = left.trunc();
    (whole as i64).cmp(&right).then_with(|| float(left - whole, 0.0))
}

/// Field by field: bracket of the value, then name, then value; the shorter first.
fn objects(left: ObjectView<'_>, right: ObjectView<'_>) -> Result<Ordering> {
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    loop {
        let ((left_name, left), (right_name, right)) = match (lefts.next(), rights.next()) {
            (Some(left), Some(right)) => (left?, right?),
            (left, right) => return Ok(left.is_some().cmp(&right.is_some())),
        };
        let brackets = Bracket::of(left).cmp(&Bracket::of(right));
        let ordering = brackets.then_with(|| left_name.as_bytes().cmp(right_name.as_bytes()));
        let ordering = if ordering.is_eq() { compare(left, right)? } else { ordering };
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
}

fn arrays(left: ArrayView<'_>, right: ArrayView<'_>) -> Result<Ordering> {
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    loop {
        let (left, right) = match (lefts.next(), rights.next()) {
            (Some(left), Some(right)) => (left?, right?),
            (left, right) => return Ok(left.is_some().cmp(&right.is_some())),
        };
        let ordering = compare(left, right)?;
        if ordering.is_ne() {
            return Ok(ordering);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::value::Object;

    fn number(number: f64) -> Value {
        Value::number(number).unwrap()
    }

    #[test]
    fn types_stand_in_the_order_of_mongodb() {
        let ascending = [
            Value::Null,
            number(f64::NEG_INFINITY),
            Value::BigInt(i64::MIN),
            number(-1.5),
            number(0.0),
            Value::BigInt(1),
            number(1.5),
            Value::BigInt((1 << 53) - 1),
            number(9_007_199_254_740_992.0),
            Value::BigInt((1 << 53) + 1),
            number(9_007_199_254_740_994.0),
            Value::BigInt(i64::MAX - 1),
            Value::BigInt(i64::MAX),
            number(TWO_63),
            number(f64::INFINITY),
            Value::from(""),
            Value::from("a"),
            Value::from("a\0"),
            Value::from("ab"),
            Value::from("\u{ffff}"),
            Value::from("\u{1f600}"),
            Value::from(Object::new()),
            Value::from(Object::from([("b", Value::from(1))])),
            Value::from(Object::from([("b", Value::from(1)), ("a", Value::Null)])),
            Value::from(Object::from([("a", Value::from("x"))])),
            Value::from(vec![]),
            Value::from(vec![Value::Null]),
            Value::from(vec![Value::from(1)]),
            Value::from(vec![Value::from(1), Value::from(1)]),
            Value::from(vec![Value::from(2)]),
            Value::Bytes(vec![]),
            Value::Bytes(vec![9]),
            Value::Bytes(vec![1, 1]),
            Value::Bool(false),
            Value::Bool(true),
            Value::Date(-1),
            Value::Date(0),
        ];
        for i in 0..ascending.len() {
            for j in 0..ascending.len() {
                let (left, right) = (&ascending[i], &ascending[j]);
                assert_eq!(compare_values(left, right), i.cmp(&j), "{left} and {right}");
            }
        }
    }

    #[test]
    fn numbers_are_equal_across_types() {
        assert!(compare_values(&Value::from(5), &Value::BigInt(5)).is_eq());
        assert!(compare_values(&number(-0.0), &number(0.0)).is_eq());
        assert!(compare_values(&number(-TWO_63), &Value::BigInt(i64::MIN)).is_eq());
    }
}
