//! Typos: the words that are one away from a word: a letter left out, put in, taken for another, or two exchanged.
//!
//! Not a dictionary: which words there are is for whoever has them to say.
//!
//! Invariant: what [`fixed`] gives, and what [`Slot::filled`] gives with any letter, are such words, or the word itself.

/// A place where a letter may be another, or one more.
#[derive(Debug)]
pub struct Slot<'a> {
    /// What stands before.
    pub front: &'a str,
    /// What stands behind where the letter is another, and where there is one more.
    behind: [&'a str; 2],
}

impl Slot<'_> {
    /// The words with this letter there. At the end of the word they are one.
    #[must_use]
    pub fn filled(&self, letter: char) -> [String; 2] {
        self.behind.map(|behind| joined([self.front, letter.encode_utf8(&mut [0; 4]), behind, ""]))
    }
}

fn joined(parts: [&str; 4]) -> String {
    let mut joined = String::new();
    for part in parts {
        joined.push_str(part);
    }
    joined
}

/// What stands before the letter that begins there, the letter, and what stands behind.
fn apart(word: &str, start: usize) -> (&str, &str, &str) {
    let (front, rest) = word.split_at_checked(start).unwrap_or((word, ""));
    let letter = rest.chars().next().map_or(0, char::len_utf8);
    let (letter, behind) = rest.split_at_checked(letter).unwrap_or((rest, ""));
    (front, letter, behind)
}

/// The words with a letter less, and those with two neighbours exchanged.
#[must_use]
pub fn fixed(word: &str) -> Vec<String> {
    let mut fixed = Vec::new();
    for (start, _) in word.char_indices() {
        let (front, letter, behind) = apart(word, start);
        let (_, next, rest) = apart(behind, 0);
        fixed.push(joined([front, behind, "", ""]));
        fixed.push(joined([front, next, letter, rest]));
    }
    fixed
}

/// Every place of the word, the one behind it included.
#[must_use]
pub fn slots(word: &str) -> Vec<Slot<'_>> {
    let mut slots = Vec::new();
    for start in 0..=word.len() {
        if word.is_char_boundary(start) {
            let (front, letter, behind) = apart(word, start);
            let whole = word.get(start..).unwrap_or_default();
            slots.push(Slot { front, behind: [if letter.is_empty() { whole } else { behind }, whole] });
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_all_its_neighbours() {
        assert_eq!(fixed("ab\u{e7}"), ["b\u{e7}", "ba\u{e7}", "a\u{e7}", "a\u{e7}b", "ab", "ab\u{e7}"]);
        let filled: Vec<String> = slots("ab\u{e7}").iter().flat_map(|slot| slot.filled('?')).collect();
        let expected = ["?b\u{e7}", "?ab\u{e7}", "a?\u{e7}", "a?b\u{e7}", "ab?", "ab?\u{e7}", "ab\u{e7}?", "ab\u{e7}?"];
        assert_eq!(filled, expected);
    }
}
