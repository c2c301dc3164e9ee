//! Blocks in memory, and what is made of them, bounded by bytes: the CLOCK policy (second chance; Corbato 1968).
//!
//! Not aware of storage or checksums: what is put in was checked already.
//!
//! Invariant: the bytes of all entries stay within the bound, but for one entry that alone is larger.

use super::columns::{Order, Piece};
use super::manifest::SegmentId;
use super::run::Run;
use super::segment::SegmentIndex;
use crate::value::vector::Vector;
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;
use std::rc::Rc;

type Key = (SegmentId, u32);

/// What is kept under a block's number.
#[derive(Clone, Debug)]
pub(crate) enum Cached {
    Block(Run),
    Index(Rc<SegmentIndex>),
    Piece(Rc<Piece>),
    Order(Rc<Order>),
    Vector(Rc<Vector>),
}

impl Cached {
    pub(super) fn len_bytes(&self) -> usize {
        match self {
            Cached::Block(run) => run.as_bytes().len(),
            Cached::Index(index) => index.len_bytes(),
            Cached::Piece(piece) => piece.len_bytes(),
            Cached::Order(order) => order.len_bytes(),
            Cached::Vector(vector) => vector.len_bytes(),
        }
    }
}

#[derive(Debug)]
struct Slot {
    key: Key,
    what: Cached,
    is_recent: bool,
}

/// Folds a key into its hash. Segment ids are random already, and nobody from outside chooses them; the standard hasher
/// was a twelfth of a bulk update.
#[derive(Debug, Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let word = word.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
            self.write_u64(word);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct BlockCache {
    bytes_max: usize,
    bytes: usize,
    slots: Vec<Slot>,
    places: HashMap<Key, usize, BuildHasherDefault<Fold>>,
    hand: usize,
    hits: u64,
    misses: u64,
}

impl BlockCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        BlockCache { bytes_max, bytes: 0, slots: Vec::new(), places: HashMap::default(), hand: 0, hits: 0, misses: 0 }
    }

    pub(crate) fn get(&mut self, segment: SegmentId, block: u32) -> Option<Cached> {
        let slot = self.places.get(&(segment, block)).and_then(|place| self.slots.get_mut(*place));
        match slot {
            Some(slot) => {
                slot.is_recent = true;
                self.hits += 1;
                Some(slot.what.clone())
            }
            None => {
                self.misses += 1;
                None
            }
        }
    }

    /// Whether it is here; does not count as a use of it.
    pub(crate) fn has(&self, segment: SegmentId, block: u32) -> bool {
        self.places.contains_key(&(segment, block))
    }

    /// Keeps a block only if nothing has to go for it; answers whether there was room.
    pub(crate) fn insert_if_room(&mut self, segment: SegmentId, block: u32, what: Cached) -> bool {
        let has_room = self.bytes + what.len_bytes() <= self.bytes_max;
        if has_room {
            self.insert(segment, block, what);
        }
        has_room
    }

    /// Bytes that all entries together may have.
    pub(crate) const fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    pub(crate) fn insert(&mut self, segment: SegmentId, block: u32, what: Cached) {
        let key = (segment, block);
        if self.places.contains_key(&key) {
            return;
        }
        let bytes = what.len_bytes();
        while self.bytes + bytes > self.bytes_max && !self.slots.is_empty() {
            self.evict_one();
        }
        self.bytes += bytes;
        self.places.insert(key, self.slots.len());
        self.slots.push(Slot { key, what, is_recent: false });
    }

    fn evict_one(&mut self) {
        loop {
            if self.hand >= self.slots.len() {
                self.hand = 0;
            }
            let Some(slot) = self.slots.get_mut(self.hand) else {
                return;
            };
            if slot.is_recent {
                slot.is_recent = false;
                self.hand += 1;
            } else {
                self.remove_at(self.hand);
                return;
            }
        }
    }

    fn remove_at(&mut self, place: usize) {
        let slot = self.slots.swap_remove(place);
        self.places.remove(&slot.key);
        self.bytes -= slot.what.len_bytes();
        if let Some(moved) = self.slots.get(place) {
            self.places.insert(moved.key, place);
        }
    }

    /// Forgets every block of a segment that is gone.
    pub(crate) fn remove_segment(&mut self, segment: SegmentId) {
        let mut place = 0;
        while let Some(slot) = self.slots.get(place) {
            if slot.key.0 == segment { self.remove_at(place) } else { place += 1 }
        }
    }

    /// Bytes held, hits and misses so far.
    pub(crate) const fn figures(&self) -> (usize, u64, u64) {
        (self.bytes, self.hits, self.misses)
    }
}

#[cfg(test)]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;

    fn block(bytes: usize) -> Cached {
        let mut builder = RunBuilder::default();
        builder.push(b"k", Some(&vec![0; bytes]));
        Cached::Block(builder.finish())
    }

    #[test]
    fn the_bound_holds_and_a_block_in_use_outlives_those_that_are_not() {
        let mut cache = BlockCache::new(10_000);
        let id = |n: u64| SegmentId::new(n, [0; 8]);
        for n in 0..100 {
            cache.insert(id(n), 0, block(1000));
            assert!(cache.bytes <= 10_000);
            assert!(cache.get(id(0), 0).is_some(), "block 0 is asked for all the time");
        }
        assert!(cache.get(id(99), 0).is_some());
        assert!(cache.get(id(50), 0).is_none());
        cache.insert_if_room(id(100), 0, block(1000));
        assert!(cache.get(id(100), 0).is_none(), "there is no room");
        cache.remove_segment(id(0));
        assert!(cache.get(id(0), 0).is_none() && cache.get(id(99), 0).is_some());
    }
}
