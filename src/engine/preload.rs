//! Preloading: once a read had to wait for a block, all blocks are brought into memory behind it, where all have room.
//!
//! Not a timer and not a task: something else calls it, behind an answer. Not for what does not fit: then blocks come
//! on demand, for to load what pushes out what is in use would only cost.
//!
//! Invariants: nothing goes from the cache for it; it holds the thread for half a slice at a time; it fails nothing:
//! what is damaged or missing is left for whoever asks for it; it ends when the engine is closed.

use super::Inner;
use super::block_cache::Cached;
use super::blocks::{Extent, Reading};
use super::manifest::{BlockRef, SegmentMeta};
use super::segment::{INDEX_BLOCK, block_ref};
use crate::env::LocalFuture;
use crate::env::side_by_side::side_by_side;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use core::cell::Cell;
use std::rc::Rc;

/// Segments that are loaded side by side; of each, one extent is on its way.
const LANES: usize = 2;
/// How much larger blocks are in memory than on disk, until it is known.
const GROWTH_GUESSED: f64 = 1.5;

/// See the module: how far it is.
#[derive(Debug, Default)]
pub(super) struct Preloading {
    /// A read has found a block missing.
    is_missed: Cell<bool>,
    /// When one did so last.
    missed_ms: Cell<Option<f64>>,
    is_under_way: Cell<bool>,
    /// The generation of the manifest whose segments were loaded, or were found to be too large.
    settled: Cell<Option<u64>>,
    /// When the thread is to be given up.
    until_ms: Cell<f64>,
    /// Bytes that were loaded: as stored, and in memory.
    stored: Cell<usize>,
    unpacked: Cell<usize>,
}

/// Marks that preloading is under way; the mark goes when this is dropped.
struct UnderWay<'a>(&'a Cell<bool>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Preloading {
    /// A read finds a block missing now.
    pub(super) fn note_missing(&self, now_ms: f64) {
        self.is_missed.set(true);
        self.missed_ms.set(Some(now_ms));
    }

    /// Whether blocks are on their way into memory, or were asked for since then.
    pub(super) fn is_reading(&self, since_ms: f64) -> bool {
        self.is_under_way.get() || self.missed_ms.get().is_some_and(|missed_ms| missed_ms > since_ms)
    }

    /// By how much blocks grow when they are unpacked.
    fn growth(&self) -> f64 {
        match self.stored.get() {
            0 => GROWTH_GUESSED,
            stored => self.unpacked.get() as f64 / stored as f64,
        }
    }
}

impl<S: Storage> Inner<S> {
    /// Whether a read has met what is not in memory, though it could be.
    pub(super) fn is_preload_due(&self) -> bool {
        let preloading = &self.preloading;
        if !preloading.is_missed.get() || preloading.is_under_way.get() || !self.options.preload {
            return false;
        }
        preloading.is_missed.set(false);
        preloading.settled.get() != Some(self.state().manifest.generation)
    }

    /// See the module.
    pub(super) async fn preload(&self) {
        if self.preloading.is_under_way.replace(true) {
            return;
        }
        let _mark = UnderWay(&self.preloading.is_under_way);
        let manifest = Rc::clone(&self.state().manifest);
        // Whatever ends it early ends it: it may begin anew once the segments are others.
        self.preloading.settled.set(Some(manifest.generation));
        // The answer that this stands behind goes first.
        self.give_turn().await;
        if self.check_room().is_err() {
            return;
        }
        let missing = manifest.segments().filter(|segment| !self.has_index(segment)).collect();
        if self.bring_indexes(missing).await.is_ok() {
            let mut each = manifest.segments().map(|segment| -> LocalFuture<'_, _> { Box::pin(self.load(segment)) });
            let _ = side_by_side(LANES, &mut each).await;
        }
    }

    /// Fails where preloading has to end: the engine was closed, or there is no room for all that there is.
    fn check_room(&self) -> Result<()> {
        let bytes = self.state().manifest.segment_bytes() as f64 * self.preloading.growth();
        if bytes > self.cache.borrow().bytes_max() as f64 {
            return Err(full());
        }
        self.check_open()
    }

    async fn load(&self, segment: &Rc<SegmentMeta>) -> Result<()> {
        // Where it is not there it could not be had, and why is told to those who ask for it.
        let Some(Cached::Index(index)) = self.cached(segment, INDEX_BLOCK) else { return Ok(()) };
        let mut stored: Vec<Extent> = Vec::new();
        for block in (0..index.run.len()).filter_map(|block| block_ref(&index.run, block)) {
            if self.cache.borrow().has(segment.id, block.block) {
                continue;
            }
            if stored.first().is_none_or(|(extent, _)| *extent != block.extent) {
                self.let_go(segment, &stored);
                self.check_room()?;
                stored = self.extents_of(segment, vec![block.extent], Reading::Kept).await?;
                // Those who waited for the same extent go first.
                self.give_turn().await;
            }
            self.unpack(segment, block, &stored)?;
            if self.env.monotonic_ms() >= self.preloading.until_ms.get() {
                self.give_turn().await;
            }
        }
        self.let_go(segment, &stored);
        Ok(())
    }

    fn unpack(&self, segment: &Rc<SegmentMeta>, block: BlockRef, stored: &[Extent]) -> Result<()> {
        self.check_open()?;
        if !self.is_in_use(segment) {
            return Ok(());
        }
        let Ok(run) = self.parsed_block(segment, block, stored) else { return Ok(()) };
        let preloading = &self.preloading;
        preloading.stored.set(preloading.stored.get() + block.bytes as usize);
        preloading.unpacked.set(preloading.unpacked.get() + run.as_bytes().len());
        let has_room = self.cache.borrow_mut().insert_if_room(segment.id, block.block, Cached::Block(run));
        if has_room { Ok(()) } else { Err(full()) }
    }

    /// What is unpacked need not be kept packed.
    fn let_go(&self, segment: &Rc<SegmentMeta>, stored: &[Extent]) {
        for (extent, _) in stored {
            self.extents.borrow_mut().remove(segment.id, *extent);
        }
    }

    /// Lets others go first, then takes the thread for half a slice.
    async fn give_turn(&self) {
        self.env.sleep(0).await;
        self.preloading.until_ms.set(self.env.monotonic_ms() + self.options.slice_ms / 2.0);
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Limit, "the block cache has no room")
}
