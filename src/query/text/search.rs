//! Searches: what `$text` is given, read into clauses.
//!
//! Not lenient: an option that is not known is refused, and so is a search without a word.
//!
//! Invariants: clauses are of folded words (`words.rs`); one of them at least is not an exclusion.

use crate::error::{Error, Result};
use crate::limits::SEARCH_WORDS_MAX;
use crate::part::Part;
use crate::value::{Object, Value};
use crate::words::{self, Joint};

const OPTIONS_HINT: &str = "`$text` has $search, and $all and $fuzzy, which are true or false";
/// A word of fewer letters is looked for as it is: too many others are near it.
const NEAR_LETTERS_MIN: usize = 4;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    clauses: Vec<Clause>,
    text: String,
}

/// Words that occur behind each other; most often one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Never empty.
    pub words: Vec<String>,
    /// What counts as the word. Several words are exact.
    pub near: Near,
    /// What it means for a document.
    pub role: Role,
}

/// What counts as a word that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// The word itself.
    Exact,
    /// Every word that begins with it.
    Prefix,
    /// Also those that are one typo away.
    Typo,
}

/// What a clause means for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of those like it has to occur, unless others must.
    Any,
    /// It has to occur.
    Must,
    /// It must not.
    Not,
}

/// A word or phrase that is being read.
struct Reader<'a> {
    clauses: Vec<Clause>,
    words: usize,
    /// For words outside of phrases.
    options: &'a Options,
}

struct Options {
    role: Role,
    near: Near,
}

impl Search {
    /// Reads what stands behind `$text`.
    ///
    /// # Errors
    /// `invalid` for anything but an object with `$search`, for options that are not known and a search without a word;
    /// `limit` for too many words; `unsupported` in a build without text search.
    pub fn parse(operand: &Value) -> Result<Search> {
        Part::Text.needed()?;
        let Value::Object(object) = operand else {
            let error = Error::invalid(format!("it takes an object, not {}", operand.type_name()));
            return Err(error.with_hint("e.g. `{ $text: { $search: 'coffee' } }`"));
        };
        let (text, options) = read(object)?;
        let mut reader = Reader { clauses: Vec::new(), words: 0, options: &options };
        reader.read(text)?;
        if reader.clauses.iter().all(|clause| clause.role == Role::Not) {
            let error = Error::invalid(format!("`$search` is `{text}`, which has no word to look for"));
            return Err(error.with_hint("a word is made of letters and digits; those behind a `-` are left out"));
        }
        Ok(Search { clauses: reader.clauses, text: text.to_owned() })
    }

    /// The clauses, in the order in which they were given.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// What is looked for, as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn read(object: &Object) -> Result<(&str, Options)> {
    let mut text = None;
    let mut options = Options { role: Role::Any, near: Near::Exact };
    for (name, value) in object.iter() {
        match (&**name, value) {
            ("$search", Value::String(search)) => text = Some(search.as_str()),
            ("$all", Value::Bool(all)) => options.role = if *all { Role::Must } else { Role::Any },
            ("$fuzzy", Value::Bool(fuzzy)) => options.near = if *fuzzy { Near::Typo } else { Near::Exact },
            ("$search" | "$all" | "$fuzzy", value) => {
                let error = Error::invalid(format!("`{name}` cannot be {}", value.type_name()));
                return Err(error.with_hint(OPTIONS_HINT));
            }
            (name, _) => {
                return Err(Error::invalid(format!("option `{name}` is not known")).with_hint(OPTIONS_HINT));
            }
        }
    }
    let text = text.ok_or_else(|| Error::invalid("`$search` is missing").with_hint(OPTIONS_HINT))?;
    Ok((text, options))
}

/// Keyboards of phones set the curved ones.
const fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

