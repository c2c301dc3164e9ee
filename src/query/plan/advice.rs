//! Advice: the indexes that slow queries want.
//!
//! Not a decision: whoever reads it makes the index, or does not. Nothing is measured: what an index is worth is what the
//! planner makes of it as if it were there.
//!
//! How: fields that must equal a value come first, then those of the sort, then one with a range (MongoDB manual, "The ESR
//! (Equality, Sort, Range) Guideline", <https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/>).
//! Fields of one rank may stand in any order, so that one index can serve several queries.
//! Invariant: no index is named that is there, or is the beginning of one that is there.

use super::candidate::fields_of;
use super::cost::selectivity;
use super::{Access, IndexFacts, Question, Statistics, plan, union};
use crate::error::Result;
use crate::limits::KEY_FIELDS_MAX;
use crate::query::bounds::bounds;
use crate::query::filter::{Filter, Test};
use crate::sorted;
use crate::value::{Direction, KeyRange, Name, Path, Value};

/// So many times as cheap must a query become.
const WORTH: f64 = 2.0;

/// A query that wants to be quicker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanting<'a> {
    /// What it asks.
    pub(crate) question: Question<'a>,
    /// How often it was asked.
    pub(crate) count: f64,
    /// How many documents match, where that is known.
    pub(crate) matching: Option<f64>,
}

/// An index that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// Its fields, the most important first.
    pub(crate) fields: Vec<Path>,
    /// The queries that it serves, by their place.
    pub(crate) serves: Vec<usize>,
    /// What these cost together, as often as they were asked.
    pub(crate) now: f64,
    /// What they would cost.
    pub(crate) then: f64,
}

/// Fields by rank; within one, in any order. None is empty.
type Ranks = Vec<Vec<Path>>;

/// An index as if it were there.
struct Wish {
    ranks: Ranks,
    facts: IndexFacts,
    /// Expected in each of the ranges that are read of it.
    entries: f64,
}

struct With<'a> {
    known: &'a dyn Statistics,
    wishes: &'a [Wish],
}

impl Statistics for With<'_> {
    fn documents(&self) -> f64 {
        self.known.documents()
    }

    fn documents_in(&self, range: &KeyRange) -> f64 {
        self.known.documents_in(range)
    }

    fn entries_in(&self, index: &IndexFacts, range: &KeyRange) -> f64 {
        match self.wishes.iter().find(|wish| wish.facts.name == index.name) {
            Some(_) if *range == KeyRange::all() => self.known.documents(),
            Some(wish) => wish.entries,
            None => self.known.entries_in(index, range),
        }
    }
}

