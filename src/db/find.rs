//! Finding: carries out a plan and gives the documents that match, one after the other.
//!
//! Not a choice: the plan is made by `query/plan.rs`, purely, when the first document is asked for. How keys are read is in
//! `db/find/source.rs`, how documents are matched and sorted in `db/find/running.rs`.
//!
//! Invariants: each document comes once; in the order of the sort; documents are those of one snapshot (and, in a
//! transaction, what it wrote before the find began).

use super::slow::{Done, Slow};
use super::work::Reader;
use crate::engine::catalog::{Collection, INDEX_PREFIX_LEN, IndexState};
use crate::engine::{Estimates, Slice};
use crate::error::Result;
use crate::query::plan::{self, IndexFacts, Statistics, Unknown, Wants};
use crate::query::{Column, Filter, Plan, Projection, Question, Sort};
use crate::storage::Storage;
use crate::value::{KeyRange, Object, Path};
use running::Running;
use std::rc::Rc;

mod columns;
mod cover;
mod running;
mod source;
#[cfg_attr(not(feature = "text"), path = "find/no_text.rs")]
mod text;

pub(crate) use columns::Chosen;
pub(crate) use cover::Cover;
pub(crate) use source::Reads;

/// What is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) skip: usize,
    pub(crate) limit: Option<usize>,
    /// The fields that alone are wanted of each document, in the order in which documents have them; none where that is
    /// not known, or more is wanted.
    pub(crate) fields: Vec<Path>,
}

/// So many documents are expected to be read of a stream, which may be left at any time.
const STREAMED: usize = 1000;

impl Query {
    /// All documents that match, in any order.
    pub(crate) const fn of(filter: Filter) -> Query {
        Query { filter, sort: Sort::none(), skip: 0, limit: None, fields: Vec::new() }
    }

    /// The same, of which a projection takes all that is wanted.
    pub(crate) fn projected(self, collection: &Collection, projection: Option<&Projection>) -> Query {
        Query { fields: cover::fields(collection, projection), ..self }
    }

    /// What planning is asked.
    pub(crate) fn question<'a>(&'a self, collection: &'a Collection, reading: Reading) -> Question<'a> {
        let text = collection.text_index().filter(|index| index.state == IndexState::Ready);
        let first = self.limit.or((reading == Reading::Stream).then_some(STREAMED));
        Question {
            filter: &self.filter,
            sort: &self.sort,
            first: first.map(|first| first.saturating_add(self.skip)),
            wants: if reading == Reading::Keys { Wants::Keys } else { Wants::Documents },
            fields: if reading == Reading::Keys { &[] } else { &self.fields },
            key_fields: &collection.key_fields,
            indexes: &collection.ready,
            text: text.map(|index| &index.facts),
        }
    }

    /// The chosen plan, then what else could have been done.
    async fn plans<S: Storage>(
        &self,
        reader: &Reader<S>,
        collection: &Collection,
        reading: Reading,
    ) -> Result<Vec<Plan>> {
        plans(&self.question(collection, reading), reader, collection).await
    }

    /// How it would be answered, for people; where what is found is grouped, by these columns.
    ///
    /// # Errors
    /// `limit` where a value of the filter is too long for a key.
    pub(crate) async fn explain<S: Storage>(
        &self,
        reader: &Reader<S>,
        collection: &Collection,
        reading: Reading,
        grouped: Option<&[Column]>,
    ) -> Result<Object> {
        let plans = self.plans(reader, collection, reading).await?;
        let mut explained = plan::explain(&plans, &self.question(collection, reading), (self.skip, self.limit));
        if let (Some(plan), Reader::Snapshot(_)) = (plans.first(), reader) {
            let fields = columns::explain(plan, self, reading, grouped);
            fields.into_iter().for_each(|fields| explained.set("vectors", fields));
        }
        Ok(explained)
    }
}

async fn plans<S: Storage>(question: &Question<'_>, reader: &Reader<S>, collection: &Collection) -> Result<Vec<Plan>> {
    if !question.is_open() {
        return plan::plans(question, &Unknown);
    }
    plan::plans(question, &Known { estimates: reader.estimates(collection).await, collection })
}

