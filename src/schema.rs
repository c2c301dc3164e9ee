//! Schemas: JSON Schema 2020-12, compiled once, held against values and rows.
//!
//! Not types of TypeScript, nor migration: a schema says whether a document is valid, and what to fill where a field
//! with a `default` is missing. Nothing is coerced, nothing is changed here, nothing is fetched.
//!
//! # What is held
//!
//! Every keyword of the vocabularies core, applicator, validation and unevaluated. `format`, `content*` and the words of
//! meta-data are annotations, as the standard has it: they are read, and refuse no document. References lead within the
//! document (also to schemas in it with an `$id` of their own) and to the standard's own meta-schemas.
//!
//! # What is refused, when the schema is compiled
//!
//! References to other documents; another `$schema` than 2020-12; patterns beyond `pattern.rs`; and each word that
//! is no keyword, because a misspelt one would else let everything pass. The standard would take such a word as an
//! annotation; those begin with `x-` here.
//!
//! # Values that JSON has not
//!
//! A bigint is an `integer` and a `number`. Dates, bytes and infinities are of no JSON type: a schema without `type` lets
//! them pass, and `x-type`, one of `date`, `bytes` and `bigint` or a list of them, names them. It stands beside `type`: a
//! value is of one of the types that both name together.
//!
//! Sources: JSON Schema Core and Validation, 2020-12 (<https://json-schema.org/draft/2020-12>).

mod arrays;
mod compile;
mod cycle;
mod equality;
mod fill;
mod keyword;
mod meta;
mod objects;
mod operand;
mod parts;
mod plan;
mod program;
mod quotient;
mod reference;
mod run;
mod scalars;
mod seen;
mod uri;
mod verdict;
mod violation;

use crate::error::Result;
use crate::part::Part;
use crate::value::{Value, View};
use program::Program;
use run::Run;

pub use fill::{Fill, Step};
pub use violation::Violation;

/// A schema, compiled.
///
/// ```
/// use hyphadb::schema::Schema;
/// use hyphadb::value::{Object, Value};
/// let properties = Object::from([("n", Object::from([("minimum", Value::from(5))]).into())]);
/// let schema = Schema::compile(&Object::from([("properties", properties.into())]).into())?;
/// let document = Value::from(Object::from([("n", Value::from(4))]));
/// let violations = schema.validate((&document).into())?;
/// assert_eq!(violations[0].to_string(), "`/n` is 4, below the minimum 5");
/// # Ok::<(), hyphadb::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Schema(Program);

impl Schema {
    /// Reads a schema document.
    ///
    /// # Errors
    /// `unsupported` for what this module does not hold, `invalid` for what the standard does not allow, `limit` for too
    /// much; the message says where.
    pub fn compile(schema: &Value) -> Result<Schema> {
        Part::Schemas.needed()?;
        compile::compile(schema).map(Schema)
    }

    /// Whether a value is valid. Of a row only what decides is read, and nothing is allocated but for the first row of a
    /// shape, patterns, `uniqueItems` and `unevaluated*` of more than 64 parts.
    ///
    /// # Errors
    /// `corrupt` for damaged rows; `limit` where it takes too many steps.
    pub fn is_valid(&self, value: View<'_>) -> Result<bool> {
        Part::Schemas.needed()?;
        Run::new(&self.0).answer(&value)
    }

    /// All that is wrong with a value, up to [`VIOLATIONS_MAX`]; nothing where it is valid.
    ///
    /// # Errors
    /// As [`Schema::is_valid`].
    pub fn validate(&self, value: View<'_>) -> Result<Vec<Violation>> {
        Part::Schemas.needed()?;
        if self.is_valid(value)? { Ok(Vec::new()) } else { Run::new(&self.0).violations(&value) }
    }

    /// What to fill: the `default` of each name in `properties` that is missing where its object is there. Followed are
    /// `properties`, `items`, `prefixItems`, `$ref` and `allOf`, but no choices. That a `default` is valid is not promised.
    ///
    /// # Errors
    /// As [`Schema::is_valid`].
    pub fn fills(&self, value: View<'_>) -> Result<Vec<Fill>> {
        Part::Schemas.needed()?;
        fill::fills(&self.0, value)
    }
}

/// Violations that are told at once.
pub const VIOLATIONS_MAX: usize = 100;
/// Schemas in a schema, those that references reach in the standard's meta-schemas among them.
pub const SCHEMAS_MAX: usize = 4096;
/// Steps that one validation may take. Without a bound a choice that leads back to itself doubles the work at each level.
pub const STEPS_MAX: u32 = 32_000_000;
/// How deep schemas may be applied within each other: it holds the stack.
pub const APPLIED_DEPTH_MAX: u16 = 512;
