//! Merges sorted sources into one ordered stream; where several have a key, the newest source wins.
//!
//! Not async at its heart: [`Merge::step`] never waits; where a block is not in memory it says which source needs it,
//! and [`Merge::next`] fetches it and goes on.
//!
//! Invariants: sources stand newest first; keys come strictly ascending (descending in reverse); tombstones come too,
//! since only the caller knows whether something older lies beneath.

use super::Inner;
use super::manifest::SegmentMeta;
use super::run::Run;
use super::segment::block_ref;
use super::slice::Slice;
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange};
use std::collections::VecDeque;
use std::rc::Rc;

/// Entries of one run that are still to come.
#[derive(Debug)]
pub(crate) struct RunCursor {
    run: Run,
    low: usize,
    high: usize,
}

impl RunCursor {
    fn new(run: Run, range: &KeyRange) -> Self {
        let low = run.lower_bound(&range.start);
        let high = range.end.as_ref().map_or(run.len(), |end| run.lower_bound(end));
        RunCursor { run, low, high: high.max(low) }
    }

    /// The blocks of a segment that may hold keys of the range: entries of its index.
    fn blocks(index: Run, range: &KeyRange) -> Self {
        let low = index.lower_bound(&range.start);
        let high = range.end.as_ref().map_or(index.len(), |end| (index.lower_bound(end) + 1).min(index.len()));
        RunCursor { run: index, low, high: high.max(low) }
    }

    const fn is_empty(&self) -> bool {
        self.low >= self.high
    }

    const fn at(&self, direction: Direction) -> usize {
        match direction {
            Direction::Ascending => self.low,
            Direction::Descending => self.high.saturating_sub(1),
        }
    }

    fn key(&self, direction: Direction) -> Option<&[u8]> {
        if self.is_empty() { None } else { self.run.key(self.at(direction)) }
    }

    fn advance(&mut self, direction: Direction) {
        match direction {
            Direction::Ascending => self.low += 1,
            Direction::Descending => self.high = self.high.saturating_sub(1),
        }
    }
}

/// Segments with ascending, disjoint ranges, read one after the other, block by block.
#[derive(Debug)]
pub(crate) struct LevelCursor {
    segments: VecDeque<Rc<SegmentMeta>>,
    current: Option<(Rc<SegmentMeta>, RunCursor)>,
    blocks: VecDeque<Run>,
    entries: Option<RunCursor>,
    /// How many blocks to fetch at once: doubles as the scan goes on.
    ahead: usize,
}

/// A scan never fetches more blocks at once than this.
const AHEAD_MAX: usize = 16;

impl LevelCursor {
    pub(crate) fn new(segments: impl IntoIterator<Item = Rc<SegmentMeta>>, range: &KeyRange) -> Option<Self> {
        let overlaps = |segment: &Rc<SegmentMeta>| {
            segment.last >= range.start && range.end.as_ref().is_none_or(|end| segment.first < *end)
        };
        let segments: VecDeque<_> = segments.into_iter().filter(overlaps).collect();
        (!segments.is_empty()).then_some(LevelCursor {
            segments,
            current: None,
            blocks: VecDeque::new(),
            entries: None,
            ahead: 1,
        })
    }

    fn peek(&self, direction: Direction) -> Peek<'_> {
        if let Some(key) = self.entries.as_ref().and_then(|entries| entries.key(direction)) {
            return Peek::Key(key);
        }
        let more = self.current.as_ref().is_some_and(|(_, index)| !index.is_empty());
        if more || !self.blocks.is_empty() || !self.segments.is_empty() { Peek::Needs } else { Peek::Done }
    }

    /// Fetches what the next entry needs.
    async fn fill<S: Storage>(&mut self, inner: &Inner<S>, range: &KeyRange, direction: Direction) -> Result<()> {
        if let Some(run) = self.blocks.pop_front() {
            self.entries = Some(RunCursor::new(run, range));
            return Ok(());
        }
        self.entries = None;
        if let Some((segment, index)) = self.current.as_mut().filter(|(_, index)| !index.is_empty()) {
            let mut wanted = Vec::with_capacity(self.ahead);
            while wanted.len() < self.ahead && !index.is_empty() {
                wanted.push(index.at(direction));
                index.advance(direction);
            }
            self.ahead = (self.ahead * 2).min(AHEAD_MAX);
            let refs = wanted.iter().filter_map(|block| block_ref(&index.run, *block)).collect::<Vec<_>>();
            self.blocks.extend(inner.blocks(segment, &index.run, &refs).await?);
            return Ok(());
        }
        let segment = match direction {
            Direction::Ascending => self.segments.pop_front(),
            Direction::Descending => self.segments.pop_back(),
        };
        self.current = match segment {
            Some(segment) => {
                let index = inner.segment_index(&segment).await?;
                Some((segment, RunCursor::blocks(index.run.clone(), range)))
            }
            None => None,
        };
        Ok(())
    }
}

