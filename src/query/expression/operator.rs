//! The table of operators: name, arguments, and what computes the value.
//!
//! Not those that leave arguments out or evaluate them several times: they are parsed in `parse.rs`.

use super::operand::Operand;
use super::scope;
use super::{arithmetic, arrays, convert, dates, fold, sets, text};
use crate::error::Result;
use core::cell::Cell;

/// An operator that takes its arguments as values.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    nulls: Nulls,
    function: Function,
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

type Function = for<'a> fn(&mut Arguments<'a>) -> Result<Operand<'a>>;

/// Which arguments there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// In an array, at least and at most so many; where one is enough, it may stand without the array.
    List(usize, usize),
    /// By name, the first so many needed. Where the first alone is needed, it may be given without its name, as long as it
    /// is no object with these names.
    Named(&'static [&'static str], usize),
    /// As many as there are, or one alone, which may be an array of what is meant.
    Fold,
}

/// What becomes of null and missing arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    /// One of them (of the needed ones, where they have names) makes the value null.
    Spread,
    /// They are the function's business.
    Taken,
}

/// The arguments of one call, in the order of the table.
pub(super) struct Arguments<'a> {
    values: Vec<Operand<'a>>,
    steps: &'a Cell<usize>,
}

impl<'a> Arguments<'a> {
    pub(super) const fn new(values: Vec<Operand<'a>>, steps: &'a Cell<usize>) -> Self {
        Arguments { values, steps }
    }

    pub(super) fn all(&self) -> &[Operand<'a>] {
        &self.values
    }

    pub(super) fn take_all(&mut self) -> Vec<Operand<'a>> {
        core::mem::take(&mut self.values)
    }

    /// Missing beyond the last.
    pub(super) fn get(&self, place: usize) -> &Operand<'a> {
        const MISSING: &Operand<'static> = &Operand::Missing;
        self.values.get(place).unwrap_or(MISSING)
    }

    /// Taken out.
    pub(super) fn take(&mut self, place: usize) -> Operand<'a> {
        self.values.get_mut(place).map(core::mem::take).unwrap_or_default()
    }

    /// Whether it was given, and is not null.
    pub(super) fn has(&self, place: usize) -> bool {
        !self.get(place).is_null()
    }

    pub(super) fn integer_or(&self, place: usize, default: i64) -> Result<i64> {
        if self.has(place) { self.get(place).integer() } else { Ok(default) }
    }

    /// Takes steps for what is about to be made.
    pub(super) fn spend(&self, steps: usize) -> Result<()> {
        scope::take(self.steps, steps)
    }
}

impl Operator {
    pub(super) fn find(name: &str) -> Option<&'static Operator> {
        TABLE.iter().find(|operator| operator.name == name)
    }

    pub(super) fn call<'a>(&self, arguments: &mut Arguments<'a>) -> Result<Operand<'a>> {
        if self.nulls == Nulls::Spread {
            let needed = if let Takes::Named(_, needed) = self.takes { needed } else { usize::MAX };
            if arguments.values.iter().take(needed).any(Operand::is_null) {
                return Ok(Operand::NULL);
            }
        }
        (self.function)(arguments).map_err(|error| error.context(format!("`{}`", self.name)))
    }
}

const ANY: usize = usize::MAX;

const fn of(name: &'static str, takes: Takes, nulls: Nulls, function: Function) -> Operator {
    Operator { name, takes, nulls, function }
}

use Nulls::{Spread, Taken};
use Takes::{Fold, List, Named};

const DATE: Takes = Named(&["date", "timezone"], 1);
const STEP: Takes = Named(&["startDate", "unit", "amount", "timezone"], 3);
const TRIM: Takes = Named(&["input", "chars"], 1);
const REPLACE: Takes = Named(&["input", "find", "replacement"], 3);

