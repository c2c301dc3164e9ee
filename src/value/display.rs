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
            Value::Number(number) => number.get().fmt(f),
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

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().take(SHOWN_MAX).enumerate() {
            write!(f, "{}{name}: {value}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.len() > SHOWN_MAX { ", ...}" } else { "}" })
    }
}
