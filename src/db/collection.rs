//! The writing calls of a collection: insert, put, update, replace, delete, and many of them at once.
//!
//! Not retried and not committed here: each call is work in a transaction that someone else ends.
//!
//! Invariants: a call chooses its documents before it writes the first of them; it writes all that it answers for, or
//! fails and writes nothing.

use super::change::{Changes, Fate};
use super::document::{self, Keys};
use super::draft::{self, Docs, Tree, at};
use super::find::{Find, Query, Reading};
use super::work::Work;
use super::write::{self, Mode};
use crate::engine::Slice;
use crate::engine::catalog::Collection;
use crate::error::{Error, ErrorKind, Result};
use crate::query::update::{Patched, Update};
use crate::query::{Filter, Sort};
use crate::storage::Storage;
use crate::value::{Object, Value, codec, key, order, place};
use std::borrow::Cow;
use std::rc::Rc;

/// What came of an insert.
#[derive(Debug)]
pub(crate) struct Inserted {
    /// The keys, null where a document was not written.
    pub(crate) ids: Keys,
    /// Why documents were not written, by their place.
    pub(crate) errors: Vec<(usize, Error)>,
}

/// What came of an update.
#[derive(Debug, Default)]
pub(crate) struct Updated {
    pub(crate) matched: usize,
    pub(crate) modified: usize,
    pub(crate) upserted: Option<Value>,
}

/// What a matching document becomes.
pub(crate) enum Becomes<'a> {
    /// Changed by an update.
    Updated(&'a Update),
    /// Another document with the same key.
    Replaced(&'a Object),
}

/// Inserts documents; those without a key get a UUIDv7.
pub(crate) async fn insert<S: Storage>(work: &Work<S>, name: &str, docs: &Docs<'_>, mode: Mode) -> Result<Inserted> {
    let id = work.collection(name).await?.id;
    let mut changes = draft::changes(work, id, docs, mode).await?;
    let collection = work.collection(name).await?;
    refuse_taken_keys(work, &collection, &mut changes).await?;
    if mode == Mode::Together
        && let Some((place, error)) = changes.take_refused()
    {
        return Err(at(error, place, docs.len()));
    }
    write::write(work, &collection, &mut changes, mode).await?;
    let mut inserted = Inserted { ids: Keys::default(), errors: Vec::new() };
    for place in 0..changes.len() {
        let written = changes.after(place).filter(|_| changes.is_pending(place));
        let view = written.map(|value| document::open(&collection, value)).transpose()?;
        inserted.ids.push(&collection, view)?;
    }
    while let Some(refused) = changes.take_refused() {
        inserted.errors.push(refused);
    }
    Ok(inserted)
}

/// Refuses the documents whose key another has: one that is stored, or an earlier one of the statement.
async fn refuse_taken_keys<S: Storage>(work: &Work<S>, collection: &Collection, changes: &mut Changes) -> Result<()> {
    let mut order = changes.in_order();
    drop_repeated(changes, &mut order, |changes, _, later| {
        let error = key_taken(collection, changes.primary(later));
        changes.set_fate(later, Fate::Refused(error));
        later
    });
    order.retain(|place| !changes.has_made_key(*place));
    for (place, stored) in read(work, changes, &order).await? {
        if stored.is_some() {
            let error = key_taken(collection, changes.primary(place));
            changes.set_fate(place, Fate::Refused(error));
        }
    }
    Ok(())
}

/// Leaves one change of each key in the order; `choose` says of two which one goes.
fn drop_repeated(
    changes: &mut Changes,
    order: &mut Vec<usize>,
    mut choose: impl FnMut(&mut Changes, usize, usize) -> usize,
) {
    order.dedup_by(|later, kept| {
        let is_same = changes.key(*later) == changes.key(*kept);
        if is_same && choose(changes, *kept, *later) == *kept {
            *kept = *later;
        }
        is_same
    });
}

/// What is stored under the keys of these changes, which stand in the order of their keys.
pub(crate) async fn read<S: Storage>(
    work: &Work<S>,
    changes: &Changes,
    order: &[usize],
) -> Result<impl Iterator<Item = (usize, Option<Slice>)> + use<S>> {
    let keys: Vec<&[u8]> = order.iter().map(|place| changes.key(*place)).collect();
    let stored = work.transaction().get_many(&keys).await?;
    let order = order.to_vec();
    Ok(order.into_iter().zip(stored))
}

/// Writes documents, whether their keys are taken or not. Answers the keys.
pub(crate) async fn put<S: Storage>(work: &Work<S>, name: &str, docs: &Docs<'_>) -> Result<Keys> {
    let id = work.collection(name).await?.id;
    let mut changes = draft::changes(work, id, docs, Mode::Together).await?;
    let collection = work.collection(name).await?;
    if let Some((place, error)) = changes.take_refused() {
        return Err(at(error, place, docs.len()));
    }
    let mut keys = Keys::default();
    for place in 0..changes.len() {
        keys.push(&collection, Some(document::open(&collection, changes.after(place).unwrap_or_default())?))?;
    }
    let mut order = changes.in_order();
    // Of two documents with one key the later one stays.
    drop_repeated(&mut changes, &mut order, |changes, earlier, _| {
        changes.set_fate(earlier, Fate::Idle);
        earlier
    });
    order.retain(|place| !changes.has_made_key(*place));
    for (place, stored) in read(work, &changes, &order).await? {
        if let Some(stored) = stored {
            changes.set_old(place, stored);
        }
    }
    write::write(work, &collection, &mut changes, Mode::Together).await?;
    Ok(keys)
}

/// Updates or replaces what matches: one document, or all of them.
pub(crate) async fn update<S: Storage>(
    work: &Work<S>,
    name: &str,
    query: Query,
    becomes: &Becomes<'_>,
    upsert: Upsert,
) -> Result<Updated> {
    let collection = work.collection(name).await?;
    let filter = query.filter.clone();
    let mut changes = matching(work, &collection, query).await?;
    let mut updated = Updated { matched: changes.len(), ..Updated::default() };
    if changes.len() == 0 && upsert == Upsert::Insert {
        let document = upserted(work, &collection, &filter, becomes)?;
        let inserted = insert(work, name, &Docs::Trees(&[document.into()]), Mode::Together).await?;
        updated.upserted = Some(inserted.ids.into_value()?);
        return Ok(updated);
    }
    let mut trees = Vec::new();
    for place in 0..changes.len() {
        become_new(&collection, &mut changes, place, becomes, &mut trees)?;
    }
    updated.modified = changes.pending();
    write_all(work, name, &mut changes, trees).await?;
    Ok(updated)
}

/// Writes changes, some of which are still trees.
pub(crate) async fn write_all<S: Storage>(
    work: &Work<S>,
    name: &str,
    changes: &mut Changes,
    trees: Vec<Tree<'_>>,
) -> Result<()> {
    let collection = work.collection(name).await?;
    let trees = draft::admit(work, &collection, changes, trees, Mode::Together)?;
    draft::write_trees(work, collection.id, changes, trees).await?;
    if let Some((_, error)) = changes.take_refused() {
        return Err(error);
    }
    // With the shapes that were made meanwhile.
    let collection = work.collection(name).await?;
    write::write(work, &collection, changes, Mode::Together).await
}

/// Whether a document is made where none matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upsert {
    Insert,
    Nothing,
}