/// What is known of how much a collection holds.
pub(crate) struct Known<'a, S: Storage> {
    pub(crate) estimates: Estimates<S>,
    pub(crate) collection: &'a Collection,
}

impl<S: Storage> Statistics for Known<'_, S> {
    fn documents(&self) -> f64 {
        // An index with an entry for each document tells better: how large documents are is not known.
        let whole = self.collection.ready.iter().find(|index| !index.sparse && index.multi == 0);
        match whole {
            Some(index) => self.entries_in(index, &KeyRange::all()),
            None => self.estimates.values(&KeyRange::prefix(&self.collection.id.documents())),
        }
    }

    fn documents_in(&self, range: &KeyRange) -> f64 {
        let documents = self.collection.id.documents();
        let all = self.estimates.values(&KeyRange::prefix(&documents)).max(1.0);
        (self.estimates.values(&range.within(&documents)) / all * self.documents()).min(self.documents())
    }

    fn entries_in(&self, index: &IndexFacts, range: &KeyRange) -> f64 {
        self.collection
            .index(&index.name)
            .map_or(0.0, |index| self.estimates.entries(&range.within(&self.collection.id.index_entries(index.id))))
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
    /// How well it matches what was searched; 0 where nothing was.
    pub(crate) score: f64,
}

impl Found {
    /// Its primary key.
    pub(crate) fn primary(&self) -> &[u8] {
        self.key.get(self.primary_at..).unwrap_or_default()
    }

    /// Bytes that are kept with it.
    pub(crate) fn len_bytes(&self) -> usize {
        size_of::<Found>() + self.key.len() + self.value.as_ref().map_or(0, |value| value.len())
    }

    /// What a document is made of whose value was not read.
    pub(crate) fn covered(&self, cover: Option<&Cover>) -> Option<Result<Object>> {
        let cover = cover.filter(|_| self.value.is_none())?;
        Some(cover.object(self.entry()))
    }

    /// Its value, where it was read.
    pub(crate) fn stored(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The entry of the index that it was found by, without its prefix.
    fn entry(&self) -> &[u8] {
        // A document that a scan gave is its own entry.
        self.key.get(INDEX_PREFIX_LEN.min(self.primary_at)..).unwrap_or_default()
    }
}

/// A find that is read from front to back. The plan is made at the first step.
pub(crate) struct Find<S: Storage> {
    reader: Reader<S>,
    collection: Rc<Collection>,
    query: Query,
    reading: Reading,
    running: Option<Running<S>>,
    /// What [`Find::next`] gives out next.
    ready: std::vec::IntoIter<Found>,
    /// Who wants to know, and what was done so far.
    slow: Option<Rc<Slow>>,
    done: Done,
}

impl<S: Storage> Drop for Find<S> {
    fn drop(&mut self) {
        if let (Some(slow), Some(running)) = (&self.slow, &self.running) {
            let done = Done { reads: running.reads(), ..self.done };
            slow.note(&self.collection, &self.query, self.reading, running.plan(), done);
        }
    }
}

impl<S: Storage> Find<S> {
    pub(crate) fn new(reader: Reader<S>, collection: Rc<Collection>, query: Query, reading: Reading) -> Result<Self> {
        let (ready, done) = (Vec::new().into_iter(), Done::default());
        Ok(Find { reader, collection, query, reading, running: None, ready, slow: None, done })
    }

    /// The same; if it is slow, that is remembered.
    pub(crate) fn watched(mut self, slow: &Rc<Slow>) -> Self {
        self.slow = Some(Rc::clone(slow));
        self
    }

    fn now_ms(&self) -> f64 {
        self.slow.as_ref().map_or(0.0, |slow| slow.now_ms())
    }

    fn note(&mut self, start_ms: f64, returned: usize) {
        self.done.time_ms += self.now_ms() - start_ms;
        self.done.returned += returned;
    }

