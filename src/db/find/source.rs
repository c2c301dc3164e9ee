//! The source of a find: keys and documents as the walks of a plan give them.
//!
//! Not an order of its own: keys come as they are read, or the next of several walks is taken where a plan says so.
//!
//! Invariants: a document comes once, where the plan says that it may come several times; what an entry of an index can
//! be asked is asked before its document is read.

use super::Found;
use super::columns::Picked;
use super::text;
use crate::db::document;
use crate::db::work::{Reader, ReaderScan};
use crate::engine::catalog::{Collection, DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN};
use crate::engine::{ScanStep, index};
use crate::error::{Error, Result};
use crate::query::plan::{Asked, MEMBERS_MAX, Sorting, Walk};
use crate::query::sort::turn;
use crate::query::{Access, Filter, Plan};
use crate::storage::Storage;
use crate::value::{Direction, KeyRange, View, key};
use core::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;

/// What was read so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reads {
    /// Keys that were passed: entries of indexes, documents of scans, keys that were looked up.
    pub(crate) keys: usize,
    /// Documents that were looked at.
    pub(crate) documents: usize,
}

/// See the module.
pub(super) struct Source<S: Storage> {
    reader: Reader<S>,
    collection: Rc<Collection>,
    direction: Direction,
    residual: Filter,
    // In the order in which they are read.
    walks: std::vec::IntoIter<Walking<S>>,
    here: Option<Walking<S>>,
    // Instead of them.
    picked: Option<Picked<S>>,
    merge: Option<Merge<S>>,
    members: Members<S>,
    // None where no document comes twice.
    seen: Option<HashSet<Vec<u8>>>,
    reads: Cell<Reads>,
    is_matched: bool,
}

/// Which documents can match at all, by what another index says.
enum Members<S: Storage> {
    /// All of them, or it is not known.
    Any,
    /// Those whose keys this walk gives.
    Ahead(Box<Walking<S>>),
    /// Those with these keys.
    These(HashSet<Vec<u8>>),
}

/// A walk under way.
struct Walking<S: Storage> {
    way: Way<S>,
    asked: Vec<Asked>,
}

enum Way<S: Storage> {
    Keys(std::vec::IntoIter<Vec<u8>>),
    Ranges { ranges: std::vec::IntoIter<KeyRange>, prefix: Vec<u8>, scan: Option<Box<ReaderScan<S>>>, of: Of },
    Text(text::Walk),
}

/// What the ranges are of.
#[derive(Clone, Copy)]
enum Of {
    Documents,
    /// Of an index with so many fields.
    Entries(usize),
}

/// What a walk gave last, behind what that sorts by; none at its end.
type Head = Option<(Vec<u8>, Found)>;

/// Walks each of which gives the order: the next of all is taken.
struct Merge<S: Storage> {
    by: Vec<(usize, Direction)>,
    heads: Vec<(Walking<S>, Head)>,
    has_begun: bool,
}

impl<S: Storage> Source<S> {
    pub(super) fn new(plan: &Plan, reader: Reader<S>, collection: Rc<Collection>) -> Result<Self> {
        let mut walks = Vec::new();
        for walk in &plan.walks {
            walks.push(Walking::new(walk, plan.direction, &collection)?);
        }
        let is_matched = walks.iter().all(|walk| matches!(walk.way, Way::Ranges { of: Of::Documents, .. }));
        let mut merge = None;
        if let Sorting::Merge(by) = &plan.sorting {
            let each = walks.drain(..).flat_map(Walking::apart).map(|walking| (walking, None)).collect();
            merge = Some(Merge { by: by.clone(), heads: each, has_begun: false });
        }
        let members = match &plan.among {
            Some(among) => Members::Ahead(Box::new(Walking::new(among, Direction::Ascending, &collection)?)),
            None => Members::Any,
        };
        Ok(Source {
            members,
            reader,
            collection,
            direction: plan.direction,
            residual: plan.residual.clone(),
            walks: walks.into_iter(),
            here: None,
            picked: None,
            merge,
            seen: plan.repeats().then(HashSet::new),
            reads: Cell::default(),
            is_matched,
        })
    }

