//! Values: what a document is made of, and what can be said of it without knowing where it is stored.
//!
//! Not a serialisation: the form on disk is in `value/row.rs`, the form at the boundary in `value/codec.rs`. A
//! [`Value`] is a tree that owns its parts; code that only reads takes a [`View`], which may as well be stored bytes.
//!
//! Invariants: a [`Number`] is never NaN; an [`Object`] keeps the order of its fields and never has a name twice;
//! `==` is exact (`-0` is not `0`, `5` is not `5n`), the order of values is in `value/order.rs`.

use crate::error::{Error, Result};
use crate::sorted;
use core::fmt;
use std::rc::Rc;

pub mod batch;
pub mod codec;
pub mod display;
pub(crate) mod fields;
pub mod key;
pub mod key_range;
pub(crate) mod key_table;
pub mod order;
pub mod path;
pub mod place;
pub mod row;
pub mod shape;
pub mod table;
pub mod uuid;
pub(crate) mod vector;
pub mod view;
pub mod writer;

pub use key_range::{Direction, KeyRange};
pub use path::Path;
pub use view::View;

/// A field's name. Shared: rows of one shape have the same names.
pub type Name = Rc<str>;

/// A number of JavaScript that is not NaN. `-0` and the infinities are numbers.
#[derive(Clone, Copy)]
pub struct Number(f64);

impl Number {
    /// None for NaN.
    #[must_use]
    pub const fn new(number: f64) -> Option<Self> {
        if number.is_nan() { None } else { Some(Number(number)) }
    }

    /// As JavaScript has it.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The same integer, where this is one that `i64` holds; `-0` gives 0.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        let in_range = self.0 >= -TWO_63 && self.0 < TWO_63;
        (in_range && self.0.trunc() == self.0).then_some(self.0 as i64)
    }
}

/// 2^63, the first number above `i64`.
pub(crate) const TWO_63: f64 = 9_223_372_036_854_775_808.0;

impl PartialEq for Number {
    /// Exact: `-0` is not `0`.
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Number(f64::from(number))
    }
}

/// One value of a document.
///
/// ```
/// use hyphadb::value::{Object, Value};
/// let document = Object::from([("id", Value::from("r1")), ("value", Value::number(20.5)?)]);
/// assert_eq!(document.get("id"), Some(&Value::from("r1")));
/// assert_ne!(Value::from(5), Value::BigInt(5));
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A JavaScript number.
    Number(Number),
    /// A JavaScript bigint that fits 64 bits.
    BigInt(i64),
    /// Text: always whole Unicode characters.
    String(String),
    /// Milliseconds since the Unix epoch, UTC.
    Date(i64),
    /// A `Uint8Array`.
    Bytes(Vec<u8>),
    /// Values in order.
    Array(Vec<Value>),
    /// Named values in order.
    Object(Object),
}

impl Value {
    /// A number.
    ///
    /// # Errors
    /// `invalid` for NaN.
    pub fn number(number: f64) -> Result<Value> {
        Number::new(number).map(Value::Number).ok_or_else(|| Error::invalid("NaN is not a value"))
    }

    /// A count as a number.
    #[must_use]
    pub fn count(count: usize) -> Value {
        Value::Number(Number(count as f64))
    }

    /// The name of the type, as in messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        View::from(self).type_name()
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(elements) = self { Some(elements) } else { None }
    }

    /// The object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Value::Number(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Value::Array(value)
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Value::Object(value)
    }
}

/// Objects up to this many fields are searched field by field for a name that stands twice.
const SMALL_OBJECT_FIELDS: usize = 16;

/// Fields in order, each name once. A document is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    // INVARIANT: no name stands twice.
    fields: Vec<(Name, Value)>,
}

impl Object {
    /// Without fields.
    #[must_use]
    pub const fn new() -> Self {
        Object { fields: Vec::new() }
    }

    /// From fields in order.
    ///
    /// # Errors
    /// `invalid` where a name stands twice.
    pub fn from_fields(fields: Vec<(Name, Value)>) -> Result<Object> {
        match repeated(fields.iter().map(|(name, _)| &**name), fields.len()) {
            Some(name) => Err(Error::invalid(format!("field `{name}` stands twice"))),
            None => Ok(Object { fields }),
        }
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(field, value)| (&**field == name).then_some(value))
    }

    /// The value of a field, to change.
    #[must_use]
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.fields.iter_mut().find_map(|(field, value)| (&**field == name).then_some(value))
    }

    /// Sets a field: in its place where it exists, else behind the others.
    pub fn set(&mut self, name: impl Into<Name>, value: Value) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(place) => *place = value,
            None => self.fields.push((name, value)),
        }
    }

    /// Takes a field out; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.fields.iter().position(|(field, _)| &**field == name)?;
        Some(self.fields.remove(index).1)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// The fields as they lie.
    #[must_use]
    pub fn fields(&self) -> &[(Name, Value)] {
        &self.fields
    }

    /// The fields, taken out in order.
    #[must_use]
    pub fn into_fields(self) -> Vec<(Name, Value)> {
        self.fields
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Object {
    /// Of two fields with one name the later value stays.
    fn from(fields: [(&str, Value); N]) -> Self {
        let mut object = Object::new();
        for (name, value) in fields {
            object.set(name, value);
        }
        object
    }
}

/// A name that stands twice, if there is one.
pub(crate) fn repeated<'a>(names: impl Iterator<Item = &'a str> + Clone, count: usize) -> Option<&'a str> {
    if count <= SMALL_OBJECT_FIELDS {
        return names.clone().enumerate().find_map(|(i, name)| names.clone().take(i).find(|earlier| *earlier == name));
    }
    let names: Vec<&str> = names.collect();
    let order = sorted::order(names.len(), &mut |left, right| names.get(left).cmp(&names.get(right)));
    let name_at = |place: &usize| names.get(*place).copied();
    order.windows(2).find_map(|pair| match pair {
        [left, right] if name_at(left) == name_at(right) => name_at(left),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn equality_is_exact() {
        assert_ne!(Value::number(0.0).unwrap(), Value::number(-0.0).unwrap());
        assert_ne!(Value::from(5), Value::BigInt(5));
        assert_eq!(Value::number(f64::INFINITY).unwrap(), Value::number(f64::INFINITY).unwrap());
        assert!(Value::number(f64::NAN).is_err());
    }

    #[test]
    fn object_keeps_order_and_refuses_a_name_twice() {
        let mut object = Object::from([("b", Value::from(1)), ("a", Value::from(2))]);
        object.set("b", Value::from(3));
        object.set("c", Value::Null);
        let names: Vec<_> = object.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(object.remove("b"), Some(Value::from(3)));
        for count in [2_usize, 40] {
            let mut fields: Vec<(Name, Value)> = (0..count).map(|i| (format!("f{i}").into(), Value::Null)).collect();
            assert!(Object::from_fields(fields.clone()).is_ok());
            fields.push(("f1".into(), Value::Null));
            assert_eq!(Object::from_fields(fields).unwrap_err().to_string(), "field `f1` stands twice");
        }
    }

    #[test]
    fn integers_are_told_from_other_numbers() {
        let integer = |number: f64| Number::new(number).unwrap().as_integer();
        assert_eq!(integer(-0.0), Some(0));
        assert_eq!(integer(0.5), None);
        assert_eq!(integer(-TWO_63), Some(i64::MIN));
        assert_eq!(integer(TWO_63), None);
        assert_eq!(integer(f64::INFINITY), None);
    }
}
