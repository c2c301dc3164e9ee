//! Views: a value as readers see it, whether it is a tree in memory or the bytes of a row.
//!
//! Not a copy: nothing is decoded before it is asked for. Whoever only reads (compare, match, encode, sort) takes a
//! view, so that a scan never builds the documents it passes over.
//!
//! Invariants: a view of a tree never fails; a view of a row fails with `corrupt` where the bytes are not a row's.

use crate::error::Result;
use crate::value::row::{Raws, RowArray, RowObject};
use crate::value::shape::{Shape, ShapeId};
use crate::value::{Number, Object, Value};

/// A value, borrowed.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A JavaScript number.
    Number(Number),
    /// A bigint.
    BigInt(i64),
    /// Text.
    String(&'a str),
    /// Milliseconds since the Unix epoch.
    Date(i64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// Values in order.
    Array(ArrayView<'a>),
    /// Named values in order.
    Object(ObjectView<'a>),
}

impl<'a> View<'a> {
    /// The object.
    #[must_use]
    pub fn object(self) -> Option<ObjectView<'a>> {
        if let View::Object(object) = self { Some(object) } else { None }
    }

    /// The name of the type, as in messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            View::Null => "null",
            View::Bool(_) => "boolean",
            View::Number(_) => "number",
            View::BigInt(_) => "bigint",
            View::String(_) => "string",
            View::Date(_) => "date",
            View::Bytes(_) => "bytes",
            View::Array(_) => "array",
            View::Object(_) => "object",
        }
    }

    /// The value as a tree of its own.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn to_value(&self) -> Result<Value> {
        Ok(match *self {
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Number(number) => Value::Number(number),
            View::BigInt(number) => Value::BigInt(number),
            View::String(text) => Value::String(text.to_owned()),
            View::Date(ms) => Value::Date(ms),
            View::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            View::Array(array) => {
                let mut elements = Vec::with_capacity(array.len());
                for element in array.iter() {
                    elements.push(element?.to_value()?);
                }
                Value::Array(elements)
            }
            View::Object(object) => Value::Object(object.to_object()?),
        })
    }
}

impl<'a> From<&'a Value> for View<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => View::Null,
            Value::Bool(value) => View::Bool(*value),
            Value::Number(number) => View::Number(*number),
            Value::BigInt(number) => View::BigInt(*number),
            Value::String(text) => View::String(text),
            Value::Date(ms) => View::Date(*ms),
            Value::Bytes(bytes) => View::Bytes(bytes),
            Value::Array(elements) => View::Array(ArrayView(ArraySource::Tree(elements))),
            Value::Object(object) => View::Object(object.into()),
        }
    }
}

/// An array, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct ArrayView<'a>(ArraySource<'a>);

#[derive(Clone, Copy, Debug)]
enum ArraySource<'a> {
    Tree(&'a [Value]),
    Row(RowArray<'a>),
}

impl<'a> ArrayView<'a> {
    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            ArraySource::Tree(elements) => elements.len(),
            ArraySource::Row(array) => array.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One element; none beyond the end.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn get(&self, index: usize) -> Result<Option<View<'a>>> {
        match &self.0 {
            ArraySource::Tree(elements) => Ok(elements.get(index).map(View::from)),
            ArraySource::Row(array) => array.get(index),
        }
    }

    /// The array in the row, where it is one.
    pub(super) const fn row(&self) -> Option<&RowArray<'a>> {
        if let ArraySource::Row(array) = &self.0 { Some(array) } else { None }
    }

    /// The elements, not read; none where it is no row's.
    pub(crate) const fn raws(&self) -> Option<Raws<'a>> {
        match &self.0 {
            ArraySource::Tree(_) => None,
            ArraySource::Row(array) => Some(array.raws()),
        }
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<View<'a>>> + use<'a> {
        let array = *self;
        (0..array.len()).filter_map(move |index| array.get(index).transpose())
    }
}

impl<'a> From<RowArray<'a>> for ArrayView<'a> {
    fn from(array: RowArray<'a>) -> Self {
        ArrayView(ArraySource::Row(array))
    }
}

impl<'a> From<&'a [Value]> for ArrayView<'a> {
    fn from(elements: &'a [Value]) -> Self {
        ArrayView(ArraySource::Tree(elements))
    }
}

/// An object, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct ObjectView<'a>(ObjectSource<'a>);

#[derive(Clone, Copy, Debug)]
enum ObjectSource<'a> {
    Tree(&'a Object),
    Row(RowObject<'a>),
}

impl<'a> ObjectView<'a> {
    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            ObjectSource::Tree(object) => object.len(),
            ObjectSource::Row(object) => object.len(),
        }
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a field; none where it is missing.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn get(&self, name: &str) -> Result<Option<View<'a>>> {
        match &self.0 {
            ObjectSource::Tree(object) => Ok(object.get(name).map(View::from)),
            ObjectSource::Row(object) => object.get(name),
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<(&'a str, View<'a>)>> + use<'a> {
        let (tree, row) = match &self.0 {
            ObjectSource::Tree(object) => (Some(*object), None),
            ObjectSource::Row(object) => (None, Some(object.fields())),
        };
        let tree =
            tree.into_iter().flat_map(|object| object.fields().iter().map(|(name, value)| Ok((&**name, value.into()))));
        tree.chain(row.into_iter().flatten())
    }

    /// The row, where it is one.
    pub(super) const fn row(&self) -> Option<&RowObject<'a>> {
        if let ObjectSource::Row(object) = &self.0 { Some(object) } else { None }
    }

    /// The number of its shape, or [`ShapeId::INLINE`] where it has none.
    pub(crate) const fn shape(&self) -> ShapeId {
        match &self.0 {
            ObjectSource::Row(object) => match object.shape() {
                Some((id, _)) => id,
                None => ShapeId::INLINE,
            },
            ObjectSource::Tree(_) => ShapeId::INLINE,
        }
    }

    /// Its shape, and the values in its order, not read; none where it has no shape.
    pub(crate) const fn shaped(&self) -> Option<(&'a Shape, Raws<'a>)> {
        match &self.0 {
            ObjectSource::Row(object) => match object.shape() {
                Some((_, shape)) => Some((shape, object.raws())),
                None => None,
            },
            ObjectSource::Tree(_) => None,
        }
    }

    /// The object as a tree of its own.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn to_object(&self) -> Result<Object> {
        match &self.0 {
            ObjectSource::Tree(object) => Ok((*object).clone()),
            ObjectSource::Row(object) => object.to_object(),
        }
    }
}

impl<'a> From<&'a Object> for ObjectView<'a> {
    fn from(object: &'a Object) -> Self {
        ObjectView(ObjectSource::Tree(object))
    }
}

impl<'a> From<RowObject<'a>> for ObjectView<'a> {
    fn from(object: RowObject<'a>) -> Self {
        ObjectView(ObjectSource::Row(object))
    }
}