#[rustfmt::skip]
static TABLE: &[Operator] = &[
    of("$add", List(0, ANY), Spread, arithmetic::add),
    of("$subtract", List(2, 2), Spread, arithmetic::subtract),
    of("$multiply", List(0, ANY), Spread, arithmetic::multiply),
    of("$divide", List(2, 2), Spread, arithmetic::divide),
    of("$mod", List(2, 2), Spread, arithmetic::remainder),
    of("$abs", List(1, 1), Spread, arithmetic::abs),
    of("$ceil", List(1, 1), Spread, arithmetic::ceil),
    of("$floor", List(1, 1), Spread, arithmetic::floor),
    of("$round", List(1, 2), Spread, arithmetic::round),
    of("$trunc", List(1, 2), Spread, arithmetic::trunc),
    of("$sqrt", List(1, 1), Spread, arithmetic::sqrt),
    of("$pow", List(2, 2), Spread, arithmetic::pow),
    of("$exp", List(1, 1), Spread, arithmetic::exp),
    of("$ln", List(1, 1), Spread, arithmetic::ln),
    of("$log", List(2, 2), Spread, arithmetic::log),
    of("$log10", List(1, 1), Spread, arithmetic::log10),
    of("$eq", List(2, 2), Taken, |of| Ok(compared(of)?.is_eq().into())),
    of("$ne", List(2, 2), Taken, |of| Ok(compared(of)?.is_ne().into())),
    of("$gt", List(2, 2), Taken, |of| Ok(compared(of)?.is_gt().into())),
    of("$gte", List(2, 2), Taken, |of| Ok(compared(of)?.is_ge().into())),
    of("$lt", List(2, 2), Taken, |of| Ok(compared(of)?.is_lt().into())),
    of("$lte", List(2, 2), Taken, |of| Ok(compared(of)?.is_le().into())),
    of("$cmp", List(2, 2), Taken, |of| Ok((compared(of)? as i64).into())),
    of("$not", List(1, 1), Taken, |of| Ok((!of.get(0).is_true()).into())),
    of("$concat", List(0, ANY), Spread, text::concat),
    of("$toLower", List(1, 1), Taken, text::to_lower),
    of("$toUpper", List(1, 1), Taken, text::to_upper),
    of("$substrCP", List(3, 3), Taken, text::substring),
    of("$strLenCP", List(1, 1), Taken, text::length),
    of("$split", List(2, 2), Spread, text::split),
    of("$trim", TRIM, Spread, |of| text::trim(of, (true, true))),
    of("$ltrim", TRIM, Spread, |of| text::trim(of, (true, false))),
    of("$rtrim", TRIM, Spread, |of| text::trim(of, (false, true))),
    of("$indexOfCP", List(2, 4), Taken, text::index_of),
    of("$replaceOne", REPLACE, Spread, |of| text::replace(of, 1)),
    of("$replaceAll", REPLACE, Spread, |of| text::replace(of, ANY)),
    of("$strcasecmp", List(2, 2), Taken, text::compare_folded),
    of("$size", List(1, 1), Spread, |of| Ok((of.get(0).array()?.len() as i64).into())),
    of("$isArray", List(1, 1), Taken, |of| Ok(of.get(0).array().is_ok().into())),
    of("$arrayElemAt", List(2, 2), Spread, arrays::element),
    of("$first", List(1, 1), Spread, |of| arrays::at(of, 0)),
    of("$last", List(1, 1), Spread, |of| arrays::at(of, -1)),
    of("$slice", List(2, 3), Spread, arrays::slice),
    of("$in", List(2, 2), Taken, arrays::contains),
    of("$concatArrays", List(0, ANY), Spread, arrays::concat),
    of("$reverseArray", List(1, 1), Spread, arrays::reverse),
    of("$range", List(2, 3), Taken, arrays::range),
    of("$indexOfArray", List(2, 4), Taken, arrays::index_of),
    of("$sortArray", Named(&["input", "sortBy"], 2), Spread, arrays::sort),
    of("$objectToArray", List(1, 1), Spread, arrays::from_object),
    of("$arrayToObject", List(1, 1), Spread, arrays::to_object),
    of("$mergeObjects", List(0, ANY), Taken, arrays::merge),
    of("$setUnion", List(0, ANY), Spread, sets::union),
    of("$setIntersection", List(0, ANY), Spread, sets::intersection),
    of("$setDifference", List(2, 2), Spread, sets::difference),
    of("$setEquals", List(2, ANY), Taken, sets::equals),
    of("$setIsSubset", List(2, 2), Taken, sets::is_subset),
    of("$anyElementTrue", List(1, 1), Taken, |of| sets::has(of, true)),
    of("$allElementsTrue", List(1, 1), Taken, |of| Ok((!sets::has(of, false)?.is_true()).into())),
    of("$year", DATE, Spread, |of| dates::part(of, "year")),
    of("$month", DATE, Spread, |of| dates::part(of, "month")),
    of("$dayOfMonth", DATE, Spread, |of| dates::part(of, "day")),
    of("$dayOfWeek", DATE, Spread, |of| dates::part(of, "weekday")),
    of("$dayOfYear", DATE, Spread, |of| dates::part(of, "yearday")),
    of("$isoDayOfWeek", DATE, Spread, |of| dates::part(of, "isoWeekday")),
    of("$isoWeek", DATE, Spread, |of| dates::part(of, "isoWeek")),
    of("$isoWeekYear", DATE, Spread, |of| dates::part(of, "isoYear")),
    of("$hour", DATE, Spread, |of| dates::part(of, "hour")),
    of("$minute", DATE, Spread, |of| dates::part(of, "minute")),
    of("$second", DATE, Spread, |of| dates::part(of, "second")),
    of("$millisecond", DATE, Spread, |of| dates::part(of, "millisecond")),
    of("$dateTrunc", Named(&["date", "unit", "binSize", "timezone", "startOfWeek"], 2), Spread, dates::truncate),
    of("$dateToString", Named(&["date", "format", "timezone", "onNull"], 1), Taken, dates::to_text),
    of("$dateFromString", Named(&["dateString", "timezone", "onError", "onNull"], 1), Taken, dates::from_text),
    of("$dateAdd", STEP, Spread, |of| dates::add(of, 1)),
    of("$dateSubtract", STEP, Spread, |of| dates::add(of, -1)),
    of("$dateDiff", Named(&["startDate", "endDate", "unit", "timezone", "startOfWeek"], 3), Spread, dates::difference),
    of("$toString", List(1, 1), Spread, |of| convert::to(of, "string")),
    of("$toInt", List(1, 1), Spread, |of| convert::to(of, "int")),
    of("$toLong", List(1, 1), Spread, |of| convert::to(of, "long")),
    of("$toDouble", List(1, 1), Spread, |of| convert::to(of, "double")),
    of("$toBool", List(1, 1), Spread, |of| convert::to(of, "bool")),
    of("$toDate", List(1, 1), Spread, |of| convert::to(of, "date")),
    of("$convert", Named(&["input", "to", "onError", "onNull"], 2), Taken, convert::convert),
    of("$type", List(1, 1), Taken, convert::type_of),
    of("$isNumber", List(1, 1), Taken, |of| Ok(of.get(0).number().is_ok().into())),
    of("$sum", Fold, Taken, |of| fold::of_call(of, "$sum")),
    of("$avg", Fold, Taken, |of| fold::of_call(of, "$avg")),
    of("$min", Fold, Taken, |of| fold::of_call(of, "$min")),
    of("$max", Fold, Taken, |of| fold::of_call(of, "$max")),
    of("$stdDevPop", Fold, Taken, |of| fold::of_call(of, "$stdDevPop")),
    of("$stdDevSamp", Fold, Taken, |of| fold::of_call(of, "$stdDevSamp")),
    of("$median", Named(&["input", "method"], 1), Taken, |of| fold::of_call(of, "$median")),
    of("$percentile", Named(&["input", "p", "method"], 2), Taken, |of| fold::of_call(of, "$percentile")),
];

fn compared(arguments: &Arguments<'_>) -> Result<core::cmp::Ordering> {
    arguments.get(0).compare(arguments.get(1))
}
