//! Plans: which keys to read for a filter and a sort, and what is left to do with what they give.
//!
//! Not execution. The choice goes by what the filter says and by estimates of how much lies in ranges of keys, which
//! whoever asks hands in: the same question about the same state always gives the same plan.
//!
//! Invariants: every document that matches lies within the walks; a document that may come several times is
//! deduplicated; an order is claimed only where the keys have it for every document.

use crate::error::Result;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::query::text::Search;
use crate::value::{Direction, KeyRange, Name, Path};
pub(crate) use advice::{Wanting, advise};
use candidate::Candidate;
use core::fmt;
pub(crate) use cost::Unknown;
pub use cost::{Cost, Statistics};
pub(crate) use explain::{by, explain};
pub(crate) use intersection::MEMBERS_MAX;
use std::rc::Rc;

mod advice;
mod candidate;
mod cost;
mod explain;
mod intersection;
mod text;
mod union;

/// So few documents are not worth an estimate, where nothing else is read for them.
const FEW: usize = 1000;

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
    /// Of a text index, what an occurrence in each field counts; none of any other.
    pub weights: Option<Rc<[u32]>>,
}

impl IndexFacts {
    fn is_multi(&self, place: usize) -> bool {
        self.multi >> place & 1 == 1
    }
}

/// What is wanted of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// All of it.
    Documents,
    /// Their keys, or how many there are.
    Keys,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What must hold.
    pub filter: &'a Filter,
    /// In which order the answer stands.
    pub sort: &'a Sort,
    /// How many of the first documents are wanted, those that are skipped included; none where all are. Where few are, an
    /// index that gives the order is worth reading for that alone.
    pub first: Option<usize>,
    /// What is wanted of them.
    pub wants: Wants,
    /// Fields whose values are all that is wanted, if there are some: an index that holds them is worth reading for that
    /// alone.
    pub fields: &'a [Path],
    /// The fields of the primary key.
    pub key_fields: &'a [Path],
    /// The indexes that are ready, but for that of text.
    pub indexes: &'a [IndexFacts],
    /// The text index, if there is one.
    pub text: Option<&'a IndexFacts>,
}

impl Question<'_> {
    /// Whether estimates can make a difference: where they cannot, [`plan`] asks for none.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let is_asked = !self.filter.is_all() || !self.sort.is_none() || !self.fields.is_empty();
        let equal = self.filter.equalities();
        let is_of_key = !self.key_fields.is_empty()
            && self.key_fields.iter().all(|field| equal.iter().any(|(path, _)| *path == field));
        is_asked && !is_of_key && !self.indexes.is_empty()
    }
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
    /// By what is looked for in a text index, the best first.
    Text {
        /// Its name.
        name: Name,
        /// What is looked for.
        search: Rc<Search>,
    },
    /// By reading every document.
    Scan,
}

/// What is asked of one component of an entry, by its place: a filter of a value by itself.
pub type Asked = (usize, Filter);

/// One way through keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// How documents are found.
    pub access: Access,
    /// What is asked of each entry of an index before its document is.
    pub entries: Vec<Asked>,
    /// The bounds, for people; empty where there are none.
    pub bounds: String,
    /// The fields that are asked of the entries, for people.
    pub asked: String,
}

/// How documents come into the wanted order.
#[derive(Clone, Debug, PartialEq)]
pub enum Sorting {
    /// They come in it, or none is wanted.
    Given,
    /// Each range by itself gives it: the next of all is taken. These components, and which way, are what entries of all
    /// walks sort by.
    Merge(Vec<(usize, Direction)>),
    /// All are gathered, and as many kept as are wanted.
    Gather,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One; several give what one of them gives, each document once.
    pub walks: Vec<Walk>,
    /// Entries whose documents alone can match: their keys are gathered first. They are asked for everything all the same.
    pub among: Option<Walk>,
    /// Which way the keys are read.
    pub direction: Direction,
    /// What is left to ask of each document.
    pub residual: Filter,
    /// How the order comes about.
    pub sorting: Sorting,
    /// What it is expected to cost.
    pub cost: Cost,
}

/// Chooses how to answer.
///
/// # Errors
/// `limit` where a value of the filter is too long for a key; `invalid` where text is searched and no index has it, or an order
/// by score is wanted and none is searched.
pub fn plan(question: &Question<'_>, statistics: &dyn Statistics) -> Result<Plan> {
    let mut plans = plans(question, statistics)?;
    Ok(plans.swap_remove(0))
}

/// The plan where nothing has to be estimated: few documents are wanted, and an index or the primary key gives just these,
/// in their order. None where there is a choice.
///
/// # Errors
/// As [`plan`].
pub fn certain(question: &Question<'_>) -> Result<Option<Plan>> {
    if let Some(plan) = text::plan(question)? {
        return Ok(Some(plan));
    }
    if question.first.is_none_or(|first| first > FEW) {
        return Ok(None);
    }
    let conjuncts = union::simplified(question.filter);
    let conjuncts: Vec<&Filter> = conjuncts.iter().map(AsRef::as_ref).collect();
    let mut best: Option<Candidate<'_>> = None;
    for candidate in candidate::all(question, &conjuncts)? {
        let gives_it = candidate.bounds.used.len() == conjuncts.len() && candidate.sorting == Sorting::Given;
        let is_better = |best: &Candidate<'_>| candidate.score(question) > best.score(question);
        if gives_it && best.as_ref().is_none_or(is_better) {
            best = Some(candidate);
        }
    }
    Ok(best.map(|best| best.into_plan(&conjuncts, Cost::default())))
}

