//! Postings: what the entry of a word says of its document.
//!
//! Not the key: that is the word and the document's primary key (`engine/text.rs`).
//!
//! # The form
//!
//! `varint length`, the words of the document, each as often as its field weighs; then for each field of the index
//! `varint count`, which is left out of the last field, and the places of the word there: the first, then how far each
//! lies behind the one before, as varints.

use crate::bytes::{Reader, put_varint};
use crate::error::{Error, Result};

/// Where a word stands: which field of the index, and the how manieth word there. In that order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The field's place in the index.
    pub field: u32,
    /// Behind the end of a text one number is left out, so that no phrase goes on in the next.
    pub word: u32,
}

/// Appends a posting; the places are in order.
pub fn push(out: &mut Vec<u8>, length: u64, fields: usize, places: &mut dyn ExactSizeIterator<Item = Place>) {
    put_varint(out, length);
    let mut next = places.next();
    for field in 0..fields {
        let mut here = Vec::new();
        let (mut count, mut before) = (0, 0);
        while let Some(place) = next.filter(|place| place.field as usize == field) {
            put_varint(&mut here, u64::from(place.word - before));
            before = place.word;
            count += 1;
            next = places.next();
        }
        if field + 1 < fields {
            put_varint(out, count);
        }
        out.extend_from_slice(&here);
    }
}

/// The length of a document.
///
/// # Errors
/// `corrupt` where it is none.
pub fn length(posting: &[u8]) -> Result<u64> {
    Reader::new(posting).varint().ok_or_else(damaged)
}

/// Gives each place, in order. Answers the length of the document.
///
/// # Errors
/// `corrupt` where it is no posting of an index with so many fields.
pub fn read(posting: &[u8], fields: usize, place: &mut dyn FnMut(Place)) -> Result<u64> {
    let mut reader = Reader::new(posting);
    let length = reader.varint().ok_or_else(damaged)?;
    for field in 0..fields {
        let is_last = field + 1 == fields;
        let mut left = if is_last { u64::MAX } else { reader.varint().ok_or_else(damaged)? };
        let mut word = 0_u32;
        while left > 0 && !(is_last && reader.is_empty()) {
            let further = reader.varint().and_then(|further| u32::try_from(further).ok());
            word = further.and_then(|further| word.checked_add(further)).ok_or_else(damaged)?;
            place(Place { field: field as u32, word });
            left -= 1;
        }
    }
    if reader.is_empty() { Ok(length) } else { Err(damaged()) }
}

fn damaged() -> Error {
    Error::corrupt("an entry of a text index is damaged")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(mut places in prop::collection::btree_set((0_u32..3, 0_u32..5000), 0..40), len in any::<u64>(), more in 0_usize..3) {
            let places: Vec<Place> = core::mem::take(&mut places).into_iter().map(|(field, word)| Place { field, word }).collect();
            let mut posting = Vec::new();
            push(&mut posting, len, 3 + more, &mut places.iter().copied());
            let mut back = Vec::new();
            prop_assert_eq!(read(&posting, 3 + more, &mut |place| back.push(place)).unwrap(), len);
            prop_assert_eq!(length(&posting).unwrap(), len);
            prop_assert_eq!(back, places);
        }

        #[test]
        fn bytes_that_nobody_wrote_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..40), fields in 1_usize..4) {
            let _ = read(&bytes, fields, &mut |_| {});
        }
    }
}
