//! Parts: what a slim build of the engine leaves out.
//!
//! Not modules that are not compiled: nearly everything is, and is checked, in every build. But what a part that is left out
//! is entered by answers `unsupported` first, so that the optimiser sees that nothing behind it is ever reached, and drops it.
//! It does not see that of the states of an async function: `db/no_aggregate.rs` and `db/find/no_text.rs` stand in for those.
//!
//! Invariant: every way into a part asks [`Part::needed`] before it does anything.

use crate::error::{Error, ErrorKind, Result};

/// A part that a build may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Pipelines of stages, and the expressions that they and `$expr` compute.
    Pipelines,
    /// JSON Schema.
    Schemas,
    /// Text indexes and `$text`.
    Text,
}

impl Part {
    /// Whether this build has it.
    #[must_use]
    #[inline(always)]
    pub const fn is_built(self) -> bool {
        match self {
            Part::Pipelines => cfg!(feature = "pipelines"),
            Part::Schemas => cfg!(feature = "schemas"),
            Part::Text => cfg!(feature = "text"),
        }
    }

    /// What users call it.
    const fn name(self) -> &'static str {
        match self {
            Part::Pipelines => "pipelines and `$expr`",
            Part::Schemas => "JSON Schema",
            Part::Text => "text search",
        }
    }

    /// Asks whether it is here.
    ///
    /// # Errors
    /// `unsupported` where it was left out.
    #[inline(always)]
    pub(crate) fn needed(self) -> Result<()> {
        if self.is_built() { Ok(()) } else { Err(self.left_out()) }
    }

    #[cold]
    pub(crate) fn left_out(self) -> Error {
        let error = Error::new(ErrorKind::Unsupported, format!("this build of the engine is without {}", self.name()));
        error.with_hint("import from `hyphadb` instead of `hyphadb/slim`")
    }
}
