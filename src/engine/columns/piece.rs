//! Pieces: what one source of a snapshot (a run in memory, a segment) holds of a range of documents, entry by entry.
//!
//! Not the entries themselves: a piece says where each lies, so that a row can be read when it is wanted.
//!
//! Invariant: the position of an entry in its piece is its place among those of the source that lie in the range.

use crate::engine::run::Run;
use crate::error::Result;
use crate::query::Column;
use crate::value::KeyRange;
use crate::value::vector::Vector;
use crate::value::view::ObjectView;

/// Opens stored values as documents.
pub(crate) trait Open {
    /// # Errors
    /// `corrupt` for damaged rows.
    fn open<'a>(&'a self, value: &'a [u8]) -> Result<ObjectView<'a>>;
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
    pub(super) piece: Piece,
    /// In the order of the columns.
    pub(super) vectors: Vec<Vector>,
}

impl<'a> Making<'a> {
    pub(super) fn new(range: &'a KeyRange, open: &'a dyn Open, columns: Vec<&'a Column>) -> Self {
        let vectors = columns.iter().map(|_| Vector::default()).collect();
        Making { range, open, columns, piece: Piece::default(), vectors }
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
