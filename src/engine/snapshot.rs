//! The database as it was after one commit: reads that later commits do not change.
//!
//! Not a lock: it holds nothing back in any context. When another context's compaction deletes a segment long before a
//! snapshot is dropped, a read of it fails with `conflict`, and the caller takes a new snapshot.
//!
//! Invariant: a read answers right, or fails; a block that is missing or damaged is never an empty one.

use super::filter;
use super::manifest::SegmentMeta;
use super::merge::{LevelCursor, Merge, Source, Step};
use super::segment::block_ref;
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

    /// The value of a key.
    ///
    /// Ready at the first poll when the block is in memory.
    ///
    /// # Errors
    /// `corrupt` naming the lost range, `conflict` when the snapshot is too old, or the storage's failure.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        if let Some(found) = self.state.memtable.get(key).or_else(|| self.state.pinned.get(key)) {
            return Ok(found);
        }
        self.get_stored(key).await
    }

    /// The values of ascending keys.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn get_many(&self, keys: &[&[u8]]) -> Result<Vec<Option<Slice>>> {
        let mut found: Vec<Option<Option<Slice>>> = vec![None; keys.len()];
        let hashes: Vec<u64> = keys.iter().map(|key| filter::hash(key)).collect();
        for run in self.state.memtable.newest_first().chain([&self.state.pinned]) {
            let mut from = 0;
            for ((key, hash), found) in keys.iter().zip(&hashes).zip(&mut found) {
                if found.is_none() && run.may_hold(key, *hash) {
                    from = run.lower_bound_from(from, key);
                    *found = if run.key(from) == Some(key) { run.slices(from).map(|(_, value)| value) } else { None };
                }
            }
        }
        let mut values = Vec::with_capacity(keys.len());
        for (key, found) in keys.iter().zip(found) {
            values.push(match found {
                Some(value) => value,
                None => self.get_stored(key).await?,
            });
        }
        Ok(values)
    }

    /// The value of a key that is not in memory.
    async fn get_stored(&self, key: &[u8]) -> Result<Option<Slice>> {
        for (level, segments) in self.state.manifest.levels.iter().enumerate() {
            if level == 0 {
                for segment in segments.iter().filter(|segment| covers(segment, key)) {
                    if let Some(found) = self.inner.get_in_segment(segment, key).await? {
                        return Ok(found);
                    }
                }
            } else {
                let at = segments.partition_point(|segment| segment.last.as_slice() < key);
                let segment = segments.get(at).filter(|segment| covers(segment, key));
                if let Some(segment) = segment
                    && let Some(found) = self.inner.get_in_segment(segment, key).await?
                {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// The entries of a range, in order.
    #[must_use]
    pub fn scan(&self, range: KeyRange, direction: Direction) -> Scan<S> {
        let sources = self.sources(&range);
        Scan::new(self.clone(), Merge::new(sources, range, direction), direction)
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

fn covers(segment: &SegmentMeta, key: &[u8]) -> bool {
    segment.first.as_slice() <= key && key <= segment.last.as_slice()
}

impl<S: Storage> Inner<S> {
    async fn get_in_segment(&self, segment: &Rc<SegmentMeta>, key: &[u8]) -> Result<Option<Option<Slice>>> {
        let index = self.segment_index(segment).await?;
        if !index.filter.may_hold(key) {
            return Ok(None);
        }
        let Some(block) = block_ref(&index.run, index.run.lower_bound(key)) else {
            return Ok(None);
        };
        let blocks = self.blocks(segment, &index.run, &[block]).await?;
        Ok(blocks.first().and_then(|run| run.get(key)))
    }
}

/// The entries of a range, without tombstones.
pub struct Scan<S: Storage> {
    snapshot: Snapshot<S>,
    merge: Merge,
    /// One entry held back, for the planted bug that loses the last one.
    held: Option<(Slice, Slice)>,
    direction: Direction,
}

impl<S: Storage> Scan<S> {
    pub(super) const fn new(snapshot: Snapshot<S>, merge: Merge, direction: Direction) -> Self {
        Scan { snapshot, merge, held: None, direction }
    }

    /// Which way it goes.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub async fn next(&mut self) -> Result<Option<(Slice, Slice)>> {
        if planted(Bug::ScanOffByOne) {
            if self.held.is_none() {
                self.held = self.next_live().await?;
            }
            let next = self.next_live().await?;
            return Ok(core::mem::replace(&mut self.held, next.clone()).filter(|_| next.is_some()));
        }
        self.next_live().await
    }

    async fn next_live(&mut self) -> Result<Option<(Slice, Slice)>> {
        loop {
            match self.merge.step() {
                Step::Entry(key, Some(value)) => return Ok(Some((key, value))),
                Step::Entry(_, None) => {}
                Step::Needs(source) => self.merge.fill(&self.snapshot.inner, source).await?,
                Step::End => return Ok(None),
            }
        }
    }
}
