//! Writing documents: rows, index entries and uniqueness of one statement, staged and then written together.
//!
//! Not a choice of documents: who is inserted, changed or deleted is decided in `db/collection.rs`.
//!
//! Invariants: either all writes of a statement reach the transaction or none; a document and its index entries are
//! written in one transaction; what decides uniqueness is in the read set.

use super::define::{self, Needs};
use super::document;
use super::work::Work;
use crate::engine::catalog::{Collection, CollectionId, Index};
use crate::engine::index::{Entries, entries, without};
use crate::engine::{Direction, KeyRange, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::SHAPES_PER_COLLECTION_MAX;
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::value::view::ObjectView;
use crate::value::{Object, key, writer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What happens to one document; a statement has one of these for each key.
#[derive(Debug)]
pub(crate) struct Change<'d> {
    pub(crate) primary: Vec<u8>,
    /// As stored now.
    pub(crate) old: Option<Slice>,
    /// None to delete it.
    pub(crate) new: Option<Cow<'d, Object>>,
}

/// What happens when one document cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing is written, and the statement fails.
    Together,
    /// The others are written.
    Each,
}

/// Writes the changes of one statement. Answers, in the mode `Each`, an error for each document that was not written.
///
/// # Errors
/// `already_exists` for unique values, `invalid` and `limit` for documents that cannot be stored or indexed.
pub(crate) async fn write<S: Storage>(
    work: &Work<S>,
    id: CollectionId,
    changes: &[Change<'_>],
    mode: Mode,
) -> Result<Vec<Option<Error>>> {
    let (collection, prepared) = prepare_all(work, id, changes).await?;
    let mut staged = Staged::default();
    let mut errors = Vec::with_capacity(changes.len());
    for (change, prepared) in changes.iter().zip(prepared) {
        let stage = match prepared {
            Ok(prepared) => staged.add(work, &collection, change, prepared).await,
            Err(error) => Err(error),
        };
        match (stage, mode) {
            (Ok(()), _) => errors.push(None),
            (Err(error), Mode::Each) if is_of_document(&error) => errors.push(Some(error)),
            (Err(error), _) => return Err(error),
        }
    }
    let written = staged.writes.iter().try_for_each(|(key, value)| match value {
        Some(value) => work.transaction().put(key, value),
        None => work.transaction().delete(key),
    });
    written.inspect_err(|error| work.fail(error))?;
    Ok(errors)
}

/// Whether an error is about one document, so that others may still be written.
pub(crate) fn is_of_document(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists | ErrorKind::Limit | ErrorKind::Unsupported)
}

/// A change with its bytes: entries for each index of the collection, in order.
#[derive(Default)]
struct Prepared {
    value: Option<Vec<u8>>,
    old: Vec<Entries>,
    new: Vec<Entries>,
}

