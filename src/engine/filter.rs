//! A filter: says of a segment, without reading a block, that it does not hold a document.
//!
//! Not an index, and never the last word: "perhaps" is always a right answer, so a filter may be missing.
//!
//! Source of the form: the split block Bloom filter (Putze, Sanders, Singler 2007; Apache Parquet's specification): a
//! key sets one bit in each of the eight words of one block, so that a look touches one cache line. At 16 bits a key
//! about one answer in a thousand is a "perhaps" too many.
//!
//! Layout: blocks of eight u32, lowest byte first.
//!
//! Invariant: a key that was added is always found.

use super::format::SPACE_DOCUMENT;
use crate::planted::{Bug, planted};
use xxhash_rust::xxh3::xxh3_64;

const WORDS: usize = 8;
const BLOCK_BYTES: usize = WORDS * 4;
const KEYS_PER_BLOCK: usize = BLOCK_BYTES * 8 / BITS_PER_KEY;
const BITS_PER_KEY: usize = 16;
/// Odd constants of the specification: each gives another bit of its word.
const SALTS: [u32; WORDS] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// Whether keys of this kind are in filters at all: those that are looked up one by one.
pub(crate) fn is_filtered(key: &[u8]) -> bool {
    key.first() == Some(&SPACE_DOCUMENT)
}

/// See the module. The empty filter, of no blocks, says "perhaps" to every key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    bytes: Vec<u8>,
}

impl Filter {
    /// A filter without keys, with room for so many.
    pub(crate) fn with_room(keys: usize) -> Self {
        Filter { bytes: vec![0; keys.div_ceil(KEYS_PER_BLOCK) * BLOCK_BYTES] }
    }

    /// How many keys it has room for.
    pub(crate) const fn room(&self) -> usize {
        self.bytes.len() / BLOCK_BYTES * KEYS_PER_BLOCK
    }

    /// Adds a key with this hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let at = place(hash, self.bytes.len());
        let Some(block) = self.bytes.get_mut(at..at + BLOCK_BYTES) else { return };
        for (word, salt) in block.as_chunks_mut::<4>().0.iter_mut().zip(&SALTS) {
            *word = (u32::from_le_bytes(*word) | bit(hash, *salt)).to_le_bytes();
        }
    }

    /// Reads the stored form; what has no whole number of blocks is no filter.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.len().is_multiple_of(BLOCK_BYTES).then(|| Filter { bytes: bytes.to_vec() })
    }

    /// The stored form.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the segment may hold this key.
    #[cfg(test)]
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        self.bytes.is_empty() || !is_filtered(key) || self.may_hold_hashed(key, hash(key))
    }

    /// The same with the key's hash, for who looks into several.
    pub(crate) fn may_hold_hashed(&self, key: &[u8], hash: u64) -> bool {
        if self.bytes.is_empty() || !is_filtered(key) {
            return true;
        }
        let at = place(hash, self.bytes.len());
        let block = self.bytes.get(at..at + BLOCK_BYTES).unwrap_or_default();
        for (word, salt) in block.as_chunks::<4>().0.iter().zip(&SALTS) {
            if u32::from_le_bytes(*word) & bit(hash, *salt) == 0 {
                return false;
            }
        }
        true
    }
}

/// The hash of a key.
pub(crate) fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// Where the block of a hash begins.
fn place(hash: u64, len: usize) -> usize {
    let blocks = (len / BLOCK_BYTES) as u64;
    (((hash >> 32) * blocks) >> 32) as usize * BLOCK_BYTES
}

fn bit(hash: u64, salt: u32) -> u32 {
    1 << ((hash as u32).wrapping_mul(salt) >> 27)
}

/// Gathers the keys of a segment.
#[derive(Debug, Default)]
pub(crate) struct FilterBuilder {
    hashes: Vec<u64>,
}

impl FilterBuilder {
    /// Adds a key, if it is of the kind that filters are for.
    pub(crate) fn add(&mut self, key: &[u8]) {
        if is_filtered(key) && !(planted(Bug::FilterForgetsKeys) && self.hashes.len() % 4 == 3) {
            self.hashes.push(xxh3_64(key));
        }
    }

    /// The filter; empty where there was no such key.
    pub(crate) fn finish(self) -> Filter {
        let mut filter = Filter::with_room(self.hashes.len());
        self.hashes.into_iter().for_each(|hash| filter.add(hash));
        filter
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key(n: u32) -> Vec<u8> {
        [&[SPACE_DOCUMENT][..], &n.to_be_bytes()].concat()
    }

    #[test]
    fn every_added_key_is_found_and_few_others_are() {
        let mut builder = FilterBuilder::default();
        (0..10_000).for_each(|n| builder.add(&key(n)));
        let filter = builder.finish();
        assert_eq!(filter.as_bytes().len(), 20_000);
        let filter = Filter::parse(filter.as_bytes()).unwrap();
        assert!((0..10_000).all(|n| filter.may_hold(&key(n))));
        let wrong = (10_000..110_000).filter(|n| filter.may_hold(&key(*n))).count();
        assert!(wrong < 300, "{wrong} of 100,000 keys that are not there pass");
    }

    #[test]
    fn other_keys_and_the_empty_filter_always_pass() {
        let empty = FilterBuilder::default().finish();
        assert!(empty.as_bytes().is_empty() && empty.may_hold(&key(1)));
        let mut builder = FilterBuilder::default();
        builder.add(&key(1));
        let filter = builder.finish();
        assert!(filter.may_hold(b"\x20 an index entry") && filter.may_hold(b""));
        assert!(!filter.may_hold(&key(2)));
        assert_eq!(Filter::parse(&[0; 31]), None);
    }
}
