//! Numbers of both types in one calculation.
//!
//! Not decimals: doubles as JavaScript has them, and integers of 64 bits.
//!
//! Invariants: where all are integers and one is a bigint, the result is an exact bigint as long as it fits; else it is a
//! double. What is not a number at all (`0 / 0`) is null, for a document holds no NaN.

use crate::value::{Number, Value, View};

/// A number or a bigint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Numeric {
    Float(f64),
    Big(i64),
}

/// What two numbers are joined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Add,
    Subtract,
    Multiply,
    /// The sign is the first one's.
    Remainder,
}

impl Numeric {
    pub(crate) fn of(value: View<'_>) -> Option<Numeric> {
        match value {
            View::Number(number) => Some(Numeric::Float(number.get())),
            View::BigInt(number) => Some(Numeric::Big(number)),
            _ => None,
        }
    }

    /// The value; null for NaN.
    pub(crate) fn value(self) -> Value {
        match self {
            Numeric::Float(number) => Number::new(number).map_or(Value::Null, Value::Number),
            Numeric::Big(number) => Value::BigInt(number),
        }
    }

    pub(crate) const fn float(self) -> f64 {
        match self {
            Numeric::Float(number) => number,
            Numeric::Big(number) => number as f64,
        }
    }

    /// The same integer, where it is one.
    pub(crate) fn as_integer(self) -> Option<i64> {
        match self {
            Numeric::Float(number) => Number::new(number)?.as_integer(),
            Numeric::Big(number) => Some(number),
        }
    }

    pub(crate) fn join(self, by: Join, other: Numeric) -> Numeric {
        if matches!((self, other), (Numeric::Big(_), _) | (_, Numeric::Big(_)))
            && let (Some(left), Some(right)) = (self.as_integer(), other.as_integer())
        {
            let exact = match by {
                Join::Add => left.checked_add(right),
                Join::Subtract => left.checked_sub(right),
                Join::Multiply => left.checked_mul(right),
                Join::Remainder => left.checked_rem(right),
            };
            if let Some(exact) = exact {
                return Numeric::Big(exact);
            }
        }
        let (left, right) = (self.float(), other.float());
        Numeric::Float(match by {
            Join::Add => left + right,
            Join::Subtract => left - right,
            Join::Multiply => left * right,
            Join::Remainder => left % right,
        })
    }
}
