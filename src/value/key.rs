//! Keys: bytes of values that sort as the values do.
//!
//! Not a way to store values: a key forgets whether `5` was a number or a bigint, and that `-0` was not `0`; who needs
//! the exact value takes it from the row.
//!
//! # The form
//!
//! A key is one component for each value, put one behind the other. A component is a tag, in the order of types of
//! `value/order.rs`, and a payload:
//!
//! | value | payload |
//! | --- | --- |
//! | null | none |
//! | number, bigint | 8 bytes: the greatest double <= the number, its bits made to sort as unsigned big-endian (sign bit flipped, negative numbers inverted); where that double is 2^53 or more away from 0, two bytes more: the number less the double |
//! | string | UTF-8 with bytes 0 and 1 escaped as `1 1` and `1 2`, then 0 |
//! | object | for each field: the tag of its value, its name as a string, the payload of its value; then 0 |
//! | array | its elements as components, then 0 |
//! | bytes | length in 4 bytes big-endian, then the bytes |
//! | false, true | one byte, 0 or 1 |
//! | date | 8 bytes: ms, sign bit flipped, big-endian |
//!
//! Invariants (held by `tests/native/value_laws.rs`): `key(a) < key(b)` exactly where `a < b`; no component is the
//! beginning of another, so that components may follow each other; every tag lies above 1 and below 255.

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{DOCUMENT_DEPTH_MAX, PRIMARY_KEY_BYTES_MAX};
use crate::value::view::ObjectView;
use crate::value::{KeyRange, Name, Number, Object, Path, TWO_63, Value, View};

/// The end of a string, an array, an object; below every tag.
pub(crate) const END: u8 = 0;
/// What stands before an escaped byte.
const ESCAPE: u8 = 1;
/// An array without elements, in an index over its elements: below null, as MongoDB sorts it.
const TAG_EMPTY: u8 = 0x04;
const TAG_NULL: u8 = 0x08;
const TAG_NUMBER: u8 = 0x10;
pub(crate) const TAG_STRING: u8 = 0x18;
const TAG_OBJECT: u8 = 0x20;
const TAG_ARRAY: u8 = 0x28;
const TAG_BYTES: u8 = 0x30;
const TAG_BOOL: u8 = 0x38;
const TAG_DATE: u8 = 0x40;

/// The first number of either sign at which bigints may lie between two doubles.
const TWO_53: f64 = 9_007_199_254_740_992.0;
const SIGN: u64 = 1 << 63;

/// Appends the component of a value.
///
/// # Errors
/// `corrupt` for damaged rows; `limit` for bytes of 4 GiB or more.
pub fn push(key: &mut Vec<u8>, value: View<'_>) -> Result<()> {
    key.push(tag(value));
    push_payload(key, value)
}

/// Appends the component that stands for an array without elements in an index over elements.
pub fn push_empty(key: &mut Vec<u8>) {
    key.push(TAG_EMPTY);
}

/// The component of a value, alone.
///
/// # Errors
/// As [`push`].
pub fn encode(value: View<'_>) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    push(&mut key, value)?;
    Ok(key)
}

fn tag(value: View<'_>) -> u8 {
    match value {
        View::Null => TAG_NULL,
        View::Number(_) | View::BigInt(_) => TAG_NUMBER,
        View::String(_) => TAG_STRING,
        View::Object(_) => TAG_OBJECT,
        View::Array(_) => TAG_ARRAY,
        View::Bytes(_) => TAG_BYTES,
        View::Bool(_) => TAG_BOOL,
        View::Date(_) => TAG_DATE,
    }
}

fn push_payload(key: &mut Vec<u8>, value: View<'_>) -> Result<()> {
    match value {
        View::Null => {}
        View::Bool(value) => key.push(u8::from(value)),
        View::Number(number) => push_number(key, number.get(), 0),
        View::BigInt(number) => push_bigint(key, number),
        View::String(text) => push_text(key, text.as_bytes()),
        View::Object(object) => {
            for field in object.iter() {
                let (name, value) = field?;
                key.push(tag(value));
                push_text(key, name.as_bytes());
                push_payload(key, value)?;
            }
            key.push(END);
        }
        View::Array(array) => {
            for element in array.iter() {
                push(key, element?)?;
            }
            key.push(END);
        }
        View::Bytes(bytes) => {
            let len = u32::try_from(bytes.len()).map_err(|_| Error::limit("bytes in a key are too long"))?;
            key.extend_from_slice(&len.to_be_bytes());
            key.extend_from_slice(bytes);
        }
        View::Date(ms) => key.extend_from_slice(&(ms.cast_unsigned() ^ SIGN).to_be_bytes()),
    }
    Ok(())
}

