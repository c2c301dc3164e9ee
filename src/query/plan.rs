//! Plans: which keys to read for a filter and a sort, and what is left to do with what they give.
//!
//! Not execution, and not statistics: the choice goes by what the filter says, so that the same question always gives
//! the same plan.
//!
//! Invariants: every document that matches lies within the access; a document that an index may give several times is
//! deduplicated; an order is claimed only where the keys have it for every document.

use crate::error::Result;
use crate::query::bounds::{Binding, Bounds, IndexField, bounds};
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::value::{Direction, KeyRange, Name, Object, Path, Value};
use core::fmt;

/// What planning knows of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexFacts {
    /// Its name.
    pub name: Name,
    /// Its fields, the most important first.
    pub fields: Vec<Path>,
    /// Documents in which all the fields are missing have no entry.
    pub sparse: bool,
    /// One bit for each field (the first is bit 0): some document had an array there, and an entry for each element.
    pub multi: u16,
}

impl IndexFacts {
    fn is_multi(&self, place: usize) -> bool {
        self.multi >> place & 1 == 1
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What must hold.
    pub filter: &'a Filter,
    /// In which order the answer stands.
    pub sort: &'a Sort,
    /// Whether only the first documents are wanted: then an index that gives the order is worth reading for that alone.
    pub first_only: bool,
    /// The fields of the primary key.
    pub key_fields: &'a [Path],
    /// The indexes that are ready.
    pub indexes: &'a [IndexFacts],
}

/// How documents are found. Keys and ranges stand without the prefix of their space; ranges ascending and apart.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// Nothing can match.
    Nothing,
    /// By whole primary keys, in the order in which they are to be read.
    Keys(Vec<Vec<u8>>),
    /// By ranges of the primary key.
    Primary(Vec<KeyRange>),
    /// By ranges of an index.
    Index {
        /// Its name.
        name: Name,
        /// Ranges of its keys: the values of its fields, then the primary key.
        ranges: Vec<KeyRange>,
        /// Whether a document may come several times.
        dedupe: bool,
    },
    /// By reading every document.
    Scan,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How documents are found.
    pub access: Access,
    /// Which way the keys are read.
    pub direction: Direction,
    /// What is left to ask of each document.
    pub residual: Filter,
    /// Whether documents come in the order of the sort.
    pub sorted: bool,
    /// The bounds, for people; empty where there are none.
    pub bounds: String,
}

/// Chooses how to answer.
///
/// # Errors
/// `limit` where a value of the filter is too long for a key.
pub fn plan(question: &Question<'_>) -> Result<Plan> {
    let conjuncts = question.filter.conjuncts();
    let primary = Candidate::new(None, question, &conjuncts)?;
    let mut best = primary;
    for index in question.indexes {
        if index.sparse && !excludes_missing(index, &conjuncts) {
            continue;
        }
        let candidate = Candidate::new(Some(index), question, &conjuncts)?;
        if candidate.score(question) > best.score(question) {
            best = candidate;
        }
    }
    Ok(best.into_plan(question, &conjuncts))
}

/// Whether every document that matches has an entry in the sparse index.
fn excludes_missing(index: &IndexFacts, conjuncts: &[&Filter]) -> bool {
    conjuncts.iter().any(|conjunct| match conjunct {
        Filter::Field(path, test) => index.fields.contains(path) && test.excludes_missing(),
        _ => false,
    })
}

/// One way to answer: by an index, or (`None`) by the primary key.
struct Candidate<'a> {
    index: Option<&'a IndexFacts>,
    key_len: usize,
    bounds: Bounds,
    // None where the keys do not have the order that is asked for.
    order: Option<Direction>,
}

impl<'a> Candidate<'a> {
    fn new(index: Option<&'a IndexFacts>, question: &Question<'a>, conjuncts: &[&Filter]) -> Result<Self> {
        // An entry ends with the primary key, whose fields bind and order as the index's own do.
        let mut fields: Vec<IndexField<'_>> = Vec::new();
        if let Some(index) = index {
            let own = index.fields.iter().enumerate();
            fields.extend(own.map(|(place, path)| IndexField { path, multi: index.is_multi(place) }));
        }
        fields.extend(question.key_fields.iter().map(|path| IndexField { path, multi: false }));
        let bounds = bounds(&fields, conjuncts)?;
        let order = order(&fields, &bounds, question.sort);
        Ok(Candidate { index, key_len: question.key_fields.len(), bounds, order })
    }

