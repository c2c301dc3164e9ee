//! Text searches: postings are read, and what they say is ranked.
//!
//! Not the judgement: what a posting means and how documents are ranked is in `query/text.rs`.
//!
//! Invariants: matches are those of what is read, in a transaction with what it wrote; how many documents there are and how
//! long, which scores need, is counted in the snapshot and remembered for it, and is not part of a transaction's read set:
//! else whoever searches would be in conflict with all who write.

use super::Found;
use crate::db::work::Reader;
use crate::engine::ScanStep;
use crate::engine::catalog::{Collection, CollectionId, DOCUMENT_PREFIX_LEN, INDEX_PREFIX_LEN, Index};
use crate::engine::index::primary_of;
use crate::error::{Error, Result};
use crate::part::Part;
use crate::query::text::{Clause, Hits, List, Near, Role, Search, Totals, check_kept, fixed, posting, rank, slots};
use crate::sorted;
use crate::storage::Storage;
use crate::value::{Direction, KeyRange, Name, key};
use crate::words;
use core::ops::ControlFlow;
use std::rc::Rc;

/// What a word counts that is a typo away from the one that is looked for.
const TYPO_WORTH: f64 = 0.5;

/// What is done with an entry, given without its prefix, and its value.
type Each<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>> + 'a;

/// A search under way.
pub(super) struct Walk {
    index: Name,
    search: Rc<Search>,
    hits: Option<Hits>,
}

/// The entries of an index.
struct Entries<'a, S: Storage> {
    reader: Reader<S>,
    index: &'a Index,
    weights: &'a [u32],
    prefix: Vec<u8>,
    /// How many were read.
    read: usize,
}

impl Walk {
    /// # Errors
    /// None, but in a build without text search.
    pub(super) fn new(index: Name, search: Rc<Search>) -> Result<Walk> {
        Part::Text.needed()?;
        Ok(Walk { index, search, hits: None })
    }

    /// Searches, unless that is done. Answers how many entries were read for it.
    pub(super) async fn begin<S: Storage>(&mut self, reader: &Reader<S>, collection: &Collection) -> Result<usize> {
        if self.hits.is_some() {
            return Ok(0);
        }
        let index = collection.index(&self.index);
        let index = index.and_then(|index| Some((index, index.facts.weights.as_deref()?)));
        let (index, weights) = index.ok_or_else(|| Error::internal("a plan names no index"))?;
        let prefix = collection.id.index_entries(index.id);
        let mut entries = Entries { reader: reader.clone(), index, weights, prefix, read: 0 };
        let totals = entries.totals().await?;
        let mut lists = Vec::with_capacity(self.search.clauses().len());
        for clause in self.search.clauses() {
            lists.push((clause.role, entries.list(clause).await?));
            check_kept(lists.iter().map(|(_, list)| list.kept_bytes()).sum())?;
            if clause.role == Role::Must && lists.last().is_some_and(|(_, list)| list.is_empty()) {
                lists.clear();
                break;
            }
        }
        self.hits = Some(rank(&lists, totals));
        Ok(entries.read)
    }

    /// How many are left.
    pub(super) fn left(&self) -> usize {
        self.hits.as_ref().map_or(0, Hits::len)
    }

    /// Takes the best out, until there are so many in the batch.
    pub(super) fn take(&mut self, collection: CollectionId, max: usize, batch: &mut Vec<Found>) {
        while batch.len() < max {
            let Some((primary, score)) = self.hits.as_mut().and_then(Hits::take) else { return };
            let mut key = Vec::with_capacity(DOCUMENT_PREFIX_LEN + primary.len());
            collection.push_document_prefix(&mut key);
            key.extend_from_slice(primary);
            batch.push(Found { key: key.into(), primary_at: DOCUMENT_PREFIX_LEN, value: None, score });
        }
    }
}

