//! Migrations: bringing the documents of a collection to a newer version, in slices.
//!
//! Not the functions that say what a document becomes: those are the program's, and run between two requests, outside of
//! every borrow. Here is what they need: the documents that are older, a place to put what they became, and the collection's
//! version.
//!
//! How it goes, as `facade/migration.ts` does it: first all older documents are read and what they become is tried
//! ([`write`] that is only a trial), so that a function that fails is found while nothing has changed. Then the collection's
//! version is raised ([`begin`]). From there on contexts that know only the older one cannot write, for whoever writes has
//! read the collection's record; so no document becomes old again. Then the older ones are rewritten, a slice a transaction:
//! each document says what version it is at, so a migration that breaks off goes on where it was. At last it is noted that
//! there are none any more ([`end`]), and the next opening looks for none.
//!
//! Why it is not done while documents are being read: filters, orders and indexes are about the newer documents, and would
//! give wrong answers over older ones. So opening waits, and no query ever meets a document that is older than its program.
//!
//! Invariants: a document that is migrated keeps its key; what a migration wrote is of the newest version, valid and
//! indexed like any other write; a trial writes nothing.

use super::answer::counts;
use super::change::{Changes, Fate};
use super::collection;
use super::config::{parse_count, parse_version};
use super::document;
use super::draft::{self, Tree};
use super::operation::{Telling, write_error};
use super::request::{Request, Scope, encoded};
use super::rules;
use super::run::run;
use super::shared::Shared;
use super::work::{Reader, Work};
use super::write::{self, Mode};
use crate::engine::catalog::{Catalog, Collection, Version};
use crate::engine::{Direction, KeyRange};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Schema;
use crate::storage::Storage;
use crate::value::table::Table;
use crate::value::{Object, Value, View, codec};
use std::rc::Rc;

/// Documents that are looked at for one slice, older ones or not.
const LOOKED_AT_MAX: usize = 8192;
/// Bytes of documents in one slice.
const SLICE_BYTES: usize = 4 << 20;

/// The versions of all collections: `{ collections: [{ version, oldest, name }] }`.
pub(crate) fn versions(catalog: &Catalog) -> Object {
    let describe = |collection: &Rc<Collection>| {
        let Version { current, oldest } = collection.version;
        let mut described = counts(&[("version", current as usize), ("oldest", oldest as usize)]);
        described.set("name", Value::from(&*collection.name));
        Value::Object(described)
    };
    Object::from([("collections", Value::Array(catalog.iter().map(describe).collect()))])
}

/// Answers a request for one of the steps.
///
/// # Errors
/// What the steps fail with.
pub(crate) async fn answer<S: Storage>(scope: &Scope<'_, S>, request: &Request) -> Result<Vec<u8>> {
    let (op, name) = (request.text("op")?, request.text("collection")?);
    let version = || parse_version(request.needed("version")?);
    match (op, scope) {
        ("migration_read", _) => {
            let (reader, collection) = scope.read(request).await?;
            let after = match request.given("after") {
                Some(Value::Bytes(after)) => Some(&after[..]),
                _ => None,
            };
            let count = parse_count("max", request.needed("max")?)?;
            read(&reader, &collection, version()?, after, count).await
        }
        ("migration_write", Scope::Within(work, _)) => {
            let documents = request.list("documents")?;
            Ok(encoded(write(work, name, documents, &Purpose::Write).await?))
        }
        ("migration_write", Scope::Latest(shared)) => {
            // Nothing of a trial is committed.
            let schema = request.given("schema").map(Schema::compile).transpose()?.map(Rc::new);
            let work = Work::begin(shared)?;
            let documents = request.list("documents")?;
            Ok(encoded(write(&work, name, documents, &Purpose::Trial(schema)).await?))
        }
        ("migration_begin", Scope::Latest(shared)) => {
            begin(shared, name, version()?).await.map(|()| encoded(Object::new()))
        }
        (_, Scope::Latest(shared)) => end(shared, name, version()?).await.map(|()| encoded(Object::new())),
        _ => Err(Error::invalid(format!("`{op}` cannot be part of a transaction"))),
    }
}

/// Raises the version of a collection.
///
/// # Errors
/// `unsupported` where it is at a newer one.
pub(crate) async fn begin<S: Storage>(shared: &Rc<Shared<S>>, name: &str, version: u32) -> Result<()> {
    let raise = async |work: &Work<S>| {
        let collection = work.collection(name).await?;
        let known = collection.version;
        let is_empty = oldest(&work.reader(), &collection).await?.is_none();
        work.shared.rules.version(&collection)?;
        if known.current >= version {
            return Ok(());
        }
        let oldest = if is_empty { version } else { known.oldest };
        put(work, &collection, Version { current: version, oldest })
    };
    run(shared, shared.durability, raise).await.map(|_| ())
}

/// Notes that no document is older than this version, which the collection is at.
///
/// # Errors
/// `conflict` where it is at another one meanwhile.
pub(crate) async fn end<S: Storage>(shared: &Rc<Shared<S>>, name: &str, version: u32) -> Result<()> {
    let note = async |work: &Work<S>| {
        let collection = work.collection(name).await?;
        match collection.version {
            Version { current, .. } if current != version => {
                Err(Error::new(ErrorKind::Conflict, "the collection has another version meanwhile"))
            }
            Version { oldest, .. } if oldest == version => Ok(()),
            _ => put(work, &collection, Version::of_all(version)),
        }
    };
    run(shared, shared.durability, note).await.map(|_| ())
}

