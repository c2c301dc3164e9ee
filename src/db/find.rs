//! Finding: carries out a plan and gives the documents that match, one after the other.
//!
//! Not a choice: the plan is made by `query/plan.rs`, purely. Here is where it is awaited.
//!
//! Invariants: each document comes once; in the order of the sort; documents are those of one snapshot (and, in a
//! transaction, what it wrote before the find began).

use super::document;
use super::sorter::Sorter;
use super::work::{Reader, ReaderScan};
use crate::engine::catalog::{Collection, DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN, IndexId};
use crate::engine::{ScanStep, Slice, index};
use crate::error::{Error, Result};
use crate::query::sort::turn;
use crate::query::{self, Access, Filter, Plan, Question, Sort};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange, Path, key};
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
#[derive(Clone)]
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

    /// Its value, where it was read.
    pub(crate) fn stored(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The entry of the index that it was found by, without its prefix.
    fn entry(&self) -> &[u8] {
        self.key.get(INDEX_PREFIX_LEN..).unwrap_or_default()
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
    /// Matches that were not asked for yet.
    spare: std::vec::IntoIter<Found>,
    /// What [`Find::next`] gives out next.
    ready: std::vec::IntoIter<Found>,
    /// How many entries to look at together, where some will not match.
    window: usize,
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

/// Documents that are read together at most: so many blocks may be in memory at once.
const WINDOW_MAX: usize = 1024;
/// The first window of a find that needs only a few.
const WINDOW_START: usize = 16;

impl<S: Storage> Find<S> {
    pub(crate) fn new(reader: Reader<S>, collection: Rc<Collection>, query: Query, reading: Reading) -> Result<Self> {
        let plan = query.plan(&collection, reading)?;
        let source = Source::new(&plan, &collection)?;
        Ok(Find {
            reader,
            collection,
            query,
            reading,
            plan,
            source,
            seen: HashSet::new(),
            sorted: None,
            spare: Vec::new().into_iter(),
            ready: Vec::new().into_iter(),
            window: WINDOW_START,
        })
    }

    /// The collection as it is read.
    pub(crate) fn collection(&self) -> &Rc<Collection> {
        &self.collection
    }

    /// At most this many documents.
    pub(crate) const fn limit(&self) -> Option<usize> {
        self.query.limit
    }

    /// The next document; none at the end.
    ///
    /// # Errors
    /// `corrupt` naming what is damaged, or the engine's.
    pub(crate) async fn next(&mut self) -> Result<Option<Found>> {
        if let Some(found) = self.ready.next() {
            return Ok(Some(found));
        }
        let window = self.grown_window();
        self.ready = self.next_batch(window).await?.into_iter();
        Ok(self.ready.next())
    }

    fn grown_window(&mut self) -> usize {
        let window = self.window;
        self.window = (window * 2).min(WINDOW_MAX);
        window
    }

    /// The next documents, at most so many; none only at the end. No more is read than these need, but for what has to
    /// be looked at to know whether it matches.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn next_batch(&mut self, max: usize) -> Result<Vec<Found>> {
        if !self.plan.sorted && self.sorted.is_none() && self.query.limit != Some(0) {
            self.sorted = Some(self.sort().await?.into_iter());
        }
        loop {
            let wanted = self.query.limit.map_or(max, |limit| limit.min(max));
            if wanted == 0 {
                return Ok(Vec::new());
            }
            let wanted = wanted.saturating_add(self.query.skip).min(WINDOW_MAX);
            let mut batch = match &mut self.sorted {
                Some(sorted) => sorted.take(wanted).collect(),
                None => self.matches(wanted).await?,
            };
            if batch.is_empty() {
                return Ok(batch);
            }
            let skipped = self.query.skip.min(batch.len());
            self.query.skip -= skipped;
            batch.drain(..skipped);
            if let Some(left) = &mut self.query.limit {
                *left -= batch.len();
            }
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// How many there are. Order does not matter to that; nor do documents, where keys tell enough.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn count(mut self) -> Result<usize> {
        self.plan.sorted = true;
        let mut count = 0;
        if self.plan.residual.is_all()
            && let Source::Ranges { of: Of::Documents | Of::Entries { dedupe: false, .. }, .. } = self.source
        {
            let (skip, limit) = (self.query.skip, self.query.limit.unwrap_or(usize::MAX));
            let enough = limit.saturating_add(skip);
            while limit > 0 && count < enough && self.step().await? {
                count += 1;
            }
            return Ok(count.saturating_sub(skip));
        }
        loop {
            match self.next_batch(WINDOW_MAX).await?.len() {
                0 => return Ok(count),
                more => count += more,
            }
        }
    }

    /// Everything that matches in the order of the sort, or as much of it as is wanted.
    async fn sort(&mut self) -> Result<Vec<Found>> {
        let wanted = self.query.limit.map(|limit| limit.saturating_add(self.query.skip));
        let mut sorter = Sorter::new(wanted);
        let Some(order) = self.order_of_entries() else {
            while let Some(mut batch) = some(self.matches(WINDOW_MAX).await?) {
                self.read_documents(&mut batch).await?;
                let (collection, sort) = (&self.collection, &self.query.sort);
                for found in batch {
                    sorter.push(found, |found, key| {
                        let pushed =
                            document::open(collection, found.stored()).and_then(|view| sort.push_key(view, key));
                        pushed.map_err(|error| document::naming(error, collection, found.primary()))
                    })?;
                }
            }
            return Ok(sorter.finish());
        };
        while let Some(batch) = some(self.candidates(WINDOW_MAX).await?) {
            for found in batch {
                sorter.push(found, |found, key| push_entry_key(&order, found.entry(), key))?;
            }
        }
        let mut sorted = sorter.finish();
        if self.reading != Reading::Keys {
            for window in sorted.chunks_mut(WINDOW_MAX) {
                self.read_documents(window).await?;
            }
        }
        Ok(sorted)
    }

    /// Where the entries of the index have all that the sort asks for: which of their components, and which way.
    fn order_of_entries(&self) -> Option<Vec<(usize, Direction)>> {
        let Access::Index { name, .. } = &self.plan.access else { return None };
        let index = self.collection.index(name).filter(|_| self.plan.residual.is_all())?;
        let fields = || index.facts.fields.iter().chain(&self.collection.key_fields);
        let component = |(path, direction): &(Path, Direction)| {
            // An array sorts by its least or greatest element, and an entry has only one of them.
            let place = fields().position(|field| field == path).filter(|place| index.facts.multi >> place & 1 == 0)?;
            Some((place, *direction))
        };
        self.query.sort.fields().iter().map(component).collect()
    }

    /// The next documents that match, at most so many, as the keys are read; none only at the end.
    async fn matches(&mut self, wanted: usize) -> Result<Vec<Found>> {
        loop {
            let spare: Vec<Found> = self.spare.by_ref().take(wanted).collect();
            if !spare.is_empty() {
                return Ok(spare);
            }
            let is_certain = self.plan.residual.is_all();
            let is_matched = is_certain || matches!(self.source, Source::Ranges { of: Of::Documents, .. });
            let window = if is_matched { wanted } else { self.grown_window().max(wanted) };
            let mut batch = self.candidates(window).await?;
            if batch.is_empty() {
                return Ok(batch);
            }
            if !is_certain || self.reading != Reading::Keys {
                self.read_documents(&mut batch).await?;
            }
            if !is_matched {
                let mut failed = None;
                batch.retain(|found| match self.matches_one(found) {
                    Ok(matches) => matches,
                    Err(error) => {
                        failed.get_or_insert(error);
                        false
                    }
                });
                if let Some(error) = failed {
                    return Err(error);
                }
            }
            self.spare = batch.into_iter();
        }
    }

    fn matches_one(&self, found: &Found) -> Result<bool> {
        let matches =
            document::open(&self.collection, found.stored()).and_then(|view| self.plan.residual.matches(view));
        matches.map_err(|error| document::naming(error, &self.collection, found.primary()))
    }

    /// Reads the documents of those that were found by their keys alone.
    async fn read_documents(&self, batch: &mut [Found]) -> Result<()> {
        let without: Vec<&mut Found> = batch.iter_mut().filter(|found| found.value.is_none()).collect();
        if without.is_empty() {
            return Ok(());
        }
        let keys = Keys::of(&self.collection, without.iter().map(|found| found.primary()));
        let values = self.reader.get_many(&keys.each()).await?;
        for (found, value) in without.into_iter().zip(values) {
            if value.is_none() {
                let error = Error::corrupt("an index names a document that is not there");
                return Err(document::naming(error, &self.collection, found.primary()));
            }
            found.value = value;
        }
        Ok(())
    }

    /// Goes to the next key; false at the end.
    async fn step(&mut self) -> Result<bool> {
        loop {
            let Source::Ranges { ranges, prefix, scan, .. } = &mut self.source else { return Ok(false) };
            let Some(open) = scan else {
                let Some(range) = ranges.next() else { return Ok(false) };
                *scan = Some(self.reader.scan(range.within(prefix), self.plan.direction));
                continue;
            };
            match open.step() {
                ScanStep::Entry => return Ok(true),
                ScanStep::Needs => open.fill().await?,
                ScanStep::End => *scan = None,
            }
        }
    }

    /// The next documents that may match, at most so many; none only at the end.
    async fn candidates(&mut self, max: usize) -> Result<Vec<Found>> {
        if matches!(self.source, Source::Keys(_)) {
            return self.candidates_by_key(max).await;
        }
        let mut batch = Vec::with_capacity(max.min(64));
        while batch.len() < max && self.step().await? {
            let Source::Ranges { scan: Some(open), of, .. } = &self.source else { break };
            let (key, value) = open.scan().entry();
            let primary_at = match of {
                Of::Documents => {
                    let residual = &self.plan.residual;
                    let matches = match residual.is_all() {
                        true => Ok(true),
                        false => document::open(&self.collection, value).and_then(|view| residual.matches(view)),
                    };
                    let primary = key.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default();
                    if !matches.map_err(|error| document::naming(error, &self.collection, primary))? {
                        continue;
                    }
                    DOCUMENT_PREFIX_LEN
                }
                Of::Entries { fields, dedupe } => {
                    let entry = key.get(INDEX_PREFIX_LEN..).unwrap_or_default();
                    let primary = index::primary_of(*fields, entry)?;
                    if *dedupe && !self.seen.insert(primary.to_vec()) {
                        continue;
                    }
                    key.len() - primary.len()
                }
            };
            let is_document = matches!(of, Of::Documents);
            let slices = open.scan().slices();
            batch.extend(slices.map(|(key, value)| Found { key, primary_at, value: is_document.then_some(value) }));
        }
        Ok(batch)
    }

    async fn candidates_by_key(&mut self, max: usize) -> Result<Vec<Found>> {
        let Source::Keys(keys) = &mut self.source else { return Ok(Vec::new()) };
        loop {
            let some: Vec<Vec<u8>> = keys.by_ref().take(max).collect();
            if some.is_empty() {
                return Ok(Vec::new());
            }
            let keys = Keys::of(&self.collection, some.iter().map(Vec::as_slice));
            let each = keys.each();
            let values = self.reader.get_many(&each).await?;
            let found = |(key, value): (&&[u8], Option<Slice>)| {
                value.map(|value| Found {
                    key: key.to_vec().into(),
                    primary_at: DOCUMENT_PREFIX_LEN,
                    value: Some(value),
                })
            };
            let found: Vec<Found> = each.iter().zip(values).filter_map(found).collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
}

/// A batch, unless it is empty.
fn some(batch: Vec<Found>) -> Option<Vec<Found>> {
    (!batch.is_empty()).then_some(batch)
}

/// Appends what the entry sorts by.
fn push_entry_key(order: &[(usize, Direction)], entry: &[u8], sort_key: &mut Vec<u8>) -> Result<()> {
    for (component, direction) in order {
        let mut rest = index::primary_of(*component, entry)?;
        let whole = rest;
        key::skip(&mut rest)?;
        let start = sort_key.len();
        sort_key.extend_from_slice(whole.get(..whole.len() - rest.len()).unwrap_or_default());
        turn(sort_key, start, *direction);
    }
    Ok(())
}

/// Keys of documents, packed.
pub(crate) struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    /// The keys under which the documents with these primary keys are stored.
    pub(crate) fn of<'a>(collection: &Collection, primaries: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        let prefix = collection.id.documents();
        let mut keys =
            Keys { bytes: Vec::with_capacity(primaries.len() * 32), ends: Vec::with_capacity(primaries.len()) };
        for primary in primaries {
            keys.bytes.extend_from_slice(&prefix);
            keys.bytes.extend_from_slice(primary);
            keys.ends.push(keys.bytes.len());
        }
        keys
    }

    /// All of them.
    pub(crate) fn each(&self) -> Vec<&[u8]> {
        let mut start = 0;
        let key = |end: &usize| {
            let key = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            key
        };
        self.ends.iter().map(key).collect()
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
