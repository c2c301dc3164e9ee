//! Slow queries: which took long, or read far more than they returned; and which indexes they want.
//!
//! Not a log: queries that differ in values alone are one, and only so many are remembered, in memory. Not the judgement
//! which index serves a query: that is `query/plan/advice.rs`.
//!
//! Invariants: what is remembered is bounded by `limits.rs`; of a quick query nothing is kept.

use super::find::{Known, Query, Reading, Reads};
use super::shared::Shared;
use super::work::Reader;
use crate::engine::catalog::{Collection, CollectionId, IndexId};
use crate::env::{Env, Timestamp};
use crate::error::Result;
use crate::limits::{SLOW_QUERIES_MAX, SLOW_QUERY_BYTES_MAX, SLOW_QUERY_READS_MIN, SLOW_QUERY_READS_PER_RETURNED};
use crate::query::plan::{self, Plan, Wanting};
use crate::query::{Statistics, form, weight};
use crate::sorted;
use crate::storage::Storage;
use crate::value::{Object, Value};
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
    used: RefCell<Vec<(CollectionId, Option<IndexId>)>>,
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
    /// `{ collection, filter, sort }`.
    form: Object,
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
        self.note_used((collection.id, None));
        for name in plan.indexes() {
            self.note_used((collection.id, collection.index(name).map(|index| index.id)));
        }
    }

    fn note_used(&self, one: (CollectionId, Option<IndexId>)) {
        if !self.is_used(one) {
            self.used.borrow_mut().push(one);
        }
    }

    fn is_used(&self, one: (CollectionId, Option<IndexId>)) -> bool {
        self.used.borrow().contains(&one)
    }

    /// Remembers what was done, if it was slow.
    pub(crate) fn note(&self, collection: &Collection, query: &Query, reading: Reading, plan: &Plan, done: Done) {
        let reads = done.reads.keys.max(done.reads.documents);
        let is_much = reads >= SLOW_QUERY_READS_MIN && reads / SLOW_QUERY_READS_PER_RETURNED >= done.returned;
        if is_much || done.time_ms >= self.query_time_ms.get() {
            self.remember(collection, query, reading, plan, done);
        }
    }

    #[cold]
    fn remember(&self, collection: &Collection, query: &Query, reading: Reading, plan: &Plan, done: Done) {
        let mut size = 0;
        let mut filter = Value::Object(form::of(&query.filter, &mut size));
        let form_size = weight::of(&filter);
        if form_size > SLOW_QUERY_BYTES_MAX {
            filter = "?".into();
        }
        let mut form = Object::new();
        form.set("collection", Value::from(&*collection.name));
        form.set("filter", filter);
        form.set("sort", plan::by(&query.sort));
        let query = (size + form_size <= SLOW_QUERY_BYTES_MAX).then(|| (query.clone(), reading));
        let list = &mut *self.list.borrow_mut();
        let mut place = list.iter().position(|entry| entry.form == form).unwrap_or(list.len());
        if place == list.len() && place >= SLOW_QUERIES_MAX {
            place = 0;
            let mut least = f64::INFINITY;
            for (at, entry) in list.iter().enumerate() {
                if entry.done.time_ms < least {
                    (place, least) = (at, entry.done.time_ms);
                }
            }
            list.swap_remove(place);
            place = list.len();
        }
        if place == list.len() {
            let (collection, plan) = (collection.id, String::new());
            let (done, last) = (Done::default(), Timestamp::default());
            list.push(Entry { form, collection, query: None, count: 0, done, max_ms: 0.0, plan, last });
        }
        let Some(entry) = list.get_mut(place) else { return };
        entry.count += 1;
        entry.done.time_ms += done.time_ms;
        entry.done.returned += done.returned;
        entry.done.reads.keys += done.reads.keys;
        entry.done.reads.documents += done.reads.documents;
        entry.max_ms = entry.max_ms.max(done.time_ms);
        entry.query = query;
        entry.plan = plan.name();
        entry.last = self.env.now();
    }

    /// `[{ collection, filter, sort, count, totalMs, maxMs, keys, documents, returned, plan, last } ...]`, the slowest first.
    pub(crate) fn queries(&self) -> Value {
        let list = self.list.borrow();
        let max_ms = |place: usize| list.get(place).map_or(0.0, |entry| entry.max_ms);
        let mut queries: Vec<Value> = Vec::new();
        for place in sorted::order(list.len(), &mut |left, right| max_ms(right).total_cmp(&max_ms(left))) {
            queries.extend(list.get(place).map(Entry::told));
        }
        queries.into()
    }

    fn advise(&self, collection: &Collection, statistics: &dyn Statistics, advice: &mut Vec<Value>) -> Result<()> {
        let list = self.list.borrow();
        let (mut wanting, mut entries) = (Vec::new(), Vec::new());
        for entry in list.iter().filter(|entry| entry.collection == collection.id) {
            let Some((query, reading)) = &entry.query else { continue };
            let is_whole = query.limit.is_none() && query.skip == 0 && *reading != Reading::Stream;
            let count = entry.count as f64;
            let matching = is_whole.then(|| entry.done.returned as f64 / count);
            wanting.push(Wanting { question: query.question(collection, *reading), count, matching });
            entries.push(entry);
        }
        let found = plan::advise(&wanting, statistics)?;
        let saves = |place: usize| found.get(place).map_or(0.0, |wanted| wanted.now - wanted.then);
        for place in sorted::order(found.len(), &mut |left, right| saves(right).total_cmp(&saves(left))) {
            let Some(wanted) = found.get(place) else { continue };
            let (mut fields, mut queries): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
            for field in &wanted.fields {
                fields.push(field.as_str().into());
            }
            let (mut read, mut returned) = (0, 0);
            for entry in wanted.serves.iter().filter_map(|place| entries.get(*place)) {
                queries.push(entry.told());
                read += entry.done.reads.documents.max(entry.done.reads.keys);
                returned += entry.done.returned;
            }
            let each = read / returned.max(1);
            let reason = format!("slow queries read {each} documents or keys for each document that they returned");
            let mut told = told("create", collection, &reason);
            let mut index = Object::new();
            index.set("fields", fields.into());
            told.set("index", index.into());
            told.set("queries", queries.into());
            let mut estimate = Object::new();
            estimate.set("now", whole(wanted.now));
            estimate.set("then", whole(wanted.then));
            told.set("estimate", estimate.into());
            advice.push(told.into());
        }
        Ok(())
    }

    /// What no query has used of a collection, if something was looked for in it.
    fn unused(&self, collection: &Collection, advice: &mut Vec<Value>) {
        let since_ms = self.now_ms() - self.since_ms;
        for index in &collection.indexes {
            let is_used = index.is_unique || self.is_used((collection.id, Some(index.id)));
            if is_used || !self.is_used((collection.id, None)) {
                continue;
            }
            let mut reason = String::from("no query used it since the database was opened here");
            if since_ms < TELLING_MS {
                reason += ", which is too short a time to tell";
            }
            let mut told = told("unused", collection, &reason);
            told.set("index", Value::from(&*index.facts.name));
            told.set("sinceMs", whole(since_ms));
            advice.push(told.into());
        }
    }
}

