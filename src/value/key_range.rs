//! Ranges of keys, and which way they are read.
//!
//! Not aware of what keys mean: to the engine, to indexes and to plans a key is bytes, compared byte by byte.

/// Which way a range is read, or documents are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// Least first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// A range of keys: from `start` (included) to `end` (excluded, or no end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Vec<u8>,
    /// Behind the last key; none means no end.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub const fn all() -> KeyRange {
        KeyRange { start: Vec::new(), end: None }
    }

    /// Every key that begins with these bytes.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> KeyRange {
        KeyRange { start: prefix.to_vec(), end: successor(prefix) }
    }

    /// The same range of keys that all have `prefix` put in front.
    #[must_use]
    pub fn within(&self, prefix: &[u8]) -> KeyRange {
        KeyRange {
            start: [prefix, &self.start].concat(),
            end: match &self.end {
                Some(end) => Some([prefix, end].concat()),
                None => successor(prefix),
            },
        }
    }

    /// Whether the key lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        *key >= *self.start && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// Whether no key can lie in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// The first key above all that begin with these bytes; none where there is no such key.
#[must_use]
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut successor = prefix.get(..=last)?.to_vec();
    if let Some(byte) = successor.last_mut() {
        *byte += 1;
    }
    Some(successor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_of_a_prefix_is_behind_all_that_begin_with_it() {
        assert_eq!(successor(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(successor(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(successor(b"\xff"), None);
        assert_eq!(successor(b""), None);
        assert!(KeyRange { start: b"b".to_vec(), end: Some(b"a".to_vec()) }.is_empty());
    }
}
