//! Documents as they are stored: the value under a document's key.
//!
//! Not the row itself: that is `value/row.rs`. A value is one byte, then the row. The lowest bit of the byte says whether the
//! document took the place of an earlier one, so that a change can be told as an update or an insert; the others are the
//! version that the document is at (`engine/catalog/version.rs`), less one.

use crate::engine::catalog::Collection;
use crate::error::{Error, Result};
use crate::value::row::RowObject;
use crate::value::view::ObjectView;
use crate::value::{Object, Value, View, codec, key, row};

/// Whether the document took the place of an earlier one.
pub(crate) fn replaced_another(value: &[u8]) -> bool {
    value.first().is_some_and(|head| head & 1 == 1)
}

/// The version that the document is at.
pub(crate) fn version(value: &[u8]) -> u32 {
    value.first().map_or(1, |head| u32::from(head >> 1) + 1)
}

/// What a version, from 1 to [`VERSION_MAX`](crate::engine::catalog::VERSION_MAX), adds to the byte in front of the row.
pub(crate) const fn stamp(version: u32) -> u8 {
    (version.saturating_sub(1) << 1) as u8
}

/// The byte in front of the row.
pub(crate) const fn head(replaces: bool) -> u8 {
    replaces as u8
}

/// The row of a stored value, not opened.
pub(crate) fn row_of(value: &[u8]) -> &[u8] {
    value.get(1..).unwrap_or_default()
}

/// Opens the row of a stored value.
pub(crate) fn open<'a>(collection: &'a Collection, value: &'a [u8]) -> Result<ObjectView<'a>> {
    Ok(open_row(collection, value)?.into())
}

/// The same, for whoever compares rows.
pub(crate) fn open_row<'a>(collection: &'a Collection, value: &'a [u8]) -> Result<RowObject<'a>> {
    let (_, row) = value.split_first().ok_or_else(|| Error::corrupt("document is empty"))?;
    row::open_row(row, &collection.shapes)
}

/// The document as a tree.
pub(crate) fn to_object(collection: &Collection, primary: &[u8], value: &[u8]) -> Result<Object> {
    let document = open(collection, value).and_then(|view| view.to_object());
    document.map_err(|error| naming(error, collection, primary))
}

/// The document's key as the user wrote it: from the row where the key's bytes have forgotten the type.
pub(crate) fn key_of(collection: &Collection, primary: &[u8], value: &[u8]) -> Result<Value> {
    match key_without_row(collection, primary)? {
        Some(key) => Ok(key),
        None => key_in(collection, open(collection, value)?),
    }
}

/// The document's key, where its bytes are enough: a number might have been a bigint.
pub(crate) fn key_without_row(collection: &Collection, primary: &[u8]) -> Result<Option<Value>> {
    let key = key::primary_to_value(collection.key_fields.len(), primary)?;
    let is_number = |value: &Value| matches!(value, Value::Number(_) | Value::BigInt(_));
    let is_exact = match &key {
        Value::Array(parts) => !parts.iter().any(is_number),
        key => !is_number(key),
    };
    Ok(is_exact.then_some(key))
}

/// The key of a document: one value, or an array where the key is compound.
pub(crate) fn key_in(collection: &Collection, document: ObjectView<'_>) -> Result<Value> {
    let mut parts = Vec::with_capacity(collection.key_fields.len());
    for field in &collection.key_fields {
        parts.push(field.get(document)?.map_or(Ok(Value::Null), |value: View<'_>| value.to_value())?);
    }
    match parts.len() {
        1 => parts.pop().ok_or_else(|| Error::internal("a key without parts")),
        _ => Ok(Value::Array(parts)),
    }
}

/// Keys of documents as an answer has them, encoded one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    encoded: Vec<u8>,
    count: usize,
}

impl Keys {
    /// Adds the key of a document, or null for none.
    pub(crate) fn push(&mut self, collection: &Collection, document: Option<ObjectView<'_>>) -> Result<()> {
        self.count += 1;
        let Some(document) = document else { return codec::encode(View::Null, &mut self.encoded) };
        if collection.key_fields.len() != 1 {
            codec::push_array(&mut self.encoded, collection.key_fields.len());
        }
        for field in &collection.key_fields {
            codec::encode(field.get(document)?.unwrap_or(View::Null), &mut self.encoded)?;
        }
        Ok(())
    }

    /// Adds those of another list.
    pub(crate) fn append(&mut self, other: &Keys) {
        self.encoded.extend_from_slice(&other.encoded);
        self.count += other.count;
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// The only one.
    pub(crate) fn into_value(self) -> Result<Value> {
        codec::decode(&self.encoded)
    }

    /// Appends them as an array.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        codec::push_array(out, self.count);
        out.extend_from_slice(&self.encoded);
    }
}

/// Says in an error which document it was.
pub(crate) fn naming(error: Error, collection: &Collection, primary: &[u8]) -> Error {
    let key = key::primary_to_value(collection.key_fields.len(), primary).unwrap_or(Value::Null);
    let error = error.context(format!("collection `{}`, document `{key}`", collection.name));
    error.with_detail("collection", &collection.name).with_value("key", codec::encoded(&key))
}
