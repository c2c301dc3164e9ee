//! Costs: what a way to answer is expected to take.
//!
//! Not a clock: a unit is about a microsecond natively, where blocks are in memory, and only the ratios matter: a document
//! that is looked up by its key costs many times what it costs in a scan. The constants are what
//! `cargo run --profile bench --features simulation --example cost` prints, rounded; `... --example cost -- plans` compares what
//! they choose with the best of one index or none (`tests/bench/native/cost.rs`). Unpacking the blocks of a scan costs it
//! 0.3 a document more; that is in none of them, for a database that fits into memory is unpacked once.
//!
//! Invariant: the same estimates give the same cost. Fields are taken to be independent of each other and of the order,
//! which is not so: a walk that hopes to find what it wants early is taken to need twice as long.

use super::candidate::{Candidate, holds_fields};
use super::{IndexFacts, MEMBERS_MAX, Question, Sorting, Wants};
use crate::query::bounds::{IndexField, bounds};
use crate::query::filter::{Filter, Test};
use crate::value::KeyRange;

/// To begin with a range.
const SEEK: f64 = 9.0;
/// To begin with a range whose entries are merged with those of others, more than that.
const MERGE: f64 = 10.0;
/// To pass an entry of an index.
const ENTRY: f64 = 0.06;
/// To ask something of an entry.
const ASK_ENTRY: f64 = 0.07;
/// To pass a document in a scan.
const SCAN: f64 = 0.12;
/// To ask something of a document.
const ASK: f64 = 0.18;
/// To look up a document by its key.
const LOOK_UP: f64 = 2.0;
/// To gather something that is to be sorted.
const GATHER: f64 = 0.6;
/// To remember which documents were seen.
const DEDUPE: f64 = 0.3;
/// To ask whether a document is among those that were remembered.
const PROBE: f64 = 0.15;
/// Less than this does not matter.
const TRIFLE: f64 = 60.0;
/// Which part of what begins as a pattern does matches it.
const NARROWED: f64 = 0.5;
/// What costs less by one index is not worth reading two.
const TWO_INDEXES: f64 = 300.0;
/// How much longer a walk may take than it is hoped.
const HOPE: f64 = 2.0;
/// Ranges that are estimated one by one; of more, so many are taken for all: each estimate takes microseconds itself.
const RANGES_ASKED_MAX: usize = 8;

/// What is known of how much there is.
pub trait Statistics {
    /// Documents of the collection, roughly.
    fn documents(&self) -> f64;
    /// Documents whose primary key lies in the range, roughly.
    fn documents_in(&self, range: &KeyRange) -> f64;
    /// Entries of an index in the range, roughly.
    fn entries_in(&self, index: &IndexFacts, range: &KeyRange) -> f64;
}

/// Nothing is known: all ways cost next to nothing.
pub(crate) struct Unknown;

impl Statistics for Unknown {
    fn documents(&self) -> f64 {
        0.0
    }

    fn documents_in(&self, _: &KeyRange) -> f64 {
        0.0
    }

    fn entries_in(&self, _: &IndexFacts, _: &KeyRange) -> f64 {
        0.0
    }
}

/// What an answer is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Keys that are passed: entries of an index, or documents in a scan.
    pub keys: f64,
    /// Documents that are looked at.
    pub documents: f64,
    /// All together, in units of about a microsecond.
    pub total: f64,
}

impl Cost {
    /// Whether what two indexes tell together is worth reading both: it hangs on two estimates, and costs much where one
    /// of them is wrong.
    pub(super) fn is_worth_it_beside(self, alone: Cost) -> bool {
        alone.total > TWO_INDEXES && self.total * HOPE < alone.total
    }

    /// What plans are compared by.
    #[must_use]
    pub(super) fn rank(self) -> f64 {
        self.total.max(TRIFLE)
    }

