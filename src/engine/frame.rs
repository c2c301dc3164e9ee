//! The envelope of every stored value: what it is, how long, and a checksum bound to where it belongs.
//!
//! Not encryption. The checksum finds damage (flipped, cut, swapped, stale, foreign values), not forgery.
//!
//! Layout: magic `Hy`, kind, frame version, flags, u32 raw length, payload, u64 checksum; integers lowest byte first.
//! The checksum is XXH3-64 over everything before it, seeded with the XXH3-64 of the *place*: database id, kind, and
//! the name of the value in its store. So a value that was moved to another place does not check.
//!
//! Invariant: the layout of version 1 never changes; every later version keeps the first five bytes.

use crate::error::{Error, ErrorKind, Result};
use crate::planted::{Bug, planted};
use core::fmt;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const MAGIC: [u8; 2] = *b"Hy";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 9;
const CHECKSUM_BYTES: usize = 8;
const FLAG_LZ4: u8 = 1;
/// Payloads under this length are not worth compressing.
const LZ4_MIN_BYTES: usize = 256;
/// A payload never says that it unpacks to more than this.
const RAW_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The identity of a database: random, made once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DatabaseId(pub(crate) [u8; 16]);

impl DatabaseId {
    /// Reads what [`fmt::Display`] shows: 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bits = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(DatabaseId(core::array::from_fn(|index| (bits >> (8 * (15 - index))) as u8)))
    }
}

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Head = 1,
    Manifest = 2,
    Log = 3,
    Block = 4,
    Index = 5,
}

/// Where a frame belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) database: DatabaseId,
    pub(crate) kind: Kind,
    pub(crate) name: &'a [u8],
}

impl Place<'_> {
    fn seed(&self) -> u64 {
        let mut bytes = Vec::with_capacity(17 + self.name.len());
        if !planted(Bug::ChecksumUnbound) {
            bytes.extend_from_slice(&self.database.0);
            bytes.push(self.kind as u8);
            bytes.extend_from_slice(self.name);
        }
        xxh3_64(&bytes)
    }

    fn damaged(&self, how: &str) -> Error {
        let what = match self.kind {
            Kind::Head => "the head".to_owned(),
            Kind::Manifest => "the manifest".to_owned(),
            Kind::Log => "a log record".to_owned(),
            Kind::Block | Kind::Index => format!("block `{}`", hex(self.name)),
        };
        Error::corrupt(format!("{what} {how}"))
    }
}

/// A frame's checksum: what refers to the frame keeps it, to tell an old version of a value from the right one.
pub(crate) type Checksum = u64;

/// Wraps a payload; compresses it where that saves at least an eighth.
pub(crate) fn seal(place: Place<'_>, payload: &[u8]) -> (Vec<u8>, Checksum) {
    let packed = (payload.len() >= LZ4_MIN_BYTES)
        .then(|| lz4_flex::block::compress(payload))
        .filter(|packed| packed.len() < payload.len() - payload.len() / 8);
    let body = packed.as_deref().unwrap_or(payload);
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[place.kind as u8, VERSION, if packed.is_some() { FLAG_LZ4 } else { 0 }]);
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(body);
    let checksum = xxh3_64_with_seed(&frame, place.seed());
    frame.extend_from_slice(&checksum.to_le_bytes());
    (frame, checksum)
}

/// Unwraps a frame that was stored at this place.
///
/// # Errors
/// `corrupt` when it is not a frame, was damaged, or belongs elsewhere; `unsupported` for a newer frame version.
pub(crate) fn open(place: Place<'_>, frame: &[u8]) -> Result<(Vec<u8>, Checksum)> {
    let Some((checked, checksum)) = frame.split_last_chunk::<CHECKSUM_BYTES>() else {
        return Err(place.damaged("is cut off"));
    };
    let Some((header, body)) = checked.split_first_chunk::<HEADER_BYTES>() else {
        return Err(place.damaged("is cut off"));
    };
    let [m0, m1, kind, version, flags, raw @ ..] = *header;
    if [m0, m1] != MAGIC {
        return Err(place.damaged("is not hyphadb's"));
    }
    if version > VERSION {
        return Err(Error::new(ErrorKind::Unsupported, format!("frame version {version} is newer than {VERSION}")));
    }
    let checksum = u64::from_le_bytes(*checksum);
    if xxh3_64_with_seed(checked, place.seed()) != checksum && !planted(Bug::ChecksumSkipped) {
        return Err(place.damaged("does not match its checksum"));
    }
    let raw = u32::from_le_bytes(raw) as usize;
    if kind != place.kind as u8 || flags > FLAG_LZ4 || raw > RAW_BYTES_MAX {
        return Err(place.damaged("has a malformed header"));
    }
    let payload = if flags & FLAG_LZ4 == 0 {
        body.to_vec()
    } else {
        lz4_flex::block::decompress(body, raw).map_err(|_| place.damaged("cannot be unpacked"))?
    };
    if payload.len() != raw {
        return Err(place.damaged("has the wrong length"));
    }
    Ok((payload, checksum))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { database: DatabaseId([7; 16]), kind: Kind::Block, name: b"n1" };

    #[test]
    fn what_was_sealed_opens_at_its_place_alone() {
        for payload in [&b""[..], b"abc", &[9; 10_000]] {
            let (frame, checksum) = seal(PLACE, payload);
            assert_eq!(open(PLACE, &frame).unwrap(), (payload.to_vec(), checksum));
            for other in [
                Place { name: b"n2", ..PLACE },
                Place { kind: Kind::Index, ..PLACE },
                Place { database: DatabaseId([8; 16]), ..PLACE },
            ] {
                assert_eq!(open(other, &frame).unwrap_err().kind(), ErrorKind::Corrupt);
            }
        }
    }

    #[test]
    fn a_database_id_reads_back_as_it_is_shown() {
        let id = DatabaseId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(DatabaseId::parse(&id.to_string()), Some(id));
        assert_eq!(DatabaseId::parse("+00102030405060708090a0b0c0d0eff"), None);
        assert_eq!(DatabaseId::parse("00"), None);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let payload: Vec<u8> = (0..600u32).map(|i| (i % 7) as u8).collect();
        let (frame, _) = seal(PLACE, &payload);
        assert!(frame.len() < payload.len(), "the payload was compressed");
        for len in 0..frame.len() {
            assert!(open(PLACE, &frame[..len]).is_err());
        }
        for at in 0..frame.len() {
            for bit in 0..8 {
                let mut flipped = frame.clone();
                flipped[at] ^= 1 << bit;
                assert!(open(PLACE, &flipped).is_err(), "byte {at} bit {bit}");
            }
        }
    }
}
