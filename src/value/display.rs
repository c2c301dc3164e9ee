//! Values as people read them, in messages and plans.
//!
//! Not a format that anything parses: long values are cut.

use crate::value::{Object, Value};
use core::fmt;

/// Characters of a string, and elements of an array or object, that are shown.
const SHOWN_MAX: usize = 40;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(number) => fmt_number(number.get(), f),
            Value::BigInt(number) => write!(f, "{number}n"),
            Value::String(text) if text.chars().nth(SHOWN_MAX).is_some() => {
                let shown: String = text.chars().take(SHOWN_MAX).collect();
                write!(f, "{shown:?}...")
            }
            Value::String(text) => write!(f, "{text:?}"),
            Value::Date(ms) => write!(f, "Date({ms})"),
            Value::Bytes(bytes) => write!(f, "Uint8Array({})", bytes.len()),
            Value::Array(elements) => {
                f.write_str("[")?;
                for (i, element) in elements.iter().take(SHOWN_MAX).enumerate() {
                    write!(f, "{}{element}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(if elements.len() > SHOWN_MAX { ", ...]" } else { "]" })
            }
            Value::Object(object) => object.fmt(f),
        }
    }
}

/// A number for people: as it is, to six digits behind the point, or as a power of ten. (The standard library's way to the
/// shortest exact digits is fifteen kilobytes of code, for messages.)
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both casts are of numbers that fit")]
fn fmt_number(number: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: f64 = 1e6;
    if number.is_sign_negative() {
        f.write_str("-")?;
    }
    if number.is_infinite() {
        return f.write_str("Infinity");
    }
    let (mut size, mut power) = (number.abs(), 0_i32);
    if size >= 1e16 {
        while size >= 10.0 {
            size /= 10.0;
            power += 1;
        }
    } else if size > 0.0 && size < 1e-5 {
        while size < 1.0 {
            size *= 10.0;
            power -= 1;
        }
    }
    // Above 2^33 no digits behind the point are worth telling.
    let scaled = if size < 8e9 { (size * DIGITS + 0.5) as u64 } else { 0 };
    let (whole, part) = if size < 8e9 { (scaled / DIGITS as u64, scaled % DIGITS as u64) } else { (size as u64, 0) };
    write!(f, "{whole}")?;
    if part > 0 {
        let digits = format!("{part:06}");
        write!(f, ".{}", digits.trim_end_matches('0'))?;
    }
    if power == 0 { Ok(()) } else { write!(f, "e{power}") }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().take(SHOWN_MAX).enumerate() {
            write!(f, "{}{name}: {value}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.len() > SHOWN_MAX { ", ...}" } else { "}" })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn numbers_are_shown_to_six_digits_and_every_one_is_shown() {
        let shown = |number: f64| Value::number(number).unwrap().to_string();
        let all =
            [0.0, -0.0, 1.5, -2.25, 0.1, 1e15, 9_007_199_254_740_991.0, 1e300, 5e-324, f64::INFINITY, -f64::INFINITY];
        let shown: Vec<String> = all.into_iter().map(shown).collect();
        assert_eq!(
            shown.join(" "),
            "0 -0 1.5 -2.25 0.1 1000000000000000 9007199254740991 1e300 4.940656e-324 Infinity -Infinity"
        );
    }
}
