//! Expressions: what a pipeline, or `$expr` in a filter, computes from a document; parsed once, evaluated for each.
//!
//! Not a filter: a filter asks fields one by one and an index may answer it; an expression is computed from the document
//! that was read. Not JavaScript: there is no `$function`.
//!
//! Invariants: what is missing stays told apart from null; values compare by the one order of `value/order.rs`, also
//! across types; a document is not decoded for a field of it; each evaluation has a bounded number of steps, and what it
//! makes a bounded size and depth. Source: MongoDB manual, "Expression Operators"
//! (<https://www.mongodb.com/docs/manual/reference/operator/aggregation/>); deviations are listed in
//! `docs/aggregation.md`.

mod arithmetic;
mod arrays;
mod big;
mod calendar;
mod convert;
mod dates;
pub(crate) mod fold;
mod node;
mod number_text;
pub(crate) mod numeric;
pub(crate) mod operand;
mod operator;
mod parse;
mod scope;
mod sets;
mod text;
mod zone;

use crate::env::Timestamp;
use crate::error::Result;
use crate::part::Part;
use crate::value::{Name, Value, View};
pub(crate) use dates::shift as shift_date;
use node::Node;
pub(crate) use operand::Operand;
pub(crate) use parse::variable_name as check_variable;
pub(crate) use scope::{Scope, depth_checked, fuel};

/// What an expression may speak of beside the document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// `$$NOW`; an expression that asks for it without is refused.
    pub now: Option<Timestamp>,
    /// Variables that are there from outside, as `let` of `$lookup` makes them; their values come with each evaluation.
    pub outer: &'a [Name],
}

/// A parsed expression.
///
/// ```
/// use hyphadb::query::expression::{Expression, Names};
/// use hyphadb::value::{Object, Value};
/// let sum = Object::from([("$add", vec![Value::from("$a"), Value::from(2)].into())]);
/// let sum = Expression::parse(&sum.into(), Names::default())?;
/// let document = Value::from(Object::from([("a", 3.into())]));
/// assert_eq!(sum.value((&document).into(), &[])?, Some(Value::from(5)));
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Node);

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// `unsupported` for operators that are not there, `invalid` for wrong arguments and unknown variables, `limit` where
    /// it is nested too deep; each names the path of operators and fields that leads there.
    pub fn parse(expression: &Value, names: Names<'_>) -> Result<Expression> {
        Part::Pipelines.needed()?;
        parse::parse(expression, names).map(Expression)
    }

    /// A constant.
    #[must_use]
    pub const fn literal(value: Value) -> Expression {
        Expression(Node::Literal(value))
    }

    /// The value for a document, with the values of the outer variables; none where it is missing.
    ///
    /// # Errors
    /// `invalid` naming the operator whose arguments are of the wrong type; `limit` where it takes too many steps;
    /// `corrupt` for damaged rows.
    pub fn value(&self, document: View<'_>, outer: &[Option<Value>]) -> Result<Option<Value>> {
        Part::Pipelines.needed()?;
        let fuel = scope::fuel();
        self.evaluate(&Scope::new(document, outer, &fuel))?.into_value()
    }

    /// Whether it holds for a document: neither missing, null, false nor zero.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub fn holds(&self, document: View<'_>, outer: &[Option<Value>]) -> Result<bool> {
        Part::Pipelines.needed()?;
        let fuel = scope::fuel();
        Ok(self.evaluate(&Scope::new(document, outer, &fuel))?.is_true())
    }

    /// The constant that it is, if it is one.
    #[must_use]
    pub const fn as_literal(&self) -> Option<&Value> {
        if let Node::Literal(value) = &self.0 { Some(value) } else { None }
    }

    /// The path of fields of the document that it is, if it is nothing else.
    #[must_use]
    pub fn as_field(&self) -> Option<String> {
        let Node::Field { of: node::Source::Document, path } = &self.0 else { return None };
        let names: Vec<&str> = path.iter().map(|part| &*part.name).collect();
        (!names.is_empty()).then(|| names.join("."))
    }

    /// The only field of the document that it looks at, where that is certain.
    pub(crate) fn only_field(&self) -> Option<&Name> {
        let mut only = None;
        self.0.looks_at_no_more_than(&mut only).then_some(only)?
    }

    /// The value in a scope, borrowed where the document has it.
    pub(crate) fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Result<Operand<'a>> {
        Part::Pipelines.needed()?;
        self.0.evaluate(scope)
    }
}

#[cfg(test)]
mod tests;
