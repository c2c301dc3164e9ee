//! The newest state in memory: runs, newest last.
//!
//! Not a tree: a commit arrives as a sorted run and stays one. Small runs are merged as they gather, so that there are
//! few of them; a bulk batch is never taken apart.
//!
//! Invariants: runs are immutable, so cloning a memtable makes a snapshot; a frozen part (being written to a segment)
//! takes part in reads and in nothing else; within each part, newer runs stand later.

use super::filter;
use super::run::{Entry, Run, RunBuilder};
use super::slice::Slice;

/// Runs are merged while there are more than this many, largest work last.
const RUNS_MAX: usize = 16;
/// Runs below this are merged however few there are.
const SMALL_BYTES: usize = 64 * 1024;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Memtable {
    frozen: Vec<Run>,
    active: Vec<Run>,
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
        }
    }

    /// Freezes everything: what comes later goes into new runs.
    pub fn freeze(&mut self) {
        self.frozen.append(&mut self.active);
    }

    /// Forgets the frozen part: a segment holds it now.
    pub fn drop_frozen(&mut self) {
        self.frozen.clear();
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
        self.newest_first().filter(|run| run.may_hold(key, hash)).find_map(|run| run.get(key))
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

/// Merges any number of runs; where several have a key, the latest in the list wins.
#[must_use]
pub fn merge_all(runs: &[Run]) -> Run {
    if let [run] = runs {
        return run.clone();
    }
    let mut entries: Vec<(usize, Entry<'_>)> = Vec::with_capacity(runs.iter().map(Run::len).sum());
    for (age, run) in runs.iter().enumerate() {
        entries.extend(run.iter().map(|entry| (age, entry)));
    }
    entries.sort_by(|(a_age, (a, _)), (b_age, (b, _))| a.cmp(b).then(b_age.cmp(a_age)));
    entries.dedup_by(|(_, (later, _)), (_, (kept, _))| later == kept);
    let mut builder = RunBuilder::with_capacity(runs.iter().map(|run| run.as_bytes().len()).sum(), entries.len());
    for (_, (key, value)) in entries {
        builder.push(key, value);
    }
    builder.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
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