fn push_number(key: &mut Vec<u8>, number: f64, above: u16) {
    // -0 and 0 are one key.
    let bits = (number + 0.0).to_bits();
    let sortable = if bits & SIGN == 0 { bits ^ SIGN } else { !bits };
    key.extend_from_slice(&sortable.to_be_bytes());
    if number.abs() >= TWO_53 {
        key.extend_from_slice(&above.to_be_bytes());
    }
}

fn push_bigint(key: &mut Vec<u8>, number: i64) {
    let nearest = number as f64;
    let exact = i128::from(number);
    let below = if nearest as i128 > exact { nearest.next_down() } else { nearest };
    // At most 1023: doubles below 2^63 lie 1024 apart at most.
    let above = u16::try_from(exact - below as i128).unwrap_or(u16::MAX);
    push_number(key, below, above);
}

fn push_text(key: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| *byte <= ESCAPE) {
        key.extend_from_slice(text);
    } else {
        for byte in text {
            match byte {
                0 => key.extend_from_slice(&[ESCAPE, 1]),
                1 => key.extend_from_slice(&[ESCAPE, 2]),
                _ => key.push(*byte),
            }
        }
    }
    key.push(END);
}

fn damaged() -> Error {
    Error::corrupt("key is damaged")
}

fn take<'a>(key: &mut &'a [u8], len: usize) -> Result<&'a [u8]> {
    let (taken, rest) = key.split_at_checked(len).ok_or_else(damaged)?;
    *key = rest;
    Ok(taken)
}

fn take_byte(key: &mut &[u8]) -> Result<u8> {
    let (byte, rest) = key.split_first().ok_or_else(damaged)?;
    *key = rest;
    Ok(*byte)
}

fn take_array<const N: usize>(key: &mut &[u8]) -> Result<[u8; N]> {
    let (taken, rest) = key.split_first_chunk::<N>().ok_or_else(damaged)?;
    *key = rest;
    Ok(*taken)
}

/// Reads one component off the front. Integers come back as numbers where a number holds them exactly.
///
/// # Errors
/// `corrupt` where the bytes are not a component.
pub fn read(key: &mut &[u8]) -> Result<Value> {
    let tag = take_byte(key)?;
    read_payload(key, tag, 1)
}

fn read_payload(key: &mut &[u8], tag: u8, depth: usize) -> Result<Value> {
    if depth > DOCUMENT_DEPTH_MAX {
        return Err(damaged());
    }
    Ok(match tag {
        TAG_NULL => Value::Null,
        TAG_NUMBER => read_number(key)?,
        TAG_STRING => Value::String(read_text(key)?),
        TAG_OBJECT => {
            let mut fields: Vec<(Name, Value)> = Vec::new();
            loop {
                match take_byte(key)? {
                    END => {
                        break Value::Object(Object::from_fields(fields).map_err(|_| damaged())?);
                    }
                    tag => {
                        let name = read_text(key)?;
                        fields.push((name.into(), read_payload(key, tag, depth + 1)?));
                    }
                }
            }
        }
        TAG_ARRAY => {
            let mut elements = Vec::new();
            loop {
                match take_byte(key)? {
                    END => break Value::Array(elements),
                    tag => elements.push(read_payload(key, tag, depth + 1)?),
                }
            }
        }
        TAG_BYTES => {
            let len = u32::from_be_bytes(take_array(key)?);
            Value::Bytes(take(key, len as usize)?.to_vec())
        }
        TAG_BOOL => match take_byte(key)? {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            _ => return Err(damaged()),
        },
        TAG_DATE => Value::Date((u64::from_be_bytes(take_array(key)?) ^ SIGN).cast_signed()),
        _ => return Err(damaged()),
    })
}

fn read_number(key: &mut &[u8]) -> Result<Value> {
    let sortable = u64::from_be_bytes(take_array(key)?);
    let bits = if sortable & SIGN == 0 { !sortable } else { sortable ^ SIGN };
    let number = f64::from_bits(bits);
    let above = if number.abs() >= TWO_53 { u16::from_be_bytes(take_array(key)?) } else { 0 };
    if above == 0 {
        return Number::new(number).map(Value::Number).ok_or_else(damaged);
    }
    if number.abs() > TWO_63 {
        return Err(damaged());
    }
    i64::try_from(number as i128 + i128::from(above)).map(Value::BigInt).map_err(|_| damaged())
}

fn read_text(key: &mut &[u8]) -> Result<String> {
    let end = key.iter().position(|byte| *byte == END).ok_or_else(damaged)?;
    let escaped = take(key, end)?;
    take_byte(key)?;
    let mut text = Vec::with_capacity(end);
    let mut bytes = escaped.iter();
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            &ESCAPE => match bytes.next() {
                Some(1) => 0,
                Some(2) => 1,
                _ => return Err(damaged()),
            },
            byte => *byte,
        });
    }
    String::from_utf8(text).map_err(|_| damaged())
}

