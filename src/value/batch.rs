//! Batches: many documents from the boundary, and how they become rows without a tree in between.
//!
//! Not a stored form, and not that of requests (`value/codec.rs`), in which a batch is one field of bytes. Its twin is
//! `facade/batch.ts`.
//!
//! # The form
//!
//! Field names stand once, all text stands in one place, and values follow each other in the order of the fields:
//!
//! ```text
//! batch    := shapes, count of documents, text, object * count
//! shapes   := count, shape * count            shape  := count, (length, UTF-8) * count
//! text     := 1 where all is ASCII else 0, length, UTF-8
//! object   := number of its shape in 4 bytes, value * fields
//! value    := tag, payload
//! ```
//!
//! Tags are those of requests but for two: every number is tag 3, a double; an object (tag 10) is one by shape. A
//! string has its length in UTF-16 units alone: its text is the next in `text`. Counts and lengths are varints.
//!
//! Invariants: decoding never panics, and allocates nothing by an unchecked length; a row that came out of a batch is
//! the one that the same document as a tree gives.

use crate::bytes::Reader;
use crate::error::{Error, Result};
use crate::value::codec::{self, TAG_ARRAY, TAG_BIGINT, TAG_BYTES, TAG_DATE, TAG_FALSE, TAG_NULL, TAG_NUMBER};
use crate::value::codec::{TAG_OBJECT, TAG_STRING, TAG_TRUE};
use crate::value::row;
use crate::value::shape::{Lists, ShapeId, Shapes};
use crate::value::writer::{RowWriter, check_depth, push_bytes, push_integer, push_number};
use crate::value::{Number, repeated};

/// A batch, opened. See the module.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    // The names of all shapes one behind the other, and where each shape's end.
    names: Vec<&'a str>,
    shape_ends: Vec<usize>,
    count: usize,
    text: &'a str,
    is_ascii: bool,
    documents: Reader<'a>,
}

fn malformed(what: &str) -> Error {
    Error::invalid(format!("malformed batch: {what}"))
}

fn cut() -> Error {
    malformed("it ends too early")
}

/// A count of things that each take at least one byte of what is left.
fn count(bytes: &mut Reader<'_>) -> Result<usize> {
    let count = bytes.varint().and_then(|count| usize::try_from(count).ok());
    count.filter(|count| *count <= bytes.rest().len()).ok_or_else(cut)
}

fn text<'a>(bytes: &mut Reader<'a>) -> Result<&'a str> {
    core::str::from_utf8(bytes.slice().ok_or_else(cut)?).map_err(|_| malformed("a text is not UTF-8"))
}

impl<'a> Batch<'a> {
    /// Opens a batch; its documents are read when they are written as rows.
    ///
    /// # Errors
    /// `invalid` where it is none.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut bytes = Reader::new(bytes);
        let (mut names, mut shape_ends) = (Vec::new(), Vec::new());
        for _ in 0..count(&mut bytes)? {
            let first = names.len();
            for _ in 0..count(&mut bytes)? {
                names.push(text(&mut bytes)?);
            }
            let shape = names.get(first..).unwrap_or_default();
            if let Some(name) = repeated(shape.iter().copied(), shape.len()) {
                return Err(Error::invalid(format!("field `{name}` stands twice")));
            }
            shape_ends.push(names.len());
        }
        let documents = count(&mut bytes)?;
        let is_ascii = bytes.u8().ok_or_else(cut)? == 1;
        let text = text(&mut bytes)?;
        Ok(Batch { names, shape_ends, count: documents, text, is_ascii, documents: bytes })
    }

    /// How many documents there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the documents.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.documents.rest().len() + self.text.len()
    }

    fn shape(&self, number: usize) -> Result<&[&'a str]> {
        let end = self.shape_ends.get(number).copied().ok_or_else(|| malformed("a shape is not known"))?;
        let start = number.checked_sub(1).and_then(|before| self.shape_ends.get(before)).copied().unwrap_or(0);
        Ok(self.names.get(start..end).unwrap_or_default())
    }
}

/// What a document's shape becomes.
#[derive(Clone, Copy, Debug)]
struct Target {
    shape: ShapeId,
    /// Whether the key stands in front, which the document came without.
    has_made_key: bool,
}

/// Writes the documents of a batch as rows, one after the other.
pub struct Rows<'b> {
    batch: &'b Batch<'b>,
    writer: RowWriter<'b>,
    /// A field that documents are given where they lack it.
    key_field: Option<&'b str>,
    documents: Reader<'b>,
    text_at: usize,
    // What each shape of the batch is among those of the collection, once it was asked for: of documents, and of
    // objects within them.
    of_documents: Vec<Option<Target>>,
    of_objects: Vec<Option<ShapeId>>,
}

