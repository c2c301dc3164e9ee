//! The commits since the oldest transaction under way: what validation looks at.
//!
//! Invariant: every commit after `floor` that this context knows is here, in order; a transaction whose snapshot is
//! older than `floor` cannot be validated and must be run again.

use super::run::Run;
use crate::sorted::Sorted;
use crate::storage::CommitSeq;
use std::collections::VecDeque;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    floor: CommitSeq,
    commits: VecDeque<(CommitSeq, Run)>,
    bytes: usize,
    bytes_max: usize,
    /// Snapshots of transactions under way, and how many have each.
    active: Sorted<CommitSeq, usize>,
}

impl Recent {
    pub(crate) fn new(floor: CommitSeq, bytes_max: usize) -> Self {
        Recent { floor, bytes_max, ..Recent::default() }
    }

    /// A transaction began with this snapshot.
    pub(crate) fn enter(&mut self, seq: CommitSeq) {
        match self.active.get_mut(&seq) {
            Some(count) => *count += 1,
            None => drop(self.active.insert(seq, 1)),
        }
    }

    /// A transaction with this snapshot ended.
    pub(crate) fn leave(&mut self, seq: CommitSeq) {
        if let Some(count) = self.active.get_mut(&seq) {
            *count -= 1;
            if *count == 0 {
                self.active.remove(&seq);
                self.prune();
            }
        }
    }

    /// A commit took effect.
    pub(crate) fn push(&mut self, seq: CommitSeq, run: Run) {
        self.bytes += run.as_bytes().len();
        self.commits.push_back((seq, run));
        self.prune();
    }

    /// Commits up to this one are not known one by one.
    pub(crate) fn raise_floor(&mut self, seq: CommitSeq) {
        self.floor = self.floor.max(seq);
        self.prune();
    }

    fn prune(&mut self) {
        let oldest = self.active.first().map(|(seq, _)| *seq);
        while let Some((seq, run)) = self.commits.front() {
            let is_wanted = *seq > self.floor && oldest.is_some_and(|oldest| *seq > oldest);
            if is_wanted && self.bytes <= self.bytes_max {
                return;
            }
            self.floor = self.floor.max(*seq);
            self.bytes -= run.as_bytes().len();
            self.commits.pop_front();
        }
    }

    /// The commits after a snapshot, newest first; `None` where they are not all known.
    pub(crate) fn since(&self, snapshot: CommitSeq) -> Option<impl Iterator<Item = &Run>> {
        (snapshot >= self.floor)
            .then(|| self.commits.iter().rev().take_while(move |(seq, _)| *seq > snapshot).map(|(_, run)| run))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn seq(n: u64) -> CommitSeq {
        CommitSeq::new(n)
    }

    #[test]
    fn commits_are_kept_as_long_as_a_transaction_may_ask_for_them() {
        let mut recent = Recent::new(seq(5), 1 << 20);
        recent.enter(seq(5));
        recent.push(seq(6), Run::empty());
        recent.enter(seq(6));
        recent.push(seq(7), Run::empty());
        assert_eq!(recent.since(seq(5)).unwrap().count(), 2);
        assert_eq!(recent.since(seq(6)).unwrap().count(), 1);
        recent.leave(seq(5));
        assert!(recent.since(seq(5)).is_none());
        assert_eq!(recent.since(seq(6)).unwrap().count(), 1);
        recent.leave(seq(6));
        assert_eq!(recent.since(seq(7)).unwrap().count(), 0);
    }

    #[test]
    fn beyond_the_bound_old_transactions_must_run_again() {
        let mut recent = Recent::new(seq(0), 10);
        recent.enter(seq(0));
        for n in 1..9 {
            recent.push(seq(n), Run::empty());
        }
        assert!(recent.since(seq(0)).is_none());
        assert!(recent.since(seq(8)).is_some());
    }
}
