//! Tables: many values on their way to JavaScript, column by column.
//!
//! Not the form of single values (`value/codec.rs`), and kept nowhere: both sides are of one version. Its twin is
//! `facade/table.ts`. JavaScript takes a column of numbers at once, cuts all strings out of one, and makes the objects of
//! one shape with one piece of code: many times quicker than value by value.
//!
//! # The form
//!
//! Counts and lengths are LEB128 varints; what is padded begins at a multiple of 8 bytes from the beginning of the body.
//!
//! ```text
//! table   := 11, padding length, padding, body
//! body    := chunks, (rows, bytes of text, text, column) * chunks
//! column  := kind, payload
//! lengths := 1, bytes | 4, padding, u32 * n
//! ```
//!
//! | kind | column of | payload |
//! | --- | --- | --- |
//! | 0 | null | none |
//! | 1 | booleans | a byte each |
//! | 2, 3, 4 | numbers, dates, bigints | padding; a double, a double (ms), an i64 each |
//! | 5 | strings | lengths in UTF-16 units; the next so many units of the chunk's text are theirs |
//! | 6 | strings of few kinds | how many, their lengths, a byte each: which |
//! | 7 | bytes | lengths, bytes |
//! | 8 | arrays | lengths, their sum, the column of all elements |
//! | 9 | objects | shapes; where there are several: width (1 or 4), padding, the shape of each; for each shape: rows, fields, (length, name, column) * fields |
//! | 10 | several of these | parts, a byte each: which; for each part: rows, column |
//!
//! Invariants: values come back exactly, in their order; a chunk's text has a bounded length, for what JavaScript cuts out
//! of a string keeps all of it alive.

mod text;
pub(crate) mod vectors;

#[cfg(feature = "simulation")]
pub(crate) mod read;

use crate::bytes::{put_slice, put_varint};
use crate::error::Result;
use crate::value::row::{self, Raw};
use crate::value::shape::ShapeId;
use crate::value::view::ObjectView;
use crate::value::{Name, View};
use text::Texts;

/// The tag of a table among the values of `value/codec.rs`.
pub(crate) const TAG_TABLE: u8 = 11;

const KIND_NULLS: u8 = 0;
const KIND_BOOLS: u8 = 1;
const KIND_NUMBERS: u8 = 2;
const KIND_DATES: u8 = 3;
const KIND_BIGINTS: u8 = 4;
const KIND_TEXTS: u8 = 5;
const KIND_WORDS: u8 = 6;
const KIND_BYTES: u8 = 7;
const KIND_LISTS: u8 = 8;
const KIND_OBJECTS: u8 = 9;
const KIND_MIXED: u8 = 10;

/// A chunk ends beyond this much text, or so many rows.
const CHUNK_TEXT_BYTES: usize = 1 << 20;
const CHUNK_ROWS: usize = 1 << 15;
/// How often the text is measured.
const MEASURED_ROWS: usize = 16;
/// Objects whose names are in the row look for their like among the last so many shapes.
const SEARCHED_SHAPES: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub struct Table {
    chunks: usize,
    body: Vec<u8>,
    column: Column,
    rows: usize,
}

impl Table {
    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a value.
    ///
    /// # Errors
    /// `corrupt` for damaged rows; then the table is not to be used any more.
    pub fn push(&mut self, value: View<'_>) -> Result<()> {
        self.column.push(value)?;
        self.rows += 1;
        let rows = self.column.rows;
        let is_full = rows.is_multiple_of(MEASURED_ROWS) && self.column.text_len() > CHUNK_TEXT_BYTES;
        if is_full || rows >= CHUNK_ROWS {
            self.end_chunk();
        }
        Ok(())
    }

    fn end_chunk(&mut self) {
        let column = core::mem::take(&mut self.column);
        self.chunks += 1;
        put_varint(&mut self.body, column.rows as u64);
        put_varint(&mut self.body, column.text_len() as u64);
        column.put_text(&mut self.body);
        column.put(&mut self.body);
    }

