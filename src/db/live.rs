//! Live queries: results that follow the commits.
//!
//! Not the judgement what a change makes of a result: that is `query/live.rs`. Not pipelines: those are run anew, see
//! `db/live/rerun.rs`. Not the results themselves: whoever asked
//! keeps the documents, and is told differences.
//!
//! How: each commit is held against the queries that it may concern, and what becomes of their windows is one message. A
//! query of which more has to be read (a member left, and none is known to follow it; commits were skipped) says that it
//! is due, and looks at no commit until it is asked to be read again.
//! Invariants: commits are taken in in their order, those during a reading after it; nothing here awaits with a borrow.

use super::answer::Documents;
use super::config::parse_count;
use super::document;
use super::find::{Find, Found, Query, Reading};
use super::request::{Request, Scope, encoded};
use super::shared::Shared;
use super::work::{Reader, no_collection};
use crate::engine::CommitEvent;
use crate::engine::catalog::{Catalog, Collection, CollectionId};
use crate::error::{Error, ErrorKind, Result};
use crate::query::live::{Changed, Condition, Difference, Touch, Window, total};
use crate::query::{Filter, Projection, Sort};
use crate::sorted::Sorted;
use crate::storage::{CommitSeq, Storage};
use crate::value::view::ObjectView;
use crate::value::{Object, Value, codec};
use commit::{Commit, Written};
use core::cell::RefCell;
use message::Message;
use rerun::Rerun;
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_64;

mod commit;
mod message;
mod rerun;

/// Live queries that may be open at once.
const LIVES_MAX: usize = 100_000;
/// Documents that are read together.
const BATCH: usize = 1024;

type Listener = Rc<dyn Fn(Vec<u8>)>;

/// The live queries of a database. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Lives(Rc<RefCell<List>>);

#[derive(Default)]
struct List {
    queries: Sorted<usize, Box<Live>>,
    reruns: Sorted<usize, Box<Rerun>>,
    touch: Sorted<CollectionId, Touch>,
    listener: Option<Listener>,
}

/// One of them.
struct Live {
    asked: Rc<Asked>,
    collection: CollectionId,
    condition: Option<Condition>,
    window: Window,
    state: State,
}

/// What was asked for.
struct Asked {
    collection: String,
    filter: Filter,
    order: Sort,
    projection: Option<Projection>,
}

enum State {
    /// The window is that of the newest commit.
    Current,
    /// It has to be read.
    Due,
    /// It is being read; what was committed since.
    Reading(Vec<(Rc<Catalog>, CommitEvent)>),
}

/// Answers `live_open`, `live_next` and `live_close`.
pub(crate) async fn answer<S: Storage>(scope: &Scope<'_, S>, request: &Request) -> Result<Vec<u8>> {
    let Scope::Latest(shared) = scope else {
        return Err(Error::invalid("a live query cannot be part of a transaction"));
    };
    let number = parse_count("live", request.needed("live")?)?;
    match request.text("op")? {
        "live_open" if request.given("pipeline").is_some() => {
            shared.lives.open_rerun(number, request)?;
            let read = rerun::read(scope, shared, number).await;
            if read.is_err() {
                shared.lives.close(number);
            }
            read
        }
        "live_open" => {
            let catalog = shared.catalog().await?;
            let name = request.text("collection")?;
            let collection = catalog.collection(name).ok_or_else(|| no_collection(name))?;
            shared.lives.open(number, collection, request)?;
            let read = read(shared, number).await;
            if read.is_err() {
                shared.lives.close(number);
            }
            read
        }
        "live_next" if shared.lives.is_rerun(number) => rerun::read(scope, shared, number).await,
        "live_next" => read(shared, number).await,
        _ => {
            shared.lives.close(number);
            Ok(encoded(Object::new()))
        }
    }
}

