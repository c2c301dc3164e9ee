//! Heads: the first telling bytes of each key of a run, side by side, so that a search need not go from entry to entry.
//!
//! Not stored: made in memory for runs that are searched again and again. A search among entries touches two places in
//! memory at each step, and most of its time is waiting for them.
//!
//! Invariant: what is found is what a search of the entries finds.

use super::run::Run;
use core::cell::{Cell, OnceCell};

/// A run that is searched for the so-manieth time gets heads.
const SEARCHES_MIN: u32 = 3;
/// A run with fewer entries needs none.
const ENTRIES_MIN: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Heads {
    searches: Cell<u32>,
    made: OnceCell<Made>,
}

/// The heads of keys in ascending order.
#[derive(Debug)]
pub(super) struct Made {
    /// What all keys begin with.
    common: Vec<u8>,
    /// Of each key the next eight bytes, as a number that sorts as they do.
    heads: Vec<u64>,
}

impl Heads {
    /// The number of the first entry of `run`, whose heads these are, with a key not less than `key`.
    pub(super) fn lower_bound(&self, run: &Run, key: &[u8]) -> usize {
        let searches = self.searches.get();
        if self.made.get().is_none() && (searches < SEARCHES_MIN || run.len() < ENTRIES_MIN) {
            self.searches.set(searches.saturating_add(1));
            return run.lower_bound(key);
        }
        let made = self.made.get_or_init(|| {
            let keys: Vec<&[u8]> = run.iter().map(|(key, _)| key).collect();
            Made::of(&keys)
        });
        made.lower_bound(key, &|from| run.lower_bound_from(from, key))
    }
}

impl Made {
    pub(super) fn of(keys: &[&[u8]]) -> Self {
        let (first, last) = (keys.first().copied().unwrap_or_default(), keys.last().copied().unwrap_or_default());
        let same = first.iter().zip(last).take_while(|(left, right)| left == right).count();
        let heads = keys.iter().map(|key| head(key.get(same..).unwrap_or_default())).collect();
        Made { common: first.get(..same).unwrap_or_default().to_vec(), heads }
    }

    /// The number of the first key not less than `key`; `search` finds it where only the keys themselves tell, from a
    /// number on.
    pub(super) fn lower_bound(&self, key: &[u8], search: &dyn Fn(usize) -> usize) -> usize {
        let Some((front, rest)) = key.split_at_checked(self.common.len()) else { return search(0) };
        if front != self.common {
            return if front < self.common.as_slice() { 0 } else { self.heads.len() };
        }
        let head = head(rest);
        let (mut from, mut end) = (0, self.heads.len());
        while from < end {
            let middle = from.midpoint(end);
            match self.heads.get(middle) {
                Some(other) if *other < head => from = middle + 1,
                _ => end = middle,
            }
        }
        match self.heads.get(from) {
            Some(other) if *other == head => search(from),
            // Its key is greater in the bytes that are here already.
            _ => from,
        }
    }
}

fn head(bytes: &[u8]) -> u64 {
    if let Some(head) = bytes.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    bytes.iter().chain(&[0; 8]).take(8).fold(0, |head, byte| head << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;

    #[test]
    fn heads_find_what_a_search_finds() {
        let mut builder = RunBuilder::default();
        let keys: Vec<Vec<u8>> =
            (0..200u32).map(|n| [b"common", &n.wrapping_mul(7919).to_be_bytes()[1..]].concat()).collect();
        let mut sorted = keys.clone();
        sorted.push(b"common".to_vec());
        sorted.extend(keys.iter().map(|key| [&key[..], &[0; 9]].concat()));
        sorted.extend(keys.iter().map(|key| [&key[..], &[0; 8], b"longer"].concat()));
        sorted.sort();
        sorted.dedup();
        sorted.iter().for_each(|key| builder.push(key, None));
        let run = builder.finish();
        let heads = Heads::default();
        for round in 0..3 {
            let others = [&b""[..], b"a", b"commo", b"common\xff\xff\xff\xff", b"d"];
            for key in sorted.iter().chain(&keys).map(Vec::as_slice).chain(others) {
                assert_eq!(heads.lower_bound(&run, key), run.lower_bound(key), "{key:?} in round {round}");
                let longer = [key, &[1]].concat();
                assert_eq!(heads.lower_bound(&run, &longer), run.lower_bound(&longer));
            }
        }
        assert!(heads.made.get().is_some());
    }
}
