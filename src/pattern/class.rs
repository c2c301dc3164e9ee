//! Classes: sets of characters, as a pattern has them between brackets or behind a backslash.
//!
//! Not of Unicode's properties: their tables are larger than all of this.
//!
//! Invariants: an ASCII character is decided by one bit; where case means nothing, ASCII letters are the same as ASCII
//! letters only, as in ECMA-262 without the `u` flag.

use crate::sorted;

/// The largest code of a character.
pub(super) const CODE_MAX: u32 = 0x10_ffff;
/// A longer range of characters is asked in both cases, instead of being taken in in both.
const FOLDED_RANGE_MAX: u32 = 512;

pub(super) type Ranges = Vec<(u32, u32)>;

pub(super) const DIGITS: [(u32, u32); 1] = [(0x30, 0x39)];
pub(super) const WORD: [(u32, u32); 4] = [(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
pub(super) const SPACE: [(u32, u32); 10] = [
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
pub(super) const LINE_ENDS: [(u32, u32); 3] = [(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    ascii: [u64; 2],
    /// Those beyond ASCII; where the class is negated, those that it does not have.
    ranges: Ranges,
    is_negated: bool,
    ignores_case: bool,
}

impl Class {
    /// From ranges, both ends included.
    pub(super) fn new(ranges: &[(u32, u32)]) -> Class {
        let mut class = Class::default();
        for (low, high) in ranges {
            for code in *low..=(*high).min(127) {
                class.add_ascii(code);
            }
            if *high > 127 {
                class.ranges.push(((*low).max(128), *high));
            }
        }
        class
    }

    /// The character, where it has only one.
    pub(super) fn only(&self) -> Option<char> {
        let [low, high] = self.ascii;
        let ascii = u128::from(high) << 64 | u128::from(low);
        let code = match self.ranges.as_slice() {
            _ if self.is_negated => None,
            [] if ascii.is_power_of_two() => Some(ascii.trailing_zeros()),
            [(code, last)] if ascii == 0 && code == last && !self.ignores_case => Some(*code),
            _ => None,
        };
        code.and_then(char::from_u32)
    }

    /// The same whether letters are large or small.
    pub(super) fn ignoring_case(mut self) -> Class {
        for code in 0x41..=0x5a {
            if self.has_ascii(code) || self.has_ascii(code + 32) {
                self.add_ascii(code);
                self.add_ascii(code + 32);
            }
        }
        let mut folded = Vec::new();
        for (low, high) in self.ranges.iter().filter(|(low, high)| high - low < FOLDED_RANGE_MAX) {
            folded.extend(
                (*low..=*high).filter_map(char::from_u32).filter_map(upper).map(|char| (char.into(), char.into())),
            );
        }
        self.ranges.append(&mut folded);
        self.ignores_case = true;
        self
    }

    /// All characters that it does not have.
    pub(super) fn negated(mut self) -> Class {
        self.ascii = self.ascii.map(|word| !word);
        self.is_negated = !self.is_negated;
        self
    }

    pub(super) fn has(&self, char: char) -> bool {
        let code = u32::from(char);
        if code < 128 {
            return self.has_ascii(code);
        }
        let is_in = |code: u32| self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&code));
        let is_folded_in = || [upper(char), lower(char)].into_iter().flatten().any(|char| is_in(char.into()));
        (is_in(code) || (self.ignores_case && is_folded_in())) != self.is_negated
    }

    fn has_ascii(&self, code: u32) -> bool {
        self.ascii.get(code as usize / 64).is_some_and(|word| word & 1 << (code % 64) != 0)
    }

    fn add_ascii(&mut self, code: u32) {
        if let Some(word) = self.ascii.get_mut(code as usize / 64) {
            *word |= 1 << (code % 64);
        }
    }
}

/// The large letter, where it is another one, and one beyond ASCII.
fn upper(char: char) -> Option<char> {
    let mut letters = char.to_uppercase();
    let letter = letters.next().filter(|letter| *letter != char && !letter.is_ascii());
    if letters.next().is_none() { letter } else { None }
}

/// The small letter, where it is another one, and one beyond ASCII.
fn lower(char: char) -> Option<char> {
    let mut letters = char.to_lowercase();
    let letter = letters.next().filter(|letter| *letter != char && !letter.is_ascii());
    if letters.next().is_none() { letter } else { None }
}

pub(super) fn ends_line(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// All characters that are in none of the ranges.
pub(super) fn complement(ranges: &[(u32, u32)]) -> Ranges {
    let mut others = Ranges::new();
    let mut start = 0;
    for place in sorted::order(ranges.len(), &mut |left, right| ranges.get(left).cmp(&ranges.get(right))) {
        let Some((low, high)) = ranges.get(place) else { continue };
        if *low > start {
            others.push((start, low - 1));
        }
        start = start.max(high + 1);
    }
    if start <= CODE_MAX {
        others.push((start, CODE_MAX));
    }
    others
}
