//! How a pattern becomes instructions: the grammar of ECMA-262 with the `u` flag, but for what cannot be linear.
//!
//! Not lenient, but in one thing: any ASCII punctuation may have a backslash, and `]` and `}` may go without. Refused are
//! look-around, back-references, inline flags, and `\p`, whose tables are larger than all of this.
//!
//! Invariant: nesting and the count of instructions are bounded while they grow.

use super::class::{CODE_MAX, Class, DIGITS, LINE_ENDS, Ranges, SPACE, WORD, complement, ends_line};
use super::{Flags, Instruction};
use crate::error::{Error, ErrorKind, Result};

const SOURCE_BYTES_MAX: usize = 4096;
const INSTRUCTIONS_MAX: usize = 4096;
const NESTING_MAX: usize = 50;

enum Piece {
    Class(Class),
    /// What holds between two characters.
    Edge(Instruction),
    Sequence(Vec<Piece>),
    Either(Vec<Piece>),
    Repeat(Box<Piece>, u32, Option<u32>),
}

/// See the module.
///
/// # Errors
/// As [`super::Pattern::parse`].
pub(super) fn parse(source: &str, flags: Flags) -> Result<Vec<Instruction>> {
    let context = |error: Error| error.context(format!("pattern `{source}`"));
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Error::limit(format!("pattern has {} bytes, the limit is {SOURCE_BYTES_MAX}", source.len())));
    }
    let mut parser = Parser { rest: source, nesting: 0, flags };
    let piece = parser.either().map_err(context)?;
    if !parser.rest.is_empty() {
        return Err(context(Error::invalid("`)` closes nothing")));
    }
    let mut instructions = Vec::new();
    emit(&piece, &mut instructions).and_then(|()| push(&mut instructions, Instruction::Match)).map_err(context)?;
    Ok(instructions)
}

