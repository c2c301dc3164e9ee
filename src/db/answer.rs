//! Answers: what the reading calls give back, encoded as the boundary wants it.
//!
//! Not a choice of documents: they come from `db/find.rs`, and go from the row into the answer without becoming trees.

use super::document;
use super::find::{Chosen, Find, Found, Keys, Query, Reading};
use super::work::Reader;
use crate::engine::Engine;
use crate::engine::catalog::Collection;
use crate::error::{Error, Result};
use crate::query::{Column, Projection};
use crate::sorted;
use crate::storage::Storage;
use crate::value::table::Table;
use crate::value::{Object, Path, Value, View, codec, key, table};
use core::ops::ControlFlow;
use std::collections::HashSet;
use std::rc::Rc;

/// Documents that are read and encoded together.
const BATCH: usize = 1024;
/// So many documents are sooner encoded one by one.
const FEW: usize = 3;

/// Encoded values, counted.
#[derive(Default)]
pub(super) struct List {
    count: usize,
    bytes: Vec<u8>,
}

impl List {
    fn push(&mut self, value: View<'_>) -> Result<()> {
        self.count += 1;
        codec::encode(value, &mut self.bytes)
    }

    /// Appends them as an array.
    fn finish(&self, out: &mut Vec<u8>) {
        codec::push_array(out, self.count);
        out.extend_from_slice(&self.bytes);
    }
}

/// Documents on their way out: a few one by one, many as a table.
pub(super) enum Documents {
    Few(List),
    Many(Box<Table>),
}

impl Documents {
    /// For at most so many; none is given where it is not known.
    pub(super) fn of(count_max: Option<usize>) -> Documents {
        match count_max {
            Some(count) if count <= FEW => Documents::Few(List::default()),
            _ => Documents::Many(Box::default()),
        }
    }

    pub(super) fn push(&mut self, value: View<'_>) -> Result<()> {
        match self {
            Documents::Few(list) => list.push(value),
            Documents::Many(table) => table.push(value),
        }
    }

    fn push_found<S: Storage>(&mut self, find: &Find<S>, found: &Found, projection: Option<&Projection>) -> Result<()> {
        let of = find.collection();
        if let Some(made) = found.covered(find.cover()) {
            let pushed = made.and_then(|made| self.push(View::from(&Value::Object(made))));
            return pushed.map_err(|error| document::naming(error, of, found.primary()));
        }
        let projection = projection.map(|projection| (projection, found.score));
        self.push_scored(of, found.primary(), found.stored(), projection)
    }

    /// Adds a document as it is stored.
    pub(super) fn push_stored(
        &mut self,
        of: &Collection,
        primary: &[u8],
        value: &[u8],
        projection: Option<&Projection>,
    ) -> Result<()> {
        self.push_scored(of, primary, value, projection.map(|projection| (projection, 0.0)))
    }

    fn push_scored(
        &mut self,
        of: &Collection,
        primary: &[u8],
        value: &[u8],
        projection: Option<(&Projection, f64)>,
    ) -> Result<()> {
        let pushed = document::open(of, value).and_then(|view| match projection {
            None => self.push(View::Object(view)),
            Some((projection, score)) => self.push(View::from(&Value::Object(projection.apply_scored(view, score)?))),
        });
        pushed.map_err(|error| document::naming(error, of, primary))
    }

    /// Appends them as an array.
    pub(super) fn finish(self, out: &mut Vec<u8>) {
        match self {
            Documents::Few(list) => list.finish(out),
            Documents::Many(table) => table.finish(out),
        }
    }

    /// `{ docs: [...] }`.
    pub(super) fn named(self) -> Vec<u8> {
        let mut out = Vec::new();
        codec::push_object(&mut out, 1);
        codec::push_name(&mut out, "docs");
        self.finish(&mut out);
        out
    }

    /// `{ docs: [...], done }`.
    pub(super) fn part(self, done: bool) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        codec::push_object(&mut out, 2);
        codec::push_name(&mut out, "docs");
        self.finish(&mut out);
        codec::push_name(&mut out, "done");
        codec::encode(View::Bool(done), &mut out)?;
        Ok(out)
    }
}

/// `{ docs: [...] }`.
pub(crate) async fn docs<S: Storage>(mut find: Find<S>, projection: Option<&Projection>) -> Result<Vec<u8>> {
    let mut documents = Documents::of(find.limit());
    loop {
        let batch = find.next_batch(BATCH).await?;
        if batch.is_empty() {
            return Ok(documents.named());
        }
        for found in &batch {
            documents.push_found(&find, found, projection)?;
        }
    }
}

