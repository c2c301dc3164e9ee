//! The catalog: which collections, indexes and shapes there are, as stored and as known in memory.
//!
//! Not a cache of documents, and not a writer: it gives the entries that a transaction has to write, and takes in what
//! was committed.
//!
//! # The entries
//!
//! | key | value |
//! | --- | --- |
//! | `01 01` collection       | [`CollectionRecord`], postcard |
//! | `01 02` collection index | [`IndexRecord`], postcard; behind it, of a text index, the weights of its fields: u32s, postcard |
//! | `01 03` collection shape | the shape's names: `value/shape.rs` |
//! | `01 04` collection index | nothing: the index was dropped, and its entries are still to be deleted |
//! | `01 05` collection 0     | [`Version`], postcard; none at version 1 |
//!
//! Numbers are u32, highest byte first. Ids of collections and indexes are never given out twice.
//!
//! # Invariants
//!
//! - A writer of documents reads its collection's record in its transaction, and whatever changes the list of indexes
//!   writes that record: so no document is ever written past an index that another context has just made.
//! - A row names a shape only after the shape was committed.
//! - An index says that it is `multi` before it holds a second entry for some document.

mod keys;
mod version;

use super::format::SPACE_CATALOG;
use crate::error::{Error, Result};
use crate::query::IndexFacts;
use crate::query::text::Totals;
use crate::sorted::Sorted;
use crate::storage::CommitSeq;
use crate::value::shape::{Shape, ShapeId, Shapes};
use crate::value::{Name, Path};
use core::cell::Cell;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

pub use keys::{CollectionId, DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN, IndexId, split_document_key};
use keys::{KIND_COLLECTION, KIND_DROPPED, KIND_INDEX, KIND_SHAPE, KIND_VERSION};
pub use version::{VERSION_MAX, Version};

/// A collection, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CollectionRecord {
    /// Its name.
    pub name: String,
    /// The fields of its primary key.
    pub key_fields: Vec<String>,
    /// How many indexes were ever made: the last id that was given out.
    pub indexes_made: u32,
}

/// An index, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexRecord {
    /// Its name, once in its collection.
    pub name: String,
    /// Its fields.
    pub fields: Vec<String>,
    /// Whether no two documents may have one value.
    pub is_unique: bool,
    /// Whether documents without any of the fields are left out.
    pub is_sparse: bool,
    /// Whether it may be read.
    pub state: IndexState,
    /// One bit for each field: [`IndexFacts::multi`].
    pub multi: u16,
}

/// Whether an index may be read. Writers keep it either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexState {
    /// Documents from before it was made are still being entered.
    Building,
    /// It has all documents.
    Ready,
}

impl IndexState {
    /// The name that users see.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            IndexState::Building => "building",
            IndexState::Ready => "ready",
        }
    }
}

/// An index, as known in memory.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its number.
    pub id: IndexId,
    /// What planning knows of it.
    pub facts: IndexFacts,
    /// Whether no two documents may have one value.
    pub is_unique: bool,
    /// Whether it may be read.
    pub state: IndexState,
    /// Of a text index: what was counted last, and at which commit.
    pub totals: Rc<Cell<Option<(CommitSeq, Totals)>>>,
}

/// A collection, as known in memory.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Its number.
    pub id: CollectionId,
    /// Its name.
    pub name: Name,
    /// The fields of its primary key.
    pub key_fields: Vec<Path>,
    /// Its indexes, in the order in which they were made.
    pub indexes: Vec<Index>,
    /// What planning knows of those that are ready, but for that of text.
    pub ready: Vec<IndexFacts>,
    /// Its shapes.
    pub shapes: Rc<Shapes>,
    /// Its version.
    pub version: Version,
    indexes_made: u32,
}

/// All collections. Clones share what they hold.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    collections: Sorted<CollectionId, Rc<Collection>>,
    by_name: Sorted<Name, CollectionId>,
    dropped: Sorted<(CollectionId, IndexId), ()>,
}

/// A key and the value to put under it.
pub type Entry = (Vec<u8>, Vec<u8>);

