//! Numbers: sums and products, of numbers and of bigints.
//!
//! Not rounding: where two types meet, the bigint decides, and a fraction has no place in it.

use crate::value::{Number, Value};

/// What is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calculation {
    Add,
    Multiply,
}

/// The sum or product.
///
/// # Errors
/// What is wrong, in words, where there is none.
pub(super) fn calculate(calculation: Calculation, left: &Value, right: &Value) -> Result<Value, &'static str> {
    let whole = |number: &Number| number.as_integer().ok_or("a bigint and a fraction do not go together");
    let (left, right) = match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let result = match calculation {
                Calculation::Add => left.get() + right.get(),
                Calculation::Multiply => left.get() * right.get(),
            };
            return Number::new(result).map(Value::Number).ok_or("the result is NaN");
        }
        (Value::BigInt(left), Value::BigInt(right)) => (*left, *right),
        (Value::BigInt(left), Value::Number(right)) => (*left, whole(right)?),
        (Value::Number(left), Value::BigInt(right)) => (whole(left)?, *right),
        _ => return Err("only numbers are calculated with"),
    };
    let result = match calculation {
        Calculation::Add => left.checked_add(right),
        Calculation::Multiply => left.checked_mul(right),
    };
    result.map(Value::BigInt).ok_or("the result is beyond 64 bits")
}