/// `{ docs: [...], done }`: the next part of a cursor. Answers whether it came to the end.
pub(crate) async fn part<S: Storage>(
    find: &mut Find<S>,
    projection: Option<&Projection>,
    count: usize,
) -> Result<(Vec<u8>, bool)> {
    let count = count.max(1);
    let mut documents = Documents::of(Some(count));
    let (mut left, mut done) = (count, false);
    while left > 0 && !done {
        let batch = find.next_batch(left.min(BATCH)).await?;
        for found in &batch {
            documents.push_found(find, found, projection)?;
        }
        left -= batch.len();
        done = batch.is_empty();
    }
    Ok((documents.part(done)?, done))
}

/// `{ keys: [...] }`.
pub(crate) async fn keys<S: Storage>(reader: Reader<S>, mut find: Find<S>) -> Result<Vec<u8>> {
    let mut table = Table::default();
    loop {
        let batch = find.next_batch(BATCH).await?;
        if batch.is_empty() {
            break;
        }
        let collection = find.collection();
        for found in &batch {
            let key = match document::key_without_row(collection, found.primary())? {
                Some(key) => key,
                None => {
                    let value = match found.value.clone() {
                        Some(value) => value,
                        None => {
                            let key = [&*collection.id.documents(), found.primary()].concat();
                            let missing = || Error::corrupt("an index names a document that is not there");
                            reader.get(&key).await?.ok_or_else(missing)?
                        }
                    };
                    let key = document::key_of(collection, found.primary(), &value);
                    key.map_err(|error| document::naming(error, collection, found.primary()))?
                }
            };
            table.push(View::from(&key))?;
        }
    }
    let mut out = Vec::new();
    codec::push_object(&mut out, 1);
    codec::push_name(&mut out, "keys");
    table.finish(&mut out);
    Ok(out)
}

/// `{ count, columns: [[field, [...]] ...] }`.
pub(crate) async fn columns<S: Storage>(mut find: Find<S>, fields: &[Path]) -> Result<Vec<u8>> {
    let wanted: Vec<Column> = fields.iter().cloned().map(Column::Path).collect();
    if let Some(chosen) = find.choose(&wanted).await? {
        return chosen_columns(&chosen, &wanted, fields);
    }
    let mut columns: Vec<Table> = fields.iter().map(|_| Table::default()).collect();
    let mut count = 0;
    loop {
        let batch = find.next_batch(BATCH).await?;
        if batch.is_empty() {
            break;
        }
        count += batch.len();
        for found in &batch {
            let of = find.collection();
            let pushed = document::open(of, found.stored()).and_then(|view| {
                let mut each = fields.iter().zip(&mut columns);
                each.try_for_each(|(field, column)| column.push(field.get(view)?.unwrap_or(View::Null)))
            });
            pushed.map_err(|error| document::naming(error, of, found.primary()))?;
        }
    }
    let mut out = begin_columns(count, columns.len())?;
    for (field, column) in fields.iter().zip(columns) {
        push_column(field.as_str(), &mut out)?;
        column.finish(&mut out);
    }
    Ok(out)
}

/// `{ count, columns: [` so many columns follow.
pub(super) fn begin_columns(count: usize, columns: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    codec::push_object(&mut out, 2);
    codec::push_name(&mut out, "count");
    codec::encode(View::from(&Value::count(count)), &mut out)?;
    codec::push_name(&mut out, "columns");
    codec::push_array(&mut out, columns);
    Ok(out)
}

/// `[field,` its values follow.
pub(super) fn push_column(field: &str, out: &mut Vec<u8>) -> Result<()> {
    codec::push_array(out, 2);
    codec::encode(View::String(field), out)
}

fn chosen_columns(chosen: &Chosen, wanted: &[Column], fields: &[Path]) -> Result<Vec<u8>> {
    let mut out = begin_columns(chosen.len(), fields.len())?;
    // So much as doubles take: what takes less leaves room for a moment.
    out.reserve_exact(fields.len() * (8 * chosen.len() + 64));
    for (field, column) in fields.iter().zip(wanted) {
        let vector = chosen.vector(column).ok_or_else(|| Error::internal("a column was not asked for"))?;
        push_column(field.as_str(), &mut out)?;
        table::vectors::put(&vector, chosen.some_rows(), &mut out)?;
    }
    Ok(out)
}

