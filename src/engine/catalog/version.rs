//! Versions of collections: which one their documents are at, as programs count them.
//!
//! Not the version of the format: that is in `engine/format.rs`. What a version means, and how documents get from one to
//! the next, programs know; what each document is at stands in front of its row (`db/document.rs`).
//!
//! Invariants: a version only grows; a collection without a record is at version 1, and so are all of its documents; no
//! document is older than `oldest`; whoever writes a version writes the collection's record too, which every writer has
//! read.

use super::{CollectionId, Entry, damaged, to_bytes};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// The greatest version: documents have seven bits for it.
pub const VERSION_MAX: u32 = 128;

/// The version of a collection, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What documents are written as.
    pub current: u32,
    /// What the oldest of them may be.
    pub oldest: u32,
}

impl Default for Version {
    fn default() -> Self {
        Version::of_all(1)
    }
}

impl Version {
    /// That of a collection all of whose documents are at one version.
    #[must_use]
    pub const fn of_all(version: u32) -> Version {
        Version { current: version, oldest: version }
    }

    /// The entry of its record.
    #[must_use]
    pub fn record(&self, collection: CollectionId) -> Entry {
        (collection.part_key(super::KIND_VERSION, 0), to_bytes(self))
    }

    pub(super) fn decode(record: Option<&[u8]>) -> Result<Version> {
        let Some(record) = record else { return Ok(Version::default()) };
        let version: Version = postcard::from_bytes(record).map_err(|_| damaged("a version"))?;
        let is_one = (1..=version.current).contains(&version.oldest) && version.current <= VERSION_MAX;
        if is_one { Ok(version) } else { Err(damaged("a version")) }
    }
}
