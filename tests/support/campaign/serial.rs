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
use hyphadb::engine::Direction;
use hyphadb::storage::Durability;
use std::collections::{BTreeMap, BTreeSet};

/// A read of a range: the entries from `start` to `end`, of which the first few were taken.
#[derive(Clone, Debug)]
pub struct RangeRead {
    /// The first key.
    pub start: Vec<u8>,
    /// Behind the last key.
    pub end: Vec<u8>,
    /// From which end it was read.
    pub direction: Direction,
    /// What was seen, in the order of reading.
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
    /// When its commit was asked for, among all.
    pub asked: usize,
    /// A key that only this transaction writes.
    pub marker: Vec<u8>,
    /// What was said of it.
    pub fate: Fate,
}

/// A commit, and what it left under a key.
type Version = (u64, Option<Vec<u8>>);

/// Every value that every key has had, by the commit that wrote it.
#[derive(Default)]
struct Versions {
    keys: BTreeMap<Vec<u8>, Vec<Version>>,
}

impl Versions {
    fn at(&self, key: &[u8], seq: u64) -> Option<&Vec<u8>> {
        let versions = self.keys.get(key)?;
        versions.iter().rev().find(|(written, _)| *written <= seq)?.1.as_ref()
    }

    fn range(&self, start: &[u8], end: &[u8], seq: u64) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Vec<u8>)> {
        let keys = self.keys.range::<[u8], _>((core::ops::Bound::Included(start), core::ops::Bound::Excluded(end)));
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
    fn misread<'a>(&self, deed: &'a Deed, seq: u64) -> Option<Misread<'a>> {
        let key = deed.reads.iter().find(|(key, seen)| self.at(key, seq) != seen.as_ref());
        let range = deed.ranges.iter().find(|range| {
            let mut there = self.range(&range.start, &range.end, seq);
            let mut next = || match range.direction {
                Direction::Ascending => there.next(),
                Direction::Descending => there.next_back(),
            };
            let all_there = range.seen.iter().all(|(key, value)| next() == Some((key, value)));
            !all_there || range.to_end && next().is_some()
        });
        key.map(|(key, seen)| Misread::Key(key, seen.as_ref())).or(range.map(Misread::Range))
    }
}

/// A read that saw something else than what was there.
enum Misread<'a> {
    Key(&'a [u8], Option<&'a Vec<u8>>),
    Range(&'a RangeRead),
}

impl Misread<'_> {
    fn tell(&self, versions: &Versions, seq: u64) -> String {
        match self {
            Misread::Key(key, seen) => {
                format!("read {} as {seen:?}, which is {:?}", key.escape_ascii(), versions.at(key, seq))
            }
            Misread::Range(range) => {
                let there: Vec<_> = versions.range(&range.start, &range.end, seq).collect();
                format!("read a range as {:?} (to its end: {}), which is {there:?}", range.seen, range.to_end)
            }
        }
    }
}

/// What may be missing at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing that was acknowledged.
    Nothing,
    /// The power failed: what came after the newest strict commit, from some commit on.
    Suffix,
}

/// Checks a whole history against the entries and the commit number at the end.
pub fn check(deeds: &[Deed], last: u64, entries: &Entries, loss: Loss) -> Checked {
    let there: BTreeSet<&[u8]> = entries.iter().map(|(key, _)| key.as_slice()).collect();
    let mut by_seq: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut unheard = Vec::new();
    for (index, deed) in deeds.iter().enumerate() {
        let is_there = there.contains(deed.marker.as_slice());
        match deed.fate {
            Fate::Acked { .. } if deed.writes.is_empty() => {}
            Fate::Acked { seq, .. } if is_there => by_seq.entry(seq).or_default().push(index),
            Fate::Acked { seq, durability: Durability::Relaxed } if loss == Loss::Suffix && seq > last => {}
            Fate::Acked { .. } => return found(Verdict::Lost, format!("lost update: {deed:?}")),
            Fate::Refused if is_there => {
                return found(Verdict::Wrong, format!("said to be refused, but there: {deed:?}"));
            }
            Fate::Begun | Fate::Unknown if is_there => unheard.push(index),
            Fate::Refused | Fate::Begun | Fate::Unknown => {}
        }
    }
    let mut snapshots: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, deed) in deeds.iter().enumerate() {
        if deed.snapshot > last && loss == Loss::Nothing {
            return found(Verdict::Wrong, format!("read from commit {}, which is not there", deed.snapshot));
        }
        snapshots.entry(deed.snapshot).or_default().push(index);
    }
    let mut replay =
        Replay { deeds, by_seq, snapshots, last, entries, versions: Versions::default(), why: (0, String::new()) };
    if !replay.go_on(FIRST, &mut unheard) {
        return found(Verdict::Wrong, format!("no serial order explains it; the best try ends with: {}", replay.why.1));
    }
    Ok(())
}