/// The chosen plan, then what else could have been done.
///
/// # Errors
/// As [`plan`].
pub fn plans(question: &Question<'_>, statistics: &dyn Statistics) -> Result<Vec<Plan>> {
    if let Some(plan) = text::plan(question)? {
        return Ok(vec![plan]);
    }
    let conjuncts = union::simplified(question.filter);
    let conjuncts: Vec<&Filter> = conjuncts.iter().map(AsRef::as_ref).collect();
    let mut found = Vec::new();
    for candidate in candidate::all(question, &conjuncts)? {
        let cost = cost::of(&candidate, question, &conjuncts, statistics);
        found.push((candidate.score(question), candidate.into_plan(&conjuncts, cost)));
    }
    if let Some(union) = union::plan(question, &conjuncts, statistics)? {
        found.push(union);
    }
    if let Some(intersection) = intersection::plan(question, &conjuncts, statistics)?
        && found.iter().all(|(_, plan)| intersection.1.cost.is_worth_it_beside(plan.cost))
    {
        found.push(intersection);
    }
    // What costs next to nothing is not worth an estimate: there, what the filter says decides.
    let order = crate::sorted::order(found.len(), &mut |left, right| match (found.get(left), found.get(right)) {
        (Some((left_score, left)), Some((right_score, right))) => {
            left.cost.rank().total_cmp(&right.cost.rank()).then(right_score.cmp(left_score))
        }
        _ => core::cmp::Ordering::Equal,
    });
    let mut found: Vec<Option<Plan>> = found.into_iter().map(|(_, plan)| Some(plan)).collect();
    Ok(order.into_iter().filter_map(|place| found.get_mut(place)?.take()).collect())
}

impl Plan {
    /// Whether documents come in the wanted order by themselves.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.sorting != Sorting::Gather
    }

    /// The component of its entries that tells the value at the path, where nothing is left to ask of documents. An entry
    /// ends with the primary key, of which these are the fields.
    pub(crate) fn holds(&self, path: &Path, indexes: &[IndexFacts], key_fields: &[Path]) -> Option<usize> {
        let [Walk { access: Access::Index { name, .. }, .. }] = self.walks.as_slice() else { return None };
        let index = indexes.iter().find(|index| index.name == *name)?;
        candidate::component_of(index, key_fields, path).filter(|_| self.residual.is_all())
    }

    /// Whether entries have all the fields that are wanted of documents, and their order: no document is read whose entry
    /// tells them exactly.
    pub(crate) fn covers(&self, question: &Question<'_>) -> bool {
        let holds = |path: &Path| self.holds(path, question.indexes, question.key_fields).is_some();
        question.wants == Wants::Documents
            && !question.fields.is_empty()
            && question.fields.iter().all(holds)
            && (self.is_sorted() || question.sort.fields().iter().all(|(path, _)| holds(path)))
    }

    /// The indexes that are read.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = &Name> {
        self.walks.iter().chain(&self.among).filter_map(Walk::index)
    }

    /// In a word or two: how documents are found, and what is done with all of them.
    pub(crate) fn name(&self) -> String {
        let mut name = String::new();
        for walk in self.walks.iter().chain(&self.among) {
            let mut way = walk.kind().to_owned();
            if let Some(name) = walk.index() {
                way.push(' ');
                way += name;
            }
            if !name.ends_with(&way) {
                let joint = if self.among.is_some() { " among " } else { " + " };
                name += if name.is_empty() { "" } else { joint };
                name += &way;
            }
        }
        name += if self.is_sorted() { "" } else { ", sort" };
        name += if self.residual.is_all() { "" } else { ", filter" };
        name
    }

    /// Whether a document may be found several times.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.walks.len() > 1 || self.walks.iter().any(|walk| matches!(walk.access, Access::Index { dedupe: true, .. }))
    }
}

impl fmt::Display for Plan {
    /// `index site_ts [site = "x"] descending, dedupe, sort, filter`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, walk) in self.walks.iter().enumerate() {
            write!(f, "{}{walk}", if place > 0 { " + " } else { "" })?;
        }
        if self.direction == Direction::Descending {
            write!(f, " descending")?;
        }
        if let Some(among) = &self.among {
            write!(f, " among {among}")?;
        }
        write!(f, "{}", if self.repeats() { ", dedupe" } else { "" })?;
        write!(
            f,
            "{}",
            match self.sorting {
                Sorting::Given => "",
                Sorting::Merge(_) => ", merge",
                Sorting::Gather => ", sort",
            }
        )?;
        write!(f, "{}", if self.residual.is_all() { "" } else { ", filter" })
    }
}

impl Walk {
    /// The index that it reads.
    fn index(&self) -> Option<&Name> {
        match &self.access {
            Access::Index { name, .. } | Access::Text { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.access {
            Access::Nothing => write!(f, "nothing")?,
            Access::Keys(keys) => write!(f, "{} key(s)", keys.len())?,
            Access::Primary(_) => write!(f, "primary")?,
            Access::Index { name, .. } => write!(f, "index {name}")?,
            Access::Scan => write!(f, "scan")?,
            Access::Text { name, .. } => write!(f, "text {name}")?,
        }
        if !self.bounds.is_empty() {
            write!(f, " [{}]", self.bounds)?;
        }
        if !self.asked.is_empty() {
            write!(f, " where {}", self.asked)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
