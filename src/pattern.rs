//! Patterns: regular expressions, in time linear in the text. Schemas have them as `pattern`, filters as `$regex`.
//!
//! Not a regex library: nothing is captured, the one question is whether a text has a match somewhere. No crate, because
//! the syntax of the standard is ECMA-262's (with the `u` flag), which the crates' differs from, and because the smallest
//! of them is several times the size of this.
//!
//! All places of the program that a match may have reached move on together, a character at a time (Thompson, 1968): there
//! is no backtracking, and no text that takes longer than its length times the pattern's.

use crate::error::{Error, Result};
use core::cell::Cell;
use core::fmt;

mod class;
mod parse;

use class::Class;

/// A pattern, compiled.
pub struct Pattern {
    source: String,
    flags: Flags,
    instructions: Vec<Instruction>,
    /// Kept from one text to the next, but for the time of a match.
    scratch: Cell<Scratch>,
}

/// How a pattern is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `i`: large and small letters are the same.
    pub ignores_case: bool,
    /// `m`: `^` and `$` hold at the ends of lines too.
    pub is_multiline: bool,
    /// `s`: the dot is any character, the ends of lines too.
    pub is_dot_all: bool,
    /// `x`: blanks and comments from `#` to the end of the line mean nothing.
    pub is_extended: bool,
}

#[derive(Clone, Debug)]
enum Instruction {
    /// A character of this class.
    Class(Class),
    /// On at both places.
    Split(usize, usize),
    Jump(usize),
    /// Before the first character.
    Start,
    /// Behind the last character.
    End,
    /// Before the first character of a line.
    LineStart,
    /// Behind the last character of a line.
    LineEnd,
    /// Whether here is the beginning or end of a word.
    WordEdge(bool),
    Match,
}

/// Room for matching.
#[derive(Debug, Default)]
struct Scratch {
    here: Vec<usize>,
    next: Vec<usize>,
    /// For each instruction the position (from 1) at which it was reached last.
    reached: Vec<usize>,
}

impl Flags {
    /// Reads flags: letters, each once at most.
    ///
    /// # Errors
    /// `invalid` for another letter.
    pub fn parse(text: &str) -> Result<Flags> {
        let mut flags = Flags::default();
        for letter in text.chars() {
            let flag = match letter {
                'i' => &mut flags.ignores_case,
                'm' => &mut flags.is_multiline,
                's' => &mut flags.is_dot_all,
                'x' => &mut flags.is_extended,
                _ => {
                    return Err(Error::invalid(format!(
                        "`{letter}` is no option of a pattern, they are i, m, s and x"
                    )));
                }
            };
            if core::mem::replace(flag, true) {
                return Err(Error::invalid(format!("option `{letter}` stands twice")));
            }
        }
        Ok(flags)
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `invalid` where it is none, `unsupported` for what takes more than linear time, or tables; `limit` for its size.
    pub fn parse(source: &str, flags: Flags) -> Result<Pattern> {
        let instructions = parse::parse(source, flags)?;
        Ok(Pattern { source: source.to_owned(), flags, instructions, scratch: Cell::default() })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What every text with a match begins with, and whether every text that begins so has one. None where nothing is known.
    #[must_use]
    pub fn prefix(&self) -> Option<(String, bool)> {
        let (first, rest) = self.instructions.split_first()?;
        let mut prefix = String::new();
        // All ways to a match go through the first instructions, up to the first from which there are two.
        for instruction in rest.iter().filter(|_| matches!(first, Instruction::Start)) {
            match instruction {
                Instruction::Class(class) if class.only().is_some() => prefix.extend(class.only()),
                last => return (!prefix.is_empty()).then_some((prefix, matches!(last, Instruction::Match))),
            }
        }
        None
    }

    /// Whether there is a match somewhere in the text. Takes from `steps` what it cost.
    ///
    /// # Errors
    /// `limit` where no steps are left.
    pub fn matches(&self, text: &str, steps: &mut u32) -> Result<bool> {
        let mut scratch = self.scratch.take();
        let found = self.search(text, &mut scratch, steps);
        scratch.next.clear();
        self.scratch.set(scratch);
        found
    }

    fn search(&self, text: &str, scratch: &mut Scratch, steps: &mut u32) -> Result<bool> {
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
                *steps = steps.checked_sub(1).ok_or_else(|| self.too_long())?;
                match self.instructions.get(place) {
                    Some(Instruction::Class(class)) if after.is_some_and(|char| class.has(char)) => {
                        next.push(place + 1)
                    }
                    Some(Instruction::Split(one, other)) => here.extend([*one, *other]),
                    Some(Instruction::Jump(to)) => here.push(*to),
                    Some(Instruction::Match) => return Ok(true),
                    Some(edge) if edge.holds(before, after) => here.push(place + 1),
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

    fn too_long(&self) -> Error {
        let error = Error::limit(format!("pattern `{}` takes more steps than are left", self.source));
        error.with_hint("anchor it with `^`, repeat less, or match a shorter text")
    }
}

impl Instruction {
    /// Whether it holds between these two characters; none stands for an end of the text.
    fn holds(&self, before: Option<char>, after: Option<char>) -> bool {
        match self {
            Instruction::Start => before.is_none(),
            Instruction::End => after.is_none(),
            Instruction::LineStart => before.is_none_or(class::ends_line),
            Instruction::LineEnd => after.is_none_or(class::ends_line),
            Instruction::WordEdge(is_edge) => (is_word(before) != is_word(after)) == *is_edge,
            _ => false,
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).field(&self.flags).finish()
    }
}

impl PartialEq for Pattern {
    /// Written alike.
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.flags == other.flags
    }
}

fn is_word(char: Option<char>) -> bool {
    char.is_some_and(|char| char.is_ascii_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests;
