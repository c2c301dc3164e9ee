//! Candidates: one way each to answer, by an index or by the primary key.
//!
//! Not a choice: what each costs is worked out in `query/plan/cost.rs`, and `query/plan.rs` takes the best.

use super::{Access, Asked, Cost, IndexFacts, Plan, Question, Sorting, Walk, Wants};
use crate::error::Result;
use crate::query::bounds::{Binding, Bounds, IndexField, bounds};
use crate::query::filter::{Filter, Test};
use crate::query::sort::Sort;
use crate::value::{Direction, Path};

/// Ranges whose order is merged: each is read by itself.
const MERGE_MAX: usize = 64;

/// One way to answer: by an index, or (`None`) by the primary key.
pub(super) struct Candidate<'a> {
    pub(super) index: Option<&'a IndexFacts>,
    pub(super) key_len: usize,
    pub(super) bounds: Bounds,
    pub(super) sorting: Sorting,
    pub(super) direction: Direction,
    /// The conjuncts that entries answer, by their place, with the component that each is asked of.
    pub(super) asked: Vec<(usize, usize)>,
    /// Whether an order is asked for, and had of it.
    is_ordered: bool,
}

/// All that can answer: the primary key, and each index that has something to do with the question.
pub(super) fn all<'a>(question: &Question<'a>, conjuncts: &[&Filter]) -> Result<Vec<Candidate<'a>>> {
    let mut all = vec![Candidate::new(None, question, conjuncts)?];
    for index in question.indexes {
        let holds_fields = holds_fields(index, question);
        // A document without an entry has no value at the fields either, if these are what is wanted.
        let is_whole = !index.sparse || holds_fields && question.wants == Wants::Keys;
        if !is_whole && !excludes_missing(index, conjuncts) {
            continue;
        }
        let candidate = Candidate::new(Some(index), question, conjuncts)?;
        let is_walked_for_order = candidate.is_ordered && question.first.is_some();
        if candidate.bounds.is_bound() || is_walked_for_order || holds_fields || !candidate.asked.is_empty() {
            all.push(candidate);
        }
    }
    Ok(all)
}

/// The component of an entry that holds the whole value at the path: none where arrays were met, for an entry has one of
/// their elements.
pub(super) fn component_of(index: &IndexFacts, key_fields: &[Path], path: &Path) -> Option<usize> {
    let mut fields = index.fields.iter().chain(key_fields);
    fields.position(|field| field == path).filter(|place| *place >= index.fields.len() || !index.is_multi(*place))
}

/// Whether entries hold all the fields that are wanted. Of documents the fields of the key are among them; for each value
/// of a field itself, its document is read.
pub(super) fn holds_fields(index: &IndexFacts, question: &Question<'_>) -> bool {
    let key_fields = if question.wants == Wants::Documents { question.key_fields } else { &[] };
    let mut fields = question.fields.iter();
    !question.fields.is_empty() && fields.all(|field| component_of(index, key_fields, field).is_some())
}

/// Whether every document that matches has an entry in the sparse index.
fn excludes_missing(index: &IndexFacts, conjuncts: &[&Filter]) -> bool {
    conjuncts.iter().any(|conjunct| match conjunct {
        Filter::Field(path, test) => index.fields.contains(path) && test.excludes_missing(),
        _ => false,
    })
}

/// The fields of an entry. It ends with the primary key, whose fields bind and order as the index's own do.
pub(super) fn fields_of<'a>(index: Option<&'a IndexFacts>, key_fields: &'a [Path]) -> Vec<IndexField<'a>> {
    let own = index.into_iter().flat_map(|index| {
        let each = index.fields.iter().enumerate();
        each.map(|(place, path)| IndexField { path, multi: index.is_multi(place) })
    });
    own.chain(key_fields.iter().map(|path| IndexField { path, multi: false })).collect()
}

