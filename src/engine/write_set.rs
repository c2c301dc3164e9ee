//! What a transaction will write: keys and values, gathered in any order, sorted once.
//!
//! Not shared: it belongs to one transaction until it commits.
//!
//! Invariant: the last write of a key wins.

use super::run::{Run, RunBuilder};

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
    bytes: Vec<u8>,
    writes: Vec<Write>,
    /// How many of `writes`, from the front, are sorted and without doubles.
    sorted: usize,
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
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<Option<&[u8]>> {
        if self.writes.len() - self.sorted > LINEAR_MAX {
            self.sort();
        }
        let (sorted, tail) = self.writes.split_at_checked(self.sorted)?;
        let found = tail.iter().rev().find(|write| self.key(write) == key).or_else(|| {
            let at = sorted.binary_search_by(|write| self.key(write).cmp(key)).ok()?;
            sorted.get(at)
        })?;
        Some(self.value(found))
    }

    fn sort(&mut self) {
        if self.sorted == self.writes.len() {
            return;
        }
        let bytes = &self.bytes;
        let key = |write: &Write| bytes.get(write.key_start..write.value_start).unwrap_or_default();
        // Stable, so of two writes of a key the later one stands later: it is kept.
        self.writes.sort_by(|a, b| key(a).cmp(key(b)));
        self.writes.dedup_by(|later, kept| {
            let same = key(later) == key(kept);
            if same {
                *kept = *later;
            }
            same
        });
        self.sorted = self.writes.len();
    }

    /// The writes as a run.
    pub(crate) fn run(&mut self) -> Run {
        self.sort();
        let mut builder = RunBuilder::with_capacity(self.bytes.len() + 4 * self.writes.len(), self.writes.len());
        for write in &self.writes {
            builder.push(self.key(write), self.value(write));
        }
        builder.finish()
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of all keys and values, overwritten ones included.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len()
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
            let value = (round % 3 != 0).then_some(&value[..]);
            set.set(&key, value);
            assert_eq!(set.get(&key), Some(value));
        }
        assert_eq!(set.get(b"x"), None);
        let run = set.run();
        assert_eq!(run.len(), 10);
        assert_eq!(run.get(&[4]).unwrap().unwrap().as_bytes(), &[94]);
        assert_eq!(run.get(&[9]), Some(None));
    }
}