    /// Reads these documents, instead of all, and says whether all of them match.
    pub(super) fn read_picked(&mut self, picked: Picked<S>, are_matched: bool) {
        self.picked = Some(picked);
        self.is_matched = are_matched;
    }

    /// What was read so far.
    pub(super) const fn reads(&self) -> Reads {
        self.reads.get()
    }

    /// So many keys were passed in other ways.
    pub(super) fn note_keys(&self, count: usize) {
        let mut reads = self.reads.get();
        reads.keys += count;
        self.reads.set(reads);
    }

    /// So many documents were looked up by what was found.
    pub(super) fn note_documents(&self, count: usize) {
        let mut reads = self.reads.get();
        reads.documents += count;
        self.reads.set(reads);
    }

    /// Whether all that is found matches: a scan of documents asks them as it passes.
    pub(super) const fn is_matched(&self) -> bool {
        self.is_matched
    }

    /// The next documents that may match, at most so many; none only at the end. Those that a scan gives do match.
    pub(super) async fn candidates(&mut self, max: usize) -> Result<Vec<Found>> {
        if let Some(picked) = &mut self.picked {
            let found = picked.next(max).await?;
            self.note_documents(found.len());
            return Ok(found);
        }
        self.gather_members().await?;
        let mut batch = Vec::with_capacity(max.min(64));
        if self.merge.is_some() {
            while batch.len() < max {
                let Some(found) = self.next_of_all().await? else { break };
                batch.push(found);
            }
            return Ok(batch);
        }
        while batch.len() < max {
            if self.here.is_none() {
                self.here = self.walks.next();
            }
            let Some(mut here) = self.here.take() else { break };
            let is_at_end = if let Way::Keys(keys) = &mut here.way {
                let some: Vec<Vec<u8>> = keys.by_ref().take(max - batch.len()).collect();
                let is_at_end = some.is_empty();
                self.look_up(&some, &mut batch).await?;
                is_at_end
            } else if let Some(walk) = self.found_by_text(&mut here).await? {
                walk.take(self.collection.id, max, &mut batch);
                batch.len() < max
            } else {
                let mut is_at_end = false;
                while batch.len() < max && !is_at_end {
                    is_at_end = !self.step(&mut here).await?;
                    if !is_at_end && self.is_new(&here)? {
                        batch.extend(here.found()?);
                    }
                }
                is_at_end
            };
            if !is_at_end {
                self.here = Some(here);
            }
        }
        Ok(batch)
    }

