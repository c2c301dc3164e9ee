//! Index entries as they are stored, and as the documents give them.
//!
//! Not through a query: the whole key space is read.

use hyphadb::db::Database;
use hyphadb::engine::catalog::{Catalog, split_document_key};
use hyphadb::engine::format::{SPACE_CATALOG, SPACE_DOCUMENT, SPACE_INDEX};
use hyphadb::engine::index::entries;
use hyphadb::engine::{Direction, KeyRange};
use hyphadb::error::{Error, Result};
use hyphadb::storage::Storage;
use hyphadb::value::row;
use std::collections::{BTreeMap, BTreeSet};

/// Keys with their values.
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a database holds.
pub struct Held {
    /// The keys of documents.
    pub documents: BTreeSet<Vec<u8>>,
    /// The entries of indexes that are stored.
    pub stored: Entries,
    /// Those that there should be.
    pub due: Entries,
}

/// Reads all of it, every document too.
pub async fn read<S: Storage>(database: &Database<S>) -> Result<Held> {
    let mut catalog = Catalog::new();
    let mut documents = BTreeMap::new();
    let (mut stored, mut due) = (Entries::new(), Entries::new());
    let mut scan = database.engine().snapshot()?.scan(KeyRange::all(), Direction::Ascending);
    while let Some((key, value)) = scan.next().await? {
        match key.first() {
            Some(&SPACE_CATALOG) => catalog.apply(&key, Some(&value))?,
            Some(&SPACE_DOCUMENT) => drop(documents.insert(key.to_vec(), value)),
            Some(&SPACE_INDEX) => drop(stored.insert(key.to_vec(), value.to_vec())),
            _ => {}
        }
    }
    for (key, value) in &documents {
        let lost = || Error::internal("a document of no collection");
        let (id, primary) = split_document_key(key).ok_or_else(lost)?;
        let collection = catalog.by_id(id).ok_or_else(lost)?;
        let document = row::open(&value[1..], &collection.shapes)?;
        document.to_object()?;
        for index in &collection.indexes {
            let entries = entries(collection, index, document, primary)?;
            due.extend(entries.pairs().map(|(key, value)| (key.to_vec(), value.to_vec())));
        }
    }
    Ok(Held { documents: documents.into_keys().collect(), stored, due })
}
