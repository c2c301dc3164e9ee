//! Rows: a document as it is stored, made so that one field is read without decoding the rest.
//!
//! Not self-contained: the names of fields are in the collection's [`Shapes`], except in the fallback form.
//!
//! # The form
//!
//! A row is one object. Where a value ends is told from outside, so that strings and numbers need no length:
//!
//! ```text
//! object := varint(shape << 2 | w), [shape 0: varint n, n * (varint length, name)], value * n, offset * (n - 1)
//! array  := varint(n << 2 | w), value * n, offset * (n - 1)
//! offset := where a value ends, counted from the first value; 1, 2 or 4 bytes little-endian for w = 0, 1, 2
//! value  := tag, payload
//! ```
//!
//! The last value ends where the offsets begin. Integers (numbers without a fraction, within 2^53, not -0), bigints and
//! dates are as many little-endian bytes as their two's complement needs, down to none for 0; other numbers 4 bytes
//! where a single-precision float holds them exactly, else 8.
//!
//! Invariants: reading never panics and never allocates by a length that was not checked; depth is bounded; bytes that
//! are not a row give `corrupt`.

use crate::bytes::Reader;
use crate::error::{Error, Result};
use crate::limits::DOCUMENT_DEPTH_MAX;
use crate::value::shape::{Shape, ShapeId, Shapes};
use crate::value::view::{ArrayView, ObjectView};
use crate::value::{Name, Number, Object, Value, View};

pub(crate) const TAG_NULL: u8 = 0;
pub(crate) const TAG_FALSE: u8 = 1;
pub(crate) const TAG_TRUE: u8 = 2;
pub(crate) const TAG_INTEGER: u8 = 3;
pub(crate) const TAG_NUMBER: u8 = 4;
pub(crate) const TAG_BIGINT: u8 = 5;
pub(crate) const TAG_STRING: u8 = 6;
pub(crate) const TAG_DATE: u8 = 7;
pub(crate) const TAG_BYTES: u8 = 8;
pub(crate) const TAG_ARRAY: u8 = 9;
pub(crate) const TAG_OBJECT: u8 = 10;

/// Beyond it not every integer is a number.
pub(crate) const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

fn damaged() -> Error {
    Error::corrupt("row is damaged")
}

/// Opens a stored row for reading, field by field.
///
/// # Errors
/// `corrupt` where the bytes are no row, or their shape is not known.
pub fn open<'a>(row: &'a [u8], shapes: &'a Shapes) -> Result<ObjectView<'a>> {
    Ok(open_row(row, shapes)?.into())
}

/// The same, for whoever needs to know that it is a row.
///
/// # Errors
/// As [`open`].
pub fn open_row<'a>(row: &'a [u8], shapes: &'a Shapes) -> Result<RowObject<'a>> {
    RowObject::open(row, shapes, 1)
}

/// Values one behind the other, with offsets.
#[derive(Clone, Copy, Debug)]
struct Slots<'a> {
    values: &'a [u8],
    offsets: &'a [u8],
    width: u8,
    count: usize,
    depth: usize,
    shapes: &'a Shapes,
}

impl<'a> Slots<'a> {
    fn open(bytes: &'a [u8], count: u64, width: u8, depth: usize, shapes: &'a Shapes) -> Result<Self> {
        // Each value has a tag: no more values than bytes.
        let count = usize::try_from(count).ok().filter(|count| *count <= bytes.len()).ok_or_else(damaged)?;
        if depth > DOCUMENT_DEPTH_MAX || width > 2 {
            return Err(damaged());
        }
        let offsets_len = count.saturating_sub(1).checked_mul(1 << width).ok_or_else(damaged)?;
        let values_len = bytes.len().checked_sub(offsets_len).ok_or_else(damaged)?;
        let (values, offsets) = bytes.split_at_checked(values_len).ok_or_else(damaged)?;
        Ok(Slots { values, offsets, width, count, depth, shapes })
    }