impl Collection {
    /// The index with this name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| &*index.facts.name == name)
    }

    /// The id for one more index.
    #[must_use]
    pub fn next_index_id(&self) -> IndexId {
        IndexId(self.indexes_made.saturating_add(1))
    }

    /// Notes that an index with this id has been made.
    pub fn made(&mut self, last_index: IndexId) {
        self.indexes_made = self.indexes_made.max(last_index.0);
    }

    /// The entry of its record, once an index with this id has been made.
    #[must_use]
    pub fn record(&self, last_index: Option<IndexId>) -> Entry {
        let record = CollectionRecord {
            name: self.name.to_string(),
            key_fields: self.key_fields.iter().map(Path::to_string).collect(),
            indexes_made: last_index.map_or(self.indexes_made, |last| last.0.max(self.indexes_made)),
        };
        (self.id.record_key(), to_bytes(&record))
    }

    /// The entry of an index's record.
    #[must_use]
    pub fn index_record(&self, index: &Index) -> Entry {
        let record = IndexRecord {
            name: index.facts.name.to_string(),
            fields: index.facts.fields.iter().map(Path::to_string).collect(),
            is_unique: index.is_unique,
            is_sparse: index.facts.sparse,
            state: index.state,
            multi: index.facts.multi,
        };
        let mut value = to_bytes(&record);
        if let Some(weights) = &index.facts.weights {
            value.extend(to_bytes(&**weights));
        }
        (self.id.index_key(index.id), value)
    }

    /// The text index.
    #[must_use]
    pub fn text_index(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.facts.weights.is_some())
    }

    fn index_changed(&mut self) {
        let ready = self.indexes.iter().filter(|index| index.state == IndexState::Ready);
        let of_values = ready.filter(|index| index.facts.weights.is_none());
        self.ready = of_values.map(|index| index.facts.clone()).collect();
    }
}

fn to_bytes<T: Serialize + ?Sized>(record: &T) -> Vec<u8> {
    // Plain structs always encode into a vector.
    postcard::to_allocvec(record).unwrap_or_default()
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("the catalog is damaged: {what}"))
}

impl Catalog {
    /// Without collections.
    #[must_use]
    pub fn new() -> Self {
        Catalog::default()
    }

    /// The collection with this name.
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Rc<Collection>> {
        self.collections.get(self.by_name.get(name)?)
    }

    /// The collection with this number.
    #[must_use]
    pub fn by_id(&self, id: CollectionId) -> Option<&Rc<Collection>> {
        self.collections.get(&id)
    }

    /// All collections, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Collection>> {
        self.collections.values()
    }

    /// How many collections there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.collections.len()
    }

    /// Whether there is no collection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    /// Indexes that were dropped and still have entries.
    pub fn dropped(&self) -> impl Iterator<Item = (CollectionId, IndexId)> {
        self.dropped.iter().map(|(index, ())| *index)
    }

    /// A new collection with the next number; it has yet to be written.
    #[must_use]
    pub fn next_collection(&self, name: &str, key_fields: Vec<Path>) -> Collection {
        let last = self.collections.last().map_or(0, |(id, _)| id.0);
        Collection {
            id: CollectionId(last.saturating_add(1)),
            name: name.into(),
            key_fields,
            indexes: Vec::new(),
            ready: Vec::new(),
            shapes: Rc::default(),
            version: Version::default(),
            indexes_made: 0,
        }
    }

    /// Takes in one entry of the catalog, as it is now; entries in the order of their keys.
    ///
    /// # Errors
    /// `corrupt` where it is none.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let parts = key.strip_prefix(&[SPACE_CATALOG]).and_then(<[u8]>::split_first);
        let (kind, parts) = parts.ok_or_else(|| damaged("a key"))?;
        let (collection, part) = parts.split_first_chunk::<4>().ok_or_else(|| damaged("a key"))?;
        let collection = CollectionId(u32::from_be_bytes(*collection));
        if *kind == KIND_COLLECTION {
            return self.apply_collection(collection, value);
        }
        let part = part.try_into().map(u32::from_be_bytes).map_err(|_| damaged("a key"))?;
        if *kind == KIND_DROPPED {
            let dropped = (collection, IndexId(part));
            let _ = if value.is_some() { self.dropped.insert(dropped, ()) } else { self.dropped.remove(&dropped) };
            return Ok(());
        }
        let owner = self.collections.get_mut(&collection).ok_or_else(|| damaged("a part without its collection"))?;
        match *kind {
            KIND_VERSION => {
                Rc::make_mut(owner).version = Version::decode(value)?;
                Ok(())
            }
            KIND_INDEX => apply_index(Rc::make_mut(owner), IndexId(part), value),
            KIND_SHAPE => {
                let shape = Shape::decode(value.ok_or_else(|| damaged("a shape was deleted"))?)?;
                Rc::make_mut(&mut Rc::make_mut(owner).shapes).load(ShapeId::new(part), shape)
            }
            _ => Err(damaged("an unknown kind of entry")),
        }
    }

    fn apply_collection(&mut self, id: CollectionId, value: Option<&[u8]>) -> Result<()> {
        let record = value.ok_or_else(|| damaged("a collection was deleted"))?;
        let record: CollectionRecord = postcard::from_bytes(record).map_err(|_| damaged("a collection"))?;
        if let Some(known) = self.collections.get_mut(&id) {
            Rc::make_mut(known).indexes_made = record.indexes_made;
            return Ok(());
        }
        let name: Name = record.name.into();
        let collection = Collection {
            id,
            name: name.clone(),
            key_fields: paths(&record.key_fields)?,
            indexes: Vec::new(),
            ready: Vec::new(),
            shapes: Rc::default(),
            version: Version::default(),
            indexes_made: record.indexes_made,
        };
        self.by_name.insert(name, id);
        self.collections.insert(id, Rc::new(collection));
        Ok(())
    }

    /// The same catalog, in which the parts that only ever grow (shapes, and which indexes are multi) are as in
    /// `newer`. For a transaction that goes on after it had such parts defined.
    #[must_use]
    pub fn grown(&self, newer: &Catalog) -> Catalog {
        let mut grown = self.clone();
        for (id, collection) in grown.collections.iter_mut() {
            let Some(newer) = newer.by_id(*id) else { continue };
            let collection = Rc::make_mut(collection);
            collection.shapes = Rc::clone(&newer.shapes);
            for index in &mut collection.indexes {
                let known = newer.indexes.iter().find(|known| known.id == index.id);
                index.facts.multi |= known.map_or(0, |known| known.facts.multi);
            }
            collection.index_changed();
        }
        grown
    }
}

