//! Chance from a seed: the same seed gives the same numbers for ever.
//!
//! Not for secrets, and not for any product build.
//!
//! Source: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).

use xxhash_rust::xxh3::xxh3_64;

/// A stream of numbers from a seed.
///
/// ```
/// use hyphadb::env::simulated::Random;
/// let mut dice = Random::new(7);
/// let first = dice.next_u64();
/// assert_eq!(Random::new(7).next_u64(), first);
/// assert_ne!(Random::new(7).derive("other").next_u64(), first);
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// Scrambles 64 bits: every bit of the input has a say in every bit of the output.
#[must_use]
pub(super) const fn scramble(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Random {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    /// Another stream, told by the label and the present state; this one does not move.
    #[must_use]
    pub fn derive(&self, label: &str) -> Self {
        Random::new(scramble(self.state ^ xxh3_64(label.as_bytes())))
    }

    /// 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.state)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// An index into something of this length; 0 when it is empty.
    pub const fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True in this many of a hundred cases.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; none when there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.index(choices.len()))
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next_u64().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
