//! Whether what several contexts saw and wrote is what some serial order of their commits gives.
//!
//! Not a search over all orders: commits are numbered, so the order is known but for those of which nobody heard.
//!
//! Source of the idea: Elle (Kingsbury, Alvaro, 2020) and Porcupine: judge by the observations alone.
//!
//! Invariants that are checked: a committed transaction read just what stood there before it; every transaction,
//! committed or not, read from the state of one commit; what is there at the end is what the commits wrote.

use super::model::{Entries, Fate};
use super::report::{Checked, Verdict, found};
use std::collections::{BTreeMap, BTreeSet};

/// A read of a range: the entries from `start` to `end`, of which the first few were taken.
#[derive(Clone, Debug)]
pub struct RangeRead {
    /// The first key.
    pub start: Vec<u8>,
    /// Behind the last key.
    pub end: Vec<u8>,
    /// What was seen, in order.
    pub seen: Entries,
    /// Whether the end of the range was seen.
    pub to_end: bool,
}

/// What one transaction did.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Whose it is.
    pub context: usize,
    /// The commit of its snapshot.
    pub snapshot: u64,
    /// What it read, by key.
    pub reads: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// What it read, by range.
    pub ranges: Vec<RangeRead>,
    /// What it wrote, its marker included.
    pub writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// A key that only this transaction writes.
    pub marker: Vec<u8>,
    /// What was said of it.
    pub fate: Fate,
}

/// Every value that every key has had, by the commit that wrote it.
#[derive(Default)]
struct Versions {
    keys: BTreeMap<Vec<u8>, Vec<(u64, Option<Vec<u8>>)>>,
}

impl Versions {
    fn at(&self, key: &[u8], seq: u64) -> Option<&Vec<u8>> {
        let versions = self.keys.get(key)?;
        versions.iter().rev().find(|(written, _)| *written <= seq)?.1.as_ref()
    }

    fn range(&self, start: &[u8], end: &[u8], seq: u64) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let keys = self.keys.range::<[u8], _>((
            core::ops::Bound::Included(start),
            core::ops::Bound::Excluded(end),
        ));
        keys.filter_map(move |(key, _)| self.at(key, seq).map(|value| (key, value)))
    }

    fn write(&mut self, deed: &Deed, seq: u64) {
        for (key, value) in &deed.writes {
            self.keys.entry(key.clone()).or_default().push((seq, value.clone()));
        }
    }

    fn unwrite(&mut self, deed: &Deed) {
        for (key, _) in &deed.writes {
            self.keys.get_mut(key).map(Vec::pop);
        }
    }

    /// What the deed saw that was not so at this commit.
    fn misread(&self, deed: &Deed, seq: u64) -> Option<String> {
        for (key, seen) in &deed.reads {
            if self.at(key, seq) != seen.as_ref() {
                return Some(format!("read {} as {seen:?}, which is {:?}", key.escape_ascii(), self.at(key, seq)));
            }
        }
        for range in &deed.ranges {
            let mut there = self.range(&range.start, &range.end, seq);
            let all_there = range.seen.iter().all(|(key, value)| there.next() == Some((key, value)));
            if !all_there || range.to_end && there.next().is_some() {
                let now: Vec<_> = self.range(&range.start, &range.end, seq).collect();
                return Some(format!("read a range as {:?} (to its end: {}), which is {now:?}", range.seen, range.to_end));
            }
        }
        None
    }
}

/// Checks a whole history against the entries and the commit number at the end.
pub fn check(deeds: &[Deed], last: u64, entries: &Entries) -> Checked {
    let there: BTreeSet<&[u8]> = entries.iter().map(|(key, _)| key.as_slice()).collect();
    let mut by_seq: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut unheard = Vec::new();
    for (index, deed) in deeds.iter().enumerate() {
        let is_there = there.contains(deed.marker.as_slice());
        match deed.fate {
            Fate::Acked { .. } if deed.writes.is_empty() => {}
            Fate::Acked { seq, .. } if is_there => by_seq.entry(seq).or_default().push(index),
            Fate::Acked { .. } => return found(Verdict::Lost, format!("lost update: {deed:?}")),
            Fate::Refused if is_there => return found(Verdict::Wrong, format!("said to be refused, but there: {deed:?}")),
            Fate::Begun | Fate::Unknown if is_there => unheard.push(index),
            Fate::Refused | Fate::Begun | Fate::Unknown => {}
        }
    }
    let mut replay = Replay { deeds, by_seq, last, versions: Versions::default(), why: String::new() };
    if !replay.go_on(2, &mut unheard) {
        return found(Verdict::Wrong, format!("no serial order explains it; the best try ends with: {}", replay.why));
    }
    for deed in deeds {
        if deed.snapshot > last {
            return found(Verdict::Wrong, format!("read from commit {}, which is not there", deed.snapshot));
        }
        if let Some(why) = replay.versions.misread(deed, deed.snapshot) {
            return found(Verdict::Wrong, format!("not a snapshot of commit {}: {why}: {deed:?}", deed.snapshot));
        }
    }
    let expected: Vec<_> = replay.versions.range(&[], &[0xff; 8], last).collect();
    let found_entries: Vec<_> = entries.iter().map(|(key, value)| (key, value)).collect();
    if expected != found_entries {
        return found(Verdict::Torn, format!("at the end there is {found_entries:?} instead of {expected:?}"));
    }
    Ok(())
}

struct Replay<'a> {
    deeds: &'a [Deed],
    by_seq: BTreeMap<u64, Vec<usize>>,
    last: u64,
    versions: Versions,
    why: String,
}

impl Replay<'_> {
    /// Goes on with this commit; a commit that nobody heard of is filled with one (or more) of the unheard.
    fn go_on(&mut self, seq: u64, unheard: &mut Vec<usize>) -> bool {
        if seq > self.last {
            if !unheard.is_empty() {
                self.why = format!("{} transactions are there that no commit is left for", unheard.len());
            }
            return unheard.is_empty();
        }
        if let Some(group) = self.by_seq.get(&seq).cloned() {
            // A group is one record: its members wrote no key twice that another of them read, so any order that
            // explains the reads will do.
            return self.in_some_order(seq, group, unheard);
        }
        for at in 0..unheard.len() {
            let first = unheard.remove(at);
            if self.in_some_order(seq, vec![first], unheard) {
                return true;
            }
            // It may have shared its record with others of its context.
            for beside in 0..unheard.len() {
                if self.deeds[unheard[beside]].context == self.deeds[first].context {
                    let second = unheard.remove(beside);
                    if self.in_some_order(seq, vec![first, second], unheard) {
                        return true;
                    }
                    unheard.insert(beside, second);
                }
            }
            unheard.insert(at, first);
        }
        if self.why.is_empty() {
            self.why = format!("commit {seq} is nobody's");
        }
        false
    }

    fn in_some_order(&mut self, seq: u64, group: Vec<usize>, unheard: &mut Vec<usize>) -> bool {
        if group.is_empty() {
            return self.go_on(seq + 1, unheard);
        }
        for at in 0..group.len() {
            let mut rest = group.clone();
            let index = rest.swap_remove(at);
            let deeds = self.deeds;
            // The state before it: all commits before, and the members of its group before it.
            if let Some(why) = self.versions.misread(&deeds[index], seq) {
                self.why = format!("commit {seq}: {why}: {:?}", deeds[index]);
                continue;
            }
            self.versions.write(&deeds[index], seq);
            if self.in_some_order(seq, rest, unheard) {
                return true;
            }
            self.versions.unwrite(&deeds[index]);
        }
        false
    }
}
