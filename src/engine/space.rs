//! A full disk: a reserve that is given up, and space that is taken back from what was deleted.
//!
//! Not retention: nothing is deleted here that a reader could still see.
//!
//! Invariants: each step is one transaction that deletes at least what it replaces, and needs no more room than one
//! segment; a step that fails has changed nothing.
//!
//! Why a reserve: to delete a document takes a write, and to take its space back takes a larger one, before anything is
//! freed. Chromium and Firefox free the space of small values late (when LevelDB or SQLite tidies up), but that of a
//! value over a megabyte at once, since it is a file of its own. So the reserve is one such value.

use super::flip::Change;
use super::manifest::SegmentMeta;
use super::merge::{LevelCursor, Merge, Source};
use super::output::Output;
use super::run::Run;
use super::{Inner, Pressure};
use crate::error::Result;
use crate::storage::{Batch, NameRange, Storage, Store};
use crate::value::{Direction, KeyRange};
use std::rc::Rc;

/// The name of the reserve record in the store `main`.
const RESERVE_NAME: &[u8] = b"\xff reserve";
/// A database that holds less than this has no reserve: it can be deleted and written again.
const RESERVE_FROM_BYTES: usize = 512 * 1024;

/// How long to wait before it is looked whether space that was given back is free; each time twice as long, because
/// Chromium needs more room, not less, while it tidies up.
const ROOM_INTERVAL_MS: u32 = 250;

/// What was done to fit one record onto a full disk; each record begins with a new one.
pub(super) struct Squeeze {
    has_freed: bool,
    /// Every second attempt comes at once: right after it was asked to tidy up Chromium needs the least room.
    is_next_at_once: bool,
    interval_ms: u32,
}

impl Squeeze {
    pub(super) const fn new() -> Self {
        Squeeze { has_freed: false, is_next_at_once: true, interval_ms: ROOM_INTERVAL_MS }
    }

    /// The record did not fit. Answers whether it may fit now, so that it is worth another attempt.
    pub(super) async fn has_made_room<S: Storage>(&mut self, inner: &Inner<S>, run: &Run) -> bool {
        if !core::mem::replace(&mut self.has_freed, true) {
            inner.expect_room(run);
        } else if inner.reclaim().await {
            return true;
        } else if !inner.is_room_expected() {
            return false;
        } else if !core::mem::replace(&mut self.is_next_at_once, false) {
            inner.env.sleep(self.interval_ms).await;
            self.interval_ms *= 2;
            self.is_next_at_once = true;
        }
        inner.make_room(run).await;
        true
    }
}

impl<S: Storage> Inner<S> {
    /// Whether the reserve is to be looked for, or to be put in place.
    pub(super) fn is_reserve_due(&self) -> bool {
        let state = self.state();
        let has_data = state.memtable.len_bytes() > RESERVE_FROM_BYTES || state.manifest.segments().next().is_some();
        let is_wanted = self.options.reserve_bytes > 0 && self.pressure.get() == Pressure::None;
        is_wanted && has_data && !self.has_reserve.get()
    }

    /// Puts the reserve in its place when it is not there. Where there is no room for it now, a later engine tries
    /// again.
    pub(super) async fn put_reserve(&self) {
        self.has_reserve.set(true);
        let names = [RESERVE_NAME.to_vec()];
        match self.call(self.storage.get(Store::Main, &names)).await {
            Ok(found) if found.iter().all(Option::is_none) => {}
            _ => return,
        }
        // Random, since a browser compresses what it stores.
        let mut reserve = vec![0; self.options.reserve_bytes];
        self.env.fill_random(&mut reserve);
        let batch = Batch { puts: vec![(Store::Main, RESERVE_NAME.to_vec(), reserve)], ..Batch::default() };
        let _ = self.call(self.storage.apply(batch)).await;
    }

    /// Makes room for a commit that did not fit: gives up the cache and segments that are kept for old snapshots, and for
    /// a commit that deletes the reserve too. In a transaction that only deletes: Firefox lets nothing else through after
    /// the quota was used up.
    async fn make_room(&self, run: &Run) {
        let mut deletes = vec![(Store::Cache, NameRange::all())];
        let state = self.state();
        deletes.extend(state.manifest.retired.iter().map(|retired| (Store::Main, retired.id.names())));
        if run.iter().any(|(_, value)| value.is_none()) {
            self.has_reserve.set(false);
            deletes.push((Store::Main, NameRange::one(RESERVE_NAME)));
        }
        // Where even that fails, the retry fails with the quota again, and says so.
        let _ = self.call(self.storage.apply(Batch { deletes, ..Batch::default() })).await;
    }

