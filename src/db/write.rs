//! Writing documents: rows, index entries and uniqueness of one statement, staged and then written together.
//!
//! Not a choice of documents: who is inserted, changed or deleted is decided in `db/collection.rs`.
//!
//! Invariants: either all writes of a statement reach the transaction or none; a document and its index entries are
//! written in one transaction; what decides uniqueness is in the read set.

use super::change::{Changes, Fate};
use super::define::{self, Needs};
use super::document;
use super::work::Work;
use crate::engine::catalog::{Collection, Index, IndexId};
use crate::engine::index::{self, Entries};
use crate::engine::run::{Run, RunBuilder};
use crate::engine::unsorted::Unsorted;
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, ErrorKind, Result};
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::value::{Value, codec, key};
use std::collections::BTreeMap;

/// What happens when one document cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing is written, and the statement fails.
    Together,
    /// The others are written.
    Each,
}

/// Writes the changes of one statement that are pending. In the mode `Each`, those that cannot be written are refused
/// in their place.
///
/// # Errors
/// `unsupported` where the collection is at a newer version than this context; `already_exists` for unique values, `invalid` and `limit` for documents that cannot be stored or indexed.
pub(crate) async fn write<S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    changes: &mut Changes,
    mode: Mode,
) -> Result<()> {
    changes.set_version(work.shared.rules.version(collection)?);
    let mut staged = Staged::new(collection);
    for place in 0..changes.len() {
        if !changes.is_pending(place) {
            continue;
        }
        let mut stage = staged.prepare(changes, place);
        if stage.is_ok() && staged.has_unique {
            stage = staged.check_unique(work, changes.primary(place)).await;
        }
        match (stage, mode) {
            (Ok(()), _) => staged.add(changes.after(place).is_some()),
            (Err(error), Mode::Each) if is_of_document(&error) => changes.set_fate(place, Fate::Refused(error)),
            (Err(error), _) => return Err(error),
        }
    }
    let needs = Needs { multi: core::mem::take(&mut staged.multi), ..Needs::default() };
    if !needs.is_empty() {
        define::grow(work, collection.id, &needs).await?;
    }
    work.told.take_note(collection, changes)?;
    work.transaction().put_run(staged.into_run(changes))
}

/// Whether an error is about one document, so that others may still be written.
pub(crate) fn is_of_document(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::AlreadyExists | ErrorKind::Limit | ErrorKind::Unsupported)
}

/// What a statement writes, index by index.
struct Staged<'c> {
    collection: &'c Collection,
    indexes: Vec<StagedIndex<'c>>,
    /// Entries of unique indexes that the statement brings and takes away.
    unique: BTreeMap<Vec<u8>, bool>,
    has_unique: bool,
    /// Indexes, and the fields at which they become multi.
    multi: Vec<(IndexId, u16)>,
}

struct StagedIndex<'c> {
    index: &'c Index,
    /// Of the document at hand, before and after.
    old: Entries,
    new: Entries,
    writes: Unsorted,
}