impl<'a> Candidate<'a> {
    pub(super) fn new(
        index: Option<&'a IndexFacts>,
        question: &Question<'a>,
        conjuncts: &[&Filter],
    ) -> Result<Candidate<'a>> {
        let fields = fields_of(index, question.key_fields);
        let bounds = bounds(&fields, conjuncts)?;
        let key_len = question.key_fields.len();
        let (mut sorting, direction) = order(&fields, &bounds, question.sort);
        if index.is_none() && bounds.points() == key_len && sorting != Sorting::Given {
            // Documents are looked up one by one, and not walked to.
            sorting = Sorting::Gather;
        }
        let is_ordered = sorting == Sorting::Given && !question.sort.is_none();
        let mut asked = Vec::new();
        if index.is_some() {
            for (place, conjunct) in conjuncts.iter().enumerate() {
                if let Some(component) = component(&fields, conjunct).filter(|_| !bounds.used.contains(&place)) {
                    asked.push((place, component));
                }
            }
        }
        Ok(Candidate { index, key_len, bounds, sorting, direction, asked, is_ordered })
    }

    /// What the filter alone says: fields bound to values count most, then a range, then the order. The primary key wins
    /// where all else is equal, for its entries are the documents.
    pub(super) fn score(&self, question: &Question<'_>) -> usize {
        let points = self.bounds.points();
        let ranged = usize::from(self.bounds.bindings.len() > points);
        let is_read_anyway = question.first.is_some() || self.bounds.is_bound();
        let is_ordered = self.sorting != Sorting::Gather && is_read_anyway && !question.sort.is_none();
        let ordered = usize::from(is_ordered);
        let whole_key = usize::from(self.index.is_none() && points == self.key_len);
        // Less than the primary key's: to ask entries is no reason to walk through an index that binds nothing.
        let asks = self.asked.len().min(2) * 2;
        whole_key * 10_000 + points * 100 + ranged * 40 + ordered * 30 + asks + usize::from(self.index.is_none()) * 5
    }

    /// Whether each of the keys it reads is that of one document that is looked up.
    pub(super) fn is_by_key(&self) -> bool {
        self.index.is_none() && self.bounds.points() == self.key_len
    }

    /// The conjuncts that neither the bounds nor the entries answer.
    pub(super) fn left(&self, conjuncts: usize) -> Vec<usize> {
        let is_left =
            |place: &usize| !self.bounds.used.contains(place) && !self.asked.iter().any(|(asked, _)| asked == place);
        (0..conjuncts).filter(is_left).collect()
    }

    pub(super) fn into_plan(self, conjuncts: &[&Filter], cost: Cost) -> Plan {
        let left = self.left(conjuncts.len());
        let residual = left.into_iter().filter_map(|place| conjuncts.get(place).map(|filter| (*filter).clone()));
        let residual = Filter::All(residual.collect());
        let (direction, sorting) = (self.direction, self.sorting.clone());
        Plan { walks: vec![self.into_walk(conjuncts)], among: None, direction, residual, sorting, cost }
    }

    pub(super) fn into_walk(self, conjuncts: &[&Filter]) -> Walk {
        let mut asked: Vec<&str> = Vec::new();
        let mut entries: Vec<Asked> = Vec::new();
        for (place, component) in &self.asked {
            if let Some(Filter::Field(path, test)) = conjuncts.get(*place) {
                entries.push((*component, Filter::Itself(test.clone())));
                asked.push(path.as_str());
            }
        }
        let asked = asked.join(", ");
        let bounds = self.bounds.text.join(", ");
        let access = match self.index {
            _ if self.bounds.ranges.is_empty() => Access::Nothing,
            Some(index) => {
                Access::Index { name: index.name.clone(), dedupe: self.repeats(index), ranges: self.bounds.ranges }
            }
            None if self.is_by_key() => {
                let mut keys: Vec<_> = self.bounds.ranges.into_iter().map(|range| range.start).collect();
                if self.direction == Direction::Descending {
                    keys.reverse();
                }
                Access::Keys(keys)
            }
            None if self.bounds.is_bound() || self.is_ordered => Access::Primary(self.bounds.ranges),
            None => Access::Scan,
        };
        Walk { access, entries, bounds, asked }
    }

    /// Whether a document may have several entries within the bounds: not where each field that may have several is
    /// bound to one value.
    pub(super) fn repeats(&self, index: &IndexFacts) -> bool {
        let bound = |place: usize| self.bounds.bindings.get(place) == Some(&Binding::Point);
        (0..index.fields.len()).any(|place| index.is_multi(place) && !bound(place))
    }
}

/// The component of an entry that tells whether the conjunct holds. A key knows neither whether null was missing nor what
/// kind of number a number was; and what meets arrays has only one of their elements in an entry.
fn component(fields: &[IndexField<'_>], conjunct: &Filter) -> Option<usize> {
    let Filter::Field(path, test) = conjunct else { return None };
    let is_told = matches!(
        test,
        Test::Eq(_)
            | Test::Ne(_)
            | Test::Gt(_)
            | Test::Gte(_)
            | Test::Lt(_)
            | Test::Lte(_)
            | Test::In(_)
            | Test::Nin(_)
            | Test::Pattern(_)
    );
    fields.iter().position(|field| field.path == path && !field.multi).filter(|_| is_told)
}

/// How the keys have the order of the sort, and in which direction they are read for it.
fn order(fields: &[IndexField<'_>], bounds: &Bounds, sort: &Sort) -> (Sorting, Direction) {
    let is_point = |place: usize| bounds.bindings.get(place) == Some(&Binding::Point);
    if let Some(direction) = direction(fields, sort, &is_point) {
        return (Sorting::Given, direction);
    }
    let is_one_of_points = |place: usize| bounds.bindings.get(place).is_some_and(|binding| *binding != Binding::Range);
    let within = direction(fields, sort, &is_one_of_points).filter(|_| bounds.ranges.len() <= MERGE_MAX);
    let components = sort.fields().iter().map(|(path, way)| {
        let place = fields.iter().position(|field| field.path == path && !field.multi)?;
        Some((place, *way))
    });
    match (within, components.collect()) {
        (Some(direction), Some(components)) => (Sorting::Merge(components), direction),
        _ => (Sorting::Gather, Direction::Ascending),
    }
}

/// The direction in which keys have the order of the sort, where the fields at these places have one value.
fn direction(fields: &[IndexField<'_>], sort: &Sort, is_point: &dyn Fn(usize) -> bool) -> Option<Direction> {
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
