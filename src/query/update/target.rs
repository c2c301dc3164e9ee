//! Targets: the places of a document that a path of an update means.
//!
//! Not a path of a filter, which leads through arrays by itself: here `$[]` means every element, `$[name]` those that an
//! array filter lets through, and `$` the first one that by itself passes all that the filter of the documents asks of the
//! array.
//!
//! Invariant: places of one target are never in each other.

use super::array_filter::{ArrayFilter, ArrayFilters};
use crate::error::{Error, Result};
use crate::query::Filter;
use crate::query::filter::Test;
use crate::sorted;
use crate::value::path::Part;
use crate::value::{Name, Object, Path, Value, place};
use core::cmp::Ordering;
use core::fmt;
use std::borrow::Cow;

const ONE_ELEMENT_HINT: &str = "ask for one element with `$elemMatch`, or use `arrayFilters`";

/// What a path of an update means.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// One place.
    Place(Path),
    /// Places in elements of arrays.
    Elements(Name, Vec<Step>),
}

/// One step into a document.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Part(Part),
    /// `$[]`.
    Every,
    /// `$[name]`.
    Filtered(ArrayFilter),
    /// `$`.
    Matched(Filter),
}

impl Target {
    /// Reads a path.
    ///
    /// # Errors
    /// `invalid` where it is none, names an array filter that is not there, or an array that the filter says nothing of.
    pub(super) fn parse(text: &str, filters: &mut ArrayFilters, filter: &Filter) -> Result<Target> {
        let is_step = |part: &str| part == "$" || (part.starts_with("$[") && part.ends_with(']'));
        if !text.split('.').any(is_step) {
            return Path::parse(text).map(Target::Place);
        }
        // What is checked of a path, is checked with numbers in the place of these steps.
        let plain: Vec<&str> = text.split('.').map(|part| if is_step(part) { "0" } else { part }).collect();
        let path = Path::parse(&plain.join("."))?;
        let mut steps: Vec<Step> = Vec::with_capacity(plain.len());
        let mut before = 0;
        for (name, part) in text.split('.').zip(path.parts()) {
            if before == 0 && is_step(name) {
                return Err(Error::invalid(format!("path `{text}`: `{name}` stands behind no array")));
            }
            steps.push(match name.strip_prefix('$') {
                Some("") if steps.iter().all(|step| matches!(step, Step::Part(_))) => {
                    let array = text.get(..before - 1).unwrap_or_default();
                    Step::Matched(of_element(filter, &Path::parse(array)?)?)
                }
                Some("") => return Err(Error::invalid(format!("path `{text}`: `$` stands behind another `$`"))),
                Some("[]") => Step::Every,
                Some(name) => Step::Filtered(filters.take(name.get(1..name.len() - 1).unwrap_or_default())?),
                None => Step::Part(part.clone()),
            });
            before += name.len() + 1;
        }
        Ok(Target::Elements(text.into(), steps))
    }

    /// Whether it is one place, whatever the document.
    pub(super) const fn is_place(&self) -> bool {
        matches!(self, Target::Place(_))
    }

    /// The last name in it.
    pub(super) fn last_name(&self) -> Name {
        let name = match self {
            Target::Place(path) => path.parts().last().map(|part| part.name.clone()),
            Target::Elements(_, steps) => steps.iter().rev().find_map(|step| match step {
                Step::Part(part) => Some(part.name.clone()),
                _ => None,
            }),
        };
        name.unwrap_or_else(|| "element".into())
    }

    /// Whether both mean one place, or one of them a place in the other's, whatever the document.
    pub(super) fn overlaps(&self, other: &Target) -> bool {
        match (self, other) {
            (Target::Place(one), Target::Place(other)) => one.overlaps(other),
            _ => {
                let (one, other) = (self.to_string(), other.to_string());
                one.split('.').zip(other.split('.')).all(|(one, other)| one == other)
            }
        }
    }

    /// The places in this document.
    ///
    /// # Errors
    /// `invalid` where there is no array that elements are meant of, or `$` finds none.
    pub(super) fn places<'a>(&'a self, document: &Object) -> Result<Vec<Cow<'a, Path>>> {
        match self {
            Target::Place(path) => Ok(vec![Cow::Borrowed(path)]),
            Target::Elements(text, steps) => {
                let mut search = Search { text, way: String::new(), found: Vec::new() };
                if let Some((Step::Part(first), rest)) = steps.split_first() {
                    search.enter(&first.name, document.get(&first.name), rest)?;
                }
                Ok(search.found.into_iter().map(Cow::Owned).collect())
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Place(path) => path.as_str(),
            Target::Elements(text, _) => text,
        })
    }
}

