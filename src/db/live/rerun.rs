//! Live pipelines: results that are run anew after commits that can change them.
//!
//! Not kept from changes, as finds are: what a commit makes of a group or a lookup only the whole pipeline tells. But who a
//! commit cannot concern does not run: it wrote no other collection that is read, and of the first no document that matches
//! the filter in front or did so before.
//!
//! Invariants: one run at a time; a commit during a run has another follow; what did not change does not cross.

use super::commit::Commit;
use super::message::Message;
use super::{List, Lives};
use crate::db::aggregate::{Met, Run, query_of};
use crate::db::answer::Documents;
use crate::db::find::Reading;
use crate::db::request::{Request, Scope};
use crate::db::shared::Shared;
use crate::engine::CommitEvent;
use crate::engine::catalog::{Catalog, CollectionId};
use crate::error::{Error, ErrorKind, Result};
use crate::query::aggregate::Budget;
use crate::query::live::{Changed, Window};
use crate::query::{Filter, Pipeline};
use crate::sorted;
use crate::storage::{CommitSeq, Storage};
use crate::value::{Object, Path, Value, View, codec, key};
use core::cell::RefCell;
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_64;

/// A pipeline that is followed.
pub(super) struct Rerun {
    asked: Rc<Request>,
    /// What it reads; none before the first run.
    reads: Option<Reads>,
    /// Members are in the order in which they came out.
    window: Window,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Current,
    Due,
    Running { is_stale: bool },
}

struct Reads {
    collection: CollectionId,
    filter: Filter,
    others: Vec<CollectionId>,
    met: Rc<RefCell<Met>>,
}

impl Rerun {
    pub(super) fn new(request: &Request) -> Rerun {
        let (window, asked) = (Window::new(None), Rc::new(Request(request.0.clone())));
        Rerun { asked, reads: None, window, state: State::Due }
    }

    /// Takes note of a commit; answers whether it has to be run for it.
    pub(super) fn becomes_due(&mut self, catalog: &Rc<Catalog>, event: &CommitEvent) -> bool {
        if self.state == State::Due || !self.reads.as_ref().is_none_or(|reads| reads.are_touched(catalog, event)) {
            return false;
        }
        let is_running = matches!(self.state, State::Running { .. });
        self.state = if is_running { State::Running { is_stale: true } } else { State::Due };
        !is_running
    }
}

impl Reads {
    fn of(catalog: &Catalog, collection: &str, pipeline: &Pipeline) -> Option<(Reads, Option<Rc<RefCell<Met>>>)> {
        let query = query_of(pipeline);
        let met = Rc::<RefCell<Met>>::default();
        // What is passed over counts as well, and is not met; without a filter whatever is written matches.
        let is_telling = query.skip == 0 && !(query.filter.is_all() && query.limit.is_none());
        let others = pipeline.collections().iter().filter_map(|name| Some(catalog.collection(name)?.id)).collect();
        let collection = catalog.collection(collection)?.id;
        let reads = Reads { collection, filter: query.filter, others, met: Rc::clone(&met) };
        Some((reads, is_telling.then_some(met)))
    }

    fn are_touched(&self, catalog: &Rc<Catalog>, event: &CommitEvent) -> bool {
        let Some(run) = &event.run else { return true };
        let writes = |id: &CollectionId| {
            let prefix = id.documents();
            run.entry(run.lower_bound(&prefix)).is_some_and(|(key, _)| key.starts_with(&prefix))
        };
        if self.others.iter().any(writes) {
            return true;
        }
        if !writes(&self.collection) {
            return false;
        }
        let Some(commit) = Commit::of(event, catalog, self.collection) else { return true };
        let met = self.met.borrow();
        commit.documents.iter().any(|written| {
            // A filter that fails says so when it is run.
            let matches = written.now.is_some_and(|now| self.filter.matches(now).unwrap_or(true));
            matches || met.has(written.primary)
        })
    }
}

