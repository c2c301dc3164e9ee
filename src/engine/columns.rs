//! Columns on demand: what all documents of a collection have in some fields, as vectors, without reading rows again.
//!
//! Not storage: vectors are made from the rows of each source (a run in memory, a segment), which never change, so they are
//! right for as long as the source is there. What a snapshot sees is an [`Order`] over its sources, and whole vectors are put
//! together from theirs.
//!
//! Invariants: columns say what a scan of the same snapshot would; where they cannot (an array, several types, no room) there
//! are none, and whoever asks reads rows.

mod ahead;
mod cache;
mod order;
mod piece;

pub(crate) use cache::ColumnCache;
pub(crate) use order::Order;
pub(crate) use piece::{Open, Piece};

use super::block_cache::Cached;
use super::blocks::{Extent, Reading};
use super::manifest::{BlockRef, SegmentId, SegmentMeta};
use super::merge::{LevelCursor, Merge, Source, Step};
use super::run::Run;
use super::segment::{INDEX_BLOCK, block_ref};
use super::slice::Slice;
use super::snapshot::Snapshot;
use crate::env::LocalFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Column;
use crate::storage::Storage;
use crate::value::vector::{Holds, Vector};
use crate::value::{Direction, KeyRange};
use ahead::Ahead;
use piece::Making;
use std::rc::Rc;

/// The number of an order among what is kept of a state.
const ORDER: u32 = u32::MAX;
/// Bytes of a value in a vector, with its tag; it is there once in the piece's and once in the whole one.
const VALUE_BYTES: usize = 2 * 9;

/// Where a piece comes from.
#[derive(Clone)]
enum Whence {
    Run(Run),
    Segment(Rc<SegmentMeta>),
}

/// What is likely to be asked for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Many of the rows: blocks are made ready for that.
    Rows,
    /// No rows: what their columns take is enough.
    Nothing,
}

/// See the module.
pub(crate) struct Columns {
    whence: Vec<Whence>,
    pieces: Vec<Rc<Piece>>,
    order: Rc<Order>,
    vectors: Vec<Rc<Vector>>,
}

impl Columns {
    /// How many documents there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len() as usize
    }

    /// In the order in which they were asked for; in each, documents ascend by their keys.
    pub(crate) fn vectors(&self) -> &[Rc<Vector>] {
        &self.vectors
    }
}

/// The sources of a snapshot that may hold documents of a range, newest first: segments of a level that lie apart are one.
type Layout = Vec<Vec<Whence>>;

/// What is known so far.
struct Known {
    range: KeyRange,
    ids: Vec<SegmentId>,
    state: SegmentId,
    /// Of the piece, then of each column.
    fields: Vec<u32>,
    order: Option<Rc<Order>>,
    whole: Vec<Option<Rc<Vector>>>,
    pieces: Vec<Option<Rc<Piece>>>,
    /// Of each piece, for each column.
    parts: Vec<Vec<Option<Rc<Vector>>>>,
}

impl Known {
    /// Whether the piece has to be read, for these columns.
    fn missing(&self, piece: usize) -> Option<Vec<usize>> {
        let part = |column: usize| self.parts.get(piece).and_then(|parts| parts.get(column)).cloned().flatten();
        let is_missing =
            |column: &usize| self.whole.get(*column).is_none_or(Option::is_none) && part(*column).is_none();
        let missing: Vec<usize> = (0..self.whole.len()).filter(is_missing).collect();
        let is_known = self.pieces.get(piece).is_some_and(Option::is_some);
        (!is_known || !missing.is_empty()).then_some(missing)
    }

    /// Whether a value was found that no vector holds.
    fn is_unfit(&self) -> bool {
        let mut all = self.whole.iter().chain(self.parts.iter().flatten()).flatten();
        all.any(|vector| vector.holds() == Holds::Unfit)
    }

    /// Puts the vectors of a column together.
    fn whole(&self, column: usize, pieces: &[Rc<Piece>], order: &Order) -> Option<Rc<Vector>> {
        let part = |piece: usize| self.parts.get(piece)?.get(column)?.as_ref();
        if let [span] = order.spans()
            && pieces.get(span.piece as usize).is_some_and(|piece| piece.len() == span.len)
        {
            return part(span.piece as usize).cloned();
        }
        let parts = (0..pieces.len()).map(|piece| part(piece).map(|part| &**part)).collect::<Option<Vec<&Vector>>>()?;
        let mut spans = order.spans().iter().map(|span| {
            let start = span.start as usize;
            (span.piece as usize, start..start + span.len as usize)
        });
        let whole = Vector::gathered(&parts, order.len() as usize, &mut spans);
        Some(Rc::new(whole))
    }
}

