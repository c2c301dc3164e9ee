//! Drafts: new documents on their way to rows, as trees or as a batch from the boundary.
//!
//! Not a write: whether a key is taken, and what is unique, is looked at later (`db/collection.rs`, `db/write.rs`).
//!
//! Invariants: shapes that documents need are committed before a row names them; a document that came without a key
//! has one afterwards.

use super::change::{Changes, Fate};
use super::define::{self, Needs};
use super::document;
use super::rules;
use super::work::Work;
use super::write::Mode;
use crate::engine::catalog::{Collection, CollectionId};
use crate::error::{Error, Result};
use crate::storage::Storage;
use crate::value::batch::{Batch, Rows};
use crate::value::shape::Lists;
use crate::value::{Object, Value, key, place, writer};
use std::borrow::Cow;
use std::rc::Rc;

/// Documents as a request has them.
#[derive(Clone, Debug)]
pub(crate) enum Docs<'a> {
    Trees(&'a [Value]),
    Batch(Batch<'a>),
}

impl Docs<'_> {
    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Docs::Trees(docs) => docs.len(),
            Docs::Batch(batch) => batch.len(),
        }
    }
}

/// A tree that becomes the row of the change with this place.
pub(crate) type Tree<'d> = (usize, Cow<'d, Object>);

/// New documents as changes with keys. Those that cannot be stored are refused in their place.
///
/// # Errors
/// `invalid` for a malformed batch; what defining shapes fails with.
pub(crate) async fn changes<S: Storage>(
    work: &Work<S>,
    id: CollectionId,
    docs: &Docs<'_>,
    mode: Mode,
) -> Result<Changes> {
    match docs {
        Docs::Trees(docs) => of_trees(work, id, docs, mode).await,
        Docs::Batch(batch) => of_batch(work, id, batch, mode).await,
    }
}

async fn of_trees<S: Storage>(work: &Work<S>, id: CollectionId, docs: &[Value], mode: Mode) -> Result<Changes> {
    let collection = collection(work, id).await?;
    let mut changes = Changes::with_capacity(docs.len(), 0);
    let mut trees = Vec::with_capacity(docs.len());
    for (place, doc) in docs.iter().enumerate() {
        match with_key(work, &collection, doc) {
            Ok((primary, tree, has_made_key)) => {
                changes.push_old(id, &primary, None);
                if let Some(change) = changes.list.last_mut() {
                    change.has_made_key = has_made_key;
                }
                trees.push((place, tree));
            }
            Err(error) => changes.push_refused(error),
        }
    }
    let trees = admit(work, &collection, &mut changes, trees, mode)?;
    write_trees(work, id, &mut changes, trees).await?;
    Ok(changes)
}

/// The primary key of a document, the document with it, and whether it was made.
///
/// # Errors
/// `invalid` where it is no document, or the key is none; `limit` where the key is too long.
pub(crate) fn with_key<'d, S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    doc: &'d Value,
) -> Result<(Vec<u8>, Cow<'d, Object>, bool)> {
    let Value::Object(document) = doc else {
        return Err(Error::invalid(format!("a document is an object, not {}", doc.type_name())));
    };
    let mut document = Cow::Borrowed(document);
    let lacks_key = matches!(collection.key_fields.as_slice(), [field] if field.get_in(&document).is_none());
    if let ([field], true) = (collection.key_fields.as_slice(), lacks_key) {
        document = Cow::Owned(place::set_in_front(document.into_owned(), field, made_key(work).into())?);
    }
    let primary = key::primary(&collection.key_fields, (&*document).into());
    let primary = primary.map_err(|error| error.with_detail("collection", &collection.name))?;
    Ok((primary, document, lacks_key))
}

fn made_key<S: Storage>(work: &Work<S>) -> String {
    work.shared.uuids.generate(&**work.shared.engine.env())
}

/// Holds new documents, as rows and as trees, against the schema of their collection: see [`rules::admit`].
pub(crate) fn admit<'d, S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    changes: &mut Changes,
    trees: Vec<Tree<'d>>,
    mode: Mode,
) -> Result<Vec<Tree<'d>>> {
    rules::admit(work.shared.rules.of(&collection.name).as_deref(), collection, changes, trees, mode)
}