    /// Where the value before this one ends.
    fn start(&self, index: usize) -> Option<usize> {
        let Some(before) = index.checked_sub(1) else {
            return Some(0);
        };
        match self.width {
            0 => self.offsets.get(before).map(|byte| usize::from(*byte)),
            1 => {
                let bytes = self.offsets.get(before * 2..)?.first_chunk::<2>()?;
                Some(usize::from(u16::from_le_bytes(*bytes)))
            }
            _ => {
                let bytes = self.offsets.get(before * 4..)?.first_chunk::<4>()?;
                usize::try_from(u32::from_le_bytes(*bytes)).ok()
            }
        }
    }

    /// The bytes of a value, its tag first.
    fn raw(&self, index: usize) -> Result<Option<&'a [u8]>> {
        if index >= self.count {
            return Ok(None);
        }
        let start = self.start(index).ok_or_else(damaged)?;
        let end =
            if index + 1 == self.count { self.values.len() } else { self.start(index + 1).ok_or_else(damaged)? };
        self.values.get(start..end).ok_or_else(damaged).map(Some)
    }

    fn get(&self, index: usize) -> Result<Option<View<'a>>> {
        let Some(raw) = self.raw(index)? else { return Ok(None) };
        let (tag, payload) = raw.split_first().ok_or_else(damaged)?;
        read_value(*tag, payload, self.depth, self.shapes).map(Some)
    }

    /// All of them in order: quicker than one by one, for each ends where the next begins.
    fn for_each(&self, mut each: impl FnMut(&Raw<'a>) -> Result<()>) -> Result<()> {
        let mut start = 0;
        for next in 1..=self.count {
            let end = match self.width {
                _ if next == self.count => Some(self.values.len()),
                0 => self.offsets.get(next - 1).map(|byte| usize::from(*byte)),
                _ => self.start(next),
            };
            let end = end.ok_or_else(damaged)?;
            let (tag, payload) = self.values.get(start..end).and_then(<[u8]>::split_first).ok_or_else(damaged)?;
            each(&Raw { tag: *tag, payload, depth: self.depth, shapes: self.shapes })?;
            start = end;
        }
        Ok(())
    }
}

/// A value in a row that nobody has looked into yet: for who knows what to do with some kinds as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a> {
    pub(super) tag: u8,
    pub(super) payload: &'a [u8],
    depth: usize,
    shapes: &'a Shapes,
}

impl<'a> Raw<'a> {
    /// The value.
    pub(super) fn view(&self) -> Result<View<'a>> {
        read_value(self.tag, self.payload, self.depth, self.shapes)
    }
}

/// The values of an object or an array in a row, one after the other, for whoever can often do without reading them.
#[derive(Clone, Debug)]
pub(crate) struct Raws<'a> {
    slots: Slots<'a>,
    index: usize,
    start: usize,
}

impl<'a> Raws<'a> {
    /// The tag of the next value and what is behind it; none behind the last.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub(crate) fn next(&mut self) -> Result<Option<(u8, &'a [u8])>> {
        if self.index == self.slots.count {
            return Ok(None);
        }
        self.index += 1;
        let end =
            if self.index == self.slots.count { Some(self.slots.values.len()) } else { self.slots.start(self.index) };
        let raw = end.and_then(|end| self.slots.values.get(self.start..end)).and_then(<[u8]>::split_first);
        let (tag, payload) = raw.ok_or_else(damaged)?;
        self.start += payload.len() + 1;
        Ok(Some((*tag, payload)))
    }

    /// Reads a value of these. Into its place, for a view is large: handed on it would be copied twice.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub(crate) fn read(&self, tag: u8, payload: &'a [u8], value: &mut View<'a>) -> Result<()> {
        *value = match tag {
            TAG_INTEGER => View::Number(Number::new(read_whole(payload)?).ok_or_else(damaged)?),
            TAG_STRING => View::String(core::str::from_utf8(payload).map_err(|_| damaged())?),
            tag => read_value(tag, payload, self.slots.depth, self.slots.shapes)?,
        };
        Ok(())
    }
}

