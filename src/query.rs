//! Queries: judgement about documents, without knowing where they are stored.
//!
//! Not execution: nothing here awaits or reads storage. A filter says whether a document matches; a plan says which
//! ranges of keys hold all that can match; an update says what becomes of it.
//!
//! Invariants: matching, sorting and planning follow the one order of `value/order.rs`, so that a plan over an index
//! finds exactly what a scan of all documents finds.

pub mod aggregate;
pub mod bounds;
mod column;
pub mod expression;
pub mod filter;
pub(crate) mod form;
pub mod live;
pub mod plan;
pub mod project;
pub mod sort;
pub mod text;
pub mod update;
pub(crate) mod weight;

pub use aggregate::Pipeline;
pub(crate) use column::Column;
pub use expression::Expression;
pub use filter::Filter;
pub use plan::{Access, IndexFacts, Plan, Question, Statistics};
pub use project::Projection;
pub use sort::Sort;
pub use update::Update;
