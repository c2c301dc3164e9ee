//! Keys of what a collection consists of: its documents, the entries of its indexes, and its records in the catalog.
//!
//! Not what is stored under them.
//!
//! Invariants: numbers stand with the greatest byte first, so that keys of one collection and of one index are neighbours; a
//! key of the catalog begins with the kind of its record.

use crate::engine::format::{SPACE_CATALOG, SPACE_DOCUMENT, SPACE_INDEX};
use crate::value::shape::ShapeId;

pub(super) const KIND_COLLECTION: u8 = 1;
pub(super) const KIND_INDEX: u8 = 2;
pub(super) const KIND_SHAPE: u8 = 3;
pub(super) const KIND_DROPPED: u8 = 4;
pub(super) const KIND_VERSION: u8 = 5;

/// The number of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionId(pub(super) u32);

/// The number of an index in its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexId(pub(super) u32);

impl CollectionId {
    /// What all keys of its documents begin with; the primary key follows.
    #[must_use]
    pub fn documents(self) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(32);
        self.push_document_prefix(&mut prefix);
        prefix
    }

    /// Appends [`CollectionId::documents`].
    pub fn push_document_prefix(self, key: &mut Vec<u8>) {
        key.push(SPACE_DOCUMENT);
        key.extend_from_slice(&self.0.to_be_bytes());
    }

    /// What all keys of one of its indexes begin with; the values and the primary key follow.
    #[must_use]
    pub fn index_entries(self, index: IndexId) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(48);
        self.push_index_prefix(index, &mut prefix);
        prefix
    }

    /// Appends [`CollectionId::index_entries`].
    pub fn push_index_prefix(self, index: IndexId, key: &mut Vec<u8>) {
        key.push(SPACE_INDEX);
        key.extend_from_slice(&self.0.to_be_bytes());
        key.extend_from_slice(&index.0.to_be_bytes());
    }

    /// The key of its record.
    #[must_use]
    pub fn record_key(self) -> Vec<u8> {
        [&[SPACE_CATALOG, KIND_COLLECTION][..], &self.0.to_be_bytes()].concat()
    }

    /// The key of a shape.
    #[must_use]
    pub fn shape_key(self, shape: ShapeId) -> Vec<u8> {
        self.part_key(KIND_SHAPE, shape.get())
    }

    /// The key of an index's record.
    #[must_use]
    pub fn index_key(self, index: IndexId) -> Vec<u8> {
        self.part_key(KIND_INDEX, index.0)
    }

    /// The key that says that an index was dropped and still has entries.
    #[must_use]
    pub fn dropped_key(self, index: IndexId) -> Vec<u8> {
        self.part_key(KIND_DROPPED, index.0)
    }

    pub(super) fn part_key(self, kind: u8, part: u32) -> Vec<u8> {
        [&[SPACE_CATALOG, kind][..], &self.0.to_be_bytes(), &part.to_be_bytes()].concat()
    }
}

/// The length of [`CollectionId::documents`].
pub const DOCUMENT_PREFIX_LEN: usize = 5;
/// The length of [`CollectionId::index_entries`].
pub const INDEX_PREFIX_LEN: usize = 9;

/// The collection and the primary key of a document's key.
#[must_use]
pub fn split_document_key(key: &[u8]) -> Option<(CollectionId, &[u8])> {
    let (collection, primary) = key.strip_prefix(&[SPACE_DOCUMENT])?.split_first_chunk::<4>()?;
    Some((CollectionId(u32::from_be_bytes(*collection)), primary))
}