fn read_value<'a>(tag: u8, payload: &'a [u8], depth: usize, shapes: &'a Shapes) -> Result<View<'a>> {
    Ok(match (tag, payload) {
        (TAG_NULL, []) => View::Null,
        (TAG_FALSE, []) => View::Bool(false),
        (TAG_TRUE, []) => View::Bool(true),
        (TAG_INTEGER, bytes) => View::Number(Number::new(read_whole(bytes)?).ok_or_else(damaged)?),
        (TAG_NUMBER, [a, b, c, d]) => {
            let single = f32::from_le_bytes([*a, *b, *c, *d]);
            View::Number(Number::new(f64::from(single)).ok_or_else(damaged)?)
        }
        (TAG_NUMBER, bytes) => {
            let bytes: [u8; 8] = bytes.try_into().map_err(|_| damaged())?;
            View::Number(Number::new(f64::from_le_bytes(bytes)).ok_or_else(damaged)?)
        }
        (TAG_BIGINT, bytes) => View::BigInt(read_integer(bytes)?),
        (TAG_DATE, bytes) => View::Date(read_integer(bytes)?),
        (TAG_STRING, bytes) => View::String(core::str::from_utf8(bytes).map_err(|_| damaged())?),
        (TAG_BYTES, bytes) => View::Bytes(bytes),
        (TAG_ARRAY, bytes) => View::Array(ArrayView::from(RowArray::open(bytes, shapes, depth + 1)?)),
        (TAG_OBJECT, bytes) => View::Object(ObjectView::from(RowObject::open(bytes, shapes, depth + 1)?)),
        _ => return Err(damaged()),
    })
}

/// The payload of an integer.
pub(super) fn read_whole(bytes: &[u8]) -> Result<f64> {
    let integer = read_integer(bytes)?;
    if integer.unsigned_abs() > SAFE_INTEGER_MAX {
        return Err(damaged());
    }
    Ok(integer as f64)
}

fn read_integer(bytes: &[u8]) -> Result<i64> {
    let fill = if bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut whole = [fill; 8];
    whole.get_mut(..bytes.len()).ok_or_else(damaged)?.copy_from_slice(bytes);
    Ok(i64::from_le_bytes(whole))
}

/// Reads a value as it lies in a row of these shapes, its tag first.
///
/// # Errors
/// `corrupt` for damaged bytes.
pub(crate) fn read_raw<'a>(raw: &'a [u8], shapes: &'a Shapes) -> Result<View<'a>> {
    let (tag, payload) = raw.split_first().ok_or_else(damaged)?;
    read_value(*tag, payload, 1, shapes)
}

/// An array in a row.
#[derive(Clone, Copy, Debug)]
pub struct RowArray<'a>(Slots<'a>);

impl<'a> RowArray<'a> {
    fn open(bytes: &'a [u8], shapes: &'a Shapes, depth: usize) -> Result<Self> {
        let mut bytes = Reader::new(bytes);
        let head = bytes.varint().ok_or_else(damaged)?;
        Slots::open(bytes.rest(), head >> 2, (head & 3) as u8, depth, shapes).map(RowArray)
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// Calls `each` with the elements in order.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes, and what `each` fails with.
    pub(super) fn for_each_raw(&self, each: impl FnMut(&Raw<'a>) -> Result<()>) -> Result<()> {
        self.0.for_each(each)
    }

    /// The elements, not read.
    pub(super) const fn raws(&self) -> Raws<'a> {
        Raws { slots: self.0, index: 0, start: 0 }
    }

    /// One element; none beyond the end.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub fn get(&self, index: usize) -> Result<Option<View<'a>>> {
        self.0.get(index)
    }
}

/// An object in a row.
#[derive(Clone, Copy, Debug)]
pub struct RowObject<'a> {
    slots: Slots<'a>,
    names: Source<'a>,
}

/// Where the names are.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Shape(ShapeId, &'a Shape),
    Inline(Reader<'a>),
}

impl<'a> RowObject<'a> {
    fn open(bytes: &'a [u8], shapes: &'a Shapes, depth: usize) -> Result<Self> {
        let mut bytes = Reader::new(bytes);
        let head = bytes.varint().ok_or_else(damaged)?;
        let id = ShapeId::new(u32::try_from(head >> 2).map_err(|_| damaged())?);
        let (names, count) = if id == ShapeId::INLINE {
            let count = bytes.varint().ok_or_else(damaged)?;
            let names = bytes;
            for _ in 0..count {
                read_name(&mut bytes)?;
            }
            (Source::Inline(names), count)
        } else {
            let shape = shapes.get(id);
            let shape =
                shape.ok_or_else(|| Error::corrupt(format!("row has shape {}, which is not known", id.get())))?;
            (Source::Shape(id, shape), shape.names().len() as u64)
        };
        let slots = Slots::open(bytes.rest(), count, (head & 3) as u8, depth, shapes)?;
        Ok(RowObject { slots, names })
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.count
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.count == 0
    }

