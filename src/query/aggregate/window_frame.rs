//! Frames: which neighbours of a document a window takes in.
//!
//! Not the order of the documents: they are given in it.
//!
//! Invariant: folds over frames take a bounded number of steps together.

use super::parse::known;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::WINDOW_STEPS_MAX;
use crate::query::Sort;
use crate::query::expression::fold::{Fold, Kind};
use crate::query::expression::shift_date;
use crate::value::{Direction, Object, Value, View};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frame {
    /// All of the partition.
    Whole,
    /// From so many documents before (or, above 0, behind) to so many.
    Documents(Bound, Bound),
    /// From a value so far below to one so far above; of dates in a unit.
    Values(Bound, Bound, Option<String>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    Unbounded,
    Current,
    By(f64),
}

/// A value of a document in the partition; none beyond it, and where it is missing.
type At<'a> = dyn Fn(usize) -> Option<&'a Value> + 'a;

impl Frame {
    pub(super) fn parse(window: &Object, sort: &Sort) -> Result<Frame> {
        known(window, &["documents", "range", "unit"])?;
        let unit = match window.get("unit") {
            None => None,
            Some(Value::String(unit)) => {
                // Refused here rather than at the first document.
                shift_date(0, unit, 0)?;
                Some(unit.clone())
            }
            Some(other) => return Err(Error::invalid(format!("`unit` is {}, not a string", other.type_name()))),
        };
        match (window.get("documents"), window.get("range")) {
            (Some(bounds), None) if unit.is_none() => {
                let (low, high) = bound_pair(bounds)?;
                let is_whole = |bound: Bound| if let Bound::By(by) = bound { by.trunc() == by } else { true };
                if !is_whole(low) || !is_whole(high) {
                    return Err(Error::invalid("`documents` are not counted in whole numbers"));
                }
                Ok(Frame::Documents(low, high))
            }
            (None, Some(bounds)) => {
                if !matches!(sort.fields(), [(_, Direction::Ascending)]) {
                    return Err(Error::invalid("`range` needs a `sortBy` of one field, ascending"));
                }
                let (low, high) = bound_pair(bounds)?;
                Ok(Frame::Values(low, high, unit))
            }
            _ => Err(Error::invalid("it takes either `documents`, or `range` and perhaps `unit`")),
        }
    }

    /// Appends a fold for each document.
    pub(super) fn fold<'a>(
        &self,
        kind: &Kind,
        len: usize,
        input: &At<'a>,
        at: &At<'a>,
        steps: &mut usize,
        values: &mut Vec<Value>,
    ) -> Result<()> {
        let is_whole = *self == Frame::Whole;
        // A frame that begins where the one before began goes on with its fold, where that is small.
        let mut running: Option<(usize, usize, Fold)> = None;
        let mut before = (0, 0);
        for place in 0..len {
            let (start, end) = self.bounds(place, len, at, before)?;
            before = (start, end);
            let (from, mut fold) = match running.take() {
                Some((known, until, fold)) if known == start && until <= end => (until, fold),
                _ => (start, kind.begin()),
            };
            *steps = steps.checked_sub(end.saturating_sub(from) + 1).ok_or_else(|| {
                let message = format!("windows take in more than {WINDOW_STEPS_MAX} documents together");
                Error::new(ErrorKind::Limit, message).with_hint("make windows smaller, or partitions")
            })?;
            for neighbour in from..end {
                fold.push(input(neighbour).map(View::from))?;
            }
            if is_whole {
                let value = fold.finish();
                *steps = steps.saturating_sub(len);
                values.extend(core::iter::repeat_n(value, len));
                return Ok(());
            }
            match fold.small_copy() {
                Some(copy) => {
                    running = Some((start, end.max(start), fold));
                    values.push(copy.finish());
                }
                None => values.push(fold.finish()),
            }
        }
        Ok(())
    }

    /// The first neighbour, and the one behind the last. Both only grow from document to document.
    fn bounds(&self, place: usize, len: usize, at: &At<'_>, before: (usize, usize)) -> Result<(usize, usize)> {
        match self {
            Frame::Whole => Ok((0, len)),
            Frame::Documents(low, high) => {
                let shifted = |by: f64| ((place as f64 + by).max(0.0) as usize).min(len);
                let start = match low {
                    Bound::Unbounded => 0,
                    Bound::Current => place,
                    Bound::By(by) => shifted(*by),
                };
                let end = match high {
                    Bound::Unbounded => len,
                    Bound::Current => place + 1,
                    Bound::By(by) => shifted(*by + 1.0),
                };
                Ok((start, end.max(start)))
            }
            Frame::Values(low, high, unit) => {
                let here = measure(at(place), unit.as_deref())?;
                let limit = |bound: &Bound, unbounded: f64| match bound {
                    Bound::Unbounded => Ok(unbounded),
                    Bound::Current => Ok(here),
                    Bound::By(by) => match unit {
                        Some(unit) => shift_date(here as i64, unit, *by as i64).map(|ms| ms as f64),
                        None => Ok(here + by),
                    },
                };
                let (low, high) = (limit(low, f64::NEG_INFINITY)?, limit(high, f64::INFINITY)?);
                let (mut start, mut end) = before;
                while start < len && measure(at(start), unit.as_deref())? < low {
                    start += 1;
                }
                end = end.max(start);
                while end < len && measure(at(end), unit.as_deref())? <= high {
                    end += 1;
                }
                Ok((start, end))
            }
        }
    }
}

/// Where a document lies, as a number.
fn measure(value: Option<&Value>, unit: Option<&str>) -> Result<f64> {
    match (value, unit) {
        (Some(Value::Number(number)), None) => Ok(number.get()),
        (Some(Value::BigInt(number)), None) => Ok(*number as f64),
        (Some(Value::Date(ms)), Some(_)) => Ok(*ms as f64),
        (value, unit) => {
            let found = value.map_or("missing", Value::type_name);
            let wanted = if unit.is_some() { "a date" } else { "a number" };
            Err(Error::invalid(format!("`range`: a value of `sortBy` is {found}, not {wanted}"))
                .with_hint("ranges of dates have a `unit`, ranges of numbers have none"))
        }
    }
}

fn bound_pair(bounds: &Value) -> Result<(Bound, Bound)> {
    let bound = |bound: &Value| match bound {
        Value::String(word) if word == "unbounded" => Some(Bound::Unbounded),
        Value::String(word) if word == "current" => Some(Bound::Current),
        Value::Number(number) if number.get().is_finite() => Some(Bound::By(number.get())),
        _ => None,
    };
    let pair = match bounds.as_array() {
        Some([low, high]) => bound(low).zip(bound(high)),
        _ => None,
    };
    let number = |bound: Bound| match bound {
        Bound::By(by) => Some(by),
        Bound::Current => Some(0.0),
        Bound::Unbounded => None,
    };
    let pair = pair.filter(|(low, high)| number(*low).zip(number(*high)).is_none_or(|(low, high)| low <= high));
    pair.ok_or_else(|| {
        let error = Error::invalid(format!("{bounds} are no bounds"));
        error.with_hint("two of them, the lower first, each a number, `current` or `unbounded`")
    })
}
