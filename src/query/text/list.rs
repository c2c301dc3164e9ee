//! Lists: the documents in which a clause occurs, and how often.
//!
//! Not scores: those need all lists (`query/text/rank.rs`).
//!
//! Invariants: primary keys ascend, each once, but in a list that is still being filled from several words; what is kept
//! is bounded.

use super::posting;
use crate::error::{Error, Result};
use crate::limits::SEARCH_BYTES_MAX;
use crate::sorted;

/// See the module.
#[derive(Debug, Default)]
pub struct List {
    /// Primary keys, each with its posting behind.
    bytes: Vec<u8>,
    items: Vec<Item>,
}

/// Whether a search may keep so much.
///
/// # Errors
/// `limit` where it may not.
pub fn check_kept(bytes: usize) -> Result<()> {
    if bytes > SEARCH_BYTES_MAX {
        let error = Error::limit(format!("the search has to keep more than {SEARCH_BYTES_MAX} bytes of its words"));
        return Err(error.with_hint("look for words that occur in fewer documents"));
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Item {
    start: u32,
    /// Where the primary key ends.
    middle: u32,
    end: u32,
    /// How often the clause occurs, by weight.
    count: f64,
    length: f64,
}

impl List {
    /// Adds a document in which a word occurs, each time counting `worth`.
    ///
    /// # Errors
    /// `corrupt` for a damaged posting, `limit` where there are too many.
    pub fn push(&mut self, primary: &[u8], posting: &[u8], weights: &[u32], worth: f64) -> Result<()> {
        let mut count = 0.0;
        let mut add = |place: posting::Place| {
            count += weights.get(place.field as usize).copied().map_or(0.0, f64::from);
        };
        let length = posting::read(posting, weights.len(), &mut add)?;
        self.push_counted(primary, posting, count * worth, length as f64)
    }

    fn push_counted(&mut self, primary: &[u8], posting: &[u8], count: f64, length: f64) -> Result<()> {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(primary);
        let middle = self.bytes.len() as u32;
        self.bytes.extend_from_slice(posting);
        self.items.push(Item { start, middle, end: self.bytes.len() as u32, count, length });
        check_kept(self.kept_bytes())
    }

    /// Bytes that it keeps.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Item>()
    }

    /// How many documents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The primary key of a document.
    #[must_use]
    pub fn primary(&self, place: usize) -> Option<&[u8]> {
        let item = self.items.get(place)?;
        self.bytes.get(item.start as usize..item.middle as usize)
    }

    /// How often the clause occurs in a document, and the document's length.
    #[must_use]
    pub fn count(&self, place: usize) -> (f64, f64) {
        self.items.get(place).map_or((0.0, 0.0), |item| (item.count, item.length))
    }

    /// The same list, into which documents came by several words, in order and each document once.
    #[must_use]
    pub fn united(mut self) -> List {
        let order = sorted::order(self.len(), &mut |left, right| self.primary(left).cmp(&self.primary(right)));
        let mut items: Vec<Item> = Vec::with_capacity(order.len());
        let mut before = None;
        for place in order {
            let Some(item) = self.items.get(place) else { continue };
            let primary = self.primary(place);
            match items.last_mut().filter(|_| before == primary) {
                Some(last) => last.count += item.count,
                None => items.push(*item),
            }
            before = primary;
        }
        self.items = items;
        self
    }

    /// The documents in which the words of the lists stand behind each other, in the order of the lists.
    ///
    /// # Errors
    /// `corrupt` for a damaged posting.
    pub fn in_sequence(lists: &[List], weights: &[u32]) -> Result<List> {
        let mut found = List::default();
        let Some((first, others)) = lists.split_first() else { return Ok(found) };
        let mut at = vec![0; others.len()];
        for place in 0..first.len() {
            let Some(primary) = first.primary(place) else { continue };
            let mut is_in_all = true;
            for (list, at) in others.iter().zip(&mut at) {
                while list.primary(*at).is_some_and(|other| other < primary) {
                    *at += 1;
                }
                is_in_all &= list.primary(*at) == Some(primary);
            }
            if !is_in_all {
                continue;
            }
            let mut starts = first.places(place, weights.len())?;
            for (distance, (list, at)) in others.iter().zip(&at).enumerate() {
                let places = list.places(*at, weights.len())?;
                starts.retain(|start| places.binary_search(&(start + distance as u64 + 1)).is_ok());
            }
            if !starts.is_empty() {
                let weight = |start: &u64| weights.get((start >> 32) as usize).copied().map_or(0.0, f64::from);
                let count = starts.iter().map(weight).sum();
                found.push_counted(primary, &[], count, first.count(place).1)?;
            }
        }
        Ok(found)
    }

    /// Where the word stands in a document, as ascending numbers: those of words that stand behind each other follow.
    fn places(&self, place: usize, fields: usize) -> Result<Vec<u64>> {
        let mut places = Vec::new();
        if let Some(item) = self.items.get(place) {
            let posting = self.bytes.get(item.middle as usize..item.end as usize).unwrap_or_default();
            posting::read(posting, fields, &mut |place| {
                places.push(u64::from(place.field) << 32 | u64::from(place.word))
            })?;
        }
        Ok(places)
    }
}
