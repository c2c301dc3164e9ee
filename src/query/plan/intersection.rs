//! Intersections: entries of one index, of which only those are followed to their document whose key another index has too.
//!
//! Not exact: what the other index was read for is asked of the documents all the same, so that its keys may be forgotten
//! where they turn out to be too many.
//!
//! Invariant: one index by itself is taken where two cost as much.

use super::candidate::{self, Candidate};
use super::{Cost, Plan, Question, Statistics, cost};
use crate::error::Result;
use crate::query::filter::Filter;

/// Keys that are remembered at most: of more, another way is better, or none is good.
pub(crate) const MEMBERS_MAX: usize = 200_000;

/// The best of two indexes, with what it is worth by the filter alone; none where no two have something to do with it.
pub(super) fn plan(
    question: &Question<'_>,
    conjuncts: &[&Filter],
    statistics: &dyn Statistics,
) -> Result<Option<(usize, Plan)>> {
    if question.indexes.len() < 2 || conjuncts.is_empty() {
        return Ok(None);
    }
    let all = candidate::all(question, conjuncts)?;
    let mut best: Option<(Cost, &Candidate<'_>, &Candidate<'_>)> = None;
    for main in all.iter().filter(|main| main.index.is_some()) {
        let alone = cost::of(main, question, conjuncts, statistics);
        for other in all.iter().filter(|other| other.bounds.is_bound()) {
            let Some(cost) = cost::of_both(main, other, alone, (question, conjuncts), statistics) else { continue };
            if best.as_ref().is_none_or(|(least, ..)| cost.total < least.total) {
                best = Some((cost, main, other));
            }
        }
    }
    let Some((cost, main, other)) = best else { return Ok(None) };
    let mut plan = Candidate::new(main.index, question, conjuncts)?.into_plan(conjuncts, cost);
    plan.among = Some(Candidate::new(other.index, question, conjuncts)?.into_walk(conjuncts));
    Ok(Some((0, plan)))
}