    /// A commit that deletes did not fit. It may be worth the wait: Chromium counts what LevelDB has not tidied up yet (26
    /// to 67 MB of files were measured for 24 MB of data), which it does within seconds; that is noticed at the next
    /// transaction, and one that only deletes always goes through.
    fn expect_room(&self, run: &Run) {
        if run.iter().any(|(_, value)| value.is_none()) {
            self.room_until_ms.set(self.env.monotonic_ms() + f64::from(self.options.room_ms));
        }
    }

    /// Whether space was given back so recently that it may not be free yet.
    fn is_room_expected(&self) -> bool {
        self.env.monotonic_ms() < self.room_until_ms.get()
    }

    /// A commit took effect. On a full disk, what it deleted can be reclaimed, so that what is written next may fit.
    pub(super) fn note_deletions(&self, run: &Run) {
        if self.pressure.get() == Pressure::Full && run.iter().any(|(_, value)| value.is_none()) {
            self.pressure.set(Pressure::Reclaimable);
            self.expect_room(run);
        }
    }

    /// A write did not fit.
    pub(super) fn note_full(&self) {
        if self.pressure.get() == Pressure::None {
            self.pressure.set(Pressure::Full);
        }
    }

    /// Takes back the space of what was overwritten or deleted, on a full disk. Answers whether it did anything.
    pub(super) async fn reclaim(&self) -> bool {
        if self.pressure.get() != Pressure::Reclaimable {
            return false;
        }
        let Some(_mark) = self.enter_background() else { return false };
        self.has_reserve.set(false);
        let deletes = vec![(Store::Main, NameRange::one(RESERVE_NAME))];
        let _ = self.call(self.storage.apply(Batch { deletes, ..Batch::default() })).await;
        let mut has_worked = matches!(self.collect(i64::MIN).await, Ok(true));
        // The oldest first: it has the most to lose. A step that gives much makes room for one that needs more.
        let segments: Vec<_> = self.state().manifest.segments().cloned().collect();
        for segment in segments.iter().rev() {
            has_worked |= matches!(self.purge(segment).await, Ok(true));
        }
        has_worked |= matches!(self.checkpoint_now().await, Ok(true));
        self.pressure.set(if has_worked { Pressure::None } else { Pressure::Full });
        self.room_until_ms.set(self.env.monotonic_ms() + f64::from(self.options.room_ms));
        has_worked
    }

    /// Writes a segment anew without what newer runs and segments hide, in the place of the old one.
    async fn purge(&self, segment: &Rc<SegmentMeta>) -> Result<bool> {
        let state = self.state();
        let range = KeyRange { start: segment.first.clone(), end: Some([&segment.last[..], &[0]].concat()) };
        let mut sources: Vec<Source> =
            state.memtable.newest_first().filter_map(|run| Source::run(run.clone(), &range)).collect();
        let above = state.manifest.segments().take_while(|other| other.id != segment.id);
        let above = above.filter_map(|other| LevelCursor::new([Rc::clone(other)], &range));
        sources.extend(above.map(Source::Level));
        let own = sources.len();
        if own == 0 {
            return Ok(false);
        }
        sources.extend(LevelCursor::new([Rc::clone(segment)], &range).map(Source::Level));
        let mut merge = Merge::new(sources, range, Direction::Ascending);
        let mut output = Output::held(self);
        let mut kept = 0;
        while let Some((key, value)) = merge.next(self).await? {
            if merge.winner() == own {
                kept += 1;
                output.push(&key, value.as_deref()).await?;
            }
        }
        if kept == segment.entries {
            return Ok(false);
        }
        let written = output.finish().await?;
        let mut change = Change::new(state.manifest.generation);
        change.puts = written.held;
        change.deletes = vec![segment.id.names()];
        self.flip(change, |manifest| {
            for level in &mut manifest.levels {
                if let Some(place) = level.iter().position(|other| other.id == segment.id) {
                    level.splice(place..=place, written.segments.iter().cloned().map(Rc::new));
                }
            }
        })
        .await
    }
}