/// Writes trees as the rows of their changes.
///
/// # Errors
/// What defining shapes fails with. A document that cannot be stored is refused in its place.
pub(crate) async fn write_trees<S: Storage>(
    work: &Work<S>,
    id: CollectionId,
    changes: &mut Changes,
    mut trees: Vec<Tree<'_>>,
) -> Result<()> {
    while !trees.is_empty() {
        let collection = collection(work, id).await?;
        let mut missing = Lists::default();
        trees.retain(|(place, tree)| {
            let lists = changes.set_new(*place, |row| writer::encode(tree, &collection.shapes, row));
            match lists {
                Ok(lists) if lists.is_empty() => false,
                Ok(lists) => {
                    changes.forget_new(*place);
                    lists.iter().for_each(|names| missing.add(names.clone()));
                    true
                }
                Err(error) => {
                    let error = document::naming(error, &collection, changes.primary(*place));
                    changes.set_fate(*place, Fate::Refused(error));
                    false
                }
            }
        });
        define_shapes(work, id, missing).await?;
    }
    Ok(())
}

async fn define_shapes<S: Storage>(work: &Work<S>, id: CollectionId, missing: Lists) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    // What there is no room for stays with its names: the next round finds no shape missing.
    define::grow(work, id, &Needs { shapes: missing, ..Needs::default() }).await
}

async fn of_batch<S: Storage>(work: &Work<S>, id: CollectionId, batch: &Batch<'_>, mode: Mode) -> Result<Changes> {
    loop {
        let collection = collection(work, id).await?;
        let mut rows = Rows::new(batch, &collection.shapes, key_at_top(&collection));
        let mut changes = Changes::with_capacity(batch.len(), batch.len_bytes());
        for place in 0..batch.len() {
            let written = changes.push_new(|row| rows.next(row, &mut || made_key(work)));
            let has_made_key = written.map_err(|error| at(error, place, batch.len()))?;
            if let Some(change) = changes.list.last_mut() {
                change.has_made_key = has_made_key;
            }
        }
        rows.finish()?;
        let trees = set_keys(work, &collection, &mut changes);
        let missing = rows.take_missing();
        // A statement that fails for a key has not even defined shapes. One that fails for its schema may have: rows that name
        // their shape are looked at far quicker.
        let is_over = mode == Mode::Together && changes.pending() < changes.len();
        if missing.is_empty() || is_over {
            let trees = admit(work, &collection, &mut changes, trees, mode)?;
            write_trees(work, id, &mut changes, trees).await?;
            return Ok(changes);
        }
        define_shapes(work, id, missing).await?;
    }
}

/// Takes the keys of documents from their rows. Answers documents that lack a key further down, as trees with one.
fn set_keys<'d, S: Storage>(work: &Work<S>, collection: &Collection, changes: &mut Changes) -> Vec<Tree<'d>> {
    let mut trees = Vec::new();
    for place in 0..changes.len() {
        let pushed = changes.set_key(place, collection.id, |value, key| {
            key::push_primary_of(key, &collection.key_fields, document::open(collection, value)?)
        });
        let Err(error) = pushed else { continue };
        match with_key_within(work, collection, changes, place) {
            Ok(Some(tree)) => trees.push((place, Cow::Owned(tree))),
            Ok(None) => {
                let error = error.with_detail("collection", &collection.name);
                changes.set_fate(place, Fate::Refused(error));
            }
            Err(error) => changes.set_fate(place, Fate::Refused(error)),
        }
    }
    trees
}

/// The key field, where it is one that stands at the top of documents.
fn key_at_top(collection: &Collection) -> Option<&str> {
    match collection.key_fields.as_slice() {
        [field] if field.parts().len() == 1 => Some(field.as_str()),
        _ => None,
    }
}

/// A document that lacks its key further down, as a tree with one; its change gets the key.
fn with_key_within<S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    changes: &mut Changes,
    place: usize,
) -> Result<Option<Object>> {
    let ([field], Some(value)) = (collection.key_fields.as_slice(), changes.after(place)) else { return Ok(None) };
    let view = document::open(collection, value)?;
    if field.get(view)?.is_none() {
        let tree = Value::Object(view.to_object()?);
        let (primary, tree, _) = with_key(work, collection, &tree)?;
        let tree = tree.into_owned();
        changes.set_key(place, collection.id, |_, key| {
            key.extend_from_slice(&primary);
            Ok(())
        })?;
        return Ok(Some(tree));
    }
    Ok(None)
}

/// The collection as the work knows it now.
async fn collection<S: Storage>(work: &Work<S>, id: CollectionId) -> Result<Rc<Collection>> {
    let catalog = work.catalog().await?;
    catalog.by_id(id).map(Rc::clone).ok_or_else(|| Error::internal("a collection went away"))
}

/// Says which of several it was.
pub(crate) fn at(error: Error, place: usize, of: usize) -> Error {
    if of == 1 { error } else { error.context(format!("document {place}")).with_detail("position", place) }
}
