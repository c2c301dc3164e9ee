//! Typos: the words that are one away from a word: a letter left out, put in, taken for another, or two exchanged.
//!
//! Not a dictionary: which words there are is for whoever has them to say.
//!
//! Invariant: what [`fixed`] gives, and what [`slots`] give with any letter, are all such words.

use core::ops::Range;

/// A place where a letter may be another, or one more.
#[derive(Debug)]
pub struct Slot<'a> {
    /// What stands before.
    pub front: &'a str,
    /// What stands behind, where the letter is another; none at the end.
    pub other: Option<&'a str>,
    /// What stands behind, where there is one more.
    pub more: &'a str,
}

fn part(word: &str, range: Range<usize>) -> &str {
    word.get(range).unwrap_or_default()
}

/// Where each letter begins, and where the last one ends.
fn starts(word: &str) -> Vec<usize> {
    word.char_indices().map(|(start, _)| start).chain([word.len()]).collect()
}

/// The words with a letter less, and those with two neighbours exchanged.
#[must_use]
pub fn fixed(word: &str) -> Vec<String> {
    let starts = starts(word);
    let mut fixed = Vec::new();
    for letter in starts.windows(2) {
        let [start, end] = letter else { continue };
        fixed.push([part(word, 0..*start), part(word, *end..word.len())].concat());
    }
    for letters in starts.windows(3) {
        let [start, middle, end] = letters else { continue };
        let (one, other) = (part(word, *start..*middle), part(word, *middle..*end));
        fixed.push([part(word, 0..*start), other, one, part(word, *end..word.len())].concat());
    }
    fixed
}

/// Every place of the word, the one behind it included.
#[must_use]
pub fn slots(word: &str) -> Vec<Slot<'_>> {
    let starts = starts(word);
    let slot = |(place, start): (usize, &usize)| Slot {
        front: part(word, 0..*start),
        other: starts.get(place + 1).map(|next| part(word, *next..word.len())),
        more: part(word, *start..word.len()),
    };
    starts.iter().enumerate().map(slot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_all_its_neighbours() {
        assert_eq!(fixed("ab\u{e7}"), ["b\u{e7}", "a\u{e7}", "ab", "ba\u{e7}", "a\u{e7}b"]);
        let slots = slots("ab\u{e7}");
        let text: Vec<String> = slots
            .iter()
            .map(|slot| format!("{}?{} {}?{}", slot.front, slot.other.unwrap_or("-"), slot.front, slot.more))
            .collect();
        assert_eq!(text, ["?b\u{e7} ?ab\u{e7}", "a?\u{e7} a?b\u{e7}", "ab? ab?\u{e7}", "ab\u{e7}?- ab\u{e7}?"]);
    }
}