/// Reads a window anew; answers with the difference.
async fn read<S: Storage>(shared: &Rc<Shared<S>>, number: usize) -> Result<Vec<u8>> {
    let catalog = shared.catalog().await?;
    // Nothing is awaited in between: the snapshot has this catalog, and commits after it are noted.
    let snapshot = shared.engine.snapshot()?;
    let seq = snapshot.seq();
    let (asked, limit) = shared.lives.begin(number)?;
    let collection = catalog.collection(&asked.collection).ok_or_else(|| no_collection(&asked.collection))?;
    let query = Query { sort: asked.order.clone(), limit, ..Query::of(asked.filter.clone()) };
    let find = Find::new(Reader::Snapshot(snapshot), Rc::clone(collection), query, Reading::Documents);
    let read = match find {
        Ok(find) => asked.read(find).await,
        Err(error) => Err(error),
    };
    match read {
        Ok((found, changes)) => shared.lives.finish(number, seq, collection, &found, changes),
        Err(error) => {
            shared.lives.give_up(number);
            Err(error)
        }
    }
}

impl Asked {
    async fn read<S: Storage>(&self, mut find: Find<S>) -> Result<(Vec<Found>, Vec<Changed>)> {
        let (mut all, mut changes) = (Vec::new(), Vec::new());
        loop {
            let batch = find.next_batch(BATCH).await?;
            if batch.is_empty() {
                return Ok((all, changes));
            }
            for found in batch {
                let collection = find.collection();
                let place =
                    document::open(collection, found.stored()).and_then(|view| self.place(view, found.stored()));
                let place = place.map_err(|error| document::naming(error, collection, found.primary()))?;
                changes.push(Changed { primary: found.primary().to_vec(), now: Some(place), source: all.len() });
                all.push(found);
            }
        }
    }

    /// Where a document stands, and the hash of what is seen of it.
    fn place(&self, document: ObjectView<'_>, stored: &[u8]) -> Result<(Vec<u8>, u64)> {
        let mut order = Vec::new();
        self.order.push_key(document, &mut order)?;
        let hash = match &self.projection {
            // Behind the byte that says how it came to be.
            None => xxh3_64(stored.get(1..).unwrap_or_default()),
            Some(projection) => xxh3_64(&codec::encoded(&Value::Object(projection.apply(document)?))),
        };
        Ok((order, hash))
    }
}

impl Lives {
    /// Sets who is told.
    pub(crate) fn listen(&self, listener: impl Fn(Vec<u8>) + 'static) {
        self.0.borrow_mut().listener = Some(Rc::new(listener));
    }

    fn open(&self, number: usize, collection: &Collection, request: &Request) -> Result<()> {
        let Query { filter, sort, skip, limit, .. } = request.query()?;
        if filter.search().is_some() {
            let error = Error::new(ErrorKind::Unsupported, "`$text` cannot be followed live");
            return Err(error.with_hint(
                "each write changes what a word is worth in all documents: search anew when there was a change",
            ));
        }
        let projection = request.projection(&collection.key_fields, &filter)?;
        self.close(number);
        let mut list = self.0.borrow_mut();
        list.check_room()?;
        let needed = limit.map(|limit| if limit == 0 { 0 } else { limit.saturating_add(skip) });
        let order = total(&sort, &collection.key_fields);
        if list.touch.get(&collection.id).is_none() {
            list.touch.insert(collection.id, Touch::default());
        }
        let touch = list.touch.get_mut(&collection.id);
        let condition = touch.and_then(|touch| {
            let condition = touch.condition(&filter);
            touch.add(number, condition.as_ref());
            condition
        });
        let asked = Rc::new(Asked { collection: collection.name.to_string(), filter, order, projection });
        let window = Window::new(needed);
        let live = Live { asked, collection: collection.id, condition, window, state: State::Due };
        list.queries.insert(number, Box::new(live));
        Ok(())
    }

    /// Ends one; one that is not open is no error.
    fn close(&self, number: usize) {
        let list = &mut *self.0.borrow_mut();
        list.reruns.remove(&number);
        let Some(live) = list.queries.remove(&number) else { return };
        let Some(touch) = list.touch.get_mut(&live.collection) else { return };
        touch.remove(number, live.condition.as_ref());
        if live.condition.is_some() {
            live.window.members().iter().for_each(|member| touch.leave(number, &member.primary));
        }
    }