/// Encodes all changes; where they need shapes or flags that are not there, those are committed first.
async fn prepare_all<S: Storage>(
    work: &Work<S>,
    id: CollectionId,
    changes: &[Change<'_>],
) -> Result<(Rc<Collection>, Vec<Result<Prepared>>)> {
    loop {
        let catalog = work.catalog().await?;
        let collection = catalog.by_id(id).ok_or_else(|| Error::internal("a collection went away"))?;
        let mut needs = Needs::default();
        let prepared = changes.iter().map(|change| prepare(collection, change, &mut needs)).collect();
        if needs.is_empty() {
            return Ok((Rc::clone(collection), prepared));
        }
        define::grow(work, id, &needs).await?;
    }
}

fn prepare(collection: &Collection, change: &Change<'_>, needs: &mut Needs) -> Result<Prepared> {
    let mut prepared = Prepared::default();
    if let Some(old) = &change.old
        && !collection.indexes.is_empty()
    {
        let view = document::open(collection, old);
        let old = view.and_then(|view| all_entries(collection, view, &change.primary));
        prepared.old = old.map_err(|error| document::naming(error, collection, &change.primary))?;
    }
    if let Some(new) = &change.new {
        let mut value = vec![document::head(change.old.is_some())];
        let missing = writer::encode(new, &collection.shapes, &mut value);
        let missing = missing.map_err(|error| document::naming(error, collection, &change.primary))?;
        // What there is no room for stays with its names: the next round finds no shape missing.
        let room = SHAPES_PER_COLLECTION_MAX.saturating_sub(needs.shapes.len());
        needs.shapes.extend(missing.into_iter().take(room));
        prepared.value = Some(value);
        let new = all_entries(collection, (&**new).into(), &change.primary);
        prepared.new = new.map_err(|error| document::naming(error, collection, &change.primary))?;
        for (index, entries) in collection.indexes.iter().zip(&prepared.new) {
            if entries.multi & !index.facts.multi != 0 && !needs.multi.contains(&(index.id, entries.multi)) {
                needs.multi.push((index.id, entries.multi));
            }
        }
    }
    Ok(prepared)
}

fn all_entries(collection: &Collection, document: ObjectView<'_>, primary: &[u8]) -> Result<Vec<Entries>> {
    collection.indexes.iter().map(|index| entries(collection, index, document, primary)).collect()
}

/// The writes of a statement, and which entries of unique indexes they bring and take away.
#[derive(Default)]
struct Staged {
    writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    unique: BTreeMap<Vec<u8>, bool>,
}

impl Staged {
    async fn add<S: Storage>(
        &mut self,
        work: &Work<S>,
        collection: &Collection,
        change: &Change<'_>,
        prepared: Prepared,
    ) -> Result<()> {
        let none = Entries::default();
        let each = |place: usize| (prepared.old.get(place).unwrap_or(&none), prepared.new.get(place).unwrap_or(&none));
        // What is unique is checked for all indexes before anything is staged.
        for (place, index) in collection.indexes.iter().enumerate().filter(|(_, index)| index.is_unique) {
            let (old, new) = each(place);
            for entry in without(&new.keys, &old.keys) {
                self.check_unique(work, collection, index, entry, &change.primary).await?;
            }
        }
        for (place, index) in collection.indexes.iter().enumerate() {
            let (old, new) = each(place);
            for entry in without(&old.keys, &new.keys) {
                if index.is_unique {
                    self.unique.insert(entry.clone(), false);
                }
                if planted(Bug::IndexEntriesKept) && change.new.is_some() {
                    continue;
                }
                self.writes.push((entry.clone(), None));
            }
            for entry in without(&new.keys, &old.keys) {
                if index.is_unique {
                    self.unique.insert(entry.clone(), true);
                }
                self.writes.push((entry.clone(), Some(Vec::new())));
            }
        }
        let mut key = collection.id.documents();
        key.extend_from_slice(&change.primary);
        self.writes.push((key, prepared.value));
        Ok(())
    }

    /// Whether no other document has the value of this entry.
    async fn check_unique<S: Storage>(
        &self,
        work: &Work<S>,
        collection: &Collection,
        index: &Index,
        entry: &[u8],
        primary: &[u8],
    ) -> Result<()> {
        let values = entry.get(..entry.len().saturating_sub(primary.len())).unwrap_or_default();
        let range = KeyRange::prefix(values);
        let in_range = self.unique.range(range.start.clone()..).take_while(|(key, _)| range.contains(key));
        if let Some((taken, _)) = in_range.clone().find(|(_, is_there)| **is_there) {
            return Err(taken_error(collection, index, values, taken));
        }
        if planted(Bug::UniqueUntracked) {
            let mut scan = work.transaction().snapshot().scan(range, Direction::Ascending);
            while let Some((taken, _)) = scan.next().await? {
                if taken.as_bytes() != entry && self.unique.get(taken.as_bytes()) != Some(&false) {
                    return Err(taken_error(collection, index, values, &taken));
                }
            }
            return Ok(());
        }
        let mut scan = work.transaction().scan(range, Direction::Ascending);
        while let Some((taken, _)) = scan.next().await? {
            if taken.as_bytes() != entry && self.unique.get(taken.as_bytes()) != Some(&false) {
                return Err(taken_error(collection, index, values, &taken));
            }
        }
        Ok(())
    }
}

/// The error for a unique value that another document has.
pub(crate) fn taken_error(collection: &Collection, index: &Index, values: &[u8], taken: &[u8]) -> Error {
    let prefix = crate::engine::catalog::INDEX_PREFIX_LEN;
    let read = |bytes: Option<&[u8]>, parts: usize| {
        let value = key::primary_to_value(parts, bytes.unwrap_or_default());
        value.map_or_else(|_| "?".to_owned(), |value| value.to_string())
    };
    let value = read(values.get(prefix..), index.facts.fields.len());
    let holder = read(taken.get(values.len()..), collection.key_fields.len());
    let name = &index.facts.name;
    let message = format!("index `{name}` of collection `{}` has `{value}` already", collection.name);
    let error = Error::new(ErrorKind::AlreadyExists, message);
    let error = error.with_hint(format!("document `{holder}` has this value, and the index is unique"));
    let error = error.with_detail("collection", &collection.name).with_detail("index", name);
    error.with_detail("key", holder).with_detail("value", value)
}
