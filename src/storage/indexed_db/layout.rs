//! Where bytes stand in the object store `log`: keys, pieces, registers. [JS]
//!
//! Not the format of what is stored: records and registers are opaque here. This is only how they are cut: a value of
//! 64 KiB or more is a file of its own in Chromium, which costs more than a smaller one and less than three of them; and
//! to delete a file is cheap, where LevelDB writes down what it deletes.
//!
//! Layout, in IndexedDB's order of keys:
//! - number `seq * 16 + piece`: a piece of the record of commit `seq`;
//! - string `head`, `manifest`: the first piece of a register; `head/1`, `manifest/1`, ... the others.
//!
//! The first piece of anything begins with the whole length as four bytes, little-endian. A later piece that is missing
//! therefore gives fewer bytes than were written, which the engine's checksum notices; without its first piece a record
//! is missing as a whole.

use super::super::{CommitSeq, Failure, LogRecord, Register, StorageError, StorageResult};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbKeyRange, IdbObjectStore, IdbRequest};

/// Bytes of one stored piece, header included: below Chromium's cliff, with room for its own header.
const PIECE_BYTES: usize = 60 * 1024;
/// A value of so many bytes or more is not cut. Measured in Chromium: 100 kB took 4.6 ms in two pieces and 5.2 ms in one,
/// 250 kB 11.3 and 6.3; to delete 12 MB took 65 ms and 10.
const WHOLE_FROM_BYTES: usize = 96 * 1024;
/// Bytes before the content of a first piece.
const HEADER_BYTES: usize = 4;
/// Pieces of one record or register at most.
pub(super) const PIECES_MAX: usize = 16;

const _: () = assert!(WHOLE_FROM_BYTES < PIECES_MAX * PIECE_BYTES);
// The last piece of the last commit is still an exact integer of JavaScript.
const _: () = assert!((CommitSeq::MAX.get() + 1) * (PIECES_MAX as u64) < 1 << 53);

/// A range of records of the log.
pub(super) struct Region {
    first: f64,
    last: f64,
}

impl Region {
    /// Every record after this commit; all of them for `None`.
    pub(super) fn after(seq: Option<CommitSeq>) -> Region {
        let first = seq.map_or(0, |seq| seq.get().saturating_add(1));
        Region { first: number(first, 0), last: number(CommitSeq::MAX.get(), PIECES_MAX - 1) }
    }

    /// Every record up to this commit, included.
    pub(super) fn up_to(seq: CommitSeq) -> Region {
        Region { first: 0.0, last: number(seq.get(), PIECES_MAX - 1) }
    }

    /// Its keys, for IndexedDB. A start behind the end is pulled back to it: IndexedDB refuses an empty range.
    pub(super) fn keys(&self) -> Result<JsValue, JsValue> {
        number_keys(self.first.min(self.last), self.last)
    }
}

/// The keys from `first` to `last`, both included.
pub(super) fn number_keys(first: f64, last: f64) -> Result<JsValue, JsValue> {
    Ok(IdbKeyRange::bound(&JsValue::from_f64(first), &JsValue::from_f64(last))?.into())
}

/// The key of a piece of a record.
pub(super) fn record_key(seq: CommitSeq, piece: usize) -> JsValue {
    JsValue::from_f64(number(seq.get(), piece))
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53, as asserted above")]
fn number(seq: u64, piece: usize) -> f64 {
    (seq.min(CommitSeq::MAX.get()) * PIECES_MAX as u64 + piece as u64) as f64
}

/// Whether a record begins at this key.
pub(super) fn is_first_piece(key: f64) -> bool {
    split_key(key).1 == 0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "keys are integers from 0 to 2^53")]
fn split_key(key: f64) -> (u64, u64) {
    let key = key as u64;
    (key / PIECES_MAX as u64, key % PIECES_MAX as u64)
}

/// The keys that a `getAllKeys` over a [`Region`] answered, ascending.
pub(super) fn record_keys(answer: &JsValue) -> Vec<f64> {
    let keys = answer.dyn_ref::<Array>().map(Array::iter);
    keys.into_iter().flatten().filter_map(|key| key.as_f64()).collect()
}

/// Cuts a record into the values to be stored.
///
/// # Errors
/// [`Failure::Quota`] when it is longer than 4 GiB, or its commit is beyond [`CommitSeq::MAX`].
pub(super) fn record_pieces(record: &LogRecord) -> StorageResult<Vec<Vec<u8>>> {
    if record.seq > CommitSeq::MAX {
        return Err(StorageError::not_applied(Failure::Quota, "the log has no room for more commits"));
    }
    cut(&record.bytes)
}

/// Whether a record is stored in small values.
pub(super) fn is_cut(record: &LogRecord) -> bool {
    record.bytes.len() < WHOLE_FROM_BYTES
}

/// Cuts a register's value into the values to be stored.
///
/// # Errors
/// As [`record_pieces`].
pub(super) fn cut(bytes: &[u8]) -> StorageResult<Vec<Vec<u8>>> {
    let Ok(length) = u32::try_from(bytes.len()) else {
        let message = format!("a value of {} bytes is too long for the log", bytes.len());
        return Err(StorageError::not_applied(Failure::Quota, message));
    };
    let is_whole = pieces_of(bytes.len()) == 1;
    let in_first = if is_whole { bytes.len() } else { PIECE_BYTES - HEADER_BYTES };
    let (start, rest) = bytes.split_at_checked(in_first).unwrap_or((bytes, &[]));
    let mut first = Vec::with_capacity(HEADER_BYTES + start.len());
    first.extend_from_slice(&length.to_le_bytes());
    first.extend_from_slice(start);
    let mut pieces = Vec::with_capacity(pieces_of(bytes.len()));
    pieces.push(first);
    pieces.extend(rest.chunks(PIECE_BYTES).map(<[u8]>::to_vec));
    Ok(pieces)
}