fn apply_index(collection: &mut Collection, id: IndexId, value: Option<&[u8]>) -> Result<()> {
    let place = collection.indexes.iter().position(|index| index.id == id);
    match (value, place) {
        (None, Some(place)) => {
            collection.indexes.remove(place);
        }
        (None, None) => {}
        (Some(value), place) => {
            let index = postcard::take_from_bytes::<IndexRecord>(value);
            let (record, weights) = index.map_err(|_| damaged("an index"))?;
            let weights = (!weights.is_empty()).then(|| postcard::from_bytes::<Vec<u32>>(weights)).transpose();
            let weights = weights.map_err(|_| damaged("an index"))?;
            if weights.as_ref().is_some_and(|weights| weights.len() != record.fields.len()) {
                return Err(damaged("an index"));
            }
            let index = Index {
                id,
                facts: IndexFacts {
                    name: record.name.into(),
                    fields: paths(&record.fields)?,
                    sparse: record.is_sparse,
                    multi: record.multi,
                    weights: weights.map(Rc::from),
                },
                is_unique: record.is_unique,
                state: record.state,
                totals: Rc::default(),
            };
            match place.and_then(|place| collection.indexes.get_mut(place)) {
                Some(known) => *known = index,
                None => collection.indexes.push(index),
            }
        }
    }
    collection.index_changed();
    Ok(())
}

fn paths(fields: &[String]) -> Result<Vec<Path>> {
    fields.iter().map(|field| Path::parse(field).map_err(|_| damaged("a field"))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn define(catalog: &mut Catalog, name: &str) -> Rc<Collection> {
        let collection = catalog.next_collection(name, vec![Path::parse("id").unwrap()]);
        let (key, value) = collection.record(None);
        catalog.apply(&key, Some(&value)).unwrap();
        Rc::clone(catalog.collection(name).unwrap())
    }

    #[test]
    fn what_is_written_is_known_again() {
        let mut catalog = Catalog::new();
        define(&mut catalog, "a");
        let collection = define(&mut catalog, "b");
        let id = collection.next_index_id();
        let facts = IndexFacts {
            name: "x_y".into(),
            fields: paths(&["x".into(), "y.z".into()]).unwrap(),
            sparse: true,
            multi: 2,
            weights: None,
        };
        let index = Index { id, facts, is_unique: true, state: IndexState::Building, totals: Rc::default() };
        let entries = [collection.record(Some(id)), collection.index_record(&index)];
        for (key, value) in &entries {
            catalog.apply(key, Some(value)).unwrap();
        }
        let known = catalog.collection("b").unwrap();
        assert_eq!(known.index("x_y").unwrap().facts, index.facts);
        assert!(known.ready.is_empty(), "an index that is being built is not read");
        let (key, value) = known.index_record(&Index { state: IndexState::Ready, ..index });
        catalog.apply(&key, Some(&value)).unwrap();
        assert_eq!(catalog.collection("b").unwrap().ready.len(), 1);
        catalog.apply(&key, None).unwrap();
        let known = catalog.collection("b").unwrap();
        assert!(known.index("x_y").is_none() && known.next_index_id() != id, "an id is not given out twice");
    }

    #[test]
    fn damaged_entries_are_corrupt() {
        let mut catalog = Catalog::new();
        let collection = define(&mut catalog, "a");
        let shape = ShapeId::new(2);
        for (key, value) in [
            (collection.id.record_key(), Some(&[0xff][..])),
            (collection.id.shape_key(shape), Some(&[][..])),
            (collection.id.index_key(IndexId(1)), Some(&[1][..])),
            (CollectionId(9).index_key(IndexId(1)), Some(&[1][..])),
            (vec![SPACE_CATALOG, 9, 0, 0, 0, 1, 0, 0, 0, 1], Some(&[][..])),
            (vec![SPACE_CATALOG], None),
        ] {
            assert_eq!(catalog.apply(&key, value).unwrap_err().kind(), ErrorKind::Corrupt, "{key:?}");
        }
    }
}
