//! What the stored bytes mean: the specification of the on-disk format.
//!
//! # The key space
//!
//! Everything is key -> bytes in one ordered space; the first byte says what:
//!
//! | key | value |
//! | --- | --- |
//! | `01` ...                                            | catalog: see `engine/catalog.rs`; kept resident |
//! | `10` collection (u32, highest byte first) primary key | a document, as a row (`value/row.rs`) |
//! | `20` collection index (u32 each) values, primary key  | an index entry (`engine/index.rs`) |
//!
//! # Where it lies
//!
//! | storage | name | frame ([`super::frame`]) |
//! | --- | --- | --- |
//! | register head     |                                  | [`Head`] |
//! | register manifest |                                  | [`super::manifest::Manifest`] |
//! | log               | commit number                    | [`super::record::Record`]: one group of commits |
//! | store main        | segment id (16 bytes), extent number (u32, highest byte first) | an extent: frames one behind the other, each a block: a run in its stored form ([`super::packed`]); or the segment's index ([`super::segment`]) |
//!
//! The checksum of a block's frame is bound to segment id and block number, not to the extent that it stands in.
//!
//! # Versions
//!
//! [`Format`] stands first in the head and in the manifest. A reader older than `min_reader` refuses to open
//! (`unsupported`); a writer older than `min_writer` may only read. Since every commit compares the whole head, a
//! context that opened before an upgrade cannot write behind its back. IndexedDB's own version stays 1 for ever.
//!
//! Invariant: bytes change only together with [`FORMAT`] and the golden files of the tests.

use super::frame::{self, Checksum, DatabaseId, Kind, Place};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::CommitSeq;
use serde::{Deserialize, Serialize};

/// The first byte of catalog keys.
pub const SPACE_CATALOG: u8 = 0x01;
/// The first byte of documents.
pub const SPACE_DOCUMENT: u8 = 0x10;
/// The first byte of index entries.
pub const SPACE_INDEX: u8 = 0x20;

/// The versions of a database's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// The format of what is written.
    pub format: u16,
    /// The oldest version of the format that a reader must know.
    pub min_reader: u16,
    /// The oldest version of the format that a writer must know.
    pub min_writer: u16,
}

/// What this version of HyphaDB writes.
pub const FORMAT: Format = Format { format: 1, min_reader: 1, min_writer: 1 };

impl Format {
    /// # Errors
    /// `unsupported` when this version of HyphaDB cannot read it.
    pub fn check_readable(self) -> Result<()> {
        if self.min_reader <= FORMAT.format {
            return Ok(());
        }
        Err(self.newer("read"))
    }

    /// # Errors
    /// `unsupported` when this version of HyphaDB may only read it.
    pub fn check_writable(self) -> Result<()> {
        if self.min_writer <= FORMAT.format {
            return Ok(());
        }
        Err(self.newer("written"))
    }

    fn newer(self, what: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "the database has format {}, which cannot be {what} by this version (format {})",
                self.format, FORMAT.format
            ),
        )
        .with_hint("reload the page or redeploy, so that every context runs the newer version of hyphadb")
    }
}

/// The head register: who the database is, and its newest commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// First, for ever.
    pub format: Format,
    /// Made once.
    pub database: DatabaseId,
    /// Made anew whenever the database is cloned or restored, so that two lines of history never look the same.
    pub incarnation: [u8; 16],
    /// The newest commit.
    pub seq: CommitSeq,
    /// The checksum of the newest commit's record; 0 before the first.
    pub record: Checksum,
}

const HEAD_PLACE: Place<'_> = Place { database: DatabaseId([0; 16]), kind: Kind::Head, name: b"head" };

impl Head {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // A struct of integers and arrays always encodes into a vector.
        let payload = postcard::to_allocvec(self).unwrap_or_default();
        frame::seal(HEAD_PLACE, &payload).0
    }

    /// # Errors
    /// `corrupt` when damaged, `unsupported` when it needs a newer reader.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (payload, _) = frame::open(HEAD_PLACE, bytes)?;
        let malformed = || Error::corrupt("the head is malformed");
        let (format, _) = postcard::take_from_bytes::<Format>(&payload).map_err(|_| malformed())?;
        format.check_readable()?;
        postcard::from_bytes(&payload).map_err(|_| malformed())
    }
}

/// The name of a log record's place.
pub(crate) fn log_name(seq: CommitSeq) -> [u8; 8] {
    seq.get().to_be_bytes()
}
