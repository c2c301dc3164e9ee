//! A log record: one group of commits that went to disk together.
//!
//! Not a single user transaction: those that waited at the same time share a record, and so a commit number.
//!
//! Invariant: each record names the checksum of the one before, so a record that is missing, old or from another line
//! of history breaks the chain that ends in the head.

use super::format::log_name;
use super::frame::{self, Checksum, DatabaseId, Kind, Place};
use super::packed;
use super::run::Run;
use super::unpacked;
use crate::bytes::Reader;
use crate::env::Timestamp;
use crate::error::{Error, Result};
use crate::storage::{CommitSeq, LogRecord};

/// Random, one for each attempt to write a group: finds the record again when its answer was lost.
pub type CommitId = [u8; 16];

/// See the module. Layout: u64 checksum of the record before, 16 bytes id, i64 wall time in ms, then the run, packed (`packed.rs`).
#[derive(Clone, Debug)]
pub struct Record {
    /// Which commit.
    pub seq: CommitSeq,
    /// Which attempt.
    pub id: CommitId,
    /// The checksum of the record before; 0 before the first.
    pub previous: Checksum,
    /// Wall time, for people.
    pub time: Timestamp,
    /// What it wrote.
    pub run: Run,
}

impl Record {
    /// The stored form, and its checksum.
    pub(crate) fn encode(&self, database: DatabaseId) -> (LogRecord, Checksum) {
        let mut payload = Vec::with_capacity(32 + self.run.as_bytes().len());
        payload.extend_from_slice(&self.previous.to_le_bytes());
        payload.extend_from_slice(&self.id);
        payload.extend_from_slice(&self.time.as_ms().to_le_bytes());
        packed::pack(&self.run, &mut payload);
        let place = Place { database, kind: Kind::Log, name: &log_name(self.seq) };
        let (bytes, checksum) = frame::seal(place, &payload);
        (LogRecord { seq: self.seq, bytes }, checksum)
    }

    /// # Errors
    /// `corrupt` with the commit's number, when damaged.
    pub(crate) fn decode(database: DatabaseId, stored: &LogRecord) -> Result<(Self, Checksum)> {
        let place = Place { database, kind: Kind::Log, name: &log_name(stored.seq) };
        let named = |error: Error| error.context(format!("commit {}", stored.seq)).with_detail("seq", stored.seq);
        let (payload, checksum) = frame::open(place, &stored.bytes).map_err(named)?;
        let mut reader = Reader::new(&payload);
        let fields = (|| Some((reader.u64()?, reader.array()?, reader.array()?)))();
        let Some((previous, id, time)) = fields else {
            return Err(named(Error::corrupt("a log record is malformed")));
        };
        let run = unpacked::unpack(reader.rest()).map_err(named)?;
        let time = Timestamp::from_ms(i64::from_le_bytes(time));
        Ok((Record { seq: stored.seq, id, previous, time, run }, checksum))
    }
}
