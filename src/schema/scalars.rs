//! What a schema says of a value itself, without its parts.
//!
//! Not of numbers only: a keyword says nothing about values of a type that it does not speak of.

use crate::error::Result;
use crate::schema::equality;
use crate::schema::program::{Choice, Limit, Measure, Operation, Types};
use crate::schema::run::{Run, Scope};
use crate::schema::violation::{Listed, Shown};
use crate::value::{Number, Value, View, order};
use core::cmp::Ordering;
use core::fmt;

impl Run<'_> {
    /// Whether a value passes an operation of this file; every value passes the others.
    pub(super) fn holds(&mut self, operation: &Operation, value: &View<'_>) -> Result<bool> {
        Ok(match (operation, value) {
            (Operation::Never, _) => false,
            (Operation::Type(types), value) => types.has(value),
            (Operation::OneOf(choice), value) => choice.has(value)?,
            (Operation::Limit(limit, bound), value) => limit.holds(value, *bound)?,
            (Operation::MultipleOf(divisor), value) => divisor.divides(value),
            (Operation::Count(measure, bound), value) => match measure.count(value, *bound) {
                Some(count) if measure.is_least() => count >= *bound,
                Some(count) => count <= *bound,
                None => true,
            },
            (Operation::Pattern(pattern), View::String(text)) => pattern.matches(text, &mut self.steps)?,
            _ => true,
        })
    }

    pub(super) fn scalar(&mut self, operation: &Operation, value: &View<'_>, here: &Scope<'_>) -> Result<bool> {
        Ok(self.holds(operation, value)? || (!self.is_silent() && self.fail_scalar(operation, value, here)))
    }

    fn fail_scalar(&mut self, operation: &Operation, value: &View<'_>, here: &Scope<'_>) -> bool {
        let shown = Shown(value);
        match operation {
            Operation::Type(types) => self.fail(here, "type", format_args!("is {shown}, not of type {types}")),
            Operation::OneOf(choice) => self.fail_choice(choice, value, here),
            Operation::Limit(limit, bound) => self.fail_limit(*limit, *bound, value, here),
            Operation::MultipleOf(divisor) => {
                let number = Value::number(divisor.number()).unwrap_or(Value::Null);
                self.fail(here, "multipleOf", format_args!("is {shown}, no multiple of {number}"))
            }
            Operation::Count(measure, bound) => self.fail_count(*measure, *bound, value, here),
            Operation::Pattern(pattern) => {
                let source = pattern.source();
                self.fail(here, "pattern", format_args!("is {shown}, which does not match the pattern `{source}`"))
            }
            _ => {
                let keyword = here.node.keyword;
                let reason = match keyword {
                    "additionalProperties" | "unevaluatedProperties" => "is a field that the schema does not have",
                    "items" | "unevaluatedItems" => "is an element too many",
                    _ => "must not be there",
                };
                self.fail(here, keyword, format_args!("{reason}"))
            }
        }
    }

    fn fail_choice(&mut self, choice: &Choice, value: &View<'_>, here: &Scope<'_>) -> bool {
        let word = if choice.keyword == "const" { "not" } else { "none of" };
        let (shown, listed) = (Shown(value), Listed(&choice.values));
        self.fail(here, choice.keyword, format_args!("is {shown}, {word} {listed}"))
    }

    fn fail_limit(&mut self, limit: Limit, bound: Number, value: &View<'_>, here: &Scope<'_>) -> bool {
        let (keyword, words) = match limit {
            Limit::Minimum => ("minimum", "below the minimum"),
            Limit::ExclusiveMinimum => ("exclusiveMinimum", "not above"),
            Limit::Maximum => ("maximum", "above the maximum"),
            Limit::ExclusiveMaximum => ("exclusiveMaximum", "not below"),
        };
        self.fail(here, keyword, format_args!("is {}, {words} {}", Shown(value), Value::Number(bound)))
    }

    fn fail_count(&mut self, measure: Measure, bound: usize, value: &View<'_>, here: &Scope<'_>) -> bool {
        let (keyword, unit) = match measure {
            Measure::MinLength => ("minLength", "characters"),
            Measure::MaxLength => ("maxLength", "characters"),
            Measure::MinItems => ("minItems", "elements"),
            Measure::MaxItems => ("maxItems", "elements"),
            Measure::MinProperties => ("minProperties", "fields"),
            Measure::MaxProperties => ("maxProperties", "fields"),
        };
        let word = if measure.is_least() { "fewer" } else { "more" };
        let count = measure.count(value, bound).unwrap_or_default();
        self.fail(here, keyword, format_args!("has {count} {unit}, {word} than {bound}"))
    }
}

impl Measure {
    const fn is_least(self) -> bool {
        matches!(self, Measure::MinLength | Measure::MinItems | Measure::MinProperties)
    }

    /// How many there are; none where the value has none of them. What is certainly within the bound need not be exact.
    fn count(self, value: &View<'_>, bound: usize) -> Option<usize> {
        match (self, value) {
            (Measure::MinLength, View::String(text)) => Some(text.chars().count()),
            (Measure::MaxLength, View::String(text)) => Some(characters(text, bound)),
            (Measure::MinItems | Measure::MaxItems, View::Array(array)) => Some(array.len()),
            (Measure::MinProperties | Measure::MaxProperties, View::Object(object)) => Some(object.len()),
            _ => None,
        }
    }
}

/// How many characters a text has, or its bytes, where even they are not too many.
fn characters(text: &str, most: usize) -> usize {
    if text.len() <= most { text.len() } else { text.chars().count() }
}

impl Choice {
    fn has(&self, value: &View<'_>) -> Result<bool> {
        if !matches!(value, View::Array(_) | View::Object(_)) {
            return equality::among(value, &self.values, &self.scalars);
        }
        for place in &self.others {
            if let Some(candidate) = self.values.get(*place)
                && equality::equal(value, &candidate.into())?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Limit {
    fn holds(self, value: &View<'_>, bound: Number) -> Result<bool> {
        let ordering = match value {
            // Neither is NaN.
            View::Number(number) => number.get().partial_cmp(&bound.get()).unwrap_or(Ordering::Equal),
            View::BigInt(_) => order::compare(*value, View::Number(bound))?,
            _ => return Ok(true),
        };
        Ok(match self {
            Limit::Minimum => ordering.is_ge(),
            Limit::ExclusiveMinimum => ordering == Ordering::Greater,
            Limit::Maximum => ordering.is_le(),
            Limit::ExclusiveMaximum => ordering == Ordering::Less,
        })
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for (bit, name) in Types::NAMES.iter().enumerate() {
            if self.0 & 1 << bit != 0 {
                write!(f, "{}{name}", if is_first { "" } else { " or " })?;
                is_first = false;
            }
        }
        Ok(())
    }
}