/// Updates the first document that matches in an order; answers it as it was and as it is.
pub(crate) async fn find_and_update<S: Storage>(
    work: &Work<S>,
    name: &str,
    (filter, sort): (Filter, Sort),
    becomes: &Becomes<'_>,
    upsert: Upsert,
) -> Result<(Option<Object>, Option<Object>)> {
    let collection = work.collection(name).await?;
    let query = Query { sort, limit: Some(1), ..Query::of(filter.clone()) };
    let mut changes = matching(work, &collection, query).await?;
    let Some(old) = changes.old(0) else {
        if upsert == Upsert::Nothing {
            return Ok((None, None));
        }
        let document = upserted(work, &collection, &filter, becomes)?;
        let primary = key::primary(&collection.key_fields, (&document).into())?;
        insert(work, name, &Docs::Trees(&[document.clone().into()]), Mode::Together).await?;
        return Ok((None, Some(as_written(work, name, &primary, document).await?)));
    };
    let before = document::to_object(&collection, changes.primary(0), old)?;
    let after = changed(&collection, changes.primary(0), &before, becomes)?;
    let tree = after.as_ref().map(|after| (0, Cow::Borrowed(after)));
    if tree.is_none() {
        changes.set_fate(0, Fate::Idle);
    }
    write_all(work, name, &mut changes, tree.into_iter().collect()).await?;
    let after = match after {
        Some(after) => as_written(work, name, changes.primary(0), after).await?,
        None => before.clone(),
    };
    Ok((Some(before), Some(after)))
}

/// A document that was just written, with what its schema filled in.
async fn as_written<S: Storage>(work: &Work<S>, name: &str, primary: &[u8], document: Object) -> Result<Object> {
    if work.shared.rules.of(name).is_none() {
        return Ok(document);
    }
    // With the shapes that were made meanwhile.
    let collection = work.collection(name).await?;
    let mut key = collection.id.documents();
    key.extend_from_slice(primary);
    match work.transaction().get(&key).await? {
        Some(value) => document::to_object(&collection, primary, &value),
        None => Ok(document),
    }
}

/// Deletes what matches; answers how many.
pub(crate) async fn delete<S: Storage>(work: &Work<S>, name: &str, query: Query) -> Result<usize> {
    let collection = work.collection(name).await?;
    let mut changes = matching(work, &collection, query).await?;
    write::write(work, &collection, &mut changes, Mode::Together).await?;
    Ok(changes.len())
}

