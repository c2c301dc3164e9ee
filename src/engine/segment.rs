//! A segment: an immutable sorted run on disk, cut into blocks, with an index of its blocks.
//!
//! Not the choice of what to write or merge (`checkpoint.rs`, `compact.rs`).
//!
//! Blocks stand one behind the other in *extents*, the values of the storage. The index is an extent of its own: u32
//! length of the filter, the [`Filter`], and a run: for each block, its *last* key -> varints extent, offset, stored
//! bytes, then u64 checksum; the number of the entry is the number of the block. So the block that may hold a key is
//! the lower bound of that key in the run.
//!
//! Invariant: extents are written once under a name that is never used again.

use super::filter::{Filter, FilterBuilder};
use super::frame::{self, DatabaseId, Kind, Place};
use super::manifest::{BlockRef, SegmentId, SegmentMeta};
use super::packed;
use super::run::{Run, RunBuilder};
use super::unpacked;
use crate::bytes::{Reader, put_varint};
use crate::error::{Error, Result};
use std::rc::Rc;

/// The number of a segment's index, as a block and as an extent.
pub(crate) const INDEX_BLOCK: u32 = u32::MAX;

/// An extent to be put into the store: its name and its bytes.
pub(crate) type StoredExtent = (Vec<u8>, Vec<u8>);

/// What is kept of a segment in memory to find its blocks.
#[derive(Debug)]
pub(crate) struct SegmentIndex {
    /// See the module.
    pub(crate) run: Run,
    /// Which documents it may hold.
    pub(crate) filter: Filter,
}

impl SegmentIndex {
    fn encode(&self) -> Vec<u8> {
        let filter = self.filter.as_bytes();
        let mut bytes = Vec::with_capacity(4 + filter.len() + self.run.as_bytes().len());
        bytes.extend_from_slice(&(filter.len() as u32).to_le_bytes());
        bytes.extend_from_slice(filter);
        packed::pack(&self.run, &mut bytes);
        bytes
    }

    /// # Errors
    /// `corrupt` where the layout is broken.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let parts = bytes.split_first_chunk::<4>().and_then(|(len, rest)| {
            let (filter, run) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            Some((Filter::parse(filter)?, run))
        });
        let (filter, run) = parts.ok_or_else(|| Error::corrupt("a segment's index is malformed"))?;
        Ok(SegmentIndex { run: unpacked::unpack(run)?, filter })
    }

    /// Bytes that it takes in memory.
    pub(crate) fn len_bytes(&self) -> usize {
        self.run.as_bytes().len() + self.filter.as_bytes().len()
    }
}

/// Reads one entry of the run in a segment's index.
pub(crate) fn block_ref(index: &Run, block: usize) -> Option<BlockRef> {
    let (_, value) = index.entry(block)?;
    let mut reader = Reader::new(value?);
    let mut next = || u32::try_from(reader.varint()?).ok();
    let (extent, offset, bytes) = (next()?, next()?, next()?);
    Some(BlockRef { block: u32::try_from(block).ok()?, extent, offset, bytes, checksum: reader.u64()? })
}

/// How a segment is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Bytes of a block before compression.
    pub(crate) block_bytes: usize,
    /// Bytes of an extent, as stored.
    pub(crate) extent_bytes: usize,
}

/// What a [`SegmentBuilder`] has ready.
#[derive(Default)]
pub(crate) struct Ready {
    /// To be written.
    pub(crate) extents: Vec<StoredExtent>,
    /// Blocks as they are read, with their numbers: for the cache.
    pub(crate) blocks: Vec<(u32, Run)>,
    /// The index, once the segment is finished.
    pub(crate) index: Option<Rc<SegmentIndex>>,
}

/// Builds a segment key by ascending key; extents can be taken away and written as they come.
pub(crate) struct SegmentBuilder {
    database: DatabaseId,
    id: SegmentId,
    cut: Cut,
    block: RunBuilder,
    extent: Vec<u8>,
    extents: u32,
    index: RunBuilder,
    filter: FilterBuilder,
    ready: Ready,
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    entries: u64,
    tombstones: u64,
    bytes: u64,
}

