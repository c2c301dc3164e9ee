//! The writing calls of a collection: insert, put, update, replace, delete, and many of them at once.
//!
//! Not retried and not committed here: each call is work in a transaction that someone else ends.
//!
//! Invariants: a call chooses its documents before it writes the first of them; it writes all that it answers for, or
//! fails and writes nothing.

use super::document;
use super::find::{Find, Query, Reading};
use super::work::Work;
use super::write::{self, Change, Mode};
use crate::engine::catalog::Collection;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Filter, Sort};
use crate::storage::Storage;
use crate::value::update::{self, Update};
use crate::value::{Object, Value, key, order};
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// What came of an insert.
#[derive(Debug)]
pub(crate) struct Inserted {
    /// The keys, null where a document was not written.
    pub(crate) ids: Vec<Value>,
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
pub(crate) async fn insert<S: Storage>(work: &Work<S>, name: &str, docs: &[Value], mode: Mode) -> Result<Inserted> {
    let collection = work.collection(name).await?;
    let mut changes: Vec<Change<'_>> = Vec::with_capacity(docs.len());
    let mut places: HashMap<Vec<u8>, usize> = HashMap::with_capacity(docs.len());
    let mut inserted = Inserted { ids: vec![Value::Null; docs.len()], errors: Vec::new() };
    let mut of_change = Vec::with_capacity(docs.len());
    for (place, doc) in docs.iter().enumerate() {
        let change = match new_document(work, &collection, doc) {
            Ok((primary, _, _)) if places.contains_key(&primary) => Err(key_taken(&collection, &primary)),
            Ok((primary, document, KeyOrigin::Made)) => Ok(Change { primary, old: None, new: Some(document) }),
            Ok((primary, document, KeyOrigin::Given)) => match stored(work, &collection, &primary).await? {
                None => Ok(Change { primary, old: None, new: Some(document) }),
                Some(_) => Err(key_taken(&collection, &primary)),
            },
            Err(error) => Err(error),
        };
        match change {
            Ok(change) => {
                places.insert(change.primary.clone(), place);
                of_change.push(place);
                changes.push(change);
            }
            Err(error) if mode == Mode::Each && write::is_of_document(&error) => inserted.errors.push((place, error)),
            Err(error) => return Err(at(error, place, docs.len())),
        }
    }
    let errors = write::write(work, collection.id, &changes, mode).await?;
    for ((place, change), error) in of_change.into_iter().zip(&changes).zip(errors) {
        match (error, inserted.ids.get_mut(place), &change.new) {
            (Some(error), _, _) => inserted.errors.push((place, error)),
            (None, Some(id), Some(document)) => *id = document::key_in(&collection, (&**document).into())?,
            _ => {}
        }
    }
    inserted.errors.sort_by_key(|(place, _)| *place);
    Ok(inserted)
}

/// Writes documents, whether their keys are taken or not. Answers the keys.
pub(crate) async fn put<S: Storage>(work: &Work<S>, name: &str, docs: &[Value]) -> Result<Vec<Value>> {
    let collection = work.collection(name).await?;
    let mut changes: Vec<Change<'_>> = Vec::with_capacity(docs.len());
    let mut places: HashMap<Vec<u8>, usize> = HashMap::with_capacity(docs.len());
    let mut keys = Vec::with_capacity(docs.len());
    for (place, doc) in docs.iter().enumerate() {
        let (primary, document, _) =
            new_document(work, &collection, doc).map_err(|error| at(error, place, docs.len()))?;
        keys.push(document::key_in(&collection, (&*document).into())?);
        // Of two documents with one key the later one stays.
        if let Some(change) = places.get(&primary).and_then(|earlier| changes.get_mut(*earlier)) {
            change.new = Some(document);
            continue;
        }
        let old = stored(work, &collection, &primary).await?;
        places.insert(primary.clone(), changes.len());
        changes.push(Change { primary, old, new: Some(document) });
    }
    write::write(work, collection.id, &changes, Mode::Together).await?;
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
    if changes.is_empty() && upsert == Upsert::Insert {
        let document = upserted(work, &collection, &filter, becomes)?;
        let inserted = insert(work, name, &[document.into()], Mode::Together).await?;
        updated.upserted = inserted.ids.into_iter().next();
        return Ok(updated);
    }
    for change in &mut changes {
        become_new(&collection, change, becomes)?;
    }
    changes.retain(|change| change.new.is_some());
    updated.modified = changes.len();
    write::write(work, collection.id, &changes, Mode::Together).await?;
    Ok(updated)
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
    let query = Query { filter: filter.clone(), sort, skip: 0, limit: Some(1) };
    let mut changes = matching(work, &collection, query).await?;
    let Some(change) = changes.first_mut() else {
        if upsert == Upsert::Nothing {
            return Ok((None, None));
        }
        let document = upserted(work, &collection, &filter, becomes)?;
        insert(work, name, &[document.clone().into()], Mode::Together).await?;
        return Ok((None, Some(document)));
    };
    let old = change.old.as_deref().unwrap_or_default();
    let before = document::to_object(&collection, &change.primary, old)?;
    become_new(&collection, change, becomes)?;
    let after = change.new.as_deref().unwrap_or(&before).clone();
    changes.retain(|change| change.new.is_some());
    write::write(work, collection.id, &changes, Mode::Together).await?;
    Ok((Some(before), Some(after)))
}

/// Deletes what matches; answers how many.
pub(crate) async fn delete<S: Storage>(work: &Work<S>, name: &str, query: Query) -> Result<usize> {
    let collection = work.collection(name).await?;
    let changes = matching(work, &collection, query).await?;
    write::write(work, collection.id, &changes, Mode::Together).await?;
    Ok(changes.len())
}

/// Deletes by key; answers how many were there.
pub(crate) async fn delete_keys<S: Storage>(work: &Work<S>, name: &str, keys: &[Value]) -> Result<usize> {
    let collection = work.collection(name).await?;
    let mut changes: Vec<Change<'_>> = Vec::with_capacity(keys.len());
    let mut seen = HashMap::with_capacity(keys.len());
    for (place, value) in keys.iter().enumerate() {
        let primary = key::primary_from_value(&collection.key_fields, value.into());
        let primary = primary.map_err(|error| at(error, place, keys.len()))?;
        if seen.insert(primary.clone(), ()).is_none()
            && let Some(old) = stored(work, &collection, &primary).await?
        {
            changes.push(Change { primary, old: Some(old), new: None });
        }
    }
    write::write(work, collection.id, &changes, Mode::Together).await?;
    Ok(changes.len())
}

/// What matches, each as a change that deletes it.
async fn matching<'d, S: Storage>(
    work: &Work<S>,
    collection: &Rc<Collection>,
    query: Query,
) -> Result<Vec<Change<'d>>> {
    let mut find = Find::new(work.reader(), Rc::clone(collection), query, Reading::Documents)?;
    let mut changes = Vec::new();
    while let Some(found) = find.next().await? {
        changes.push(Change { primary: found.primary().to_vec(), old: found.value, new: None });
    }
    Ok(changes)
}

