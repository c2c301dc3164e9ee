//! Numbers about an engine, for people and tests.
//!
//! Not used for any decision.

use super::Inner;
use crate::storage::Storage;

/// Numbers about an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The newest commit.
    pub seq: u64,
    /// The newest commit that is known to survive power loss.
    pub durable_seq: u64,
    /// Bytes of the memtable.
    pub memtable_bytes: usize,
    /// Segments in use.
    pub segments: usize,
    /// Bytes of the segments in use, as stored.
    pub segment_bytes: u64,
    /// Entries in the segments in use, tombstones and old versions included.
    pub segment_entries: u64,
    /// Bytes of blocks in memory.
    pub cache_bytes: usize,
    /// Bytes of columns in memory.
    pub column_bytes: usize,
    /// Blocks that were found in memory.
    pub cache_hits: u64,
    /// Blocks that had to be fetched.
    pub cache_misses: u64,
    /// Commits of this engine that shared a log record with another.
    pub grouped_commits: u64,
    /// Log records that this engine appended.
    pub appends: u64,
}

impl<S: Storage> Inner<S> {
    pub(super) fn figures(&self) -> Figures {
        let state = self.state();
        let (cache_bytes, cache_hits, cache_misses) = self.cache.borrow().figures();
        Figures {
            seq: state.head.seq.get(),
            durable_seq: self.durable.get().get(),
            memtable_bytes: state.memtable.len_bytes(),
            segments: state.manifest.segments().count(),
            segment_bytes: state.manifest.segment_bytes(),
            segment_entries: state.manifest.segments().map(|segment| segment.entries).sum(),
            cache_bytes: cache_bytes + self.extents.borrow().len_bytes(),
            column_bytes: self.columns.borrow().len_bytes(),
            cache_hits,
            cache_misses,
            grouped_commits: self.grouped_commits.get(),
            appends: self.appends.get(),
        }
    }
}
