//! The boundary's form of values: what the TypeScript facade and the core hand to each other.
//!
//! Not the form on disk (`value/row.rs`), and kept nowhere: both sides are always of one version. Its twin is
//! `facade/codec.ts`.
//!
//! # The form
//!
//! A tag byte, then a payload; lengths and counts are LEB128 varints of 32 bits.
//!
//! | tag | value | payload |
//! | --- | --- | --- |
//! | 0, 1, 2 | null, false, true | none |
//! | 3 | number | 8 bytes, little-endian double |
//! | 4 | number that is an integer within 2^53 - 1, not -0 | zigzag varint |
//! | 5 | bigint | 8 bytes, little-endian |
//! | 6 | string | length, UTF-8 |
//! | 7 | date | 8 bytes, little-endian double: whole ms within 8.64e15 |
//! | 8 | bytes | length, bytes |
//! | 9 | array | count, values |
//! | 10 | object | count, then for each field: length, UTF-8, value |
//! | 11 | array, out only | a table: see `value/table.rs` |
//!
//! Invariants: decoding never panics, and never allocates by a length that was not checked against the bytes there
//! are; what is decoded encodes to the same bytes.

use crate::bytes::{Reader, put_slice, put_varint};
use crate::error::{Error, Result};
use crate::limits::DOCUMENT_DEPTH_MAX;
use crate::value::view::ObjectView;
use crate::value::{Name, Number, Object, Value, View};

pub(super) const TAG_NULL: u8 = 0;
pub(super) const TAG_FALSE: u8 = 1;
pub(super) const TAG_TRUE: u8 = 2;
pub(super) const TAG_NUMBER: u8 = 3;
pub(super) const TAG_INTEGER: u8 = 4;
pub(super) const TAG_BIGINT: u8 = 5;
pub(super) const TAG_STRING: u8 = 6;
pub(super) const TAG_DATE: u8 = 7;
pub(super) const TAG_BYTES: u8 = 8;
pub(super) const TAG_ARRAY: u8 = 9;
pub(super) const TAG_OBJECT: u8 = 10;

/// A request holds documents a few levels down; the documents' own depth is checked where they are written.
const DEPTH_MAX: usize = DOCUMENT_DEPTH_MAX + 16;
/// The greatest date of JavaScript, ms from the epoch either way.
pub const DATE_MS_MAX: i64 = 8_640_000_000_000_000;
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// Reads one value that takes up all the bytes.
///
/// # Errors
/// `invalid` where the bytes are not exactly one value.
pub fn decode(bytes: &[u8]) -> Result<Value> {
    let mut bytes = Reader::new(bytes);
    let value = read(&mut bytes, 1)?;
    if bytes.is_empty() { Ok(value) } else { Err(malformed("bytes are left over")) }
}

/// Reads an array of a name and a value, which takes up all the bytes; none for anything else.
pub(crate) fn decode_named(bytes: &[u8]) -> Option<(&str, Value)> {
    let mut bytes = Reader::new(bytes.strip_prefix(&[TAG_ARRAY, 2, TAG_STRING])?);
    let named = (take_text(&mut bytes).ok()?, read(&mut bytes, 2).ok()?);
    bytes.is_empty().then_some(named)
}

fn malformed(what: &str) -> Error {
    Error::invalid(format!("malformed request: {what}"))
}

fn cut() -> Error {
    malformed("it ends too early")
}

fn read(bytes: &mut Reader<'_>, depth: usize) -> Result<Value> {
    Ok(match bytes.u8().ok_or_else(cut)? {
        TAG_NULL => Value::Null,
        TAG_FALSE => Value::Bool(false),
        TAG_TRUE => Value::Bool(true),
        TAG_NUMBER => Value::number(f64::from_le_bytes(bytes.array().ok_or_else(cut)?))?,
        TAG_INTEGER => {
            let zigzag = bytes.varint().ok_or_else(cut)?;
            let integer = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
            if integer.unsigned_abs() > SAFE_INTEGER_MAX {
                return Err(malformed("an integer is beyond 2^53 - 1"));
            }
            Value::number(integer as f64)?
        }
        TAG_BIGINT => Value::BigInt(i64::from_le_bytes(bytes.array().ok_or_else(cut)?)),
        TAG_STRING => Value::String(take_text(bytes)?.to_owned()),
        TAG_DATE => Value::Date(date(f64::from_le_bytes(bytes.array().ok_or_else(cut)?))?),
        TAG_BYTES => Value::Bytes(bytes.slice().ok_or_else(cut)?.to_vec()),
        TAG_ARRAY => {
            let count = take_count(bytes, depth)?;
            let mut elements = Vec::with_capacity(count);
            for _ in 0..count {
                elements.push(read(bytes, depth + 1)?);
            }
            Value::Array(elements)
        }
        TAG_OBJECT => {
            let count = take_count(bytes, depth)?;
            let mut fields: Vec<(Name, Value)> = Vec::with_capacity(count);
            for _ in 0..count {
                let name = take_text(bytes)?.into();
                fields.push((name, read(bytes, depth + 1)?));
            }
            Value::Object(Object::from_fields(fields)?)
        }
        #[cfg(feature = "simulation")]
        super::table::TAG_TABLE => Value::Array(super::table::read::table(bytes).ok_or_else(cut)?),
        tag => return Err(malformed(&format!("tag {tag} is not known"))),
    })
}

