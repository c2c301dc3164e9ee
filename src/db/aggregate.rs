//! Aggregation: documents of a collection go through a pipeline.
//!
//! Not judgement: what a stage does with documents is `query/aggregate.rs`. Here is where documents are found and other
//! collections are read.
//!
//! Invariants: all of a pipeline reads one state; what the collection's find can do (the `$match` stages in front, and the
//! `$sort`, `$skip` and `$limit` behind them) it does; no more is read than is asked for, but for stages that need all.

mod lookup;
mod met;
mod reply;

pub(crate) use met::Met;
pub(crate) use reply::{columns, docs, part};

use super::document;
use super::find::{Find, Found, Query, Reading};
use super::slow::Slow;
use super::work::{Reader, no_collection};
use crate::engine::catalog::{Catalog, Collection};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::query::aggregate::{Budget, Context, Pipeline, Record, Row, Stage, Step};
use crate::query::expression::depth_checked;
use crate::query::{Filter, weight};
use crate::storage::Storage;
use crate::value::view::ObjectView;
use crate::value::{Name, Object, Value};
use core::cell::RefCell;
use std::rc::Rc;

/// Documents that go through together at most.
const BATCH: usize = 1024;

/// A document as it was found.
#[derive(Clone)]
pub(crate) struct Stored {
    collection: Rc<Collection>,
    found: Found,
}

impl Record for Stored {
    fn view(&self) -> Result<ObjectView<'_>> {
        let opened = document::open(&self.collection, self.found.stored());
        opened.map_err(|error| document::naming(error, &self.collection, self.found.primary()))
    }

    fn weight(&self) -> usize {
        self.found.stored().len()
    }

    fn score(&self) -> Option<f64> {
        // Every score is above 0.
        (self.found.score > 0.0).then_some(self.found.score)
    }
}

type Rows = Vec<Row<Stored>>;

/// What a pipeline and those within it read.
pub(crate) struct Sources<S: Storage> {
    pub(crate) reader: Reader<S>,
    pub(crate) catalog: Rc<Catalog>,
    pub(crate) env: Rc<dyn Env>,
    pub(crate) slow: Rc<Slow>,
}

impl<S: Storage> Sources<S> {
    fn collection(&self, name: &str) -> Result<Rc<Collection>> {
        self.catalog.collection(name).cloned().ok_or_else(|| no_collection(name))
    }

