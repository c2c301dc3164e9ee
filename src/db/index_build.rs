//! Index builds: making an index over documents that are there already, and taking one away.
//!
//! Not in the way of others: documents are entered in slices, each a transaction of its own, while this and other
//! contexts go on writing.
//!
//! Why nothing is missed: the definition of the index writes the collection's record, which every writer has read; so
//! whoever commits a document after it knows the index and keeps it. Documents from before are entered by the slices,
//! each of which is in conflict with whoever changes what it read.
//!
//! Invariants: an index is read only once it is ready; a build that breaks off leaves an index that is kept but not
//! read, and the next build of the same index goes over it again; a unique index that cannot be is not left behind.

use super::config::IndexSpec;
use super::define::{self, Needs, check_only_text, check_room, check_same, new_index};
use super::document;
use super::run::run;
use super::shared::Shared;
use super::work::{Work, no_collection};
use super::write::taken_error;
use crate::engine::catalog::{Collection, CollectionId, DOCUMENT_PREFIX_LEN, Index, IndexId, IndexState};
use crate::engine::index::{Entries, entries};
use crate::engine::{Direction, KeyRange, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Durability, Storage};
use crate::value::Name;
use core::cell::Cell;
use std::rc::Rc;

/// Documents entered, or entries deleted, in one transaction.
const SLICE_COUNT: usize = 512;

/// Makes an index; where the same one is there already, nothing happens. Answers its name.
///
/// # Errors
/// `already_exists` where an index of the name is another one, or two documents have a value that is to be unique;
/// `invalid` or `limit` where a document cannot be indexed. Then the index is not there.
pub(crate) async fn create<S: Storage>(shared: &Rc<Shared<S>>, collection: &str, spec: &IndexSpec) -> Result<()> {
    let announce = async |work: &Work<S>| announce(work, collection, spec).await;
    let (announced, _) = run(shared, shared.durability, announce).await?;
    let Some((id, index)) = announced else { return Ok(()) };
    let name: Name = spec.name.as_str().into();
    let built = build(shared, id, index, &name).await;
    shared.builds.borrow_mut().remove(&(id, name));
    if let Err(error) = &built
        && !error.kind().retryable()
        && error.kind() != ErrorKind::Closed
    {
        // What went wrong is said by the first error, whatever becomes of the rest.
        let _ = drop_index(shared, collection, &spec.name).await;
    }
    built
}

/// Writes the definition; none where there is nothing to build.
async fn announce<S: Storage>(work: &Work<S>, name: &str, spec: &IndexSpec) -> Result<Option<(CollectionId, IndexId)>> {
    let collection = work.collection(name).await?;
    if let Some(index) = collection.index(&spec.name) {
        check_same(&collection, index, spec, ErrorKind::AlreadyExists)?;
        return Ok((index.state == IndexState::Building).then_some((collection.id, index.id)));
    }
    check_room(&collection)?;
    check_only_text(&collection, spec)?;
    let documents = KeyRange::prefix(&collection.id.documents());
    let is_empty = work.transaction().scan(documents, Direction::Ascending).next().await?.is_none();
    let state = if is_empty { IndexState::Ready } else { IndexState::Building };
    let index = new_index(&collection, spec, state);
    for (key, value) in [collection.index_record(&index), collection.record(Some(index.id))] {
        work.transaction().put(&key, &value)?;
    }
    Ok((!is_empty).then_some((collection.id, index.id)))
}

async fn build<S: Storage>(shared: &Rc<Shared<S>>, id: CollectionId, index: IndexId, name: &Name) -> Result<()> {
    let total = count(shared, id).await?;
    let progress = |done: usize| {
        shared.builds.borrow_mut().insert((id, name.clone()), (done, total.max(done)));
    };
    progress(0);
    let mut from = id.documents();
    let mut done = 0;
    loop {
        // A slice that was in conflict is tried again with half as many documents.
        let slice = Cell::new(SLICE_COUNT);
        let enter = async |work: &Work<S>| {
            let size = slice.get();
            slice.set((size / 2).max(1));
            enter(work, id, index, &from, size).await
        };
        let ((entered, last), _) = run(shared, Durability::Relaxed, enter).await?;
        done += entered;
        progress(done);
        let Some(last) = last else { break };
        from = last.to_vec();
        from.push(0);
        shared.engine.env().sleep(0).await;
    }
    let finish = async |work: &Work<S>| {
        let (collection, mut found) = find_index(work, id, index).await?;
        found.state = IndexState::Ready;
        let (key, value) = collection.index_record(&found);
        work.transaction().get(&key).await?;
        work.transaction().put(&key, &value)
    };
    run(shared, shared.durability, finish).await.map(|_| ())
}

async fn count<S: Storage>(shared: &Rc<Shared<S>>, id: CollectionId) -> Result<usize> {
    let mut scan = shared.engine.snapshot()?.scan(KeyRange::prefix(&id.documents()), Direction::Ascending);
    let mut total = 0;
    while scan.next().await?.is_some() {
        total += 1;
    }
    Ok(total)
}

