//! Words: a text as the words by which it is searched.
//!
//! Not a dictionary: words are not reduced to stems, none is left out as too common, and languages are not told apart. Not
//! all of UAX #29 either: there are no exceptions for what stands between letters, so that `it's` is two words.
//!
//! A word is a run of letters and digits. It is folded: small letters; of Latin, Greek and Cyrillic letters only the
//! letter itself, without its accents; full-width letters as plain ones. Marks that stand alone (an accent behind its
//! letter, vowel points, a joiner) are left out and do not end a word. Of scripts that put no spaces between words (Han,
//! kana, Thai, Lao, Khmer, Burmese) each letter is a word by itself, and says that it stands right behind the one before.
//!
//! Invariants: a word has no byte below `0`; two ways to write one text (composed, decomposed) give the same words.

use core::ops::RangeInclusive;

/// Letters that are kept of one word; the rest is as if it were not there.
pub const WORD_LETTERS_MAX: usize = 64;

/// How a word stands to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Something lies between them.
    Apart,
    /// Nothing does: one of the two is of a script without spaces.
    Behind,
}

/// Letters without accents, for U+00E0 on; a point where it stays as it is.
const LATIN: &[u8] =
    b"aaaaaa.ceeeeiiiidnooooo.ouuuuy.y.a.a.a.c.c.c.c.d.d.e.e.e.e.e.g.g.g.g.h.h.i.i.i.i.i...j.k..l.l.l.l.l.n.n.\
nn...o.o.o...r.r.r.s.s.s.s.t.t.t.u.u.u.u.u.u.w.y..z.z.zsb.................f..............o..............u.....z.......\
................a.i.o.u.u.u.u.u..a.a.....g.k.o.o..j....g...n.a.....a.a.e.e.i.i.o.o.r.r.u.u.s.t...h.......a.e.o.o.o.o.y\
...................e.j...r.y";
/// The same for U+1E00 on.
const LATIN_MORE: &[u8] =
    b".a.b.b.b.c.d.d.d.d.d.e.e.e.e.e.f.g.h.h.h.h.h.i.i.k.k.k.l.l.l.l.m.m.m.n.n.n.n.o.o.o.o.p.p.r.r.r.r\
.s.s.s.s.s.t.t.t.t.u.u.u.u.u.v.v.w.w.w.w.w.x.x.y.z.z.zhtwy.......a.a.a.a.a.a.a.a.a.a.a.a.e.e.e.e.e.e.e.e.i.i.o.o.o.o.o\
.o.o.o.o.o.o.o.u.u.u.u.u.u.u.y.y.y.y......";

/// Marks that are left out: accents, points, tones, joiners, variation selectors; of Indic scripts see [`is_mark`].
const MARKS: [RangeInclusive<u32>; 21] = [
    0xad..=0xad,
    0x300..=0x36f,
    0x483..=0x487,
    0x591..=0x5bd,
    0x5bf..=0x5bf,
    0x5c1..=0x5c2,
    0x5c4..=0x5c7,
    0x610..=0x61a,
    0x640..=0x640,
    0x64b..=0x65f,
    0x670..=0x670,
    0x6d6..=0x6dc,
    0x6df..=0x6ed,
    0xe47..=0xe4e,
    0xec8..=0xece,
    0x1ab0..=0x1aff,
    0x1dc0..=0x1dff,
    0x200c..=0x200d,
    0x20d0..=0x20ff,
    0xfe00..=0xfe2f,
    0xfeff..=0xfeff,
];

/// Scripts that put no spaces between words.
const UNSPACED: [RangeInclusive<u32>; 9] = [
    0xe00..=0xeff,
    0x1000..=0x109f,
    0x1780..=0x17ff,
    0x3005..=0x3007,
    0x3040..=0x31ff,
    0x3400..=0x9fff,
    0xf900..=0xfaff,
    0xff66..=0xff9f,
    0x20000..=0x3ffff,
];

/// Gives each word of the text, in order.
pub fn each(text: &str, found: &mut dyn FnMut(&str, Joint)) {
    let mut cutter = Cutter { word: String::new(), letters: 0, joint: Joint::Apart, found };
    for char in text.chars() {
        if char.is_ascii_alphanumeric() {
            cutter.letter(char);
        } else if char.is_ascii() {
            cutter.gap();
        } else if is_mark(char) {
            // As if it were not there.
        } else if !char.is_alphanumeric() {
            cutter.gap();
        } else if unspaced(char).is_some() {
            cutter.end();
            cutter.letter(char);
            cutter.end();
        } else {
            cutter.letter(char);
        }
    }
    cutter.end();
}