impl Reader<'_> {
    fn read(&mut self, text: &str) -> Result<()> {
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let behind = rest.strip_prefix('-');
            rest = behind.unwrap_or(rest);
            let role = if behind.is_some() { Role::Not } else { self.options.role };
            if rest.starts_with(is_quote) {
                let mut parts = rest.splitn(3, is_quote);
                let phrase = parts.nth(1).unwrap_or_default();
                rest = parts.next().unwrap_or_default();
                self.phrase(phrase, if role == Role::Not { Role::Not } else { Role::Must })?;
            } else {
                let end = rest.find(|char: char| char.is_whitespace() || is_quote(char)).unwrap_or(rest.len());
                let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
                rest = behind;
                if role == Role::Not { self.phrase(piece, role)? } else { self.piece(piece, role)? }
            }
            rest = rest.trim_start();
        }
        Ok(())
    }

    /// Words that have to stand behind each other.
    fn phrase(&mut self, text: &str, role: Role) -> Result<()> {
        let mut phrase = Vec::new();
        words::each(text, &mut |word, _| phrase.push(word.to_owned()));
        let near =
            if role == Role::Not && phrase.len() == 1 && text.ends_with('*') { Near::Prefix } else { Near::Exact };
        self.add(phrase, near, role)
    }

    /// What stands between spaces: words by themselves, but that letters of scripts without spaces belong together.
    fn piece(&mut self, piece: &str, role: Role) -> Result<()> {
        let mut runs: Vec<Vec<String>> = Vec::new();
        words::each(piece, &mut |word, joint| match runs.last_mut().filter(|_| joint == Joint::Behind) {
            Some(run) => run.push(word.to_owned()),
            None => runs.push(vec![word.to_owned()]),
        });
        let count = runs.len();
        for (place, run) in runs.into_iter().enumerate() {
            let letters = run.first().map_or(0, |word| word.chars().count());
            let near = match self.options.near {
                _ if run.len() > 1 => Near::Exact,
                _ if place + 1 == count && piece.ends_with('*') => Near::Prefix,
                Near::Typo if letters < NEAR_LETTERS_MIN => Near::Exact,
                near => near,
            };
            self.add(run, near, role)?;
        }
        Ok(())
    }

    fn add(&mut self, words: Vec<String>, near: Near, role: Role) -> Result<()> {
        self.words += words.len();
        if self.words > SEARCH_WORDS_MAX {
            return Err(Error::limit(format!("`$search` has more than {SEARCH_WORDS_MAX} words")));
        }
        let clause = Clause { words, near, role };
        if !clause.words.is_empty() && !self.clauses.contains(&clause) {
            self.clauses.push(clause);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Clauses as text: `+` must, `-` must not, `*` by prefix, `~` with typos.
    fn read(search: &str, options: &[(&str, bool)]) -> String {
        let mut object = Object::from([("$search", search.into())]);
        options.iter().for_each(|(name, value)| object.set(*name, (*value).into()));
        let search = match Search::parse(&object.into()) {
            Ok(search) => search,
            Err(error) => return error.to_string(),
        };
        let text = |clause: &Clause| {
            let role = match clause.role {
                Role::Any => "",
                Role::Must => "+",
                Role::Not => "-",
            };
            let near = match clause.near {
                Near::Exact => "",
                Near::Prefix => "*",
                Near::Typo => "~",
            };
            format!("{role}{}{near}", clause.words.join("_"))
        };
        search.clauses().iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_phrases_exclusions_and_prefixes_are_told_apart() {
        assert_eq!(read("The quick-brown fox", &[]), "the quick brown fox");
        assert_eq!(read("fox \"Quick Brown\" -lazy -\"old dog\" jum*", &[]), "fox +quick_brown -lazy -old_dog jum*");
        assert_eq!(read("a\"b c\"d -e-f -g*", &[]), "a +b_c d -e_f -g*");
        assert_eq!(read("\u{201c}new york\u{201d} \"open end", &[]), "+new_york +open_end");
        assert_eq!(read("a a \"a\" * -- a", &[]), "a +a");
    }

    #[test]
    fn letters_of_scripts_without_spaces_are_looked_for_together() {
        assert_eq!(read("\u{6771}\u{4eac} tower\u{4eac}* x*", &[]), "\u{6771}_\u{4eac} tower_\u{4eac} x*");
    }

    #[test]
    fn options_make_words_needed_and_near() {
        assert_eq!(read("new york -x", &[("$all", true)]), "+new +york -x");
        assert_eq!(read("tree oaks oa \"pine\" fir* -bush", &[("$fuzzy", true)]), "tree~ oaks~ oa +pine fir* -bush");
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        assert_eq!(read("", &[]), "`$search` is ``, which has no word to look for");
        assert_eq!(read("-a ...", &[]), "`$search` is `-a ...`, which has no word to look for");
        assert_eq!(read("a", &[("$language", true)]), "option `$language` is not known");
        let many: Vec<String> = (0..=SEARCH_WORDS_MAX).map(|i| format!("w{i}")).collect();
        assert_eq!(read(&many.join(" "), &[]), "`$search` has more than 64 words");
        let message = |operand: Value| Search::parse(&operand).unwrap_err().to_string();
        assert_eq!(message("a".into()), "it takes an object, not string");
        assert_eq!(message(Object::new().into()), "`$search` is missing");
        assert_eq!(message(Object::from([("$search", 5.into())]).into()), "`$search` cannot be number");
        assert_eq!(
            message(Object::from([("$search", "a".into()), ("$all", 1.into())]).into()),
            "`$all` cannot be number"
        );
    }
}
