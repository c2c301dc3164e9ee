//! Weaves runs in memory into one ordered sequence; where several have a key, the newest run wins.
//!
//! Not for segments, whose blocks must be waited for, and not backwards: that is `merge.rs`. What a checkpoint writes
//! passes here, entry by entry.
//!
//! Source of the form: a tree of losers (Knuth, The Art of Computer Programming, 5.4.1): to pass an entry takes one
//! comparison for each level of the tree, of the first sixteen bytes of two keys as a number; whole keys are compared
//! only where those are the same.
//!
//! Invariants: runs stand newest first; keys come strictly ascending; tombstones come too.

use super::run::{Entry, Place, Run};
use crate::value::KeyRange;

/// One run, as far as it is woven.
#[derive(Debug)]
struct Strand {
    run: Run,
    next: usize,
    end: usize,
    /// The next entry; none at the end.
    here: Option<Place>,
    /// The first bytes of its key, as a number that sorts as they do.
    head: u128,
}

impl Strand {
    fn new(run: Run, range: &KeyRange) -> Self {
        let next = run.lower_bound(&range.start);
        let end = range.end.as_ref().map_or(run.len(), |end| run.lower_bound(end));
        let mut strand = Strand { run, next, end, here: None, head: u128::MAX };
        strand.advance();
        strand
    }

    fn advance(&mut self) {
        self.here = if self.next < self.end { self.run.place(self.next) } else { None };
        self.next += 1;
        self.head = self.here.map_or(u128::MAX, |here| head(self.run.key_at(here)));
    }

    fn key(&self) -> Option<&[u8]> {
        self.here.map(|here| self.run.key_at(here))
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Weave {
    strands: Vec<Strand>,
    /// Numbers of strands: the winner, then the loser at each node; the children of a node are at twice its place.
    tree: Vec<usize>,
    /// The entry that was given out last.
    last: Option<(usize, Place, u128)>,
}

/// No strand yet.
const NOBODY: usize = usize::MAX;

impl Weave {
    /// The runs stand newest first.
    pub(super) fn new<'a>(runs: impl Iterator<Item = &'a Run>, range: &KeyRange) -> Self {
        let strands: Vec<Strand> = runs.map(|run| Strand::new(run.clone(), range)).collect();
        let mut weave = Weave { tree: vec![NOBODY; strands.len()], strands, last: None };
        for strand in 0..weave.strands.len() {
            weave.play(strand);
        }
        weave
    }

    /// The next entry; `None` for its value is a tombstone.
    pub(super) fn next(&mut self) -> Option<Entry<'_>> {
        loop {
            let winner = *self.tree.first()?;
            let strand = self.strands.get_mut(winner)?;
            let (here, head) = (strand.here?, strand.head);
            strand.advance();
            self.play(winner);
            if !self.is_repeated(winner, here, head) {
                self.last = Some((winner, here, head));
                let run = &self.strands.get(winner)?.run;
                return Some((run.key_at(here), run.value_at(here)));
            }
        }
    }

    /// Whether a newer run had this key.
    fn is_repeated(&self, strand: usize, here: Place, head: u128) -> bool {
        let key = |strand: usize, place: Place| self.strands.get(strand).map(|strand| strand.run.key_at(place));
        self.last.is_some_and(|(last, place, last_head)| last_head == head && key(last, place) == key(strand, here))
    }

    /// Takes a strand from its leaf up, leaving the loser at each node.
    fn play(&mut self, strand: usize) {
        let mut winner = strand;
        let mut node = usize::midpoint(strand, self.strands.len());
        while node > 0 {
            let Some(other) = self.tree.get(node).copied() else { return };
            if other == NOBODY || self.is_before(other, winner) {
                if let Some(place) = self.tree.get_mut(node) {
                    *place = winner;
                }
                if other == NOBODY {
                    return;
                }
                winner = other;
            }
            node /= 2;
        }
        if let Some(first) = self.tree.first_mut() {
            *first = winner;
        }
    }

    /// Whether the entry of one strand comes before that of another: of the same keys the newer.
    fn is_before(&self, left: usize, right: usize) -> bool {
        let (Some(a), Some(b)) = (self.strands.get(left), self.strands.get(right)) else { return false };
        if a.head != b.head {
            return a.head < b.head;
        }
        match (a.key(), b.key()) {
            (Some(a), Some(b)) => a.cmp(b).then(left.cmp(&right)).is_lt(),
            (here, _) => here.is_some(),
        }
    }
}

fn head(key: &[u8]) -> u128 {
    if let Some(head) = key.first_chunk() {
        return u128::from_be_bytes(*head);
    }
    let mut padded = [0; 16];
    padded.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    u128::from_be_bytes(padded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::run::RunBuilder;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn runs_woven_together_are_a_map_in_which_the_newest_wins() {
        let mut random = 7u64;
        for count in [0, 1, 2, 3, 5, 8, 13] {
            let mut newest: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
            let mut runs = Vec::new();
            for age in 0..count {
                let mut entries = BTreeMap::new();
                for _ in 0..age * 7 {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let front = ["", "a", "the same sixteen", "\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}\u{ff}"];
                    let key = format!("{}{}", front.get(random as usize >> 40 & 3).unwrap(), (random >> 33) % 40);
                    entries.insert(key.into_bytes(), (!random.is_multiple_of(3)).then(|| vec![age]));
                }
                let mut run = RunBuilder::default();
                entries.iter().for_each(|(key, value)| run.push(key, value.as_deref()));
                runs.push(run.finish());
                newest.extend(entries);
            }
            for range in [KeyRange::all(), KeyRange { start: b"a".to_vec(), end: Some(b"the same sixteen5".to_vec()) }]
            {
                let mut weave = Weave::new(runs.iter().rev(), &range);
                for (key, value) in newest.iter().filter(|(key, _)| range.contains(key)) {
                    assert_eq!(weave.next(), Some((key.as_slice(), value.as_deref())));
                }
                assert_eq!(weave.next(), None);
                assert_eq!(weave.next(), None);
            }
        }
    }

    #[test]
    fn a_key_of_bytes_that_are_all_ones_is_not_the_end() {
        let mut run = RunBuilder::default();
        run.push(&[0xff; 16], None);
        run.push(&[0xff; 17], None);
        let run = run.finish();
        let mut weave = Weave::new([&run, &Run::empty(), &run].into_iter(), &KeyRange::all());
        assert_eq!(weave.next(), Some((&[0xff; 16][..], None)));
        assert_eq!(weave.next(), Some((&[0xff; 17][..], None)));
        assert_eq!(weave.next(), None);
    }
}
