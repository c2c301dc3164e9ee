//! Filters over vectors: which rows pass, found without reading documents.
//!
//! Not all of a filter: conditions on single fields that must all hold; whoever asks looks at the rows for the rest.
//!
//! Invariant: a row passes where its document would. What is asked of a word is asked once for all rows that have it; bounds of
//! numbers and dates become intervals of doubles; all else is asked value by value, by the test itself.

use super::{Filter, Test};
use crate::error::{Error, Result};
use crate::value::order::Bracket;
use crate::value::vector::{Holds, MISSING, NULL, THERE, Vector};
use crate::value::{Object, Path, Value, View};
use std::rc::Rc;

/// So many intervals are quicker than a search.
const INTERVALS_MAX: usize = 8;
/// Integers beyond are no doubles.
const EXACT_MAX: i64 = 1 << 53;

/// Conditions of a filter that vectors can be asked.
#[derive(Debug, Default)]
pub(crate) struct Columnar<'a> {
    conditions: Vec<(&'a Path, &'a Test)>,
    /// Whether that is all of the filter.
    pub(crate) is_whole: bool,
}

impl<'a> Columnar<'a> {
    /// What of a filter vectors can be asked.
    pub(crate) fn of(filter: &'a Filter) -> Columnar<'a> {
        let mut columnar = Columnar { conditions: Vec::new(), is_whole: true };
        for conjunct in filter.conjuncts() {
            match conjunct {
                Filter::Field(path, test) => columnar.conditions.push((path, test)),
                _ => columnar.is_whole = false,
            }
        }
        columnar
    }

    /// The fields that are asked, one for each condition.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &'a Path> {
        self.conditions.iter().map(|(path, _)| *path)
    }

    /// The rows that pass; none where nothing is asked and all do. Given is the vector of each path.
    ///
    /// # Errors
    /// As [`Filter::matches`].
    pub(crate) fn rows(&self, vector: &dyn Fn(&Path) -> Option<Rc<Vector>>) -> Result<Option<Vec<u32>>> {
        let mut rows: Option<Vec<u32>> = None;
        for (path, test) in &self.conditions {
            let vector = &*vector(path).ok_or_else(|| Error::internal("a column was not asked for"))?;
            let check = Check::of(path, test, vector)?;
            rows = Some(match rows {
                None => check.pass(0..vector.len() as u32)?,
                Some(rows) => check.pass(rows)?,
            });
        }
        Ok(rows)
    }
}

/// A test of the values of one vector.
struct Check<'a> {
    test: &'a Test,
    vector: &'a Vector,
    /// By tag: whether what is missing, and null, pass.
    of_tags: [bool; 3],
    asked: Asked,
}

enum Asked {
    /// Of each word.
    Words(Vec<bool>),
    /// Within one of these; or within none.
    Intervals(Vec<(f64, f64)>, bool),
    /// The test itself.
    Each,
}

impl<'a> Check<'a> {
    fn of(path: &Path, test: &'a Test, vector: &'a Vector) -> Result<Check<'a>> {
        let mut of_tags = [false; 3];
        for (tag, passes) in of_tags.iter_mut().enumerate() {
            *passes = match tag as u8 {
                MISSING => test.matches(path, (&Object::new()).into())?,
                NULL => test.holds(Some(View::Null))?,
                _ => false,
            };
        }
        let asked = match vector.holds() {
            Holds::Words => {
                let words = 0..vector.words().len();
                Asked::Words(
                    words.map(|code| test.holds(Some(View::String(vector.word(code))))).collect::<Result<_>>()?,
                )
            }
            _ => intervals(test, vector).map_or(Asked::Each, |(within, passes)| Asked::Intervals(within, passes)),
        };
        Ok(Check { test, vector, of_tags, asked })
    }

    /// Those of the rows that pass.
    fn pass(&self, rows: impl IntoIterator<Item = u32>) -> Result<Vec<u32>> {
        let mut passed = Vec::new();
        let (tags, floats, codes) = (self.vector.tags(), self.vector.floats(), self.vector.codes());
        for row in rows {
            let at = row as usize;
            let tag = tags.get(at).copied().unwrap_or(THERE);
            let passes = match &self.asked {
                _ if tag != THERE => self.of_tags.get(usize::from(tag)).copied().unwrap_or_default(),
                Asked::Intervals(within, passes) => {
                    let float = floats.get(at).copied().unwrap_or_default();
                    within.iter().any(|(low, high)| float >= *low && float <= *high) == *passes
                }
                Asked::Words(words) => {
                    codes.get(at).and_then(|code| words.get(usize::from(*code))).copied().unwrap_or_default()
                }
                Asked::Each => self.test.holds(self.vector.view(at))?,
            };
            if passes {
                passed.push(row);
            }
        }
        Ok(passed)
    }
}

