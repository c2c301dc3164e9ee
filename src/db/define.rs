//! Defining: collections as configured, and the parts of the catalog that grow while documents are written.
//!
//! Not the building of indexes over existing documents: that is `db/index_build.rs`.
//!
//! Invariants: a definition is committed before anything is written that relies on it; two contexts that define at
//! once are in conflict, and the later one looks again.

use super::config::{CollectionConfig, IndexSpec};
use super::run::{run, run_behind};
use super::shared::Shared;
use super::work::Work;
use crate::engine::catalog::{Collection, CollectionId, Index, IndexId, IndexState, Version};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{COLLECTIONS_MAX, INDEXES_PER_COLLECTION_MAX};
use crate::query::IndexFacts;
use crate::storage::{Durability, Storage};
use crate::value::Path;
use crate::value::shape::{Lists, Shapes};
use std::rc::Rc;

/// The key of a new collection that does not say it.
const DEFAULT_KEY_FIELD: &str = "id";

/// What documents need before they can be written.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Field lists without a shape.
    pub(crate) shapes: Lists,
    /// Indexes, and the fields at which they are to be multi.
    pub(crate) multi: Vec<(IndexId, u16)>,
}

impl Needs {
    pub(crate) fn is_empty(&self) -> bool {
        self.shapes.is_empty() && self.multi.is_empty()
    }
}

/// Makes the collections that are not there, compares the others, and answers which indexes are to be built over
/// existing documents.
///
/// # Errors
/// `invalid` where a collection has another key, or an index of the name is another; `limit` for too many.
pub(crate) async fn collections<S: Storage>(
    shared: &Rc<Shared<S>>,
    configured: &[CollectionConfig],
) -> Result<Vec<(String, IndexSpec)>> {
    if configured.is_empty() {
        return Ok(Vec::new());
    }
    let define = async |work: &Work<S>| {
        let mut to_build = Vec::new();
        let mut catalog = (*work.catalog().await?).clone();
        for config in configured {
            if let Some(collection) = catalog.collection(&config.name) {
                to_build.extend(compare(collection, config)?);
                continue;
            }
            if catalog.len() >= COLLECTIONS_MAX {
                return Err(Error::limit(format!("a database may have {COLLECTIONS_MAX} collections")));
            }
            let key_fields = match &config.key_fields {
                Some(fields) => fields.clone(),
                None => vec![Path::parse(DEFAULT_KEY_FIELD)?],
            };
            let collection = catalog.next_collection(&config.name, key_fields);
            // Another context may be giving out this number too.
            work.transaction().get(&collection.id.record_key()).await?;
            let mut entries = vec![collection.record(None)];
            if config.version > 1 {
                entries.push(Version::of_all(config.version).record(collection.id));
            }
            for (key, value) in new_indexes(collection, &config.indexes) {
                entries.push((key, value));
            }
            for (key, value) in entries {
                catalog.apply(&key, Some(&value))?;
                work.transaction().put(&key, &value)?;
            }
        }
        Ok(to_build)
    };
    Ok(run(shared, shared.durability, define).await?.0)
}

/// The entries of the indexes of a new collection: it has no documents, so they are ready.
fn new_indexes(mut collection: Collection, specs: &[IndexSpec]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut entries = Vec::new();
    for spec in specs {
        let index = new_index(&collection, spec, IndexState::Ready);
        entries.push(collection.index_record(&index));
        let record = collection.record(Some(index.id));
        collection.made(index.id);
        entries.push(record);
    }
    entries
}

/// An index of this description, with the next number.
pub(crate) fn new_index(collection: &Collection, spec: &IndexSpec, state: IndexState) -> Index {
    let name = spec.name.as_str().into();
    let weights = spec.weights.as_deref().map(Rc::from);
    let facts = IndexFacts { name, fields: spec.fields.clone(), sparse: spec.is_sparse, multi: 0, weights };
    Index { id: collection.next_index_id(), facts, is_unique: spec.is_unique, state, totals: Rc::default() }
}