    /// Fields bound to values count most, then a range, then the order (which alone is no reason to read an index, unless
    /// few documents are wanted). The primary key
    /// wins where all else is equal, for its entries are the documents.
    fn score(&self, question: &Question<'_>) -> usize {
        let points = self.bounds.points();
        let ranged = usize::from(self.bounds.bindings.len() > points);
        let is_read_anyway = question.first_only || self.bounds.is_bound();
        let ordered = usize::from(self.order.is_some() && is_read_anyway && !question.sort.is_none());
        let whole_key = usize::from(self.index.is_none() && points == self.key_len);
        whole_key * 10_000 + points * 100 + ranged * 40 + ordered * 30 + usize::from(self.index.is_none()) * 5
    }

    fn into_plan(self, question: &Question<'_>, conjuncts: &[&Filter]) -> Plan {
        let direction = self.order.unwrap_or_default();
        let sorted = self.order.is_some();
        let points = self.bounds.points();
        let left = conjuncts.iter().enumerate().filter(|(place, _)| !self.bounds.used.contains(place));
        let residual = Filter::All(left.map(|(_, conjunct)| (*conjunct).clone()).collect());
        let access = match self.index {
            _ if self.bounds.ranges.is_empty() => Access::Nothing,
            Some(index) => {
                Access::Index { name: index.name.clone(), dedupe: self.repeats(index), ranges: self.bounds.ranges }
            }
            None if points == self.key_len => {
                let mut keys: Vec<_> = self.bounds.ranges.into_iter().map(|range| range.start).collect();
                if direction == Direction::Descending {
                    keys.reverse();
                }
                Access::Keys(keys)
            }
            None if self.bounds.is_bound() => Access::Primary(self.bounds.ranges),
            None if sorted && !question.sort.is_none() => Access::Primary(self.bounds.ranges),
            None => Access::Scan,
        };
        Plan { access, direction, residual, sorted, bounds: self.bounds.text.join(", ") }
    }

    /// Whether a document may have several entries within the bounds: not where each field that may have several is
    /// bound to one value.
    fn repeats(&self, index: &IndexFacts) -> bool {
        let bound = |place: usize| self.bounds.bindings.get(place) == Some(&Binding::Point);
        (0..index.fields.len()).any(|place| index.is_multi(place) && !bound(place))
    }
}

/// The direction in which keys with these fields have the order of the sort, if they have it.
fn order(fields: &[IndexField<'_>], bounds: &Bounds, sort: &Sort) -> Option<Direction> {
    let is_point = |place: usize| bounds.bindings.get(place) == Some(&Binding::Point);
    let constant = |path: &Path| {
        let mut places = fields.iter().enumerate();
        places.any(|(place, field)| field.path == path && is_point(place) && !field.multi)
    };
    let mut direction = None;
    let mut place = 0;
    for (path, wanted) in sort.fields() {
        if constant(path) {
            continue;
        }
        while is_point(place) {
            place += 1;
        }
        let Some(field) = fields.get(place) else { break };
        // An array sorts by its least or greatest element, which need not be the one within the bounds.
        if field.path != path || field.multi || *direction.get_or_insert(*wanted) != *wanted {
            return None;
        }
        place += 1;
    }
    Some(direction.unwrap_or_default())
}

impl Plan {
    /// The plan as the answer of `explain`.
    #[must_use]
    pub fn explain(&self) -> Object {
        let kind = match self.access {
            Access::Nothing | Access::Keys(_) => "key",
            Access::Primary(_) => "primary",
            Access::Index { .. } => "index",
            Access::Scan => "scan",
        };
        let mut explained = Object::from([("plan", kind.into())]);
        if let Access::Index { name, .. } = &self.access {
            explained.set("index", Value::from(&**name));
        }
        if !self.bounds.is_empty() {
            explained.set("bounds", Value::from(&*self.bounds));
        }
        explained.set("sorted", self.sorted.into());
        explained.set("residual", (!self.residual.is_all()).into());
        explained
    }
}

impl fmt::Display for Plan {
    /// `index site_ts [site = "x"] descending, dedupe, sort, filter`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.access {
            Access::Nothing => write!(f, "nothing")?,
            Access::Keys(keys) => write!(f, "{} key(s)", keys.len())?,
            Access::Primary(_) => write!(f, "primary")?,
            Access::Index { name, .. } => write!(f, "index {name}")?,
            Access::Scan => write!(f, "scan")?,
        }
        if !self.bounds.is_empty() {
            write!(f, " [{}]", self.bounds)?;
        }
        if self.direction == Direction::Descending {
            write!(f, " descending")?;
        }
        if matches!(self.access, Access::Index { dedupe: true, .. }) {
            write!(f, ", dedupe")?;
        }
        write!(f, "{}", if self.sorted { "" } else { ", sort" })?;
        write!(f, "{}", if self.residual.is_all() { "" } else { ", filter" })
    }
}

#[cfg(test)]
mod tests;