/// Writes the version, and the collection's record, so that writers that have read it notice.
fn put<S: Storage>(work: &Work<S>, collection: &Collection, version: Version) -> Result<()> {
    for (key, value) in [collection.record(None), version.record(collection.id)] {
        work.transaction().put(&key, &value)?;
    }
    Ok(())
}

async fn oldest<S: Storage>(reader: &Reader<S>, collection: &Collection) -> Result<Option<u32>> {
    let mut scan = reader.scan(KeyRange::prefix(&collection.id.documents()), Direction::Ascending);
    Ok(scan.next().await?.map(|(_, value)| document::version(&value)))
}

/// The next documents that are older than a version, behind a key; `{ docs, versions, last, lookedAt }`. Without `last`
/// there are no more.
///
/// # Errors
/// `corrupt` for damaged documents.
pub(crate) async fn read<S: Storage>(
    reader: &Reader<S>,
    collection: &Collection,
    version: u32,
    after: Option<&[u8]>,
    count: usize,
) -> Result<Vec<u8>> {
    let mut range = KeyRange::prefix(&collection.id.documents());
    if let Some(after) = after {
        range.start.extend_from_slice(after);
        range.start.push(0);
    }
    let mut scan = reader.scan(range, Direction::Ascending);
    let (mut docs, mut versions, mut last) = (Table::default(), Vec::new(), Value::Null);
    let (mut looked_at, mut size_bytes) = (0, 0);
    while let Some((key, value)) = scan.next().await? {
        looked_at += 1;
        let primary = key.get(crate::engine::catalog::DOCUMENT_PREFIX_LEN..).unwrap_or_default();
        let at = document::version(&value);
        if at < version {
            let pushed = document::open(collection, &value).and_then(|view| docs.push(View::Object(view)));
            pushed.map_err(|error| document::naming(error, collection, primary))?;
            versions.push(Value::count(at as usize));
            size_bytes += value.len();
        }
        if versions.len() >= count || size_bytes > SLICE_BYTES || looked_at >= LOOKED_AT_MAX {
            last = Value::Bytes(primary.to_vec());
            break;
        }
    }
    let mut out = Vec::new();
    codec::push_object(&mut out, 4);
    codec::push_name(&mut out, "docs");
    docs.finish(&mut out);
    for (name, value) in [("versions", versions.into()), ("last", last), ("lookedAt", Value::count(looked_at))] {
        codec::push_name(&mut out, name);
        codec::encode((&value).into(), &mut out)?;
    }
    Ok(out)
}

/// Whether documents are only tried, against this schema, or written.
pub(crate) enum Purpose {
    Trial(Option<Rc<Schema>>),
    Write,
}

/// Puts migrated documents in the place of those with their keys, or tries to; `{ writeErrors }`. Where there are any,
/// nothing is written.
///
/// # Errors
/// What a write fails with that is not about one document.
pub(crate) async fn write<S: Storage>(work: &Work<S>, name: &str, docs: &[Value], purpose: &Purpose) -> Result<Object> {
    let collection = work.collection(name).await?;
    let mut changes = Changes::with_capacity(docs.len(), 0);
    let mut trees: Vec<Tree<'_>> = Vec::with_capacity(docs.len());
    for (place, doc) in docs.iter().enumerate() {
        match draft::with_key(work, &collection, doc) {
            Ok((primary, tree, _)) => {
                changes.push_old(collection.id, &primary, None);
                trees.push((place, tree));
            }
            Err(error) => changes.push_refused(error),
        }
    }
    let order = changes.in_order();
    let is_repeated = order.windows(2).any(|pair| matches!(pair, [a, b] if changes.key(*a) == changes.key(*b)));
    for (place, stored) in collection::read(work, &changes, &order).await? {
        match stored {
            Some(stored) if !is_repeated => changes.set_old(place, stored),
            _ => {
                let error = Error::invalid("a migration changed the key of a document");
                let error = error.with_hint("a document keeps its key; delete it and insert another afterwards");
                changes.set_fate(place, Fate::Refused(error));
            }
        }
    }
    let (schema, is_trial) = match purpose {
        Purpose::Trial(schema) => (schema.clone(), true),
        Purpose::Write => (work.shared.rules.of(name), false),
    };
    let trees = rules::admit(schema.as_deref(), &collection, &mut changes, trees, Mode::Each)?;
    if !is_trial && changes.pending() == changes.len() {
        draft::write_trees(work, collection.id, &mut changes, trees).await?;
    }
    if !is_trial && changes.pending() == changes.len() {
        let collection = work.collection(name).await?;
        write::write(work, &collection, &mut changes, Mode::Together).await?;
    }
    let mut errors = Vec::new();
    while let Some((place, error)) = changes.take_refused() {
        errors.push(write_error(place, &error, Telling::Whole));
    }
    Ok(Object::from([("writeErrors", Value::Array(errors))]))
}