impl<S: Storage> Entries<'_, S> {
    /// Gives the entries of a range, each without its prefix, until it is told to stop.
    async fn walk(&mut self, range: &KeyRange, each: &mut Each<'_>) -> Result<()> {
        let mut scan = self.reader.scan(range.within(&self.prefix), Direction::Ascending);
        loop {
            match scan.step() {
                ScanStep::Entry => {
                    self.read += 1;
                    let (key, value) = scan.scan().entry();
                    if each(key.get(INDEX_PREFIX_LEN..).unwrap_or_default(), value)?.is_break() {
                        return Ok(());
                    }
                }
                ScanStep::Needs => scan.fill().await?,
                ScanStep::End => return Ok(()),
            }
        }
    }

    /// How many documents there are, and how long.
    async fn totals(&mut self) -> Result<Totals> {
        let snapshot = self.reader.snapshot().clone();
        let seq = snapshot.seq();
        if let Some((at, totals)) = self.index.totals.get()
            && at == seq
        {
            return Ok(totals);
        }
        let mut totals = Totals::default();
        let reader = core::mem::replace(&mut self.reader, Reader::Snapshot(snapshot));
        let counted = self
            .walk(&KeyRange::prefix(&component("")), &mut |_, posting| {
                totals.documents += 1;
                totals.length += posting::length(posting)?;
                Ok(ControlFlow::Continue(()))
            })
            .await;
        self.reader = reader;
        counted?;
        self.index.totals.set(Some((seq, totals)));
        Ok(totals)
    }

    /// The documents in which a clause occurs.
    async fn list(&mut self, clause: &Clause) -> Result<List> {
        if clause.words.len() > 1 {
            let mut lists = Vec::with_capacity(clause.words.len());
            for word in &clause.words {
                let mut list = List::default();
                self.add(&component(word), 1.0, &mut list).await?;
                lists.push(list);
            }
            return List::in_sequence(&lists, self.weights);
        }
        let word = clause.words.first().map_or("", String::as_str);
        let whole = component(word);
        let mut list = List::default();
        match clause.near {
            Near::Exact => self.add(&whole, 1.0, &mut list).await?,
            Near::Prefix => {
                self.add(whole.get(..whole.len() - 1).unwrap_or_default(), 1.0, &mut list).await?;
                list = list.united();
            }
            Near::Typo => {
                self.add(&whole, 1.0, &mut list).await?;
                for other in self.typos(word).await? {
                    self.add(&other, TYPO_WORTH, &mut list).await?;
                }
                list = list.united();
            }
        }
        Ok(list)
    }

    /// Adds the documents of all words that begin so.
    async fn add(&mut self, beginning: &[u8], worth: f64, list: &mut List) -> Result<()> {
        let weights = self.weights;
        let each = &mut |entry: &[u8], posting: &[u8]| {
            list.push(primary_of(1, entry)?, posting, weights, worth)?;
            Ok(ControlFlow::Continue(()))
        };
        self.walk(&KeyRange::prefix(beginning), each).await
    }

    /// What may be the components of words that are a typo away; most of them are of none.
    async fn typos(&mut self, word: &str) -> Result<Vec<Vec<u8>>> {
        let mut typos = Vec::new();
        for typo in fixed(word) {
            typos.push(component(&typo));
        }
        for slot in slots(word) {
            let mut from = component(slot.front);
            from.pop();
            let end = KeyRange::prefix(&from).end;
            let at = from.len();
            // The letters that stand there in some word, one after the other.
            loop {
                let mut letter = None;
                let range = KeyRange { start: from.clone(), end: end.clone() };
                self.walk(&range, &mut |entry, _| {
                    letter = letter_at(entry, at);
                    Ok(ControlFlow::Break(()))
                })
                .await?;
                let Some(letter) = letter else { break };
                // None stands at the end of a word.
                if letter != char::default() {
                    typos.extend(slot.filled(letter).iter().map(|word| component(word)));
                }
                // No word goes on behind a letter of a script without spaces.
                let Some(next) = behind(words::unspaced(letter).unwrap_or(letter)) else { break };
                from.truncate(at);
                from.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        let itself = component(word);
        typos = sorted::once_each(typos);
        typos.retain(|typo| *typo != itself && typo.len() > component("").len());
        Ok(typos)
    }
}

/// A word as it stands in an entry, its end included.
fn component(word: &str) -> Vec<u8> {
    let mut component = vec![key::TAG_STRING];
    component.extend_from_slice(word.as_bytes());
    component.push(key::END);
    component
}

/// The letter of an entry's word that begins there. Behind the end of a word there is that end.
fn letter_at(entry: &[u8], at: usize) -> Option<char> {
    let rest = entry.get(at..)?;
    let end = rest.iter().position(|byte| *byte == key::END)?;
    let word = core::str::from_utf8(rest.get(..end)?).ok()?;
    Some(word.chars().next().unwrap_or_default())
}

fn behind(letter: char) -> Option<char> {
    // Between two planes of letters lies a stretch that holds none.
    (u32::from(letter) + 1..=0x0011_0000).take(0x801).find_map(char::from_u32)
}
