//! IndexedDB beyond the contract: pieces, durability, lost handles, other programs.

use crate::support::{
    abort_next_write, append, close_handles, env, fresh, fresh_name, hold, open, open_raw, raw_put, take_durability,
};
use hyphadb::storage::indexed_db::{ConnectionEvent, Found, IndexedDb, IndexedDbOptions};
use hyphadb::storage::{
    Applied, Batch, CommitSeq, Durability, Failure, NameRange, Outcome, Storage, StorageError, Store,
};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn noise(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    env().fill_random(&mut bytes);
    bytes
}

fn our_stores() -> Vec<String> {
    ["main", "backup", "cache", "log"].map(str::to_owned).to_vec()
}

#[wasm_bindgen_test]
async fn records_of_any_length_come_back_whole() {
    let storage = fresh("lengths").await;
    let piece = 60 * 1024;
    let lengths = [0, 1, piece - 5, piece - 4, piece - 3, piece, 96 * 1024 - 1, 96 * 1024, 200_000, 3 << 20];
    let mut written = Vec::new();
    for (seq, length) in (1..).zip(lengths) {
        let bytes = noise(length);
        assert_eq!(storage.append(append(seq, bytes.clone())).await.unwrap(), Applied::Done);
        written.push(bytes);
    }
    let tail = storage.read_log(None, false).await.unwrap();
    assert_eq!(tail.records.len(), written.len());
    for (seq, (record, bytes)) in (1..).zip(tail.records.iter().zip(&written)) {
        assert_eq!(record.seq, CommitSeq::new(seq));
        assert!(record.bytes == *bytes, "{} of {} bytes", record.bytes.len(), bytes.len());
    }
    let tail = storage.read_log(Some(CommitSeq::new(8)), false).await.unwrap();
    assert_eq!(tail.records.iter().map(|record| record.bytes.len()).collect::<Vec<_>>(), [200_000, 3 << 20]);
}

#[wasm_bindgen_test]
async fn many_small_records_come_back_in_order() {
    let storage = fresh("many").await;
    for seq in 1..=600 {
        assert_eq!(storage.append(append(seq, seq.to_string().into_bytes())).await.unwrap(), Applied::Done);
    }
    let tail = storage.read_log(Some(CommitSeq::new(3)), true).await.unwrap();
    assert_eq!(tail.head, Some(b"head 600".to_vec()));
    assert_eq!(tail.manifest, None);
    assert_eq!(tail.records.len(), 597);
    for (seq, record) in (4..).zip(&tail.records) {
        assert_eq!((record.seq, record.bytes.clone()), (CommitSeq::new(seq), seq.to_string().into_bytes()));
    }
}

#[wasm_bindgen_test]
async fn manifest_of_any_length_is_replaced_whole() {
    let storage = fresh("manifest").await;
    let mut expected = None;
    for length in [10, 61_436, 61_437, 500_000, 70_000, 0, 5] {
        let manifest = noise(length);
        let flip = |expected| Batch {
            expected_manifest: Some(expected),
            manifest: Some(manifest.clone()),
            ..Batch::default()
        };
        assert_eq!(storage.apply(flip(Some(noise(length + 1)))).await.unwrap(), Applied::Refused);
        assert_eq!(storage.apply(flip(expected.clone())).await.unwrap(), Applied::Done);
        assert_eq!(storage.apply(flip(expected)).await.unwrap(), Applied::Refused);
        let tail = storage.read_log(None, true).await.unwrap();
        assert!(tail.manifest.as_ref() == Some(&manifest), "{length}");
        expected = tail.manifest;
    }
}

