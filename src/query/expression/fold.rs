//! Folds: many values become one, in `$group`, in windows, and as an expression over an array.
//!
//! Not expressions: what is folded is given as values.
//!
//! Invariants: null and what is missing count for nothing, but in `$first`, `$last` and `$count`; what is missing is not
//! pushed; a fold that keeps values tells how many bytes it keeps.

use super::numeric::{Join, Numeric};
use super::operand::Operand;
use super::operator::Arguments;
use crate::error::{Error, Result};
use crate::query::weight;
use crate::value::{Value, View, key, order};
use std::collections::HashSet;

/// What is computed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    First,
    Last,
    Push,
    AddToSet,
    /// Of all, or estimated from a sample of more.
    Deviation {
        of_sample: bool,
    },
    Percentile(Vec<f64>),
    Median,
}

/// A fold under way.
#[derive(Debug)]
pub(crate) enum Fold {
    Sum(Numeric),
    Avg {
        sum: f64,
        count: f64,
    },
    /// Least or greatest.
    Extreme {
        best: Option<Value>,
        is_max: bool,
    },
    Count(usize),
    First(Option<Value>),
    Last(Value),
    Push(Vec<Value>),
    Set(Vec<Value>, HashSet<Vec<u8>>),
    /// By Welford: the mean, and the sum of squares of what differs from it.
    Deviation {
        of_sample: bool,
        count: f64,
        mean: f64,
        squares: f64,
    },
    Percentile {
        at: Vec<f64>,
        is_one: bool,
        numbers: Vec<f64>,
    },
}

impl Kind {
    /// The one with this name, where it needs nothing but a value.
    pub(crate) fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "$sum" => Kind::Sum,
            "$avg" => Kind::Avg,
            "$min" => Kind::Min,
            "$max" => Kind::Max,
            "$count" => Kind::Count,
            "$first" => Kind::First,
            "$last" => Kind::Last,
            "$push" => Kind::Push,
            "$addToSet" => Kind::AddToSet,
            "$stdDevPop" => Kind::Deviation { of_sample: false },
            "$stdDevSamp" => Kind::Deviation { of_sample: true },
            "$median" => Kind::Median,
            _ => return None,
        })
    }

    pub(crate) fn begin(&self) -> Fold {
        match self {
            Kind::Sum => Fold::Sum(Numeric::Float(0.0)),
            Kind::Avg => Fold::Avg { sum: 0.0, count: 0.0 },
            Kind::Min => Fold::Extreme { best: None, is_max: false },
            Kind::Max => Fold::Extreme { best: None, is_max: true },
            Kind::Count => Fold::Count(0),
            Kind::First => Fold::First(None),
            Kind::Last => Fold::Last(Value::Null),
            Kind::Push => Fold::Push(Vec::new()),
            Kind::AddToSet => Fold::Set(Vec::new(), HashSet::new()),
            Kind::Deviation { of_sample } => {
                Fold::Deviation { of_sample: *of_sample, count: 0.0, mean: 0.0, squares: 0.0 }
            }
            Kind::Percentile(at) => Fold::Percentile { at: at.clone(), is_one: false, numbers: Vec::new() },
            Kind::Median => Fold::Percentile { at: vec![0.5], is_one: true, numbers: Vec::new() },
        }
    }
}

