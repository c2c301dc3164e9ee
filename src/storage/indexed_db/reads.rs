//! What the reading calls do inside their transactions. [JS]
//!
//! Not where a transaction begins or ends: that is `transaction`. Each function issues requests and says what comes
//! after them.

use super::super::{CommitSeq, LogRecord, Register, Tail};
use super::LOG;
use super::layout::{self, Region};
use super::transaction::{Objects, Step};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbObjectStore, IdbRequest};

/// Above this many log values, and where they are small, one `getAll` is cheaper than a `get` for each.
const GETS_MAX: usize = 8;

/// Values that one `getAll` brings at most: bounds the memory of one answer.
const GET_ALL_MAX: usize = 256;

pub(super) fn get_named(
    objects: &Objects,
    object: &str,
    names: &[Vec<u8>],
) -> Result<Step<Vec<Option<Vec<u8>>>>, JsValue> {
    let store = objects.store(object)?;
    let mut requests = Vec::with_capacity(names.len());
    for name in names {
        requests.push(store.get(&Uint8Array::from(name.as_slice()))?);
    }
    Ok(Step::after(requests, |_, results| Ok(Step::Answer(results.iter().map(layout::bytes_of).collect()))))
}

/// First the registers and the keys of the records, then the records: both in one transaction, so in one state.
pub(super) fn read_log(objects: &Objects, after: Option<CommitSeq>, manifest: bool) -> Result<Step<Tail>, JsValue> {
    let log = objects.store(LOG)?;
    let region = Region::after(after);
    let mut requests =
        vec![log.get_all_keys_with_key(&region.keys()?)?, log.get(&layout::register_key(Register::Head, 0))?];
    if manifest {
        requests.push(log.get(&layout::register_key(Register::Manifest, 0))?);
    }
    Ok(Step::after(requests, move |objects, results| {
        let mut results = results.into_iter();
        let keys = layout::record_keys(&results.next().unwrap_or_default());
        let head = results.next().unwrap_or_default();
        let manifest = results.next().unwrap_or_default();
        read_values(objects, keys, head, manifest)
    }))
}

fn read_values(objects: &Objects, keys: Vec<f64>, head: JsValue, manifest: JsValue) -> Result<Step<Tail>, JsValue> {
    let log = objects.store(LOG)?;
    let mut requests = layout::get_rest(&log, Register::Head, &head)?;
    let head_rest = requests.len();
    requests.extend(layout::get_rest(&log, Register::Manifest, &manifest)?);
    let manifest_rest = requests.len();
    let all = get_records(&log, &keys, &mut requests)?;
    let finish = move |results: Vec<JsValue>| {
        let (registers, records) = results.split_at_checked(manifest_rest).unwrap_or_default();
        let (head_more, manifest_more) = registers.split_at_checked(head_rest).unwrap_or_default();
        let tail = Tail {
            head: layout::join_register(&head, head_more),
            manifest: layout::join_register(&manifest, manifest_more),
            records: if all { records_of(&keys, &flatten(records)) } else { records_of(&keys, records) },
        };
        Ok(Step::Answer(tail))
    };
    if requests.is_empty() { finish(Vec::new()) } else { Ok(Step::after(requests, move |_, results| finish(results))) }
}

/// Asks for the values of these keys. True: with `getAll`, so that each result is a list.
fn get_records(log: &IdbObjectStore, keys: &[f64], requests: &mut Vec<IdbRequest>) -> Result<bool, JsValue> {
    let later_pieces = keys.iter().filter(|key| !layout::is_first_piece(**key)).count();
    // A record in several pieces is a big one: there a `get` for each piece is twice as fast as one `getAll`.
    if keys.len() <= GETS_MAX || later_pieces * 2 > keys.len() {
        for key in keys {
            requests.push(log.get(&JsValue::from_f64(*key))?);
        }
        return Ok(false);
    }
    for run in keys.chunks(GET_ALL_MAX) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            requests.push(log.get_all_with_key(&layout::number_keys(*first, *last)?)?);
        }
    }
    Ok(true)
}

/// What all keys of the log and the values of these keys say: the answer of [`read_log`], when both were read ahead.
pub(super) fn tail_of(keys: &Array, values: &Array) -> Tail {
    let register = |register| {
        let pieces: Vec<JsValue> = (0..layout::PIECES_MAX)
            .map(|piece| keys.index_of(&layout::register_key(register, piece), 0))
            .take_while(|place| *place >= 0)
            .map(|place| values.get(place.unsigned_abs()))
            .collect();
        pieces.split_first().and_then(|(first, rest)| layout::join_register(first, rest))
    };
    let numbers: Vec<f64> = keys.iter().map_while(|key| key.as_f64()).collect();
    let records: Vec<JsValue> = values.iter().take(numbers.len()).collect();
    Tail {
        head: register(Register::Head),
        manifest: register(Register::Manifest),
        records: records_of(&numbers, &records),
    }
}

fn flatten(lists: &[JsValue]) -> Vec<JsValue> {
    lists.iter().filter_map(|list| list.dyn_ref::<Array>()).flat_map(|list| list.iter()).collect()
}

fn records_of(keys: &[f64], values: &[JsValue]) -> Vec<LogRecord> {
    layout::join_records(keys.iter().copied().zip(values))
}