impl<S: Storage> Snapshot<S> {
    /// What the documents whose keys begin so have in these columns; none where no vectors can tell.
    ///
    /// Ready at the first poll where it was asked for before, or the blocks are in memory.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub(crate) async fn columns(
        &self,
        prefix: &[u8],
        wanted: &[Column],
        open: &dyn Open,
        next: Next,
    ) -> Result<Option<Columns>> {
        let range = KeyRange::prefix(prefix);
        let layout = self.layout(&range);
        let whence: Vec<Whence> = layout.iter().flatten().cloned().collect();
        let Some(mut known) = self.known(prefix, range, wanted, &whence) else { return Ok(None) };
        if known.is_unfit() || !self.has_room(&known, &whence).await? {
            return Ok(None);
        }
        let mut ahead = Ahead::new(whence.iter().enumerate().map(|(place, from)| {
            known.missing(place)?;
            self.extents_ahead(from, &known.range)
        }));
        for (place, from) in whence.iter().enumerate() {
            let Some(missing) = known.missing(place) else { continue };
            let extents = ahead.take(place).await?;
            let mut making =
                Making::new(&known.range, open, missing.iter().filter_map(|place| wanted.get(*place)).collect());
            match self.read_piece(from, &mut making, &extents, next).await {
                Ok(()) => {}
                // Whoever reads the row says which it is.
                Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(None),
                Err(error) => return Err(error),
            }
            let Making { piece, vectors, .. } = making;
            self.keep(&mut known, place, (piece, missing, vectors));
            if known.is_unfit() {
                return Ok(None);
            }
        }
        let pieces: Vec<Rc<Piece>> = known.pieces.iter().flatten().cloned().collect();
        let order = match known.order.take() {
            Some(order) => order,
            None => {
                let order = match Order::of_apart(&pieces) {
                    Some(order) => order,
                    None => self.walk(&known.range, &layout, &pieces).await?,
                };
                let order = Rc::new(order);
                self.inner.columns.borrow_mut().insert(known.state, ORDER, Cached::Order(Rc::clone(&order)));
                order
            }
        };
        let vectors = self.put_together(&known, &pieces, &order);
        Ok(vectors.map(|vectors| Columns { whence, pieces, order, vectors }))
    }

    fn layout(&self, range: &KeyRange) -> Layout {
        let mut layout: Layout = Vec::new();
        for run in self.state.memtable.newest_first() {
            if run.touches(&range.start, range.end.as_deref()) {
                layout.push(vec![Whence::Run(run.clone())]);
            }
        }
        let is_near = |segment: &&Rc<SegmentMeta>| {
            segment.last >= range.start && range.end.as_ref().is_none_or(|end| segment.first < *end)
        };
        for (level, segments) in self.state.manifest.levels.iter().enumerate() {
            let near: Vec<Whence> = segments.iter().filter(is_near).cloned().map(Whence::Segment).collect();
            if level == 0 {
                layout.extend(near.into_iter().map(|segment| vec![segment]));
            } else if !near.is_empty() {
                layout.push(near);
            }
        }
        layout
    }

    fn known(&self, prefix: &[u8], range: KeyRange, wanted: &[Column], whence: &[Whence]) -> Option<Known> {
        let mut cache = self.inner.columns.borrow_mut();
        if cache.bytes_max() == 0 {
            return None;
        }
        let fields = cache.fields(prefix, wanted)?;
        let id = |from: &Whence| match from {
            Whence::Run(run) => cache.run(run),
            Whence::Segment(segment) => segment.id,
        };
        let ids: Vec<SegmentId> = whence.iter().map(id).collect();
        let state = cache.state(prefix, &ids);
        let order = match cache.get(state, ORDER) {
            Some(Cached::Order(order)) => Some(order),
            _ => None,
        };
        let mut vectors = |of: SegmentId| -> Vec<Option<Rc<Vector>>> {
            let each = fields.iter().skip(1).map(|field| match cache.get(of, *field) {
                Some(Cached::Vector(vector)) => Some(vector),
                _ => None,
            });
            each.collect()
        };
        let whole = vectors(state);
        let parts = ids.iter().map(|id| vectors(*id)).collect();
        let piece = |id: &SegmentId| match cache.get(*id, *fields.first()?) {
            Some(Cached::Piece(piece)) => Some(piece),
            _ => None,
        };
        let pieces = ids.iter().map(piece).collect();
        Some(Known { range, ids, state, fields, order, whole, pieces, parts })
    }

    /// Whether the columns will have room beside each other, as far as that can be told without reading them.
    async fn has_room(&self, known: &Known, whence: &[Whence]) -> Result<bool> {
        let missing = whence.iter().zip(&known.pieces).filter_map(|(from, piece)| match from {
            Whence::Segment(segment) if piece.is_none() && !self.inner.has_index(segment) => Some(segment),
            _ => None,
        });
        // What is wrong with one of them is told to whoever asks for it.
        let _ = self.inner.bring_indexes(missing.collect()).await?;
        let mut rows = 0;
        for (piece, from) in known.pieces.iter().zip(whence) {
            rows += match (piece, from) {
                (Some(piece), _) => piece.len() as usize,
                (None, Whence::Run(run)) => run.len(),
                (None, Whence::Segment(segment)) => {
                    let index = self.inner.segment_index(segment).await?;
                    let (low, high) = block_range(&index.run, &known.range);
                    let entries = usize::try_from(segment.entries).unwrap_or(usize::MAX);
                    entries.saturating_mul(high - low) / index.run.len().max(1)
                }
            };
        }
        let bytes = rows.saturating_mul(VALUE_BYTES).saturating_mul(known.whole.len().max(1));
        Ok(bytes <= self.inner.columns.borrow().bytes_max())
    }

    /// Fetches what is not in memory of a source, once it is waited for; none where nothing is known to be missing.
    fn extents_ahead<'a>(&'a self, from: &Whence, range: &KeyRange) -> Option<LocalFuture<'a, Result<Vec<Extent>>>> {
        let Whence::Segment(segment) = from else { return None };
        let Some(Cached::Index(index)) = self.inner.cached(segment, INDEX_BLOCK) else { return None };
        let (low, high) = block_range(&index.run, range);
        let refs = (low..high).filter_map(|block| block_ref(&index.run, block));
        let missing = refs.filter(|block| !self.inner.cache.borrow().has(segment.id, block.block));
        let numbers: Vec<u32> = missing.map(|block| block.extent).collect();
        if numbers.is_empty() {
            return None;
        }
        let segment = Rc::clone(segment);
        Some(Box::pin(async move {
            self.inner.preloading.note_missing(self.inner.env.monotonic_ms());
            self.inner.extents_of(&segment, numbers, Reading::Kept).await
        }))
    }

    async fn read_piece(&self, from: &Whence, making: &mut Making<'_>, extents: &[Extent], next: Next) -> Result<()> {
        let segment = match from {
            Whence::Run(run) => return making.take(0, run),
            Whence::Segment(segment) => segment,
        };
        let index = self.inner.segment_index(segment).await?;
        let (low, high) = block_range(&index.run, making.range());
        let refs = (low..high).map(|block| block_ref(&index.run, block)).collect::<Option<Vec<BlockRef>>>();
        let refs = refs.ok_or_else(|| Error::corrupt("a segment's index is malformed"))?;
        for (place, block) in refs.iter().enumerate() {
            if let Some(Cached::Block(run)) = self.inner.cached(segment, block.block) {
                making.take(block.block, &run)?;
                continue;
            }
            // All keys of a block between others lie in the range.
            let is_between = place > 0 && place + 1 < refs.len();
            if next == Next::Nothing
                && is_between
                && let Ok(packed) = self.inner.packed_block(segment, *block, extents)
                && making.take_packed(block.block, &packed)?
            {
                continue;
            }
            match self.inner.parsed_block(segment, *block, extents) {
                Ok(run) => {
                    making.take(block.block, &run)?;
                    self.inner.cache.borrow_mut().insert(segment.id, block.block, Cached::Block(run));
                }
                // It is not among these, or it is damaged: then that is told with all that is known of it.
                Err(_) => {
                    for run in self.inner.blocks(segment, &index.run, &[*block], Reading::Kept).await? {
                        making.take(block.block, &run)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Notes what was read of a piece.
    fn keep(&self, known: &mut Known, place: usize, (piece, columns, vectors): (Piece, Vec<usize>, Vec<Vector>)) {
        let mut cache = self.inner.columns.borrow_mut();
        let Some(id) = known.ids.get(place).copied() else { return };
        if let (Some(slot @ None), Some(field)) = (known.pieces.get_mut(place), known.fields.first()) {
            let piece = slot.insert(Rc::new(piece));
            cache.insert(id, *field, Cached::Piece(Rc::clone(piece)));
        }
        for (column, vector) in columns.into_iter().zip(vectors) {
            let slot = known.parts.get_mut(place).and_then(|parts| parts.get_mut(column));
            if let (Some(slot), Some(field)) = (slot, known.fields.get(column + 1)) {
                let vector = slot.insert(Rc::new(vector));
                cache.insert(id, *field, Cached::Vector(Rc::clone(vector)));
            }
        }
    }

    /// The whole vectors of all columns; none where one is unfit.
    fn put_together(&self, known: &Known, pieces: &[Rc<Piece>], order: &Order) -> Option<Vec<Rc<Vector>>> {
        let mut vectors = Vec::with_capacity(known.whole.len());
        for (column, whole) in known.whole.iter().enumerate() {
            let vector = match whole {
                Some(whole) => Rc::clone(whole),
                None => {
                    let vector = known.whole(column, pieces, order)?;
                    let is_shared = Rc::strong_count(&vector) > 1;
                    if let Some(field) = known.fields.get(column + 1).filter(|_| !is_shared) {
                        let kept = Cached::Vector(Rc::clone(&vector));
                        self.inner.columns.borrow_mut().insert(known.state, *field, kept);
                    }
                    vector
                }
            };
            if vector.holds() == Holds::Unfit {
                return None;
            }
            vectors.push(vector);
        }
        Some(vectors)
    }

    /// The order where newer sources lie over older ones: by merging their keys.
    async fn walk(&self, range: &KeyRange, layout: &Layout, pieces: &[Rc<Piece>]) -> Result<Order> {
        let mut sources = Vec::with_capacity(layout.len());
        // Of each source: the piece that it is in, and how many entries it had in front of that.
        let mut at: Vec<(usize, usize)> = Vec::with_capacity(layout.len());
        let mut first = 0;
        for group in layout {
            let segments = group.iter().filter_map(|whence| match whence {
                Whence::Segment(segment) => Some(Rc::clone(segment)),
                Whence::Run(_) => None,
            });
            let source = match group.first() {
                Some(Whence::Run(run)) => Source::run(run.clone(), range),
                _ => LevelCursor::new(segments, range).map(Source::Level),
            };
            sources.push(source.ok_or_else(|| Error::internal("a source of columns has no keys"))?);
            at.push((first, 0));
            first += group.len();
        }
        let mut merge = Merge::new(sources, range.clone(), Direction::Ascending);
        let mut order = Order::default();
        loop {
            match merge.step() {
                Step::Entry => {
                    let position = merge.position();
                    let Some((piece, before)) = at.get_mut(merge.winner()) else { continue };
                    let len = |piece: usize| pieces.get(piece).map_or(usize::MAX, |piece| piece.len() as usize);
                    while position - *before >= len(*piece) {
                        *before += len(*piece);
                        *piece += 1;
                    }
                    if merge.entry().is_some_and(|(_, value)| value.is_some()) {
                        order.push(*piece as u32, (position - *before) as u32, 1);
                    }
                }
                Step::Needs => merge.fill(&self.inner).await?,
                Step::End => return Ok(order),
            }
        }
    }

    /// Keys and values of some rows of columns that this snapshot gave.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub(crate) async fn rows(&self, columns: &Columns, rows: &[u32]) -> Result<Vec<(Slice, Slice)>> {
        let mut places: Vec<(u32, u32, usize)> = Vec::with_capacity(rows.len());
        for row in rows {
            let place = columns.order.find(*row).and_then(|(piece, position)| {
                let (part, entry) = columns.pieces.get(piece as usize)?.find(position)?;
                Some((piece, part, entry))
            });
            places.push(place.ok_or_else(gone)?);
        }
        let mut wanted: Vec<(u32, u32)> = places.iter().map(|(piece, part, _)| (*piece, *part)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut runs: Vec<Run> = Vec::with_capacity(wanted.len());
        for parts in wanted.chunk_by(|left, right| left.0 == right.0) {
            let number = parts.first().map_or(0, |part| part.0 as usize);
            match columns.whence.get(number).ok_or_else(gone)? {
                Whence::Run(run) => runs.extend(parts.iter().map(|_| run.clone())),
                Whence::Segment(segment) => {
                    let index = self.inner.segment_index(segment).await?;
                    let of = |(piece, part): &(u32, u32)| {
                        let part = columns.pieces.get(*piece as usize)?.part(*part)?;
                        block_ref(&index.run, part.block as usize)
                    };
                    let refs = parts.iter().map(of).collect::<Option<Vec<BlockRef>>>().ok_or_else(gone)?;
                    runs.extend(self.inner.blocks(segment, &index.run, &refs, Reading::Kept).await?);
                }
            }
        }
        let slices = |(piece, part, entry): &(u32, u32, usize)| {
            let run = runs.get(wanted.binary_search(&(*piece, *part)).ok()?)?;
            let (key, value) = run.slices(*entry)?;
            Some((key, value?))
        };
        places.iter().map(slices).collect::<Option<Vec<_>>>().ok_or_else(gone)
    }
}

fn gone() -> Error {
    Error::internal("a row of columns is not there")
}

/// The blocks that may hold keys of a range.
fn block_range(index: &Run, range: &KeyRange) -> (usize, usize) {
    let low = index.lower_bound(&range.start);
    let high = range.end.as_ref().map_or(index.len(), |end| (index.lower_bound(end) + 1).min(index.len()));
    (low, high.max(low))
}