#[wasm_bindgen_test]
async fn a_missing_piece_gives_fewer_bytes_and_nothing_else_is_lost() {
    let name = fresh_name("piece").await;
    let storage = open(&name).await.unwrap();
    for seq in 1..=3 {
        assert_eq!(storage.append(append(seq, noise(90_000))).await.unwrap(), Applied::Done);
    }
    let raw = open_raw(&name, 1, our_stores()).await.unwrap();
    raw_put(&raw, &JsValue::from_f64(f64::from(16 + 1)), &JsValue::UNDEFINED).await;
    raw_put(&raw, &JsValue::from_f64(f64::from(2 * 16)), &JsValue::UNDEFINED).await;
    raw_put(&raw, &JsValue::from_f64(f64::from(3 * 16)), &JsValue::from_str("not bytes")).await;
    let records = storage.read_log(None, false).await.unwrap().records;
    // Without its first piece a record is missing as a whole.
    assert_eq!(records.iter().map(|record| record.seq.get()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(records[0].bytes.len(), 60 * 1024 - 4);
    assert!(records[1].bytes.len() < 90_000);
    raw_put(&raw, &JsValue::from_str("head"), &JsValue::from_f64(7.0)).await;
    assert_eq!(storage.read_log(None, false).await.unwrap().head, Some(Vec::new()));
}

#[wasm_bindgen_test]
async fn what_was_written_is_there_after_reopening() {
    let name = fresh_name("reopening").await;
    let storage = open(&name).await.unwrap();
    assert_eq!(storage.found(), Found::Absent);
    let batch = Batch { puts: vec![(Store::Main, b"block".to_vec(), noise(700_000))], ..Batch::default() };
    assert_eq!(storage.apply(batch.clone()).await.unwrap(), Applied::Done);
    assert_eq!(storage.append(append(1, b"first".to_vec())).await.unwrap(), Applied::Done);
    storage.close().await;
    storage.close().await;
    assert_eq!(storage.read_log(None, false).await.unwrap_err().failure, Failure::Closed);

    let storage = open(&name).await.unwrap();
    assert_eq!(storage.found(), Found::Existing);
    let found = storage.get(Store::Main, &[b"block".to_vec(), b"none".to_vec()]).await.unwrap();
    assert!(found == [Some(batch.puts[0].2.clone()), None]);
    assert_eq!(storage.read_log(None, false).await.unwrap().records[0].bytes, b"first");
}

#[wasm_bindgen_test]
async fn close_waits_for_the_calls_under_way() {
    let name = fresh_name("close").await;
    let storage = open(&name).await.unwrap();
    let (writing, done) = (storage.clone(), Rc::new(RefCell::new(None)));
    let answer = done.clone();
    wasm_bindgen_futures::spawn_local(async move {
        *answer.borrow_mut() = Some(writing.append(append(1, noise(500_000))).await);
    });
    env().sleep(0).await;
    storage.close().await;
    let storage = open(&name).await.unwrap();
    assert_eq!(storage.read_log(None, false).await.unwrap().records.len(), 1);
    assert_eq!(*done.borrow(), Some(Ok(Applied::Done)));
}

#[wasm_bindgen_test]
async fn every_write_carries_its_durability() {
    let storage = fresh("durability").await;
    let strict = |seq| hyphadb::storage::Append { durability: Durability::Strict, ..append(seq, vec![1]) };
    take_durability();
    assert_eq!(storage.append(append(1, vec![1])).await.unwrap(), Applied::Done);
    assert_eq!(storage.append(strict(2)).await.unwrap(), Applied::Done);
    let batch = Batch { puts: vec![(Store::Cache, vec![1], vec![2])], ..Batch::default() };
    assert_eq!(storage.apply(batch.clone()).await.unwrap(), Applied::Done);
    assert_eq!(storage.apply(Batch { durability: Durability::Strict, ..batch }).await.unwrap(), Applied::Done);
    assert_eq!(take_durability(), "relaxed strict relaxed strict");
}

#[wasm_bindgen_test]
async fn two_connections_never_lose_a_commit() {
    let name = fresh_name("race").await;
    let writers: Vec<_> = [open(&name).await.unwrap(), open(&name).await.unwrap()].into();
    let done: Rc<RefCell<Vec<u64>>> = Rc::default();
    let running = Rc::new(RefCell::new(writers.len()));
    for storage in writers.clone() {
        let (done, running) = (done.clone(), running.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let mut seq = 1;
            while seq <= 200 {
                if storage.append(append(seq, vec![9])).await.unwrap() == Applied::Done {
                    done.borrow_mut().push(seq);
                }
                seq += 1;
            }
            *running.borrow_mut() -= 1;
        });
    }
    while *running.borrow() > 0 {
        env().sleep(5).await;
    }
    let mut seqs = done.borrow().clone();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=200).collect::<Vec<_>>());
    assert_eq!(writers[0].read_log(None, false).await.unwrap().records.len(), 200);
}