    /// The value of a field; none where it is missing.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub fn get(&self, name: &str) -> Result<Option<View<'a>>> {
        match self.place(name)? {
            Some(place) => self.slots.get(place),
            None => Ok(None),
        }
    }

    /// The bytes of a field's value as they lie in the row. In rows of one collection equal bytes are equal values.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub fn raw(&self, name: &str) -> Result<Option<&'a [u8]>> {
        match self.place(name)? {
            Some(place) => self.slots.raw(place),
            None => Ok(None),
        }
    }

    /// The same by the field's place.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub(super) fn raw_at(&self, place: usize) -> Result<Option<&'a [u8]>> {
        self.slots.raw(place)
    }

    /// Those that names are looked up in.
    pub(super) const fn shapes(&self) -> &'a Shapes {
        self.slots.shapes
    }

    /// The shape; none where the names are in the row.
    pub(crate) const fn shape(&self) -> Option<(ShapeId, &'a Shape)> {
        match self.names {
            Source::Shape(id, shape) => Some((id, shape)),
            Source::Inline(_) => None,
        }
    }

    /// The values, not read.
    pub(super) const fn raws(&self) -> Raws<'a> {
        Raws { slots: self.slots, index: 0, start: 0 }
    }

    fn place(&self, name: &str) -> Result<Option<usize>> {
        match self.names {
            Source::Shape(_, shape) => Ok(shape.place(name)),
            Source::Inline(mut names) => {
                for index in 0..self.slots.count {
                    if read_name(&mut names)? == name {
                        return Ok(Some(index));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Calls `each` with the values in order.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes, and what `each` fails with.
    pub(super) fn for_each_raw(&self, each: impl FnMut(&Raw<'a>) -> Result<()>) -> Result<()> {
        self.slots.for_each(each)
    }

    /// The fields in order.
    #[must_use]
    pub fn fields(&self) -> RowFields<'a> {
        RowFields { object: *self, index: 0 }
    }

    /// As a tree of its own. Names that come from a shape are shared with it.
    ///
    /// # Errors
    /// `corrupt` for damaged bytes.
    pub fn to_object(&self) -> Result<Object> {
        let mut fields: Vec<(Name, Value)> = Vec::with_capacity(self.slots.count);
        let mut push = |index, name: Name| -> Result<()> {
            let value = self.slots.get(index)?.ok_or_else(damaged)?;
            fields.push((name, value.to_value()?));
            Ok(())
        };
        match self.names {
            Source::Shape(_, shape) => {
                for (index, name) in shape.names().iter().enumerate() {
                    push(index, name.clone())?;
                }
                // A shape has no name twice: it was checked when it was made or loaded.
                Ok(Object { fields })
            }
            Source::Inline(mut names) => {
                for index in 0..self.slots.count {
                    push(index, read_name(&mut names)?.into())?;
                }
                Object::from_fields(fields).map_err(|_| damaged())
            }
        }
    }
}

/// The fields of an object in a row, one after the other.
#[derive(Clone, Debug)]
pub struct RowFields<'a> {
    // Inline names are passed over as they are read.
    object: RowObject<'a>,
    index: usize,
}

impl<'a> Iterator for RowFields<'a> {
    type Item = Result<(&'a str, View<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.object.slots.get(self.index).transpose()?;
        let name = match &mut self.object.names {
            Source::Shape(_, shape) => shape.names().get(self.index).map(|name| &**name).ok_or_else(damaged),
            Source::Inline(names) => read_name(names),
        };
        self.index += 1;
        Some(name.and_then(|name| Ok((name, value?))))
    }
}

fn read_name<'a>(names: &mut Reader<'a>) -> Result<&'a str> {
    let name = names.slice().ok_or_else(damaged)?;
    core::str::from_utf8(name).map_err(|_| damaged())
}