    /// Appends the table, as one value.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        if self.column.rows > 0 {
            self.end_chunk();
        }
        let mut head = Vec::with_capacity(8);
        put_varint(&mut head, self.chunks as u64);
        pad(&mut head);
        out.push(TAG_TABLE);
        let padding = 7 - out.len() % 8;
        out.push(padding as u8);
        out.resize(out.len() + padding, 0);
        out.reserve_exact(head.len() + self.body.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(&self.body);
    }
}

/// Fills up to a multiple of 8 bytes.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}

fn put_lengths(out: &mut Vec<u8>, lengths: &[u32]) {
    if lengths.iter().all(|length| *length < 256) {
        out.push(1);
        out.extend(lengths.iter().map(|length| *length as u8));
    } else {
        out.push(4);
        put_words(out, lengths);
    }
}

fn put_words(out: &mut Vec<u8>, words: &[u32]) {
    pad(out);
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

/// Values at one place: of one kind, or of several.
#[derive(Debug, Default)]
struct Column {
    rows: usize,
    parts: Vec<Part>,
    /// Which part each row is in; empty while there is one part.
    tags: Vec<u8>,
}

#[derive(Debug)]
enum Part {
    Nulls(usize),
    Bools(Vec<u8>),
    Numbers(Vec<u8>),
    Dates(Vec<u8>),
    BigInts(Vec<u8>),
    Texts(Texts),
    Bytes(Vec<u32>, Vec<u8>),
    Lists(Vec<u32>, Box<Column>),
    Objects(Box<Objects>),
}

impl Column {
    fn push(&mut self, value: View<'_>) -> Result<()> {
        if self.tags.is_empty()
            && let Some(first) = self.parts.first_mut()
            && first.try_push(value)?
        {
            self.rows += 1;
            return Ok(());
        }
        self.push_among_parts(value)
    }

    /// Adds a value of a row: the usual ones go from there as they are.
    fn push_raw(&mut self, raw: &Raw<'_>) -> Result<()> {
        if self.tags.is_empty()
            && let Some(first) = self.parts.first_mut()
            && first.try_push_raw(raw)?
        {
            self.rows += 1;
            return Ok(());
        }
        self.push_among_parts(raw.view()?)
    }

    fn push_among_parts(&mut self, value: View<'_>) -> Result<()> {
        let mut place = None;
        for (number, part) in self.parts.iter_mut().enumerate() {
            if part.try_push(value)? {
                place = Some(number);
                break;
            }
        }
        let place = match place {
            Some(place) => place,
            None => {
                let mut part = Part::of(value);
                part.try_push(value)?;
                self.parts.push(part);
                self.parts.len() - 1
            }
        };
        if place > 0 && self.tags.is_empty() {
            self.tags.resize(self.rows, 0);
        }
        if self.parts.len() > 1 {
            self.tags.push(place as u8);
        }
        self.rows += 1;
        Ok(())
    }

    /// Bytes of text in all of its strings.
    fn text_len(&self) -> usize {
        self.parts.iter().map(Part::text_len).sum()
    }

    fn put_text(&self, out: &mut Vec<u8>) {
        for part in &self.parts {
            part.put_text(out);
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self.parts.as_slice() {
            [] => out.push(KIND_NULLS),
            [part] => part.put(out),
            parts => {
                out.push(KIND_MIXED);
                put_varint(out, parts.len() as u64);
                out.extend_from_slice(&self.tags);
                for part in parts {
                    put_varint(out, part.rows() as u64);
                    part.put(out);
                }
            }
        }
    }
}

impl Part {
    fn of(value: View<'_>) -> Part {
        match value {
            View::Null => Part::Nulls(0),
            View::Bool(_) => Part::Bools(Vec::new()),
            View::Number(_) => Part::Numbers(Vec::new()),
            View::BigInt(_) => Part::BigInts(Vec::new()),
            View::String(_) => Part::Texts(Texts::default()),
            View::Date(_) => Part::Dates(Vec::new()),
            View::Bytes(_) => Part::Bytes(Vec::new(), Vec::new()),
            View::Array(_) => Part::Lists(Vec::new(), Box::default()),
            View::Object(_) => Part::Objects(Box::default()),
        }
    }

    /// Adds a value, if it is of this kind.
    fn try_push(&mut self, value: View<'_>) -> Result<bool> {
        match (self, value) {
            (Part::Nulls(count), View::Null) => *count += 1,
            (Part::Bools(bytes), View::Bool(value)) => bytes.push(u8::from(value)),
            (Part::Numbers(bytes), View::Number(number)) => bytes.extend_from_slice(&number.get().to_le_bytes()),
            (Part::Dates(bytes), View::Date(ms)) => bytes.extend_from_slice(&(ms as f64).to_le_bytes()),
            (Part::BigInts(bytes), View::BigInt(number)) => bytes.extend_from_slice(&number.to_le_bytes()),
            (Part::Texts(texts), View::String(text)) => texts.push(text.as_bytes())?,
            (Part::Bytes(lengths, bytes), View::Bytes(value)) => {
                lengths.push(value.len() as u32);
                bytes.extend_from_slice(value);
            }
            (Part::Lists(lengths, elements), View::Array(array)) => {
                lengths.push(array.len() as u32);
                match array.row() {
                    Some(row) => row.for_each_raw(|element| elements.push_raw(element))?,
                    None => array.iter().try_for_each(|element| elements.push(element?))?,
                }
            }
            (Part::Objects(objects), View::Object(object)) => objects.push(object)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Adds a value of a row, if it is of this kind.
    fn try_push_raw(&mut self, raw: &Raw<'_>) -> Result<bool> {
        match (self, raw.tag) {
            (Part::Texts(texts), row::TAG_STRING) => texts.push(raw.payload)?,
            (Part::Numbers(bytes), row::TAG_INTEGER) => {
                bytes.extend_from_slice(&row::read_whole(raw.payload)?.to_le_bytes());
            }
            (part, _) => return part.try_push(raw.view()?),
        }
        Ok(true)
    }

    fn rows(&self) -> usize {
        match self {
            Part::Nulls(count) => *count,
            Part::Bools(bytes) => bytes.len(),
            Part::Numbers(bytes) | Part::Dates(bytes) | Part::BigInts(bytes) => bytes.len() / 8,
            Part::Texts(texts) => texts.len(),
            Part::Bytes(lengths, _) | Part::Lists(lengths, _) => lengths.len(),
            Part::Objects(objects) => objects.order.len(),
        }
    }

    fn text_len(&self) -> usize {
        match self {
            Part::Texts(texts) => texts.text().len(),
            Part::Lists(_, elements) => elements.text_len(),
            Part::Objects(objects) => objects.columns().map(Column::text_len).sum(),
            _ => 0,
        }
    }

    fn put_text(&self, out: &mut Vec<u8>) {
        match self {
            Part::Texts(texts) => out.extend_from_slice(texts.text()),
            Part::Lists(_, elements) => elements.put_text(out),
            Part::Objects(objects) => objects.columns().for_each(|column| column.put_text(out)),
            _ => {}
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        let mut put_padded = |kind: u8, bytes: &[u8]| {
            out.push(kind);
            pad(out);
            out.extend_from_slice(bytes);
        };
        match self {
            Part::Nulls(_) => out.push(KIND_NULLS),
            Part::Bools(bytes) => {
                out.push(KIND_BOOLS);
                out.extend_from_slice(bytes);
            }
            Part::Numbers(bytes) => put_padded(KIND_NUMBERS, bytes),
            Part::Dates(bytes) => put_padded(KIND_DATES, bytes),
            Part::BigInts(bytes) => put_padded(KIND_BIGINTS, bytes),
            Part::Texts(texts) => texts.put(out),
            Part::Bytes(lengths, bytes) => {
                out.push(KIND_BYTES);
                put_lengths(out, lengths);
                out.extend_from_slice(bytes);
            }
            Part::Lists(lengths, elements) => {
                out.push(KIND_LISTS);
                put_lengths(out, lengths);
                put_varint(out, elements.rows as u64);
                elements.put(out);
            }
            Part::Objects(objects) => objects.put(out),
        }
    }
}

/// Objects, shape by shape.
#[derive(Debug, Default)]
struct Objects {
    /// The shape of each.
    order: Vec<u32>,
    shapes: Vec<Alike>,
    /// By the collection's number of a shape: its place in `shapes`, and 1.
    known: Vec<u32>,
    /// The shape of the last one.
    last: usize,
}

/// Objects of one shape.
#[derive(Debug)]
struct Alike {
    /// As in the collection, or [`ShapeId::INLINE`].
    id: ShapeId,
    names: Vec<Name>,
    columns: Vec<Column>,
    rows: usize,
}

impl Alike {
    fn has_names_of(&self, object: ObjectView<'_>) -> bool {
        let is_same =
            |(name, field): (&Name, Result<(&str, View<'_>)>)| matches!(field, Ok((field, _)) if field == &**name);
        self.names.len() == object.len() && self.names.iter().zip(object.iter()).all(is_same)
    }
}

impl Objects {
    fn columns(&self) -> impl Iterator<Item = &Column> {
        self.shapes.iter().flat_map(|alike| &alike.columns)
    }

    fn push(&mut self, object: ObjectView<'_>) -> Result<()> {
        let place = self.place_of(object)?;
        self.last = place;
        self.order.push(place as u32);
        let Some(alike) = self.shapes.get_mut(place) else { return Ok(()) };
        alike.rows += 1;
        let mut columns = alike.columns.iter_mut();
        match object.row() {
            Some(row) => row.for_each_raw(|value| columns.next().map_or(Ok(()), |column| column.push_raw(value))),
            None => columns.zip(object.iter()).try_for_each(|(column, field)| column.push(field?.1)),
        }
    }

    fn place_of(&mut self, object: ObjectView<'_>) -> Result<usize> {
        let id = object.shape();
        if let Some(last) = self.shapes.get(self.last)
            && last.id == id
            && (id != ShapeId::INLINE || last.has_names_of(object))
        {
            return Ok(self.last);
        }
        if id != ShapeId::INLINE {
            let slot = id.get() as usize;
            if self.known.len() <= slot {
                self.known.resize(slot + 1, 0);
            }
            if let Some(place) = self.known.get(slot).and_then(|place| place.checked_sub(1)) {
                return Ok(place as usize);
            }
            if let Some(place) = self.known.get_mut(slot) {
                *place = self.shapes.len() as u32 + 1;
            }
        } else {
            let late = self.shapes.iter().enumerate().rev().take(SEARCHED_SHAPES);
            let mut alike = late.filter(|(_, alike)| alike.id == id);
            if let Some((place, _)) = alike.find(|(_, alike)| alike.has_names_of(object)) {
                return Ok(place);
            }
        }
        let names = object.iter().map(|field| Ok(field?.0.into())).collect::<Result<Vec<Name>>>()?;
        let columns = names.iter().map(|_| Column::default()).collect();
        self.shapes.push(Alike { id, names, columns, rows: 0 });
        Ok(self.shapes.len() - 1)
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(KIND_OBJECTS);
        put_varint(out, self.shapes.len() as u64);
        if self.shapes.len() > 256 {
            out.push(4);
            put_words(out, &self.order);
        } else if self.shapes.len() > 1 {
            out.push(1);
            out.extend(self.order.iter().map(|place| *place as u8));
        }
        for alike in &self.shapes {
            put_varint(out, alike.rows as u64);
            put_varint(out, alike.names.len() as u64);
            for (name, column) in alike.names.iter().zip(&alike.columns) {
                put_slice(out, name.as_bytes());
                column.put(out);
            }
        }
    }
}
