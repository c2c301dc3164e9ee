//! Documents as they are stored: the value under a document's key.
//!
//! Not the row itself: that is `value/row.rs`. A value is one byte that says whether the document took the place of an
//! earlier one (1) or not (0), so that a change can be told as an update or an insert; then the row.

use crate::engine::catalog::Collection;
use crate::error::{Error, Result};
use crate::value::row::RowObject;
use crate::value::view::ObjectView;
use crate::value::{Object, Value, View, key, row};

/// Whether the document took the place of an earlier one.
pub(crate) fn replaced_another(value: &[u8]) -> bool {
    value.first() == Some(&1)
}

/// The byte in front of the row.
pub(crate) const fn head(replaces: bool) -> u8 {
    replaces as u8
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

/// Says in an error which document it was.
pub(crate) fn naming(error: Error, collection: &Collection, primary: &[u8]) -> Error {
    let key = key::primary_to_value(collection.key_fields.len(), primary);
    let key = key.map_or_else(|_| "?".to_owned(), |key| key.to_string());
    let error = error.context(format!("collection `{}`, document `{key}`", collection.name));
    error.with_detail("collection", &collection.name).with_detail("key", key)
}