impl Fold {
    /// Takes a value in. Answers how many bytes more are kept.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub(crate) fn push(&mut self, value: Option<View<'_>>) -> Result<usize> {
        match (self, value) {
            (Fold::Count(count), _) => *count += 1,
            (Fold::First(first), value) => {
                if first.is_none() {
                    return Ok(weight::of(first.insert(owned(value)?)));
                }
            }
            (Fold::Last(last), value) => return replace(last, owned(value)?),
            (Fold::Push(values), Some(value)) => {
                let value = value.to_value()?;
                let bytes = weight::of(&value);
                values.push(value);
                return Ok(bytes);
            }
            (Fold::Set(values, keys), Some(value)) => {
                let key = key::encode(value)?;
                let key_len = key.len();
                if keys.insert(key) {
                    let value = value.to_value()?;
                    let bytes = weight::of(&value) + key_len + 32;
                    values.push(value);
                    return Ok(bytes);
                }
            }
            (Fold::Extreme { .. } | Fold::Push(_) | Fold::Set(..), None | Some(View::Null)) | (_, None) => {}
            (Fold::Extreme { best, is_max }, Some(value)) => {
                let better = match best {
                    None => true,
                    Some(best) => match order::compare(value, (&*best).into())? {
                        core::cmp::Ordering::Less => !*is_max,
                        core::cmp::Ordering::Equal => false,
                        core::cmp::Ordering::Greater => *is_max,
                    },
                };
                if better {
                    return replace(best.get_or_insert(Value::Null), value.to_value()?);
                }
            }
            (fold, Some(value)) => {
                if let Some(number) = Numeric::of(value) {
                    return Ok(fold.push_number(number));
                }
            }
        }
        Ok(0)
    }

    /// Takes a number in, where that is what counts.
    pub(crate) fn push_number(&mut self, number: Numeric) -> usize {
        match self {
            Fold::Sum(Numeric::Float(sum)) if let Numeric::Float(number) = number => *sum += number,
            Fold::Sum(sum) => *sum = sum.join(Join::Add, number),
            Fold::Avg { sum, count } => {
                *sum += number.float();
                *count += 1.0;
            }
            Fold::Deviation { count, mean, squares, .. } => {
                *count += 1.0;
                let before = number.float() - *mean;
                *mean += before / *count;
                *squares += before * (number.float() - *mean);
            }
            Fold::Percentile { numbers, .. } => {
                numbers.push(number.float());
                return 8;
            }
            _ => {}
        }
        0
    }

    /// The same, to go on with beside; none where it keeps values.
    pub(crate) fn small_copy(&self) -> Option<Fold> {
        Some(match self {
            Fold::Sum(sum) => Fold::Sum(*sum),
            Fold::Avg { sum, count } => Fold::Avg { sum: *sum, count: *count },
            Fold::Extreme { best, is_max } => Fold::Extreme { best: best.clone(), is_max: *is_max },
            Fold::Count(count) => Fold::Count(*count),
            Fold::First(first) => Fold::First(first.clone()),
            Fold::Last(last) => Fold::Last(last.clone()),
            Fold::Deviation { of_sample, count, mean, squares } => {
                Fold::Deviation { of_sample: *of_sample, count: *count, mean: *mean, squares: *squares }
            }
            Fold::Push(_) | Fold::Set(..) | Fold::Percentile { .. } => return None,
        })
    }

    /// The result.
    pub(crate) fn finish(self) -> Value {
        let number = |number: f64| Numeric::Float(number).value();
        match self {
            Fold::Sum(sum) => sum.value(),
            Fold::Avg { count: 0.0, .. } => Value::Null,
            Fold::Avg { sum, count } => number(sum / count),
            Fold::Extreme { best, .. } => best.unwrap_or(Value::Null),
            Fold::Count(count) => Value::count(count),
            Fold::First(first) => first.unwrap_or(Value::Null),
            Fold::Last(last) => last,
            Fold::Push(values) | Fold::Set(values, _) => Value::Array(values),
            Fold::Deviation { of_sample, count, squares, .. } => {
                let of = if of_sample { count - 1.0 } else { count };
                if of > 0.0 { number((squares / of).max(0.0).sqrt()) } else { Value::Null }
            }
            Fold::Percentile { at, is_one, mut numbers } => {
                numbers.sort_unstable_by(f64::total_cmp);
                let mut values: Vec<Value> = at.iter().map(|at| percentile(&numbers, *at)).collect();
                if is_one { values.pop().unwrap_or(Value::Null) } else { Value::Array(values) }
            }
        }
    }
}

fn owned(value: Option<View<'_>>) -> Result<Value> {
    value.map_or(Ok(Value::Null), |value| value.to_value())
}

/// Bytes never count down: what is kept may have been more.
fn replace(place: &mut Value, value: Value) -> Result<usize> {
    let bytes = weight::of(&value).saturating_sub(weight::of(place));
    *place = value;
    Ok(bytes)
}

/// The least number that at least this part of them does not exceed.
fn percentile(numbers: &[f64], at: f64) -> Value {
    let rank = (at * numbers.len() as f64).ceil() as usize;
    numbers.get(rank.saturating_sub(1)).map_or(Value::Null, |number| Numeric::Float(*number).value())
}

/// Which parts `$percentile` asks for.
///
/// # Errors
/// `invalid` for what is no array of numbers within 0 and 1.
pub(crate) fn parse_parts(parts: &Value) -> Result<Vec<f64>> {
    let part = |part: &Value| match part {
        Value::Number(number) if (0.0..=1.0).contains(&number.get()) => Some(number.get()),
        _ => None,
    };
    let parts = parts.as_array().filter(|parts| !parts.is_empty());
    let parts = parts.and_then(|parts| parts.iter().map(part).collect::<Option<Vec<f64>>>());
    parts.ok_or_else(|| Error::invalid("`p` is no array of numbers within 0 and 1"))
}

/// As an expression: over the arguments, or where there is one and it is an array, over its elements.
pub(super) fn of_call<'a>(of: &mut Arguments<'a>, name: &str) -> Result<Operand<'a>> {
    let kind = match Kind::named(name) {
        Some(kind) => kind,
        None => Kind::Percentile(parse_parts(&of.take(1).into_value()?.unwrap_or(Value::Null))?),
    };
    let mut fold = kind.begin();
    let is_one = of.all().len() == 1 || matches!(kind, Kind::Median | Kind::Percentile(_));
    match of.get(0).or_null() {
        View::Array(elements) if is_one => {
            of.spend(elements.len())?;
            for element in elements.iter() {
                fold.push(Some(element?))?;
            }
        }
        first if is_one => _ = fold.push(Some(first))?,
        _ => {
            for argument in of.all() {
                fold.push(argument.view())?;
            }
        }
    }
    Ok(fold.finish().into())
}
