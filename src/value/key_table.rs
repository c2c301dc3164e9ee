//! Key tables: bytes to numbers, in the order in which the bytes first came.
//!
//! Not a map of values: whoever has the number keeps what belongs to it in a list.
//!
//! Invariant: a key keeps its number; numbers are dense from 0.

use xxhash_rust::xxh3::xxh3_64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Upper halves of the hashes: most of what differs differs here.
    marks: Vec<u32>,
    /// A number and 1, or 0; a power of two of them, at least twice as many as there are keys.
    slots: Vec<u32>,
}

impl KeyTable {
    /// The number of a key, and whether it is new. None beyond 2^31 keys.
    pub(crate) fn place(&mut self, key: &[u8]) -> Option<(usize, bool)> {
        if self.slots.len() < (self.ends.len() + 1) * 2 {
            self.grow();
        }
        let hash = xxh3_64(key);
        match self.find(key, hash) {
            Ok(place) => Some((place, false)),
            Err(slot) => {
                let place = self.ends.len();
                *self.slots.get_mut(slot)? = u32::try_from(place + 1).ok()?;
                self.bytes.extend_from_slice(key);
                self.ends.push(self.bytes.len());
                self.marks.push((hash >> 32) as u32);
                Some((place, true))
            }
        }
    }

    /// How many keys there are.
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes that it takes in memory.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len() + (size_of::<usize>() + 4) * self.ends.len() + 4 * self.slots.len()
    }

    /// The number of a key that is there.
    pub(crate) fn get(&self, key: &[u8]) -> Option<usize> {
        if self.slots.is_empty() { None } else { self.find(key, xxh3_64(key)).ok() }
    }

    /// The number of the key, or the slot for it.
    fn find(&self, key: &[u8], hash: u64) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let Some(place) = self.slots.get(slot).and_then(|place| place.checked_sub(1)) else { return Err(slot) };
            let place = place as usize;
            if self.marks.get(place) == Some(&((hash >> 32) as u32)) && self.key(place) == key {
                return Ok(place);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The key with this number.
    pub(crate) fn key(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(place).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(64);
        let mask = len - 1;
        let mut slots = vec![0_u32; len];
        for place in 0..self.ends.len() {
            let mut slot = xxh3_64(self.key(place)) as usize & mask;
            while slots.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(slot) {
                *slot = place as u32 + 1;
            }
        }
        self.slots = slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_number_they_came_with() {
        let mut table = KeyTable::default();
        let key = |number: usize| format!("{}", number * 7).into_bytes();
        for round in 0..2 {
            for number in 0..5000 {
                assert_eq!(table.place(&key(number)), Some((number, round == 0)));
            }
        }
        assert_eq!(table.get(b""), None);
        assert_eq!(table.get(&key(4999)), Some(4999));
        assert_eq!(table.place(b""), Some((5000, true)));
        assert_eq!(KeyTable::default().get(b"x"), None);
    }
}
