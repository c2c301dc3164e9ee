//! What is kept of columns: pieces and their vectors, and of the newest state that was asked for its order and whole vectors.
//!
//! Not a store: whatever is gone is made again from rows. The bound and the policy are `engine/block_cache.rs`'s.
//!
//! Invariants: what belongs to a run in memory goes with it; what belongs to a state goes when another is asked for.

use crate::engine::block_cache::{BlockCache, Cached};
use crate::engine::manifest::SegmentId;
use crate::engine::run::{Run, RunId};
use crate::query::Column;

/// Fields that have numbers; beyond, all is forgotten.
const FIELDS_MAX: usize = 4096;
/// Beside this part of the bound, nothing is kept that would drive out all else.
const PART_MAX: usize = 2;

/// See the module.
#[derive(Debug)]
pub(crate) struct ColumnCache {
    kept: BlockCache,
    /// A prefix of keys and the name of a column: its number is its place. The empty name is the piece.
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    runs: Vec<(RunId, SegmentId)>,
    states: Vec<State>,
    /// How many names were given to what has none.
    named: u64,
}

/// A state of the documents that begin with a prefix: which sources they lie in.
#[derive(Debug)]
struct State {
    prefix: Vec<u8>,
    sources: Vec<SegmentId>,
    id: SegmentId,
}

impl ColumnCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        ColumnCache {
            kept: BlockCache::new(bytes_max),
            fields: Vec::new(),
            runs: Vec::new(),
            states: Vec::new(),
            named: 0,
        }
    }

    pub(crate) const fn bytes_max(&self) -> usize {
        self.kept.bytes_max()
    }

    /// Bytes held.
    pub(crate) const fn len_bytes(&self) -> usize {
        self.kept.figures().0
    }

    /// A name that no segment has.
    fn name(&mut self) -> SegmentId {
        self.named += 1;
        SegmentId::new(u64::MAX, self.named.to_be_bytes())
    }

    /// The numbers of the piece and of columns; none where there are too many of them.
    pub(super) fn fields(&mut self, prefix: &[u8], columns: &[Column]) -> Option<Vec<u32>> {
        let count = columns.len() + 1;
        if count > FIELDS_MAX {
            return None;
        }
        if self.fields.len() + count > FIELDS_MAX {
            *self = ColumnCache { named: self.named, ..ColumnCache::new(self.bytes_max()) };
        }
        let mut numbers = Vec::with_capacity(count);
        for name in core::iter::once(&[][..]).chain(columns.iter().map(Column::name)) {
            let known = self.fields.iter().position(|(of, field)| of == prefix && field == name);
            numbers.push(known.unwrap_or(self.fields.len()) as u32);
            if known.is_none() {
                self.fields.push((prefix.to_vec(), name.to_vec()));
            }
        }
        Some(numbers)
    }

    /// The name of a run in memory. Forgets those that are gone.
    pub(super) fn run(&mut self, run: &Run) -> SegmentId {
        let mut gone = Vec::new();
        self.runs.retain(|(known, id)| {
            let is_alive = known.is_alive();
            if !is_alive {
                gone.push(*id);
            }
            is_alive
        });
        gone.into_iter().for_each(|id| self.kept.remove_segment(id));
        if let Some((_, id)) = self.runs.iter().find(|(known, _)| known.is(run)) {
            return *id;
        }
        let id = self.name();
        self.runs.push((run.id(), id));
        id
    }

    /// The name of the state of documents that lies in these sources. What was kept of another is forgotten.
    pub(super) fn state(&mut self, prefix: &[u8], sources: &[SegmentId]) -> SegmentId {
        if let Some(at) = self.states.iter().position(|state| state.prefix == prefix) {
            match self.states.get(at) {
                Some(state) if state.sources == sources => return state.id,
                _ => self.kept.remove_segment(self.states.swap_remove(at).id),
            }
        }
        let id = self.name();
        self.states.push(State { prefix: prefix.to_vec(), sources: sources.to_vec(), id });
        id
    }

    pub(super) fn get(&mut self, of: SegmentId, field: u32) -> Option<Cached> {
        self.kept.get(of, field)
    }

    pub(super) fn insert(&mut self, of: SegmentId, field: u32, what: Cached) {
        if what.len_bytes() <= self.bytes_max() / PART_MAX {
            self.kept.insert(of, field, what);
        }
    }

    pub(crate) fn remove_segment(&mut self, segment: SegmentId) {
        self.kept.remove_segment(segment);
    }
}
