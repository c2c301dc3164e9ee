//! Patterns: regular expressions as `pattern` has them, in time linear in the text.
//!
//! Not a regex library: nothing is captured, the one question is whether a text has a match somewhere. No crate, because
//! the syntax of the standard is ECMA-262's (with the `u` flag), which the crates' differs from, and because the smallest
//! of them is several times the size of this.
//!
//! All places of the program that a match may have reached move on together, a character at a time (Thompson, 1968): there
//! is no backtracking, and no text that takes longer than its length times the pattern's.

use crate::error::Result;
use crate::schema::parse_pattern;
use crate::schema::run::spend;

/// A pattern, compiled.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    instructions: Vec<Instruction>,
}

#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// A character of this class.
    Class(Class),
    /// On at both places.
    Split(usize, usize),
    Jump(usize),
    /// Before the first character.
    Start,
    /// Behind the last character.
    End,
    /// Whether here is the beginning or end of a word.
    WordEdge(bool),
    Match,
}

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    ascii: [u64; 2],
    /// Those beyond ASCII.
    ranges: Vec<(u32, u32)>,
}

impl Class {
    /// From ranges, both ends included.
    pub(super) fn new(ranges: &[(u32, u32)]) -> Class {
        let mut class = Class::default();
        for (low, high) in ranges {
            for code in *low..=(*high).min(127) {
                if let Some(word) = class.ascii.get_mut(code as usize / 64) {
                    *word |= 1 << (code % 64);
                }
            }
            if *high > 127 {
                class.ranges.push(((*low).max(128), *high));
            }
        }
        class
    }

    fn has(&self, char: char) -> bool {
        let code = u32::from(char);
        match self.ascii.get(code as usize / 64) {
            Some(word) => word & 1 << (code % 64) != 0,
            None => self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&code)),
        }
    }
}

/// Room for matching, kept from one text to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    here: Vec<usize>,
    next: Vec<usize>,
    /// For each instruction the position (from 1) at which it was reached last.
    reached: Vec<usize>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `invalid` where it is none, `unsupported` for what takes more than linear time, or tables; `limit` for its size.
    pub(super) fn parse(source: &str) -> Result<Pattern> {
        Ok(Pattern { source: source.to_owned(), instructions: parse_pattern::parse(source)? })
    }

    /// Whether there is a match somewhere in the text.
    ///
    /// # Errors
    /// `limit` where no steps are left.
    pub(super) fn matches(&self, text: &str, scratch: &mut Scratch, steps: &mut u32) -> Result<bool> {
        let Scratch { here, next, reached } = scratch;
        let is_anchored = matches!(self.instructions.first(), Some(Instruction::Start));
        here.clear();
        reached.clear();
        reached.resize(self.instructions.len(), 0);
        let mut before = None;
        let mut chars = text.chars();
        for position in 1.. {
            let after = chars.next();
            if position == 1 || !is_anchored {
                here.push(0);
            }
            while let Some(place) = here.pop() {
                match reached.get_mut(place) {
                    Some(last) if *last != position => *last = position,
                    _ => continue,
                }
                spend(steps, 1)?;
                match self.instructions.get(place) {
                    Some(Instruction::Class(class)) if after.is_some_and(|char| class.has(char)) => {
                        next.push(place + 1)
                    }
                    Some(Instruction::Split(one, other)) => here.extend([*one, *other]),
                    Some(Instruction::Jump(to)) => here.push(*to),
                    Some(Instruction::Start) if before.is_none() => here.push(place + 1),
                    Some(Instruction::End) if after.is_none() => here.push(place + 1),
                    Some(Instruction::WordEdge(is_edge)) if (is_word(before) != is_word(after)) == *is_edge => {
                        here.push(place + 1);
                    }
                    Some(Instruction::Match) => {
                        next.clear();
                        return Ok(true);
                    }
                    _ => {}
                }
            }
            core::mem::swap(here, next);
            if after.is_none() || (is_anchored && here.is_empty()) {
                break;
            }
            before = after;
        }
        Ok(false)
    }
}