impl Entry {
    fn told(&self) -> Value {
        let mut told = self.form.clone();
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
        told.into()
    }
}

/// `[{ advice: 'create', ... } ..., { advice: 'unused', ... } ...]`.
///
/// # Errors
/// `corrupt` where a plan cannot be made.
pub(crate) async fn advise<S: Storage>(shared: &Rc<Shared<S>>) -> Result<Value> {
    let catalog = shared.catalog().await?;
    // Nothing is awaited in between: the snapshot has this catalog.
    let reader = Reader::Snapshot(shared.engine.snapshot()?);
    let mut advice = Vec::new();
    for collection in catalog.iter() {
        if !shared.slow.list.borrow().iter().any(|entry| entry.collection == collection.id) {
            continue;
        }
        let known = Known { estimates: reader.estimates(collection).await, collection };
        shared.slow.advise(collection, &known, &mut advice)?;
    }
    for collection in catalog.iter() {
        shared.slow.unused(collection, &mut advice);
    }
    Ok(advice.into())
}

fn told(advice: &str, collection: &Collection, reason: &str) -> Object {
    let mut told = Object::new();
    told.set("advice", advice.into());
    told.set("collection", Value::from(&*collection.name));
    told.set("reason", reason.into());
    told
}

fn number(number: f64) -> Value {
    Value::number(number).unwrap_or(Value::Null)
}

fn whole(of: f64) -> Value {
    number(of.round())
}
