//! Pieces: what one source of a snapshot (a run in memory, a segment) holds of a range of documents, entry by entry.
//!
//! Not the entries themselves: a piece says where each lies, so that a row can be read when it is wanted.
//!
//! Invariant: the position of an entry in its piece is its place among those of the source that lie in the range.

use crate::engine::run::Run;
use crate::engine::unpacked::{Gapped, values};
use crate::error::Result;
use crate::query::Column;
use crate::value::KeyRange;
use crate::value::fields::Fields;
use crate::value::shape::Shapes;
use crate::value::vector::Vector;
use crate::value::view::ObjectView;

/// Documents of a block, as most are: room is made for so many at once.
const ENTRIES_GUESSED: usize = 256;

/// Opens stored values as documents.
pub(crate) trait Open {
    /// # Errors
    /// `corrupt` for damaged rows.
    fn open<'a>(&'a self, value: &'a [u8]) -> Result<ObjectView<'a>>;

    /// The row in a stored value: its last part.
    fn row<'a>(&self, value: &'a [u8]) -> &'a [u8];

    /// The shapes of rows.
    fn shapes(&self) -> &Shapes;
}

/// Entries of the range that lie in one block, or in a run in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The number of the block.
    pub(super) block: u32,
    /// The number of the first entry in it.
    low: u32,
    /// The position of that entry.
    start: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    parts: Vec<Part>,
    len: u32,
    first: Vec<u8>,
    last: Vec<u8>,
    /// Positions of tombstones.
    dead: Vec<u32>,
}

impl Piece {
    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    /// Its least and its greatest key.
    pub(super) fn ends(&self) -> (&[u8], &[u8]) {
        (&self.first, &self.last)
    }

    /// Positions of tombstones, ascending.
    pub(super) fn dead(&self) -> &[u32] {
        &self.dead
    }

    pub(crate) fn len_bytes(&self) -> usize {
        size_of::<Piece>()
            + size_of::<Part>() * self.parts.len()
            + 4 * self.dead.len()
            + self.first.len()
            + self.last.len()
    }

    /// The number of the part in which an entry lies, and its number in the block.
    pub(super) fn find(&self, position: u32) -> Option<(u32, usize)> {
        let at = self.parts.partition_point(|part| part.start <= position).checked_sub(1)?;
        let part = self.parts.get(at)?;
        Some((at as u32, (part.low + (position - part.start)) as usize))
    }

    pub(super) fn part(&self, at: u32) -> Option<Part> {
        self.parts.get(at as usize).copied()
    }
}

/// A piece being read, with some columns.
pub(super) struct Making<'a> {
    range: &'a KeyRange,
    open: &'a dyn Open,
    columns: Vec<&'a Column>,
    /// Where all columns are fields of their own.
    fields: Option<Fields<'a>>,
    pub(super) piece: Piece,
    /// In the order of the columns.
    pub(super) vectors: Vec<Vector>,
}

impl<'a> Making<'a> {
    pub(super) fn new(range: &'a KeyRange, open: &'a dyn Open, columns: Vec<&'a Column>) -> Self {
        let vectors = columns.iter().map(|_| Vector::default()).collect();
        let names = columns.iter().map(|column| column.field().map(|name| &**name)).collect::<Option<Vec<&str>>>();
        let fields = names.map(|names| Fields::new(open.shapes(), names));
        Making { range, open, columns, fields, piece: Piece::default(), vectors }
    }

    pub(super) const fn range(&self) -> &'a KeyRange {
        self.range
    }

    /// Takes in what the next block, or the run in memory, has of the range.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub(super) fn take(&mut self, block: u32, run: &Run) -> Result<()> {
        let low = run.lower_bound(&self.range.start);
        let high = self.range.end.as_ref().map_or(run.len(), |end| run.lower_bound(end));
        let (Some(first), Some(last)) = (run.key(low), high.checked_sub(1).and_then(|last| run.key(last))) else {
            return Ok(());
        };
        if low >= high {
            return Ok(());
        }
        if self.piece.parts.is_empty() {
            self.piece.first = first.to_vec();
        }
        self.piece.last = last.to_vec();
        self.piece.parts.push(Part { block, low: low as u32, start: self.piece.len });
        for index in low..high {
            let value = run.entry(index).and_then(|(_, value)| value);
            if value.is_none() {
                self.piece.dead.push(self.piece.len);
            }
            self.piece.len += 1;
            self.extract(value)?;
        }
        Ok(())
    }

    /// The same from the stored form of a block that lies within the range and is not the first of its piece: no row is built.
    /// Answers whether that can be done; nothing was taken in where it cannot.
    ///
    /// # Errors
    /// As [`Making::take`].
    pub(super) fn take_packed(&mut self, block: u32, packed: &[u8]) -> Result<bool> {
        let Some(fields) = &mut self.fields else { return Ok(false) };
        let (count, open) = (self.columns.len(), self.open);
        let mut found: Vec<Option<&[u8]>> = Vec::with_capacity(ENTRIES_GUESSED * count);
        let (mut dead, mut len) = (Vec::new(), 0);
        let sound = values(packed, &mut |value| {
            match value {
                Some(Gapped { bytes, mut gap }) => {
                    let row = open.row(bytes);
                    if gap.len > 0 {
                        gap.start = gap.start.checked_sub(bytes.len() - row.len())?;
                    }
                    fields.find(row, gap, &mut found)?;
                }
                None => {
                    dead.push(self.piece.len + len);
                    found.resize(found.len() + count, None);
                }
            }
            len += 1;
            Some(())
        });
        if sound.is_none() {
            return Ok(false);
        }
        self.piece.parts.push(Part { block, low: 0, start: self.piece.len });
        self.piece.dead.append(&mut dead);
        self.piece.len += len;
        for (place, (column, vector)) in self.columns.iter().zip(&mut self.vectors).enumerate() {
            column.take_fields(&mut found.iter().skip(place).step_by(count).copied(), open.shapes(), vector)?;
        }
        Ok(true)
    }

    fn extract(&mut self, value: Option<&[u8]>) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        match value {
            Some(value) => {
                let document = self.open.open(value)?;
                let mut each = self.columns.iter().zip(&mut self.vectors);
                each.try_for_each(|(column, vector)| column.take(document, vector))
            }
            None => {
                self.vectors.iter_mut().for_each(|vector| vector.push(None));
                Ok(())
            }
        }
    }
}