/// Sets what a document becomes; leaves it none where it stays as it is.
fn become_new(collection: &Collection, change: &mut Change<'_>, becomes: &Becomes<'_>) -> Result<()> {
    let old = change.old.as_deref().unwrap_or_default();
    let before = document::to_object(collection, &change.primary, old)?;
    let after = match becomes {
        Becomes::Updated(update) => {
            let applied = update.apply(&before, &collection.key_fields);
            applied.map_err(|error| document::naming(error, collection, &change.primary))?.0
        }
        Becomes::Replaced(document) => {
            let document = with_key_of(collection, (*document).clone(), &before)?;
            if key::primary(&collection.key_fields, (&document).into())? != change.primary {
                let error = Error::invalid("a replacement cannot have another key");
                return Err(document::naming(error, collection, &change.primary));
            }
            document
        }
    };
    change.new = (after != before).then_some(Cow::Owned(after));
    Ok(())
}

/// The document with the key fields that it lacks taken from another.
fn with_key_of(collection: &Collection, mut document: Object, other: &Object) -> Result<Object> {
    for field in collection.key_fields.iter().rev() {
        if let (None, Some(value)) = (field.get_in(&document), field.get_in(other)) {
            document = update::in_front(document, field, value.clone())?;
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
        update::assign(&mut seed, path, value.clone())?;
    }
    let document = match becomes {
        Becomes::Updated(update) => update.apply(&seed, &[])?.0,
        Becomes::Replaced(document) => with_key_of(collection, (*document).clone(), &seed)?,
    };
    Ok(new_document(work, collection, &document.into())?.1.into_owned())
}

/// Where a document's key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyOrigin {
    Given,
    Made,
}

/// The primary key of a document, and the document with it.
fn new_document<'d, S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    doc: &'d Value,
) -> Result<(Vec<u8>, Cow<'d, Object>, KeyOrigin)> {
    let Value::Object(document) = doc else {
        return Err(Error::invalid(format!("a document is an object, not {}", doc.type_name())));
    };
    let mut document = Cow::Borrowed(document);
    let mut origin = KeyOrigin::Given;
    if let [field] = collection.key_fields.as_slice()
        && field.get_in(&document).is_none()
    {
        let key = work.shared.uuids.generate(&**work.shared.engine.env());
        document = Cow::Owned(update::in_front(document.into_owned(), field, key.into())?);
        origin = KeyOrigin::Made;
    }
    let primary = key::primary(&collection.key_fields, (&*document).into());
    let primary = primary.map_err(|error| error.with_detail("collection", &collection.name))?;
    Ok((primary, document, origin))
}

async fn stored<S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    primary: &[u8],
) -> Result<Option<crate::engine::Slice>> {
    let mut key = collection.id.documents();
    key.extend_from_slice(primary);
    work.transaction().get(&key).await
}

fn key_taken(collection: &Collection, primary: &[u8]) -> Error {
    let key = key::primary_to_value(collection.key_fields.len(), primary);
    let key = key.map_or_else(|_| "?".to_owned(), |key| key.to_string());
    let message = format!("collection `{}` has a document with key `{key}` already", collection.name);
    let error = Error::new(ErrorKind::AlreadyExists, message);
    error.with_detail("collection", &collection.name).with_detail("index", "primary").with_detail("key", key)
}

/// Says which of several it was.
fn at(error: Error, place: usize, of: usize) -> Error {
    if of == 1 { error } else { error.context(format!("document {place}")).with_detail("position", place) }
}