#[wasm_bindgen_test]
async fn an_abort_leaves_nothing_and_says_so() {
    let storage = fresh("abort").await;
    assert_eq!(storage.append(append(1, vec![1])).await.unwrap(), Applied::Done);
    abort_next_write();
    let error = storage.append(append(2, noise(150_000))).await.unwrap_err();
    assert_eq!((error.failure, error.outcome), (Failure::Aborted, Outcome::NotApplied));
    let tail = storage.read_log(None, false).await.unwrap();
    assert_eq!((tail.head, tail.records.len()), (Some(b"head 1".to_vec()), 1));
    assert_eq!(storage.append(append(2, vec![2])).await.unwrap(), Applied::Done);
}

#[wasm_bindgen_test]
async fn a_dead_handle_is_replaced_and_told_of() {
    let storage = fresh("dead").await;
    let events: Rc<RefCell<Vec<&str>>> = Rc::default();
    let told = events.clone();
    storage.on_event(move |event| told.borrow_mut().push(event.name()));
    assert_eq!(storage.append(append(1, vec![1])).await.unwrap(), Applied::Done);
    close_handles();
    assert_eq!(storage.append(append(2, vec![2])).await.unwrap(), Applied::Done);
    assert_eq!(storage.read_log(None, false).await.unwrap().records.len(), 2);
    assert_eq!(*events.borrow(), ["lost", "reopened"]);
}

#[wasm_bindgen_test]
async fn a_deleted_database_stays_deleted() {
    let name = fresh_name("deleted").await;
    let storage = open(&name).await.unwrap();
    let event = Rc::new(RefCell::new(None));
    let told = event.clone();
    storage.on_event(move |event| *told.borrow_mut() = Some(event));
    assert_eq!(storage.append(append(1, vec![1])).await.unwrap(), Applied::Done);
    IndexedDb::delete(&name, 5_000, &*env()).await.unwrap();
    assert_eq!(*event.borrow(), Some(ConnectionEvent::Deleted));
    let error = storage.read_log(None, false).await.unwrap_err();
    assert_eq!(
        (error.failure, error.message.as_str()),
        (Failure::Closed, "database was deleted by another tab or worker")
    );
    let storage = open(&name).await.unwrap();
    assert_eq!(storage.found(), Found::Absent);
    assert_eq!(storage.read_log(None, true).await.unwrap(), hyphadb::storage::Tail::default());
}

#[wasm_bindgen_test]
async fn a_tab_that_holds_the_log_runs_us_into_a_deadline_not_into_a_wall() {
    let name = fresh_name("hung").await;
    let options = IndexedDbOptions { transaction_deadline_ms: 250, ..IndexedDbOptions::new(&name) };
    let storage = IndexedDb::open(options, env()).await.unwrap();
    let raw = open_raw(&name, 1, our_stores()).await.unwrap();
    let release = hold(&raw);
    let error = storage.append(append(1, vec![1])).await.unwrap_err();
    assert_eq!((error.failure, error.outcome), (Failure::Timeout, Outcome::NotApplied));
    release.call0(&JsValue::UNDEFINED).unwrap();
    // On a busy machine the deadline may pass once more.
    let mut tries = 0;
    while let Err(error) = storage.append(append(1, vec![1])).await {
        tries += 1;
        assert!(error.failure == Failure::Timeout && tries < 20, "{error:?}");
    }
    assert_eq!(storage.read_log(None, false).await.unwrap().records.len(), 1);
}

