//! The weight of values: how much memory they take, roughly, so that it can be bounded.
//!
//! Not exact: what an allocator adds is guessed.

use crate::value::{Object, Value};

/// Bytes of a value where it lies: its own place in a list, and what it points to.
pub(crate) fn of(value: &Value) -> usize {
    const PLACE: usize = size_of::<Value>();
    PLACE
        + match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(elements) => elements.iter().map(of).sum(),
            Value::Object(object) => of_object(object),
            _ => 0,
        }
}

/// Bytes of the fields of an object. Names are shared with the shape more often than not: they count as a pointer.
pub(crate) fn of_object(object: &Object) -> usize {
    object.fields().iter().map(|(_, value)| of(value) + 16).sum()
}
