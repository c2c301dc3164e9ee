//! What a transaction will write: keys and values, gathered in any order.
//!
//! Not shared: it belongs to one transaction until it commits.
//!
//! Invariants: the last write of a key wins; writes are sorted at the first read after them, each batch once, so that
//! a transaction of many statements costs no more than a few merges.

use super::memtable::Memtable;
use super::run::{Run, RunBuilder};
use super::slice::Slice;
use super::unsorted::Unsorted;

/// Runs up to this many entries are taken apart: a transaction of many statements would merge them again and again.
const SMALL_RUN_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct WriteSet {
    /// Written since the last read.
    unsorted: Unsorted,
    /// Written before.
    sorted: Memtable,
    sorted_bytes: usize,
}

impl WriteSet {
    /// Sets a value, or a tombstone.
    pub(crate) fn set(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.unsorted.set(key, value);
    }

    /// Writes a whole run. Where it is all that a transaction writes, it is what is committed.
    pub(crate) fn set_run(&mut self, run: Run) {
        let is_first = self.is_empty();
        if run.len() <= SMALL_RUN_MAX && !is_first {
            return run.iter().for_each(|(key, value)| self.unsorted.set(key, value));
        }
        self.sort();
        self.sorted_bytes += run.as_bytes().len();
        self.sorted.push(run);
    }

    /// What was written under this key: nothing, a tombstone (`Some(None)`), or a value.
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<Option<Slice>> {
        match self.unsorted.find(key) {
            Some(value) => Some(value.map(|value| Slice::from(value.to_vec()))),
            None => self.sorted.get(key),
        }
    }

    /// Moves what is unsorted into a run.
    fn sort(&mut self) {
        if self.unsorted.is_empty() {
            return;
        }
        let room = self.unsorted.len_bytes() + 12 * self.unsorted.len();
        let mut builder = RunBuilder::with_capacity(room, self.unsorted.len());
        self.unsorted.sort_into(&mut builder);
        self.sorted.push(builder.finish());
        self.sorted_bytes += self.unsorted.len_bytes();
        self.unsorted.clear();
    }

    /// The writes as runs, the newest first.
    pub(crate) fn runs(&mut self) -> impl Iterator<Item = &Run> {
        self.sort();
        self.sorted.newest_first()
    }

    /// The writes as one run.
    pub(crate) fn into_run(mut self) -> Run {
        self.sort();
        self.sorted.into_run()
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.unsorted.is_empty() && self.sorted_bytes == 0
    }

    /// Bytes of all keys and values, overwritten ones included.
    pub(crate) const fn len_bytes(&self) -> usize {
        self.sorted_bytes + self.unsorted.len_bytes()
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