    /// Adds that of something done as well.
    pub(super) fn add(&mut self, other: Cost) {
        self.keys += other.keys;
        self.documents += other.documents;
        self.total += other.total;
    }

    pub(super) fn gathering(items: f64) -> f64 {
        items * GATHER
    }
}

/// What a candidate costs.
pub(super) fn of(
    candidate: &Candidate<'_>,
    question: &Question<'_>,
    conjuncts: &[&Filter],
    statistics: &dyn Statistics,
) -> Cost {
    let ranges = &candidate.bounds.ranges;
    let within = within(candidate, statistics);
    let part = |place: usize| match conjuncts.get(place) {
        // The bounds are of it already.
        _ if candidate.bounds.narrowing.contains(&place) => NARROWED,
        Some(filter) => selectivity(filter, question, statistics),
        None => 1.0,
    };
    let asked: f64 = candidate.asked.iter().map(|(place, _)| part(*place)).product();
    let left = candidate.left(conjuncts.len());
    let matching = asked * left.iter().map(|place| part(*place)).product::<f64>();
    let mut passed = within;
    if let Some(first) = question.first.filter(|_| candidate.sorting != Sorting::Gather) {
        let hope = if matching < 1.0 { HOPE } else { 1.0 };
        passed = passed.min(first as f64 * hope / matching.max(1e-9));
    }
    let mut cost = Cost { keys: passed, documents: 0.0, total: SEEK * ranges.len() as f64 };
    if matches!(candidate.sorting, Sorting::Merge(_)) {
        cost.total += MERGE * ranges.len() as f64;
    }
    let found = passed * asked;
    if candidate.index.is_none() {
        cost.documents = passed;
        cost.total += passed * if candidate.is_by_key() { LOOK_UP } else { SCAN };
    } else {
        let is_covered = left.is_empty() && (question.wants == Wants::Keys || sorts_by_entries(candidate, question));
        let holds_fields = candidate.index.is_some_and(|index| holds_fields(index, question));
        cost.documents = match question.first {
            _ if !is_covered => found,
            _ if holds_fields => 0.0,
            Some(first) if question.wants == Wants::Documents => found.min(first as f64),
            _ if question.wants == Wants::Documents => found,
            _ => 0.0,
        };
        cost.total += passed * ENTRY + cost.documents * LOOK_UP;
        cost.total += passed * ASK_ENTRY * if candidate.asked.is_empty() { 0.0 } else { 1.0 };
        cost.total += found * DEDUPE * f64::from(candidate.index.is_some_and(|index| candidate.repeats(index)));
    }
    if !left.is_empty() {
        cost.total += cost.documents * ASK;
    }
    if candidate.sorting == Sorting::Gather {
        cost.total += Cost::gathering(passed * matching);
    }
    cost
}

/// Keys within the bounds of a candidate.
fn within(candidate: &Candidate<'_>, statistics: &dyn Statistics) -> f64 {
    let ranges = &candidate.bounds.ranges;
    match candidate.index {
        Some(index) => sum(ranges, &|range| statistics.entries_in(index, range)),
        None if candidate.is_by_key() => ranges.len() as f64,
        None => sum(ranges, &|range| statistics.documents_in(range)),
    }
}

