//! The manifest: which segments there are, and up to which commit they hold everything.
//!
//! Not the catalog of collections: those are ordinary keys; their present state is carried along in `pinned`, because
//! opening must not read blocks.
//!
//! Invariants: levels after the first hold segments with disjoint, ascending ranges; a manifest changes only by a
//! guarded write that compares the whole old one, so `generation` counts without gaps. A segment id begins with the
//! generation at which its writer started, and a writer publishes only while that generation lasts: so blocks of an
//! older generation that no manifest names are nobody's, and may be deleted.

use super::format::{FORMAT, Format};
use super::frame::{self, Checksum, DatabaseId, Kind, Place};
use super::packed;
use super::run::Run;
use crate::error::{Error, Result};
use crate::storage::{CommitSeq, NameRange};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// The name of a segment: the manifest's generation when its writer started (8 bytes), and 8 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SegmentId(pub(crate) [u8; 16]);

impl SegmentId {
    pub(crate) fn new(generation: u64, random: [u8; 8]) -> Self {
        let mut id = [0; 16];
        let (front, back) = id.split_at_mut(8);
        front.copy_from_slice(&generation.to_be_bytes());
        back.copy_from_slice(&random);
        SegmentId(id)
    }

    /// The name of one of its extents in the store.
    pub(crate) fn extent_name(self, extent: u32) -> [u8; 20] {
        self.part_name(extent)
    }

    /// Where the frame of one of its blocks belongs.
    pub(crate) fn block_name(self, block: u32) -> [u8; 20] {
        self.part_name(block)
    }

    fn part_name(self, part: u32) -> [u8; 20] {
        let mut name = [0; 20];
        let (id, number) = name.split_at_mut(16);
        id.copy_from_slice(&self.0);
        number.copy_from_slice(&part.to_be_bytes());
        name
    }

    /// The names of all its extents.
    pub(crate) fn names(self) -> NameRange {
        let mut end = self.0.to_vec();
        end.extend_from_slice(&[0xff; 5]);
        NameRange { start: self.0.to_vec(), end: Some(end) }
    }
}

/// Where a block is, and how to know that it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRef {
    /// Its number in the segment.
    pub block: u32,
    /// The number of the extent that it stands in.
    pub extent: u32,
    /// Where it begins there.
    pub offset: u32,
    /// Bytes as stored.
    pub bytes: u32,
    /// Its frame's checksum.
    pub checksum: Checksum,
}

/// What the manifest says of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentMeta {
    /// Its name.
    pub id: SegmentId,
    /// Its least key.
    pub first: Vec<u8>,
    /// Its greatest key.
    pub last: Vec<u8>,
    /// Entries, tombstones included.
    pub entries: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Bytes of all its extents as stored.
    pub bytes: u64,
    /// Its index: alone in an extent.
    pub index: BlockRef,
}

/// A segment that is out of use, kept for the snapshots of other contexts until its time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// Which.
    pub id: SegmentId,
    /// Wall time of its retirement, ms.
    pub at_ms: i64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// First, for ever.
    pub format: Format,
    /// Counts the changes of the manifest.
    pub generation: u64,
    /// Segments hold every commit up to this one.
    pub checkpoint: CommitSeq,
    /// The checksum of that commit's record; 0 for none.
    pub checkpoint_record: Checksum,
    /// Level 0: newest first, ranges may overlap. Deeper levels: ascending and disjoint.
    pub levels: Vec<Vec<Rc<SegmentMeta>>>,
    /// Out of use, to be deleted.
    pub retired: Vec<Retired>,
    /// The resident part of the key space (catalog), as of the checkpoint: a packed run.
    pub pinned: Vec<u8>,
}

impl Manifest {
    /// Of a database without segments.
    #[must_use]
    pub fn empty() -> Self {
        Manifest {
            format: FORMAT,
            generation: 0,
            checkpoint: CommitSeq::ZERO,
            checkpoint_record: 0,
            levels: Vec::new(),
            retired: Vec::new(),
            pinned: packed::packed(&Run::empty()),
        }
    }

    const fn place(database: DatabaseId) -> Place<'static> {
        Place { database, kind: Kind::Manifest, name: b"manifest" }
    }

    /// The stored form.
    ///
    /// # Errors
    /// `internal` when it cannot be encoded: a bug.
    pub(crate) fn encode(&self, database: DatabaseId) -> Result<Vec<u8>> {
        let payload = postcard::to_allocvec(self).map_err(|_| Error::internal("the manifest cannot be encoded"))?;
        Ok(frame::seal(Manifest::place(database), &payload).0)
    }

    /// # Errors
    /// `corrupt` when damaged or out of order, `unsupported` when it needs a newer reader.
    pub(crate) fn decode(database: DatabaseId, bytes: &[u8]) -> Result<Self> {
        let (payload, _) = frame::open(Manifest::place(database), bytes)?;
        let malformed = || Error::corrupt("the manifest is malformed");
        let (format, _) = postcard::take_from_bytes::<Format>(&payload).map_err(|_| malformed())?;
        format.check_readable()?;
        let manifest: Manifest = postcard::from_bytes(&payload).map_err(|_| malformed())?;
        if manifest.is_ordered() { Ok(manifest) } else { Err(malformed()) }
    }

    fn is_ordered(&self) -> bool {
        let whole = self.segments().all(|segment| segment.first <= segment.last);
        let disjoint = self
            .levels
            .iter()
            .skip(1)
            .all(|level| level.iter().zip(level.iter().skip(1)).all(|(left, right)| left.last < right.first));
        whole && disjoint
    }

    /// Every segment in use.
    pub fn segments(&self) -> impl Iterator<Item = &Rc<SegmentMeta>> {
        self.levels.iter().flatten()
    }

    /// Bytes of all segments in use, as stored.
    #[must_use]
    pub fn segment_bytes(&self) -> u64 {
        self.segments().map(|segment| segment.bytes).sum()
    }
}
