//! Writing rows: the form that `value/row.rs` defines and reads.
//!
//! Not a store: bytes are appended to a buffer, and what shapes are new is for the caller to keep.
//!
//! Invariants: one pass, no copy; a document that is too deep or too large leaves the buffer as it was.

use crate::bytes::{put_slice, put_varint};
use crate::error::{Error, Result};
use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use crate::value::row::{
    RowObject, SAFE_INTEGER_MAX, TAG_ARRAY, TAG_BIGINT, TAG_BYTES, TAG_DATE, TAG_FALSE, TAG_INTEGER, TAG_NULL,
    TAG_NUMBER, TAG_OBJECT, TAG_STRING, TAG_TRUE,
};
use crate::value::shape::{Lists, ShapeId, Shapes};
use crate::value::{Name, Number, Object, Value};

/// Appends a document as a row, where all its shapes are known. Otherwise answers the field lists that have no shape
/// yet, and leaves the buffer as it was: they are to be stored first, for a row must never name a shape that is not.
///
/// # Errors
/// `limit` where the document is too deep, too large, or has too many fields; the buffer is as it was.
pub fn encode(document: &Object, shapes: &Shapes, row: &mut Vec<u8>) -> Result<Lists> {
    let mut writer = RowWriter::new(shapes);
    let start = row.len();
    writer.take(row);
    let written = writer.object(document, 1);
    writer.give_back(row);
    if written.is_err() || !writer.missing.is_empty() {
        row.truncate(start);
    }
    written.map(|()| writer.missing)
}

/// Appends a row with other values, none of them an array or object, at some places. Says whether it differs.
///
/// # Errors
/// `limit` where it is too large, `corrupt` where the old row is damaged.
pub(crate) fn patch(
    old: &RowObject<'_>,
    (shape, count): (ShapeId, usize),
    values: &[(usize, Value)],
    row: &mut Vec<u8>,
) -> Result<bool> {
    let shapes = Shapes::new();
    let mut writer = RowWriter::new(&shapes);
    writer.take(row);
    let write = |writer: &mut RowWriter<'_>| {
        let mut differs = false;
        let open = writer.begin_object(shape, count, core::iter::empty());
        for place in 0..count {
            let before = old.raw_at(place)?.unwrap_or_default();
            match values.iter().find(|(other, _)| *other == place) {
                Some((_, value)) => {
                    let start = writer.row.len();
                    writer.value(value, 1)?;
                    differs |= writer.row.get(start..) != Some(before);
                }
                None => writer.row.extend_from_slice(before),
            }
            writer.end_value();
        }
        writer.close(&open)?;
        Ok(differs)
    };
    let written = write(&mut writer);
    writer.give_back(row);
    written
}

/// The writing half: one value behind the other, offsets behind them. Whoever has documents in another form than a
/// tree (a batch from the boundary, another row) drives the same parts.
pub(super) struct RowWriter<'s> {
    pub(super) row: Vec<u8>,
    shapes: &'s Shapes,
    // Where values ended, for all objects and arrays that are open; each uses the part above its start.
    ends: Vec<usize>,
    /// Field lists without a shape. As long as there are any, what was written is no row.
    pub(super) missing: Lists,
}

/// An object or array of which the values are being written.
pub(super) struct Open {
    head: usize,
    values: usize,
    ends: usize,
}

impl<'s> RowWriter<'s> {
    pub(super) fn new(shapes: &'s Shapes) -> Self {
        RowWriter { row: Vec::new(), shapes, ends: Vec::new(), missing: Lists::default() }
    }

    /// Takes a buffer to append to.
    pub(super) fn take(&mut self, row: &mut Vec<u8>) {
        core::mem::swap(&mut self.row, row);
        self.ends.clear();
    }

    /// Gives the buffer back.
    pub(super) fn give_back(&mut self, row: &mut Vec<u8>) {
        core::mem::swap(&mut self.row, row);
    }

