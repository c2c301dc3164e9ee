//! Follows the commits of other contexts.
//!
//! Not a subscription: something else (a broadcast, a refused append) says that there may be news; this reads the log.
//!
//! Invariants: records become visible in order, each once; a database that was wiped, replaced or rolled back under
//! this engine latches it with `lost`, and nothing is ever written on top.

use super::format::Head;
use super::record::Record;
use super::recovery::{self, Loaded};
use super::{CommitEvent, Inner};
use crate::engine::frame::Checksum;
use crate::error::{Error, ErrorKind, Result};
use crate::planted::{Bug, planted};
use crate::storage::{Storage, Tail};
use std::rc::Rc;

impl<S: Storage> Inner<S> {
    /// Reads the log's new records and makes them visible; answers whether there were any.
    pub(super) async fn catch_up(&self) -> Result<bool> {
        let before = self.state();
        let known = before.head.seq;
        let tail = self.read(async || self.storage.read_log(Some(known), false).await).await?;
        let head = self.same_database(&tail, &before.head)?;
        if head.seq <= self.state().head.seq {
            self.adopt_head(head, &tail);
            return Ok(false);
        }
        let Some(records) = self.following(&before.head, &head, &tail)? else {
            return self.reload().await;
        };
        let skip = usize::from(planted(Bug::CatchUpSkipsOne));
        for (record, checksum) in records.into_iter().skip(skip) {
            let state = self.state();
            if record.seq <= state.head.seq {
                continue;
            }
            let at_record = Head { seq: record.seq, record: checksum, ..head.clone() };
            let bytes = if record.seq == head.seq { tail.head.clone().unwrap_or_default() } else { at_record.encode() };
            self.publish(&record, at_record, bytes, checksum);
        }
        Ok(true)
    }

    /// The same commit under another head: the format was upgraded by a newer context.
    fn adopt_head(&self, head: Head, tail: &Tail) {
        let state = self.state();
        if let Some(bytes) =
            tail.head.as_ref().filter(|bytes| head.seq == state.head.seq && **bytes != state.head_bytes)
        {
            let mut next = state.duplicate();
            next.head_bytes.clone_from(bytes);
            next.head = head;
            *self.state.borrow_mut() = Rc::new(next);
        }
    }

    /// The head, if it belongs to the same line of history.
    fn same_database(&self, tail: &Tail, known: &Head) -> Result<Head> {
        let lost = |what: &str| self.latch(Error::new(ErrorKind::Lost, what.to_owned()));
        let Some(bytes) = &tail.head else {
            return Err(lost("the database was wiped while it was open"));
        };
        let head = Head::decode(bytes)?;
        if head.database != known.database || head.incarnation != known.incarnation {
            return Err(lost("the database was replaced by another one while it was open"));
        }
        let is_rewritten = head.seq == known.seq && head.record != known.record;
        if head.seq < known.seq || is_rewritten {
            return Err(lost("the database was rolled back to an earlier state while it was open"));
        }
        Ok(head)
    }

    /// The records between two heads; `None` where some were trimmed already and only the segments have them.
    fn following(&self, known: &Head, head: &Head, tail: &Tail) -> Result<Option<Vec<(Record, Checksum)>>> {
        let mut records = Vec::with_capacity(tail.records.len());
        let (mut seq, mut previous) = (known.seq, known.record);
        for stored in &tail.records {
            if stored.seq != seq.next() {
                return Ok(None);
            }
            let (record, checksum) = Record::decode(head.database, stored)?;
            if record.previous != previous {
                return Err(Error::corrupt(format!("commit {} does not follow the one before", record.seq)));
            }
            (seq, previous) = (record.seq, checksum);
            self.log_bytes.set(self.log_bytes.get() + stored.bytes.len());
            records.push((record, checksum));
        }
        Ok((seq == head.seq && previous == head.record).then_some(records))
    }

    /// Takes everything anew from the storage: the manifest of another context, and the log after its checkpoint.
    pub(super) async fn reload(&self) -> Result<bool> {
        loop {
            let before = self.state();
            let tail = self.read(async || self.storage.read_log(None, true).await).await?;
            self.same_database(&tail, &before.head)?;
            let Some(loaded) = recovery::load(&tail)? else {
                return Err(Error::internal("a head without a state"));
            };
            // A commit of this engine may have taken effect while the storage was being read.
            if loaded.state.head.seq >= self.state().head.seq {
                return Ok(self.adopt(loaded));
            }
        }
    }

    fn adopt(&self, loaded: Loaded) -> bool {
        let known = self.state().head.seq;
        let seq = loaded.state.head.seq;
        let is_unbroken = loaded.state.manifest.checkpoint <= known;
        *self.state.borrow_mut() = Rc::new(loaded.state);
        let in_flight = self.in_flight.get();
        if is_unbroken {
            for (record, _) in loaded.records.into_iter().filter(|(record, _)| record.seq > known) {
                let is_own = in_flight == Some(record.id);
                if is_own {
                    self.found.set(Some(record.seq));
                }
                self.recent.borrow_mut().push(record.seq, record.run.clone());
                self.notify(&CommitEvent { seq: record.seq, is_own, run: Some(record.run) });
            }
        } else {
            for (record, _) in loaded.records.iter().filter(|(record, _)| in_flight == Some(record.id)) {
                self.found.set(Some(record.seq));
            }
            self.recent.borrow_mut().raise_floor(seq);
            self.notify(&CommitEvent { seq, is_own: false, run: None });
        }
        seq > known
    }
}
