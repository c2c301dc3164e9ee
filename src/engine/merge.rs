//! Merges sorted sources into one ordered stream; where several have a key, the newest source wins.
//!
//! Not async at its heart: [`Merge::step`] never waits; where a block is not in memory it says which source needs it,
//! and [`Merge::fill`] fetches it. Most steps look at two keys only: the next of the source that was first, and the
//! first of all others, which has not changed since.
//!
//! Invariants: sources stand newest first; keys come strictly ascending (descending in reverse); tombstones come too,
//! since only the caller knows whether something older lies beneath.

use super::Inner;
use super::blocks::Reading;
use super::manifest::{BlockRef, SegmentMeta};
use super::run::{Entry, Place, Run};
use super::segment::block_ref;
use super::slice::Slice;
use crate::bytes::order;
use crate::env::LocalFuture;
use crate::env::side_by_side::side_by_side;
use crate::error::{Error, Result};
use crate::planted::{Bug, planted};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange};
use std::collections::VecDeque;
use std::rc::Rc;

/// Entries of one run that are still to come.
#[derive(Debug)]
pub(crate) struct RunCursor {
    run: Run,
    /// The first of them all.
    begin: usize,
    low: usize,
    high: usize,
    /// Where the next entry lies, once the direction is known.
    here: Option<Place>,
}

impl RunCursor {
    fn new(run: Run, range: &KeyRange) -> Self {
        let low = run.lower_bound(&range.start);
        let high = range.end.as_ref().map_or(run.len(), |end| run.lower_bound(end));
        RunCursor { run, begin: low, low, high: high.max(low), here: None }
    }

    /// The blocks of a segment that may hold keys of the range: entries of its index.
    fn blocks(index: Run, range: &KeyRange) -> Self {
        let low = index.lower_bound(&range.start);
        let high = range.end.as_ref().map_or(index.len(), |end| (index.lower_bound(end) + 1).min(index.len()));
        RunCursor { run: index, begin: low, low, high: high.max(low), here: None }
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

    fn key(&self) -> Option<&[u8]> {
        self.here.map(|place| self.run.key_at(place))
    }

    /// Finds the next entry.
    fn look(&mut self, direction: Direction) {
        self.here = if self.is_empty() { None } else { self.run.place(self.at(direction)) };
    }

    fn pass(&mut self, direction: Direction) {
        match direction {
            Direction::Ascending => self.low += 1,
            Direction::Descending => self.high = self.high.saturating_sub(1),
        }
    }

    fn advance(&mut self, direction: Direction) {
        self.pass(direction);
        self.look(direction);
    }
}

/// Segments with ascending, disjoint ranges, read one after the other, block by block.
#[derive(Debug)]
pub(crate) struct LevelCursor {
    segments: VecDeque<Rc<SegmentMeta>>,
    current: Option<(Rc<SegmentMeta>, RunCursor)>,
    blocks: VecDeque<Run>,
    entries: Option<RunCursor>,
    /// How many entries were in blocks that were passed, ascending.
    passed: usize,
    /// How many blocks to fetch at once: doubles as the scan goes on.
    ahead: usize,
    reading: Reading,
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
            passed: 0,
            ahead: 1,
            reading: Reading::Kept,
        })
    }

    /// The same for who reads everything once: extent by extent, and nothing of it is kept.
    pub(crate) fn passing(self) -> Self {
        LevelCursor { reading: Reading::Passing, ..self }
    }

    fn peek(&self) -> Peek<'_> {
        if let Some(key) = self.entries.as_ref().and_then(RunCursor::key) {
            return Peek::Key(key);
        }
        let more = self.current.as_ref().is_some_and(|(_, index)| !index.is_empty());
        if more || !self.blocks.is_empty() || !self.segments.is_empty() { Peek::Needs } else { Peek::Done }
    }

    /// Fetches what the next entry needs.
    fn fill<'a, S: Storage>(
        &'a mut self,
        inner: &'a Inner<S>,
        range: &'a KeyRange,
        direction: Direction,
    ) -> LocalFuture<'a, Result<()>> {
        Box::pin(async move {
            self.passed += self.entries.take().map_or(0, |passed| passed.high - passed.begin);
            if let Some(run) = self.blocks.pop_front() {
                let mut entries = RunCursor::new(run, range);
                entries.look(direction);
                self.entries = Some(entries);
                return Ok(());
            }
            if let Some((segment, index)) = self.current.as_mut().filter(|(_, index)| !index.is_empty()) {
                let mut refs: Vec<BlockRef> = Vec::new();
                while !index.is_empty() {
                    let block = block_ref(&index.run, index.at(direction));
                    let block = block.ok_or_else(|| Error::corrupt("a segment's index is malformed"))?;
                    let is_enough = match self.reading {
                        Reading::Kept => refs.len() >= self.ahead,
                        Reading::Passing => refs.first().is_some_and(|first| first.extent != block.extent),
                    };
                    if is_enough {
                        break;
                    }
                    refs.push(block);
                    index.pass(direction);
                }
                self.ahead = (self.ahead * 2).min(AHEAD_MAX);
                self.blocks.extend(inner.blocks(segment, &index.run, &refs, self.reading).await?);
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
        })
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

    fn peek(&self) -> Peek<'_> {
        match self {
            Source::Run(cursor) => cursor.key().map_or(Peek::Done, Peek::Key),
            Source::Level(level) => level.peek(),
        }
    }

    fn key(&self) -> Option<&[u8]> {
        self.entries().and_then(RunCursor::key)
    }

    /// How many entries of the range the source has in front of the present one, ascending.
    const fn position(&self) -> usize {
        let passed = match self {
            Source::Run(_) => 0,
            Source::Level(level) => level.passed,
        };
        match self.entries() {
            Some(entries) => passed + (entries.low - entries.begin),
            None => passed,
        }
    }

    const fn entries(&self) -> Option<&RunCursor> {
        match self {
            Source::Run(cursor) => Some(cursor),
            Source::Level(level) => level.entries.as_ref(),
        }
    }

    fn advance(&mut self, direction: Direction) {
        let entries = match self {
            Source::Run(cursor) => Some(cursor),
            Source::Level(level) => level.entries.as_mut(),
        };
        if let Some(entries) = entries {
            entries.advance(direction);
        }
    }
}

