//! Scopes: what the variables of an expression stand for, and how much it may still do.
//!
//! Not a stack of its own: each frame lies on the stack of the operator that made it.

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{DOCUMENT_DEPTH_MAX, EXPRESSION_STEPS_MAX};
use crate::value::{Value, View};
use core::cell::Cell;

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    document: View<'a>,
    outer: &'a [Option<Value>],
    frame: Option<&'a Frame<'a>>,
    score: Option<f64>,
    steps: &'a Cell<usize>,
}

/// Variables that an operator made.
pub(super) struct Frame<'a> {
    /// The number of the first.
    first: usize,
    values: &'a [Option<View<'a>>],
    before: Option<&'a Frame<'a>>,
}

/// The steps of one evaluation.
pub(crate) const fn fuel() -> Cell<usize> {
    Cell::new(EXPRESSION_STEPS_MAX)
}

impl<'a> Scope<'a> {
    pub(crate) const fn new(document: View<'a>, outer: &'a [Option<Value>], steps: &'a Cell<usize>) -> Self {
        Scope { document, outer, frame: None, score: None, steps }
    }

    /// Of a document that a text search found.
    pub(crate) const fn scored(self, score: Option<f64>) -> Self {
        Scope { score, ..self }
    }

    pub(super) const fn score(&self) -> Option<f64> {
        self.score
    }

    pub(super) const fn document(&self) -> View<'a> {
        self.document
    }

    pub(super) const fn steps(&self) -> &'a Cell<usize> {
        self.steps
    }

    /// The frame of further variables, whose numbers begin at `first`.
    pub(super) const fn frame(&self, first: usize, values: &'a [Option<View<'a>>]) -> Frame<'a> {
        Frame { first, values, before: self.frame }
    }

    pub(super) const fn within(&self, frame: &'a Frame<'a>) -> Scope<'a> {
        Scope { frame: Some(frame), ..*self }
    }

    /// What a variable stands for; none where that is missing.
    pub(super) fn variable(&self, number: usize) -> Option<View<'a>> {
        if let Some(value) = self.outer.get(number) {
            return value.as_ref().map(View::from);
        }
        let mut frame = self.frame;
        while let Some(at) = frame {
            if let Some(place) = number.checked_sub(at.first)
                && let Some(value) = at.values.get(place)
            {
                return *value;
            }
            frame = at.before;
        }
        None
    }

    /// Takes steps.
    ///
    /// # Errors
    /// `limit` where there are none left.
    pub(super) fn take(&self, steps: usize) -> Result<()> {
        take(self.steps, steps)
    }
}

/// Takes steps: one for each operator, element, and 64 bytes of text.
pub(super) fn take(left: &Cell<usize>, steps: usize) -> Result<()> {
    let rest = left.get().checked_sub(steps).ok_or_else(|| {
        let message = format!("an expression takes more than {EXPRESSION_STEPS_MAX} steps for one document");
        Error::new(ErrorKind::Limit, message).with_hint("make arrays and strings smaller, or unwind them first")
    })?;
    left.set(rest);
    Ok(())
}

/// A value that is not too deep to be part of a document at this depth; answers how many values it is made of.
///
/// # Errors
/// `limit` where it is too deep.
pub(crate) fn depth_checked(value: &Value, depth: usize) -> Result<usize> {
    let within = |elements: &mut dyn Iterator<Item = &Value>| {
        if depth > DOCUMENT_DEPTH_MAX {
            return Err(Error::limit(format!("a value is nested deeper than {DOCUMENT_DEPTH_MAX}")));
        }
        let mut sum = 1;
        for element in elements {
            sum += depth_checked(element, depth + 1)?;
        }
        Ok(sum)
    };
    match value {
        Value::Array(elements) => within(&mut elements.iter()),
        Value::Object(object) => within(&mut object.fields().iter().map(|(_, value)| value)),
        _ => Ok(1),
    }
}