/// A way through a document.
struct Search<'t> {
    text: &'t str,
    way: String,
    found: Vec<Path>,
}

impl Search<'_> {
    fn follow(&mut self, value: Option<&Value>, steps: &[Step]) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else {
            self.found.push(Path::parse(&self.way)?);
            return Ok(());
        };
        if let Step::Part(part) = step {
            let next = value.and_then(|value| place::part(value, part));
            return self.enter(&part.name, next, rest);
        }
        let Some(Value::Array(elements)) = value else {
            let what = value.map_or("missing", Value::type_name);
            return Err(Error::invalid(format!(
                "cannot update `{}`: `{}` is {what}, not an array",
                self.text, self.way
            )));
        };
        let mut is_met = false;
        for (index, element) in elements.iter().enumerate() {
            let goes = match step {
                Step::Filtered(filter) => filter.matches(element)?,
                Step::Matched(filter) => !is_met && filter.holds(element.into())?,
                _ => true,
            };
            if goes {
                is_met = true;
                self.enter(&index.to_string(), Some(element), rest)?;
            }
        }
        if !is_met && matches!(step, Step::Matched(_)) {
            let message = format!("cannot update `{}`: no element of `{}` matches by itself", self.text, self.way);
            return Err(
                Error::invalid(message).with_hint("ask for one element with `$elemMatch`, or use `arrayFilters`")
            );
        }
        Ok(())
    }

    fn enter(&mut self, name: &str, value: Option<&Value>, rest: &[Step]) -> Result<()> {
        let length = self.way.len();
        if length > 0 {
            self.way.push('.');
        }
        self.way.push_str(name);
        self.follow(value, rest)?;
        self.way.truncate(length);
        Ok(())
    }
}

/// What the filter asks of one element of this array.
fn of_element(filter: &Filter, array: &Path) -> Result<Filter> {
    let mut all = Vec::new();
    for conjunct in filter.conjuncts() {
        all.extend(asked(conjunct, array)?);
    }
    if all.is_empty() {
        let message = format!("`{array}.$` has no meaning: the filter asks nothing of an element of `{array}`");
        return Err(Error::invalid(message).with_hint(ONE_ELEMENT_HINT));
    }
    Ok(Filter::All(all))
}

/// What a part of the filter asks of one element, where it asks that and nothing else.
fn asked(filter: &Filter, array: &Path) -> Result<Option<Filter>> {
    let each = |filters: &[Filter]| -> Result<Option<Vec<Filter>>> {
        filters.iter().map(|filter| asked(filter, array)).collect::<Result<Option<Vec<Filter>>>>()
    };
    Ok(match filter {
        Filter::All(filters) => each(filters)?.map(Filter::All),
        Filter::Any(filters) => each(filters)?.map(Filter::Any),
        Filter::Not(filter) => asked(filter, array)?.map(|filter| Filter::Not(Box::new(filter))),
        Filter::Field(path, test) => {
            let (own, of) = (array.parts(), path.parts());
            let rest: Vec<&str> = of.iter().skip(own.len()).map(|part| &*part.name).collect();
            match test {
                _ if !of.starts_with(own) => None,
                _ if !rest.is_empty() => Some(Filter::Field(Path::parse(&rest.join("."))?, test.clone())),
                // Of the array as a whole.
                Test::Size(_) | Test::Exists(_) => None,
                Test::Element(element) => Some(element.filter()),
                test => Some(Filter::Itself(test.clone())),
            }
        }
        Filter::Expression(_) | Filter::Text(_) | Filter::Itself(_) => None,
    })
}

/// # Errors
/// `invalid` where one place is another, or lies in it.
pub(super) fn check_apart<'p>(places: impl Iterator<Item = &'p Cow<'p, Path>>) -> Result<()> {
    let places: Vec<&Path> = places.map(AsRef::as_ref).collect();
    let compare = |left: usize, right: usize| match (places.get(left), places.get(right)) {
        (Some(left), Some(right)) => left.parts().cmp(right.parts()),
        _ => Ordering::Equal,
    };
    // A place comes right before those that lie in it.
    let order = sorted::order(places.len(), &mut { compare });
    for pair in order.windows(2) {
        if let [one, other] = pair
            && let (Some(one), Some(other)) = (places.get(*one), places.get(*other))
            && one.overlaps(other)
        {
            return Err(Error::invalid(format!("updates of `{one}` and `{other}` are in conflict")));
        }
    }
    Ok(())
}