/// What [`Merge::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next entry, to be had from [`Merge::entry`] until the next step.
    Entry,
    /// A source must be filled first.
    Needs,
    /// Nothing is left.
    End,
}

/// What is known of the sources' order.
#[derive(Clone, Copy, Debug)]
enum Lead {
    Unknown,
    /// All others are at their end.
    Alone,
    /// No other source's key comes before this one's.
    Before(usize),
}

/// What a source gives next, as far as it was looked at since it went on.
#[derive(Clone, Copy, Debug)]
enum Front {
    Unknown,
    Done,
    /// The beginning of its key behind what all keys of the range begin with; the lower, the sooner it comes.
    Head(u64),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Merge {
    sources: Vec<Source>,
    /// Of each source. Where many lie over each other, most are told apart by a number.
    fronts: Vec<Front>,
    /// How many bytes all keys of the range begin with.
    common: usize,
    range: KeyRange,
    direction: Direction,
    /// The source of the last entry.
    winner: usize,
    lead: Lead,
    /// The last entry was given out, and is passed at the next step.
    is_given: bool,
}

/// Orders keys that begin with the same so many bytes, as far as 8 more tell.
fn head(key: &[u8], common: usize, direction: Direction) -> u64 {
    let mut head = [0; 8];
    for (place, byte) in head.iter_mut().zip(key.get(common..).unwrap_or_default()) {
        *place = *byte;
    }
    let head = u64::from_be_bytes(head);
    if direction == Direction::Descending { !head } else { head }
}

impl Merge {
    /// The sources stand newest first.
    pub(crate) fn new(mut sources: Vec<Source>, range: KeyRange, direction: Direction) -> Self {
        if planted(Bug::MergeOldestWins) {
            sources.reverse();
        }
        for source in &mut sources {
            if let Source::Run(cursor) = source {
                cursor.look(direction);
            }
        }
        let end = range.end.as_deref().unwrap_or_default();
        let common = range.start.iter().zip(end).take_while(|(start, end)| start == end).count();
        let fronts = vec![Front::Unknown; sources.len()];
        Merge { sources, fronts, common, range, direction, winner: 0, lead: Lead::Unknown, is_given: false }
    }

    /// Which source the last entry came from.
    pub(crate) const fn winner(&self) -> usize {
        self.winner
    }

    /// How many entries of the range that source has in front of it, where keys are read ascending.
    pub(super) fn position(&self) -> usize {
        self.sources.get(self.winner).map_or(0, Source::position)
    }

    /// The entry of the last step; `None` for its value is a tombstone.
    pub(crate) fn entry(&self) -> Option<Entry<'_>> {
        let cursor = self.sources.get(self.winner)?.entries()?;
        let place = cursor.here?;
        Some((cursor.run.key_at(place), cursor.run.value_at(place)))
    }