fn is_word(char: Option<char>) -> bool {
    char.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::error::ErrorKind;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let pattern = Pattern::parse(pattern).unwrap();
        let mut scratch = Scratch::default();
        for (texts, expected) in [(matching, true), (others, false)] {
            for text in texts {
                let found = pattern.matches(text, &mut scratch, &mut 100_000).unwrap();
                assert_eq!(found, expected, "`{}` in {text:?}", pattern.source);
            }
        }
    }

    #[test]
    fn patterns_match_as_in_ecmascript() {
        check("a+", &["xxaayy"], &["", "b"]);
        check("^a*$", &["", "aaa"], &["ab", "b"]);
        check("^(?:ab|c){2,3}$", &["abc", "cc", "abcab"], &["c", "cccc", "abb"]);
        check("^x{2}y{1,}z{0,1}$", &["xxy", "xxyyz"], &["xy", "xxz", "xxyzz"]);
        check(r"^\d{4}-\d\d$", &["2026-11"], &["2026-1", "\u{0967}\u{0967}\u{0967}\u{0967}-11"]);
        check(r"^[^a-c\d]$", &["d", "\u{e9}"], &["a", "5", ""]);
        check(r"^[\w.-]+@[a-z]+$", &["a.b-c@d"], &["a b@c", "@d"]);
        check("^.$", &["\u{1f432}", "\u{e9}"], &["\n", "\u{2028}", "ab"]);
        check(r"^\s\S$", &["\u{feff}x", " x", "\u{b}x"], &["xx"]);
        check(r"\bab\b", &["x ab!", "ab"], &["cab", "ab_"]);
        check(r"a\Bb", &["ab"], &["a b"]);
        check(r"^\u{1F600}\uD83D\uDE00\x41\cA\0\/\-$", &["\u{1f600}\u{1f600}A\u{1}\0/-"], &[""]);
        check("^[^]$", &["\n"], &[""]);
        check("[]", &[], &["", "a"]);
        check("^(a*)*$", &["", "aa"], &["b"]);
        check("^(?<year>a|)b??$", &["", "a", "ab", "b"], &["c"]);
        check("^[\\]\\-a-c\\b]+$", &["]-b\u{8}"], &["d"]);
        check("^a|b$", &["ax", "xb"], &["xa", "bx"]);
    }

    #[test]
    fn what_is_not_linear_or_not_a_pattern_is_refused() {
        for (pattern, kind) in [
            (r"(a)\1", ErrorKind::Unsupported),
            ("(?=a)", ErrorKind::Unsupported),
            ("(?<!a)", ErrorKind::Unsupported),
            (r"\p{Letter}", ErrorKind::Unsupported),
            ("(a", ErrorKind::Invalid),
            ("a)", ErrorKind::Invalid),
            ("*a", ErrorKind::Invalid),
            ("a**", ErrorKind::Invalid),
            ("^*", ErrorKind::Invalid),
            ("a{2,1}", ErrorKind::Invalid),
            ("{", ErrorKind::Invalid),
            ("[b-a]", ErrorKind::Invalid),
            ("[a", ErrorKind::Invalid),
            (r"\Z", ErrorKind::Invalid),
            (r"\", ErrorKind::Invalid),
            (r"\u{110000}", ErrorKind::Invalid),
            ("(a{1000}){1000}", ErrorKind::Limit),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err().kind(), kind, "{pattern}");
        }
        assert_eq!(Pattern::parse(&"(".repeat(900)).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(Pattern::parse(&"a".repeat(5000)).unwrap_err().kind(), ErrorKind::Limit);
        assert!(Pattern::parse("(((){1000000000}){1000000000}){1000000000}").is_ok());
    }

    #[test]
    fn a_text_takes_no_more_steps_than_its_length_times_the_pattern() {
        let pattern = Pattern::parse("^(a+)+$").unwrap();
        let text = format!("{}!", "a".repeat(10_000));
        assert!(!pattern.matches(&text, &mut Scratch::default(), &mut 100_000).unwrap());
        let error = pattern.matches(&text, &mut Scratch::default(), &mut 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
}
