//! Strings of a column: all of them, or where they repeat, each kind once.
//!
//! Not a choice made once: a column begins with the thought that its strings repeat, and gives it up where they do not.

use super::{KIND_TEXTS, KIND_WORDS, put_lengths};
use crate::bytes::{is_same, put_varint};
use crate::error::{Error, Result};

/// Kinds of strings at most, so that a byte tells which.
pub(super) const WORDS_MAX: usize = 255;
/// Where so many strings came and none of them twice, none will.
const UNLIKE_MAX: usize = 32;
const SLOTS: usize = 512;

/// See the module.
#[derive(Debug)]
pub(super) struct Texts {
    text: Vec<u8>,
    /// Of each string in `text`, in UTF-16 units.
    lengths: Vec<u32>,
    words: Option<Words>,
}

/// The strings in `text` are words; here is which of them each row is.
#[derive(Debug)]
struct Words {
    rows: Vec<u8>,
    /// By hash: the word's number and 1, or 0.
    slots: Vec<u8>,
    /// Where each word ends in the text.
    ends: Vec<u32>,
}

impl Default for Texts {
    fn default() -> Self {
        let words = Words { rows: Vec::new(), slots: vec![0; SLOTS], ends: Vec::new() };
        Texts { text: Vec::new(), lengths: Vec::new(), words: Some(words) }
    }
}

impl Texts {
    /// Adds a string, given as its bytes: a word that came before need not be looked into again.
    ///
    /// # Errors
    /// `corrupt` where it is not UTF-8.
    pub(super) fn push(&mut self, text: &[u8]) -> Result<()> {
        let mut place = None;
        if let Some(words) = &mut self.words {
            match words.find(&self.text, text) {
                Ok(word) => {
                    words.rows.push(word);
                    return Ok(());
                }
                Err(slot) => place = Some(slot),
            }
        }
        let length = units(text)?;
        match (&mut self.words, place) {
            (Some(words), Some(slot)) if words.may_grow() => words.add(slot, self.text.len() + text.len()),
            (Some(_), _) => self.spell_out(),
            (None, _) => {}
        }
        self.text.extend_from_slice(text);
        self.lengths.push(length);
        Ok(())
    }

    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.words.as_ref().map_or(self.lengths.len(), |words| words.rows.len())
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// They do not repeat after all.
    fn spell_out(&mut self) {
        let Some(words) = self.words.take() else { return };
        if words.rows.len() == self.lengths.len() {
            // Each came once, and in this order.
            return;
        }
        let (text, lengths) = (core::mem::take(&mut self.text), core::mem::take(&mut self.lengths));
        for word in words.rows {
            self.text.extend_from_slice(words_text(&words.ends, &text, word));
            self.lengths.push(lengths.get(usize::from(word)).copied().unwrap_or_default());
        }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match &self.words {
            None => {
                out.push(KIND_TEXTS);
                put_lengths(out, &self.lengths);
            }
            Some(words) => {
                out.push(KIND_WORDS);
                put_varint(out, self.lengths.len() as u64);
                put_lengths(out, &self.lengths);
                out.extend_from_slice(&words.rows);
            }
        }
    }
}

fn words_text<'a>(ends: &[u32], text: &'a [u8], word: u8) -> &'a [u8] {
    let word = usize::from(word);
    let start = word.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize);
    let end = ends.get(word).map_or(start, |end| *end as usize);
    text.get(start..end).unwrap_or_default()
}

impl Words {
    /// The number of a word, or the slot where it belongs.
    fn find(&self, text: &[u8], wanted: &[u8]) -> core::result::Result<u8, usize> {
        let mut slot = hash(wanted);
        loop {
            slot %= SLOTS;
            match self.slots.get(slot).and_then(|word| word.checked_sub(1)) {
                None => return Err(slot),
                Some(word) if is_same(words_text(&self.ends, text, word), wanted) => return Ok(word),
                Some(_) => slot += 1,
            }
        }
    }

    fn may_grow(&self) -> bool {
        let words = self.ends.len();
        words < WORDS_MAX && !(words >= UNLIKE_MAX && words == self.rows.len())
    }

    fn add(&mut self, slot: usize, end: usize) {
        let word = self.ends.len() as u8;
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = word + 1;
        }
        self.ends.push(end as u32);
        self.rows.push(word);
    }
}

/// Multiplies in 8 bytes at a time; the upper bits are the best mixed.
fn hash(text: &[u8]) -> usize {
    let mix = |state: u64, word: u64| (state.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (chunks, rest) = text.as_chunks::<8>();
    let mut state = chunks.iter().fold(text.len() as u64, |state, chunk| mix(state, u64::from_le_bytes(*chunk)));
    let mut last = [0; 8];
    if let Some(place) = last.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    state = mix(state, u64::from_le_bytes(last));
    (state >> 48) as usize
}

/// The length of a string in JavaScript.
pub(super) fn units(text: &[u8]) -> Result<u32> {
    if text.is_ascii() {
        return Ok(text.len() as u32);
    }
    let text = core::str::from_utf8(text).map_err(|_| Error::corrupt("a string is not UTF-8"))?;
    Ok(text.encode_utf16().count() as u32)
}