    /// The same as shared slices.
    pub(crate) fn slices(&self) -> Option<(Slice, Option<Slice>)> {
        let cursor = self.sources.get(self.winner)?.entries()?;
        cursor.run.slices_at(cursor.here?)
    }

    fn is_before(&self, key: &[u8], other: &[u8]) -> bool {
        match self.direction {
            Direction::Ascending => order(key, other).is_lt(),
            Direction::Descending => order(key, other).is_gt(),
        }
    }

    /// Goes to the next entry, if it is in memory.
    pub(crate) fn step(&mut self) -> Step {
        if self.is_given {
            self.is_given = false;
            if let Some(winner) = self.sources.get_mut(self.winner) {
                winner.advance(self.direction);
            }
            if let Some(front) = self.fronts.get_mut(self.winner) {
                *front = Front::Unknown;
            }
            if self.still_leads() {
                self.is_given = true;
                return Step::Entry;
            }
        }
        self.look_at_all()
    }

    /// Whether the source of the last entry certainly has the next one too.
    fn still_leads(&self) -> bool {
        let key = |source: usize| self.sources.get(source).and_then(Source::key);
        match (self.lead, key(self.winner)) {
            (Lead::Unknown, _) | (_, None) => false,
            (Lead::Alone, Some(_)) => true,
            (Lead::Before(second), Some(first)) => key(second).is_some_and(|second| self.is_before(first, second)),
        }
    }

    fn look_at_all(&mut self) -> Step {
        self.lead = Lead::Unknown;
        for (source, front) in self.sources.iter().zip(&mut self.fronts) {
            if let Front::Unknown = front {
                *front = match source.peek() {
                    Peek::Done => Front::Done,
                    Peek::Needs => return Step::Needs,
                    Peek::Key(key) => Front::Head(head(key, self.common, self.direction)),
                };
            }
        }
        let key = |source: usize| self.sources.get(source).and_then(Source::key).unwrap_or_default();
        let comes_before = |(source, head): (usize, u64), (other, than): (usize, u64)| {
            head < than || head == than && self.is_before(key(source), key(other))
        };
        let mut best: Option<(usize, u64)> = None;
        let mut second: Option<(usize, u64)> = None;
        for (source, front) in self.fronts.iter().enumerate() {
            let Front::Head(head) = *front else { continue };
            if best.is_none_or(|best| comes_before((source, head), best)) {
                second = best.replace((source, head));
            } else if second.is_none_or(|second| comes_before((source, head), second)) {
                second = Some((source, head));
            }
        }
        let Some((winner, first)) = best else { return Step::End };
        let is_repeated = second.is_some_and(|(second, head)| head == first && key(second) == key(winner));
        let lead = second.map_or(Lead::Alone, |(second, _)| Lead::Before(second));
        self.winner = winner;
        self.is_given = true;
        if is_repeated {
            self.drop_older();
        } else {
            self.lead = lead;
        }
        Step::Entry
    }

    /// Passes over the older entries of the winner's key.
    fn drop_older(&mut self) {
        let (newer, older) = self.sources.split_at_mut(self.winner + 1);
        let Some(key) = newer.last().and_then(Source::key) else { return };
        for (source, front) in older.iter_mut().zip(self.fronts.iter_mut().skip(self.winner + 1)) {
            if source.key() == Some(key) {
                source.advance(self.direction);
                *front = Front::Unknown;
            }
        }
    }

    /// Fetches what [`Step::Needs`] asked for, and side by side what other sources need: no entry comes before they have it.
    pub(crate) async fn fill<S: Storage>(&mut self, inner: &Inner<S>) -> Result<()> {
        let (range, direction) = (&self.range, self.direction);
        let levels = self.sources.iter_mut().filter_map(|source| match source {
            Source::Level(level) => Some(level),
            Source::Run(_) => None,
        });
        let mut works =
            levels.filter(|level| matches!(level.peek(), Peek::Needs)).map(|level| level.fill(inner, range, direction));
        side_by_side(usize::MAX, &mut works).await
    }

    /// The next entry, tombstones included.
    pub(crate) async fn next<S: Storage>(&mut self, inner: &Inner<S>) -> Result<Option<(Slice, Option<Slice>)>> {
        loop {
            match self.step() {
                Step::Entry => return Ok(self.slices()),
                Step::Needs => self.fill(inner).await?,
                Step::End => return Ok(None),
            }
        }
    }
}
