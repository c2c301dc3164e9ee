//! The truth to compare with: planned commits, what was said of each, and the maps that follow from them.
//!
//! Not an engine: a `BTreeMap` per writer, and nothing clever.
//!
//! Invariants: writers touch disjoint keys, and the commits of one writer are made one after the other; each commit
//! writes a marker of its own that is never touched again, so a state tells which commits are in it.

use super::report::{Checked, Verdict, found};
use hyphadb::engine::format::{SPACE_CATALOG, SPACE_DOCUMENT, SPACE_INDEX};
use hyphadb::engine::{Direction, Engine, KeyRange};
use hyphadb::error::Result;
use hyphadb::storage::{Durability, Storage};
use std::collections::BTreeMap;

/// The writes of one commit.
pub type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The keys of one writer.
pub type State = BTreeMap<Vec<u8>, Vec<u8>>;

/// Every entry of a database, as a scan gives them.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The spaces of the key space that are written.
pub const SPACES: [u8; 3] = [SPACE_CATALOG, SPACE_DOCUMENT, SPACE_INDEX];

/// The key of a writer's n-th commit's marker.
pub fn marker(writer: usize, commit: usize) -> Vec<u8> {
    vec![SPACE_DOCUMENT, writer as u8, b'm', commit as u8]
}

/// One of a writer's other keys.
pub fn key(space: u8, writer: usize, number: u8) -> Vec<u8> {
    vec![space, writer as u8, b'k', number]
}

/// What was said of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing yet.
    Begun,
    /// Committed.
    Acked {
        /// The number that it got.
        seq: u64,
        /// What it survives.
        durability: Durability,
    },
    /// Not committed.
    Refused,
    /// It may be committed or not.
    Unknown,
}

/// One commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// What it writes, marker included.
    pub writes: Writes,
    /// What was said of it.
    pub fate: Fate,
}

/// What each writer has begun, in order.
#[derive(Clone, Debug)]
pub struct Model {
    /// By writer.
    pub writers: Vec<Vec<Commit>>,
}

/// Which commits of each writer are in a state.
pub type Present = Vec<Vec<bool>>;

impl Model {
    /// A model of this many writers that have done nothing.
    pub fn new(writers: usize) -> Self {
        Model { writers: vec![Vec::new(); writers] }
    }

    /// The next commit begins; its number.
    pub fn begin(&mut self, writer: usize, mut writes: Writes) -> usize {
        let commits = &mut self.writers[writer];
        let number = commits.len();
        writes.push((marker(writer, number), Some(vec![number as u8])));
        commits.push(Commit { writes, fate: Fate::Begun });
        number
    }

    /// How many commits each writer has begun, and how many of them were acknowledged.
    pub fn progress(&self) -> (Vec<usize>, Vec<usize>) {
        let acked =
            |commits: &Vec<Commit>| commits.iter().filter(|commit| matches!(commit.fate, Fate::Acked { .. })).count();
        (self.writers.iter().map(Vec::len).collect(), self.writers.iter().map(acked).collect())
    }

    /// The newest commit that was acknowledged as strict.
    pub fn strict_seq(&self) -> u64 {
        let commits = self.writers.iter().flatten();
        let strict = commits.filter_map(|commit| match commit.fate {
            Fate::Acked { seq, durability: Durability::Strict } => Some(seq),
            _ => None,
        });
        strict.max().unwrap_or_default()
    }

    /// The same writers after these of their commits, and nothing else, have happened and are on disk.
    pub fn continued(&self, present: &Present) -> Model {
        let keep = |(commits, present): (&Vec<Commit>, &Vec<bool>)| {
            let kept = commits.iter().zip(present).filter(|(_, there)| **there);
            let settled = |commit: &Commit| Commit {
                fate: Fate::Acked { seq: 0, durability: Durability::Strict },
                ..commit.clone()
            };
            kept.map(|(commit, _)| settled(commit)).collect()
        };
        Model { writers: self.writers.iter().zip(present).map(keep).collect() }
    }

    /// The keys of a writer after those of its commits that are present.
    pub fn replay(&self, writer: usize, present: &[bool]) -> State {
        let mut state = State::new();
        for (commit, _) in self.writers[writer].iter().zip(present).filter(|(_, there)| **there) {
            for (key, value) in &commit.writes {
                match value {
                    Some(value) => state.insert(key.clone(), value.clone()),
                    None => state.remove(key),
                };
            }
        }
        state
    }
}