/// Passes over one component, which may be that of an empty array, without decoding it.
///
/// # Errors
/// `corrupt` where the bytes are not a component.
pub fn skip(key: &mut &[u8]) -> Result<()> {
    match key.first() {
        Some(&TAG_STRING) => {
            let end = key.iter().position(|byte| *byte == END).ok_or_else(damaged)?;
            take(key, end + 1)?;
        }
        Some(&TAG_NUMBER) => {
            take_byte(key)?;
            read_number(key)?;
        }
        Some(&TAG_EMPTY) => {
            take_byte(key)?;
        }
        _ => {
            read(key)?;
        }
    }
    Ok(())
}

/// Whether the first component tells the value just as it was. What reads as null may have been missing, what reads as a whole
/// number a bigint or -0; neither is looked for within objects and arrays.
#[must_use]
pub fn is_exact(mut key: &[u8]) -> bool {
    match key.first() {
        Some(&(TAG_STRING | TAG_BYTES | TAG_BOOL | TAG_DATE)) => true,
        Some(&TAG_NUMBER) => match read(&mut key) {
            Ok(Value::Number(number)) => number.get().trunc() != number.get(),
            _ => false,
        },
        _ => false,
    }
}

/// The range of all values that are compared with `value` by `$gt` and its kin: those of its type, numbers and bigints
/// being one type.
#[must_use]
pub fn bracket(value: View<'_>) -> KeyRange {
    KeyRange::prefix(&[tag(value)])
}

/// The range of all strings that begin with a text.
#[must_use]
pub fn begins_with(text: &str) -> KeyRange {
    let mut prefix = vec![TAG_STRING];
    push_text(&mut prefix, text.as_bytes());
    // Without the end of the string: no escaped byte is the beginning of another.
    prefix.pop();
    KeyRange::prefix(&prefix)
}

/// The primary key of a document: one component for each key field.
///
/// # Errors
/// `invalid` where a field is missing or its value cannot be a key; `limit` where the key is too long.
pub fn primary(fields: &[Path], document: ObjectView<'_>) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(24);
    push_primary_of(&mut key, fields, document)?;
    Ok(key)
}

/// Appends the primary key of a document.
///
/// # Errors
/// As [`primary`]; then nothing was appended.
pub fn push_primary_of(key: &mut Vec<u8>, fields: &[Path], document: ObjectView<'_>) -> Result<()> {
    let start = key.len();
    let pushed = fields.iter().try_for_each(|field| {
        let value = field.get(document)?;
        let value = value.ok_or_else(|| Error::invalid(format!("document has no key field `{field}`")))?;
        push_primary(key, value).map_err(|error| error.context(format!("key field `{field}`")))
    });
    let checked = pushed.and_then(|()| check_primary(key.len() - start));
    if checked.is_err() {
        key.truncate(start);
    }
    checked
}

/// A primary key as users give it: the value, or for a compound key the array of its values.
///
/// # Errors
/// `invalid` where the value cannot be a key; `limit` where the key is too long.
pub fn primary_from_value(fields: &[Path], value: View<'_>) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(24);
    if let [_] = fields {
        push_primary(&mut key, value).map_err(|error| error.context("key"))?;
        check_primary(key.len())?;
        return Ok(key);
    }
    let parts = match value {
        View::Array(parts) if parts.len() == fields.len() => parts,
        value => {
            let message = format!("key must be an array of {} values, not {}", fields.len(), value.type_name());
            return Err(Error::invalid(message));
        }
    };
    for (field, part) in fields.iter().zip(parts.iter()) {
        push_primary(&mut key, part?).map_err(|error| error.context(format!("key field `{field}`")))?;
    }
    check_primary(key.len())?;
    Ok(key)
}

fn push_primary(key: &mut Vec<u8>, value: View<'_>) -> Result<()> {
    match value {
        View::String(_) | View::Number(_) | View::BigInt(_) | View::Date(_) => push(key, value),
        value => {
            let error = Error::invalid(format!("{} cannot be a key", value.type_name()));
            Err(error.with_hint("a key is a string, a number, a bigint or a Date"))
        }
    }
}

fn check_primary(len: usize) -> Result<()> {
    if len > PRIMARY_KEY_BYTES_MAX {
        let message = format!("key has {len} bytes, the limit is {PRIMARY_KEY_BYTES_MAX}");
        return Err(Error::new(ErrorKind::Limit, message));
    }
    Ok(())
}