    /// Reads a pipeline over a collection.
    ///
    /// # Errors
    /// As [`Pipeline::parse`]; `not_found` where the collection itself is not there.
    pub(crate) fn parse(&self, collection: &str, stages: &[Value]) -> Result<Pipeline> {
        let foreign = |name: &str| self.catalog.collection(name).map(|found| found.key_fields.clone());
        let key_fields = &self.collection(collection)?.key_fields;
        Pipeline::parse(stages, Context { now: self.env.now(), outer: &[], key_fields, foreign: &foreign })
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.env.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// A pipeline at work.
pub(crate) struct Run<S: Storage> {
    sources: Rc<Sources<S>>,
    feed: Feed<S>,
    works: Vec<Work<S>>,
    /// The first of them that is not finished: what feeds goes in there.
    from: usize,
    /// What is found is noted there.
    met: Option<Rc<RefCell<Met>>>,
    /// Documents on their way, and the step that they go into next; the last are the first in order.
    waiting: Vec<(usize, Rows)>,
}

/// Where documents come from.
enum Feed<S: Storage> {
    Nothing,
    Find(Box<Find<S>>),
    /// How many a find finds, and the field that says it.
    Count(Name, Box<Find<S>>),
    Rows(Rows),
    Run(Box<Run<S>>),
}

/// A step, and what it needs beside.
struct Work<S: Storage> {
    step: Step<Stored>,
    /// Columns were asked for what it takes in.
    is_fed: bool,
    facets: Vec<(Name, Run<S>, Vec<Value>)>,
    /// What a lookup without variables found.
    known: Option<Vec<Value>>,
}

type Outer = Rc<[Option<Value>]>;

impl<S: Storage> Run<S> {
    /// Begins with the documents of a collection.
    pub(crate) fn open(
        sources: &Rc<Sources<S>>,
        collection: &str,
        pipeline: &Pipeline,
        outer: &Outer,
        reading: Reading,
    ) -> Result<Self> {
        let collection = sources.collection(collection)?;
        let pushed = Pushed::of(pipeline);
        let rest = pipeline.stages.get(pushed.stages..).unwrap_or_default();
        let counts =
            rest.first().and_then(|stage| if let Stage::Count(name) = &**stage { Some(name.clone()) } else { None });
        let reading = if counts.is_some() { Reading::Keys } else { reading };
        let find = Find::new(sources.reader.clone(), collection, pushed.query, reading)?;
        let find = Box::new(find.watched(&sources.slow));
        let mut run = Run::over(sources, Vec::new(), rest, outer);
        run.feed = match counts {
            Some(name) => {
                run.from = 1;
                Feed::Count(name, find)
            }
            None => Feed::Find(find),
        };
        Ok(run)
    }

    /// Begins with these documents.
    fn over(sources: &Rc<Sources<S>>, rows: Rows, stages: &[Rc<Stage>], outer: &Outer) -> Self {
        let work = |stage: &Rc<Stage>| {
            let facets = match &**stage {
                Stage::Facet(facets) => facets.as_slice(),
                _ => &[],
            };
            let facet = |(name, pipeline): &(Name, Pipeline)| {
                (name.clone(), Run::over(sources, Vec::new(), &pipeline.stages, outer), Vec::new())
            };
            Work {
                step: Step::new(Rc::clone(stage), Rc::clone(outer), &|| sources.random()),
                is_fed: false,
                facets: facets.iter().map(facet).collect(),
                known: None,
            }
        };
        Run {
            sources: Rc::clone(sources),
            feed: Feed::Rows(rows),
            works: stages.iter().map(work).collect(),
            from: 0,
            met: None,
            waiting: Vec::new(),
        }
    }

    /// The same; what its find gives is noted.
    pub(crate) fn meeting(mut self, met: Option<Rc<RefCell<Met>>>) -> Self {
        if met.is_some() {
            // What is only counted is not met one by one.
            self.feed = match self.feed {
                Feed::Count(_, find) => {
                    self.from = 0;
                    Feed::Find(find)
                }
                feed => feed,
            };
        }
        self.met = met;
        self
    }

    /// The next documents that come out; none only at the end.
    ///
    /// # Errors
    /// What a stage fails with, naming it; `corrupt` for damaged rows, or the engine's.
    pub(crate) async fn next_batch(&mut self) -> Result<Rows> {
        loop {
            if let Some(rows) = self.through().await? {
                return Ok(rows);
            }
            self.skip_what_is_not_wanted();
            let mut rows = self.feed().await?;
            if rows.is_empty() {
                if self.from >= self.works.len() {
                    return Ok(rows);
                }
                self.from += 1;
                rows = self.finish(self.from - 1).await?;
            }
            self.waiting.push((self.from, rows));
        }
    }

    /// Takes back what came out and was not wanted yet.
    fn give_back(&mut self, rows: Rows) {
        self.waiting.push((self.works.len(), rows));
    }

    /// All that comes out, as values.
    pub(crate) async fn values(&mut self, budget: &mut Budget) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        loop {
            let rows = self.next_batch().await?;
            if rows.is_empty() {
                return Ok(values);
            }
            take_in(rows, &mut values, budget)?;
        }
    }

    /// Takes in what comes out for the documents that wait.
    async fn take_ready(&mut self, values: &mut Vec<Value>, budget: &mut Budget) -> Result<()> {
        while let Some(rows) = self.through().await? {
            take_in(rows, values, budget)?;
        }
        Ok(())
    }

    /// Behind a limit that was reached, nothing in front of it counts any more.
    fn skip_what_is_not_wanted(&mut self) {
        let done = self.works.iter().skip(self.from).rposition(|work| work.step.is_done());
        if let Some(done) = done {
            self.from += done + 1;
            self.feed = Feed::Nothing;
        }
    }

    /// The next documents that come in; none only at the end of what feeds.
    async fn feed(&mut self) -> Result<Rows> {
        let rows = match &mut self.feed {
            Feed::Nothing => return Ok(Vec::new()),
            Feed::Find(find) => {
                // It is asked once: what is found is put together, and then there is nothing more.
                if let Some(work) = self.works.get_mut(self.from).filter(|work| !work.is_fed)
                    && work.take_columns(find).await?
                {
                    self.feed = Feed::Nothing;
                    return Ok(Vec::new());
                }
                let found = find.next_batch(BATCH).await?;
                if let Some(met) = &self.met {
                    met.borrow_mut().note(&found);
                }
                let collection = find.collection();
                found.into_iter().map(|found| stored(collection, found)).collect()
            }
            Feed::Run(run) => Box::pin(run.next_batch()).await?,
            Feed::Rows(rows) => core::mem::take(rows),
            Feed::Count(..) => Vec::new(),
        };
        if !rows.is_empty() {
            return Ok(rows);
        }
        match core::mem::replace(&mut self.feed, Feed::Nothing) {
            Feed::Count(name, find) => Ok(match find.count().await? {
                0 => Vec::new(),
                count => vec![Row::Made(Object::from([(&*name, Value::count(count))]))],
            }),
            _ => Ok(rows),
        }
    }

    /// What comes out for the documents that wait: those in front go all the way before those behind begin, so that a step
    /// that makes many of one is not far ahead of the others. None where nothing waits.
    async fn through(&mut self) -> Result<Option<Rows>> {
        while let Some((place, mut rows)) = self.waiting.pop() {
            if rows.is_empty() {
                continue;
            }
            let Some(work) = self.works.get_mut(place) else { return Ok(Some(rows)) };
            let stage = Rc::clone(&work.step.stage);
            let rest = rows.split_off(rows.len().min(piece(&stage)));
            if !rest.is_empty() {
                self.waiting.push((place, rest));
            }
            let worked = work.take(&self.sources, &stage, rows).await;
            self.waiting.push((place + 1, worked.map_err(|error| naming(error, &stage))?));
        }
        Ok(None)
    }

    /// What a step held back.
    async fn finish(&mut self, place: usize) -> Result<Rows> {
        let Some(work) = self.works.get_mut(place) else { return Ok(Vec::new()) };
        let stage = Rc::clone(&work.step.stage);
        if let Stage::UnionWith { collection, pipeline } = &*stage {
            let other = Run::open(&self.sources, collection, pipeline, &work.step.outer, Reading::Documents);
            self.feed = Feed::Run(Box::new(other.map_err(|error| naming(error, &stage))?));
            return Ok(Vec::new());
        }
        work.finish(&stage).await.map_err(|error| naming(error, &stage))
    }
}

/// How many documents a stage takes at once: few where many may come of each.
const fn piece(stage: &Stage) -> usize {
    match stage {
        Stage::Unwind(_) => 1,
        Stage::Lookup(_) => 256,
        _ => usize::MAX,
    }
}

fn naming(error: Error, stage: &Stage) -> Error {
    error.context(format!("`{}`", stage.name()))
}

fn stored(collection: &Rc<Collection>, found: Found) -> Row<Stored> {
    Row::Stored(Stored { collection: Rc::clone(collection), found })
}

fn take_in(rows: Rows, values: &mut Vec<Value>, budget: &mut Budget) -> Result<()> {
    for row in rows {
        let value = Value::try_from(row)?;
        budget.keep(weight::of(&value))?;
        values.push(value);
    }
    Ok(())
}

impl<S: Storage> Work<S> {
    /// Takes all of a find in at once, where it groups and columns can tell.
    async fn take_columns(&mut self, find: &mut Find<S>) -> Result<bool> {
        self.is_fed = true;
        let stage = Rc::clone(&self.step.stage);
        let Stage::Group(group) = &*stage else { return Ok(false) };
        let Some(columns) = group.columns() else { return Ok(false) };
        let Some(chosen) = find.choose(&columns).await? else { return Ok(false) };
        let pushed = self.step.push_vectors(&|column| chosen.vector(column), &mut *chosen.rows());
        pushed.map_err(|error| naming(error, &stage))?;
        Ok(true)
    }