impl<'c> Staged<'c> {
    fn new(collection: &'c Collection) -> Self {
        let staged = |index: &'c Index| StagedIndex {
            index,
            old: Entries::default(),
            new: Entries::default(),
            writes: Unsorted::default(),
        };
        // They stand in the order in which they were made, which is that of their entries in the key space.
        let indexes: Vec<StagedIndex<'c>> = collection.indexes.iter().map(staged).collect();
        debug_assert!(indexes.is_sorted_by_key(|staged| staged.index.id));
        let has_unique = indexes.iter().any(|staged| staged.index.is_unique);
        Staged { collection, indexes, unique: BTreeMap::new(), has_unique, multi: Vec::new() }
    }

    /// Finds the entries of one change, before and after, in each index.
    fn prepare(&mut self, changes: &Changes, place: usize) -> Result<()> {
        if self.indexes.is_empty() {
            return Ok(());
        }
        let primary = changes.primary(place);
        let collection = self.collection;
        let mut prepare = || -> Result<()> {
            let open = |value| document::open_row(collection, value);
            let old = changes.old(place).map(|old| open(old)).transpose()?;
            let new = changes.after(place).map(open).transpose()?;
            for StagedIndex { index, old: old_entries, new: new_entries, .. } in &mut self.indexes {
                old_entries.clear();
                new_entries.clear();
                if let (Some(old), Some(new)) = (&old, &new)
                    && !index::is_touched(index, old, new)?
                {
                    continue;
                }
                if let Some(old) = old {
                    index::fill(old_entries, collection, index, old.into(), primary)?;
                }
                if let Some(new) = new {
                    index::fill(new_entries, collection, index, new.into(), primary)?;
                    let multi = new_entries.multi;
                    if multi & !index.facts.multi != 0 && !self.multi.contains(&(index.id, multi)) {
                        self.multi.push((index.id, multi));
                    }
                }
            }
            Ok(())
        };
        prepare().map_err(|error| document::naming(error, collection, primary))
    }

    /// Whether no other document has a value of a unique index that the change at hand brings.
    async fn check_unique<S: Storage>(&self, work: &Work<S>, primary: &[u8]) -> Result<()> {
        for staged in self.indexes.iter().filter(|staged| staged.index.is_unique) {
            for entry in staged.new.without(&staged.old) {
                self.check_entry(work, staged.index, entry, primary).await?;
            }
        }
        Ok(())
    }

    async fn check_entry<S: Storage>(&self, work: &Work<S>, index: &Index, entry: &[u8], primary: &[u8]) -> Result<()> {
        let values = entry.get(..entry.len().saturating_sub(primary.len())).unwrap_or_default();
        let range = KeyRange::prefix(values);
        let mut in_range = self.unique.range(range.start.clone()..).take_while(|(key, _)| range.contains(key));
        if let Some((taken, _)) = in_range.find(|(_, is_there)| **is_there) {
            return Err(taken_error(self.collection, index, values, taken));
        }
        let is_other = |taken: &[u8]| taken != entry && self.unique.get(taken) != Some(&false);
        if planted(Bug::UniqueUntracked) {
            let mut scan = work.transaction().snapshot().scan(range, Direction::Ascending);
            while let Some((taken, _)) = scan.next().await? {
                if is_other(&taken) {
                    return Err(taken_error(self.collection, index, values, &taken));
                }
            }
            return Ok(());
        }
        let mut scan = work.transaction().scan(range, Direction::Ascending);
        while let Some((taken, _)) = scan.next().await? {
            if is_other(&taken) {
                return Err(taken_error(self.collection, index, values, &taken));
            }
        }
        Ok(())
    }

    /// Takes the change at hand up; `stays` says whether there is a document afterwards.
    fn add(&mut self, stays: bool) {
        for StagedIndex { index, old, new, writes } in &mut self.indexes {
            for entry in old.without(new) {
                if index.is_unique {
                    self.unique.insert(entry.to_vec(), false);
                }
                if planted(Bug::IndexEntriesKept) && stays {
                    continue;
                }
                writes.set(entry, None);
            }
            for (entry, value) in new.unlike(old) {
                if index.is_unique {
                    self.unique.insert(entry.to_vec(), true);
                }
                writes.set(entry, Some(value));
            }
        }
    }

    /// Documents, then the entries of each index: the order of the key space.
    fn into_run(self, changes: &mut Changes) -> Run {
        let entries: usize = self.indexes.iter().map(|staged| staged.writes.len()).sum();
        let entry_bytes: usize = self.indexes.iter().map(|staged| staged.writes.len_bytes()).sum();
        let count = changes.pending() + entries;
        let mut run = RunBuilder::with_capacity(changes.len_bytes() + entry_bytes + 12 * count, count);
        for place in changes.in_order() {
            run.push(changes.key(place), changes.after(place));
        }
        for staged in &self.indexes {
            staged.writes.sort_into(&mut run);
        }
        run.finish()
    }
}

/// The error for a unique value that another document has.
pub(crate) fn taken_error(collection: &Collection, index: &Index, values: &[u8], taken: &[u8]) -> Error {
    let prefix = crate::engine::catalog::INDEX_PREFIX_LEN;
    let read = |bytes: Option<&[u8]>, parts: usize| {
        key::primary_to_value(parts, bytes.unwrap_or_default()).unwrap_or(Value::Null)
    };
    let value = read(values.get(prefix..), index.facts.fields.len());
    let holder = read(taken.get(values.len()..), collection.key_fields.len());
    let name = &index.facts.name;
    let message = format!("index `{name}` of collection `{}` has `{value}` already", collection.name);
    let error = Error::new(ErrorKind::AlreadyExists, message);
    let error = error.with_hint(format!("document `{holder}` has this value, and the index is unique"));
    let error = error.with_detail("collection", &collection.name).with_detail("index", name);
    error.with_value("key", codec::encoded(&holder)).with_value("value", codec::encoded(&value))
}
