//! Vectors: the values that many documents have at one path, one behind the other.
//!
//! Not the form in which anything is stored: a vector is made from rows, kept as long as there is room, and made again.
//!
//! Numbers, dates and booleans are doubles; strings are numbers of words in a table. All values of a vector are of one type,
//! but for rows in which the path is null or leads to nothing.
//!
//! Invariants: what [`Vector::view`] gives is what the row had, bit by bit; a vector that cannot hold a value holds nothing
//! at all ([`Holds::Unfit`]), so that whoever asks reads the rows instead.

use crate::value::key_table::KeyTable;
use crate::value::{Number, View};
use core::ops::Range;

/// What the rows of a vector have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Null, or nothing.
    Nothing,
    Numbers,
    Dates,
    Bools,
    Words,
    /// What no vector holds.
    Unfit,
}

/// The row has a value.
pub(crate) const THERE: u8 = 0;
/// There is nothing at the path.
pub(crate) const MISSING: u8 = 1;
/// There is null.
pub(crate) const NULL: u8 = 2;

/// With more words than this, of which most came once, a word is no shorter than its text.
const WORDS_UNLIKE_MAX: usize = 1024;
/// So many words have numbers.
const WORDS_MAX: usize = 1 << 16;
/// Dates beyond are no doubles.
const DATE_MAX: i64 = 1 << 53;

/// See the module.
#[derive(Debug)]
pub(crate) struct Vector {
    holds: Holds,
    len: usize,
    /// [`THERE`] and its like; empty where each row has a value.
    tags: Vec<u8>,
    floats: Vec<f64>,
    codes: Vec<u16>,
    words: KeyTable,
}

impl Default for Vector {
    fn default() -> Self {
        Vector {
            holds: Holds::Nothing,
            len: 0,
            tags: Vec::new(),
            floats: Vec::new(),
            codes: Vec::new(),
            words: KeyTable::default(),
        }
    }
}

impl Vector {
    pub(crate) const fn holds(&self) -> Holds {
        self.holds
    }

    /// How many rows there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// [`THERE`] and its like for each row; empty where each has a value.
    pub(crate) fn tags(&self) -> &[u8] {
        &self.tags
    }

    /// Of numbers, dates (ms) and booleans (0 or 1); anything where there is none.
    pub(crate) fn floats(&self) -> &[f64] {
        &self.floats
    }

    /// Of strings: which word of [`Vector::words`]; anything where there is none.
    pub(crate) fn codes(&self) -> &[u16] {
        &self.codes
    }

    pub(crate) const fn words(&self) -> &KeyTable {
        &self.words
    }

    /// Bytes that it takes in memory.
    pub(crate) fn len_bytes(&self) -> usize {
        size_of::<Vector>() + self.tags.len() + 8 * self.floats.len() + 2 * self.codes.len() + self.words.len_bytes()
    }

    /// The text of a word.
    pub(crate) fn word(&self, code: usize) -> &str {
        // It was a string when it came in.
        core::str::from_utf8(self.words.key(code)).unwrap_or_default()
    }

