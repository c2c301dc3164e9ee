//! Commits, as live queries look at them: the documents of one collection that were written.
//!
//! Not entries of indexes, nor what was there before.

use crate::db::document;
use crate::engine::CommitEvent;
use crate::engine::catalog::{Catalog, Collection, CollectionId, DOCUMENT_PREFIX_LEN};
use crate::error::Result;
use crate::query::live::Touch;
use crate::sorted;
use crate::storage::CommitSeq;
use crate::value::view::ObjectView;

/// A commit with more documents of a collection is read anew, not taken in.
const CHANGES_MAX: usize = 10_000;

/// What a commit wrote of a collection.
pub(super) struct Commit<'a> {
    pub(super) seq: CommitSeq,
    pub(super) collection: &'a Collection,
    pub(super) documents: Vec<Written<'a>>,
}

/// A document that a commit wrote.
pub(super) struct Written<'a> {
    pub(super) primary: &'a [u8],
    pub(super) value: &'a [u8],
    /// None: it was removed.
    pub(super) now: Option<ObjectView<'a>>,
}

impl<'a> Commit<'a> {
    /// None where nobody can say what it wrote, or where that is too much.
    pub(super) fn of(event: &'a CommitEvent, catalog: &'a Catalog, collection: CollectionId) -> Option<Commit<'a>> {
        let (run, collection) = (event.run.as_ref()?, catalog.by_id(collection)?);
        let prefix = collection.id.documents();
        let mut documents = Vec::new();
        for place in run.lower_bound(&prefix)..run.len() {
            let (key, value) = run.entry(place)?;
            if !key.starts_with(&prefix) {
                break;
            }
            if documents.len() == CHANGES_MAX {
                return None;
            }
            let now = value.map(|value| document::open(collection, value)).transpose().ok()?;
            documents.push(Written { primary: key.get(DOCUMENT_PREFIX_LEN..)?, value: value.unwrap_or_default(), now });
        }
        Some(Commit { seq: event.seq, collection, documents })
    }

    /// The queries with conditions that it may concern, each with the places of documents; in order.
    pub(super) fn concerned(&self, touch: &Touch) -> Result<Vec<(usize, usize)>> {
        let mut pairs = Vec::new();
        for (place, written) in self.documents.iter().enumerate() {
            touch.find(written.primary, written.now, &mut |number| pairs.push((number, place)))?;
        }
        if pairs.len() > 1 {
            let order = sorted::order(pairs.len(), &mut |left, right| pairs.get(left).cmp(&pairs.get(right)));
            pairs = order.into_iter().filter_map(|place| pairs.get(place).copied()).collect();
            pairs.dedup();
        }
        Ok(pairs)
    }
}