/// A primary key as users see it. Integers come back as numbers: see [`read`].
///
/// # Errors
/// `corrupt` where the bytes are not such a key.
pub fn primary_to_value(fields: usize, mut key: &[u8]) -> Result<Value> {
    let mut parts = Vec::with_capacity(fields.min(key.len()));
    for _ in 0..fields {
        parts.push(read(&mut key)?);
    }
    if !key.is_empty() {
        return Err(damaged());
    }
    match parts.len() {
        1 => parts.pop().ok_or_else(damaged),
        _ => Ok(Value::Array(parts)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key(value: impl Into<Value>) -> Vec<u8> {
        encode(View::from(&value.into())).unwrap()
    }

    #[test]
    fn equal_numbers_have_equal_keys() {
        assert_eq!(key(5), key(Value::BigInt(5)));
        assert_eq!(key(Value::number(-0.0).unwrap()), key(0));
        assert_eq!(key(Value::number(-TWO_63).unwrap()), key(Value::BigInt(i64::MIN)));
        assert_ne!(key(Value::number(TWO_63).unwrap()), key(Value::BigInt(i64::MAX)));
    }

    #[test]
    fn bounds_of_a_type_hold_only_that_type() {
        let numbers = bracket(View::from(&Value::from(5)));
        assert!(numbers.contains(&key(Value::number(f64::NEG_INFINITY).unwrap())));
        assert!(numbers.contains(&key(Value::BigInt(i64::MAX))));
        assert!(!numbers.contains(&key(Value::Null)) && !numbers.contains(&key("")));
        let booleans = bracket(View::Bool(true));
        assert!(
            booleans.contains(&key(false)) && booleans.contains(&key(true)) && !booleans.contains(&key(Value::Date(0)))
        );
    }

    #[test]
    fn strings_lie_in_the_range_of_what_they_begin_with() {
        for (text, matching, others) in [
            ("ab", &["ab", "abc", "ab\0", "ab\u{10ffff}"][..], &["a", "aa", "ac", "", "b"][..]),
            ("a\0", &["a\0", "a\0\0", "a\0\u{1}"], &["a", "a\u{1}", "a\u{1}\0", "aa"]),
            ("\u{1}", &["\u{1}", "\u{1}x"], &["", "\0", "\u{2}"]),
        ] {
            let range = begins_with(text);
            matching.iter().for_each(|other| assert!(range.contains(&key(*other)), "{other:?} in {text:?}"));
            others.iter().for_each(|other| assert!(!range.contains(&key(*other)), "{other:?} in {text:?}"));
        }
        assert!(!begins_with("a").contains(&key(Value::Null)));
    }

    #[test]
    fn what_is_read_of_a_key_is_the_value_where_it_is_exact() {
        let number = |number: f64| Value::number(number).unwrap();
        for value in ["a".into(), "".into(), true.into(), Value::Date(-5), Value::Bytes(vec![0, 1]), number(-0.5)] {
            let key = key(value.clone());
            assert!(is_exact(&key) && is_exact(&[&*key, b"more"].concat()), "{value}");
            assert_eq!(read(&mut &*key).unwrap(), value);
        }
        let list = Value::Array(vec!["a".into()]);
        for value in
            [Value::Null, 5.into(), Value::BigInt(5), number(-0.0), number(f64::INFINITY), list, Object::new().into()]
        {
            assert!(!is_exact(&key(value.clone())), "{value}");
        }
        let mut empty = Vec::new();
        push_empty(&mut empty);
        assert!(!is_exact(&empty) && !is_exact(&[]) && !is_exact(&[TAG_NUMBER, 1]));
    }

    #[test]
    fn successor_is_above_every_key_with_the_prefix() {
        assert!(KeyRange { start: vec![1], end: Some(vec![1]) }.is_empty());
    }

    #[test]
    fn primary_keys_are_strings_numbers_bigints_or_dates() {
        let fields = [Path::parse("id").unwrap()];
        let message = |value: Value| primary(&fields, (&Object::from([("id", value)])).into()).unwrap_err().to_string();
        assert_eq!(message(Value::Null), "key field `id`: null cannot be a key");
        assert_eq!(message(Value::from("x".repeat(1024))), "key has 1026 bytes, the limit is 1024");
        let compound = [Path::parse("a").unwrap(), Path::parse("b").unwrap()];
        let value = Value::from(vec![Value::from("x"), Value::Date(7)]);
        let key = primary_from_value(&compound, View::from(&value)).unwrap();
        assert_eq!(primary_to_value(2, &key).unwrap(), value);
        assert!(primary_from_value(&compound, View::from(&Value::from("x"))).is_err());
    }
}