pub(super) fn date(ms: f64) -> Result<i64> {
    match Number::new(ms).and_then(Number::as_integer) {
        Some(ms) if ms.unsigned_abs() <= DATE_MS_MAX.unsigned_abs() => Ok(ms),
        _ => Err(Error::invalid("date is not a valid Date")),
    }
}

/// The count of an array or object: no more than bytes are left, for each element takes one or more.
fn take_count(bytes: &mut Reader<'_>, depth: usize) -> Result<usize> {
    if depth > DEPTH_MAX {
        return Err(Error::limit(format!("document is deeper than {DOCUMENT_DEPTH_MAX}")));
    }
    let count = bytes.varint().ok_or_else(cut)?;
    usize::try_from(count).ok().filter(|count| *count <= bytes.rest().len()).ok_or_else(cut)
}

fn take_text<'a>(bytes: &mut Reader<'a>) -> Result<&'a str> {
    let text = bytes.slice().ok_or_else(cut)?;
    core::str::from_utf8(text).map_err(|_| malformed("a string is not UTF-8"))
}

/// Appends one value.
///
/// # Errors
/// `corrupt` for damaged rows.
pub fn encode(value: View<'_>, out: &mut Vec<u8>) -> Result<()> {
    match value {
        View::Null => out.push(TAG_NULL),
        View::Bool(value) => out.push(if value { TAG_TRUE } else { TAG_FALSE }),
        View::Number(number) => push_number(out, number),
        View::BigInt(number) => {
            out.push(TAG_BIGINT);
            out.extend_from_slice(&number.to_le_bytes());
        }
        View::String(text) => {
            out.push(TAG_STRING);
            put_slice(out, text.as_bytes());
        }
        View::Date(ms) => {
            out.push(TAG_DATE);
            out.extend_from_slice(&(ms as f64).to_le_bytes());
        }
        View::Bytes(bytes) => {
            out.push(TAG_BYTES);
            put_slice(out, bytes);
        }
        View::Array(array) => {
            push_array(out, array.len());
            for element in array.iter() {
                encode(element?, out)?;
            }
        }
        View::Object(object) => encode_object(object, out)?,
    }
    Ok(())
}

/// Appends one object.
///
/// # Errors
/// `corrupt` for damaged rows.
pub fn encode_object(object: ObjectView<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_object(out, object.len());
    for field in object.iter() {
        let (name, value) = field?;
        push_name(out, name);
        encode(value, out)?;
    }
    Ok(())
}

/// Appends the head of an array: as many values must follow.
pub fn push_array(out: &mut Vec<u8>, count: usize) {
    out.push(TAG_ARRAY);
    put_varint(out, count as u64);
}

/// Appends the head of an object: as many names must follow, each with its value.
pub fn push_object(out: &mut Vec<u8>, count: usize) {
    out.push(TAG_OBJECT);
    put_varint(out, count as u64);
}

/// Appends the name of a field.
pub fn push_name(out: &mut Vec<u8>, name: &str) {
    put_slice(out, name.as_bytes());
}

/// The bytes of one tree.
#[must_use]
pub fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // A tree cannot be damaged: the error cannot come.
    let _ = encode(value.into(), &mut out);
    out
}

fn push_number(out: &mut Vec<u8>, number: Number) {
    let float = number.get();
    let negative_zero = float == 0.0 && float.is_sign_negative();
    match number.as_integer() {
        Some(integer) if integer.unsigned_abs() <= SAFE_INTEGER_MAX && !negative_zero => {
            out.push(TAG_INTEGER);
            put_varint(out, ((integer << 1) ^ (integer >> 63)).cast_unsigned());
        }
        _ => {
            out.push(TAG_NUMBER);
            out.extend_from_slice(&float.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn message(bytes: &[u8]) -> String {
        decode(bytes).unwrap_err().to_string()
    }

    #[test]
    fn bytes_are_those_of_the_protocol() {
        assert_eq!(encoded(&Value::from(-1)), [4, 1]);
        assert_eq!(encoded(&Value::from(64)), [4, 0x80, 1]);
        assert_eq!(encoded(&Value::number(-0.0).unwrap()), [3, 0, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(encoded(&Value::from("\u{e9}")), [6, 2, 0xc3, 0xa9]);
        let object = Object::from([("a", vec![Value::Null, true.into()].into())]);
        assert_eq!(encoded(&object.into()), [10, 1, 1, b'a', 9, 2, 0, 2]);
    }

    #[test]
    fn malformed_bytes_are_invalid() {
        assert_eq!(message(&[]), "malformed request: it ends too early");
        assert_eq!(message(&[0, 0]), "malformed request: bytes are left over");
        assert_eq!(message(&[12]), "malformed request: tag 12 is not known");
        assert_eq!(message(&[9, 0xff, 0xff, 0xff, 0xff, 0x0f]), "malformed request: it ends too early");
        assert_eq!(message(&[6, 1, 0xff]), "malformed request: a string is not UTF-8");
        assert_eq!(message(&[10, 2, 1, b'a', 0, 1, b'a', 0]), "field `a` stands twice");
        let nan = [&[3][..], &f64::NAN.to_le_bytes()].concat();
        assert_eq!(message(&nan), "NaN is not a value");
        let half = [&[7][..], &0.5_f64.to_le_bytes()].concat();
        assert_eq!(message(&half), "date is not a valid Date");
        let deep = [9, 1].repeat(1000);
        assert_eq!(message(&deep), "document is deeper than 64");
        let beyond = [&[4][..], &[0xff; 7], &[0x7f]].concat();
        assert_eq!(message(&beyond), "malformed request: an integer is beyond 2^53 - 1");
    }
}
