//! Types: what `$type` names, by MongoDB's words and numbers.
//!
//! Not how values are ordered: there numbers and bigints are of one type.

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, View};

/// A set of types, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u16);

const NULL: u16 = 1;
const BOOL: u16 = 1 << 1;
const WHOLE: u16 = 1 << 2;
const FRACTION: u16 = 1 << 3;
const BIGINT: u16 = 1 << 4;
const STRING: u16 = 1 << 5;
const DATE: u16 = 1 << 6;
const BYTES: u16 = 1 << 7;
const ARRAY: u16 = 1 << 8;
const OBJECT: u16 = 1 << 9;

/// By name and number. A number of JavaScript is a `double`, and an `int` too where it is whole; a bigint is a `long`.
const NAMES: [(&str, i64, u16); 11] = [
    ("double", 1, WHOLE | FRACTION),
    ("string", 2, STRING),
    ("object", 3, OBJECT),
    ("array", 4, ARRAY),
    ("binData", 5, BYTES),
    ("bool", 8, BOOL),
    ("date", 9, DATE),
    ("null", 10, NULL),
    ("int", 16, WHOLE),
    ("long", 18, BIGINT),
    ("number", 0, WHOLE | FRACTION | BIGINT),
];

impl Types {
    /// Objects.
    pub(super) const OBJECT: Types = Types(OBJECT);

    /// One type, or an array of them.
    ///
    /// # Errors
    /// `invalid` for what names none, `unsupported` for MongoDB's types that no value here has.
    pub(super) fn parse(operand: &Value) -> Result<Types> {
        let names = match operand {
            Value::Array(names) => names.as_slice(),
            name => core::slice::from_ref(name),
        };
        if names.is_empty() {
            return Err(Error::invalid("`$type` takes a type, or an array of types, not an empty one"));
        }
        names.iter().try_fold(Types(0), |types, name| Ok(Types(types.0 | one(name)?)))
    }

    /// Whether a value is of one of them.
    pub(super) fn has(self, value: View<'_>) -> bool {
        let bit = match value {
            View::Null => NULL,
            View::Bool(_) => BOOL,
            View::Number(number) if number.get().is_finite() && number.get().trunc() == number.get() => WHOLE,
            View::Number(_) => FRACTION,
            View::BigInt(_) => BIGINT,
            View::String(_) => STRING,
            View::Date(_) => DATE,
            View::Bytes(_) => BYTES,
            View::Array(_) => ARRAY,
            View::Object(_) => OBJECT,
        };
        self.0 & bit != 0
    }
}

fn one(name: &Value) -> Result<u16> {
    let code = match name {
        Value::Number(number) => number.as_integer().filter(|code| *code != 0),
        _ => None,
    };
    let mut names = NAMES.iter();
    if let Some((_, _, bits)) = names.find(|(known, number, _)| name.as_str() == Some(known) || code == Some(*number)) {
        return Ok(*bits);
    }
    let elsewhere = ["undefined", "objectId", "regex", "dbPointer", "javascript", "symbol", "timestamp", "decimal"];
    let message = format!("`$type` does not know {name}");
    let error = match name.as_str() {
        Some(name) if elsewhere.contains(&name) => Error::new(ErrorKind::Unsupported, message),
        _ => Error::invalid(message),
    };
    let known: Vec<&str> = NAMES.iter().map(|(name, _, _)| *name).collect();
    Err(error.with_hint(format!("types are {}", known.join(", "))))
}
