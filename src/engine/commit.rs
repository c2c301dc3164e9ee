//! Group commit: the single write path.
//!
//! Commits that arrive while a record is being written wait and share the next one. There is no task in the
//! background: the first to come leads one group, and hands the lead to the next that waits.
//!
//! Invariants: a transaction is validated against every commit after its snapshot and against those before it in its
//! group; a group is one record, so it takes effect whole or not at all; each waiting commit gets exactly one answer.

use super::Inner;
use super::log::Written;
use super::memtable::Memtable;
use super::read_set::ReadSet;
use super::run::Run;
use super::transaction::{Active, Finished};
use super::waiter::{Ticket, Turn, Waiter};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::TRANSACTION_BYTES_MAX;
use crate::planted::{Bug, planted};
use crate::storage::{CommitSeq, Durability, Storage};
use std::collections::VecDeque;

/// A commit that other contexts overtook so often gives up: each time one of them went ahead, so this is load, or a
/// storage that refuses for no reason.
const OVERTAKEN_MAX: u32 = 10_000;

/// The answer of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The commit's number; the snapshot's for a transaction that wrote nothing.
    pub seq: CommitSeq,
    /// What it survives now.
    pub durability: Durability,
}

struct Pending<S: Storage> {
    snapshot: CommitSeq,
    reads: ReadSet,
    run: Run,
    durability: Durability,
    waiter: Waiter,
    overtaken: u32,
    /// Keeps the commits since the snapshot in memory until the validation is over.
    _active: Active<S>,
}

/// Commits that wait.
pub(super) struct Queue<S: Storage> {
    waiting: VecDeque<Pending<S>>,
    has_leader: bool,
}

impl<S: Storage> Default for Queue<S> {
    fn default() -> Self {
        Queue { waiting: VecDeque::new(), has_leader: false }
    }
}

impl<S: Storage> Queue<S> {
    /// Nobody leads any more: the next that waits takes over.
    fn hand_over(&mut self) {
        self.waiting.retain(|pending| pending.waiter.is_alive());
        self.has_leader = match self.waiting.front() {
            Some(next) => {
                next.waiter.lead();
                true
            }
            None => false,
        };
    }
}

/// Holds the lead; gives it up when dropped, also in the middle.
struct Lead<'a, S: Storage>(&'a Inner<S>);

impl<S: Storage> Drop for Lead<'_, S> {
    fn drop(&mut self) {
        self.0.queue.borrow_mut().hand_over();
    }
}

/// Waits in the queue; passes a lead on that it was given but did not take.
struct Waiting<'a, S: Storage> {
    inner: &'a Inner<S>,
    ticket: Ticket,
}

impl<S: Storage> Drop for Waiting<'_, S> {
    fn drop(&mut self) {
        if self.ticket.must_lead() {
            self.inner.queue.borrow_mut().hand_over();
        }
    }
}

impl<S: Storage> Inner<S> {
    pub(super) async fn commit(&self, finished: Finished<S>, durability: Durability) -> Result<Committed> {
        if finished.run.is_empty() {
            return Ok(Committed { seq: finished.snapshot, durability });
        }
        let (waiter, ticket) = Waiter::pair();
        let waiting = Waiting { inner: self, ticket };
        let must_lead = {
            let mut queue = self.queue.borrow_mut();
            queue.waiting.push_back(Pending {
                snapshot: finished.snapshot,
                reads: finished.reads,
                run: finished.run,
                durability,
                waiter,
                overtaken: 0,
                _active: finished.active,
            });
            !core::mem::replace(&mut queue.has_leader, true)
        };
        if !must_lead && let Turn::Answer(answer) = waiting.ticket.turn().await {
            return answer;
        }
        let _lead = Lead(self);
        loop {
            self.write_group().await;
            if let Some(answer) = waiting.ticket.take_answer() {
                return answer;
            }
        }
    }

    /// Validates and writes one group; whoever was overtaken waits for the next.
    async fn write_group(&self) {
        let group = self.take_group();
        let mut accepted: Vec<Pending<S>> = Vec::with_capacity(group.len());
        let mut written = Memtable::default();
        for pending in group {
            match self.validate(&pending, &written) {
                Ok(()) => {
                    written.push(pending.run.clone());
                    accepted.push(pending);
                }
                Err(error) => pending.waiter.answer(Err(error)),
            }
        }
        if accepted.is_empty() {
            return;
        }
        let durability = accepted.iter().map(|pending| pending.durability).max().unwrap_or_default();
        let result = match self.check_open() {
            Ok(()) => self.write(written.into_run(), durability).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(Written::Committed(seq, durability)) => {
                self.appends.set(self.appends.get() + 1);
                if accepted.len() > 1 {
                    self.grouped_commits.set(self.grouped_commits.get() + accepted.len() as u64);
                }
                for pending in &accepted {
                    pending.waiter.answer(Ok(Committed { seq, durability }));
                }
                self.relieve().await;
            }
            Ok(Written::Overtaken) => {
                for mut pending in accepted.into_iter().rev() {
                    pending.overtaken += 1;
                    if pending.overtaken < OVERTAKEN_MAX {
                        self.queue.borrow_mut().waiting.push_front(pending);
                    } else {
                        let error = Error::new(ErrorKind::Unavailable, "other contexts were always first");
                        pending.waiter.answer(Err(error.with_detail("outcome", "not committed")));
                    }
                }
            }
            Err(error) => accepted.iter().for_each(|pending| pending.waiter.answer(Err(error.clone()))),
        }
    }

    fn take_group(&self) -> Vec<Pending<S>> {
        let mut queue = self.queue.borrow_mut();
        let mut bytes = 0;
        let mut group = Vec::new();
        while let Some(pending) = queue.waiting.pop_front() {
            if !pending.waiter.is_alive() {
                continue;
            }
            bytes += pending.run.as_bytes().len();
            if bytes > TRANSACTION_BYTES_MAX && !group.is_empty() {
                queue.waiting.push_front(pending);
                break;
            }
            group.push(pending);
        }
        group
    }

    fn validate(&self, pending: &Pending<S>, accepted: &Memtable) -> Result<()> {
        if pending.reads.is_empty() || planted(Bug::ValidationSkipped) {
            return Ok(());
        }
        let conflict = |why: &str| Err(Error::new(ErrorKind::Conflict, why));
        let recent = self.recent.borrow();
        let Some(mut commits) = recent.since(pending.snapshot) else {
            return conflict("the transaction is too old to be validated");
        };
        if commits.any(|run| pending.reads.touched_by(run)) {
            return conflict("another transaction wrote what this one read");
        }
        if accepted.newest_first().any(|earlier| pending.reads.touched_by(earlier)) {
            return conflict("another transaction wrote what this one read");
        }
        Ok(())
    }
}