#[wasm_bindgen_test]
async fn a_deletion_that_is_blocked_ends_at_its_deadline() {
    let name = fresh_name("blocked").await;
    let raw = open_raw(&name, 1, our_stores()).await.unwrap();
    let error = IndexedDb::delete(&name, 100, &*env()).await.unwrap_err();
    assert_eq!((error.failure, error.outcome), (Failure::Timeout, Outcome::Unknown));
    let options = IndexedDbOptions { open_deadline_ms: 100, ..IndexedDbOptions::new(&name) };
    let error = IndexedDb::open(options, env()).await.err().unwrap();
    assert_eq!(error.failure, Failure::Timeout);
    raw.unchecked_into::<web_sys::IdbDatabase>().close();
    open(&name).await.unwrap().close().await;
}

#[wasm_bindgen_test]
async fn databases_of_other_programs_are_refused() {
    let name = fresh_name("foreign").await;
    let raw: web_sys::IdbDatabase = open_raw(&name, 1, vec!["notes".to_owned()]).await.unwrap().unchecked_into();
    assert_eq!(open(&name).await.err().unwrap().failure, Failure::Damaged);
    raw.close();
    let name = fresh_name("newer").await;
    let raw: web_sys::IdbDatabase = open_raw(&name, 2, our_stores()).await.unwrap().unchecked_into();
    assert_eq!(open(&name).await.err().unwrap().failure, Failure::Newer);
    raw.close();
    let options = IndexedDbOptions { cache: "log".to_owned(), ..IndexedDbOptions::new("names") };
    let error: StorageError = IndexedDb::open(options, env()).await.err().unwrap();
    assert_eq!(error.failure, Failure::Unavailable);
}

#[wasm_bindgen_test]
async fn empty_and_turned_ranges_delete_nothing() {
    let storage = fresh("ranges").await;
    let put = |name: &[u8]| (Store::Backup, name.to_vec(), name.to_vec());
    let puts = vec![put(b""), put(b"a"), put(b"b")];
    assert_eq!(storage.apply(Batch { puts, ..Batch::default() }).await.unwrap(), Applied::Done);
    let range =
        |start: &[u8], end: &[u8]| (Store::Backup, NameRange { start: start.to_vec(), end: Some(end.to_vec()) });
    let deletes = vec![range(b"b", b"b"), range(b"z", b"a"), range(b"", b"")];
    assert_eq!(storage.apply(Batch { deletes, ..Batch::default() }).await.unwrap(), Applied::Done);
    let names = [b"".to_vec(), b"a".to_vec(), b"b".to_vec()];
    assert_eq!(storage.get(Store::Backup, &names).await.unwrap(), names.clone().map(Some));
    let deletes = vec![range(b"", b"b")];
    assert_eq!(storage.apply(Batch { deletes, ..Batch::default() }).await.unwrap(), Applied::Done);
    assert_eq!(storage.get(Store::Backup, &names).await.unwrap(), [None, None, Some(b"b".to_vec())]);
    assert_eq!(storage.apply(Batch::default()).await.unwrap(), Applied::Done);
}

#[wasm_bindgen_test]
async fn transactions_leave_no_handler_and_no_memory_behind() {
    let storage = fresh("leak").await;
    let memory = || {
        let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
        (wasm_bindgen::externref_heap_live_count(), buffer.byte_length())
    };
    let mut seq = 0;
    let mut before = None;
    for commits in [200, 800] {
        for _ in 0..commits {
            seq += 1;
            assert_eq!(storage.append(append(seq, noise(2_000))).await.unwrap(), Applied::Done);
            storage.get(Store::Main, &[vec![1]]).await.unwrap();
            let batch = Batch { trim: Some(CommitSeq::new(seq)), ..Batch::default() };
            assert_eq!(storage.apply(batch).await.unwrap(), Applied::Done);
        }
        // What the last calls held is let go of in the turns after them.
        env().sleep(20).await;
        let (values, bytes) = memory();
        if let Some((values_before, bytes_before)) = before.replace((values, bytes)) {
            assert!(values <= values_before + 8, "{values_before} {values}");
            assert_eq!(bytes, bytes_before);
        }
    }
}
