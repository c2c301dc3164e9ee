//! Writes one record to the log, and finds out what became of it.
//!
//! Not the choice of what goes into a record (`commit.rs`).
//!
//! Invariant: a record is tried again only under the same guard, so it can take effect at most once; before anything
//! is said of a record whose answer was lost, the log is read.

use super::record::Record;
use super::run::Run;
use super::space::Squeeze;
use super::{CommitEvent, Inner, State, recovery};
use crate::engine::format::Head;
use crate::engine::frame::Checksum;
use crate::error::{Error, Result};
use crate::planted::{Bug, planted};
use crate::storage::{Append, Applied, Batch, CommitSeq, Durability, Failure, Outcome, Storage, StorageError, Store};
use std::rc::Rc;

/// How often a failed call is made again.
pub(super) const ATTEMPTS: u32 = 3;

/// How long to wait before the attempt with this number.
pub(super) const fn backoff_ms(attempt: u32) -> u32 {
    4 << attempt
}

/// Whether the same call may succeed a moment later.
pub(super) const fn may_help(failure: Failure) -> bool {
    matches!(failure, Failure::Aborted | Failure::ConnectionLost | Failure::Timeout | Failure::Unavailable)
}

/// What became of a record.
pub(super) enum Written {
    /// It is in the log, and survives this.
    Committed(CommitSeq, Durability),
    /// Another context was first; this one has caught up, and the record is not in the log.
    Overtaken,
}

impl<S: Storage> Inner<S> {
    /// Appends what a group of commits wrote.
    pub(super) async fn write(&self, run: Run, durability: Durability) -> Result<Written> {
        let state = self.state();
        state.head.format.check_writable()?;
        if state.head.seq >= CommitSeq::MAX {
            return Err(Error::limit("the log has no commit numbers left"));
        }
        let record = Record {
            seq: state.head.seq.next(),
            id: self.random_id(),
            previous: state.head.record,
            time: self.env.now(),
            run,
        };
        self.in_flight.set(Some(record.id));
        self.found.set(None);
        let written = self.write_record(&state, &record, durability).await;
        self.in_flight.set(None);
        written
    }

    async fn write_record(&self, state: &State, record: &Record, durability: Durability) -> Result<Written> {
        let (stored, checksum) = record.encode(state.head.database);
        self.log_bytes.set(self.log_bytes.get() + stored.bytes.len());
        let head = Head { seq: record.seq, record: checksum, ..state.head.clone() };
        let append = Append {
            expected_head: Some(state.head_bytes.clone()),
            head: head.encode(),
            record: stored,
            durability: if planted(Bug::StrictIgnored) { Durability::Relaxed } else { durability },
        };
        let mut doubt: Option<StorageError> = None;
        let mut squeeze = Squeeze::new();
        let mut attempt = 0;
        loop {
            let error = match self.call(self.storage.append(append.clone())).await {
                Ok(Applied::Done) => {
                    if durability == Durability::Strict {
                        self.durable.set(self.durable.get().max(record.seq));
                    }
                    self.publish(record, head, append.head, checksum);
                    return Ok(Written::Committed(record.seq, durability));
                }
                Ok(Applied::Refused) => return self.after_refusal(state, doubt, durability).await,
                Err(error) => error,
            };
            if error.outcome == Outcome::Unknown {
                doubt = Some(error.clone());
                if planted(Bug::UnknownTakenAsCommitted) {
                    self.publish(record, head, append.head, checksum);
                    return Ok(Written::Committed(record.seq, durability));
                }
            }
            if error.failure == Failure::Quota && squeeze.has_made_room(self, &record.run).await {
                // Once more.
            } else if attempt < ATTEMPTS && may_help(error.failure) {
                attempt += 1;
                self.env.sleep(backoff_ms(attempt)).await;
            } else {
                return self.give_up(error, doubt, durability).await;
            }
        }
    }

    /// The head was not the expected one: either another context was first, or an earlier attempt of ours took effect.
    async fn after_refusal(
        &self,
        before: &State,
        doubt: Option<StorageError>,
        durability: Durability,
    ) -> Result<Written> {
        if let Err(error) = self.catch_up().await {
            return Err(match doubt {
                Some(doubt) => Error::from(doubt),
                None => error.with_detail("outcome", "not committed"),
            });
        }
        match (self.found.get(), doubt) {
            (Some(seq), _) if !planted(Bug::RetryWithoutLookup) => Ok(self.found_in_log(seq, durability).await),
            // Another context trimmed the log meanwhile: an earlier attempt may lie in what was trimmed.
            (None, Some(doubt)) if self.recent.borrow().since(before.head.seq).is_none() => Err(in_doubt(doubt)),
            _ => Ok(Written::Overtaken),
        }
    }

    async fn give_up(
        &self,
        last: StorageError,
        doubt: Option<StorageError>,
        durability: Durability,
    ) -> Result<Written> {
        if last.failure == Failure::Quota {
            self.note_full();
        }
        let Some(doubt) = doubt else {
            return Err(last.into());
        };
        if self.catch_up().await.is_ok()
            && let Some(seq) = self.found.get()
        {
            return Ok(self.found_in_log(seq, durability).await);
        }
        Err(in_doubt(doubt))
    }

    /// A record whose answer was lost is there. That it was to be strict says nothing of whether it was flushed, so it
    /// is flushed again, or the answer says that it is not.
    async fn found_in_log(&self, seq: CommitSeq, durability: Durability) -> Written {
        if durability == Durability::Strict && !self.flush(seq).await {
            return Written::Committed(seq, Durability::Relaxed);
        }
        Written::Committed(seq, durability)
    }

    /// Makes what is stored up to this commit survive power loss, by one more strict write. Answers whether it does.
    pub(super) async fn flush(&self, upto: CommitSeq) -> bool {
        let puts = vec![recovery::identity(Store::Main, self.state().head.database)];
        let batch = Batch { puts, durability: Durability::Strict, ..Batch::default() };
        for attempt in 1..=ATTEMPTS {
            match self.call(self.storage.apply(batch.clone())).await {
                Ok(_) => {
                    self.durable.set(self.durable.get().max(upto));
                    return true;
                }
                Err(error) if may_help(error.failure) => self.env.sleep(backoff_ms(attempt)).await,
                Err(_) => return false,
            }
        }
        false
    }

    /// Makes a record that is in the log visible here.
    pub(super) fn publish(&self, record: &Record, head: Head, head_bytes: Vec<u8>, checksum: Checksum) {
        let state = self.state();
        let is_own = self.in_flight.get() == Some(record.id);
        self.busy_ms.set(self.env.monotonic_ms());
        if is_own {
            self.found.set(Some(record.seq));
        }
        if record.seq <= state.head.seq {
            return;
        }
        debug_assert_eq!(head.record, checksum);
        let mut next = state.duplicate();
        next.head = head;
        next.head_bytes = head_bytes;
        next.memtable.push(record.run.clone());
        *self.state.borrow_mut() = Rc::new(next);
        self.note_deletions(&record.run);
        self.recent.borrow_mut().push(record.seq, record.run.clone());
        self.notify(&CommitEvent { seq: record.seq, is_own, run: Some(record.run.clone()) });
    }
}

fn in_doubt(doubt: StorageError) -> Error {
    Error::from(doubt).with_hint("the commit may or may not have taken effect: read before writing it again")
}