impl<'b> Rows<'b> {
    /// Starts with the first document. A document without the field `key_field` gets it, in front of the others.
    #[must_use]
    pub fn new(batch: &'b Batch<'b>, shapes: &'b Shapes, key_field: Option<&'b str>) -> Self {
        Rows {
            batch,
            writer: RowWriter::new(shapes),
            key_field,
            documents: batch.documents,
            text_at: 0,
            of_documents: vec![None; batch.shape_ends.len()],
            of_objects: vec![None; batch.shape_ends.len()],
        }
    }

    /// Appends the next document as a row; says whether its key was made. Objects whose shape
    /// is missing have their names in the row.
    ///
    /// # Errors
    /// `invalid` where the batch is malformed, `limit` where the document is too deep, too large, or has too many
    /// fields. There is no next document then.
    pub fn next(&mut self, row: &mut Vec<u8>, make_key: &mut dyn FnMut() -> String) -> Result<bool> {
        self.writer.take(row);
        let written = self.document(make_key);
        self.writer.give_back(row);
        written
    }

    /// Field lists without a shape, taken out: they are to be stored first.
    #[must_use]
    pub fn take_missing(&mut self) -> Lists {
        core::mem::take(&mut self.writer.missing)
    }

    /// Whether every document and every text was read.
    ///
    /// # Errors
    /// `invalid` where something is left over.
    pub fn finish(&self) -> Result<()> {
        if self.documents.is_empty() && self.text_at == self.batch.text.len() {
            return Ok(());
        }
        Err(malformed("bytes are left over"))
    }

    fn document(&mut self, make_key: &mut dyn FnMut() -> String) -> Result<bool> {
        let number = self.shape_number()?;
        let batch = self.batch;
        let names = batch.shape(number)?;
        let target = match self.of_documents.get(number).copied().flatten() {
            Some(target) => target,
            None => self.target(number, names)?,
        };
        let made = self.key_field.filter(|_| target.has_made_key);
        let count = names.len() + usize::from(made.is_some());
        let open = self.writer.begin_object(target.shape, count, made.into_iter().chain(names.iter().copied()));
        if made.is_some() {
            push_bytes(&mut self.writer.row, row::TAG_STRING, make_key().as_bytes());
            self.writer.end_value();
        }
        self.values(names.len(), 1)?;
        self.writer.close(&open)?;
        Ok(target.has_made_key)
    }

    fn target(&mut self, number: usize, names: &[&str]) -> Result<Target> {
        let made = self.key_field.filter(|key| !names.contains(key));
        let all: Vec<&str> = made.into_iter().chain(names.iter().copied()).collect();
        let target = Target { shape: self.writer.shape(all.iter().copied())?, has_made_key: made.is_some() };
        if let Some(known) = self.of_documents.get_mut(number) {
            *known = Some(target);
        }
        Ok(target)
    }

    fn shape_number(&mut self) -> Result<usize> {
        usize::try_from(self.documents.u32().ok_or_else(cut)?).map_err(|_| cut())
    }

