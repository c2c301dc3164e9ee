//! What the calls of the storage do inside their transactions. [JS]
//!
//! Not where a transaction begins or ends: that is `transaction`. Each function issues requests and says what comes
//! after them.
//!
//! Invariant: what a call writes is issued in one step, after its guard was compared: a transaction that ends early has
//! written nothing.

use super::super::{Append, Applied, Batch, CommitSeq, LogRecord, NameRange, Register, Store, Tail};
use super::layout::{self, Region, record_key};
use super::transaction::{Objects, Step};
use super::{IndexedDbOptions, LOG};
use crate::planted::{Bug, planted};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbKeyRange, IdbObjectStore, IdbRequest};

/// Above this many log values, and where they are small, one `getAll` is cheaper than a `get` for each.
const GETS_MAX: usize = 8;

/// Values that one `getAll` brings at most: bounds the memory of one answer.
const GET_ALL_MAX: usize = 256;

/// The object stores that a batch touches; each once.
pub(super) fn scope_of<'a>(batch: &Batch, options: &'a IndexedDbOptions) -> Vec<&'a str> {
    let mut scope = Vec::with_capacity(2);
    if batch.expected_manifest.is_some() || batch.manifest.is_some() || batch.trim.is_some() {
        scope.push(LOG);
    }
    for store in Store::ALL {
        let deletes = batch.deletes.iter().any(|(touched, _)| *touched == store);
        if deletes || batch.puts.iter().any(|(touched, _, _)| *touched == store) {
            scope.push(options.store(store));
        }
    }
    scope
}

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

pub(super) fn append_record(
    objects: &Objects,
    append: &Append,
    pieces: Vec<Vec<u8>>,
) -> Result<Step<Applied>, JsValue> {
    let expected = append.expected_head.clone();
    let (seq, head) = (append.record.seq, append.head.clone());
    let log = objects.store(LOG)?;
    let guard = layout::get_register(&log, Register::Head, expected.as_deref())?;
    Ok(Step::after(guard, move |objects, results| {
        if !planted(Bug::HeadCheckDropped) && !layout::register_equals(&results, expected.as_deref()) {
            return Ok(Step::Answer(Applied::Refused));
        }
        let log = objects.store(LOG)?;
        layout::put_register(&log, Register::Head, &head)?;
        for (number, piece) in pieces.iter().enumerate() {
            log.put_with_key(&Uint8Array::from(piece.as_slice()), &record_key(seq, number))?;
        }
        Ok(Step::Commit(Applied::Done))
    }))
}

pub(super) fn apply_guarded(
    objects: &Objects,
    options: IndexedDbOptions,
    batch: Batch,
) -> Result<Step<Applied>, JsValue> {
    let Some(expected) = batch.expected_manifest.clone() else {
        return write_batch(objects, &options, &batch);
    };
    let log = objects.store(LOG)?;
    let guard = layout::get_register(&log, Register::Manifest, expected.as_deref())?;
    Ok(Step::after(guard, move |objects, results| {
        if !planted(Bug::ManifestCheckDropped) && !layout::register_equals(&results, expected.as_deref()) {
            return Ok(Step::Answer(Applied::Refused));
        }
        write_batch(objects, &options, &batch)
    }))
}

/// Issues every request of a batch at once: deletions stand before what is put.
fn write_batch(objects: &Objects, options: &IndexedDbOptions, batch: &Batch) -> Result<Step<Applied>, JsValue> {
    for (store, range) in &batch.deletes {
        if let Some(keys) = name_keys(range)? {
            objects.store(options.store(*store))?.delete(&keys)?;
        }
    }
    for (store, name, bytes) in &batch.puts {
        let name = Uint8Array::from(name.as_slice());
        objects.store(options.store(*store))?.put_with_key(&Uint8Array::from(bytes.as_slice()), &name)?;
    }
    if let Some(manifest) = &batch.manifest {
        layout::put_register(&objects.store(LOG)?, Register::Manifest, manifest)?;
    }
    if let Some(last) = batch.trim {
        objects.store(LOG)?.delete(&Region::up_to(last).keys()?)?;
    }
    Ok(Step::Commit(Applied::Done))
}

/// The keys of a range of names; none where the range is empty, which IndexedDB would refuse.
fn name_keys(range: &NameRange) -> Result<Option<JsValue>, JsValue> {
    let start = Uint8Array::from(range.start.as_slice());
    let keys = match &range.end {
        None => IdbKeyRange::lower_bound(&start)?,
        Some(end) if *end <= range.start => return Ok(None),
        Some(end) => {
            let end = Uint8Array::from(end.as_slice());
            IdbKeyRange::bound_with_lower_open_and_upper_open(&start, &end, false, true)?
        }
    };
    Ok(Some(keys.into()))
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

fn flatten(lists: &[JsValue]) -> Vec<JsValue> {
    lists.iter().filter_map(|list| list.dyn_ref::<Array>()).flat_map(|list| list.iter()).collect()
}

fn records_of(keys: &[f64], values: &[JsValue]) -> Vec<LogRecord> {
    layout::join_records(keys.iter().copied().zip(values))
}