/// The values at a path, each once, in their order; arrays by element.
pub(crate) async fn distinct<S: Storage>(mut find: Find<S>, field: &Path) -> Result<Vec<Value>> {
    let mut seen: HashSet<Vec<u8>> = HashSet::new();
    let mut values: Vec<(Vec<u8>, Value)> = Vec::new();
    let mut some = find.one_of_each(field).await?.map(Vec::into_iter);
    while let Some(found) = match &mut some {
        Some(some) => some.next(),
        None => find.next().await?,
    } {
        let of = find.collection();
        let value = found.stored();
        let mut add = |value: View<'_>| -> Result<()> {
            let key = key::encode(value)?;
            if seen.insert(key.clone()) {
                values.push((key, value.to_value()?));
            }
            Ok(())
        };
        let visited = document::open(of, value).and_then(|view| {
            field.visit(view, &mut |found| {
                match found {
                    Some(View::Array(elements)) => elements.iter().try_for_each(|element| add(element?))?,
                    Some(value) => add(value)?,
                    None => {}
                }
                Ok(ControlFlow::Continue(()))
            })
        });
        let _ = visited.map_err(|error| document::naming(error, of, found.primary()))?;
    }
    let key_at = |place: usize| values.get(place).map(|(key, _)| key);
    let order = sorted::order(values.len(), &mut |left, right| key_at(left).cmp(&key_at(right)));
    Ok(order
        .into_iter()
        .filter_map(|place| values.get_mut(place).map(|(_, value)| core::mem::replace(value, Value::Null)))
        .collect())
}

/// `{ docs: [doc | null ...] }`, for each key in turn.
pub(crate) async fn get<S: Storage>(reader: &Reader<S>, collection: &Collection, keys: &[Value]) -> Result<Vec<u8>> {
    let mut documents = Documents::of(Some(keys.len()));
    for keys in keys.chunks(BATCH) {
        let primary = |key: &Value| key::primary_from_value(&collection.key_fields, key.into());
        let primaries = keys.iter().map(primary).collect::<Result<Vec<_>>>()?;
        let stored = Keys::of(collection, primaries.iter().map(Vec::as_slice));
        for (primary, value) in primaries.iter().zip(reader.get_many(&stored.each()).await?) {
            let pushed = match value {
                Some(value) => document::open(collection, &value).and_then(|view| documents.push(View::Object(view))),
                None => documents.push(View::Null),
            };
            pushed.map_err(|error| document::naming(error, collection, primary))?;
        }
    }
    Ok(documents.named())
}

/// The same for one stored document, or none.
pub(crate) fn one(collection: &Collection, value: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut documents = List::default();
    documents.push(match value {
        Some(value) => View::Object(document::open(collection, value)?),
        None => View::Null,
    })?;
    Ok(Documents::Few(documents).named())
}

/// `{ documents, bytes }` of a collection: its documents as stored, without indexes.
pub(crate) async fn sizes<S: Storage>(reader: Reader<S>, collection: &Rc<Collection>) -> Result<(usize, usize)> {
    let query = Query::of(crate::query::Filter::all());
    let mut find = Find::new(reader, Rc::clone(collection), query, Reading::Documents)?;
    let (mut documents, mut size_bytes) = (0, 0);
    while let Some(found) = find.next().await? {
        documents += 1;
        size_bytes += found.stored().len();
    }
    Ok((documents, size_bytes))
}

/// What a find really reads, for people.
pub(crate) async fn execution<S: Storage>(mut find: Find<S>, engine: &Engine<S>) -> Result<Object> {
    let (start_ms, fetched) = (engine.env().monotonic_ms(), engine.figures().cache_misses);
    let mut returned = 0;
    loop {
        match find.next_batch(BATCH).await?.len() {
            0 => break,
            more => returned += more,
        }
    }
    let reads = find.reads();
    let fetched = usize::try_from(engine.figures().cache_misses - fetched).unwrap_or(usize::MAX);
    let mut execution = counts(&[
        ("keys", reads.keys),
        ("documents", reads.documents),
        ("blocksFetched", fetched),
        ("returned", returned),
    ]);
    let time_ms = engine.env().monotonic_ms() - start_ms;
    execution.set("timeMs", Value::number(time_ms).unwrap_or(Value::Null));
    Ok(execution)
}

/// An object of counts.
pub(crate) fn counts(counts: &[(&str, usize)]) -> Object {
    let mut object = Object::new();
    for (name, count) in counts {
        object.set(*name, Value::count(*count));
    }
    object
}