    fn values(&mut self, count: usize, depth: usize) -> Result<()> {
        for _ in 0..count {
            self.value(depth)?;
            self.writer.end_value();
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        match self.documents.u8().ok_or_else(cut)? {
            TAG_STRING => {
                let text = self.next_text()?;
                push_bytes(&mut self.writer.row, row::TAG_STRING, text.as_bytes());
            }
            TAG_NUMBER => {
                let number = Number::new(f64::from_le_bytes(self.documents.array().ok_or_else(cut)?));
                push_number(&mut self.writer.row, number.ok_or_else(|| Error::invalid("NaN is not a value"))?);
            }
            TAG_NULL => self.writer.row.push(row::TAG_NULL),
            TAG_FALSE => self.writer.row.push(row::TAG_FALSE),
            TAG_TRUE => self.writer.row.push(row::TAG_TRUE),
            TAG_DATE => {
                let ms = codec::date(f64::from_le_bytes(self.documents.array().ok_or_else(cut)?))?;
                push_integer(&mut self.writer.row, row::TAG_DATE, ms);
            }
            TAG_BIGINT => {
                let number = i64::from_le_bytes(self.documents.array().ok_or_else(cut)?);
                push_integer(&mut self.writer.row, row::TAG_BIGINT, number);
            }
            TAG_BYTES => {
                let bytes = self.documents.slice().ok_or_else(cut)?;
                push_bytes(&mut self.writer.row, row::TAG_BYTES, bytes);
            }
            TAG_ARRAY => {
                check_depth(depth + 1)?;
                let count = count(&mut self.documents)?;
                self.writer.row.push(row::TAG_ARRAY);
                let open = self.writer.begin_array(count);
                self.values(count, depth + 1)?;
                self.writer.close(&open)?;
            }
            TAG_OBJECT => self.object(depth + 1)?,
            tag => return Err(malformed(&format!("tag {tag} is not known"))),
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<()> {
        check_depth(depth)?;
        let number = self.shape_number()?;
        let batch = self.batch;
        let names = batch.shape(number)?;
        let shape = match self.of_objects.get(number).copied().flatten() {
            Some(shape) => shape,
            None => {
                let shape = self.writer.shape(names.iter().copied())?;
                if let Some(known) = self.of_objects.get_mut(number) {
                    *known = Some(shape);
                }
                shape
            }
        };
        self.writer.row.push(row::TAG_OBJECT);
        let open = self.writer.begin_object(shape, names.len(), names.iter().copied());
        self.values(names.len(), depth)?;
        self.writer.close(&open)
    }

    /// The next string.
    fn next_text(&mut self) -> Result<&'b str> {
        let units = self.documents.varint().and_then(|units| usize::try_from(units).ok()).ok_or_else(cut)?;
        let rest = self.batch.text.get(self.text_at..).ok_or_else(cut)?;
        let len = if self.batch.is_ascii { units } else { bytes_of(rest, units).ok_or_else(cut)? };
        let text = rest.get(..len).ok_or_else(cut)?;
        self.text_at += len;
        Ok(text)
    }
}

/// How many bytes so many UTF-16 units are; none where there are fewer, or a character lies across the end.
fn bytes_of(text: &str, units: usize) -> Option<usize> {
    if text.as_bytes().get(..units).is_some_and(<[u8]>::is_ascii) {
        return Some(units);
    }
    let (mut left, mut len) = (units, 0);
    let mut characters = text.chars();
    while left > 0 {
        let character = characters.next()?;
        left = left.checked_sub(character.len_utf16())?;
        len += character.len_utf8();
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Shapes `{id, v}` and `{a}`; two documents, the first as `{v: {a: "x\u{1f600}"}}` would be with an id.
    fn bytes(text: &str, units: [u8; 3], is_ascii: u8) -> Vec<u8> {
        let mut bytes = vec![2, 2, 2, b'i', b'd', 1, b'v', 1, 1, b'a', 2, is_ascii, text.len() as u8];
        bytes.extend_from_slice(text.as_bytes());
        let [first, inner, second] = units;
        bytes.extend_from_slice(&[0, 0, 0, 0, TAG_STRING, first, TAG_OBJECT, 1, 0, 0, 0, TAG_STRING, inner]);
        bytes.extend_from_slice(&[1, 0, 0, 0, TAG_ARRAY, 2, TAG_STRING, second, TAG_NUMBER]);
        bytes.extend_from_slice(&(-0.0_f64).to_le_bytes());
        bytes
    }

    /// The documents as text; shapes grow as they are asked for.
    fn read(bytes: &[u8]) -> Result<Vec<String>> {
        let batch = Batch::open(bytes)?;
        let mut shapes = Shapes::new();
        loop {
            let mut rows = Rows::new(&batch, &shapes, Some("id"));
            let mut found = Vec::new();
            for _ in 0..batch.len() {
                let mut row = Vec::new();
                let made = rows.next(&mut row, &mut || "key".to_owned())?;
                found.push((row, made));
            }
            rows.finish()?;
            let missing = rows.take_missing();
            if missing.is_empty() {
                let show = |(row, made): &(Vec<u8>, bool)| {
                    let object = row::open(row, &shapes).unwrap().to_object().unwrap();
                    format!("{object}{}", if *made { " made" } else { "" })
                };
                return Ok(found.iter().map(show).collect());
            }
            missing.iter().for_each(|names| assert!(shapes.add(names).unwrap().is_some()));
        }
    }

    #[test]
    fn documents_come_out_whole_and_get_the_key_that_they_lack() {
        let first = |text: &str| format!("{{id: \"k\", v: {{a: \"{text}\"}}}}");
        let second = "{id: \"key\", a: [\"z\", -0]} made";
        assert_eq!(read(&bytes("kxyz", [1, 2, 1], 1)).unwrap(), [first("xy").as_str(), second]);
        assert_eq!(read(&bytes("kx\u{1f600}z", [1, 3, 1], 0)).unwrap(), [first("x\u{1f600}").as_str(), second]);
    }

    #[test]
    fn what_is_no_batch_is_invalid() {
        assert!(read(&bytes("k\u{1f600}yz", [1, 2, 2], 0)).is_ok());
        for bytes in [
            bytes("k\u{1f600}yz", [1, 1, 3], 0),
            bytes("k\u{1f600}yz", [1, 2, 1], 1),
            bytes("kxy", [1, 1, 2], 1),
            bytes("kxyz", [1, 1, 1], 1),
            [bytes("kxyz", [1, 2, 1], 1), vec![0]].concat(),
        ] {
            assert_eq!(read(&bytes).unwrap_err().kind(), crate::error::ErrorKind::Invalid);
        }
        let good = bytes("kxyz", [1, 2, 1], 1);
        for len in 0..good.len() {
            assert!(read(good.get(..len).unwrap()).is_err(), "cut at {len}");
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut flipped = good.clone();
                *flipped.get_mut(at).unwrap() ^= 1 << bit;
                let _ = read(&flipped);
            }
        }
    }
}
