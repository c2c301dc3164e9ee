//! A find under way: what its source gives is matched, sorted, and given out.
//!
//! Not the reading of keys: that is `db/find/source.rs`.
//!
//! Invariant: no more documents are read than are needed to know what to give out.

use super::cover::Cover;
use super::source::{Reads, Source, push_entry_key};
use super::{Found, Keys, Query, Reading};
use crate::db::document;
use crate::db::sorter::Sorter;
use crate::db::work::Reader;
use crate::engine::catalog::Collection;
use crate::error::{Error, Result};
use crate::query::{Access, Plan};
use crate::storage::Storage;
use crate::value::{Direction, Path, View, key};
use std::collections::HashSet;
use std::rc::Rc;

/// Documents that are read together at most: so many blocks may be in memory at once.
const WINDOW_MAX: usize = 1024;
/// The first window of a find that needs only a few.
const WINDOW_START: usize = 16;

/// See the module.
pub(super) struct Running<S: Storage> {
    pub(super) reader: Reader<S>,
    pub(super) collection: Rc<Collection>,
    pub(super) query: Query,
    pub(super) reading: Reading,
    pub(super) plan: Plan,
    source: Source<S>,
    cover: Option<Cover>,
    /// Vectors were asked which documents to read.
    is_picked: bool,
    sorted: Option<std::vec::IntoIter<Found>>,
    /// Matches that were not asked for yet.
    spare: std::vec::IntoIter<Found>,
    /// How many entries to look at together, where some will not match.
    window: usize,
}

impl<S: Storage> Running<S> {
    pub(super) fn new(
        reader: Reader<S>,
        collection: Rc<Collection>,
        query: Query,
        (plan, reading): (Plan, Reading),
    ) -> Result<Self> {
        let source = Source::new(&plan, reader.clone(), Rc::clone(&collection))?;
        let cover = Cover::of(&plan, &query.question(&collection, reading));
        Ok(Running {
            reader,
            collection,
            query,
            reading,
            plan,
            source,
            cover,
            is_picked: false,
            sorted: None,
            spare: Vec::new().into_iter(),
            window: WINDOW_START,
        })
    }

    /// What documents are made of, where entries tell what is wanted of them.
    pub(super) const fn cover(&self) -> Option<&Cover> {
        self.cover.as_ref()
    }

    /// Whether entries do tell it, by the first of them: where they do not, documents are looked up one by one.
    pub(super) async fn tells(&self) -> Result<bool> {
        let Some(cover) = &self.cover else { return Ok(true) };
        let mut source = Source::new(&self.plan, self.reader.clone(), Rc::clone(&self.collection))?;
        let first = source.candidates(WINDOW_START).await?;
        Ok(first.iter().filter(|found| cover.tells(found.entry())).count() * 2 >= first.len())
    }

    /// So many keys were passed elsewhere.
    pub(super) fn note_keys(&self, count: usize) {
        self.source.note_keys(count);
    }

    pub(super) const fn reads(&self) -> Reads {
        self.source.reads()
    }

    /// How it is done.
    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many to look at together, more each time.
    pub(super) fn grown_window(&mut self) -> usize {
        let window = self.window;
        self.window = (window * 2).min(WINDOW_MAX);
        window
    }

    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<Found>> {
        if !self.plan.is_sorted() && self.sorted.is_none() && self.query.limit != Some(0) {
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

    /// The first document of each value of a component, and every one where it is null.
    pub(super) async fn one_of_each(&mut self, component: usize) -> Result<Vec<Found>> {
        let (mut each, mut null, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        key::push(&mut null, View::Null)?;
        let by = [(component, Direction::Ascending)];
        let mut value = Vec::new();
        while let Some(batch) = some(self.source.candidates(WINDOW_MAX).await?) {
            for found in batch {
                value.clear();
                push_entry_key(&by, found.entry(), &mut value)?;
                if value == null || !seen.contains(&value) {
                    seen.insert(value.clone());
                    each.push(found);
                }
            }
        }
        for window in each.chunks_mut(WINDOW_MAX) {
            self.read_documents(window).await?;
        }
        Ok(each)
    }

    pub(super) async fn count(&mut self) -> Result<usize> {
        if !self.plan.residual.is_all()
            && let Some(chosen) = self.choose(&[]).await?
        {
            return Ok(chosen.len());
        }
        let is_certain = self.plan.residual.is_all() || self.source.is_matched();
        if is_certain && self.source.is_countable() {
            let enough = self.query.limit.map_or(usize::MAX, |limit| limit.saturating_add(self.query.skip));
            let count = if self.query.limit == Some(0) { 0 } else { self.source.count(enough).await? };
            return Ok(count.saturating_sub(self.query.skip));
        }
        let mut count = 0;
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
        let mut sorter = Sorter::new(wanted, self.reader.snapshot().sort_bytes());
        let Some(order) = self.order_of_entries() else {
            while let Some(mut batch) = some(self.matches(WINDOW_MAX).await?) {
                self.read_documents(&mut batch).await?;
                let (collection, sort) = (&self.collection, &self.query.sort);
                for found in batch {
                    sorter.push(found, |found, key| {
                        let pushed = document::open(collection, found.stored())
                            .and_then(|view| sort.push_key_scored(view, found.score, key));
                        pushed.map_err(|error| document::naming(error, collection, found.primary()))
                    })?;
                }
            }
            return Ok(sorter.finish());
        };
        while let Some(batch) = some(self.source.candidates(WINDOW_MAX).await?) {
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
        let [walk] = self.plan.walks.as_slice() else { return None };
        let Access::Index { name, .. } = &walk.access else { return None };
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
        if !core::mem::replace(&mut self.is_picked, true)
            && let Some((picked, are_matched)) = self.pick().await?
        {
            self.source.read_picked(picked, are_matched);
        }
        loop {
            let spare: Vec<Found> = self.spare.by_ref().take(wanted).collect();
            if !spare.is_empty() {
                return Ok(spare);
            }
            let is_certain = self.plan.residual.is_all();
            let is_matched = is_certain || self.source.is_matched();
            let window = if is_matched { wanted } else { self.grown_window().max(wanted) };
            let mut batch = self.source.candidates(window).await?;
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

    /// Reads the documents of those that were found by their keys alone, and whose entries do not tell enough.
    async fn read_documents(&self, batch: &mut [Found]) -> Result<()> {
        let is_told = |found: &Found| self.cover.as_ref().is_some_and(|cover| cover.tells(found.entry()));
        let is_wanting = |found: &&mut Found| found.value.is_none() && !is_told(found);
        let without: Vec<&mut Found> = batch.iter_mut().filter(is_wanting).collect();
        if without.is_empty() {
            return Ok(());
        }
        let keys = Keys::of(&self.collection, without.iter().map(|found| found.primary()));
        let values = self.reader.get_many(&keys.each()).await?;
        self.source.note_documents(values.len());
        for (found, value) in without.into_iter().zip(values) {
            if value.is_none() {
                let error = Error::corrupt("an index names a document that is not there");
                return Err(document::naming(error, &self.collection, found.primary()));
            }
            found.value = value;
        }
        Ok(())
    }
}

/// A batch, unless it is empty.
fn some(batch: Vec<Found>) -> Option<Vec<Found>> {
    (!batch.is_empty()).then_some(batch)
}