    /// Ends all.
    pub(crate) fn clear(&self) {
        *self.0.borrow_mut() = List::default();
    }

    /// Commits are noted from now on. Answers what to read, and how much of it.
    fn begin(&self, number: usize) -> Result<(Rc<Asked>, Option<usize>)> {
        let mut list = self.0.borrow_mut();
        let live = list.queries.get_mut(&number);
        let live = live.ok_or_else(|| Error::new(ErrorKind::NotFound, "the live query is not open"))?;
        live.state = State::Reading(Vec::new());
        Ok((Rc::clone(&live.asked), live.window.capacity()))
    }

    /// It could not be read.
    fn give_up(&self, number: usize) {
        if let Some(live) = self.0.borrow_mut().queries.get_mut(&number) {
            live.state = State::Due;
        }
    }

    /// Takes in what was read, and the commits since.
    fn finish(
        &self,
        number: usize,
        seq: CommitSeq,
        collection: &Collection,
        found: &[Found],
        changes: Vec<Changed>,
    ) -> Result<Vec<u8>> {
        let list = &mut *self.0.borrow_mut();
        let mut message = Message::default();
        let (Some(live), Some(touch)) = (list.queries.get_mut(&number), list.touch.get_mut(&collection.id)) else {
            // It was closed meanwhile.
            return Ok(message.finish());
        };
        let State::Reading(since) = core::mem::replace(&mut live.state, State::Current) else {
            return Err(Error::internal("a live query was read twice at once"));
        };
        let difference = live.window.refill(changes);
        live.register(number, &difference, touch);
        let stored = |source: usize| found.get(source).map(|found| (found.primary(), found.stored()));
        message.push(number, seq, &difference, &live.documents(collection, &difference, &stored)?);
        for (catalog, event) in since {
            match Commit::of(&event, &catalog, live.collection) {
                Some(commit) => live.advance(number, &commit, &mut (0..commit.documents.len()), touch, &mut message),
                None => live.become_due(number, event.seq, &mut message),
            }
        }
        Ok(message.finish())
    }

    /// Tells of a commit whoever it concerns.
    pub(crate) fn tell(&self, catalog: &Rc<Catalog>, event: &CommitEvent) {
        let (listener, message) = {
            let mut list = self.0.borrow_mut();
            if list.queries.is_empty() && list.reruns.is_empty() {
                return;
            }
            let message = list.take_in(catalog, event);
            (list.listener.clone(), message)
        };
        if let Some(listener) = listener.filter(|_| !message.is_empty()) {
            listener(message.finish());
        }
    }
}

impl List {
    fn check_room(&self) -> Result<()> {
        if self.queries.len() + self.reruns.len() < LIVES_MAX {
            return Ok(());
        }
        let error = Error::limit(format!("{LIVES_MAX} live queries are open, which is the limit"));
        Err(error.with_hint("end those that nobody looks at"))
    }

    fn take_in(&mut self, catalog: &Rc<Catalog>, event: &CommitEvent) -> Message {
        let mut message = Message::default();
        for (id, touch) in self.touch.iter_mut() {
            let queries = &mut self.queries;
            let commit = Commit::of(event, catalog, *id);
            let concerned = commit.as_ref().and_then(|commit| commit.concerned(touch).ok());
            let (Some(commit), Some(mut concerned)) = (commit, concerned) else {
                for (number, live) in queries.iter_mut().filter(|(_, live)| live.collection == *id) {
                    if !live.waits(catalog, event) {
                        live.become_due(*number, event.seq, &mut message);
                    }
                }
                continue;
            };
            if commit.documents.is_empty() {
                continue;
            }
            let others: Vec<usize> = touch.others().to_vec();
            let mut advance = |number: usize, places: &mut dyn Iterator<Item = usize>| {
                if let Some(live) = queries.get_mut(&number)
                    && !live.waits(catalog, event)
                {
                    live.advance(number, &commit, places, touch, &mut message);
                }
            };
            for number in others {
                advance(number, &mut (0..commit.documents.len()));
            }
            while let Some((number, _)) = concerned.last().copied() {
                let first = concerned.partition_point(|(other, _)| *other < number);
                let places: Vec<usize> = concerned.drain(first..).map(|(_, place)| place).collect();
                advance(number, &mut places.into_iter());
            }
        }
        for (number, rerun) in self.reruns.iter_mut() {
            if rerun.becomes_due(catalog, event) {
                message.push_due(*number, event.seq);
            }
        }
        message
    }
}