    /// The shape for these names; where it has to be stored first, it is noted.
    ///
    /// # Errors
    /// As [`Shapes::find`].
    pub(super) fn shape<'n>(&mut self, names: impl ExactSizeIterator<Item = &'n str> + Clone) -> Result<ShapeId> {
        Ok(self.shapes.find(names.clone())?.unwrap_or_else(|| {
            self.missing.add(names.map(Name::from).collect());
            ShapeId::INLINE
        }))
    }

    /// Begins an object; each of its values is followed by [`RowWriter::end_value`].
    pub(super) fn begin_object<'n>(
        &mut self,
        shape: ShapeId,
        count: usize,
        names: impl Iterator<Item = &'n str>,
    ) -> Open {
        let head = self.row.len();
        put_varint(&mut self.row, u64::from(shape.get()) << 2);
        if shape == ShapeId::INLINE {
            put_varint(&mut self.row, count as u64);
            for name in names {
                put_slice(&mut self.row, name.as_bytes());
            }
        }
        Open { head, values: self.row.len(), ends: self.ends.len() }
    }

    /// Begins an array.
    pub(super) fn begin_array(&mut self, count: usize) -> Open {
        let head = self.row.len();
        put_varint(&mut self.row, (count as u64) << 2);
        Open { head, values: self.row.len(), ends: self.ends.len() }
    }

    pub(super) fn end_value(&mut self) {
        self.ends.push(self.row.len());
    }

    /// Writes the offsets of the values, and their width into the head.
    ///
    /// # Errors
    /// `limit` where the values are too large for a document.
    pub(super) fn close(&mut self, open: &Open) -> Result<()> {
        let size_bytes = self.row.len() - open.values;
        if size_bytes > DOCUMENT_BYTES_MAX {
            return Err(Error::limit(format!(
                "document has {size_bytes} bytes or more, the limit is {DOCUMENT_BYTES_MAX}"
            )));
        }
        let width = match size_bytes {
            0..=0xff => 0,
            0x100..=0xffff => 1,
            _ => 2,
        };
        let count = self.ends.len() - open.ends;
        let offsets = self.ends.drain(open.ends..).take(count.saturating_sub(1)).map(|end| end - open.values);
        match width {
            0 => self.row.extend(offsets.map(|offset| offset as u8)),
            1 => offsets.for_each(|offset| self.row.extend_from_slice(&(offset as u16).to_le_bytes())),
            _ => offsets.for_each(|offset| self.row.extend_from_slice(&(offset as u32).to_le_bytes())),
        }
        if let Some(byte) = self.row.get_mut(open.head) {
            *byte |= width;
        }
        Ok(())
    }

    fn object(&mut self, object: &Object, depth: usize) -> Result<()> {
        check_depth(depth)?;
        let names = object.fields().iter().map(|(name, _)| &**name);
        let shape = self.shape(names.clone())?;
        let open = self.begin_object(shape, object.len(), names);
        for (_, value) in object.fields() {
            self.value(value, depth)?;
            self.end_value();
        }
        self.close(&open)
    }

    pub(super) fn value(&mut self, value: &Value, depth: usize) -> Result<()> {
        match value {
            Value::Null => self.row.push(TAG_NULL),
            Value::Bool(false) => self.row.push(TAG_FALSE),
            Value::Bool(true) => self.row.push(TAG_TRUE),
            Value::Number(number) => push_number(&mut self.row, *number),
            Value::BigInt(number) => push_integer(&mut self.row, TAG_BIGINT, *number),
            Value::Date(ms) => push_integer(&mut self.row, TAG_DATE, *ms),
            Value::String(text) => push_bytes(&mut self.row, TAG_STRING, text.as_bytes()),
            Value::Bytes(bytes) => push_bytes(&mut self.row, TAG_BYTES, bytes),
            Value::Array(elements) => {
                self.row.push(TAG_ARRAY);
                check_depth(depth + 1)?;
                let open = self.begin_array(elements.len());
                for element in elements {
                    self.value(element, depth + 1)?;
                    self.end_value();
                }
                self.close(&open)?;
            }
            Value::Object(object) => {
                self.row.push(TAG_OBJECT);
                self.object(object, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// # Errors
/// `limit` beyond [`DOCUMENT_DEPTH_MAX`].
pub(super) fn check_depth(depth: usize) -> Result<()> {
    if depth > DOCUMENT_DEPTH_MAX {
        return Err(Error::limit(format!("document is deeper than {DOCUMENT_DEPTH_MAX}")));
    }
    Ok(())
}

pub(super) fn push_bytes(row: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    row.push(tag);
    row.extend_from_slice(bytes);
}

pub(super) fn push_number(row: &mut Vec<u8>, number: Number) {
    let float = number.get();
    let negative_zero = float == 0.0 && float.is_sign_negative();
    match number.as_integer() {
        Some(integer) if integer.unsigned_abs() <= SAFE_INTEGER_MAX && !negative_zero => {
            push_integer(row, TAG_INTEGER, integer);
        }
        _ => {
            row.push(TAG_NUMBER);
            let single = float as f32;
            if f64::from(single).to_bits() == float.to_bits() {
                row.extend_from_slice(&single.to_le_bytes());
            } else {
                row.extend_from_slice(&float.to_le_bytes());
            }
        }
    }
}

pub(super) fn push_integer(row: &mut Vec<u8>, tag: u8, integer: i64) {
    row.push(tag);
    // One bit more than the magnitude, for the sign.
    let magnitude = if integer < 0 { !integer } else { integer };
    let bits = if integer == 0 { 0 } else { 65 - magnitude.leading_zeros() };
    let bytes = integer.to_le_bytes();
    row.extend_from_slice(bytes.get(..bits.div_ceil(8) as usize).unwrap_or(&bytes));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::error::ErrorKind;
    use crate::value::row;

    fn round_trip(document: &Object, shapes: &mut Shapes) -> Vec<u8> {
        let mut bytes = vec![7];
        for names in encode(document, shapes, &mut bytes).unwrap().iter() {
            assert_eq!(bytes, [7]);
            shapes.add(names).unwrap();
        }
        bytes.clear();
        assert!(encode(document, shapes, &mut bytes).unwrap().is_empty());
        assert_eq!(&row::open(&bytes, shapes).unwrap().to_object().unwrap(), document);
        bytes
    }

    #[test]
    fn small_values_take_few_bytes_and_come_back_exactly() {
        let mut shapes = Shapes::new();
        for (value, size_bytes) in [
            (Value::Null, 1),
            (Value::from(0), 1),
            (Value::number(-0.0).unwrap(), 5),
            (Value::from(-128), 2),
            (Value::from(128), 3),
            (Value::number(20.25).unwrap(), 5),
            (Value::number(0.1).unwrap(), 9),
            (Value::number(9_007_199_254_740_991.0).unwrap(), 8),
            (Value::number(-9_223_372_036_854_775_808.0).unwrap(), 5),
            (Value::number(f64::NEG_INFINITY).unwrap(), 5),
            (Value::BigInt(i64::MIN), 9),
            (Value::BigInt(-1), 2),
            (Value::Date(1_700_000_000_000), 7),
            (Value::from("\u{1f600}"), 5),
            (Value::Bytes(vec![0; 300]), 301),
        ] {
            let bytes = round_trip(&Object::from([("v", value.clone())]), &mut shapes);
            assert_eq!(bytes.len(), 1 + size_bytes, "{value}");
        }
    }

    #[test]
    fn offsets_widen_with_the_size() {
        let mut shapes = Shapes::new();
        for size_bytes in [10, 254, 255, 256, 65_534, 65_535, 65_536, 70_000] {
            let text = Value::from("x".repeat(size_bytes));
            let document =
                Object::from([("a", text.clone()), ("b", vec![text, Value::Null].into()), ("c", Value::from(1))]);
            round_trip(&document, &mut shapes);
        }
    }

    #[test]
    fn inline_names_are_used_beyond_the_bound_on_shapes() {
        let mut shapes = Shapes::new();
        let fields = (0..600).map(|i| (format!("f{i}").into(), Value::from(i))).collect();
        let document = Object::from_fields(fields).unwrap();
        let bytes = round_trip(&document, &mut shapes);
        assert!(shapes.is_empty());
        let view = row::open(&bytes, &shapes).unwrap();
        assert_eq!(view.get("f599").unwrap().unwrap().to_value().unwrap(), Value::from(599));
        assert!(view.get("g").unwrap().is_none());
        assert_eq!(view.iter().count(), 600);
    }

    #[test]
    fn too_deep_and_too_large_documents_leave_the_buffer_alone() {
        let mut deep = Value::Null;
        for _ in 0..DOCUMENT_DEPTH_MAX {
            deep = vec![deep].into();
        }
        let large = Value::from("x".repeat(DOCUMENT_BYTES_MAX));
        for value in [deep, large] {
            let mut bytes = vec![7];
            let error = encode(&Object::from([("v", value)]), &Shapes::new(), &mut bytes).unwrap_err();
            assert_eq!((error.kind(), bytes), (ErrorKind::Limit, vec![7]));
        }
    }
}
