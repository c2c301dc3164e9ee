//! Tests: what a filter asks of a single field.
//!
//! Not aware of other fields; how tests are joined is in `query/filter.rs`.
//!
//! Invariant: [`Test::holds`] looks at a value by itself; that an array passes where an element does, and that `$ne` and
//! `$nin` hold only where nothing at the path is equal, is added by [`Test::matches`] alone.

use super::{Element, Types};
use crate::error::Result;
use crate::limits::PATTERN_STEPS_MAX;
use crate::pattern::Pattern;
use crate::value::order::{self, Bracket};
use crate::value::path::Found;
use crate::value::view::ObjectView;
use crate::value::{Path, Value, View};
use core::cmp::Ordering;
use core::ops::ControlFlow;
use std::rc::Rc;

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to the value.
    Eq(Value),
    /// Not equal.
    Ne(Value),
    /// Of the same type, and greater.
    Gt(Value),
    /// Of the same type, and greater or equal.
    Gte(Value),
    /// Of the same type, and less.
    Lt(Value),
    /// Of the same type, and less or equal.
    Lte(Value),
    /// Equal to one of the values, which stand in order, each once.
    In(Vec<Value>),
    /// Equal to none of the values, which stand in order, each once.
    Nin(Vec<Value>),
    /// There, whatever its value (`true`), or missing.
    Exists(bool),
    /// Of one of the types.
    Type(Types),
    /// Text in which the pattern has a match.
    Pattern(Rc<Pattern>),
    /// An array of so many elements.
    Size(usize),
    /// A number that, cut to a whole one and divided by the first, leaves the second.
    Mod(i64, i64),
    /// An array with an element that passes.
    Element(Box<Element>),
}

impl Test {
    /// Whether what lies at the path passes.
    ///
    /// # Errors
    /// As [`super::Filter::matches`].
    pub(super) fn matches(&self, path: &Path, document: ObjectView<'_>) -> Result<bool> {
        match self {
            Test::Ne(value) => Ok(!any(path, document, &|found| compare(found, value, Ordering::is_eq))?),
            Test::Nin(values) => Ok(!any(path, document, &|found| among(found, values))?),
            Test::Exists(exists) => {
                let found = path.visit(document, &mut |found| {
                    Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                Ok(found.is_break() == *exists)
            }
            Test::Size(_) | Test::Element(_) => {
                let found = path.visit(document, &mut |found| {
                    Ok(if self.holds(found)? { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                Ok(found.is_break())
            }
            Test::Pattern(_) => {
                let found = any(path, document, &|found| self.holds(found));
                found.map_err(|error| error.context(format!("field `{path}`")))
            }
            _ => any(path, document, &|found| self.holds(found)),
        }
    }

    /// Whether a value passes by itself, none of its elements. None is a field that is missing.
    ///
    /// # Errors
    /// As [`super::Filter::matches`].
    pub(super) fn holds(&self, found: Found<'_>) -> Result<bool> {
        match self {
            Test::Eq(value) => compare(found, value, Ordering::is_eq),
            Test::Ne(value) => Ok(!compare(found, value, Ordering::is_eq)?),
            Test::Gt(value) => compare(found, value, Ordering::is_gt),
            Test::Gte(value) => compare(found, value, Ordering::is_ge),
            Test::Lt(value) => compare(found, value, Ordering::is_lt),
            Test::Lte(value) => compare(found, value, Ordering::is_le),
            Test::In(values) => among(found, values),
            Test::Nin(values) => Ok(!among(found, values)?),
            Test::Exists(exists) => Ok(found.is_some() == *exists),
            Test::Type(types) => Ok(found.is_some_and(|value| types.has(value))),
            Test::Pattern(pattern) => match found {
                Some(View::String(text)) => pattern.matches(text, &mut { PATTERN_STEPS_MAX }),
                _ => Ok(false),
            },
            Test::Size(size) => Ok(matches!(found, Some(View::Array(array)) if array.len() == *size)),
            Test::Mod(divisor, rest) => Ok(found.and_then(whole).is_some_and(|n| n.wrapping_rem(*divisor) == *rest)),
            Test::Element(element) => {
                if let Some(View::Array(array)) = found {
                    for value in array.iter() {
                        if element.holds(value?)? {
                            return Ok(true);
                        }
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether a document in which the field is missing certainly fails.
    #[must_use]
    pub fn excludes_missing(&self) -> bool {
        match self {
            Test::Eq(value) | Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value) => {
                *value != Value::Null
            }
            Test::In(values) => !values.contains(&Value::Null),
            // What is not equal to null may as well be a path that leads to nothing through an array.
            Test::Ne(_) | Test::Nin(_) => false,
            Test::Exists(exists) => *exists,
            Test::Type(_) | Test::Pattern(_) | Test::Size(_) | Test::Mod(..) | Test::Element(_) => true,
        }
    }
}

/// Whether something at the path passes: a value, or an element where it is an array.
fn any(path: &Path, document: ObjectView<'_>, test: &dyn Fn(Found<'_>) -> Result<bool>) -> Result<bool> {
    let flow = path.visit(document, &mut |found: Found<'_>| {
        if test(found)? {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(View::Array(elements)) = found {
            for element in elements.iter() {
                if test(Some(element?))? {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(flow.is_break())
}

fn compare(found: Found<'_>, value: &Value, holds: fn(Ordering) -> bool) -> Result<bool> {
    let (found, value) = (found.unwrap_or(View::Null), View::from(value));
    Ok(Bracket::of(found) == Bracket::of(value) && holds(order::compare(found, value)?))
}

/// Binary search among values in order.
fn among(found: Found<'_>, values: &[Value]) -> Result<bool> {
    let found = found.unwrap_or(View::Null);
    let mut rest = values;
    while let Some(middle) = rest.get(rest.len() / 2) {
        let (low, high) = rest.split_at(rest.len() / 2);
        rest = match order::compare(found, middle.into())? {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low,
            Ordering::Greater => high.get(1..).unwrap_or(&[]),
        };
    }
    Ok(false)
}

/// The number without its fraction, where it is one and 64 bits hold it.
fn whole(value: View<'_>) -> Option<i64> {
    match value {
        View::Number(number) => crate::value::Number::new(number.get().trunc())?.as_integer(),
        View::BigInt(number) => Some(number),
        _ => None,
    }
}
