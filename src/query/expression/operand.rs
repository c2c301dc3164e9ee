//! Operands: a value on its way through an expression, borrowed from the document as long as nothing changes it.
//!
//! Not a value alone: it may be missing, which is not null.

use super::numeric::Numeric;
use crate::error::{Error, Result};
use crate::value::order::{self};
use crate::value::{Value, View};
use core::cmp::Ordering;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) enum Operand<'a> {
    /// There is nothing.
    #[default]
    Missing,
    /// It is in the document, in a literal, or in a variable.
    Seen(View<'a>),
    /// It was made.
    Made(Value),
}

impl<'a> Operand<'a> {
    pub(crate) const NULL: Operand<'static> = Operand::Made(Value::Null);

    /// None where it is missing.
    pub(crate) fn view(&self) -> Option<View<'_>> {
        match self {
            Operand::Missing => None,
            Operand::Seen(view) => Some(*view),
            Operand::Made(value) => Some(value.into()),
        }
    }

    /// The value; null where it is missing.
    pub(crate) fn or_null(&self) -> View<'_> {
        self.view().unwrap_or(View::Null)
    }

    pub(crate) fn into_value(self) -> Result<Option<Value>> {
        match self {
            Operand::Missing => Ok(None),
            Operand::Seen(view) => view.to_value().map(Some),
            Operand::Made(value) => Ok(Some(value)),
        }
    }

    /// Without anything borrowed.
    pub(super) fn owned<'b>(self) -> Result<Operand<'b>> {
        Ok(self.into_value()?.map_or(Operand::Missing, Operand::Made))
    }

    /// Missing or null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.or_null(), View::Null)
    }

    /// As conditions take it: missing, null, false and zero are not true; all else is.
    pub(crate) fn is_true(&self) -> bool {
        match self.or_null() {
            View::Null | View::Bool(false) | View::BigInt(0) => false,
            View::Number(number) => number.get() != 0.0,
            _ => true,
        }
    }

    pub(super) fn type_name(&self) -> &'static str {
        self.view().map_or("missing", |view| view.type_name())
    }

    /// The text, where it is a string.
    ///
    /// # Errors
    /// `invalid` for anything else.
    pub(super) fn text(&self) -> Result<&str> {
        match self {
            Operand::Seen(View::String(text)) => Ok(text),
            Operand::Made(Value::String(text)) => Ok(text),
            other => Err(other.unlike("a string")),
        }
    }

    pub(super) fn number(&self) -> Result<Numeric> {
        Numeric::of(self.or_null()).ok_or_else(|| self.unlike("a number"))
    }

    /// A whole number that `i64` holds.
    pub(super) fn integer(&self) -> Result<i64> {
        Numeric::of(self.or_null()).and_then(Numeric::as_integer).ok_or_else(|| self.unlike("a whole number"))
    }

    /// Milliseconds.
    pub(super) fn date(&self) -> Result<i64> {
        if let View::Date(ms) = self.or_null() { Ok(ms) } else { Err(self.unlike("a date")) }
    }

    pub(super) fn array(&self) -> Result<crate::value::view::ArrayView<'_>> {
        if let View::Array(array) = self.or_null() { Ok(array) } else { Err(self.unlike("an array")) }
    }

    /// The elements, each of its own.
    pub(super) fn into_elements(self) -> Result<Vec<Value>> {
        match self.into_value()? {
            Some(Value::Array(elements)) => Ok(elements),
            other => Err(other.map_or(Operand::Missing, Operand::Made).unlike("an array")),
        }
    }

    pub(super) fn unlike(&self, wanted: &str) -> Error {
        Error::invalid(format!("an argument is {}, not {wanted}", self.type_name()))
    }

    /// The order of values; what is missing comes before null.
    pub(crate) fn compare(&self, other: &Operand<'_>) -> Result<Ordering> {
        match (self.view(), other.view()) {
            (Some(left), Some(right)) => order::compare(left, right),
            (left, right) => Ok(left.is_some().cmp(&right.is_some())),
        }
    }
}

impl From<Value> for Operand<'_> {
    fn from(value: Value) -> Self {
        Operand::Made(value)
    }
}

impl From<bool> for Operand<'_> {
    fn from(value: bool) -> Self {
        Operand::Made(Value::Bool(value))
    }
}

impl From<i64> for Operand<'_> {
    /// As a number of JavaScript.
    fn from(number: i64) -> Self {
        Numeric::Float(number as f64).into()
    }
}

impl From<Numeric> for Operand<'_> {
    fn from(number: Numeric) -> Self {
        Operand::Made(number.value())
    }
}

impl From<String> for Operand<'_> {
    fn from(text: String) -> Self {
        Operand::Made(Value::String(text))
    }
}

impl From<Vec<Value>> for Operand<'_> {
    fn from(elements: Vec<Value>) -> Self {
        Operand::Made(Value::Array(elements))
    }
}
