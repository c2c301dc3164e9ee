//! What the writing calls do inside their transactions. [JS]
//!
//! Not where a transaction begins or ends: that is `transaction`. A write is planned in whole before its transaction
//! begins; inside, its guard is compared and its requests are issued.
//!
//! # Why some browsers are asked stepwise
//!
//! Firefox keeps its databases in SQLite. When a request finds the disk full there, SQLite rolls the whole transaction
//! back by itself; the requests behind it, already on their way, then take effect one by one, outside of any
//! transaction, although the `abort` event comes in the end (seen in Firefox 153: a manifest without its blocks).
//! Therefore nothing that makes sense only together with earlier requests is issued before these have succeeded, except
//! where the browser is known to commit all or nothing: Chromium, which is spared the round trips.
//!
//! # Why writes take turns
//!
//! Chromium keeps an undo log of a transaction that reads after it has written, as a second put does by itself. Killed
//! while two such transactions of one database are under way, it asks at its next start for the locks of both, each for
//! itself alone; but they share that of the database. It takes this for corruption, and drops every database of the
//! origin (`LevelDBScopes::Initialize`, "Invalid locks on disk"; seen in Chromium 156). Transactions over different
//! object stores do run side by side. So all writes have one object store in common in their scopes.
//!
//! Invariants: in a stepwise plan, what any stage leaves behind when it fails in the middle is never read: it is values
//! that no manifest names and pieces without their first; the head and the manifest come after all that they speak of,
//! and the log is trimmed last.

use super::super::{Append, Applied, Batch, CommitSeq, NameRange, Register, StorageResult, Store};
use super::layout::{self, Region};
use super::transaction::{Objects, Step, from_exception};
use super::{IndexedDbOptions, LOG};
use crate::planted::{Bug, planted};
use js_sys::{Reflect, Uint8Array};
use std::vec::IntoIter;
use wasm_bindgen::JsValue;
use web_sys::{IdbKeyRange, IdbRequest};

/// The object store that every write has in its scope: the one that is read least.
pub(super) const TURNS: Store = Store::Backup;

/// How the requests of a write follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// All at once.
    Together,
    /// Each stage after the one before it has succeeded.
    Stepwise,
}

impl Pace {
    /// The pace that this browser can be trusted with.
    pub(super) fn of_this_browser() -> Pace {
        // `dataLoss` is a property that only Chromium's events have.
        let event = Reflect::get(&js_sys::global(), &JsValue::from_str("IDBVersionChangeEvent"));
        let prototype = event.and_then(|event| Reflect::get(&event, &JsValue::from_str("prototype")));
        let is_chromium = prototype.and_then(|prototype| Reflect::has(&prototype, &JsValue::from_str("dataLoss")));
        if is_chromium.unwrap_or(false) { Pace::Together } else { Pace::Stepwise }
    }
}

enum Request {
    Put { store: String, key: JsValue, bytes: Vec<u8> },
    Delete { store: String, keys: JsValue },
}

impl Request {
    fn issue(&self, objects: &Objects) -> Result<IdbRequest, JsValue> {
        match self {
            Request::Put { store, key, bytes } => {
                objects.store(store)?.put_with_key(&Uint8Array::from(bytes.as_slice()), key)
            }
            Request::Delete { store, keys } => objects.store(store)?.delete(keys),
        }
    }
}

struct Guard {
    register: Register,
    expected: Option<Vec<u8>>,
}

impl Guard {
    fn holds(&self, values: &[JsValue]) -> bool {
        let dropped = match self.register {
            Register::Head => Bug::HeadCheckDropped,
            Register::Manifest => Bug::ManifestCheckDropped,
        };
        planted(dropped) || layout::register_equals(values, self.expected.as_deref())
    }
}

/// A write, ready to go.
pub(super) struct Plan {
    guard: Option<Guard>,
    stages: Vec<Vec<Request>>,
    pace: Pace,
}

impl Plan {
    /// The plan of [`Storage::append`](super::Storage::append).
    pub(super) fn append(append: Append, pace: Pace) -> StorageResult<Plan> {
        let pieces = layout::record_pieces(&append.record)?;
        let seq = append.record.seq;
        let record = (0..).zip(pieces).map(|(number, bytes)| put_log(layout::record_key(seq, number), bytes)).collect();
        let mut stages = vec![record];
        put_register(&mut stages, Register::Head, &append.head)?;
        let guard = Some(Guard { register: Register::Head, expected: append.expected_head });
        Ok(Plan { guard, stages, pace }.in_stages())
    }

