//! Reads tables back, for tests: in a browser `facade/table.ts` does it.
//!
//! Not for bytes of anybody else: it panics nowhere, but says no more than that they are malformed.

use super::{
    KIND_BIGINTS, KIND_BOOLS, KIND_BYTES, KIND_DATES, KIND_LISTS, KIND_MIXED, KIND_NULLS, KIND_NUMBERS, KIND_OBJECTS,
    KIND_TEXTS, KIND_WORDS,
};
use crate::bytes::Reader;
use crate::value::{Name, Object, Value};
use std::collections::VecDeque;

type Values = VecDeque<Value>;

/// The values of the table that stands behind its tag; none where it is malformed.
pub(crate) fn table(bytes: &mut Reader<'_>) -> Option<Vec<Value>> {
    let padding = bytes.u8()?;
    bytes.take(usize::from(padding))?;
    let mut chunk = Chunk { body_len: bytes.rest().len(), bytes: *bytes, text: Vec::new(), at: 0 };
    let chunks = chunk.count()?;
    chunk.unpad()?;
    let mut values = Vec::new();
    for _ in 0..chunks {
        let rows = chunk.count()?;
        let text = chunk.bytes.slice()?;
        chunk.text = core::str::from_utf8(text).ok()?.encode_utf16().collect();
        chunk.at = 0;
        values.extend(chunk.column(rows)?);
    }
    *bytes = chunk.bytes;
    Some(values)
}

struct Chunk<'a> {
    body_len: usize,
    bytes: Reader<'a>,
    text: Vec<u16>,
    at: usize,
}

impl Chunk<'_> {
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.bytes.varint()?).ok().filter(|count| *count <= 1 << 28)
    }

    fn unpad(&mut self) -> Option<()> {
        let read = self.body_len - self.bytes.rest().len();
        self.bytes.take(read.next_multiple_of(8) - read).map(|_| ())
    }

    fn each<T>(&mut self, rows: usize, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<VecDeque<T>> {
        (0..rows).map(|_| read(self)).collect()
    }

    fn lengths(&mut self, rows: usize) -> Option<VecDeque<usize>> {
        match self.bytes.u8()? {
            1 => self.each(rows, |chunk| chunk.bytes.u8().map(usize::from)),
            4 => {
                self.unpad()?;
                self.each(rows, |chunk| chunk.bytes.u32().map(|word| word as usize))
            }
            _ => None,
        }
    }

    fn strings(&mut self, rows: usize) -> Option<Values> {
        let lengths = self.lengths(rows)?;
        let mut strings = Values::new();
        for length in lengths {
            let units = self.text.get(self.at..self.at + length)?;
            self.at += length;
            strings.push_back(Value::String(String::from_utf16(units).ok()?));
        }
        Some(strings)
    }

    fn column(&mut self, rows: usize) -> Option<Values> {
        match self.bytes.u8()? {
            KIND_NULLS => self.each(rows, |_| Some(Value::Null)),
            KIND_BOOLS => self.each(rows, |chunk| chunk.bytes.u8().map(|byte| Value::Bool(byte == 1))),
            KIND_NUMBERS => {
                self.unpad()?;
                self.each(rows, |chunk| Value::number(f64::from_le_bytes(chunk.bytes.array()?)).ok())
            }
            KIND_DATES => {
                self.unpad()?;
                self.each(rows, |chunk| Some(Value::Date(f64::from_le_bytes(chunk.bytes.array()?) as i64)))
            }
            KIND_BIGINTS => {
                self.unpad()?;
                self.each(rows, |chunk| Some(Value::BigInt(i64::from_le_bytes(chunk.bytes.array()?))))
            }
            KIND_TEXTS => self.strings(rows),
            KIND_WORDS => {
                let kinds = self.count()?;
                let words = self.strings(kinds)?;
                self.each(rows, |chunk| words.get(usize::from(chunk.bytes.u8()?)).cloned())
            }
            KIND_BYTES => {
                let lengths = self.lengths(rows)?;
                lengths.into_iter().map(|length| Some(Value::Bytes(self.bytes.take(length)?.to_vec()))).collect()
            }
            KIND_LISTS => {
                let lengths = self.lengths(rows)?;
                let elements = self.count()?;
                let mut elements = self.column(elements)?;
                let mut list = |length| (0..length).map(|_| elements.pop_front()).collect::<Option<_>>();
                lengths.into_iter().map(|length| Some(Value::Array(list(length)?))).collect()
            }
            KIND_OBJECTS => self.objects(rows),
            KIND_MIXED => {
                let count = self.count()?;
                let tags = self.bytes.take(rows)?;
                let mut parts = self.each(count, |chunk| {
                    let rows = chunk.count()?;
                    chunk.column(rows)
                })?;
                tags.iter().map(|tag| parts.get_mut(usize::from(*tag))?.pop_front()).collect()
            }
            _ => None,
        }
    }

    fn objects(&mut self, rows: usize) -> Option<Values> {
        let count = self.count()?;
        let order = if count > 1 { self.lengths(rows)? } else { core::iter::repeat_n(0, rows).collect() };
        let mut shapes = self.each(count, |chunk| {
            let rows = chunk.count()?;
            let fields = chunk.count()?;
            let mut columns = chunk.each(fields, |chunk| {
                let name: Name = core::str::from_utf8(chunk.bytes.slice()?).ok()?.into();
                Some((name, chunk.column(rows)?))
            })?;
            let object = |_| {
                let field = |(name, column): &mut (Name, Values)| Some((name.clone(), column.pop_front()?));
                let fields = columns.iter_mut().map(field).collect::<Option<Vec<_>>>()?;
                Object::from_fields(fields).ok().map(Value::Object)
            };
            (0..rows).map(object).collect::<Option<Values>>()
        })?;
        order.into_iter().map(|shape| shapes.get_mut(shape)?.pop_front()).collect()
    }
}