/// The intervals that a value must lie in (or, where `false` comes with them, must not).
fn intervals(test: &Test, vector: &Vector) -> Option<(Vec<(f64, f64)>, bool)> {
    const NONE: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);
    let bracket = Bracket::of(vector.view_of(0.0));
    // What is of another type is neither equal to anything here nor comes before or behind it.
    let operand = |value: &Value| -> Option<Option<f64>> {
        match View::from(value) {
            other if Bracket::of(other) != bracket => Some(None),
            View::Number(number) => Some(Some(number.get())),
            View::BigInt(whole) | View::Date(whole) if whole.unsigned_abs() <= EXACT_MAX.unsigned_abs() => {
                Some(Some(whole as f64))
            }
            View::Bool(value) => Some(Some(f64::from(u8::from(value)))),
            _ => None,
        }
    };
    let one = |value: &Value, bounds: fn(f64) -> (f64, f64)| Some(vec![operand(value)?.map_or(NONE, bounds)]);
    let each = |values: &[Value]| {
        let few = values.len() <= INTERVALS_MAX;
        let points = values.iter().map(|value| operand(value).map(|point| point.map_or(NONE, |at| (at, at))));
        if few { points.collect::<Option<Vec<_>>>() } else { None }
    };
    Some(match test {
        Test::Eq(value) => (one(value, |at| (at, at))?, true),
        Test::Ne(value) => (one(value, |at| (at, at))?, false),
        Test::Gte(value) => (one(value, |at| (at, f64::INFINITY))?, true),
        Test::Lte(value) => (one(value, |at| (f64::NEG_INFINITY, at))?, true),
        Test::Gt(value) => {
            (one(value, |at| if at < f64::INFINITY { (at.next_up(), f64::INFINITY) } else { NONE })?, true)
        }
        Test::Lt(value) => {
            let bounds = |at: f64| if at > f64::NEG_INFINITY { (f64::NEG_INFINITY, at.next_down()) } else { NONE };
            (one(value, bounds)?, true)
        }
        Test::In(values) => (each(values)?, true),
        Test::Nin(values) => (each(values)?, false),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::value::Number;

    #[test]
    fn a_filter_over_vectors_passes_what_it_passes_over_documents() {
        let numbers = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1.0, 2.0, f64::INFINITY]
            .map(|n| Value::Number(Number::new(n).unwrap()));
        let dates = [Value::Date(-5), Value::Date(0), Value::Date(1)];
        let words = ["", "a", "ab"].map(Value::from);
        let bools = [Value::from(false), Value::from(true)];
        let odd =
            [Value::Null, Value::BigInt(1), Value::BigInt(i64::MAX), Value::Date(i64::MAX), Value::Bytes(vec![1])];
        let operands: Vec<&Value> = numbers.iter().chain(&dates).chain(&words).chain(&bools).chain(&odd).collect();
        let mut tests: Vec<Test> = vec![Test::Exists(true), Test::Exists(false), Test::Mod(2, 0), Test::Size(0)];
        for value in &operands {
            let of = [Test::Eq, Test::Ne, Test::Gt, Test::Gte, Test::Lt, Test::Lte];
            tests.extend(of.map(|of| of((*value).clone())));
            tests.push(Test::In(vec![Value::Null, (*value).clone()]));
            tests.push(Test::Nin(vec![(*value).clone()]));
        }
        let path = Path::parse("f").unwrap();
        for column in [&numbers[..], &dates, &words, &bools, &[]] {
            let mut documents: Vec<Object> = column.iter().map(|value| Object::from([("f", value.clone())])).collect();
            documents.insert(0, Object::new());
            documents.push(Object::from([("f", Value::Null)]));
            let mut vector = Vector::default();
            documents.iter().for_each(|document| vector.push(document.get("f").map(View::from)));
            let vector = Rc::new(vector);
            for test in &tests {
                let filter = Filter::Field(path.clone(), test.clone());
                let expected: Vec<u32> = (0u32..)
                    .zip(&documents)
                    .filter(|(_, document)| filter.matches((*document).into()).unwrap())
                    .map(|(row, _)| row)
                    .collect();
                let rows = Columnar::of(&filter).rows(&|_| Some(Rc::clone(&vector))).unwrap().unwrap();
                assert_eq!(rows, expected, "{test:?} of {column:?}");
            }
        }
    }
}
