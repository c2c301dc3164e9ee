//! Some fields of many rows, found without opening each row.
//!
//! Not a view: what is found is the bytes of a value as they lie in the row (`row.rs`, which has the form). A row may come with a
//! gap, as it is in the packed form of a run.
//!
//! Invariant: what is found is what the whole row would give; where that is not certain, nothing is.

use crate::bytes::Reader;
use crate::value::shape::{ShapeId, Shapes};

/// Bytes that were left out of a row: where they stood, and how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gap {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// Some fields, found in rows one after the other without opening them: most have the shape of the one before.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    shapes: &'a Shapes,
    names: Vec<&'a str>,
    /// The shape of the row before, none in front of the first; how many fields it has, and where in it each of the names is.
    shape: Option<ShapeId>,
    count: usize,
    places: Vec<Option<usize>>,
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(shapes: &'a Shapes, names: Vec<&'a str>) -> Self {
        Fields { shapes, names, shape: None, count: 0, places: Vec::new() }
    }

    /// Appends tag and payload of each of them in their order, none where the row has no such field. Answers none, having
    /// appended anything, where this is not the way to read the row: its names are in it, a field stands in the gap, or it is
    /// damaged.
    pub(crate) fn find<'b>(&mut self, row: &'b [u8], gap: Gap, found: &mut Vec<Option<&'b [u8]>>) -> Option<()> {
        let mut reader = Reader::new(row);
        let head = reader.varint()?;
        let id = ShapeId::new(u32::try_from(head >> 2).ok()?);
        if self.shape != Some(id) {
            self.turn_to(id)?;
        }
        let width = 1_usize << (head & 3);
        let bytes = reader.rest();
        let offsets_len = self.count.saturating_sub(1) * width;
        let (values, offsets) = bytes.split_at_checked(bytes.len().checked_sub(offsets_len)?)?;
        let (start, stop) = match gap.len {
            0 => (usize::MAX, usize::MAX),
            len => {
                let start = gap.start.checked_sub(row.len() - bytes.len()).filter(|start| *start <= values.len())?;
                (start, start.checked_add(len)?)
            }
        };
        // Where the value before this place ends, in the row as it was.
        let end = |place: usize| match (place.checked_sub(1), width) {
            (None, _) => Some(0),
            _ if place == self.count => values.len().checked_add(gap.len),
            (Some(at), 1) => offsets.get(at).map(|byte| usize::from(*byte)),
            (Some(at), 2) => Some(usize::from(u16::from_le_bytes(*offsets.get(at * 2..)?.first_chunk()?))),
            (Some(at), 4) => usize::try_from(u32::from_le_bytes(*offsets.get(at * 4..)?.first_chunk()?)).ok(),
            _ => None,
        };
        for place in &self.places {
            found.push(match place {
                None => None,
                Some(place) => match (end(*place)?, end(*place + 1)?) {
                    (from, to) if to <= start => Some(values.get(from..to)?),
                    (from, to) if from >= stop => Some(values.get(from - gap.len..to.checked_sub(gap.len)?)?),
                    _ => return None,
                },
            });
        }
        Some(())
    }

    fn turn_to(&mut self, id: ShapeId) -> Option<()> {
        let shape = self.shapes.get(id)?;
        self.count = shape.names().len();
        self.places = self.names.iter().map(|name| shape.place(name)).collect();
        self.shape = Some(id);
        Some(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::{Name, row};

    /// A row of two shapes, the second of which has more in it than a byte can count.
    fn rows() -> (Shapes, [Vec<u8>; 2]) {
        let mut shapes = Shapes::new();
        let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<Name>>();
        shapes.add(&names(&["a", "own", "b"])).unwrap();
        shapes.add(&names(&["b", "own", "c", "a"])).unwrap();
        let integer = |whole: u8| vec![row::TAG_INTEGER, whole];
        let text = |text: &str| [&[row::TAG_STRING], text.as_bytes()].concat();
        let encode = |shape: u8, width: usize, values: &[Vec<u8>]| {
            let mut bytes = vec![shape << 2 | (width as u8 - 1)];
            bytes.extend(values.concat());
            let mut end = 0;
            for value in values.iter().take(values.len() - 1) {
                end += value.len();
                bytes.extend_from_slice(&(end as u16).to_le_bytes()[..width]);
            }
            bytes
        };
        let first = encode(1, 1, &[integer(1), text("0123456789"), integer(2)]);
        let long = "x".repeat(300);
        (shapes, [first, encode(2, 2, &[text(&long), text("0123456789"), vec![row::TAG_NULL], integer(3)])])
    }

    #[test]
    fn fields_are_found_around_every_gap_as_the_whole_row_has_them() {
        let (shapes, rows) = rows();
        let wanted = ["b", "none", "own", "a"];
        for row in &rows {
            let whole = row::open_row(row, &shapes).unwrap();
            for names in [&wanted[..], &["b", "a"], &["own"], &["c", "a"]] {
                let mut fields = Fields::new(&shapes, names.to_vec());
                let expected: Vec<Option<&[u8]>> = names.iter().map(|name| whole.raw(name).unwrap()).collect();
                let mut found = Vec::new();
                fields.find(row, Gap::default(), &mut found).unwrap();
                assert_eq!(found, expected);
                for start in 0..=row.len() {
                    for len in 1..=row.len() - start {
                        let without = [&row[..start], &row[start + len..]].concat();
                        let mut found = Vec::new();
                        let sound = fields.find(&without, Gap { start, len }, &mut found);
                        let own = row.windows(10).position(|text| text == b"0123456789").unwrap();
                        if start >= own && start + len <= own + 10 {
                            assert_eq!(sound.is_some(), !names.contains(&"own"), "{start} {len}");
                            assert!(sound.is_none() || found == expected, "{start} {len}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_with_its_names_in_it_is_read_in_another_way_also_where_it_comes_first() {
        let (shapes, [row, _]) = rows();
        // As in `row.rs`: shape 0, then count and names.
        let inline = [&[ShapeId::INLINE.get() as u8, 1, 1, b'a', row::TAG_NULL][..], &row].concat();
        for before in [None, Some(&row)] {
            let (mut fields, mut found) = (Fields::new(&shapes, vec!["a"]), Vec::new());
            if let Some(before) = before {
                fields.find(before, Gap::default(), &mut found).unwrap();
            }
            let len = found.len();
            assert_eq!((fields.find(&inline, Gap::default(), &mut found), found.len()), (None, len));
        }
    }

    #[test]
    fn damaged_rows_give_nothing_or_something_and_never_a_panic() {
        let (shapes, rows) = rows();
        let mut fields = Fields::new(&shapes, vec!["a", "b", "c"]);
        for row in &rows {
            for at in 0..row.len() {
                for bits in [1, 0x10, 0x80, 0xff] {
                    let mut flipped = row.clone();
                    flipped[at] ^= bits;
                    for gap in [Gap::default(), Gap { start: 4, len: 3 }, Gap { start: usize::MAX, len: usize::MAX }] {
                        let _ = fields.find(&flipped, gap, &mut Vec::new());
                        let _ = fields.find(&flipped[..at], gap, &mut Vec::new());
                    }
                }
            }
        }
    }
}
