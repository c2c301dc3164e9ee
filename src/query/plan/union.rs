//! Unions: an `$or` whose parts are each found by keys.
//!
//! Not several answers: what the walks give together is what one filter asks for, each document once.

use super::candidate::{self, Candidate};
use super::{Cost, Plan, Question, Sorting, Statistics, cost};
use crate::error::Result;
use crate::query::filter::{Filter, Test};
use crate::value::{Direction, Value};
use std::borrow::Cow;

/// Walks of one plan.
const WALKS_MAX: usize = 64;

/// The conjuncts of a filter, where an `$or` over values of one field is a `$in`.
pub(super) fn simplified(filter: &Filter) -> Vec<Cow<'_, Filter>> {
    let each = filter.conjuncts().into_iter();
    each.map(|conjunct| one_of(conjunct).map_or(Cow::Borrowed(conjunct), Cow::Owned)).collect()
}

fn one_of(filter: &Filter) -> Option<Filter> {
    let Filter::Any(parts) = filter else { return None };
    let mut values: Vec<Value> = Vec::new();
    let mut of = None;
    for part in parts {
        let Some(Filter::Field(path, test)) = alone(part) else { return None };
        if *of.get_or_insert(path) != path {
            return None;
        }
        match test {
            Test::Eq(value) => values.push(value.clone()),
            Test::In(more) => values.extend_from_slice(more),
            _ => return None,
        }
    }
    let compare = |left: usize, right: usize| match (values.get(left), values.get(right)) {
        (Some(left), Some(right)) => crate::value::order::compare_values(left, right),
        _ => core::cmp::Ordering::Equal,
    };
    let mut order = crate::sorted::order(values.len(), &mut |left, right| compare(left, right));
    order.dedup_by(|later, kept| compare(*later, *kept).is_eq());
    let values = order.into_iter().filter_map(|place| values.get(place).cloned()).collect();
    Some(Filter::Field(of?.clone(), Test::In(values)))
}

/// The only part of a conjunction.
fn alone(filter: &Filter) -> Option<&Filter> {
    match filter.conjuncts().as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The best union over one of the conjuncts, with what the filter says of it; none where some part needs a scan.
pub(super) fn plan(
    question: &Question<'_>,
    conjuncts: &[&Filter],
    statistics: &dyn Statistics,
) -> Result<Option<(usize, Plan)>> {
    let mut best: Option<(usize, Plan)> = None;
    for (place, conjunct) in conjuncts.iter().enumerate() {
        let Filter::Any(parts) = conjunct else { continue };
        if parts.is_empty() || parts.len() > WALKS_MAX {
            continue;
        }
        let others: Vec<&Filter> =
            conjuncts.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, filter)| *filter).collect();
        if let Some(next) = of(question, (parts, &others), conjuncts, statistics)?
            && best.as_ref().is_none_or(|(_, best)| next.1.cost.total < best.cost.total)
        {
            best = Some(next);
        }
    }
    Ok(best)
}

fn of(
    question: &Question<'_>,
    (parts, others): (&[Filter], &[&Filter]),
    conjuncts: &[&Filter],
    statistics: &dyn Statistics,
) -> Result<Option<(usize, Plan)>> {
    let mut walks = Vec::with_capacity(parts.len());
    let mut total = Cost::default();
    let mut score = usize::MAX;
    let mut sortings: Option<(Sorting, Direction)> = None;
    let (mut is_exact, mut is_alike) = (true, true);
    for part in parts {
        let simple = simplified(part);
        let mut filters: Vec<&Filter> = simple.iter().map(AsRef::as_ref).collect();
        filters.extend_from_slice(others);
        let Some((candidate, cost)) = best_bound(question, &filters, statistics)? else { return Ok(None) };
        score = score.min(candidate.score(question));
        is_exact &= candidate.left(filters.len()).is_empty();
        is_alike &= !candidate.is_by_key();
        let sorting = (merged(&candidate, question), candidate.direction);
        is_alike &= *sortings.get_or_insert_with(|| sorting.clone()) == sorting;
        total.add(cost);
        walks.push(candidate.into_walk(&filters));
    }
    let (sorting, direction) = match sortings {
        _ if question.sort.is_none() => (Sorting::Given, Direction::Ascending),
        Some((Sorting::Merge(by), direction)) if is_alike => (Sorting::Merge(by), direction),
        _ => (Sorting::Gather, Direction::Ascending),
    };
    if sorting == Sorting::Gather {
        total.total += Cost::gathering(total.documents);
    }
    let left = if is_exact { Vec::new() } else { conjuncts.iter().map(|filter| (*filter).clone()).collect() };
    Ok(Some((score, Plan { walks, among: None, direction, residual: Filter::All(left), sorting, cost: total })))
}

/// The best that does not read everything.
fn best_bound<'a>(
    question: &Question<'a>,
    filters: &[&Filter],
    statistics: &dyn Statistics,
) -> Result<Option<(Candidate<'a>, Cost)>> {
    let mut best: Option<(Candidate<'a>, Cost)> = None;
    for candidate in candidate::all(question, filters)? {
        if !candidate.bounds.is_bound() {
            continue;
        }
        let cost = cost::of(&candidate, question, filters, statistics);
        let is_better = best.as_ref().is_none_or(|(other, known)| {
            let by_cost = cost.rank().total_cmp(&known.rank());
            by_cost.then(other.score(question).cmp(&candidate.score(question))).is_lt()
        });
        if is_better {
            best = Some((candidate, cost));
        }
    }
    Ok(best)
}

/// By which components the walk can be merged with others: those of different indexes need not stand at the same places,
/// and are gathered then.
fn merged(candidate: &Candidate<'_>, question: &Question<'_>) -> Sorting {
    match (&candidate.sorting, candidate.index) {
        (Sorting::Merge(by), _) => Sorting::Merge(by.clone()),
        (Sorting::Given, index) => {
            let own = index.into_iter().flat_map(|index| index.fields.iter().enumerate());
            let own_len = index.map_or(0, |index| index.fields.len());
            let keys = question.key_fields.iter().enumerate().map(|(place, path)| (own_len + place, path));
            let fields: Vec<_> = own.chain(keys).collect();
            let by = question.sort.fields().iter().map(|(path, way)| {
                let (place, _) = fields.iter().find(|(_, field)| *field == path)?;
                let is_multi = index.is_some_and(|index| *place < own_len && index.is_multi(*place));
                (!is_multi).then_some((*place, *way))
            });
            by.collect::<Option<Vec<_>>>().map_or(Sorting::Gather, Sorting::Merge)
        }
        _ => Sorting::Gather,
    }
}
