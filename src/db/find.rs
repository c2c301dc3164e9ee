//! Finding: carries out a plan and gives the documents that match, one after the other.
//!
//! Not a choice: the plan is made by `query/plan.rs`, purely. Here is where it is awaited.
//!
//! Invariants: each document comes once; in the order of the sort; documents are those of one snapshot (and, in a
//! transaction, what it wrote before the find began).

use super::document;
use super::work::{Reader, ReaderScan};
use crate::engine::catalog::{Collection, DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN, IndexId};
use crate::engine::{Slice, index};
use crate::error::{Error, Result};
use crate::query::{self, Access, Filter, Plan, Question, Sort};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange};
use std::collections::HashSet;
use std::rc::Rc;

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) skip: usize,
    pub(crate) limit: Option<usize>,
}

impl Query {
    /// All documents that match, in any order.
    pub(crate) const fn of(filter: Filter) -> Query {
        Query { filter, sort: Sort::none(), skip: 0, limit: None }
    }

    /// How it would be answered. `stop` says whether the caller may stop early.
    pub(crate) fn plan(&self, collection: &Collection, reading: Reading) -> Result<Plan> {
        query::plan::plan(&Question {
            filter: &self.filter,
            sort: &self.sort,
            first_only: self.limit.is_some() || reading == Reading::Stream,
            key_fields: &collection.key_fields,
            indexes: &collection.ready,
        })
    }
}

/// What is done with the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of them are read.
    Documents,
    /// They are read one by one, and perhaps not to the end.
    Stream,
    /// Only their keys are wanted, or how many there are: documents are read only to match them.
    Keys,
}

/// A document that was found.
pub(crate) struct Found {
    key: Slice,
    primary_at: usize,
    /// As stored; none where only keys were asked for and the document did not have to be read.
    pub(crate) value: Option<Slice>,
}

impl Found {
    /// Its primary key.
    pub(crate) fn primary(&self) -> &[u8] {
        self.key.get(self.primary_at..).unwrap_or_default()
    }
}

/// A find under way.
pub(crate) struct Find<S: Storage> {
    reader: Reader<S>,
    collection: Rc<Collection>,
    query: Query,
    reading: Reading,
    plan: Plan,
    source: Source<S>,
    seen: HashSet<Vec<u8>>,
    sorted: Option<std::vec::IntoIter<Found>>,
}

enum Source<S: Storage> {
    Keys(std::vec::IntoIter<Vec<u8>>),
    Ranges { ranges: std::vec::IntoIter<KeyRange>, prefix: Vec<u8>, scan: Option<ReaderScan<S>>, of: Of },
}

/// What the ranges are of.
#[derive(Clone, Copy)]
enum Of {
    Documents,
    Entries { fields: usize, dedupe: bool },
}

impl<S: Storage> Find<S> {
    pub(crate) fn new(reader: Reader<S>, collection: Rc<Collection>, query: Query, reading: Reading) -> Result<Self> {
        let plan = query.plan(&collection, reading)?;
        let source = Source::new(&plan, &collection)?;
        Ok(Find { reader, collection, query, reading, plan, source, seen: HashSet::new(), sorted: None })
    }

    /// The collection as it is read.
    pub(crate) fn collection(&self) -> &Rc<Collection> {
        &self.collection
    }

    /// The next document; none at the end.
    ///
    /// # Errors
    /// `corrupt` naming what is damaged, or the engine's.
    pub(crate) async fn next(&mut self) -> Result<Option<Found>> {
        if self.query.limit == Some(0) {
            return Ok(None);
        }
        if !self.plan.sorted && self.sorted.is_none() {
            self.sorted = Some(self.sort().await?.into_iter());
        }
        loop {
            let next = match &mut self.sorted {
                Some(sorted) => sorted.next(),
                None => self.next_match().await?,
            };
            let Some(found) = next else { return Ok(None) };
            if self.query.skip > 0 {
                self.query.skip -= 1;
                continue;
            }
            if let Some(left) = &mut self.query.limit {
                *left -= 1;
            }
            return Ok(Some(found));
        }
    }