struct Parser<'a> {
    rest: &'a str,
    nesting: usize,
    flags: Flags,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let char = chars.next();
        self.rest = chars.as_str();
        char
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes over what means nothing in an extended pattern.
    fn skip_blanks(&mut self) {
        while self.flags.is_extended && self.rest.starts_with([' ', '\t', '\n', '\r', '\u{b}', '\u{c}', '#']) {
            self.rest = match self.rest.strip_prefix('#') {
                Some(comment) => comment.find(ends_line).and_then(|end| comment.get(end..)).unwrap_or_default(),
                None => self.rest.trim_ascii_start().trim_start_matches('\u{b}'),
            };
        }
    }

    fn either(&mut self) -> Result<Piece> {
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
            branches.push(self.sequence()?);
        }
        Ok(Piece::Either(branches))
    }

    fn sequence(&mut self) -> Result<Piece> {
        let mut pieces = Vec::new();
        self.skip_blanks();
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            let piece = self.atom()?;
            self.skip_blanks();
            pieces.push(self.repeated(piece)?);
            self.skip_blanks();
        }
        Ok(Piece::Sequence(pieces))
    }

    fn atom(&mut self) -> Result<Piece> {
        Ok(match self.next().unwrap_or_default() {
            '^' if self.flags.is_multiline => Piece::Edge(Instruction::LineStart),
            '^' => Piece::Edge(Instruction::Start),
            '$' if self.flags.is_multiline => Piece::Edge(Instruction::LineEnd),
            '$' => Piece::Edge(Instruction::End),
            '(' => self.group()?,
            '[' => {
                let is_negated = self.eat("^");
                let ranges = self.class()?;
                let class = self.of(&ranges);
                Piece::Class(if is_negated { class.negated() } else { class })
            }
            '.' if self.flags.is_dot_all => Piece::Class(Class::default().negated()),
            '.' => Piece::Class(Class::new(&LINE_ENDS).negated()),
            '\\' if self.eat("b") => Piece::Edge(Instruction::WordEdge(true)),
            '\\' if self.eat("B") => Piece::Edge(Instruction::WordEdge(false)),
            '\\' => {
                let ranges = self.escape()?;
                Piece::Class(self.of(&ranges))
            }
            char @ ('*' | '+' | '?' | '{') => return Err(Error::invalid(format!("`{char}` repeats nothing"))),
            char => Piece::Class(self.of(&[(char.into(), char.into())])),
        })
    }

    /// The class of these characters, in both cases where that makes no difference.
    fn of(&self, ranges: &[(u32, u32)]) -> Class {
        let class = Class::new(ranges);
        if self.flags.ignores_case { class.ignoring_case() } else { class }
    }

    fn group(&mut self) -> Result<Piece> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err(Error::limit(format!("groups stand more than {NESTING_MAX} deep")));
        }
        if self.eat("?") && !self.eat(":") {
            let is_name = self.rest.starts_with('<') && !self.rest.starts_with("<=") && !self.rest.starts_with("<!");
            let named = self.rest.split_once('>').filter(|_| is_name);
            let unsupported = || Error::new(ErrorKind::Unsupported, "look-around and flags, `(?`, are not supported");
            self.rest = named.ok_or_else(unsupported)?.1;
        }
        let piece = self.either()?;
        if !self.eat(")") {
            return Err(Error::invalid("`(` is not closed"));
        }
        self.nesting -= 1;
        Ok(piece)
    }

    fn repeated(&mut self, piece: Piece) -> Result<Piece> {
        let (least, most) = match self.rest.chars().next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => (0, Some(0)),
            _ => return Ok(piece),
        };
        let is_braced = self.eat("{");
        let (least, most) = if is_braced { self.counts()? } else { (least, most) };
        if !is_braced {
            self.next();
        }
        // Lazy or greedy: it is the same question whether there is a match.
        self.eat("?");
        if matches!(piece, Piece::Edge(_)) || self.rest.starts_with(['*', '+', '?', '{']) {
            return Err(Error::invalid("a repetition repeats nothing"));
        }
        Ok(Piece::Repeat(Box::new(piece), least, most))
    }

    fn counts(&mut self) -> Result<(u32, Option<u32>)> {
        let damaged = || Error::invalid("`{` takes `{n}`, `{n,}` or `{n,m}`");
        let (inside, rest) = self.rest.split_once('}').ok_or_else(damaged)?;
        self.rest = rest;
        let count = |digits: &str| {
            let is_count = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_count.then(|| digits.parse().unwrap_or(u32::MAX)).ok_or_else(damaged)
        };
        let (least, most) = match inside.split_once(',') {
            None => (count(inside)?, Some(count(inside)?)),
            Some((least, "")) => (count(least)?, None),
            Some((least, most)) => (count(least)?, Some(count(most)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(Error::invalid(format!("`{{{inside}}}` is out of order")));
        }
        Ok((least, most))
    }

    fn class(&mut self) -> Result<Ranges> {
        let mut ranges = Ranges::new();
        while !self.eat("]") {
            let low = self.class_atom()?;
            // A dash at the end of the class is itself, as is one beside a class.
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
            let low_code = single(&low).filter(|_| is_range);
            let Some(low_code) = low_code else {
                ranges.extend(low);
                continue;
            };
            self.eat("-");
            let high = self.class_atom()?;
            match single(&high) {
                Some(high) if high < low_code => return Err(Error::invalid("a range is out of order")),
                Some(high) => ranges.push((low_code, high)),
                None => return Err(Error::invalid("a range ends in a class")),
            }
        }
        Ok(ranges)
    }

    fn class_atom(&mut self) -> Result<Ranges> {
        match self.next() {
            None => Err(Error::invalid("`[` is not closed")),
            Some('\\') if self.eat("b") => Ok(vec![(8, 8)]),
            Some('\\') => self.escape(),
            Some(char) => Ok(vec![(char.into(), char.into())]),
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<Ranges> {
        let char = self.next().ok_or_else(|| Error::invalid("`\\` escapes nothing"))?;
        let code = match char {
            'd' => return Ok(DIGITS.to_vec()),
            'D' => return Ok(complement(&DIGITS)),
            'w' => return Ok(WORD.to_vec()),
            'W' => return Ok(complement(&WORD)),
            's' => return Ok(SPACE.to_vec()),
            'S' => return Ok(complement(&SPACE)),
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            '0' if !self.rest.starts_with(|next: char| next.is_ascii_digit()) => 0,
            'c' => {
                let letter = self.next().filter(char::is_ascii_alphabetic);
                u32::from(letter.ok_or_else(|| Error::invalid("`\\c` takes a letter"))?) % 32
            }
            'x' => self.hexadecimal(2)?,
            'u' => self.unicode()?,
            char if char.is_ascii_punctuation() && char != '_' => char.into(),
            ' ' if self.flags.is_extended => 0x20,
            '1'..='9' | 'k' | 'p' | 'P' => {
                return Err(Error::new(ErrorKind::Unsupported, format!("`\\{char}` is not supported")));
            }
            _ => return Err(Error::invalid(format!("`\\{char}` escapes nothing"))),
        };
        Ok(vec![(code, code)])
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u32> {
        let damaged = || Error::invalid("digits behind `\\x` or `\\u` are no code of a character");
        let (hex, rest) = self.rest.split_at_checked(digits).ok_or_else(damaged)?;
        let is_hex = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(hex, 16).ok().filter(|code| is_hex && *code <= CODE_MAX).ok_or_else(damaged)?;
        self.rest = rest;
        Ok(code)
    }

    /// `\u{1F600}`, `\u00e9`, or two halves of a character beyond 16 bits.
    fn unicode(&mut self) -> Result<u32> {
        if self.eat("{") {
            let code = self.hexadecimal(self.rest.find('}').unwrap_or(0))?;
            self.eat("}");
            return Ok(code);
        }
        let high = self.hexadecimal(4)?;
        let after = self.rest;
        if (0xd800..0xdc00).contains(&high) && self.eat("\\u") && !self.rest.starts_with('{') {
            let low = self.hexadecimal(4)?;
            if (0xdc00..0xe000).contains(&low) {
                return Ok(0x1_0000 + (high - 0xd800) * 0x400 + (low - 0xdc00));
            }
        }
        // Half a character alone: no text has one.
        self.rest = after;
        Ok(high)
    }
}

fn single(ranges: &[(u32, u32)]) -> Option<u32> {
    match ranges {
        [(low, high)] if low == high => Some(*low),
        _ => None,
    }
}

fn push(instructions: &mut Vec<Instruction>, instruction: Instruction) -> Result<()> {
    if instructions.len() >= INSTRUCTIONS_MAX {
        return Err(Error::limit(format!("more than {INSTRUCTIONS_MAX} instructions: repeat less")));
    }
    instructions.push(instruction);
    Ok(())
}

/// Puts in an instruction whose target is not known yet.
fn hole(instructions: &mut Vec<Instruction>) -> Result<usize> {
    push(instructions, Instruction::Jump(0))?;
    Ok(instructions.len() - 1)
}

fn set(instructions: &mut [Instruction], hole: usize, instruction: Instruction) {
    if let Some(place) = instructions.get_mut(hole) {
        *place = instruction;
    }
}

fn emit(piece: &Piece, out: &mut Vec<Instruction>) -> Result<()> {
    match piece {
        Piece::Class(class) => push(out, Instruction::Class(class.clone())),
        Piece::Edge(edge) => push(out, edge.clone()),
        Piece::Sequence(pieces) => pieces.iter().try_for_each(|piece| emit(piece, out)),
        Piece::Either(branches) => {
            let mut ends = Vec::new();
            for (i, branch) in branches.iter().enumerate() {
                if i + 1 == branches.len() {
                    emit(branch, out)?;
                    break;
                }
                let split = hole(out)?;
                emit(branch, out)?;
                ends.push(hole(out)?);
                let other = out.len();
                set(out, split, Instruction::Split(split + 1, other));
            }
            let end = out.len();
            ends.into_iter().for_each(|hole| set(out, hole, Instruction::Jump(end)));
            Ok(())
        }
        Piece::Repeat(piece, least, most) => repeat(piece, *least, *most, out),
    }
}

fn repeat(piece: &Piece, least: u32, most: Option<u32>, out: &mut Vec<Instruction>) -> Result<()> {
    for _ in 0..least {
        let start = out.len();
        emit(piece, out)?;
        if out.len() == start {
            // Nothing, however often.
            return Ok(());
        }
    }
    let Some(most) = most else {
        let split = hole(out)?;
        emit(piece, out)?;
        push(out, Instruction::Jump(split))?;
        let end = out.len();
        set(out, split, Instruction::Split(split + 1, end));
        return Ok(());
    };
    let mut splits = Vec::new();
    for _ in least..most {
        splits.push(hole(out)?);
        emit(piece, out)?;
    }
    let end = out.len();
    splits.into_iter().for_each(|split| set(out, split, Instruction::Split(split + 1, end)));
    Ok(())
}