/// The last letter of its script, where a letter is a word by itself.
#[must_use]
pub fn unspaced(char: char) -> Option<char> {
    let code = u32::from(char);
    let script = UNSPACED.iter().find(|script| code >= 0xe00 && script.contains(&code))?;
    char::from_u32(*script.end())
}

struct Cutter<'a> {
    word: String,
    letters: usize,
    joint: Joint,
    found: &'a mut dyn FnMut(&str, Joint),
}

impl Cutter<'_> {
    fn letter(&mut self, char: char) {
        self.letters += 1;
        if self.letters > WORD_LETTERS_MAX {
            return;
        }
        if char.is_ascii() {
            return self.word.push(char.to_ascii_lowercase());
        }
        for small in char.to_lowercase() {
            if !is_mark(small) {
                push_folded(small, &mut self.word);
            }
        }
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            (self.found)(&self.word, self.joint);
            self.joint = Joint::Behind;
        }
        self.word.clear();
        self.letters = 0;
    }

    fn gap(&mut self) {
        self.end();
        self.joint = Joint::Apart;
    }
}

fn is_mark(char: char) -> bool {
    let code = u32::from(char);
    // In each block of these scripts the sign that takes a vowel away, and the dot below, have the same place.
    let is_indic = (0x900..0xe00).contains(&code) && matches!(code & 0x7f, 0x3c | 0x4d);
    is_indic || MARKS.iter().any(|marks| marks.contains(&code))
}

/// Appends a small letter without what is put on it.
fn push_folded(small: char, word: &mut String) {
    let code = u32::from(small);
    let plain = |table: &[u8], first: u32| {
        let plain = table.get((code - first) as usize).copied().unwrap_or(b'.');
        if plain == b'.' { small } else { char::from(plain) }
    };
    let folded = match code {
        0xdf => return word.push_str("ss"),
        0xe6 => return word.push_str("ae"),
        0xfe => return word.push_str("th"),
        0x133 => return word.push_str("ij"),
        0x153 => return word.push_str("oe"),
        0xe0..0x250 => plain(LATIN, 0xe0),
        0x1e00..0x1f00 => plain(LATIN_MORE, 0x1e00),
        0x370..0x400 | 0x1f00..0x2000 => greek(code),
        0x400..0x530 => cyrillic(code),
        // Full-width forms.
        0xff10..=0xff19 | 0xff41..=0xff5a => char::from_u32(code - 0xfee0).unwrap_or(small),
        _ => small,
    };
    word.push(folded);
}

fn greek(code: u32) -> char {
    let folded = match code {
        0x3ac | 0x1f00..=0x1f0f | 0x1f70..=0x1f71 | 0x1f80..=0x1f8f | 0x1fb0..=0x1fbd => 0x3b1,
        0x3ad | 0x1f10..=0x1f1f | 0x1f72..=0x1f73 => 0x3b5,
        0x3ae | 0x1f20..=0x1f2f | 0x1f74..=0x1f75 | 0x1f90..=0x1f9f | 0x1fc2..=0x1fc7 => 0x3b7,
        0x390 | 0x3af | 0x3ca | 0x1f30..=0x1f3f | 0x1f76..=0x1f77 | 0x1fbe | 0x1fd0..=0x1fd7 => 0x3b9,
        0x3cc | 0x1f40..=0x1f4f | 0x1f78..=0x1f79 => 0x3bf,
        0x3b0 | 0x3cb | 0x3cd | 0x1f50..=0x1f5f | 0x1f7a..=0x1f7b | 0x1fe0..=0x1fe3 | 0x1fe6..=0x1fe7 => 0x3c5,
        0x3ce | 0x1f60..=0x1f6f | 0x1f7c..=0x1f7d | 0x1fa0..=0x1faf | 0x1ff2..=0x1ff7 => 0x3c9,
        0x1fe4..=0x1fe5 => 0x3c1,
        // The sigma at the end of a word.
        0x3c2 => 0x3c3,
        code => code,
    };
    char::from_u32(folded).unwrap_or_default()
}