/// Compares states with a model, many times.
pub struct Checker<'a> {
    model: &'a Model,
    /// Per writer, after each number of commits.
    prefixes: Vec<Vec<Option<State>>>,
}

impl<'a> Checker<'a> {
    /// A checker for this model.
    pub fn new(model: &'a Model) -> Self {
        let prefixes = model.writers.iter().map(|commits| vec![None; commits.len() + 1]).collect();
        Checker { model, prefixes }
    }

    /// Which commits are in these entries, when the entries are just what those commits wrote.
    pub fn check(&mut self, entries: &Entries) -> Checked<Present> {
        let model = self.model;
        let mut own: Vec<Vec<&(Vec<u8>, Vec<u8>)>> = vec![Vec::new(); model.writers.len()];
        for entry in entries {
            match own.get_mut(usize::from(entry.0.get(1).copied().unwrap_or(u8::MAX))) {
                Some(own) => own.push(entry),
                None => return found(Verdict::Wrong, format!("a key that nobody wrote: {}", entry.0.escape_ascii())),
            }
        }
        let mut all = Present::new();
        for (writer, own) in own.iter().enumerate() {
            let present = self.present(writer, own)?;
            let count = present.iter().filter(|there| **there).count();
            let is_prefix = present.iter().take(count).all(|there| *there);
            let replayed;
            let expected = if is_prefix {
                let known = &mut self.prefixes[writer][count];
                &*known.get_or_insert_with(|| model.replay(writer, &present))
            } else {
                replayed = model.replay(writer, &present);
                &replayed
            };
            compare(writer, own, expected)?;
            all.push(present);
        }
        Ok(all)
    }

    fn present(&self, writer: usize, own: &[&(Vec<u8>, Vec<u8>)]) -> Checked<Vec<bool>> {
        let mut present = vec![false; self.model.writers[writer].len()];
        let is_marker = |key: &[u8]| key.len() == 4 && key[0] == SPACE_DOCUMENT && key[2] == b'm';
        for (key, _) in own.iter().filter(|(key, _)| is_marker(key)) {
            match present.get_mut(usize::from(key[3])) {
                Some(there) => *there = true,
                None => return found(Verdict::Wrong, format!("commit {} of writer {writer} was never begun", key[3])),
            }
        }
        Ok(present)
    }

    /// What must hold of what was said: acknowledged commits are there, refused ones are not.
    pub fn check_fates(&self, present: &Present) -> Checked {
        for (writer, (commits, present)) in self.model.writers.iter().zip(present).enumerate() {
            for (number, (commit, there)) in commits.iter().zip(present).enumerate() {
                match (commit.fate, there) {
                    (Fate::Acked { .. }, false) => {
                        return found(Verdict::Lost, format!("commit {number} of writer {writer} was acknowledged"));
                    }
                    (Fate::Refused, true) => {
                        let text = format!("commit {number} of writer {writer} is there, but was said not to be");
                        return found(Verdict::Wrong, text);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn compare(writer: usize, own: &[&(Vec<u8>, Vec<u8>)], expected: &State) -> Checked {
    let mut wanted = expected.iter();
    for (key, value) in own {
        match wanted.next() {
            Some((wanted_key, wanted_value)) if wanted_key == key && wanted_value == value => {}
            Some((wanted_key, _)) => {
                let text = format!(
                    "writer {writer}: {} where {} should be, or with another value",
                    key.escape_ascii(),
                    wanted_key.escape_ascii()
                );
                return found(Verdict::Torn, text);
            }
            None => {
                return found(Verdict::Torn, format!("writer {writer}: {} should not be there", key.escape_ascii()));
            }
        }
    }
    match wanted.next() {
        Some((key, _)) => found(Verdict::Torn, format!("writer {writer}: {} should be there", key.escape_ascii())),
        None => Ok(()),
    }
}

/// Every entry of the newest state that an engine knows.
pub async fn scan<S: Storage>(engine: &Engine<S>, direction: Direction) -> Result<Entries> {
    let mut entries = Entries::new();
    let mut scan = engine.snapshot()?.scan(KeyRange::all(), direction);
    while let Some((key, value)) = scan.next().await? {
        entries.push((key.to_vec(), value.to_vec()));
    }
    if direction == Direction::Descending {
        entries.reverse();
    }
    Ok(entries)
}
