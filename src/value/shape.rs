//! Shapes: the field lists of objects, kept once per collection so that rows need not repeat them.
//!
//! Not a schema: a shape says which names stand in which order, nothing about values. A document with nested objects
//! has a shape for each of them.
//!
//! Invariants: ids are dense from 1 and never change their meaning; id 0 stands for "names are in the row itself". A
//! table only ever grows, so that a newer table reads every older row.

use crate::error::{Error, Result};
use crate::limits::{FIELD_NAME_BYTES_MAX, OBJECT_FIELDS_MAX, SHAPES_PER_COLLECTION_MAX};
use crate::sorted::{self, Sorted};
use crate::value::Name;
use std::rc::Rc;

/// Objects with more fields are written with their names: they are most likely maps, each with a list of its own.
const SHAPE_FIELDS_MAX: usize = 512;
/// Shapes with more fields have an index by name.
const SEARCHED_FIELDS_MAX: usize = 32;

/// The number of a shape in its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(u32);

impl ShapeId {
    /// The names are in the row itself.
    pub const INLINE: ShapeId = ShapeId(0);

    /// From a number that was stored.
    #[must_use]
    pub const fn new(id: u32) -> Self {
        ShapeId(id)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    fn slot(self) -> Option<usize> {
        (self.0 as usize).checked_sub(1)
    }
}

/// The names of an object's fields, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    names: Vec<Name>,
    // A number for each name that tells most of them apart.
    marks: Vec<u64>,
    // Places in `names`, sorted by name; empty for short lists, which are searched one by one.
    by_name: Vec<u16>,
}

impl Shape {
    fn new(names: Vec<Name>) -> Self {
        let mut by_name = Vec::new();
        if names.len() > SEARCHED_FIELDS_MAX {
            by_name = in_order(&names).into_iter().filter_map(|place| u16::try_from(place).ok()).collect();
        }
        let marks = names.iter().map(|name| mark(name)).collect();
        Shape { names, marks, by_name }
    }

    /// The names in order.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The place of a name; none where the shape has no such field.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        if self.by_name.is_empty() {
            let wanted = mark(name);
            let is_name = |place: &usize| self.names.get(*place).is_some_and(|field| &**field == name);
            let places = self.marks.iter().enumerate().filter(|(_, mark)| **mark == wanted);
            return places.map(|(place, _)| place).find(is_name);
        }
        let at = |place: &u16| self.names.get(usize::from(*place)).map_or("", |field| &**field);
        let found = self.by_name.binary_search_by(|place| at(place).cmp(name)).ok()?;
        self.by_name.get(found).map(|place| usize::from(*place))
    }

    /// The bytes under which a shape is stored: for each name its length in two bytes and its UTF-8.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for name in &self.names {
            let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes
    }

    /// Reads what [`Shape::encode`] wrote.
    ///
    /// # Errors
    /// `corrupt` for anything else.
    pub fn decode(mut bytes: &[u8]) -> Result<Shape> {
        let damaged = || Error::corrupt("shape is damaged");
        let mut names: Vec<Name> = Vec::new();
        while let Some((len, rest)) = bytes.split_first_chunk::<2>() {
            let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into()).ok_or_else(damaged)?;
            names.push(core::str::from_utf8(name).map_err(|_| damaged())?.into());
            bytes = rest;
        }
        if !bytes.is_empty() || names.len() > SHAPE_FIELDS_MAX {
            return Err(damaged());
        }
        let is_same = |pair: &[usize]| matches!(pair, [left, right] if names.get(*left) == names.get(*right));
        if in_order(&names).windows(2).any(is_same) {
            return Err(damaged());
        }
        Ok(Shape::new(names))
    }
}

fn in_order(names: &[Name]) -> Vec<usize> {
    sorted::order(names.len(), &mut |left, right| names.get(left).cmp(&names.get(right)))
}

/// The length of a name and its first bytes.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let first = bytes.iter().take(7).fold(0, |mark, byte| mark << 8 | u64::from(*byte));
    (bytes.len() as u64) << 56 | first
}

/// Field lists that are to become shapes, each once.
#[derive(Clone, Debug, Default)]
pub struct Lists(Sorted<Vec<Name>, ()>);

impl Lists {
    /// Adds one, unless there are as many as a collection may have shapes: then the others have to wait, or need none.
    pub fn add(&mut self, names: Vec<Name>) {
        if self.0.len() < SHAPES_PER_COLLECTION_MAX {
            self.0.insert(names, ());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lists, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Vec<Name>> {
        self.0.iter().map(|(names, ())| names)
    }
}

/// The shapes of one collection. Cheap to clone: clones share the shapes.
#[derive(Clone, Debug, Default)]
pub struct Shapes {
    shapes: Vec<Rc<Shape>>,
    /// Ids by the hash of their names.
    by_hash: Sorted<(u64, ShapeId), ()>,
}

impl Shapes {
    /// Without shapes.
    #[must_use]
    pub fn new() -> Self {
        Shapes::default()
    }

    /// How many there are: the greatest id.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    /// The shape with this id.
    #[must_use]
    pub fn get(&self, id: ShapeId) -> Option<&Shape> {
        self.shapes.get(id.slot()?).map(|shape| &**shape)
    }

    /// All shapes with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ShapeId, &Shape)> {
        (1..).map(ShapeId).zip(self.shapes.iter().map(|shape| &**shape))
    }

    /// Adds a shape that was stored under this id, which must be the next one.
    ///
    /// # Errors
    /// `corrupt` where it is not the next one.
    pub fn load(&mut self, id: ShapeId, shape: Shape) -> Result<()> {
        if id.slot() != Some(self.shapes.len()) {
            return Err(Error::corrupt(format!("shape {} is stored where {} is due", id.0, self.shapes.len() + 1)));
        }
        self.insert(id, shape);
        Ok(())
    }

    /// The id for an object with these fields; none where it has to be added first. [`ShapeId::INLINE`] where there are
    /// too many shapes, or too many fields for a shape.
    ///
    /// # Errors
    /// `limit` where there are too many fields for a document, or a name is too long.
    pub fn find<'a>(&self, names: impl ExactSizeIterator<Item = &'a str> + Clone) -> Result<Option<ShapeId>> {
        let hash = hash(names.clone());
        let alike = self.by_hash.from(&(hash, ShapeId::INLINE)).iter().map(|(entry, ())| entry);
        for (_, id) in alike.take_while(|(other, _)| *other == hash) {
            if self.get(*id).is_some_and(|shape| shape.names.iter().map(|name| &**name).eq(names.clone())) {
                return Ok(Some(*id));
            }
        }
        check_names(names.clone())?;
        let is_inline = names.len() > SHAPE_FIELDS_MAX || self.shapes.len() >= SHAPES_PER_COLLECTION_MAX;
        Ok(is_inline.then_some(ShapeId::INLINE))
    }

