//! Text searches, where the build leaves them out: the names of `db/find/text.rs`, and nothing behind them.
//!
//! Invariant: there is no value of [`Walk`]: no `$text` is ever parsed.

use super::Found;
use crate::db::work::Reader;
use crate::engine::catalog::{Collection, CollectionId};
use crate::error::Result;
use crate::part::Part;
use crate::query::text::Search;
use crate::storage::Storage;
use crate::value::Name;
use core::convert::Infallible;
use std::rc::Rc;

/// A search under way, which there is none of.
pub(super) struct Walk(Infallible);

impl Walk {
    /// # Errors
    /// `unsupported`, always.
    pub(super) fn new(_: Name, _: Rc<Search>) -> Result<Walk> {
        Err(Part::Text.left_out())
    }

    pub(super) async fn begin<S: Storage>(&mut self, _: &Reader<S>, _: &Collection) -> Result<usize> {
        match self.0 {}
    }

    pub(super) const fn left(&self) -> usize {
        match self.0 {}
    }

    pub(super) const fn take(&mut self, _: CollectionId, _: usize, _: &mut Vec<Found>) {
        match self.0 {}
    }
}