    fn note_use(&self, plan: &Plan) {
        self.slow.iter().for_each(|slow| slow.note_use(&self.collection, plan));
    }

    /// The collection as it is read.
    pub(crate) fn collection(&self) -> &Rc<Collection> {
        &self.collection
    }

    /// At most this many documents.
    pub(crate) const fn limit(&self) -> Option<usize> {
        self.query.limit
    }

    /// What was read so far.
    pub(crate) fn reads(&self) -> Reads {
        self.running.as_ref().map_or_else(Reads::default, Running::reads)
    }

    async fn plan(&self) -> Result<Plan> {
        Ok(self.query.plans(&self.reader, &self.collection, self.reading).await?.swap_remove(0))
    }

    fn run(&self, plan: Plan) -> Result<Running<S>> {
        let collection = Rc::clone(&self.collection);
        Running::new(self.reader.clone(), collection, self.query.clone(), (plan, self.reading))
    }

    /// What makes a document of an entry, where the plan reads entries alone.
    pub(crate) fn cover(&self) -> Option<&Cover> {
        self.running.as_ref()?.cover()
    }

    async fn running(&mut self) -> Result<&mut Running<S>> {
        let running = match self.running.take() {
            Some(running) => running,
            None => {
                let certain = plan::certain(&self.query.question(&self.collection, self.reading))?;
                let is_certain = certain.is_some();
                let running = match certain {
                    Some(plan) => self.run(plan)?,
                    None => self.run(self.plan().await?)?,
                };
                // Another way may be better where entries do not tell what is wanted after all.
                let running = if is_certain || running.tells().await? {
                    running
                } else {
                    self.query.fields.clear();
                    self.run(self.plan().await?)?
                };
                self.note_use(running.plan());
                running
            }
        };
        Ok(self.running.insert(running))
    }

    /// The next document; none at the end.
    ///
    /// # Errors
    /// `corrupt` naming what is damaged, `limit` where too much would have to be sorted, or the engine's.
    pub(crate) async fn next(&mut self) -> Result<Option<Found>> {
        if let Some(found) = self.ready.next() {
            return Ok(Some(found));
        }
        let window = self.running().await?.grown_window();
        self.ready = self.next_batch(window).await?.into_iter();
        Ok(self.ready.next())
    }

    /// The next documents, at most so many; none only at the end. No more is read than these need, but for what has to
    /// be looked at to know whether it matches.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn next_batch(&mut self, max: usize) -> Result<Vec<Found>> {
        let start_ms = self.now_ms();
        let batch = self.running().await?.next_batch(max).await?;
        self.note(start_ms, batch.len());
        Ok(batch)
    }

    /// All that is asked for, with some of its columns; none where vectors cannot tell, and nothing was read then.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn choose(&mut self, wanted: &[Column]) -> Result<Option<Chosen>> {
        self.running().await?.choose(wanted).await
    }

    /// Where an index holds the field: a document of each of its values, and every one where the value is null, which an
    /// entry does not tell from missing. None where documents have to be read; then nothing was.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn one_of_each(&self, field: &Path) -> Result<Option<Vec<Found>>> {
        let question = self.query.question(&self.collection, Reading::Keys);
        let question = Question { fields: core::slice::from_ref(field), ..question };
        let plan = plans(&question, &self.reader, &self.collection).await?.swap_remove(0);
        let Some(component) = plan.holds(field, &self.collection.ready, &[]) else { return Ok(None) };
        self.note_use(&plan);
        let (collection, query) = (Rc::clone(&self.collection), self.query.clone());
        let mut running = Running::new(self.reader.clone(), collection, query, (plan, Reading::Keys))?;
        running.one_of_each(component).await.map(Some)
    }

    /// How many there are. Order does not matter to that; nor do documents, where keys tell enough.
    ///
    /// # Errors
    /// As [`Find::next`].
    pub(crate) async fn count(mut self) -> Result<usize> {
        self.query.sort = Sort::none();
        let start_ms = self.now_ms();
        let count = self.running().await?.count().await?;
        self.note(start_ms, count);
        Ok(count)
    }
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
