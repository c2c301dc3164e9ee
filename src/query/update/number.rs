//! Numbers: sums, products and bits, of numbers and of bigints.
//!
//! Not rounding: where two types meet, the bigint decides, and a fraction has no place in it. Bits are those of 64-bit
//! integers, as MongoDB has them, whatever JavaScript's `&` does.

use crate::error::{Error, Result};
use crate::value::{Number, Value};

/// What is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calculation {
    Add,
    Multiply,
    And,
    Or,
    Xor,
}

/// The integer that a value is.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_integer(),
        Value::BigInt(number) => Some(*number),
        _ => None,
    }
}

/// The sum, the product, or the bits; `right` is a number.
///
/// # Errors
/// `invalid` where there is none.
pub(super) fn calculate(calculation: Calculation, left: &Value, right: &Value) -> Result<Value> {
    let is_number = |value: &Value| matches!(value, Value::Number(_));
    if !is_number(left) && !matches!(left, Value::BigInt(_)) {
        return Err(Error::invalid(format!("the value is {}, not a number", left.type_name())));
    }
    let sum = match (calculation, left, right) {
        (Calculation::Add, Value::Number(left), Value::Number(right)) => Some(left.get() + right.get()),
        (Calculation::Multiply, Value::Number(left), Value::Number(right)) => Some(left.get() * right.get()),
        _ => None,
    };
    if let Some(sum) = sum {
        return Number::new(sum).map(Value::Number).ok_or_else(|| Error::invalid("the result is NaN"));
    }
    let is_sum = matches!(calculation, Calculation::Add | Calculation::Multiply);
    let (Some(first), Some(second)) = (whole(left), whole(right)) else {
        let what = if is_sum { "a bigint and a fraction do not go together" } else { "a fraction has no bits" };
        return Err(Error::invalid(what));
    };
    let result = match calculation {
        Calculation::Add => first.checked_add(second),
        Calculation::Multiply => first.checked_mul(second),
        Calculation::And => Some(first & second),
        Calculation::Or => Some(first | second),
        Calculation::Xor => Some(first ^ second),
    };
    let result = result.ok_or_else(|| Error::invalid("the result is beyond 64 bits"))?;
    if !is_number(left) || !is_number(right) {
        return Ok(Value::BigInt(result));
    }
    let exact = Number::new(result as f64).filter(|number| number.as_integer() == Some(result));
    exact.map(Value::Number).ok_or_else(|| Error::invalid("the result is more than a number holds: make it a bigint"))
}
