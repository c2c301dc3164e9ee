//! Where background work puts its entries: into segments, extent by extent, in slices of time.
//!
//! Invariant: extents are written before the manifest names them, or (held back) in the same transaction.

use super::Inner;
use super::block_cache::Cached;
use super::flip::Change;
use super::log::{ATTEMPTS, backoff_ms, may_help};
use super::manifest::{Manifest, SegmentId, SegmentMeta};
use super::segment::{Cut, INDEX_BLOCK, Ready, SegmentBuilder, StoredExtent};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Batch, Failure, Storage, Store};

/// What was written.
pub(super) struct Written {
    /// The segments, ascending and disjoint.
    pub(super) segments: Vec<SegmentMeta>,
    /// Extents that were held back: they go into the flip's own transaction.
    pub(super) held: Vec<StoredExtent>,
}

/// What is to be done after an entry was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Settle,
}

/// See the module.
pub(super) struct Output<'a, S: Storage> {
    inner: &'a Inner<S>,
    generation: u64,
    builder: Option<SegmentBuilder>,
    segments: Vec<SegmentMeta>,
    /// Every segment begun, for taking back what was written of it.
    ids: Vec<SegmentId>,
    /// Sealed and not written yet.
    extents: Vec<StoredExtent>,
    extents_bytes: usize,
    is_held: bool,
    until_ms: f64,
    entries: u32,
}

impl<'a, S: Storage> Output<'a, S> {
    /// Writes extents as they come.
    pub(super) fn streamed(inner: &'a Inner<S>) -> Self {
        Output {
            inner,
            generation: inner.state().manifest.generation,
            builder: None,
            segments: Vec::new(),
            ids: Vec::new(),
            extents: Vec::new(),
            extents_bytes: 0,
            is_held: false,
            until_ms: inner.env.monotonic_ms() + inner.options.slice_ms,
            entries: 0,
        }
    }

    /// Holds all extents back, for the flip's transaction.
    pub(super) fn held(inner: &'a Inner<S>) -> Self {
        Output { is_held: true, ..Output::streamed(inner) }
    }

    /// Adds an entry; keys come in ascending order.
    pub(super) async fn push(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        match self.add(key, value) {
            Then::GoOn => Ok(()),
            Then::Settle => self.settle().await,
        }
    }

    /// Adds an entry; says whether [`Output::settle`] is to be called before the next.
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Then {
        let inner = self.inner;
        let builder = match &mut self.builder {
            Some(builder) => builder,
            None => {
                let id = inner.new_segment_id(self.generation);
                self.ids.push(id);
                let database = inner.state().head.database;
                let cut = Cut { block_bytes: inner.options.block_bytes, extent_bytes: inner.options.extent_bytes };
                self.builder.insert(SegmentBuilder::new(database, id, cut))
            }
        };
        builder.push(key, value);
        self.entries += 1;
        let is_full = builder.stored_bytes() >= inner.options.segment_bytes;
        // A look at the clock costs more than an entry.
        let is_due = is_full || builder.has_ready() || self.entries.is_multiple_of(64);
        if is_due { Then::Settle } else { Then::GoOn }
    }

    /// Writes what is ready, and gives others a turn when the slice of time is used up.
    pub(super) async fn settle(&mut self) -> Result<()> {
        if let Some(builder) = &mut self.builder {
            let is_full = builder.stored_bytes() >= self.inner.options.segment_bytes;
            let id = builder.id();
            if let Some(ready) = builder.take_ready() {
                self.take(id, ready).await?;
            }
            if is_full {
                self.end_segment().await?;
            }
        }
        if self.inner.env.monotonic_ms() >= self.until_ms {
            self.inner.env.sleep(0).await;
            self.until_ms = self.inner.env.monotonic_ms() + self.inner.options.slice_ms;
        }
        Ok(())
    }

    /// Ends the last segment and writes what is left.
    pub(super) async fn finish(mut self) -> Result<Written> {
        self.end_segment().await?;
        if !self.is_held {
            self.write().await?;
        }
        Ok(Written { segments: self.segments, held: self.extents })
    }

    async fn end_segment(&mut self) -> Result<()> {
        if let Some((ready, segment)) = self.builder.take().and_then(SegmentBuilder::finish) {
            let id = segment.id;
            self.segments.push(segment);
            self.take(id, ready).await?;
        }
        Ok(())
    }

    async fn take(&mut self, id: SegmentId, ready: Ready) -> Result<()> {
        // What was just written is what will be read: it stays in memory as long as nothing else has to go for it, packed
        // where it has no room unpacked.
        let mut is_room = true;
        for (block, run) in ready.blocks {
            is_room &= self.inner.cache.borrow_mut().insert_if_room(id, block, Cached::Block(run));
        }
        if !is_room {
            let mut extents = self.inner.extents.borrow_mut();
            for (name, bytes) in &ready.extents {
                let number = name.last_chunk().map_or(INDEX_BLOCK, |number| u32::from_be_bytes(*number));
                if number != INDEX_BLOCK {
                    extents.insert_if_room(id, number, bytes);
                }
            }
        }
        if let Some(index) = ready.index {
            self.inner.cache.borrow_mut().insert_if_room(id, INDEX_BLOCK, Cached::Index(index));
        }
        self.extents_bytes += ready.extents.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        self.extents.extend(ready.extents);
        if !self.is_held && self.extents_bytes >= self.inner.options.batch_bytes {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes extents under their own names. Tried again freely: the same name always gets the same bytes.
    async fn write(&mut self) -> Result<()> {
        self.extents_bytes = 0;
        let puts: Vec<_> = self.extents.drain(..).map(|(name, bytes)| (Store::Main, name, bytes)).collect();
        if puts.is_empty() {
            return Ok(());
        }
        let batch = Batch { puts, ..Batch::default() };
        let mut attempt = 0;
        loop {
            let error = match self.inner.call(self.inner.storage.apply(batch.clone())).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            if error.failure == Failure::Quota || attempt >= ATTEMPTS || !may_help(error.failure) {
                self.inner.take_back(self.ids.iter().copied()).await;
                if error.failure == Failure::Quota {
                    self.inner.note_full();
                }
                return Err(Error::from(error).context("writing a segment"));
            }
            attempt += 1;
            self.inner.env.sleep(backoff_ms(attempt)).await;
        }
    }
}

impl<S: Storage> Inner<S> {
    /// Deletes what was written of segments that no manifest will ever name. What is left is swept by a later flip.
    async fn take_back(&self, ids: impl Iterator<Item = SegmentId>) {
        self.sweep_due.set(true);
        let deletes = ids.map(|id| (Store::Main, id.names())).collect();
        let _ = self.call(self.storage.apply(Batch { deletes, ..Batch::default() })).await;
    }

    /// Flips to segments that were written; where there is no room even for that, gives theirs back.
    pub(super) async fn flip_to(
        &self,
        segments: &[SegmentMeta],
        change: Change,
        edit: impl FnOnce(&mut Manifest),
    ) -> Result<bool> {
        let flipped = self.flip(change, edit).await;
        if let Err(error) = &flipped
            && error.kind() == ErrorKind::Limit
        {
            self.take_back(segments.iter().map(|segment| segment.id)).await;
        }
        flipped
    }

    fn new_segment_id(&self, generation: u64) -> SegmentId {
        let mut random = [0; 8];
        self.env.fill_random(&mut random);
        SegmentId::new(generation, random)
    }
}
