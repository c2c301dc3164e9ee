//! Slow queries: which took long, or read far more than they returned; and which indexes they want.
//!
//! Not a log: queries that differ in values alone are one, and only so many are remembered, in memory. Not the judgement
//! which index serves a query: that is `query/plan/advice.rs`.
//!
//! Invariants: what is remembered is bounded by `limits.rs`; of a quick query nothing is kept.

use super::find::{Known, Query, Reading, Reads};
use super::shared::Shared;
use super::work::Reader;
use crate::engine::catalog::{Catalog, Collection, CollectionId, IndexId};
use crate::env::{Env, Timestamp};
use crate::error::Result;
use crate::limits::{SLOW_QUERIES_MAX, SLOW_QUERY_BYTES_MAX, SLOW_QUERY_READS_MIN, SLOW_QUERY_READS_PER_RETURNED};
use crate::query::form;
use crate::query::plan::{self, Plan, Wanting};
use crate::sorted::{self, Sorted};
use crate::storage::Storage;
use crate::value::{Object, Value, codec};
use core::cell::{Cell, RefCell};
use std::rc::Rc;

/// A query that took so long is slow, unless said otherwise.
const QUERY_TIME_MS: f64 = 1000.0;
/// Within a shorter time, that an index was not used says little.
const TELLING_MS: f64 = 86_400_000.0;

/// What is known of the queries of one opened database.
pub(crate) struct Slow {
    env: Rc<dyn Env>,
    since_ms: f64,
    query_time_ms: Cell<f64>,
    list: RefCell<Vec<Entry>>,
    /// The indexes that were read, and (none) the collections in which something was looked for.
    used: RefCell<Sorted<(CollectionId, Option<IndexId>), ()>>,
}

/// What a find did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) time_ms: f64,
    pub(crate) reads: Reads,
    pub(crate) returned: usize,
}

/// Queries of one form.
struct Entry {
    /// Collection, filter and sort.
    form: Vec<u8>,
    collection: CollectionId,
    /// The last of them; none where it is too large to be kept.
    query: Option<(Query, Reading)>,
    count: usize,
    done: Done,
    max_ms: f64,
    plan: String,
    last: Timestamp,
}

impl Slow {
    pub(crate) fn new(env: &Rc<dyn Env>) -> Slow {
        Slow {
            env: Rc::clone(env),
            since_ms: env.monotonic_ms(),
            query_time_ms: Cell::new(QUERY_TIME_MS),
            list: RefCell::default(),
            used: RefCell::default(),
        }
    }

    /// From now on a query that takes so long is slow.
    pub(crate) fn set_query_time(&self, query_time_ms: f64) {
        self.query_time_ms.set(query_time_ms);
    }

    pub(crate) fn now_ms(&self) -> f64 {
        self.env.monotonic_ms()
    }

    /// Something is looked for, by this plan.
    pub(crate) fn note_use(&self, collection: &Collection, plan: &Plan) {
        let mut used = self.used.borrow_mut();
        let mut note = |index: Option<IndexId>| {
            if used.get(&(collection.id, index)).is_none() {
                used.insert((collection.id, index), ());
            }
        };
        note(None);
        plan.indexes().for_each(|name| note(collection.index(name).map(|index| index.id)));
    }

    /// Remembers what was done, if it was slow.
    pub(crate) fn note(&self, collection: &Collection, query: &Query, reading: Reading, plan: &Plan, done: Done) {
        let reads = done.reads.keys.max(done.reads.documents);
        let is_much = reads >= SLOW_QUERY_READS_MIN && reads / SLOW_QUERY_READS_PER_RETURNED >= done.returned;
        if !is_much && done.time_ms < self.query_time_ms.get() {
            return;
        }
        let (filter, size) = {
            let mut size = 0;
            (form::of(&query.filter, &mut size), size)
        };
        let mut form = Object::from([
            ("collection", Value::from(&*collection.name)),
            ("filter", filter.into()),
            ("sort", plan::by(&query.sort)),
        ]);
        let mut encoded = codec::encoded(&form.clone().into());
        let is_kept = size + encoded.len() <= SLOW_QUERY_BYTES_MAX;
        if encoded.len() > SLOW_QUERY_BYTES_MAX {
            form.set("filter", "?".into());
            encoded = codec::encoded(&form.into());
        }
        let list = &mut *self.list.borrow_mut();
        let entry = Entry {
            form: encoded,
            collection: collection.id,
            query: is_kept.then(|| (query.clone(), reading)),
            count: 1,
            done,
            max_ms: done.time_ms,
            plan: plan.name(),
            last: self.env.now(),
        };
        match list.iter_mut().find(|known| known.form == entry.form) {
            Some(known) => known.join(entry),
            None => {
                if list.len() >= SLOW_QUERIES_MAX {
                    let least = list
                        .iter()
                        .enumerate()
                        .min_by(|(_, left), (_, right)| left.done.time_ms.total_cmp(&right.done.time_ms));
                    if let Some((place, _)) = least {
                        list.swap_remove(place);
                    }
                }
                list.push(entry);
            }
        }
    }

    /// `[{ collection, filter, sort, count, totalMs, maxMs, keys, documents, returned, plan, last } ...]`, the slowest first.
    pub(crate) fn queries(&self) -> Result<Value> {
        let list = self.list.borrow();
        let max_ms = |place: usize| list.get(place).map_or(0.0, |entry| entry.max_ms);
        let order = sorted::order(list.len(), &mut |left, right| max_ms(right).total_cmp(&max_ms(left)));
        let each = order.into_iter().filter_map(|place| list.get(place));
        let each = each.map(|entry| entry.told().map(Value::Object));
        Ok(Value::Array(each.collect::<Result<_>>()?))
    }

