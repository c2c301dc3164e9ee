//! Operands: whether what stands behind a keyword is what it takes, and what it says.
//!
//! Not the schemas among them: those are looked at one by one.

use crate::error::{Error, Result};
use crate::schema::keyword::Operand;
use crate::value::{Name, Number, Value, repeated};

/// Whether the keyword takes such a value.
///
/// # Errors
/// `invalid` where it does not.
pub(super) fn check(keyword: &str, operand: Operand, value: &Value) -> Result<()> {
    let (is_taken, wanted) = match operand {
        Operand::Any | Operand::Schema => (true, ""),
        Operand::Flag => (matches!(value, Value::Bool(_)), "true or false"),
        Operand::Text => (matches!(value, Value::String(_)), "a string"),
        Operand::Names => (names(value).is_some(), "an array of strings, each once"),
        Operand::List => (matches!(value, Value::Array(_)), "an array"),
        Operand::Number => (number(value).is_some(), "a number"),
        Operand::Count => (count(value).is_some(), "a number from zero, without a fraction"),
        Operand::Object => (matches!(value, Value::Object(_)), "an object"),
        Operand::Schemas => {
            (value.as_array().is_some_and(|schemas| !schemas.is_empty()), "an array of schemas, at least one")
        }
        Operand::NamedSchemas => (matches!(value, Value::Object(_)), "an object of schemas"),
    };
    if is_taken { Ok(()) } else { Err(wrong(keyword, wanted, value)) }
}

/// The keyword takes something else.
pub(super) fn wrong(keyword: &str, wanted: &str, value: &Value) -> Error {
    Error::invalid(format!("`{keyword}` takes {wanted}, not {value}"))
}

/// A finite number; of a bigint, one that is a double as well.
pub(super) fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number).filter(|number| number.get().is_finite()),
        Value::BigInt(number) => Number::new(*number as f64).filter(|double| double.as_integer() == Some(*number)),
        _ => None,
    }
}

/// A number from zero, without a fraction. More than there is memory counts as that.
pub(super) fn count(value: &Value) -> Option<usize> {
    let count = number(value)?.get();
    (count >= 0.0 && count.trunc() == count).then_some(count as usize)
}

/// Strings, each once.
pub(super) fn names(value: &Value) -> Option<Vec<Name>> {
    let texts: Vec<&str> = value.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    let is_repeated = repeated(texts.iter().copied(), texts.len()).is_some();
    (!is_repeated).then(|| texts.into_iter().map(Name::from).collect())
}