/// Deletes by key; answers how many were there.
pub(crate) async fn delete_keys<S: Storage>(work: &Work<S>, name: &str, keys: &[Value]) -> Result<usize> {
    let collection = work.collection(name).await?;
    let mut changes = Changes::with_capacity(keys.len(), 0);
    for (place, value) in keys.iter().enumerate() {
        let primary = key::primary_from_value(&collection.key_fields, value.into());
        let primary = primary.map_err(|error| at(error, place, keys.len()))?;
        changes.push_old(collection.id, &primary, None);
    }
    let mut order = changes.in_order();
    drop_repeated(&mut changes, &mut order, |changes, _, later| {
        changes.set_fate(later, Fate::Idle);
        later
    });
    for (place, stored) in read(work, &changes, &order).await? {
        match stored {
            Some(stored) => changes.set_old(place, stored),
            None => changes.set_fate(place, Fate::Idle),
        }
    }
    let deleted = changes.pending();
    write::write(work, &collection, &mut changes, Mode::Together).await?;
    Ok(deleted)
}

/// What matches, each as a change that deletes it.
async fn matching<S: Storage>(work: &Work<S>, collection: &Rc<Collection>, query: Query) -> Result<Changes> {
    let find = Find::new(work.reader(), Rc::clone(collection), query, Reading::Documents)?;
    let mut find = find.watched(&work.shared.slow);
    let mut changes = Changes::default();
    while let Some(found) = find.next().await? {
        changes.push_old(collection.id, found.primary(), found.value.clone());
    }
    Ok(changes)
}

/// Sets what a document becomes, as a row where that is quickly done, else as a tree. One that stays as it is is idle.
pub(crate) fn become_new(
    collection: &Collection,
    changes: &mut Changes,
    place: usize,
    becomes: &Becomes<'_>,
    trees: &mut Vec<Tree<'_>>,
) -> Result<()> {
    let Some(old) = changes.old(place).cloned() else { return Ok(()) };
    if let Becomes::Updated(update) = becomes {
        let row = document::open_row(collection, &old);
        let row = row.map_err(|error| document::naming(error, collection, changes.primary(place)))?;
        let patched = changes.set_new(place, |bytes| update.patch(&row, &collection.key_fields, bytes));
        match patched.map_err(|error| document::naming(error, collection, changes.primary(place)))? {
            Patched::Changed => return Ok(()),
            Patched::Same => {
                changes.set_fate(place, Fate::Idle);
                return Ok(());
            }
            Patched::Not => changes.forget_new(place),
        }
    }
    let before = document::to_object(collection, changes.primary(place), &old)?;
    match changed(collection, changes.primary(place), &before, becomes)? {
        Some(after) => trees.push((place, Cow::Owned(after))),
        None => changes.set_fate(place, Fate::Idle),
    }
    Ok(())
}

/// What a document becomes; none where it stays as it is.
fn changed(collection: &Collection, primary: &[u8], before: &Object, becomes: &Becomes<'_>) -> Result<Option<Object>> {
    let after = match becomes {
        Becomes::Updated(update) => {
            let applied = update.apply(before, &collection.key_fields);
            applied.map_err(|error| document::naming(error, collection, primary))?.0
        }
        Becomes::Replaced(document) => {
            let document = with_key_of(collection, (*document).clone(), before)?;
            if key::primary(&collection.key_fields, (&document).into())? != primary {
                let error = Error::invalid("a replacement cannot have another key");
                return Err(document::naming(error, collection, primary));
            }
            document
        }
    };
    Ok((after != *before).then_some(after))
}

/// The document with the key fields that it lacks taken from another.
fn with_key_of(collection: &Collection, mut document: Object, other: &Object) -> Result<Object> {
    for field in collection.key_fields.iter().rev() {
        if let (None, Some(value)) = (field.get_in(&document), field.get_in(other)) {
            document = place::set_in_front(document, field, value.clone())?;
        }
    }
    Ok(document)
}

/// The document that an upsert makes: what the filter says must be equal, then the update.
fn upserted<S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    filter: &Filter,
    becomes: &Becomes<'_>,
) -> Result<Object> {
    let mut seed = Object::new();
    for (path, value) in filter.equalities() {
        let known = path.get_in(&seed);
        if known.is_some_and(|known| order::compare_values(known, value).is_ne()) {
            return Err(Error::invalid(format!("the filter of an upsert has two values for `{path}`")));
        }
        place::set(&mut seed, path, value.clone())?;
    }
    let document = match becomes {
        Becomes::Updated(update) => update.insert(&seed)?,
        Becomes::Replaced(document) => with_key_of(collection, (*document).clone(), &seed)?,
    };
    Ok(draft::with_key(work, collection, &document.into())?.1.into_owned())
}

fn key_taken(collection: &Collection, primary: &[u8]) -> Error {
    let key = key::primary_to_value(collection.key_fields.len(), primary).unwrap_or(Value::Null);
    let message = format!("collection `{}` has a document with key `{key}` already", collection.name);
    let error = Error::new(ErrorKind::AlreadyExists, message);
    error
        .with_detail("collection", &collection.name)
        .with_detail("index", "primary")
        .with_value("key", codec::encoded(&key))
}
