//! A glance: one document by its key, answered inside the call where all that it takes is in memory.
//!
//! Not another way to read: a request for one document means the same to `db/request.rs`, and whatever is unusual here
//! (a block to be fetched, a mistake in the request, a database that is closed) is left to that.
//!
//! Invariant: what it answers is what [`Database::request`] would answer.

use super::{Database, answer};
use crate::storage::Storage;
use crate::value::{codec, key};

impl<S: Storage> Database<S> {
    /// The answer to a request for one document: a pair of the collection's name and the key, encoded. None where it
    /// cannot be told at once, or it is another request.
    #[must_use]
    pub fn glance(&self, request: &[u8]) -> Option<Vec<u8>> {
        let (name, wanted) = codec::decode_named(request)?;
        let catalog = self.shared.known_catalog()?;
        // Nothing is awaited in between: the snapshot has this catalog.
        let snapshot = self.shared.engine.snapshot().ok()?;
        let collection = catalog.collection(name)?;
        let primary = key::primary_from_value(&collection.key_fields, (&wanted).into()).ok()?;
        let value = snapshot.peek(&[&*collection.id.documents(), &primary].concat())?;
        answer::one(collection, value.as_deref()).ok()
    }
}