    /// What a text search found, which is done unless it was; none where this is no text search.
    async fn found_by_text<'w>(&self, here: &'w mut Walking<S>) -> Result<Option<&'w mut text::Walk>> {
        let Way::Text(walk) = &mut here.way else { return Ok(None) };
        let read = walk.begin(&self.reader, &self.collection).await?;
        self.note_keys(read);
        Ok(Some(walk))
    }

    /// How many entries or documents there are, at most so many: nothing is taken out of the runs for it.
    pub(super) async fn count(&mut self, max: usize) -> Result<usize> {
        self.gather_members().await?;
        let mut count = 0;
        while count < max {
            let Some(mut here) = self.walks.next() else { break };
            if let Some(walk) = self.found_by_text(&mut here).await? {
                count = max.min(count + walk.left());
                continue;
            }
            while count < max && self.step(&mut here).await? {
                count += usize::from(self.is_new(&here)?);
            }
        }
        Ok(count)
    }

    /// Whether [`Source::count`] tells how many documents there are: they are not looked up one by one.
    pub(super) fn is_countable(&self) -> bool {
        self.merge.is_none()
            && self.walks.as_slice().iter().all(|walk| matches!(walk.way, Way::Ranges { .. } | Way::Text(_)))
    }

    /// Reads the keys of the members, before anything else is. Where they are too many, documents tell.
    async fn gather_members(&mut self) -> Result<()> {
        let mut ahead = match core::mem::replace(&mut self.members, Members::Any) {
            Members::Ahead(ahead) => ahead,
            known => {
                self.members = known;
                return Ok(());
            }
        };
        let mut these = HashSet::new();
        while self.step(&mut ahead).await? {
            let Way::Ranges { scan: Some(open), of, .. } = &ahead.way else { return Ok(()) };
            if these.len() >= MEMBERS_MAX {
                return Ok(());
            }
            these.insert(of.primary(open.scan().entry().0)?.to_vec());
        }
        self.members = Members::These(these);
        Ok(())
    }

    /// Goes to the next key that passes; false at the end.
    async fn step(&self, here: &mut Walking<S>) -> Result<bool> {
        let Walking { way: Way::Ranges { ranges, prefix, scan, of }, asked } = here else { return Ok(false) };
        loop {
            let Some(open) = scan else {
                let Some(range) = ranges.next() else { return Ok(false) };
                *scan = Some(Box::new(self.reader.scan(range.within(prefix), self.direction)));
                continue;
            };
            match open.step() {
                ScanStep::Entry => {
                    let (key, value) = open.scan().entry();
                    if self.passes(*of, asked, key, value)? {
                        return Ok(true);
                    }
                }
                ScanStep::Needs => open.fill().await?,
                ScanStep::End => *scan = None,
            }
        }
    }

    /// Whether what can be asked here lets the entry pass.
    fn passes(&self, of: Of, asked: &[Asked], key: &[u8], value: &[u8]) -> Result<bool> {
        let mut reads = self.reads.get();
        reads.keys += 1;
        reads.documents += usize::from(matches!(of, Of::Documents));
        self.reads.set(reads);
        match of {
            Of::Documents if self.residual.is_all() => Ok(true),
            Of::Documents => {
                let matches = document::open(&self.collection, value).and_then(|view| self.residual.matches(view));
                let primary = key.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default();
                matches.map_err(|error| document::naming(error, &self.collection, primary))
            }
            Of::Entries(_) => {
                if let Members::These(these) = &self.members
                    && !these.contains(of.primary(key)?)
                {
                    return Ok(false);
                }
                let entry = key.get(INDEX_PREFIX_LEN..).unwrap_or_default();
                for (component, filter) in asked {
                    let value = key::read(&mut index::primary_of(*component, entry)?)?;
                    if !filter.holds(View::from(&value))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Whether the document of the last step was not found before.
    fn is_new(&mut self, here: &Walking<S>) -> Result<bool> {
        let Some(seen) = &mut self.seen else { return Ok(true) };
        let Way::Ranges { scan: Some(open), of, .. } = &here.way else { return Ok(true) };
        let (key, _) = open.scan().entry();
        let primary = of.primary(key)?;
        Ok(!seen.contains(primary) && seen.insert(primary.to_vec()))
    }

    async fn look_up(&mut self, primaries: &[Vec<u8>], batch: &mut Vec<Found>) -> Result<()> {
        let keys = super::Keys::of(&self.collection, primaries.iter().map(Vec::as_slice));
        let each = keys.each();
        let mut reads = self.reads.get();
        reads.keys += each.len();
        for ((key, value), primary) in each.iter().zip(self.reader.get_many(&each).await?).zip(primaries) {
            let Some(value) = value else { continue };
            reads.documents += 1;
            if self.seen.as_mut().is_none_or(|seen| seen.insert(primary.clone())) {
                let key = key.to_vec().into();
                batch.push(Found { key, primary_at: DOCUMENT_PREFIX_LEN, value: Some(value), score: 0.0 });
            }
        }
        self.reads.set(reads);
        Ok(())
    }

    async fn next_of_all(&mut self) -> Result<Option<Found>> {
        let Some(mut merge) = self.merge.take() else { return Ok(None) };
        let next = self.next_of(&mut merge).await;
        self.merge = Some(merge);
        next
    }

    async fn next_of(&mut self, merge: &mut Merge<S>) -> Result<Option<Found>> {
        if !merge.has_begun {
            for (walking, head) in &mut merge.heads {
                *head = self.head(walking, &merge.by).await?;
            }
            merge.has_begun = true;
        }
        loop {
            let heads = merge.heads.iter().enumerate();
            let least = heads.filter_map(|(place, (_, head))| head.as_ref().map(|(key, found)| (place, key, found)));
            let least = least.min_by(|(_, left, one), (_, right, other)| {
                let by_key = one.primary().cmp(other.primary());
                let by_key = if self.direction == Direction::Descending { by_key.reverse() } else { by_key };
                left.cmp(right).then(by_key)
            });
            let Some(place) = least.map(|(place, ..)| place) else { return Ok(None) };
            let Some((walking, head)) = merge.heads.get_mut(place) else { return Ok(None) };
            let next = self.head(walking, &merge.by).await?;
            let Some((_, found)) = core::mem::replace(head, next) else { return Ok(None) };
            let is_new = self.seen.as_mut().is_none_or(|seen| seen.insert(found.primary().to_vec()));
            if is_new {
                return Ok(Some(found));
            }
        }
    }

    async fn head(&self, walking: &mut Walking<S>, by: &[(usize, Direction)]) -> Result<Head> {
        if !self.step(walking).await? {
            return Ok(None);
        }
        let Some(found) = walking.found()? else { return Ok(None) };
        let mut key = Vec::new();
        push_entry_key(by, found.entry(), &mut key)?;
        Ok(Some((key, found)))
    }
}

impl Of {
    fn primary(self, key: &[u8]) -> Result<&[u8]> {
        match self {
            Of::Documents => Ok(key.get(DOCUMENT_PREFIX_LEN..).unwrap_or_default()),
            Of::Entries(fields) => index::primary_of(fields, key.get(INDEX_PREFIX_LEN..).unwrap_or_default()),
        }
    }
}

impl<S: Storage> Walking<S> {
    fn new(walk: &Walk, direction: Direction, collection: &Collection) -> Result<Self> {
        let documents = || (collection.id.documents(), Of::Documents);
        let (mut ranges, (prefix, of)) = match &walk.access {
            Access::Nothing => (Vec::new(), documents()),
            Access::Keys(keys) => {
                return Ok(Walking { way: Way::Keys(keys.clone().into_iter()), asked: Vec::new() });
            }
            Access::Scan => (vec![KeyRange::all()], documents()),
            Access::Text { name, search } => {
                let walk = text::Walk::new(name.clone(), Rc::clone(search))?;
                return Ok(Walking { way: Way::Text(walk), asked: Vec::new() });
            }
            Access::Primary(ranges) => (ranges.clone(), documents()),
            Access::Index { name, ranges, .. } => {
                let index = collection.index(name).ok_or_else(|| Error::internal("a plan names no index"))?;
                let of = Of::Entries(index.facts.fields.len());
                (ranges.clone(), (collection.id.index_entries(index.id), of))
            }
        };
        if direction == Direction::Descending {
            ranges.reverse();
        }
        let way = Way::Ranges { ranges: ranges.into_iter(), prefix, scan: None, of };
        Ok(Walking { way, asked: walk.entries.clone() })
    }

    /// Each range as a walk of its own.
    fn apart(self) -> Vec<Walking<S>> {
        match self.way {
            Way::Keys(_) => vec![self],
            Way::Text(_) => vec![self],
            Way::Ranges { ranges, prefix, of, .. } => {
                let one = |range: KeyRange| Walking {
                    way: Way::Ranges { ranges: vec![range].into_iter(), prefix: prefix.clone(), scan: None, of },
                    asked: self.asked.clone(),
                };
                ranges.map(one).collect()
            }
        }
    }

    /// What the last step went to.
    fn found(&self) -> Result<Option<Found>> {
        let Way::Ranges { scan: Some(open), of, .. } = &self.way else { return Ok(None) };
        let Some((key, value)) = open.scan().slices() else { return Ok(None) };
        let primary_at = key.len() - of.primary(&key)?.len();
        let value = matches!(of, Of::Documents).then_some(value);
        Ok(Some(Found { key, primary_at, value, score: 0.0 }))
    }
}

/// Appends what the entry sorts by.
pub(super) fn push_entry_key(order: &[(usize, Direction)], entry: &[u8], sort_key: &mut Vec<u8>) -> Result<()> {
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