/// What a candidate costs whose entries are asked whether another has their keys too; `alone` is what it costs by itself.
/// None where the other knows nothing more, or too much.
pub(super) fn of_both(
    candidate: &Candidate<'_>,
    other: &Candidate<'_>,
    alone: Cost,
    (question, conjuncts): (&Question<'_>, &[&Filter]),
    statistics: &dyn Statistics,
) -> Option<Cost> {
    let is_known = |place: &usize| {
        candidate.bounds.used.contains(place) || candidate.asked.iter().any(|(asked, _)| asked == place)
    };
    let told = other.bounds.used.iter().chain(&other.bounds.narrowing);
    let more: Vec<usize> = told.copied().filter(|place| !is_known(place)).collect();
    let members = within(other, statistics);
    if other.index.is_none() || more.is_empty() || members > MEMBERS_MAX as f64 {
        return None;
    }
    let part = |place: &usize| conjuncts.get(*place).map_or(1.0, |filter| selectivity(filter, question, statistics));
    let documents = alone.documents * more.iter().map(part).product::<f64>();
    let gathered = SEEK * other.bounds.ranges.len() as f64 + members * (ENTRY + DEDUPE);
    let spared = (alone.documents - documents) * (LOOK_UP + ASK);
    Some(Cost { keys: alone.keys + members, documents, total: alone.total + alone.keys * PROBE + gathered - spared })
}

/// Whether entries tell the order, so that only documents are looked up that are given out.
fn sorts_by_entries(candidate: &Candidate<'_>, question: &Question<'_>) -> bool {
    let Some(index) = candidate.index else { return false };
    candidate.sorting != Sorting::Gather
        || question.sort.fields().iter().all(|(path, _)| {
            let own = index.fields.iter().position(|field| field == path);
            own.map_or_else(|| question.key_fields.contains(path), |place| !index.is_multi(place))
        })
}

fn sum(ranges: &[KeyRange], each: &dyn Fn(&KeyRange) -> f64) -> f64 {
    let step = ranges.len().div_ceil(RANGES_ASKED_MAX).max(1);
    let sum: f64 = ranges.iter().step_by(step).map(each).sum();
    sum * ranges.len() as f64 / ranges.len().div_ceil(step).max(1) as f64
}

/// Which part of the documents passes: by an index that begins with the field, else a guess.
pub(super) fn selectivity(filter: &Filter, question: &Question<'_>, statistics: &dyn Statistics) -> f64 {
    let of = |filter: &Filter| selectivity(filter, question, statistics);
    match filter {
        Filter::All(filters) => filters.iter().map(of).product(),
        Filter::Any(filters) => filters.iter().map(of).sum::<f64>().min(1.0),
        Filter::Not(filter) => (1.0 - of(filter)).clamp(0.1, 1.0),
        Filter::Itself(_) | Filter::Expression(_) | Filter::Text(_) => 0.5,
        Filter::Field(path, test) => {
            let known = question.indexes.iter().find(|index| !index.sparse && index.fields.first() == Some(path));
            known.and_then(|index| measured(filter, index, statistics)).unwrap_or_else(|| guessed(test))
        }
    }
}

fn measured(filter: &Filter, index: &IndexFacts, statistics: &dyn Statistics) -> Option<f64> {
    let path = index.fields.first()?;
    let all = statistics.entries_in(index, &KeyRange::all());
    let negated = match filter {
        Filter::Field(path, Test::Ne(value)) => Some(Filter::Field(path.clone(), Test::Eq(value.clone()))),
        Filter::Field(path, Test::Nin(values)) => Some(Filter::Field(path.clone(), Test::In(values.clone()))),
        _ => None,
    };
    let found = bounds(&[IndexField { path, multi: index.is_multi(0) }], &[negated.as_ref().unwrap_or(filter)]).ok()?;
    if all < 1.0 || !found.is_bound() {
        return None;
    }
    let part = sum(&found.ranges, &|range| statistics.entries_in(index, range)) / all;
    let part = if negated.is_some() { 1.0 - part } else { part };
    Some(part.clamp(0.5 / all, 1.0))
}

fn guessed(test: &Test) -> f64 {
    match test {
        Test::Eq(_) | Test::Element(_) | Test::Size(_) | Test::Mod(..) => 0.1,
        Test::In(values) => (values.len() as f64 * 0.1).min(0.5),
        Test::Pattern(pattern) if pattern.prefix().is_some() => 0.1,
        Test::Ne(_) | Test::Nin(_) => 0.9,
        Test::Exists(exists) => {
            if *exists {
                0.9
            } else {
                0.1
            }
        }
        _ => 0.3,
    }
}
