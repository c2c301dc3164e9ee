//! Filters: MongoDB's query documents, parsed once and matched against documents.
//!
//! Not a plan: which keys to read for a filter is `query/plan.rs`. How one is read is in `filter/parse.rs`, what is asked
//! of a single value in `filter/test.rs`.
//!
//! Invariants: an array matches where it matches as a whole or one of its elements does; what is missing matches as
//! null does; `$gt` and its kin hold only between values of one type, numbers and bigints being one. Source: MongoDB
//! manual, "Query and Projection Operators" (<https://www.mongodb.com/docs/manual/reference/operator/query/>).

use crate::error::{Error, Result};
use crate::query::Expression;
use crate::query::text::Search;
use crate::value::view::ObjectView;
use crate::value::{Object, Path, Value, View};
use std::rc::Rc;

mod element;
mod parse;
mod test;
mod types;
mod vectors;

pub use element::Element;
pub use test::Test;
pub use types::Types;
pub(crate) use vectors::Columnar;

/// A parsed filter.
///
/// ```
/// use hyphadb::query::Filter;
/// use hyphadb::value::{Object, Value};
/// let filter = Filter::parse(&Object::from([("n", Object::from([("$gt", Value::from(5))]).into())]))?;
/// assert!(filter.matches((&Object::from([("n", Value::BigInt(6))])).into())?);
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold; where there is none, every document matches.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// What lies at the path passes the test.
    Field(Path, Test),
    /// What is computed from the document is true: `$expr`.
    Expression(Rc<Expression>),
    /// What is looked for occurs in it, which an index knows: `$text`. It stands among the conjuncts of the whole.
    Text(Rc<Search>),
    /// What is asked passes the test itself: an element, within `$elemMatch`. No document does.
    Itself(Test),
}

impl Filter {
    /// The filter that every document matches.
    #[must_use]
    pub const fn all() -> Filter {
        Filter::All(Vec::new())
    }

    /// Reads a filter document.
    ///
    /// # Errors
    /// `unsupported` for operators that are not there, with their name; `invalid` for a `$` in the wrong place and for
    /// bad operands, `limit` for a filter or pattern that is too large, all with the path.
    pub fn parse(filter: &Object) -> Result<Filter> {
        parse::parse(filter)
    }

    /// Whether the document matches.
    ///
    /// # Errors
    /// `corrupt` for damaged rows, `limit` where a text is too long for a pattern, and what an expression fails with.
    pub fn matches(&self, document: ObjectView<'_>) -> Result<bool> {
        self.holds(View::Object(document))
    }

    /// Whether a value matches: a document, or an element of an array.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(crate) fn holds(&self, value: View<'_>) -> Result<bool> {
        match self {
            Filter::All(filters) => {
                for filter in filters {
                    if !filter.holds(value)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Filter::Any(filters) => {
                for filter in filters {
                    if filter.holds(value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Filter::Not(filter) => Ok(!filter.holds(value)?),
            Filter::Field(path, test) => match value {
                View::Object(document) => test.matches(path, document),
                _ => Ok(false),
            },
            Filter::Expression(expression) => expression.holds(value, &[]).map_err(|error| error.context("`$expr`")),
            Filter::Text(_) => Err(Error::invalid("`$text` cannot be asked of a document by itself")),
            Filter::Itself(test) => test.holds(Some(value)),
        }
    }

    /// What must hold together: the parts of `$and`, taken apart at every level.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<&Filter> {
        match self {
            Filter::All(filters) => filters.iter().flat_map(Filter::conjuncts).collect(),
            filter => vec![filter],
        }
    }

    /// The fields that must equal a value, as an upsert writes them.
    #[must_use]
    pub fn equalities<'a>(&'a self) -> Vec<(&'a Path, &'a Value)> {
        let equality = |filter: &'a Filter| match filter {
            Filter::Field(path, Test::Eq(value)) => Some((path, value)),
            _ => None,
        };
        self.conjuncts().into_iter().filter_map(equality).collect()
    }

    /// What is looked for in the text of documents, if it is.
    #[must_use]
    pub fn search(&self) -> Option<&Rc<Search>> {
        match self {
            Filter::All(filters) => filters.iter().find_map(Filter::search),
            Filter::Text(search) => Some(search),
            _ => None,
        }
    }

    /// Whether every document matches.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.conjuncts().is_empty()
    }
}

#[cfg(test)]
mod tests;