fn cyrillic(code: u32) -> char {
    let folded = match code {
        0x4d1 | 0x4d3 => 0x430,
        0x453 => 0x433,
        0x450 | 0x451 | 0x4d7 => 0x435,
        0x4c2 | 0x4dd => 0x436,
        0x4df => 0x437,
        0x439 | 0x45d | 0x4e3 | 0x4e5 => 0x438,
        0x45c => 0x43a,
        0x4e7 => 0x43e,
        0x45e | 0x4ef | 0x4f1 | 0x4f3 => 0x443,
        0x4f5 => 0x447,
        0x4f9 => 0x44b,
        0x4ed => 0x44d,
        0x457 => 0x456,
        0x477 => 0x475,
        0x4db => 0x4d9,
        0x4eb => 0x4e9,
        code => code,
    };
    char::from_u32(folded).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words; `+` before one that stands right behind another.
    fn words(text: &str) -> String {
        let mut all = Vec::new();
        each(text, &mut |word, joint| {
            all.push(format!("{}{word}", if joint == Joint::Behind { "+" } else { "" }));
        });
        all.join(" ")
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_in_small_letters() {
        assert_eq!(words("The QUICK, (brown) fox-trot: 24x7!"), "the quick brown fox trot 24x7");
        assert_eq!(words("it's 3.14 a_b"), "it s 3 14 a b");
        assert_eq!(words(" \t.-"), "");
    }

    #[test]
    fn accents_are_left_out_however_they_are_written() {
        assert_eq!(words("Cr\u{e8}me Br\u{fb}l\u{e9}e \u{141}\u{f3}d\u{17a} na\u{ef}ve"), "creme brulee lodz naive");
        assert_eq!(words("Cre\u{300}me Vi\u{1ec7}t Vie\u{302}\u{323}t"), "creme viet viet");
        assert_eq!(words("Stra\u{df}e STRASSE \u{153}uvre \u{c6}on"), "strasse strasse oeuvre aeon");
        assert_eq!(words("\u{130}stanbul \u{131}rmak soft\u{ad}ware"), "istanbul irmak software");
        assert_eq!(
            words("\u{39f}\u{3b4}\u{3cc}\u{3c2} \u{39f}\u{394}\u{39f}\u{3a3}"),
            "\u{3bf}\u{3b4}\u{3bf}\u{3c3} \u{3bf}\u{3b4}\u{3bf}\u{3c3}"
        );
        assert_eq!(
            words("\u{401}\u{43b}\u{43a}\u{430} \u{439} \u{438}\u{306}"),
            "\u{435}\u{43b}\u{43a}\u{430} \u{438} \u{438}"
        );
        assert_eq!(words("\u{ff21}\u{ff42}\u{ff19}"), "ab9");
    }

    #[test]
    fn letters_of_scripts_without_spaces_stand_alone() {
        assert_eq!(words("\u{6771}\u{4eac} tower"), "\u{6771} +\u{4eac} tower");
        assert_eq!(words("iPhone\u{624b}\u{673a}\u{3002}\u{624b}"), "iphone +\u{624b} +\u{673a} \u{624b}");
        assert_eq!(words("\u{30c6}\u{30b9}\u{30c8}\u{30fb}a"), "\u{30c6} +\u{30b9} +\u{30c8} a");
        assert_eq!(words("\u{0e01}\u{0e34}\u{0e48}\u{0e07}"), "\u{0e01} +\u{0e34} +\u{0e07}");
        assert_eq!(
            words("\u{d55c}\u{ad6d} \u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}"),
            "\u{d55c}\u{ad6d} \u{928}\u{92e}\u{938}\u{924}\u{947}"
        );
    }

    #[test]
    fn a_long_word_is_its_beginning() {
        let long = "x".repeat(WORD_LETTERS_MAX);
        assert_eq!(words(&format!("{long}yz b")), format!("{long} b"));
    }

    #[test]
    fn no_word_has_a_byte_that_ends_a_key() {
        for code in 0..=u32::from(char::MAX) {
            let Some(char) = char::from_u32(code) else { continue };
            each(char.encode_utf8(&mut [0; 4]), &mut |word, _| {
                assert!(!word.is_empty() && word.bytes().all(|byte| byte >= b'0'), "{code:x}");
                assert_eq!(words(word).replace(['+', ' '], ""), word, "{code:x}");
            });
        }
    }

    #[test]
    fn tables_have_a_letter_for_each_of_their_range() {
        assert_eq!((LATIN.len(), LATIN_MORE.len()), (0x250 - 0xe0, 0x100));
    }
}