    /// The collections with slow queries.
    fn collections(&self) -> Vec<CollectionId> {
        let mut ids: Vec<CollectionId> = Vec::new();
        for entry in &*self.list.borrow() {
            if !ids.contains(&entry.collection) {
                ids.push(entry.collection);
            }
        }
        ids
    }

    fn of(&self, collection: CollectionId) -> Vec<Asked> {
        let list = self.list.borrow();
        let of = list.iter().filter(|entry| entry.collection == collection);
        of.filter_map(|entry| {
            let (query, reading) = entry.query.clone()?;
            let is_whole = query.limit.is_none() && query.skip == 0 && reading != Reading::Stream;
            let matching = is_whole.then(|| entry.done.returned as f64 / entry.count as f64);
            Some(Asked { query, reading, matching, told: entry.told().ok()?, count: entry.count, done: entry.done })
        })
        .collect()
    }

    /// What no query has used, of the collections in which something was looked for.
    fn unused(&self, catalog: &Catalog, advice: &mut Vec<Value>) {
        let used = self.used.borrow();
        let is_used = |collection: &Collection, index| used.get(&(collection.id, index)).is_some();
        let since_ms = self.now_ms() - self.since_ms;
        let reason = [
            "no query used it since the database was opened here",
            if since_ms < TELLING_MS { ", which is too short a time to tell" } else { "" },
        ]
        .concat();
        for collection in catalog.iter().filter(|collection| is_used(collection, None)) {
            for index in
                collection.indexes.iter().filter(|index| !index.is_unique && !is_used(collection, Some(index.id)))
            {
                advice.push(Value::Object(Object::from([
                    ("advice", "unused".into()),
                    ("collection", Value::from(&*collection.name)),
                    ("index", Value::from(&*index.facts.name)),
                    ("reason", Value::from(&*reason)),
                    ("sinceMs", whole(since_ms)),
                ])));
            }
        }
    }
}

/// A query as advice needs it, and as it is told.
struct Asked {
    query: Query,
    reading: Reading,
    matching: Option<f64>,
    count: usize,
    done: Done,
    told: Object,
}

impl Entry {
    fn join(&mut self, other: Entry) {
        self.count += 1;
        self.done.time_ms += other.done.time_ms;
        self.done.returned += other.done.returned;
        self.done.reads.keys += other.done.reads.keys;
        self.done.reads.documents += other.done.reads.documents;
        self.max_ms = self.max_ms.max(other.max_ms);
        (self.query, self.plan, self.last) = (other.query, other.plan, other.last);
    }

    fn told(&self) -> Result<Object> {
        let Value::Object(mut told) = codec::decode(&self.form)? else { return Ok(Object::new()) };
        let reads = self.done.reads;
        for (name, count) in [
            ("count", self.count),
            ("keys", reads.keys),
            ("documents", reads.documents),
            ("returned", self.done.returned),
        ] {
            told.set(name, Value::count(count));
        }
        told.set("totalMs", number(self.done.time_ms));
        told.set("maxMs", number(self.max_ms));
        told.set("plan", Value::from(&*self.plan));
        told.set("last", Value::Date(self.last.as_ms()));
        Ok(told)
    }
}

/// `[{ advice: 'create', ... } ..., { advice: 'unused', ... } ...]`.
///
/// # Errors
/// What estimates fail with.
pub(crate) async fn advise<S: Storage>(shared: &Rc<Shared<S>>) -> Result<Value> {
    let catalog = shared.catalog().await?;
    // Nothing is awaited in between: the snapshot has this catalog.
    let reader = Reader::Snapshot(shared.engine.snapshot()?);
    let mut advice = Vec::new();
    for id in shared.slow.collections() {
        let Some(collection) = catalog.by_id(id) else { continue };
        let known = Known::of(&reader, collection).await;
        let asked = shared.slow.of(id);
        let mut wanting = Vec::with_capacity(asked.len());
        for asked in &asked {
            let question = asked.query.question(collection, asked.reading);
            wanting.push(Wanting { question, count: asked.count as f64, matching: asked.matching });
        }
        for wanted in plan::advise(&wanting, &known)? {
            let fields = wanted.fields.iter().map(|field| Value::from(field.as_str())).collect();
            let serves: Vec<&Asked> = wanted.serves.iter().filter_map(|place| asked.get(*place)).collect();
            let estimate = Object::from([("now", whole(wanted.now)), ("then", whole(wanted.then))]);
            advice.push(Value::Object(Object::from([
                ("advice", "create".into()),
                ("collection", Value::from(&*collection.name)),
                ("index", Object::from([("fields", Value::Array(fields))]).into()),
                ("reason", reason(&serves).into()),
                ("queries", serves.iter().map(|asked| asked.told.clone().into()).collect::<Vec<Value>>().into()),
                ("estimate", estimate.into()),
            ])));
        }
    }
    shared.slow.unused(&catalog, &mut advice);
    Ok(advice.into())
}

fn reason(serves: &[&Asked]) -> String {
    let sum = |of: fn(&Done) -> usize| serves.iter().map(|asked| of(&asked.done)).sum::<usize>();
    let read = sum(|done| done.reads.documents.max(done.reads.keys));
    let each = read / sum(|done| done.returned).max(1);
    format!(
        "slow queries of {} form(s) read {each} documents or keys for each document that they returned",
        serves.len()
    )
}

fn number(number: f64) -> Value {
    Value::number(number).unwrap_or(Value::Null)
}

fn whole(of: f64) -> Value {
    number(of.round())
}
