//! What a transaction will write: keys and values, gathered in any order.
//!
//! Not shared: it belongs to one transaction until it commits.
//!
//! Invariants: the last write of a key wins; writes are sorted at the first read after them, each batch once, so that
//! a transaction of many statements costs no more than a few merges.

use super::memtable::{Memtable, merge_all};
use super::run::{Run, RunBuilder};
use super::slice::Slice;

/// Unsorted writes up to this many are searched one by one.
const LINEAR_MAX: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Write {
    key_start: usize,
    value_start: usize,
    end: usize,
    is_tombstone: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    /// Written since the last read, in the order of writing.
    bytes: Vec<u8>,
    writes: Vec<Write>,
    /// Written before.
    sorted: Memtable,
    sorted_bytes: usize,
}

impl WriteSet {
    /// Sets a value, or a tombstone.
    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        let key_start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let value_start = self.bytes.len();
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.writes.push(Write { key_start, value_start, end: self.bytes.len(), is_tombstone: value.is_none() });
    }

    fn key(&self, write: &Write) -> &[u8] {
        self.bytes.get(write.key_start..write.value_start).unwrap_or_default()
    }

    fn value(&self, write: &Write) -> Option<&[u8]> {
        (!write.is_tombstone).then(|| self.bytes.get(write.value_start..write.end).unwrap_or_default())
    }

    /// What was written under this key: nothing, a tombstone (`Some(None)`), or a value.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<Option<Slice>> {
        if self.writes.len() > LINEAR_MAX {
            self.sort();
        }
        match self.writes.iter().rev().find(|write| self.key(write) == key) {
            Some(write) => Some(self.value(write).map(|value| Slice::from(value.to_vec()))),
            None => self.sorted.get(key),
        }
    }

    /// Moves what is unsorted into a run.
    fn sort(&mut self) {
        if self.writes.is_empty() {
            return;
        }
        let mut order: Vec<usize> = (0..self.writes.len()).collect();
        let key = |index: usize| self.writes.get(index).map(|write| self.key(write)).unwrap_or_default();
        // Of two writes of a key the later one comes first, and is kept.
        order.sort_unstable_by(|a, b| key(*a).cmp(key(*b)).then(b.cmp(a)));
        order.dedup_by(|later, kept| key(*later) == key(*kept));
        let mut builder = RunBuilder::with_capacity(self.bytes.len() + 12 * order.len(), order.len());
        for write in order.iter().filter_map(|index| self.writes.get(*index)) {
            builder.push(self.key(write), self.value(write));
        }
        self.sorted.push(builder.finish());
        self.sorted_bytes += self.bytes.len();
        self.bytes.clear();
        self.writes.clear();
    }

    /// The writes as runs, the newest first.
    pub(crate) fn runs(&mut self) -> impl Iterator<Item = &Run> {
        self.sort();
        self.sorted.newest_first()
    }

    /// The writes as one run.
    pub(crate) fn into_run(mut self) -> Run {
        let mut runs: Vec<Run> = self.runs().cloned().collect();
        runs.reverse();
        merge_all(&runs)
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.sorted_bytes == 0
    }

    /// Bytes of all keys and values, overwritten ones included.
    pub(crate) const fn len_bytes(&self) -> usize {
        self.sorted_bytes + self.bytes.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_last_write_of_a_key_wins_however_many_there_are() {
        let mut set = WriteSet::default();
        for round in 0..100u8 {
            let key = [round % 10];
            let value = [round];
            let value = (!round.is_multiple_of(3)).then_some(&value[..]);
            set.set(&key, value);
            if round.is_multiple_of(7) {
                assert_eq!(set.get(&key).unwrap().as_deref(), value);
            }
        }
        assert_eq!(set.get(b"x"), None);
        let run = set.into_run();
        assert_eq!(run.len(), 10);
        assert_eq!(run.get(&[4]).unwrap().unwrap().as_bytes(), &[94]);
        assert_eq!(run.get(&[9]), Some(None));
    }
}
