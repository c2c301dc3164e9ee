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
use super::{IndexFacts, Question, Statistics, plan, union};
use crate::error::Result;
use crate::limits::KEY_FIELDS_MAX;
use crate::query::bounds::bounds;
use crate::query::filter::{Filter, Test};
use crate::value::{KeyRange, Path, Value};

/// So many times as cheap must a query become.
const WORTH: f64 = 2.0;
/// Fields that are looked at in one collection.
const PATHS_MAX: usize = 64;

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
    ranks: Ranks,
}

/// Fields by rank, each a set of places among all paths; none is empty.
type Ranks = Vec<u64>;

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

/// The indexes that these queries of one collection want.
///
/// # Errors
/// As [`plan`].
pub(crate) fn advise(wanting: &[Wanting<'_>], statistics: &dyn Statistics) -> Result<Vec<Wanted>> {
    let mut paths = Vec::new();
    let mut found: Vec<Wanted> = Vec::new();
    for (place, wants) in wanting.iter().enumerate() {
        let question = &wants.question;
        let wishes = wishes(wants, &mut paths, statistics)?;
        let mut indexes = question.indexes.to_vec();
        for wish in &wishes {
            indexes.push(wish.facts.clone());
        }
        let with = Question { indexes: &indexes, ..*question };
        if !with.is_open() {
            continue;
        }
        let now = plan(question, statistics)?.cost.rank() * wants.count;
        let plan = plan(&with, &With { known: statistics, wishes: &wishes })?;
        let then = plan.cost.rank() * wants.count;
        if then * WORTH > now {
            continue;
        }
        for wish in wishes {
            if !plan.indexes().any(|name| *name == wish.facts.name) {
                continue;
            }
            join(&mut found, wish.ranks);
            let Some(wanted) = found.last_mut() else { continue };
            wanted.fields = flat(&wanted.ranks, &paths, question.key_fields);
            if wanted.serves.last() != Some(&place) {
                wanted.serves.push(place);
                wanted.now += now;
                wanted.then += then;
            }
        }
    }
    if let Some(Wanting { question, .. }) = wanting.first() {
        found.retain(|wanted| {
            !question.indexes.iter().any(|index| !index.sparse && index.fields.starts_with(&wanted.fields))
        });
    }
    Ok(found)
}

/// Has one among those found have these ranks as well, if one can, or adds another; it is the last of them then.
fn join(found: &mut Vec<Wanted>, ranks: Ranks) {
    for place in 0..found.len() {
        let both = found.get(place).and_then(|wanted| refined(&wanted.ranks, &ranks));
        if let Some(ranks) = both {
            let wanted = found.swap_remove(place);
            found.push(Wanted { ranks, ..wanted });
            return;
        }
    }
    found.push(Wanted { fields: Vec::new(), serves: Vec::new(), now: 0.0, then: 0.0, ranks });
}

/// What a query wants: one index, or one for each part of an `$or`.
fn wishes(wants: &Wanting<'_>, paths: &mut Vec<Path>, statistics: &dyn Statistics) -> Result<Vec<Wish>> {
    let simple = union::simplified(wants.question.filter);
    let conjuncts: Vec<&Filter> = simple.iter().map(AsRef::as_ref).collect();
    let mut parts: &[Filter] = &[];
    for conjunct in &conjuncts {
        match conjunct {
            Filter::Any(any) if parts.is_empty() => parts = any,
            _ => {}
        }
    }
    if conjuncts.iter().any(|conjunct| bound(conjunct).is_some_and(|(_, is_equal)| is_equal)) {
        parts = &[];
    }
    let mut wishes = Vec::new();
    if parts.is_empty() {
        wish(wants, wants.matching, &conjuncts, (paths, &mut wishes), statistics)?;
    }
    for part in parts {
        let simple = union::simplified(part);
        let mut both: Vec<&Filter> = simple.iter().map(AsRef::as_ref).collect();
        both.extend_from_slice(&conjuncts);
        wish(wants, None, &both, (paths, &mut wishes), statistics)?;
    }
    Ok(wishes)
}

fn wish(
    wants: &Wanting<'_>,
    matching: Option<f64>,
    conjuncts: &[&Filter],
    (paths, wishes): (&mut Vec<Path>, &mut Vec<Wish>),
    statistics: &dyn Statistics,
) -> Result<()> {
    let question = &wants.question;
    let ranks = ranks(question, conjuncts, paths);
    let fields = flat(&ranks, paths, question.key_fields);
    let Some(first) = fields.first() else { return Ok(()) };
    let mut multi = 0;
    for (place, path) in fields.iter().enumerate() {
        for index in question.indexes {
            let is_multi = index.fields.iter().enumerate().any(|(at, field)| field == path && index.is_multi(at));
            multi |= u16::from(is_multi) << place;
        }
    }
    // No index that is there has a control character in its name.
    let name = [first.as_str(), "\u{1}", wishes.last().map_or("", |wish| &wish.facts.name)].concat();
    let facts = IndexFacts { name: name.into(), fields, sparse: false, multi, weights: None };
    let found = bounds(&fields_of(Some(&facts), question.key_fields), conjuncts)?;
    let mut entries = statistics.documents();
    for filter in found.used.iter().chain(&found.narrowing).filter_map(|place| conjuncts.get(*place)) {
        entries *= selectivity(filter, question, statistics);
    }
    let entries = match matching {
        // What the bounds leave is just what matches.
        Some(matching) if found.used.len() == conjuncts.len() => matching,
        Some(matching) => entries.max(matching),
        None => entries,
    };
    wishes.push(Wish { ranks, facts, entries: entries / found.ranges.len().max(1) as f64 });
    Ok(())
}

/// The path of a field that must have one of some values (true), or one in a range.
fn bound(filter: &Filter) -> Option<(&Path, bool)> {
    let Filter::Field(path, test) = filter else { return None };
    let (values, is_equal) = match test {
        Test::Eq(value) => (core::slice::from_ref(value), true),
        Test::In(values) => (&values[..], true),
        Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value) => {
            (core::slice::from_ref(value), false)
        }
        Test::Pattern(pattern) => return pattern.prefix().map(|_| (path, false)),
        _ => return None,
    };
    let is_array = values.iter().any(|value| matches!(value, Value::Array(_)));
    (!is_array).then_some((path, is_equal))
}