/// The indexes that these queries of one collection want, the one that saves most first.
///
/// # Errors
/// As [`plan`].
pub(crate) fn advise(wanting: &[Wanting<'_>], statistics: &dyn Statistics) -> Result<Vec<Wanted>> {
    let mut found: Vec<(Ranks, Wanted)> = Vec::new();
    for (place, wants) in wanting.iter().enumerate() {
        let question = &wants.question;
        let wishes = wishes(wants, statistics)?;
        let mut indexes = question.indexes.to_vec();
        indexes.extend(wishes.iter().map(|wish| wish.facts.clone()));
        let with = Question { indexes: &indexes, ..*question };
        if !with.is_open() {
            continue;
        }
        let now = plan(question, statistics)?.cost.rank() * wants.count;
        let then = plan(&with, &With { known: statistics, wishes: &wishes })?;
        let is_used = |name: &Name| {
            then.walks.iter().any(|walk| matches!(&walk.access, Access::Index { name: used, .. } if used == name))
        };
        let then_cost = then.cost.rank() * wants.count;
        if then_cost * WORTH > now {
            continue;
        }
        for wish in wishes.into_iter().filter(|wish| is_used(&wish.facts.name)) {
            let both =
                found.iter().enumerate().find_map(|(place, (ranks, _))| Some((place, refined(ranks, &wish.ranks)?)));
            let (ranks, wanted) = match both.and_then(|(place, both)| Some((found.get_mut(place)?, both))) {
                Some((known, both)) => {
                    known.0 = both;
                    (&known.0, &mut known.1)
                }
                None => {
                    let wanted = Wanted { fields: Vec::new(), serves: Vec::new(), now: 0.0, then: 0.0 };
                    found.push((wish.ranks, wanted));
                    match found.last_mut() {
                        Some((ranks, wanted)) => (&*ranks, wanted),
                        None => continue,
                    }
                }
            };
            wanted.fields = flat(ranks, question.key_fields);
            if wanted.serves.last() != Some(&place) {
                wanted.serves.push(place);
                wanted.now += now;
                wanted.then += then_cost;
            }
        }
    }
    let known = wanting.first().map_or(&[][..], |wants| wants.question.indexes);
    let is_there =
        |wanted: &Wanted| known.iter().any(|index| !index.sparse && index.fields.starts_with(&wanted.fields));
    let mut found: Vec<Option<Wanted>> =
        found.into_iter().map(|(_, wanted)| Some(wanted).filter(|wanted| !is_there(wanted))).collect();
    let saves = |place: usize| found.get(place).and_then(Option::as_ref).map_or(0.0, |wanted| wanted.now - wanted.then);
    let order = sorted::order(found.len(), &mut |left, right| saves(right).total_cmp(&saves(left)));
    Ok(order.into_iter().filter_map(|place| found.get_mut(place)?.take()).collect())
}

/// What a query wants: one index, or one for each part of an `$or`.
fn wishes(wants: &Wanting<'_>, statistics: &dyn Statistics) -> Result<Vec<Wish>> {
    let conjuncts = union::simplified(wants.question.filter);
    let conjuncts: Vec<&Filter> = conjuncts.iter().map(AsRef::as_ref).collect();
    let mut wishes = Vec::new();
    let parts =
        conjuncts.iter().find_map(|conjunct| if let Filter::Any(parts) = conjunct { Some(parts) } else { None });
    match parts.filter(|_| !conjuncts.iter().any(|conjunct| equal(conjunct).is_some())) {
        Some(parts) => {
            for part in parts {
                let part = union::simplified(part);
                let both: Vec<&Filter> = part.iter().map(AsRef::as_ref).chain(conjuncts.iter().copied()).collect();
                wishes.extend(wish(wants, None, &both, wishes.len(), statistics)?);
            }
        }
        None => wishes.extend(wish(wants, wants.matching, &conjuncts, 0, statistics)?),
    }
    Ok(wishes)
}

fn wish(
    wants: &Wanting<'_>,
    matching: Option<f64>,
    conjuncts: &[&Filter],
    place: usize,
    statistics: &dyn Statistics,
) -> Result<Option<Wish>> {
    let question = &wants.question;
    let ranks = ranks(question, conjuncts);
    let fields = flat(&ranks, question.key_fields);
    if fields.is_empty() {
        return Ok(None);
    }
    let is_multi = |path: &Path| {
        let at = |index: &IndexFacts| {
            index.fields.iter().position(|field| field == path).is_some_and(|at| index.is_multi(at))
        };
        question.indexes.iter().any(at)
    };
    let multi = fields.iter().enumerate().map(|(place, path)| u16::from(is_multi(path)) << place).sum();
    // No index that is there has a control character in its name.
    let name = ["\u{1}", fields.first().map_or("", Path::as_str), &"\u{1}".repeat(place)].concat();
    let facts = IndexFacts { name: name.into(), fields, sparse: false, multi, weights: None };
    let found = bounds(&fields_of(Some(&facts), question.key_fields), conjuncts)?;
    let part = found.used.iter().filter_map(|place| conjuncts.get(*place));
    let part: f64 = part.map(|filter| selectivity(filter, question, statistics)).product();
    let entries = statistics.documents() * part;
    let entries = match matching {
        // What the bounds leave is just what matches.
        Some(matching) if found.used.len() == conjuncts.len() => matching,
        Some(matching) => entries.max(matching),
        None => entries,
    };
    Ok(Some(Wish { ranks, facts, entries: entries / found.ranges.len().max(1) as f64 }))
}

/// The path of a field that must have one of some values.
fn equal(filter: &Filter) -> Option<&Path> {
    let is_array = |value: &Value| matches!(value, Value::Array(_));
    match filter {
        Filter::Field(path, Test::Eq(value)) if !is_array(value) => Some(path),
        Filter::Field(path, Test::In(values)) if !values.iter().any(is_array) => Some(path),
        _ => None,
    }
}

fn ranks(question: &Question<'_>, conjuncts: &[&Filter]) -> Ranks {
    let mut equals: Vec<Path> = Vec::new();
    for path in conjuncts.iter().filter_map(|conjunct| equal(conjunct)) {
        if !equals.contains(path) {
            equals.push(path.clone());
        }
    }
    let sort: Vec<&(Path, Direction)> =
        question.sort.fields().iter().filter(|(path, _)| !equals.contains(path)).collect();
    // Keys are read one way or the other.
    let is_one_way = sort.windows(2).all(|two| matches!(two, [left, right] if left.1 == right.1));
    let mut ranks: Ranks = vec![equals];
    if is_one_way {
        ranks.extend(sort.into_iter().map(|(path, _)| vec![path.clone()]));
    }
    let range = conjuncts.iter().find_map(|conjunct| match conjunct {
        Filter::Field(path, Test::Gt(_) | Test::Gte(_) | Test::Lt(_) | Test::Lte(_)) => Some(path),
        _ => None,
    });
    ranks.extend(range.filter(|path| !ranks.iter().any(|rank| rank.contains(path))).map(|path| vec![path.clone()]));
    ranks.retain(|rank| !rank.is_empty());
    ranks
}

/// The fields of an index. Its entries end with the primary key, which need not be named.
fn flat(ranks: &Ranks, key_fields: &[Path]) -> Vec<Path> {
    let mut fields: Vec<Path> = ranks.iter().flatten().take(KEY_FIELDS_MAX).cloned().collect();
    if fields.ends_with(key_fields) {
        fields.truncate(fields.len() - key_fields.len());
    }
    fields
}

/// Ranks that are right for both; none where there are none.
fn refined(one: &Ranks, other: &Ranks) -> Option<Ranks> {
    let (mut one, mut other) = (one.iter().cloned(), other.iter().cloned());
    let (mut left, mut right) = (one.next(), other.next());
    let mut both = Ranks::new();
    loop {
        match (left, right) {
            (Some(mine), Some(its)) => {
                let (common, mine): (Vec<Path>, Vec<Path>) = mine.into_iter().partition(|path| its.contains(path));
                let its: Vec<Path> = its.into_iter().filter(|path| !common.contains(path)).collect();
                if common.is_empty() || !(mine.is_empty() || its.is_empty()) {
                    return None;
                }
                both.push(common);
                left = if mine.is_empty() { one.next() } else { Some(mine) };
                right = if its.is_empty() { other.next() } else { Some(its) };
            }
            (Some(rest), None) => {
                both.push(rest);
                both.extend(one);
                return Some(both);
            }
            (None, rest) => {
                both.extend(rest);
                both.extend(other);
                return Some(both);
            }
        }
    }
}

#[cfg(test)]
mod tests;