impl Live {
    /// Whether it does not look at commits now; one that is being read notes them.
    fn waits(&mut self, catalog: &Rc<Catalog>, event: &CommitEvent) -> bool {
        match &mut self.state {
            State::Current => false,
            State::Due => true,
            State::Reading(since) => {
                since.push((Rc::clone(catalog), event.clone()));
                true
            }
        }
    }

    fn become_due(&mut self, number: usize, seq: CommitSeq, message: &mut Message) {
        self.state = State::Due;
        message.push_due(number, seq);
    }

    /// Takes in documents that were written together.
    fn advance(
        &mut self,
        number: usize,
        commit: &Commit<'_>,
        places: &mut dyn Iterator<Item = usize>,
        touch: &mut Touch,
        message: &mut Message,
    ) {
        if self.state.is_due() {
            return;
        }
        let Ok(changes) = self.changes(&commit.documents, places) else {
            // Reading says what is wrong.
            return self.become_due(number, commit.seq, message);
        };
        if changes.is_empty() {
            return;
        }
        let difference = self.window.apply(changes);
        self.register(number, &difference, touch);
        if self.window.is_short() {
            self.state = State::Due;
        }
        if difference.is_empty() && !self.state.is_due() {
            return;
        }
        let stored = |source: usize| commit.documents.get(source).map(|written| (written.primary, written.value));
        let Ok(docs) = self.documents(commit.collection, &difference, &stored) else {
            return self.become_due(number, commit.seq, message);
        };
        message.push(number, commit.seq, &difference, &docs);
        if self.state.is_due() {
            message.is_due();
        }
    }

    /// The documents that come with a difference, encoded.
    fn documents<'a>(
        &self,
        collection: &Collection,
        difference: &Difference,
        stored: &dyn Fn(usize) -> Option<(&'a [u8], &'a [u8])>,
    ) -> Result<Vec<u8>> {
        let changed = || difference.placed.iter().filter(|placed| placed.is_changed);
        let mut documents = Documents::of(Some(changed().count()));
        for placed in changed() {
            let (primary, value) = stored(placed.source).unwrap_or_default();
            documents.push_stored(collection, primary, value, self.asked.projection.as_ref())?;
        }
        let mut docs = Vec::new();
        documents.finish(&mut docs);
        Ok(docs)
    }

    fn changes(&self, written: &[Written<'_>], places: &mut dyn Iterator<Item = usize>) -> Result<Vec<Changed>> {
        let mut changes = Vec::new();
        for place in places {
            let Some(written) = written.get(place) else { continue };
            let matching = match written.now {
                Some(now) if self.asked.filter.matches(now)? => Some(now),
                _ => None,
            };
            if matching.is_none() && !self.window.has(written.primary) {
                continue;
            }
            let now = matching.map(|now| self.asked.place(now, written.value)).transpose()?;
            changes.push(Changed { primary: written.primary.to_vec(), now, source: place });
        }
        Ok(changes)
    }

    /// Has it found by its new members, and no more by those that left.
    fn register(&self, number: usize, difference: &Difference, touch: &mut Touch) {
        if self.condition.is_none() {
            return;
        }
        difference.left.iter().for_each(|member| touch.leave(number, &member.primary));
        let entered = difference.placed.iter().filter(|placed| placed.from.is_none());
        entered.for_each(|placed| touch.enter(number, &placed.member.primary));
    }
}

impl State {
    const fn is_due(&self) -> bool {
        matches!(self, State::Due)
    }
}