enum Peek<'a> {
    Key(&'a [u8]),
    Needs,
    Done,
}

/// One sorted source.
#[derive(Debug)]
pub(crate) enum Source {
    Run(RunCursor),
    Level(LevelCursor),
}

impl Source {
    pub(crate) fn run(run: Run, range: &KeyRange) -> Option<Self> {
        let cursor = RunCursor::new(run, range);
        (!cursor.is_empty()).then_some(Source::Run(cursor))
    }

    fn peek(&self, direction: Direction) -> Peek<'_> {
        match self {
            Source::Run(cursor) => cursor.key(direction).map_or(Peek::Done, Peek::Key),
            Source::Level(level) => level.peek(direction),
        }
    }

    fn entries(&mut self) -> Option<&mut RunCursor> {
        match self {
            Source::Run(cursor) => Some(cursor),
            Source::Level(level) => level.entries.as_mut(),
        }
    }
}

/// What [`Merge::step`] found.
pub(crate) enum Step {
    /// The next entry; `None` is a tombstone.
    Entry(Slice, Option<Slice>),
    /// This source must be filled first.
    Needs(usize),
    /// Nothing is left.
    End,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Merge {
    sources: Vec<Source>,
    range: KeyRange,
    direction: Direction,
    winner: usize,
}

impl Merge {
    /// The sources stand newest first.
    pub(crate) fn new(mut sources: Vec<Source>, range: KeyRange, direction: Direction) -> Self {
        if planted(Bug::MergeOldestWins) {
            sources.reverse();
        }
        Merge { sources, range, direction, winner: 0 }
    }

    /// Which source the last entry came from.
    pub(crate) const fn winner(&self) -> usize {
        self.winner
    }

    /// The next entry, if it is in memory.
    pub(crate) fn step(&mut self) -> Step {
        let mut best: Option<(usize, &[u8])> = None;
        for (index, source) in self.sources.iter().enumerate() {
            match source.peek(self.direction) {
                Peek::Done => {}
                Peek::Needs => return Step::Needs(index),
                Peek::Key(key) => {
                    let is_better = best.is_none_or(|(_, found)| match self.direction {
                        Direction::Ascending => key < found,
                        Direction::Descending => key > found,
                    });
                    if is_better {
                        best = Some((index, key));
                    }
                }
            }
        }
        let Some((winner, _)) = best else {
            return Step::End;
        };
        self.winner = winner;
        self.take(winner).map_or(Step::End, |(key, value)| Step::Entry(key, value))
    }

    /// Takes the winner's entry, and drops the older entries of the same key.
    fn take(&mut self, winner: usize) -> Option<(Slice, Option<Slice>)> {
        let direction = self.direction;
        let cursor = self.sources.get_mut(winner)?.entries()?;
        let (key, value) = cursor.run.slices(cursor.at(direction))?;
        for source in self.sources.iter_mut().skip(winner) {
            if let Peek::Key(found) = source.peek(direction)
                && found == key.as_bytes()
                && let Some(cursor) = source.entries()
            {
                cursor.advance(direction);
            }
        }
        Some((key, value))
    }

    /// Fetches what [`Step::Needs`] asked for.
    pub(crate) async fn fill<S: Storage>(&mut self, inner: &Inner<S>, source: usize) -> Result<()> {
        match self.sources.get_mut(source) {
            Some(Source::Level(level)) => level.fill(inner, &self.range, self.direction).await,
            _ => Ok(()),
        }
    }

    /// The next entry, tombstones included.
    pub(crate) async fn next<S: Storage>(&mut self, inner: &Inner<S>) -> Result<Option<(Slice, Option<Slice>)>> {
        loop {
            match self.step() {
                Step::Entry(key, value) => return Ok(Some((key, value))),
                Step::Needs(source) => self.fill(inner, source).await?,
                Step::End => return Ok(None),
            }
        }
    }
}