    async fn take(&mut self, sources: &Rc<Sources<S>>, stage: &Stage, rows: Rows) -> Result<Rows> {
        let mut out = Vec::new();
        match stage {
            Stage::UnionWith { .. } => return Ok(rows),
            Stage::Lookup(lookup) => return Box::pin(self.look_up(sources, lookup, rows)).await,
            Stage::Facet(_) => {
                for (name, run, values) in &mut self.facets {
                    run.skip_what_is_not_wanted();
                    if let Feed::Nothing = run.feed {
                        continue;
                    }
                    run.waiting.push((run.from, rows.clone()));
                    let taken = Box::pin(run.take_ready(values, &mut self.step.budget)).await;
                    taken.map_err(|error| error.context(format!("`{name}`")))?;
                }
            }
            _ => self.step.push(rows, &mut out)?,
        }
        Ok(out)
    }

    async fn finish(&mut self, stage: &Stage) -> Result<Rows> {
        let mut out = Vec::new();
        if let Stage::Facet(_) = stage {
            let mut document = Object::new();
            for (name, mut run, mut values) in core::mem::take(&mut self.facets) {
                let rest = Box::pin(run.values(&mut self.step.budget)).await;
                values.append(&mut rest.map_err(|error| error.context(format!("`{name}`")))?);
                let values = Value::Array(values);
                depth_checked(&values, 2)?;
                document.set(name, values);
            }
            out.push(Row::Made(document));
        } else {
            self.step.finish(&mut out)?;
        }
        Ok(out)
    }
}

/// What the find in front of a pipeline does.
struct Pushed {
    query: Query,
    /// How many stages that is.
    stages: usize,
}

impl Pushed {
    fn of(pipeline: &Pipeline) -> Pushed {
        let mut stages = pipeline.stages.iter().peekable();
        let mut filters = Vec::new();
        while let Some(Stage::Match(filter)) = stages.peek().map(|stage| &***stage) {
            filters.push(filter.clone());
            stages.next();
        }
        let mut query = Query::of(if filters.is_empty() { Filter::all() } else { Filter::All(filters) });
        if let Some(Stage::Sort(sort, _)) = stages.peek().map(|stage| &***stage) {
            query.sort = sort.clone();
            stages.next();
        }
        if let Some(Stage::Skip(count)) = stages.peek().map(|stage| &***stage) {
            query.skip = *count;
            stages.next();
        }
        if let Some(Stage::Limit(count)) = stages.peek().map(|stage| &***stage) {
            query.limit = Some(*count);
            stages.next();
        }
        Pushed { query, stages: pipeline.stages.len() - stages.len() }
    }
}

/// What the find in front of a pipeline asks.
pub(crate) fn query_of(pipeline: &Pipeline) -> Query {
    Pushed::of(pipeline).query
}

/// How a pipeline would be answered: the plan of its find, how many stages that is, and the stages that follow.
///
/// # Errors
/// `corrupt` where a plan cannot be made.
pub(crate) async fn explain<S: Storage>(sources: &Sources<S>, collection: &str, pipeline: &Pipeline) -> Result<Object> {
    let collection = sources.collection(collection)?;
    let pushed = Pushed::of(pipeline);
    let mut rest = pipeline.stages.iter().skip(pushed.stages).peekable();
    let grouped = match rest.peek().map(|stage| &***stage) {
        Some(Stage::Group(group)) => group.columns(),
        _ => None,
    };
    let reading = Reading::Documents;
    let mut explained = pushed.query.explain(&sources.reader, &collection, reading, grouped.as_deref()).await?;
    explained.set("pushed", Value::count(pushed.stages));
    explained.set("stages", rest.map(|stage| stage.name().into()).collect::<Vec<Value>>().into());
    Ok(explained)
}