    /// The plan of [`Storage::apply`](super::Storage::apply).
    pub(super) fn batch(batch: Batch, options: &IndexedDbOptions, pace: Pace) -> StorageResult<Plan> {
        let mut stages = Vec::new();
        for (store, range) in &batch.deletes {
            if let Some(keys) = name_keys(range).map_err(|exception| from_exception(&exception))? {
                stages.push(vec![Request::Delete { store: options.store(*store).to_owned(), keys }]);
            }
        }
        let puts = batch.puts.into_iter().map(|(store, name, bytes)| {
            let key = Uint8Array::from(name.as_slice()).into();
            Request::Put { store: options.store(store).to_owned(), key, bytes }
        });
        stages.push(puts.collect());
        if let Some(manifest) = &batch.manifest {
            put_register(&mut stages, Register::Manifest, manifest)?;
        }
        if let Some(last) = batch.trim {
            stages.push(vec![trim(last).map_err(|exception| from_exception(&exception))?]);
        }
        let guard = batch.expected_manifest.map(|expected| Guard { register: Register::Manifest, expected });
        Ok(Plan { guard, stages, pace }.in_stages())
    }

    fn in_stages(mut self) -> Self {
        if self.pace == Pace::Together {
            self.stages = vec![self.stages.into_iter().flatten().collect()];
        }
        self.stages.retain(|stage| !stage.is_empty());
        self
    }
}

/// Compares the guard, then goes through the stages.
pub(super) fn write(objects: &Objects, plan: Plan) -> Result<Step<Applied>, JsValue> {
    let Plan { guard, stages, pace } = plan;
    let Some(guard) = guard else {
        return advance(objects, stages.into_iter());
    };
    let values = layout::get_register(&objects.store(LOG)?, guard.register, guard.expected.as_deref())?;
    if pace == Pace::Together {
        // The browser carries the requests out while it answers the guard's, and waits for the word to commit.
        issue(objects, stages.iter().flatten())?;
        return Ok(Step::after(values, move |_, values| {
            Ok(if guard.holds(&values) { Step::Commit(Applied::Done) } else { Step::Undo(Applied::Refused) })
        }));
    }
    Ok(Step::after(values, move |objects, values| {
        if guard.holds(&values) { advance(objects, stages.into_iter()) } else { Ok(Step::Answer(Applied::Refused)) }
    }))
}

fn issue<'a>(objects: &Objects, requests: impl Iterator<Item = &'a Request>) -> Result<Vec<IdbRequest>, JsValue> {
    requests.map(|request| request.issue(objects)).collect()
}

fn advance(objects: &Objects, mut stages: IntoIter<Vec<Request>>) -> Result<Step<Applied>, JsValue> {
    let stage = stages.next().unwrap_or_default();
    let requests = issue(objects, stage.iter())?;
    if stages.as_slice().is_empty() {
        return Ok(Step::Commit(Applied::Done));
    }
    Ok(Step::after(requests, move |objects, _| advance(objects, stages)))
}

fn put_log(key: JsValue, bytes: Vec<u8>) -> Request {
    Request::Put { store: LOG.to_owned(), key, bytes }
}

/// A register's first piece comes last: until then, the one that is there is read. Each piece is a stage of its own.
/// Pieces of a longer value before it stay, and are not read.
fn put_register(stages: &mut Vec<Vec<Request>>, register: Register, bytes: &[u8]) -> StorageResult<()> {
    for (number, piece) in (0..).zip(layout::cut(bytes)?).collect::<Vec<_>>().into_iter().rev() {
        stages.push(vec![put_log(layout::register_key(register, number), piece)]);
    }
    Ok(())
}

fn trim(last: CommitSeq) -> Result<Request, JsValue> {
    Ok(Request::Delete { store: LOG.to_owned(), keys: Region::up_to(last).keys()? })
}

/// The object stores that a batch touches, each once, and the one by which writes take turns; none for an empty batch.
pub(super) fn scope_of<'a>(batch: &Batch, options: &'a IndexedDbOptions) -> Vec<&'a str> {
    let mut scope = Vec::with_capacity(3);
    if batch.expected_manifest.is_some() || batch.manifest.is_some() || batch.trim.is_some() {
        scope.push(LOG);
    }
    for store in Store::ALL {
        let deletes = batch.deletes.iter().any(|(touched, _)| *touched == store);
        if deletes || batch.puts.iter().any(|(touched, _, _)| *touched == store) {
            scope.push(options.store(store));
        }
    }
    let in_turn = options.store(TURNS);
    if !scope.is_empty() && !scope.contains(&in_turn) {
        scope.push(in_turn);
    }
    scope
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