/// How many pieces a value of this length has.
fn pieces_of(len: usize) -> usize {
    if len >= WHOLE_FROM_BYTES {
        return 1;
    }
    (len.saturating_add(HEADER_BYTES)).div_ceil(PIECE_BYTES).max(1)
}

/// The bytes of a stored value; none where there is no value. What is not bytes comes back as none of them, so that the
/// engine sees damage, not absence.
pub(super) fn bytes_of(value: &JsValue) -> Option<Vec<u8>> {
    if value.is_undefined() {
        return None;
    }
    Some(value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default())
}

/// Puts the pieces of one value together: as many bytes as its first piece promises, or fewer where pieces are missing.
fn join<'a>(first: Option<&JsValue>, rest: impl Iterator<Item = &'a JsValue>) -> Vec<u8> {
    let first = first.and_then(bytes_of).unwrap_or_default();
    let (header, start) = first.split_first_chunk::<HEADER_BYTES>().map_or((None, &[][..]), |(h, s)| (Some(h), s));
    let mut bytes = start.to_vec();
    for value in rest {
        bytes.extend(bytes_of(value).unwrap_or_default());
    }
    let promised = header.map_or(0, |header| u32::from_le_bytes(*header) as usize);
    bytes.truncate(promised);
    bytes
}

/// Groups pieces, which stand in the order of their keys, into records. Pieces without their first are no record: they
/// are what a full disk left of an append that failed.
pub(super) fn join_records<'a>(pieces: impl Iterator<Item = (f64, &'a JsValue)>) -> Vec<LogRecord> {
    let mut records: Vec<LogRecord> = Vec::new();
    let mut group: Vec<(u64, &JsValue)> = Vec::new();
    let mut current = None;
    for (key, value) in pieces {
        let (seq, piece) = split_key(key);
        if current != Some(seq) {
            flush(&mut records, current, &mut group);
            current = Some(seq);
        }
        group.push((piece, value));
    }
    flush(&mut records, current, &mut group);
    records
}

fn flush(records: &mut Vec<LogRecord>, seq: Option<u64>, group: &mut Vec<(u64, &JsValue)>) {
    if let (Some(seq), Some(((0, first), rest))) = (seq, group.split_first()) {
        // Pieces of an older, longer value behind the promised end are cut off by `join`.
        let bytes = join(Some(first), rest.iter().map(|(_, value)| *value));
        records.push(LogRecord { seq: CommitSeq::new(seq), bytes });
    }
    group.clear();
}

/// The key of a piece of a register.
pub(super) fn register_key(register: Register, piece: usize) -> JsValue {
    let name = register_name(register);
    if piece == 0 { JsValue::from_str(name) } else { JsValue::from_str(&format!("{name}/{piece}")) }
}

const fn register_name(register: Register) -> &'static str {
    match register {
        Register::Head => "head",
        Register::Manifest => "manifest",
    }
}

/// Asks for as many pieces of a register as the expected value has.
pub(super) fn get_register(
    log: &IdbObjectStore,
    register: Register,
    expected: Option<&[u8]>,
) -> Result<Vec<IdbRequest>, JsValue> {
    let count = expected.map_or(1, |bytes| pieces_of(bytes.len()));
    (0..count.min(PIECES_MAX)).map(|piece| log.get(&register_key(register, piece))).collect()
}

/// Whether the answers to [`get_register`] are the expected value.
pub(super) fn register_equals(values: &[JsValue], expected: Option<&[u8]>) -> bool {
    let Some((first, rest)) = values.split_first() else {
        return false;
    };
    match expected {
        None => first.is_undefined(),
        Some(expected) => promised_bytes(first) == Some(expected.len()) && join(Some(first), rest.iter()) == expected,
    }
}

/// Asks for the pieces of a register behind its first.
pub(super) fn get_rest(log: &IdbObjectStore, register: Register, first: &JsValue) -> Result<Vec<IdbRequest>, JsValue> {
    let count = promised_bytes(first).map_or(1, pieces_of).min(PIECES_MAX);
    (1..count).map(|piece| log.get(&register_key(register, piece))).collect()
}

/// The value of a register from its first piece and the answers to [`get_rest`]; pieces behind its end do no harm.
pub(super) fn join_register(first: &JsValue, rest: &[JsValue]) -> Option<Vec<u8>> {
    if first.is_undefined() { None } else { Some(join(Some(first), rest.iter())) }
}

fn promised_bytes(first: &JsValue) -> Option<usize> {
    let array = first.dyn_ref::<Uint8Array>()?;
    let mut header = [0; HEADER_BYTES];
    if (array.length() as usize) < HEADER_BYTES {
        return None;
    }
    array.subarray(0, u32::try_from(HEADER_BYTES).ok()?).copy_to(&mut header);
    Some(u32::from_le_bytes(header) as usize)
}