    /// Everything that matches in the order of the sort, or as much of it as is wanted.
    async fn sort(&mut self) -> Result<Vec<Found>> {
        let wanted = self.query.limit.map(|limit| limit.saturating_add(self.query.skip));
        let room = wanted.map(|wanted| wanted.saturating_mul(2).saturating_add(1024));
        let mut gathered: Vec<(Vec<u8>, usize, Found)> = Vec::new();
        let mut place = 0;
        while let Some(mut found) = self.next_match().await? {
            if found.value.is_none() {
                found.value = Some(self.value_of(found.primary()).await?);
            }
            let key = {
                let value = found.value.as_deref().unwrap_or_default();
                let key = document::open(&self.collection, value).and_then(|view| self.query.sort.key(view));
                key.map_err(|error| document::naming(error, &self.collection, found.primary()))?
            };
            gathered.push((key, place, found));
            place += 1;
            if let (Some(wanted), Some(room)) = (wanted, room)
                && gathered.len() >= room
            {
                gathered.select_nth_unstable_by(wanted, |left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
                gathered.truncate(wanted);
            }
        }
        gathered.sort_unstable_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
        Ok(gathered.into_iter().map(|(_, _, found)| found).collect())
    }

    /// The next document that matches, as the keys are read.
    async fn next_match(&mut self) -> Result<Option<Found>> {
        while let Some(mut found) = self.next_candidate().await? {
            let is_certain = self.plan.residual.is_all();
            let is_needed = !is_certain || self.reading != Reading::Keys;
            if is_needed && found.value.is_none() {
                found.value = Some(self.value_of(found.primary()).await?);
            }
            if is_certain || self.matches(&found)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn matches(&self, found: &Found) -> Result<bool> {
        let value = found.value.as_deref().unwrap_or_default();
        let matches = document::open(&self.collection, value).and_then(|view| self.plan.residual.matches(view));
        matches.map_err(|error| document::naming(error, &self.collection, found.primary()))
    }

    async fn value_of(&self, primary: &[u8]) -> Result<Slice> {
        let mut key = self.collection.id.documents();
        key.extend_from_slice(primary);
        let value = self.reader.get(&key).await?;
        value.ok_or_else(|| {
            let error = Error::corrupt("an index names a document that is not there");
            document::naming(error, &self.collection, primary)
        })
    }

    async fn next_candidate(&mut self) -> Result<Option<Found>> {
        loop {
            match &mut self.source {
                Source::Keys(keys) => {
                    let Some(primary) = keys.next() else { return Ok(None) };
                    let mut key = self.collection.id.documents();
                    key.extend_from_slice(&primary);
                    if let Some(value) = self.reader.get(&key).await? {
                        let found = Found { key: key.into(), primary_at: DOCUMENT_PREFIX_LEN, value: Some(value) };
                        return Ok(Some(found));
                    }
                }
                Source::Ranges { ranges, prefix, scan, of } => {
                    let Some(open) = scan else {
                        let Some(range) = ranges.next() else { return Ok(None) };
                        let range = range.within(prefix);
                        *scan = Some(self.reader.scan(range, self.plan.direction));
                        continue;
                    };
                    let Some((key, value)) = open.next().await? else {
                        *scan = None;
                        continue;
                    };
                    let found = match *of {
                        Of::Documents => Found { key, primary_at: DOCUMENT_PREFIX_LEN, value: Some(value) },
                        Of::Entries { fields, .. } => {
                            let entry = key.get(INDEX_PREFIX_LEN..).unwrap_or_default();
                            let primary_at = key.len() - index::primary_of(fields, entry)?.len();
                            Found { key, primary_at, value: None }
                        }
                    };
                    if matches!(of, Of::Entries { dedupe: true, .. }) && !self.seen.insert(found.primary().to_vec()) {
                        continue;
                    }
                    return Ok(Some(found));
                }
            }
        }
    }
}

impl<S: Storage> Source<S> {
    fn new(plan: &Plan, collection: &Collection) -> Result<Self> {
        let documents = || (collection.id.documents(), Of::Documents);
        let (mut ranges, (prefix, of)) = match &plan.access {
            Access::Nothing => (Vec::new(), documents()),
            Access::Keys(keys) => return Ok(Source::Keys(keys.clone().into_iter())),
            Access::Scan => (vec![KeyRange::all()], documents()),
            Access::Primary(ranges) => (ranges.clone(), documents()),
            Access::Index { name, ranges, dedupe } => {
                let index = collection.index(name).ok_or_else(|| Error::internal("a plan names no index"))?;
                let of = Of::Entries { fields: index.facts.fields.len(), dedupe: *dedupe };
                (ranges.clone(), (entries(collection, index.id), of))
            }
        };
        if plan.direction == Direction::Descending {
            ranges.reverse();
        }
        Ok(Source::Ranges { ranges: ranges.into_iter(), prefix, scan: None, of })
    }
}

fn entries(collection: &Collection, index: IndexId) -> Vec<u8> {
    collection.id.index_entries(index)
}