/// The configured indexes that a stored collection lacks, or has not finished.
fn compare(collection: &Collection, config: &CollectionConfig) -> Result<Vec<(String, IndexSpec)>> {
    if let Some(fields) = &config.key_fields
        && *fields != collection.key_fields
    {
        let names = |fields: &[Path]| fields.iter().map(Path::as_str).collect::<Vec<_>>().join("`, `");
        let (stored, given) = (names(&collection.key_fields), names(fields));
        let message = format!("collection `{}` has the key `{stored}`, not `{given}`", config.name);
        let error = Error::invalid(message).with_detail("collection", &config.name);
        return Err(error.with_hint("open it with the key that it has; a collection's key cannot be changed"));
    }
    let mut to_build = Vec::new();
    for spec in &config.indexes {
        match collection.index(&spec.name) {
            Some(index) => {
                check_same(collection, index, spec, ErrorKind::Invalid)?;
                if index.state == IndexState::Building {
                    to_build.push((config.name.clone(), spec.clone()));
                }
            }
            None => to_build.push((config.name.clone(), spec.clone())),
        }
    }
    Ok(to_build)
}

/// Whether an index is the one that is described.
///
/// # Errors
/// Of the given kind where it is another one of the same name.
pub(crate) fn check_same(collection: &Collection, index: &Index, spec: &IndexSpec, kind: ErrorKind) -> Result<()> {
    let facts = &index.facts;
    let is_alike = facts.sparse == spec.is_sparse && index.is_unique == spec.is_unique;
    if is_alike && facts.fields == spec.fields && facts.weights.as_deref() == spec.weights.as_deref() {
        return Ok(());
    }
    let message = format!("index `{}` of collection `{}` is there with another definition", spec.name, collection.name);
    let error = Error::new(kind, message).with_hint("drop the index first, or give this one another name");
    Err(error.with_detail("collection", &collection.name).with_detail("index", &spec.name))
}

/// Whether one more index may be made.
pub(crate) fn check_room(collection: &Collection) -> Result<()> {
    if collection.indexes.len() >= INDEXES_PER_COLLECTION_MAX {
        let message = format!("collection `{}` may have {INDEXES_PER_COLLECTION_MAX} indexes", collection.name);
        return Err(Error::limit(message).with_detail("collection", &collection.name));
    }
    Ok(())
}

/// Whether an index may be made beside the others: there is one of text at most.
pub(crate) fn check_only_text(collection: &Collection, spec: &IndexSpec) -> Result<()> {
    let Some(other) = collection.text_index().filter(|_| spec.weights.is_some()) else { return Ok(()) };
    let (name, other) = (&collection.name, &other.facts.name);
    let error = Error::invalid(format!("collection `{name}` has the text index `{other}`, and may have one"));
    let error = error.with_hint("name all fields in one index, or drop the other first");
    Err(error.with_detail("collection", name).with_detail("index", other))
}

/// Commits what documents need, and takes it into the catalog of the work.
pub(crate) async fn grow<S: Storage>(work: &Work<S>, id: CollectionId, needs: &Needs) -> Result<()> {
    let define = async |define: &Work<S>| {
        let catalog = define.catalog().await?;
        let collection = catalog.by_id(id).ok_or_else(|| Error::internal("a collection went away"))?;
        define_shapes(define, collection, &needs.shapes).await?;
        for (index, _) in &needs.multi {
            let Some(known) = collection.indexes.iter().find(|known| known.id == *index) else { return Ok(false) };
            let mut changed = known.clone();
            // An index may be named several times, for one field and for another: its record has to have all of them.
            let all = needs.multi.iter().filter(|(named, _)| named == index);
            changed.facts.multi = all.fold(known.facts.multi, |multi, (_, more)| multi | more);
            if changed.facts.multi != known.facts.multi {
                let (key, value) = collection.index_record(&changed);
                define.transaction().get(&key).await?;
                define.transaction().put(&key, &value)?;
            }
        }
        Ok(true)
    };
    // Whatever relies on it is committed later, and so never survives without it.
    let (is_defined, _) = run_behind(&work.shared.define_gate, &work.shared, Durability::Relaxed, define).await?;
    if !is_defined {
        return Err(Error::new(ErrorKind::Conflict, "an index was dropped meanwhile"));
    }
    work.grow_catalog(&*work.shared.catalog().await?).await
}

async fn define_shapes<S: Storage>(define: &Work<S>, collection: &Collection, lists: &Lists) -> Result<()> {
    let mut shapes = Shapes::clone(&collection.shapes);
    for names in lists.iter() {
        if let Some(shape_id) = shapes.add(names)?
            && let Some(shape) = shapes.get(shape_id)
        {
            let key = collection.id.shape_key(shape_id);
            // Another context may be giving out this number too.
            define.transaction().get(&key).await?;
            define.transaction().put(&key, &shape.encode())?;
        }
    }
    Ok(())
}
