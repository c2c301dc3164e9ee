//! The newest state in memory: runs, newest last.
//!
//! Not a tree: a commit arrives as a sorted run and stays one. Small runs are merged as they gather, so that there are
//! few of them; a bulk batch is never taken apart.
//!
//! Invariants: runs are immutable, so cloning a memtable makes a snapshot; a frozen part (being written to a segment)
//! takes part in reads and in nothing else; within each part, newer runs stand later; what the filter of all large
//! runs does not hold, no large run has.

use super::filter::{self, Filter};
use super::run::Run;
use super::slice::Slice;
use std::rc::Rc;

/// Large runs are merged while there are more than this many. A checkpoint comes sooner where batches are of some size:
/// to merge them before it would be done for nothing.
const RUNS_MAX: usize = 32;
/// Runs below this are merged however few there are.
const SMALL_BYTES: usize = 64 * 1024;
/// The filter of all large runs has room for so many documents at least (64 KiB), more than come before a checkpoint
/// unless they are small: to make it anew takes their hashes once more.
const FILTER_ROOM: usize = 32 * 1024;
/// With fewer large runs than this, each is asked by itself.
const FILTERED_RUNS_MIN: usize = 4;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Memtable {
    frozen: Vec<Run>,
    active: Vec<Run>,
    /// The documents of all large runs: one look says of a new key that none of them has it.
    documents: Rc<Filter>,
    /// How many documents were added to it.
    filtered: usize,
}

impl Memtable {
    /// Adds what a commit wrote.
    pub fn push(&mut self, run: Run) {
        if run.is_empty() {
            return;
        }
        self.active.push(run);
        while let [.., older, newer] = self.active.as_slice() {
            let alike = older.as_bytes().len() <= 2 * newer.as_bytes().len();
            let crowded = self.active.len() > RUNS_MAX;
            if !(alike && (crowded || newer.as_bytes().len() < SMALL_BYTES)) {
                break;
            }
            let merged = Run::merge(older, newer);
            self.active.truncate(self.active.len() - 2);
            self.active.push(merged);
        }
        if self.active.len() > 2 * RUNS_MAX {
            self.active = vec![merge_all(&self.active)];
        }
        // What will be merged again soon is not worth a filter.
        if let Some(newest) = self.active.pop_if(|newest| newest.as_bytes().len() >= SMALL_BYTES) {
            self.active.push(newest.filtered());
            self.note_newest();
        }
    }

    /// Takes the newest run, a large one, up into the filter of all.
    fn note_newest(&mut self) {
        let Some(newest) = self.active.last() else { return };
        self.filtered += newest.documents().len();
        if self.filtered <= self.documents.room() {
            let all = Rc::make_mut(&mut self.documents);
            newest.documents().for_each(|key| all.add(filter::hash(key)));
        } else {
            self.filter_anew();
        }
    }

    /// Makes the filter of all large runs; where there are few of them, one that says "perhaps".
    fn filter_anew(&mut self) {
        let large = || self.frozen.iter().chain(&self.active).filter(|run| run.is_filtered());
        self.filtered = large().map(|run| run.documents().len()).sum();
        let mut all = Filter::default();
        if large().count() >= FILTERED_RUNS_MIN {
            all = Filter::with_room((2 * self.filtered).max(FILTER_ROOM));
            large().flat_map(Run::documents).for_each(|key| all.add(filter::hash(key)));
        }
        self.documents = Rc::new(all);
    }

    /// Freezes everything: what comes later goes into new runs.
    pub fn freeze(&mut self) {
        self.frozen.append(&mut self.active);
    }

    /// Forgets the frozen part: a segment holds it now.
    pub fn drop_frozen(&mut self) {
        self.frozen.clear();
        self.filter_anew();
    }

    /// The frozen part, newer runs later.
    #[must_use]
    pub fn frozen(&self) -> &[Run] {
        &self.frozen
    }

    /// Every run, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Run> {
        self.active.iter().rev().chain(self.frozen.iter().rev())
    }

    /// What the memtable says of this key: nothing, a tombstone (`Some(None)`), or a value.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Option<Slice>> {
        self.get_hashed(key, filter::hash(key))
    }

    /// The same for a key with this hash.
    pub(super) fn get_hashed(&self, key: &[u8], hash: u64) -> Option<Option<Slice>> {
        let is_in_large = self.documents.may_hold_hashed(key, hash);
        for part in [&self.active, &self.frozen] {
            for run in part.iter().rev() {
                if (is_in_large || !run.is_filtered())
                    && run.may_hold(key, hash)
                    && let Some(found) = run.get_hashed(key, hash)
                {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Everything as one run.
    #[must_use]
    pub fn into_run(self) -> Run {
        let runs: Vec<Run> = self.frozen.into_iter().chain(self.active).collect();
        merge_all(&runs)
    }

    /// Bytes of all runs.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.newest_first().map(|run| run.as_bytes().len()).sum()
    }
}

/// Merges any number of runs, two by two; where several have a key, the latest in the list wins.
#[must_use]
pub fn merge_all(runs: &[Run]) -> Run {
    match runs {
        [] => Run::empty(),
        [run] => run.clone(),
        _ => {
            let (older, newer) = runs.split_at(runs.len() / 2);
            Run::merge(&merge_all(older), &merge_all(newer))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_memtable_answers_like_a_map_over_many_small_and_some_large_runs() {
        let mut model: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
        let mut memtable = Memtable::default();
        let mut random = 12345u64;
        for round in 0..400u32 {
            let mut batch = BTreeMap::new();
            for _ in 0..if round % 50 == 7 { 600 } else { 3 } {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let key = format!("k{:03}", (random >> 33) % 700).into_bytes();
                let value = (!random.is_multiple_of(5)).then(|| round.to_be_bytes().to_vec());
                batch.insert(key, value);
            }
            let mut builder = RunBuilder::default();
            for (key, value) in &batch {
                builder.push(key, value.as_deref());
            }
            memtable.push(builder.finish());
            model.extend(batch);
            assert!(memtable.active.len() <= 2 * RUNS_MAX);
        }
        for (key, value) in &model {
            let found = memtable.get(key).unwrap();
            assert_eq!(found.as_deref(), value.as_deref());
        }
        let merged =
            merge_all(&memtable.newest_first().cloned().collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>());
        assert_eq!(merged.len(), model.len());
        assert!(merged.iter().all(|(key, value)| model.get(key).unwrap().as_deref() == value));
    }
}