    /// Adds the shape of these names, unless it is known or there are too many. Answers the id where it is new: then
    /// it has to be stored.
    ///
    /// # Errors
    /// As [`Shapes::find`].
    pub fn add(&mut self, names: &[Name]) -> Result<Option<ShapeId>> {
        if self.find(names.iter().map(|name| &**name))?.is_some() {
            return Ok(None);
        }
        let id = ShapeId(u32::try_from(self.shapes.len() + 1).unwrap_or(u32::MAX));
        self.insert(id, Shape::new(names.to_vec()));
        Ok(Some(id))
    }

    fn insert(&mut self, id: ShapeId, shape: Shape) {
        self.by_hash.insert((hash(shape.names.iter().map(|name| &**name)), id), ());
        self.shapes.push(Rc::new(shape));
    }
}

fn check_names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Result<()> {
    if names.len() > OBJECT_FIELDS_MAX {
        return Err(Error::limit(format!("object has {} fields, the limit is {OBJECT_FIELDS_MAX}", names.len())));
    }
    for name in names {
        if name.len() > FIELD_NAME_BYTES_MAX {
            return Err(Error::limit(format!(
                "field name has {} bytes, the limit is {FIELD_NAME_BYTES_MAX}",
                name.len()
            )));
        }
    }
    Ok(())
}

/// FNV-1a, for names are short; stored nowhere.
fn hash<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        for byte in name.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| (*name).into()).collect()
    }

    fn find(shapes: &Shapes, names: &[Name]) -> Result<Option<ShapeId>> {
        shapes.find(names.iter().map(|name| &**name))
    }

    #[test]
    fn ids_are_dense_and_told_when_new() {
        let mut shapes = Shapes::new();
        let (ab, ba) = (names(&["a", "b"]), names(&["b", "a"]));
        assert_eq!(find(&shapes, &ab).unwrap(), None);
        assert_eq!(shapes.add(&ab).unwrap(), Some(ShapeId(1)));
        assert_eq!(shapes.add(&ba).unwrap(), Some(ShapeId(2)));
        assert_eq!(shapes.add(&ab).unwrap(), None);
        assert_eq!(find(&shapes, &ab).unwrap(), Some(ShapeId(1)));
        let mut loaded = Shapes::new();
        for (id, shape) in shapes.iter() {
            loaded.load(id, Shape::decode(&shape.encode()).unwrap()).unwrap();
        }
        assert_eq!(find(&loaded, &ba).unwrap(), Some(ShapeId(2)));
        assert!(loaded.load(ShapeId(9), Shape::new(vec![])).is_err());
    }

    #[test]
    fn too_many_shapes_and_too_many_fields_fall_back_to_inline_names() {
        let mut shapes = Shapes::new();
        for i in 0..SHAPES_PER_COLLECTION_MAX {
            assert!(shapes.add(&[format!("f{i}").into()]).unwrap().is_some());
        }
        assert_eq!(find(&shapes, &names(&["one more"])).unwrap(), Some(ShapeId::INLINE));
        assert_eq!(shapes.add(&names(&["one more"])).unwrap(), None);
        let wide: Vec<Name> = (0..SHAPE_FIELDS_MAX + 1).map(|i| format!("f{i}").into()).collect();
        assert_eq!(find(&Shapes::new(), &wide).unwrap(), Some(ShapeId::INLINE));
        let too_wide: Vec<Name> = (0..OBJECT_FIELDS_MAX + 1).map(|i| format!("f{i}").into()).collect();
        assert!(find(&Shapes::new(), &too_wide).is_err());
    }

    #[test]
    fn names_are_found_in_short_and_long_lists() {
        for count in [3, 100] {
            let names: Vec<Name> = (0..count).map(|i| format!("f{}", i * 7 % count).into()).collect();
            let shape = Shape::new(names.clone());
            assert!(names.iter().enumerate().all(|(place, name)| shape.place(name) == Some(place)));
            assert_eq!(shape.place("g"), None);
        }
    }

    #[test]
    fn damaged_shapes_are_corrupt() {
        for bytes in [&[1][..], &[2, 0, b'a'], &[1, 0, 0xff], &[1, 0, b'a', 1, 0, b'a']] {
            assert_eq!(Shape::decode(bytes).unwrap_err().kind(), crate::error::ErrorKind::Corrupt);
        }
    }
}
