//! A sorter: keeps what was found until it can be given out in order, and no more of it than is wanted.
//!
//! Not aware of documents: it is given bytes that sort as they do.
//!
//! Invariants: what sorts alike comes out as it came in; at most a few times as much is kept as is wanted, and no more
//! bytes than its limit.

use super::find::Found;
use crate::error::{Error, Result};
use crate::sorted;
use core::cmp::Ordering;

/// This many more than twice what is wanted are kept before it is looked which to keep.
const SLACK: usize = 256;

/// See the module.
pub(super) struct Sorter {
    wanted: Option<usize>,
    bytes_max: usize,
    /// The sort keys of `items`.
    keys: Vec<u8>,
    items: Vec<Item>,
    found: Vec<Option<Found>>,
    pushed: usize,
    /// Of what is kept: sort keys, keys and documents.
    kept_bytes: usize,
    /// What does not sort before this one, the last that is wanted so far, is not wanted.
    last: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Item {
    /// The first bytes of the key: most comparisons need no more.
    front: u64,
    start: usize,
    end: usize,
    /// In `found`.
    place: usize,
    /// What came earlier has less.
    age: usize,
}

impl Sorter {
    /// Keeps the first so many, all where none is given, and no more bytes than `bytes_max`.
    pub(super) fn new(wanted: Option<usize>, bytes_max: usize) -> Self {
        let (keys, items, found) = (Vec::new(), Vec::new(), Vec::new());
        Sorter { wanted, bytes_max, keys, items, found, pushed: 0, kept_bytes: 0, last: None }
    }

    /// Adds what sorts by the key that `push_key` appends.
    ///
    /// # Errors
    /// `limit` where too much is to be kept.
    pub(super) fn push(
        &mut self,
        found: Found,
        push_key: impl FnOnce(&Found, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let start = self.keys.len();
        push_key(&found, &mut self.keys)?;
        let key = self.keys.get(start..).unwrap_or_default();
        if self.last.as_deref().is_some_and(|last| key >= last) {
            self.keys.truncate(start);
            return Ok(());
        }
        let item = Item { front: front(key), start, end: self.keys.len(), place: self.found.len(), age: self.pushed };
        self.kept_bytes += item.end - item.start + found.len_bytes();
        self.pushed += 1;
        self.items.push(item);
        self.found.push(Some(found));
        if let Some(wanted) = self.wanted {
            let is_much = self.items.len() >= wanted.saturating_mul(2).saturating_add(SLACK);
            // Large documents: they are forgotten sooner, but not one by one, for each time all are sorted.
            let is_full = self.kept_bytes > self.bytes_max && self.items.len() > wanted.saturating_add(wanted / 8);
            if is_much || is_full {
                self.prune(wanted);
            }
        }
        if self.kept_bytes > self.bytes_max {
            return Err(too_much(self.bytes_max));
        }
        Ok(())
    }

    /// Everything wanted, in order.
    pub(super) fn finish(mut self) -> Vec<Found> {
        self.prune(self.wanted.unwrap_or(usize::MAX));
        self.found.into_iter().flatten().collect()
    }

    /// Sorts what there is, and forgets what is not among the first so many.
    fn prune(&mut self, wanted: usize) {
        let keys = core::mem::take(&mut self.keys);
        let items = core::mem::take(&mut self.items);
        let order = sorted::order(items.len(), &mut |left, right| match (items.get(left), items.get(right)) {
            (Some(left), Some(right)) => compare(&keys, left, right),
            _ => Ordering::Equal,
        });
        self.items = order.into_iter().take(wanted).filter_map(|place| items.get(place).copied()).collect();
        if self.items.len() >= wanted {
            let last = self.items.last().and_then(|item| keys.get(item.start..item.end));
            self.last = Some(last.unwrap_or_default().to_vec());
        }
        let mut found = Vec::with_capacity(self.items.len());
        for item in &mut self.items {
            let start = self.keys.len();
            self.keys.extend_from_slice(keys.get(item.start..item.end).unwrap_or_default());
            (item.start, item.end) = (start, self.keys.len());
            let kept = self.found.get_mut(item.place).and_then(Option::take);
            item.place = found.len();
            found.push(kept);
        }
        self.kept_bytes = self.keys.len() + found.iter().flatten().map(Found::len_bytes).sum::<usize>();
        self.found = found;
    }
}

fn too_much(bytes_max: usize) -> Error {
    let error = Error::limit(format!("the sort has to keep more than {bytes_max} bytes of documents"));
    error.with_hint("set a `limit`, narrow the filter, or make an index whose fields have the order of the sort")
}

fn front(key: &[u8]) -> u64 {
    let mut front = [0; 8];
    let len = key.len().min(8);
    if let (Some(front), Some(key)) = (front.get_mut(..len), key.get(..len)) {
        front.copy_from_slice(key);
    }
    u64::from_be_bytes(front)
}

fn compare(keys: &[u8], left: &Item, right: &Item) -> Ordering {
    let key = |item: &Item| keys.get(item.start..item.end).unwrap_or_default();
    let by_front = left.front.cmp(&right.front);
    by_front.then_with(|| key(left).cmp(key(right))).then(left.age.cmp(&right.age))
}
