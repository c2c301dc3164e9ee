//! Whether a number is a multiple of another, exactly: `0.0075` is one of `0.0001`, though no double is either of them.
//!
//! Not arithmetic on doubles: a number below 2^53 stands for the shortest decimal that reads as it, one above is itself.
//! Where that decimal has more than 22 digits behind the point, the remainder of the doubles decides.

use crate::value::{Number, TWO_63, View};

/// What `multipleOf` divides by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Divisor {
    number: f64,
    decimal: Option<Decimal>,
}

/// `digits / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Decimal {
    digits: u64,
    places: u32,
}

/// 10^22 is the greatest power of ten that is a double.
const PLACES_MAX: u32 = 22;
const TWO_53: f64 = 9_007_199_254_740_992.0;

impl Divisor {
    /// None where it is not above zero, or infinite.
    pub(super) fn new(number: Number) -> Option<Divisor> {
        let number = number.get();
        (number > 0.0 && number.is_finite()).then(|| Divisor { number, decimal: decimal(number) })
    }

    pub(super) fn number(self) -> f64 {
        self.number
    }

    /// Whether it divides a number without a rest; true for what is no number.
    pub(super) fn divides(self, value: &View<'_>) -> bool {
        match value {
            View::Number(number) => self.divides_double(number.get().abs()),
            View::BigInt(number) => match self.decimal {
                Some(divisor) => divisor.divides_integer(number.unsigned_abs(), 0),
                // No bigint of 64 bits is a multiple of so large or so odd a number, but zero.
                None => *number == 0,
            },
            _ => true,
        }
    }

    fn divides_double(self, number: f64) -> bool {
        let Some(divisor) = self.decimal else { return number % self.number == 0.0 };
        if number >= TWO_53 {
            // An integer, 2^exponent times one of 53 bits.
            let (mut mantissa, mut exponent) = (number, 0);
            while mantissa >= TWO_63 && mantissa.is_finite() {
                mantissa /= 2.0;
                exponent += 1;
            }
            return number.is_finite() && divisor.divides_integer(mantissa as u64, exponent);
        }
        match decimal(number) {
            Some(number) => divisor.divides_decimal(number),
            None => number % self.number == 0.0,
        }
    }
}

impl Decimal {
    /// Whether `integer * 2^exponent` is a multiple: the rest of `integer * 10^places * 2^exponent` by the digits.
    fn divides_integer(self, integer: u64, exponent: u32) -> bool {
        let digits = u128::from(self.digits);
        let mut rest = u128::from(integer) % digits;
        for _ in 0..self.places {
            rest = rest * 10 % digits;
        }
        for _ in 0..exponent {
            rest = rest * 2 % digits;
        }
        rest == 0
    }

    /// Both are brought to the same count of places; below 2^53 * 10^22 nothing overflows.
    fn divides_decimal(self, number: Decimal) -> bool {
        let scale = |digits: u64, places: u32| u128::from(digits) * 10_u128.pow(places);
        let left = scale(number.digits, self.places.saturating_sub(number.places));
        let right = scale(self.digits, number.places.saturating_sub(self.places));
        left % right == 0
    }
}

/// The decimal that a number reads as; none where it has more than 22 places, or 53 bits of digits.
///
/// Digits and power are both doubles without rounding, so their quotient is the double nearest to that decimal.
fn decimal(number: f64) -> Option<Decimal> {
    let mut scale = 1.0;
    for places in 0..=PLACES_MAX {
        let digits = (number * scale + 0.5).trunc();
        if digits >= TWO_53 {
            return None;
        }
        if digits / scale == number {
            return Some(Decimal { digits: digits as u64, places });
        }
        scale *= 10.0;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::value::Value;

    #[track_caller]
    fn check(number: f64, divisor: f64, expected: bool) {
        let divisor = Divisor::new(Number::new(divisor).unwrap()).unwrap();
        let number = Value::number(number).unwrap();
        assert_eq!(divisor.divides(&(&number).into()), expected, "{number} by {}", divisor.number());
    }

    #[test]
    fn decimals_are_divided_as_they_are_written() {
        for (number, divisor) in [
            (0.0075, 0.0001),
            (4.35, 0.01),
            (1.1, 0.1),
            (-0.3, 0.1),
            (12_391_239_123.0, 1e-8),
            (1e22, 0.5),
            (1e300, 1024.0),
            (9e15, 1e15),
            (0.0, 3.7),
            (4e-300, 2e-300),
        ] {
            check(number, divisor, true);
        }
        for (number, divisor) in
            [(0.00751, 0.0001), (4.355, 0.01), (1e308, 0.123_456_789), (35.0, 1.5), (1.0, 1e300), (f64::INFINITY, 1.0)]
        {
            check(number, divisor, false);
        }
    }

    #[test]
    fn bigints_keep_all_their_digits() {
        let third = Divisor::new(Number::from(3)).unwrap();
        assert!(third.divides(&View::BigInt(9_007_199_254_740_993 / 3 * 3)));
        assert!(!third.divides(&View::BigInt(i64::MAX - 2)));
        assert!(Divisor::new(Number::new(0.5).unwrap()).unwrap().divides(&View::BigInt(i64::MIN)));
    }
}
