//! Checked reading and writing of little byte layouts: varints and length-prefixed slices.
//!
//! Not a serialisation framework: records with fields go through postcard. Stored bytes may be damaged or hostile, so
//! every read is checked and nothing is allocated here.
//!
//! Source of the integer form: unsigned LEB128, as in WebAssembly and Protocol Buffers.

use core::cmp::Ordering;

/// Appends an unsigned LEB128 integer: 7 bits a byte, lowest first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`put_varint`] appends for this value.
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Appends a length and the bytes.
pub fn put_slice(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Whether both are the same. Eight bytes at a time: what WebAssembly has for this takes them one by one.
#[must_use]
pub fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() || !left.as_chunks::<8>().0.iter().eq(right.as_chunks::<8>().0) {
        return false;
    }
    match (left.last_chunk::<8>(), right.last_chunk::<8>()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

/// How they sort. Eight bytes at a time, as [`is_same`].
#[must_use]
pub fn order(left: &[u8], right: &[u8]) -> Ordering {
    let (words, others) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    for (word, other) in words.iter().zip(others) {
        let (word, other) = (u64::from_be_bytes(*word), u64::from_be_bytes(*other));
        if word != other {
            return word.cmp(&other);
        }
    }
    let at = 8 * words.len().min(others.len());
    left.get(at..).cmp(&right.get(at..))
}

/// Reads front to back; every method answers `None` where the bytes end early or are malformed.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// What was not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// The next `len` bytes, to be read by themselves.
    pub fn part(&mut self, len: usize) -> Option<Reader<'a>> {
        self.take(len).map(Reader::new)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    /// A 32-bit integer, lowest byte first.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A 64-bit integer, lowest byte first.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// An unsigned LEB128 integer of at most 10 bytes.
    pub fn varint(&mut self) -> Option<u64> {
        if let Some((byte @ 0..0x80, rest)) = self.rest.split_first() {
            self.rest = rest;
            return Some(u64::from(*byte));
        }
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A length and that many bytes.
    pub fn slice(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.varint()?).ok()?;
        self.take(len)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn varints_of_every_length_read_back() {
        for value in (0..64).flat_map(|bit| [1u64 << bit, (1u64 << bit) - 1]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.varint(), Some(value));
            assert!(reader.is_empty());
            bytes.pop();
            assert_eq!(Reader::new(&bytes).varint(), None);
        }
    }

    #[test]
    fn bytes_are_alike_and_sort_as_slices_do() {
        let mut all: Vec<Vec<u8>> = (0..40).map(|len| vec![7; len]).collect();
        for len in 1..20 {
            for at in 0..len {
                for byte in [0, 6, 8, 0x80, 0xff] {
                    let mut bytes = vec![7; len];
                    *bytes.get_mut(at).unwrap() = byte;
                    all.push(bytes);
                }
            }
        }
        for left in &all {
            for right in &all {
                assert_eq!(is_same(left, right), left == right, "{left:?} {right:?}");
                assert_eq!(order(left, right), left.cmp(right), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn a_varint_that_does_not_fit_is_refused() {
        assert_eq!(Reader::new(&[0xff; 11]).varint(), None);
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).varint(), None);
    }

    #[test]
    fn a_slice_longer_than_the_rest_is_refused() {
        let mut bytes = Vec::new();
        put_slice(&mut bytes, b"abc");
        assert_eq!(Reader::new(&bytes).slice(), Some(&b"abc"[..]));
        assert_eq!(Reader::new(bytes.get(..3).unwrap()).slice(), None);
    }
}
