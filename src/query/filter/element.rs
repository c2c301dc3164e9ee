//! Elements: what `$elemMatch` asks of one element of an array.
//!
//! Not of the array as a whole, nor of arrays that stand in it: each element is asked by itself.

use super::{Filter, Test, Types};
use crate::error::Result;
use crate::value::View;

/// What must hold of one element.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// It is an object that matches.
    Object(Filter),
    /// The value itself passes.
    Value(Filter),
}

impl Element {
    /// Whether an element passes.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(crate) fn holds(&self, element: View<'_>) -> Result<bool> {
        match self {
            Element::Object(filter) => Ok(Types::OBJECT.has(element) && filter.holds(element)?),
            Element::Value(filter) => filter.holds(element),
        }
    }

    /// The same as a filter of the element.
    pub(crate) fn filter(&self) -> Filter {
        match self {
            Element::Object(filter) => Filter::All(vec![Filter::Itself(Test::Type(Types::OBJECT)), filter.clone()]),
            Element::Value(filter) => filter.clone(),
        }
    }
}
