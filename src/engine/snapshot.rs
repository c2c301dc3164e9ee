//! The database as it was after one commit: reads that later commits do not change.
//!
//! Not a lock: it holds nothing back in any context. When another context's compaction deletes a segment long before a
//! snapshot is dropped, a read of it fails with `conflict`, and the caller takes a new snapshot.
//!
//! Invariant: a read answers right, or fails; a block that is missing or damaged is never an empty one.

use super::merge::{LevelCursor, Merge, Source, Step};
use super::slice::Slice;
use super::{Inner, State};
use crate::error::Result;
use crate::planted::{Bug, planted};
use crate::storage::{CommitSeq, Storage};
use crate::value::{Direction, KeyRange};
use std::rc::Rc;

/// See the module.
pub struct Snapshot<S: Storage> {
    pub(super) inner: Rc<Inner<S>>,
    pub(super) state: Rc<State>,
}

impl<S: Storage> Clone for Snapshot<S> {
    fn clone(&self) -> Self {
        Snapshot { inner: Rc::clone(&self.inner), state: Rc::clone(&self.state) }
    }
}

impl<S: Storage> Snapshot<S> {
    /// The newest commit that is part of it.
    #[must_use]
    pub fn seq(&self) -> CommitSeq {
        self.state.head.seq
    }

    /// Bytes that one sort of what is read may keep.
    pub(crate) fn sort_bytes(&self) -> usize {
        self.inner.options.sort_bytes
    }

    /// The entries of a range, in order.
    #[must_use]
    pub fn scan(&self, range: KeyRange, direction: Direction) -> Scan<S> {
        let sources = self.sources(&range);
        Scan::new(self.clone(), Merge::new(sources, range, direction))
    }

    /// All sources of this snapshot that may hold keys of the range, newest first.
    pub(super) fn sources(&self, range: &KeyRange) -> Vec<Source> {
        if range.is_empty() {
            return Vec::new();
        }
        let state = &self.state;
        let mut sources: Vec<Source> =
            state.memtable.newest_first().filter_map(|run| Source::run(run.clone(), range)).collect();
        sources.extend(Source::run(state.pinned.clone(), range));
        for (level, segments) in state.manifest.levels.iter().enumerate() {
            if level == 0 {
                let each = segments.iter().filter_map(|segment| LevelCursor::new([Rc::clone(segment)], range));
                sources.extend(each.map(Source::Level));
            } else {
                sources.extend(LevelCursor::new(segments.iter().cloned(), range).map(Source::Level));
            }
        }
        sources
    }
}

/// What [`Scan::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanStep {
    /// The next entry, to be had from the scan until the next step.
    Entry,
    /// Something must be fetched first: [`Scan::fill`].
    Needs,
    /// Nothing is left.
    End,
}

/// The entries of a range, without tombstones. Whoever reads many takes steps, and waits only where one needs it.
pub struct Scan<S: Storage> {
    snapshot: Snapshot<S>,
    merge: Merge,
    /// For the planted bug that loses the first entry.
    is_late: bool,
}

impl<S: Storage> Scan<S> {
    pub(super) const fn new(snapshot: Snapshot<S>, merge: Merge) -> Self {
        Scan { snapshot, merge, is_late: false }
    }

    /// Goes to the next entry, if it is in memory.
    pub fn step(&mut self) -> ScanStep {
        loop {
            match self.merge.step() {
                Step::Entry => {
                    let is_lost = planted(Bug::ScanOffByOne) && !self.is_late;
                    self.is_late = true;
                    if !is_lost && self.merge.entry().is_some_and(|(_, value)| value.is_some()) {
                        return ScanStep::Entry;
                    }
                }
                Step::Needs => return ScanStep::Needs,
                Step::End => return ScanStep::End,
            }
        }
    }

    /// Fetches what [`ScanStep::Needs`] asked for.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn fill(&mut self) -> Result<()> {
        self.merge.fill(&self.snapshot.inner).await
    }

    /// Key and value of the entry of the last step.
    #[must_use]
    pub fn entry(&self) -> (&[u8], &[u8]) {
        self.merge.entry().map_or((&[], &[]), |(key, value)| (key, value.unwrap_or_default()))
    }

    /// The same as shared slices.
    #[must_use]
    pub fn slices(&self) -> Option<(Slice, Slice)> {
        self.merge.slices().and_then(|(key, value)| Some((key, value?)))
    }

    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        loop {
            match self.step() {
                ScanStep::Entry => return Ok(self.slices()),
                ScanStep::Needs => self.fill().await?,
                ScanStep::End => return Ok(None),
            }
        }
    }
}