/// Runs a pipeline; answers with the difference.
pub(super) async fn read<S: Storage>(scope: &Scope<'_, S>, shared: &Rc<Shared<S>>, number: usize) -> Result<Vec<u8>> {
    let asked = Rc::clone(&shared.lives.0.borrow_mut().rerun(number)?.asked);
    let name = asked.text("collection")?;
    let (sources, pipeline) = scope.pipeline(&asked).await?;
    // Nothing is awaited in between: this is what the pipeline reads, and commits after it are noted.
    let seq = shared.engine.snapshot()?.seq();
    let key_fields = sources.catalog.collection(name).map(|collection| collection.key_fields.clone());
    let reads = Reads::of(&sources.catalog, name, &pipeline);
    let (reads, met) = reads.map_or((None, None), |(reads, met)| (Some(reads), met));
    {
        let list = &mut *shared.lives.0.borrow_mut();
        let rerun = list.rerun(number)?;
        rerun.state = State::Running { is_stale: false };
        rerun.reads = reads;
    }
    let outer: Rc<[Option<Value>]> = Rc::new([]);
    let run = Run::open(&Rc::new(sources), name, &pipeline, &outer, Reading::Documents);
    let values = match run {
        Ok(run) => run.meeting(met).values(&mut Budget::default()).await,
        Err(error) => Err(error),
    };
    match values {
        Ok(values) => shared.lives.finish_rerun(number, seq, &values, &key_fields.unwrap_or_default()),
        Err(error) => {
            // It may have been closed meanwhile.
            if let Ok(rerun) = shared.lives.0.borrow_mut().rerun(number) {
                rerun.state = State::Due;
            }
            Err(error)
        }
    }
}

impl List {
    fn rerun(&mut self, number: usize) -> Result<&mut Rerun> {
        let rerun = self.reruns.get_mut(&number);
        rerun.map(|rerun| &mut **rerun).ok_or_else(|| Error::new(ErrorKind::NotFound, "the live query is not open"))
    }
}

impl Lives {
    pub(super) fn open_rerun(&self, number: usize, request: &Request) -> Result<()> {
        self.close(number);
        let mut list = self.0.borrow_mut();
        list.check_room()?;
        list.reruns.insert(number, Box::new(Rerun::new(request)));
        Ok(())
    }

    pub(super) fn is_rerun(&self, number: usize) -> bool {
        self.0.borrow().reruns.get(&number).is_some()
    }

    /// Takes in what came out; where a commit came meanwhile, that is told after it.
    fn finish_rerun(&self, number: usize, seq: CommitSeq, values: &[Value], key_fields: &[Path]) -> Result<Vec<u8>> {
        let changes = changes(values, key_fields);
        let list = &mut *self.0.borrow_mut();
        let mut message = Message::default();
        let Some(rerun) = list.reruns.get_mut(&number) else { return Ok(message.finish()) };
        let difference = rerun.window.refill(changes);
        let changed = || difference.placed.iter().filter(|placed| placed.is_changed);
        let mut documents = Documents::of(Some(changed().count()));
        for value in changed().filter_map(|placed| values.get(placed.source)) {
            documents.push(View::from(value))?;
        }
        let mut docs = Vec::new();
        documents.finish(&mut docs);
        message.push(number, seq, &difference, &docs);
        let is_stale = rerun.state == (State::Running { is_stale: true });
        rerun.state = if is_stale { State::Due } else { State::Current };
        if let Some(listener) = list.listener.as_ref().filter(|_| is_stale) {
            let mut due = Message::default();
            due.push_due(number, seq);
            listener(due.finish());
        }
        Ok(message.finish())
    }
}

/// What came out, as members of a window: one is known by its `_id`, else by its key, else by all of it; of those that are
/// alike, by which of them it is.
fn changes(values: &[Value], key_fields: &[Path]) -> Vec<Changed> {
    let mut changes: Vec<Changed> = Vec::with_capacity(values.len());
    for (source, value) in values.iter().enumerate() {
        let whole = codec::encoded(value);
        let hash = xxh3_64(&whole);
        let object = value.as_object();
        let by_key = |object: &Object| key::primary(key_fields, object.into()).ok();
        let primary = match object.and_then(|object| object.get("_id")) {
            Some(id) => codec::encoded(id),
            None => object.and_then(by_key).unwrap_or(whole),
        };
        let order = u64::try_from(source).unwrap_or(u64::MAX).to_be_bytes().to_vec();
        changes.push(Changed { primary, now: Some((order, hash)), source });
    }
    let primary = |place: usize| changes.get(place).map(|change| &change.primary);
    let order =
        sorted::order(changes.len(), &mut |left, right| primary(left).cmp(&primary(right)).then(left.cmp(&right)));
    let mut ranks = vec![0_u32; order.len()];
    for two in order.windows(2) {
        if let [left, right] = *two
            && primary(left) == primary(right)
            && let Some(rank) = ranks.get(left).map(|rank| rank + 1)
            && let Some(place) = ranks.get_mut(right)
        {
            *place = rank;
        }
    }
    for (change, rank) in changes.iter_mut().zip(ranks) {
        change.primary.extend_from_slice(&rank.to_be_bytes());
    }
    changes
}
