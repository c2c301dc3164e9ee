//! Conversions between types, and their names.
//!
//! Not formatting for people: what is written here reads back as the same value.

use super::arithmetic::date_at;
use super::numeric::Numeric;
use super::operand::Operand;
use super::operator::Arguments;
use super::{dates, number_text};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, View};

type Call<'c, 'a> = &'c mut Arguments<'a>;

/// Converts the first argument.
pub(super) fn to<'a>(of: Call<'_, 'a>, wanted: &str) -> Result<Operand<'a>> {
    converted(of.get(0).or_null(), wanted).map(Operand::Made)
}

pub(super) fn convert<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    if !of.has(0) {
        return Ok(match of.take(3) {
            Operand::Missing => Operand::NULL,
            given => given,
        });
    }
    if !of.has(1) {
        return Ok(Operand::NULL);
    }
    let wanted = match of.get(1).or_null() {
        View::String(name) => name,
        _ => match of.get(1).integer()? {
            1 => "double",
            2 => "string",
            8 => "bool",
            9 => "date",
            16 => "int",
            18 => "long",
            other => return Err(Error::invalid(format!("`to` is {other}, which is no type"))),
        },
    };
    match (converted(of.get(0).or_null(), wanted), of.take(2)) {
        (Ok(value), _) => Ok(value.into()),
        (Err(error), given) if error.kind() == ErrorKind::Unsupported || matches!(given, Operand::Missing) => {
            Err(error)
        }
        (Err(_), given) => Ok(given),
    }
}

/// # Errors
/// `invalid` where the value has no such form; `unsupported` for types that are not there.
fn converted(value: View<'_>, wanted: &str) -> Result<Value> {
    if let View::Null = value {
        return Ok(Value::Null);
    }
    let number = |value: View<'_>| match value {
        View::Bool(value) => Ok(Numeric::Float(f64::from(u8::from(value)))),
        View::Date(ms) => Ok(Numeric::Float(ms as f64)),
        View::String(text) => parsed(text),
        value => Numeric::of(value).ok_or_else(|| no_form(value, "number")),
    };
    let whole = |value: View<'_>, limit: f64, name: &str| {
        let number = number(value)?.float().trunc();
        let in_range = number >= -limit && number < limit;
        if in_range { Ok(Value::number(number + 0.0)?) } else { Err(no_form(value, name)) }
    };
    match wanted {
        "string" => text_of(value).map(Value::String),
        "bool" | "boolean" => Ok(Value::Bool(Operand::Seen(value).is_true())),
        "double" | "number" => Ok(Numeric::Float(number(value)?.float()).value()),
        "int" => whole(value, 2_147_483_648.0, "int"),
        "long" => match number(value)? {
            Numeric::Big(number) => Ok(Value::BigInt(number)),
            Numeric::Float(_) => whole(value, 9_007_199_254_740_992.0, "long"),
        },
        "date" => match value {
            View::Date(ms) => Ok(Value::Date(ms)),
            View::String(text) => date_at(dates::parse(text)?.0 as f64),
            View::Bool(_) => Err(no_form(value, "date")),
            value => date_at(number(value)?.float().trunc()),
        },
        other => Err(Error::new(ErrorKind::Unsupported, format!("type `{other}` is not supported as a target"))),
    }
}

fn no_form(value: View<'_>, wanted: &str) -> Error {
    let shown = value.to_value().map(|value| value.to_string()).unwrap_or_default();
    Error::invalid(format!("{} {shown} cannot be converted to {wanted}", value.type_name()))
}

/// Numbers as they are written in JSON, and nothing around them.
fn parsed(text: &str) -> Result<Numeric> {
    number_text::parse(text).map(Numeric::Float).ok_or_else(|| no_form(View::String(text), "number"))
}

/// The text of a value that is no array and no object.
///
/// # Errors
/// `invalid` for those.
pub(super) fn text_of(value: View<'_>) -> Result<String> {
    Ok(match value {
        View::String(text) => text.to_owned(),
        View::Bool(value) => value.to_string(),
        View::Number(number) => number_text::format(number.get()),
        View::BigInt(number) => number.to_string(),
        View::Date(ms) => dates::iso(ms)?,
        other => return Err(no_form(other, "string")),
    })
}

/// The name of the type as MongoDB has it: a number without a fraction is an `int` within 32 bits, else a `long`.
pub(super) fn type_of<'a>(of: Call<'_, 'a>) -> Result<Operand<'a>> {
    let name = match of.get(0).view() {
        None => "missing",
        Some(View::Number(number)) => match number.as_integer() {
            Some(whole) if i32::try_from(whole).is_ok() => "int",
            Some(_) => "long",
            None => "double",
        },
        Some(View::BigInt(_)) => "long",
        Some(View::Bool(_)) => "bool",
        Some(View::Bytes(_)) => "binData",
        Some(other) => other.type_name(),
    };
    Ok(name.to_owned().into())
}