    /// What a double stands for here.
    pub(crate) fn view_of(&self, float: f64) -> View<'_> {
        match self.holds {
            Holds::Dates => View::Date(float as i64),
            Holds::Bools => View::Bool(float != 0.0),
            _ => Number::new(float).map_or(View::Null, View::Number),
        }
    }

    pub(crate) fn tag(&self, row: usize) -> u8 {
        self.tags.get(row).copied().unwrap_or(THERE)
    }

    /// The value of a row; none where there is nothing.
    pub(crate) fn view(&self, row: usize) -> Option<View<'_>> {
        match self.tag(row) {
            NULL => Some(View::Null),
            MISSING => None,
            _ if self.holds == Holds::Words => {
                let code = self.codes.get(row).copied().unwrap_or_default();
                Some(View::String(self.word(code.into())))
            }
            _ => self.floats.get(row).map(|float| self.view_of(*float)),
        }
    }

    /// Adds the value of a row; none where there is nothing.
    pub(crate) fn push(&mut self, value: Option<View<'_>>) {
        match value {
            None => self.push_tag(MISSING),
            Some(View::Null) => self.push_tag(NULL),
            Some(View::Number(number)) => self.push_float(Holds::Numbers, number.get()),
            Some(View::Date(ms)) if ms.abs() <= DATE_MAX => self.push_float(Holds::Dates, ms as f64),
            Some(View::Bool(value)) => self.push_float(Holds::Bools, f64::from(u8::from(value))),
            Some(View::String(text)) => self.push_word(text),
            Some(_) => self.give_up(),
        }
    }

    /// No vector holds what the next row has.
    pub(crate) fn give_up(&mut self) {
        *self = Vector { holds: Holds::Unfit, ..Vector::default() };
    }

    /// Whether the next value may be of this type.
    fn begin(&mut self, holds: Holds) -> bool {
        if self.holds == Holds::Nothing {
            self.holds = holds;
            match holds {
                Holds::Words => self.codes.resize(self.len, 0),
                _ => self.floats.resize(self.len, 0.0),
            }
        }
        if self.holds != holds {
            self.give_up();
        }
        self.holds == holds
    }

    fn push_float(&mut self, holds: Holds, float: f64) {
        if self.begin(holds) {
            self.floats.push(float);
            self.note(THERE);
        }
    }

    fn push_word(&mut self, text: &str) {
        if !self.begin(Holds::Words) {
            return;
        }
        let is_worth_it = self.words.len() < WORDS_UNLIKE_MAX || self.words.len() * 2 < self.len;
        match self.words.place(text.as_bytes()) {
            Some((word, _)) if word < WORDS_MAX && is_worth_it => {
                self.codes.push(word as u16);
                self.note(THERE);
            }
            _ => self.give_up(),
        }
    }

    fn push_tag(&mut self, tag: u8) {
        match self.holds {
            Holds::Unfit => return,
            Holds::Nothing => {}
            Holds::Words => self.codes.push(0),
            _ => self.floats.push(0.0),
        }
        self.note(tag);
    }

    fn note(&mut self, tag: u8) {
        if tag != THERE && self.tags.is_empty() {
            self.tags.resize(self.len, THERE);
        }
        self.len += 1;
        if tag != THERE || !self.tags.is_empty() {
            self.tags.push(tag);
        }
    }

    /// The numbers that the words of another have here.
    pub(crate) fn codes_of(&mut self, other: &Vector) -> Vec<u16> {
        let mut codes = Vec::with_capacity(other.words.len());
        for word in 0..other.words.len() {
            match self.words.place(other.words.key(word)) {
                Some((code, _)) if code < WORDS_MAX => codes.push(code as u16),
                _ => self.give_up(),
            }
        }
        codes
    }

    /// Adds some rows of another, whose words have these numbers here.
    pub(crate) fn extend(&mut self, other: &Vector, rows: Range<usize>, codes: &[u16]) {
        if other.holds == Holds::Unfit || self.holds == Holds::Unfit {
            return self.give_up();
        }
        if other.holds != Holds::Nothing && !self.begin(other.holds) {
            return;
        }
        let count = rows.len();
        match self.holds {
            _ if other.holds == Holds::Nothing => {
                for row in rows {
                    self.push_tag(other.tag(row));
                }
                return;
            }
            Holds::Words => {
                let others = other.codes.get(rows.clone()).unwrap_or_default();
                self.codes.extend(others.iter().map(|code| codes.get(usize::from(*code)).copied().unwrap_or_default()));
            }
            _ => self.floats.extend_from_slice(other.floats.get(rows.clone()).unwrap_or_default()),
        }
        let is_tagged = !self.tags.is_empty() || !other.tags.is_empty();
        if is_tagged {
            self.tags.resize(self.len, THERE);
        }
        self.len += count;
        if is_tagged {
            match other.tags.get(rows) {
                Some(tags) => self.tags.extend_from_slice(tags),
                None => self.tags.resize(self.len, THERE),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::Value;

    fn vector(values: &[Option<Value>]) -> Vector {
        let mut vector = Vector::default();
        values.iter().for_each(|value| vector.push(value.as_ref().map(View::from)));
        vector
    }

    fn values(vector: &Vector) -> Vec<Option<Value>> {
        (0..vector.len()).map(|row| vector.view(row).map(|view| view.to_value().unwrap())).collect()
    }

    #[test]
    fn a_vector_gives_back_what_came_in() {
        let minus = Value::number(-0.0).unwrap();
        for one in [[5.into(), minus], [Value::Date(-1), Value::Date(1 << 53)], [true.into(), false.into()]]
            .into_iter()
            .chain([["a".into(), "".into()]])
        {
            let [left, right] = one.map(Some);
            let null = Some(Value::Null);
            for rows in [
                vec![left.clone(), right.clone(), left.clone()],
                vec![None, left.clone(), null.clone(), right.clone()],
                vec![null.clone(), null.clone(), right.clone()],
                vec![left.clone(), None],
            ] {
                let whole = vector(&rows);
                assert_eq!(values(&whole), rows);
                for cut in 0..=rows.len() {
                    let mut joined = Vector::default();
                    let (front, back) = rows.split_at(cut);
                    for part in [front, back] {
                        let part = vector(part);
                        let codes = joined.codes_of(&part);
                        joined.extend(&part, 0..part.len(), &codes);
                    }
                    assert_eq!(values(&joined), rows);
                }
            }
        }
    }

    #[test]
    fn what_is_of_several_types_or_of_none_that_fits_is_unfit() {
        for rows in [
            vec![Some(Value::from(1)), Some("a".into())],
            vec![Some(Value::BigInt(1))],
            vec![None, Some(Value::Date(i64::MAX))],
            vec![Some(Value::Bytes(vec![1]))],
            (0..5000).map(|n| Some(Value::from(format!("{n}")))).collect(),
        ] {
            let unfit = vector(&rows);
            assert_eq!((unfit.holds(), unfit.len()), (Holds::Unfit, 0));
            let mut joined = vector(&[Some(Value::from(1))]);
            joined.extend(&unfit, 0..0, &[]);
            assert_eq!(joined.holds(), Holds::Unfit);
        }
    }
}
