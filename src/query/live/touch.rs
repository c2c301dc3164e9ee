//! Touch: which live queries of a collection a change may concern.
//!
//! Not a judgement: who is named here looks at the change himself; who is not named cannot be concerned.
//!
//! How: a query that asks of a field to equal a value, or one of a few, is found by that value; by the keys of its members
//! too, because a document may cease to be equal. Any other query is concerned by every change.

use crate::error::Result;
use crate::query::Filter;
use crate::query::filter::Test;
use crate::value::path::Found;
use crate::value::view::ObjectView;
use crate::value::{Path, Value, View, key};
use core::ops::ControlFlow;
use xxhash_rust::xxh3::xxh3_64;

/// A list longer than this is not looked up value by value.
const VALUES_MAX: usize = 64;

/// What a query is found by.
#[derive(Clone, Debug)]
pub struct Condition {
    path: Path,
    /// Of the path and each of the values.
    hashes: Vec<u64>,
}

/// Who is concerned by what, in one collection.
#[derive(Debug, Default)]
pub struct Touch {
    by_value: Pairs,
    by_member: Pairs,
    /// The paths of conditions, and how many conditions have them.
    paths: Vec<(Path, usize)>,
    others: Vec<usize>,
}

impl Touch {
    /// The condition by which queries with this filter are found best: the one that has fewest others beside it.
    #[must_use]
    pub fn condition(&self, filter: &Filter) -> Option<Condition> {
        let conditions = filter.conjuncts().into_iter().filter_map(Condition::of);
        conditions.min_by_key(|condition| {
            condition.hashes.iter().map(|hash| self.by_value.each(*hash).count()).sum::<usize>()
        })
    }

    /// Adds a query.
    pub fn add(&mut self, query: usize, condition: Option<&Condition>) {
        let Some(Condition { path, hashes }) = condition else { return self.others.push(query) };
        match self.paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, count)) => *count += 1,
            None => self.paths.push((path.clone(), 1)),
        }
        hashes.iter().for_each(|hash| self.by_value.add(*hash, query));
    }

    /// Takes a query out; its members are taken out one by one.
    pub fn remove(&mut self, query: usize, condition: Option<&Condition>) {
        let Some(Condition { path, hashes }) = condition else { return self.others.retain(|other| *other != query) };
        hashes.iter().for_each(|hash| self.by_value.remove(*hash, query));
        if let Some((_, count)) = self.paths.iter_mut().find(|(known, _)| known == path) {
            *count -= 1;
        }
        self.paths.retain(|(_, count)| *count > 0);
    }

    /// A document has become a member of a query that has a condition.
    pub fn enter(&mut self, query: usize, primary: &[u8]) {
        self.by_member.add(xxh3_64(primary), query);
    }

    /// It is one no more.
    pub fn leave(&mut self, query: usize, primary: &[u8]) {
        self.by_member.remove(xxh3_64(primary), query);
    }

    /// The queries that every change concerns.
    #[must_use]
    pub fn others(&self) -> &[usize] {
        &self.others
    }

    /// Calls `touched` with the other queries that a document may concern which is now this, or gone; some twice.
    ///
    /// # Errors
    /// `corrupt` for damaged rows.
    pub fn find(&self, primary: &[u8], now: Option<ObjectView<'_>>, touched: &mut dyn FnMut(usize)) -> Result<()> {
        self.by_member.each(xxh3_64(primary)).for_each(&mut *touched);
        let Some(document) = now else { return Ok(()) };
        let mut component = Vec::new();
        for (path, _) in &self.paths {
            let mut look = |value: View<'_>| -> Result<()> {
                if !matches!(value, View::Array(_) | View::Object(_)) {
                    let hash = hash(path, value, &mut component)?;
                    self.by_value.each(hash).for_each(&mut *touched);
                }
                Ok(())
            };
            let _ = path.visit(document, &mut |found: Found<'_>| {
                match found {
                    Some(View::Array(elements)) => elements.iter().try_for_each(|element| look(element?))?,
                    Some(value) => look(value)?,
                    None => {}
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(())
    }
}

impl Condition {
    /// Of a part of a filter that must hold, where it can be looked up.
    fn of(filter: &Filter) -> Option<Condition> {
        let (path, values) = match filter {
            Filter::Field(path, Test::Eq(value)) => (path, core::slice::from_ref(value)),
            Filter::Field(path, Test::In(values)) => (path, &values[..]),
            _ => return None,
        };
        // What is missing equals null: it would have to be looked up where there is nothing to be seen.
        let is_found = |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
        if values.len() > VALUES_MAX || !values.iter().all(is_found) {
            return None;
        }
        let hashes = values.iter().map(|value| hash(path, value.into(), &mut Vec::new()));
        Some(Condition { path: path.clone(), hashes: hashes.collect::<Result<_>>().ok()? })
    }
}

fn hash(path: &Path, value: View<'_>, component: &mut Vec<u8>) -> Result<u64> {
    component.clear();
    component.extend_from_slice(path.as_str().as_bytes());
    component.push(0);
    key::push(component, value)?;
    Ok(xxh3_64(component))
}

/// Pairs of a hash and a query, found by the hash.
#[derive(Debug, Default)]
struct Pairs {
    /// A power of two of them, or none.
    buckets: Vec<Vec<(u64, usize)>>,
    count: usize,
}

/// Pairs in a bucket, on average, before there are more buckets.
const BUCKET_FILL: usize = 4;
const BUCKETS_MIN: usize = 16;

impl Pairs {
    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    const fn place(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().saturating_sub(1)
    }

    fn add(&mut self, hash: u64, query: usize) {
        if self.count >= self.buckets.len() * BUCKET_FILL {
            let count = (self.buckets.len() * 4).max(BUCKETS_MIN);
            let old = core::mem::replace(&mut self.buckets, vec![Vec::new(); count]);
            old.into_iter().flatten().for_each(|(hash, query)| self.put(hash, query));
        }
        self.put(hash, query);
        self.count += 1;
    }

    fn put(&mut self, hash: u64, query: usize) {
        let place = self.place(hash);
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push((hash, query));
        }
    }

    fn remove(&mut self, hash: u64, query: usize) {
        let place = self.place(hash);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        if let Some(found) = bucket.iter().position(|pair| *pair == (hash, query)) {
            bucket.swap_remove(found);
            self.count -= 1;
        }
    }

    fn each(&self, hash: u64) -> impl Iterator<Item = usize> {
        let bucket = self.buckets.get(self.place(hash)).map_or(&[][..], Vec::as_slice);
        bucket.iter().filter(move |(own, _)| *own == hash).map(|(_, query)| *query)
    }
}