fn ranks(question: &Question<'_>, conjuncts: &[&Filter], paths: &mut Vec<Path>) -> Ranks {
    let (mut equal, mut range) = (0, 0);
    for (path, is_equal) in conjuncts.iter().filter_map(|conjunct| bound(conjunct)) {
        let place = place_of(path, paths);
        if is_equal {
            equal |= place;
        } else if range == 0 {
            range = place;
        }
    }
    let mut ranks = vec![equal];
    let (mut all, mut way) = (equal, None);
    for (path, direction) in question.sort.fields() {
        let place = place_of(path, paths);
        if equal & place != 0 {
            continue;
        }
        if *way.get_or_insert(direction) != direction {
            // Keys are read one way or the other.
            ranks.truncate(1);
            all = equal;
            break;
        }
        ranks.push(place);
        all |= place;
    }
    ranks.push(range & !all);
    ranks.retain(|rank| *rank != 0);
    ranks
}

/// The path as a set of one; empty where there are too many.
fn place_of(path: &Path, paths: &mut Vec<Path>) -> u64 {
    let place = paths.iter().position(|known| known == path).unwrap_or(paths.len());
    if place >= PATHS_MAX {
        return 0;
    }
    if place == paths.len() {
        paths.push(path.clone());
    }
    1 << place
}

/// The fields of an index. Its entries end with the primary key, which need not be named.
fn flat(ranks: &[u64], paths: &[Path], key_fields: &[Path]) -> Vec<Path> {
    let mut fields = Vec::new();
    for rank in ranks {
        for (place, path) in paths.iter().enumerate() {
            if rank >> place & 1 == 1 && fields.len() < KEY_FIELDS_MAX {
                fields.push(path.clone());
            }
        }
    }
    if fields.ends_with(key_fields) {
        fields.truncate(fields.len() - key_fields.len());
    }
    fields
}

/// Ranks that are right for both; none where there are none.
fn refined(one: &[u64], other: &[u64]) -> Option<Ranks> {
    let (mut one, mut other) = (one.iter(), other.iter());
    let (mut mine, mut its) = (0, 0);
    let mut both = Ranks::new();
    loop {
        if mine == 0 {
            mine = *one.next().unwrap_or(&0);
        }
        if its == 0 {
            its = *other.next().unwrap_or(&0);
        }
        let common = if mine == 0 || its == 0 { mine | its } else { mine & its };
        if common == 0 {
            return (mine | its == 0).then_some(both);
        }
        (mine, its) = (mine & !common, its & !common);
        if mine != 0 && its != 0 {
            return None;
        }
        both.push(common);
    }
}

#[cfg(test)]
mod tests;
