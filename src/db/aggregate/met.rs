//! Which documents the find in front of a pipeline met.
//!
//! Not exact: documents are known by a hash. One that was met is never denied; one that was not seldom seems to have been.

use crate::db::find::Found;
use xxhash_rust::xxh3::xxh3_64;

/// Documents that are noted, at most: beyond, any may have been met.
const MET_MAX: usize = 1 << 20;
const SLOTS_MIN: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// A power of two of them, or none; 0 is free. No more than half are taken.
    slots: Vec<u64>,
    count: usize,
    /// Whether the find came to its end: before, any may have been met.
    is_whole: bool,
}

impl Met {
    /// Notes what a find gave next; nothing at its end.
    pub(super) fn note(&mut self, found: &[Found]) {
        self.is_whole = found.is_empty() && self.count < MET_MAX;
        if self.count + found.len() > MET_MAX {
            (self.slots, self.count) = (Vec::new(), MET_MAX);
            return;
        }
        for found in found {
            if self.count * 2 >= self.slots.len() {
                let larger = vec![0; (self.slots.len() * 4).max(SLOTS_MIN)];
                for hash in core::mem::replace(&mut self.slots, larger) {
                    self.put(hash);
                }
            }
            self.put(hash(found.primary()));
            self.count += 1;
        }
    }

    /// Whether a document may have been met.
    pub(crate) fn has(&self, primary: &[u8]) -> bool {
        let hash = hash(primary);
        !self.is_whole || self.slots.get(self.place(hash)) == Some(&hash)
    }

    fn put(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = hash;
        }
    }

    /// Where a hash stands, or would stand.
    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len().saturating_sub(1);
        let mut place = hash as usize & mask;
        while self.slots.get(place).is_some_and(|slot| *slot != 0 && *slot != hash) {
            place = (place + 1) & mask;
        }
        place
    }
}

fn hash(primary: &[u8]) -> u64 {
    xxh3_64(primary).max(1)
}
