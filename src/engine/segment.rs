//! A segment: an immutable sorted run on disk, cut into blocks, with an index of its blocks.
//!
//! Not the choice of what to write or merge (`checkpoint.rs`, `compact.rs`).
//!
//! The index is a run too: for each block, its *last* key -> varint stored bytes, u64 checksum; the number of the
//! entry is the number of the block. So the block that may hold a key is the index's lower bound of that key.
//!
//! Invariant: blocks are written once under a name that is never used again.

use super::frame::{self, DatabaseId, Kind, Place};
use super::manifest::{BlockRef, SegmentId, SegmentMeta};
use super::run::{Run, RunBuilder};
use crate::bytes::{Reader, put_varint};

/// The number under which a segment's block index is stored.
pub(crate) const INDEX_BLOCK: u32 = u32::MAX;

/// A block to be put into the store: its name and its bytes.
pub(crate) type StoredBlock = (Vec<u8>, Vec<u8>);

/// Reads one entry of a block index.
pub(crate) fn block_ref(index: &Run, block: usize) -> Option<BlockRef> {
    let (_, value) = index.entry(block)?;
    let mut reader = Reader::new(value?);
    let bytes = u32::try_from(reader.varint()?).ok()?;
    Some(BlockRef { block: u32::try_from(block).ok()?, bytes, checksum: reader.u64()? })
}

/// Builds a segment key by ascending key; sealed blocks can be taken away and written as they come.
pub(crate) struct SegmentBuilder {
    database: DatabaseId,
    id: SegmentId,
    block_bytes: usize,
    block: RunBuilder,
    index: RunBuilder,
    sealed: Vec<StoredBlock>,
    first: Option<Vec<u8>>,
    last: Vec<u8>,
    entries: u64,
    tombstones: u64,
    bytes: u64,
}

impl SegmentBuilder {
    pub(crate) fn new(database: DatabaseId, id: SegmentId, block_bytes: usize) -> Self {
        SegmentBuilder {
            database,
            id,
            block_bytes,
            block: RunBuilder::default(),
            index: RunBuilder::default(),
            sealed: Vec::new(),
            first: None,
            last: Vec::new(),
            entries: 0,
            tombstones: 0,
            bytes: 0,
        }
    }

    /// Adds an entry; its key must be greater than all before.
    pub(crate) fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        let entry = key.len() + value.map_or(0, <[u8]>::len);
        if !self.block.is_empty() && self.block.len_bytes() + entry > self.block_bytes {
            self.seal_block();
        }
        self.block.push(key, value);
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
        let number = self.index.len() as u32;
        let run = self.block.finish();
        let (stored, block) = self.seal(Kind::Block, number, &run);
        let mut value = Vec::with_capacity(13);
        put_varint(&mut value, u64::from(block.bytes));
        value.extend_from_slice(&block.checksum.to_le_bytes());
        self.index.push(&self.last, Some(&value));
        self.sealed.push(stored);
    }

    fn seal(&mut self, kind: Kind, block: u32, run: &Run) -> (StoredBlock, BlockRef) {
        let name = self.id.block_name(block);
        let (bytes, checksum) = frame::seal(Place { database: self.database, kind, name: &name }, run.as_bytes());
        self.bytes += bytes.len() as u64;
        let block = BlockRef { block, bytes: bytes.len() as u32, checksum };
        ((name, bytes), block)
    }

    /// Bytes of the blocks sealed so far, as stored.
    pub(crate) const fn stored_bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether blocks were sealed since the last [`SegmentBuilder::take_sealed`].
    pub(crate) fn has_sealed(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Takes the blocks that were sealed since the last call.
    pub(crate) fn take_sealed(&mut self) -> Vec<StoredBlock> {
        core::mem::take(&mut self.sealed)
    }

    /// The remaining blocks and the manifest's entry; `None` where no entry was added.
    pub(crate) fn finish(mut self) -> Option<(Vec<StoredBlock>, SegmentMeta)> {
        self.seal_block();
        let first = self.first.take()?;
        let index_run = self.index.finish();
        let (stored, index) = self.seal(Kind::Index, INDEX_BLOCK, &index_run);
        self.sealed.push(stored);
        let meta = SegmentMeta {
            id: self.id,
            first,
            last: self.last,
            entries: self.entries,
            tombstones: self.tombstones,
            bytes: self.bytes,
            index,
        };
        Some((self.sealed, meta))
    }
}
