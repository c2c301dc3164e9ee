//! Vectors: the values that many documents have at one path, one behind the other.
//!
//! Not the form in which anything is stored: a vector is made from rows, kept as long as there is room, and made again.
//!
//! Numbers, dates and booleans are doubles; strings are numbers of words in a table. All values of a vector are of one type,
//! but for rows in which the path is null or leads to nothing.
//!
//! Invariants: what [`Vector::view`] gives is what the row had, bit by bit; a vector that cannot hold a value holds nothing
//! at all ([`Holds::Unfit`]), so that whoever asks reads the rows instead.

use crate::error::{Error, Result};
use crate::value::key_table::KeyTable;
use crate::value::shape::Shapes;
use crate::value::view::ObjectView;
use crate::value::{Number, Path, View, row};
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
            // It is text already: the error cannot come.
            Some(View::String(text)) => drop(self.push_word(text.as_bytes())),
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

    /// # Errors
    /// `corrupt` where it is not UTF-8.
    fn push_word(&mut self, text: &[u8]) -> Result<()> {
        if !self.begin(Holds::Words) {
            return Ok(());
        }
        let is_worth_it = self.words.len() < WORDS_UNLIKE_MAX || self.words.len() * 2 < self.len;
        match self.words.place(text) {
            Some((_, true)) if core::str::from_utf8(text).is_err() => {
                return Err(Error::corrupt("a string is not UTF-8"));
            }
            Some((word, _)) if word < WORDS_MAX && is_worth_it => {
                self.codes.push(word as u16);
                self.note(THERE);
            }
            _ => self.give_up(),
        }
        Ok(())
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

    /// Adds what a document has at a path, where no array lies there.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub(crate) fn push_field(&mut self, document: ObjectView<'_>, path: &Path) -> Result<()> {
        // The usual case goes from the row as it is: a view of it would be copied several times.
        if let (Some(row), [part]) = (document.row(), path.parts()) {
            self.push_raw(row.raw(&part.name)?, row.shapes())?;
            return Ok(());
        }
        match path.get_unless_array(document)? {
            Some(found) => self.push(found),
            None => self.give_up(),
        }
        Ok(())
    }

    /// Adds a value as it lies in a row of these shapes, its tag first; none where there is nothing.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub(crate) fn push_raw(&mut self, raw: Option<&[u8]>, shapes: &Shapes) -> Result<()> {
        match raw {
            None => self.push_tag(MISSING),
            Some([row::TAG_INTEGER, whole @ ..]) => self.push_float(Holds::Numbers, row::read_whole(whole)?),
            Some([row::TAG_STRING, text @ ..]) => self.push_word(text)?,
            Some(raw) => self.push(Some(row::read_raw(raw, shapes)?)),
        }
        Ok(())
    }

    /// Rows of several vectors as one: of which of them, and which, in their order.
    pub(crate) fn gathered(
        parts: &[&Vector],
        count: usize,
        spans: &mut dyn Iterator<Item = (usize, Range<usize>)>,
    ) -> Vector {
        let mut whole = Vector::default();
        for part in parts {
            if part.holds != Holds::Nothing && !whole.begin(part.holds) {
                return whole;
            }
        }
        let is_tagged = parts.iter().any(|part| !part.tags.is_empty());
        let mut codes_of: Vec<Vec<u16>> = Vec::with_capacity(parts.len());
        for part in parts {
            let mut codes = Vec::with_capacity(part.words.len());
            for word in 0..part.words.len() {
                match whole.words.place(part.words.key(word)) {
                    Some((code, _)) if code < WORDS_MAX => codes.push(code as u16),
                    _ => {
                        whole.give_up();
                        return whole;
                    }
                }
            }
            codes_of.push(codes);
        }
        whole.len = count;
        whole.tags.reserve_exact(if is_tagged { count } else { 0 });
        match whole.holds {
            Holds::Nothing | Holds::Unfit => {}
            Holds::Words => whole.codes.reserve_exact(count),
            _ => whole.floats.reserve_exact(count),
        }
        for (part, rows) in spans {
            let (Some(part), Some(codes)) = (parts.get(part), codes_of.get(part)) else { continue };
            if is_tagged {
                whole.tags.extend(rows.clone().map(|row| part.tag(row)));
            }
            match whole.holds {
                Holds::Nothing | Holds::Unfit => {}
                Holds::Words => whole.codes.extend(rows.map(|row| {
                    let code = part.codes.get(row).copied().unwrap_or_default();
                    codes.get(usize::from(code)).copied().unwrap_or_default()
                })),
                _ => whole.floats.extend(rows.map(|row| part.floats.get(row).copied().unwrap_or_default())),
            }
        }
        whole
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
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
                    let (front, back) = rows.split_at(cut);
                    let parts = [vector(back), vector(front)];
                    // Row by row, and as they lie.
                    let mut each = (0..front.len()).map(|row| (1, row..row + 1)).chain([(0, 0..back.len())]);
                    let joined = Vector::gathered(&[&parts[0], &parts[1]], rows.len(), &mut each);
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
            let joined = Vector::gathered(&[&vector(&[Some(Value::from(1))]), &unfit], 1, &mut [(0, 0..1)].into_iter());
            assert_eq!(joined.holds(), Holds::Unfit);
        }
    }
}