/// The first commit of a program; the one before it makes the database.
const FIRST: u64 = 2;

/// Words that are only found when they are wanted: most tries fail without being the best.
type Why = Box<dyn Fn(&Replay<'_>) -> String>;

struct Replay<'a> {
    deeds: &'a [Deed],
    by_seq: BTreeMap<u64, Vec<usize>>,
    snapshots: BTreeMap<u64, Vec<usize>>,
    last: u64,
    entries: &'a Entries,
    versions: Versions,
    /// How far the best try came, and why it did not come further.
    why: (u64, String),
}

impl Replay<'_> {
    /// Goes on with this commit. It holds those of whom it was heard; one of whom nobody heard anything holds some of
    /// the unheard; and any may hold more of the unheard of its context.
    fn go_on(&mut self, seq: u64, unheard: &mut Vec<usize>) -> bool {
        if let Err(why) = self.check_state(seq - 1, unheard) {
            let why = (seq > self.why.0).then(|| why(self));
            return self.fail(seq, why);
        }
        if seq > self.last {
            return true;
        }
        let group = self.by_seq.get(&seq).cloned().unwrap_or_default();
        self.filled(seq, group, 0, unheard)
    }

    /// Checks what can be said of the state after a commit.
    fn check_state(&self, seq: u64, unheard: &[usize]) -> Result<(), Why> {
        for &index in self.snapshots.get(&seq).into_iter().flatten() {
            if self.versions.misread(&self.deeds[index], seq).is_some() {
                return Err(Box::new(move |replay| {
                    let deed = &replay.deeds[index];
                    let why = replay.versions.misread(deed, seq).map(|misread| misread.tell(&replay.versions, seq));
                    format!("not a snapshot of commit {seq}: {}: {deed:?}", why.unwrap_or_default())
                }));
            }
        }
        if seq < self.last {
            return Ok(());
        }
        if !unheard.is_empty() {
            let count = unheard.len();
            return Err(Box::new(move |_| format!("{count} transactions are there that no commit is left for")));
        }
        let expected = self.versions.range(&[], &[0xff; 8], seq);
        if !expected.eq(self.entries.iter().map(|(key, value)| (key, value))) {
            return Err(Box::new(move |replay| {
                let expected: Vec<_> = replay.versions.range(&[], &[0xff; 8], seq).collect();
                format!("at the end there is {:?} instead of {expected:?}", replay.entries)
            }));
        }
        Ok(())
    }

    fn fail(&mut self, seq: u64, why: Option<String>) -> bool {
        if let Some(why) = why {
            self.why = (seq, why);
        }
        false
    }

    /// Fills a commit with the unheard from this one on: first with none of them.
    fn filled(&mut self, seq: u64, group: Vec<usize>, from: usize, unheard: &mut Vec<usize>) -> bool {
        if group.is_empty() {
            if unheard.is_empty() {
                let why = (seq > self.why.0).then(|| format!("commit {seq} is nobody's"));
                return self.fail(seq, why);
            }
        } else {
            let mut ordered = group.clone();
            ordered.sort_by_key(|&index| self.deeds[index].asked);
            if self.happen(seq, &ordered, unheard) {
                return true;
            }
        }
        for at in from..unheard.len() {
            let index = unheard[at];
            let deed = &self.deeds[index];
            let is_of_group = group.first().is_none_or(|&first| self.deeds[first].context == deed.context);
            if is_of_group && deed.snapshot < seq {
                unheard.remove(at);
                let mut larger = group.clone();
                larger.push(index);
                if self.filled(seq, larger, at, unheard) {
                    return true;
                }
                unheard.insert(at, index);
            }
        }
        false
    }

    /// Lets the members of a record happen in their order, and goes on.
    fn happen(&mut self, seq: u64, group: &[usize], unheard: &mut Vec<usize>) -> bool {
        let deeds = self.deeds;
        for (done, &index) in group.iter().enumerate() {
            // The state before it: all commits before, and the members of its record before it.
            let misread = self.versions.misread(&deeds[index], seq);
            if let Some(misread) = misread {
                let why = || format!("commit {seq}: {}: {:?}", misread.tell(&self.versions, seq), deeds[index]);
                let why = (seq > self.why.0).then(why);
                self.fail(seq, why);
                group[..done].iter().rev().for_each(|&index| self.versions.unwrite(&deeds[index]));
                return false;
            }
            self.versions.write(&deeds[index], seq);
        }
        if self.go_on(seq + 1, unheard) {
            return true;
        }
        group.iter().rev().for_each(|&index| self.versions.unwrite(&deeds[index]));
        false
    }
}