async fn find_index<S: Storage>(work: &Work<S>, id: CollectionId, index: IndexId) -> Result<(Rc<Collection>, Index)> {
    let catalog = work.catalog().await?;
    let collection = catalog.by_id(id).ok_or_else(|| Error::internal("a collection went away"))?;
    let found = collection.indexes.iter().find(|known| known.id == index).cloned();
    let dropped = || Error::new(ErrorKind::NotFound, "the index was dropped while it was being built");
    Ok((Rc::clone(collection), found.ok_or_else(dropped)?))
}

/// Enters a slice of documents. Answers how many, and the last one unless the end was reached.
async fn enter<S: Storage>(
    work: &Work<S>,
    id: CollectionId,
    index: IndexId,
    from: &[u8],
    count: usize,
) -> Result<(usize, Option<Slice>)> {
    let (collection, index) = find_index(work, id, index).await?;
    work.transaction().get(&collection.id.index_key(index.id)).await?;
    let range = KeyRange { start: from.to_vec(), end: KeyRange::prefix(&id.documents()).end };
    let mut scan = work.transaction().scan(range, Direction::Ascending);
    let mut documents: Vec<(Slice, Entries)> = Vec::with_capacity(count);
    let mut multi = 0;
    while documents.len() < count {
        let Some((key, value)) = scan.next().await? else { break };
        let primary = key.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default();
        let document = document::open(&collection, &value).and_then(|view| entries(&collection, &index, view, primary));
        let entries = document.map_err(|error| document::naming(error, &collection, primary))?;
        multi |= entries.multi;
        documents.push((key, entries));
    }
    if multi & !index.facts.multi != 0 {
        let needs = Needs { multi: vec![(index.id, multi)], ..Needs::default() };
        define::grow(work, id, &needs).await?;
        return Err(Error::new(ErrorKind::Conflict, "the index was changed by its own build"));
    }
    for (key, entries) in &documents {
        let primary = key.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default();
        for (entry, value) in entries.pairs() {
            if index.is_unique {
                check_unique(work, &collection, &index, entry, primary).await?;
            }
            work.transaction().put(entry, value)?;
        }
    }
    let is_full = documents.len() == count;
    let last = documents.last().filter(|_| is_full).map(|(key, _)| key.clone());
    Ok((documents.len(), last))
}

async fn check_unique<S: Storage>(
    work: &Work<S>,
    collection: &Collection,
    index: &Index,
    entry: &[u8],
    primary: &[u8],
) -> Result<()> {
    let values = entry.get(..entry.len().saturating_sub(primary.len())).unwrap_or_default();
    let mut scan = work.transaction().scan(KeyRange::prefix(values), Direction::Ascending);
    while let Some((taken, _)) = scan.next().await? {
        if taken.as_bytes() != entry {
            return Err(taken_error(collection, index, values, &taken));
        }
    }
    Ok(())
}

/// Takes an index away, then deletes its entries in slices.
///
/// # Errors
/// `not_found` where there is no such index.
pub(crate) async fn drop_index<S: Storage>(shared: &Rc<Shared<S>>, collection: &str, name: &str) -> Result<()> {
    let take_away = async |work: &Work<S>| {
        let found = work.collection(collection).await?;
        let index = found.index(name).ok_or_else(|| {
            let error = Error::new(ErrorKind::NotFound, format!("collection `{collection}` has no index `{name}`"));
            error.with_detail("collection", collection).with_detail("index", name)
        })?;
        let (record, value) = found.record(None);
        work.transaction().get(&found.id.index_key(index.id)).await?;
        work.transaction().put(&record, &value)?;
        work.transaction().delete(&found.id.index_key(index.id))?;
        work.transaction().put(&found.id.dropped_key(index.id), &[])
    };
    run(shared, shared.durability, take_away).await?;
    while sweep(shared).await? {}
    Ok(())
}

/// Deletes a slice of entries of indexes that were dropped. Answers whether more may be left.
pub(crate) async fn sweep<S: Storage>(shared: &Rc<Shared<S>>) -> Result<bool> {
    let delete = async |work: &Work<S>| {
        let catalog = work.catalog().await?;
        let Some((collection, index)) = catalog.dropped().next() else { return Ok(false) };
        // Nobody reads or writes these entries any more: they need not be validated.
        let range = KeyRange::prefix(&collection.index_entries(index));
        let mut scan = work.transaction().snapshot().scan(range, Direction::Ascending);
        for _ in 0..SLICE_COUNT {
            let Some((key, _)) = scan.next().await? else {
                work.transaction().delete(&collection.dropped_key(index))?;
                return Ok(true);
            };
            work.transaction().delete(&key)?;
        }
        Ok(true)
    };
    Ok(run(shared, Durability::Relaxed, delete).await?.0)
}

/// How far the build of an index is: documents done, and all. Zeros where it is not being built here.
///
/// # Errors
/// `not_found` where the collection does not exist.
pub(crate) async fn progress<S: Storage>(
    shared: &Rc<Shared<S>>,
    collection: &str,
    name: &str,
) -> Result<(usize, usize)> {
    let catalog = shared.catalog().await?;
    let collection = catalog.collection(collection).ok_or_else(|| no_collection(collection))?;
    let builds = shared.builds.borrow();
    Ok(builds.get(&(collection.id, Name::from(name))).copied().unwrap_or_default())
}