impl SegmentBuilder {
    pub(crate) fn new(database: DatabaseId, id: SegmentId, cut: Cut) -> Self {
        SegmentBuilder {
            database,
            id,
            cut,
            block: RunBuilder::default(),
            extent: Vec::new(),
            extents: 0,
            index: RunBuilder::default(),
            filter: FilterBuilder::default(),
            ready: Ready::default(),
            first: None,
            last: Vec::new(),
            entries: 0,
            tombstones: 0,
            bytes: 0,
        }
    }

    /// Which segment it is.
    pub(crate) const fn id(&self) -> SegmentId {
        self.id
    }

    /// Adds an entry; its key must be greater than all before.
    pub(crate) fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        let entry = key.len() + value.map_or(0, <[u8]>::len);
        if !self.block.is_empty() && self.block.len_bytes() + entry > self.cut.block_bytes {
            self.seal_block();
        }
        self.block.push(key, value);
        self.filter.add(key);
        if self.first.is_none() {
            self.first = Some(key.to_vec());
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        self.entries += 1;
        self.tombstones += u64::from(value.is_none());
    }

    fn seal_block(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let run = self.block.finish();
        let number = self.index.len() as u32;
        let (frame, checksum) = self.seal(Kind::Block, number, &packed::packed(&run));
        if !self.extent.is_empty() && self.extent.len() + frame.len() > self.cut.extent_bytes {
            self.end_extent();
        }
        let mut value = Vec::with_capacity(20);
        put_varint(&mut value, u64::from(self.extents));
        put_varint(&mut value, self.extent.len() as u64);
        put_varint(&mut value, frame.len() as u64);
        value.extend_from_slice(&checksum.to_le_bytes());
        self.index.push(&self.last, Some(&value));
        self.bytes += frame.len() as u64;
        self.extent.extend_from_slice(&frame);
        self.ready.blocks.push((number, run));
    }

    fn seal(&self, kind: Kind, block: u32, payload: &[u8]) -> (Vec<u8>, frame::Checksum) {
        frame::seal(Place { database: self.database, kind, name: &self.id.block_name(block) }, payload)
    }

    fn end_extent(&mut self) {
        if !self.extent.is_empty() {
            let name = self.id.extent_name(self.extents);
            self.ready.extents.push((name.to_vec(), core::mem::take(&mut self.extent)));
            self.extents += 1;
        }
    }

    /// Bytes of the blocks sealed so far, as stored.
    pub(crate) const fn stored_bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether [`SegmentBuilder::take_ready`] would give something.
    pub(crate) const fn has_ready(&self) -> bool {
        !self.ready.extents.is_empty()
    }

    /// What came since the last call; none where that is no whole extent yet.
    pub(crate) fn take_ready(&mut self) -> Option<Ready> {
        self.has_ready().then(|| core::mem::take(&mut self.ready))
    }

    /// The rest and the manifest's entry; `None` where no entry was added.
    pub(crate) fn finish(mut self) -> Option<(Ready, SegmentMeta)> {
        self.seal_block();
        self.end_extent();
        let first = self.first.take()?;
        let index = SegmentIndex { run: self.index.finish(), filter: core::mem::take(&mut self.filter).finish() };
        let (frame, checksum) = self.seal(Kind::Index, INDEX_BLOCK, &index.encode());
        self.bytes += frame.len() as u64;
        let bytes = frame.len() as u32;
        self.ready.index = Some(Rc::new(index));
        self.ready.extents.push((self.id.extent_name(INDEX_BLOCK).to_vec(), frame));
        let meta = SegmentMeta {
            id: self.id,
            first,
            last: self.last,
            entries: self.entries,
            tombstones: self.tombstones,
            bytes: self.bytes,
            index: BlockRef { block: INDEX_BLOCK, extent: INDEX_BLOCK, offset: 0, bytes, checksum },
        };
        Some((self.ready, meta))
    }
}
