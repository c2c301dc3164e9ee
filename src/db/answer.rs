//! Answers: what the reading calls give back, encoded as the boundary wants it.
//!
//! Not a choice of documents: they come from `db/find.rs`, and go from the row into the answer without becoming trees.

use super::document;
use super::find::{Find, Found, Query, Reading};
use super::work::Reader;
use crate::engine::catalog::Collection;
use crate::error::{Error, Result};
use crate::query::Projection;
use crate::storage::Storage;
use crate::value::{Object, Path, Value, View, codec, key};
use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Encoded values, counted.
#[derive(Default)]
struct List {
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

    /// `{ name: [...] }`.
    fn named(&self, name: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 32);
        codec::push_object(&mut out, 1);
        codec::push_name(&mut out, name);
        self.finish(&mut out);
        out
    }
}

fn push_document(list: &mut List, of: &Collection, found: &Found, projection: Option<&Projection>) -> Result<()> {
    let value = found.value.as_deref().unwrap_or_default();
    let pushed = document::open(of, value).and_then(|view| match projection {
        None => list.push(View::Object(view)),
        Some(projection) => list.push(View::from(&Value::Object(projection.apply(view)?))),
    });
    pushed.map_err(|error| document::naming(error, of, found.primary()))
}

/// `{ docs: [...] }`.
pub(crate) async fn docs<S: Storage>(mut find: Find<S>, projection: Option<&Projection>) -> Result<Vec<u8>> {
    let mut list = List::default();
    while let Some(found) = find.next().await? {
        push_document(&mut list, find.collection(), &found, projection)?;
    }
    Ok(list.named("docs"))
}

/// `{ docs: [...], done }`: the next part of a cursor. Answers whether it came to the end.
pub(crate) async fn part<S: Storage>(
    find: &mut Find<S>,
    projection: Option<&Projection>,
    count: usize,
) -> Result<(Vec<u8>, bool)> {
    let mut list = List::default();
    let mut done = false;
    while list.count < count.max(1) && !done {
        match find.next().await? {
            Some(found) => push_document(&mut list, find.collection(), &found, projection)?,
            None => done = true,
        }
    }
    let mut out = Vec::with_capacity(list.bytes.len() + 32);
    codec::push_object(&mut out, 2);
    codec::push_name(&mut out, "docs");
    list.finish(&mut out);
    codec::push_name(&mut out, "done");
    codec::encode(View::Bool(done), &mut out)?;
    Ok((out, done))
}

/// `{ keys: [...] }`.
pub(crate) async fn keys<S: Storage>(reader: Reader<S>, mut find: Find<S>) -> Result<Vec<u8>> {
    let mut list = List::default();
    while let Some(found) = find.next().await? {
        let collection = Rc::clone(find.collection());
        let key = match document::key_without_row(&collection, found.primary())? {
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
                let key = document::key_of(&collection, found.primary(), &value);
                key.map_err(|error| document::naming(error, &collection, found.primary()))?
            }
        };
        list.push(View::from(&key))?;
    }
    Ok(list.named("keys"))
}

/// How many there are.
pub(crate) async fn count<S: Storage>(mut find: Find<S>) -> Result<usize> {
    let mut count = 0;
    while find.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// `{ count, columns: [[field, [...]] ...] }`.
pub(crate) async fn columns<S: Storage>(mut find: Find<S>, fields: &[Path]) -> Result<Vec<u8>> {
    let mut columns: Vec<List> = fields.iter().map(|_| List::default()).collect();
    let mut count = 0;
    while let Some(found) = find.next().await? {
        count += 1;
        let value = found.value.as_deref().unwrap_or_default();
        let of = find.collection();
        let pushed = document::open(of, value).and_then(|view| {
            let mut each = fields.iter().zip(&mut columns);
            each.try_for_each(|(field, column)| column.push(field.get(view)?.unwrap_or(View::Null)))
        });
        pushed.map_err(|error| document::naming(error, of, found.primary()))?;
    }
    let mut out = Vec::new();
    codec::push_object(&mut out, 2);
    codec::push_name(&mut out, "count");
    codec::encode(View::from(&Value::count(count)), &mut out)?;
    codec::push_name(&mut out, "columns");
    codec::push_array(&mut out, fields.len());
    for (field, column) in fields.iter().zip(&columns) {
        codec::push_array(&mut out, 2);
        codec::encode(View::String(field.as_str()), &mut out)?;
        column.finish(&mut out);
    }
    Ok(out)
}

/// The values at a path, each once, in their order; arrays by element.
pub(crate) async fn distinct<S: Storage>(mut find: Find<S>, field: &Path) -> Result<Vec<Value>> {
    let mut values: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    while let Some(found) = find.next().await? {
        let of = find.collection();
        let value = found.value.as_deref().unwrap_or_default();
        let mut add = |value: View<'_>| -> Result<()> {
            if let std::collections::btree_map::Entry::Vacant(place) = values.entry(key::encode(value)?) {
                place.insert(value.to_value()?);
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
    Ok(values.into_values().collect())
}

/// `{ docs: [doc | null ...] }`, for each key in turn.
pub(crate) async fn get<S: Storage>(reader: &Reader<S>, collection: &Collection, keys: &[Value]) -> Result<Vec<u8>> {
    let mut list = List::default();
    let mut stored = collection.id.documents();
    let prefix_len = stored.len();
    for value in keys {
        let primary = key::primary_from_value(&collection.key_fields, value.into())?;
        stored.truncate(prefix_len);
        stored.extend_from_slice(&primary);
        match reader.get(&stored).await? {
            Some(value) => {
                let pushed = document::open(collection, &value).and_then(|view| list.push(View::Object(view)));
                pushed.map_err(|error| document::naming(error, collection, &primary))?;
            }
            None => list.push(View::Null)?,
        }
    }
    Ok(list.named("docs"))
}

/// `{ documents, bytes }` of a collection: its documents as stored, without indexes.
pub(crate) async fn sizes<S: Storage>(reader: Reader<S>, collection: &Rc<Collection>) -> Result<(usize, usize)> {
    let query = Query::of(crate::query::Filter::all());
    let mut find = Find::new(reader, Rc::clone(collection), query, Reading::Documents)?;
    let (mut documents, mut size_bytes) = (0, 0);
    while let Some(found) = find.next().await? {
        documents += 1;
        size_bytes += found.value.as_deref().unwrap_or_default().len();
    }
    Ok((documents, size_bytes))
}

/// An object of counts.
pub(crate) fn counts(counts: &[(&str, usize)]) -> Object {
    let mut object = Object::new();
    for (name, count) in counts {
        object.set(*name, Value::count(*count));
    }
    object
}
