//! The engine on IndexedDB: several engines on one database, through checkpoints, lost handles and deletions.

use crate::support::{close_handles, env, fresh_name, open};
use hyphadb::engine::{Direction, Engine, KeyRange, Options};
use hyphadb::error::{ErrorKind, Result};
use hyphadb::storage::Durability;
use hyphadb::storage::indexed_db::IndexedDb;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_test::wasm_bindgen_test;

/// So small that a few hundred commits go through checkpoints and compactions.
fn tiny() -> Options {
    Options {
        memtable_bytes: 20_000,
        block_bytes: 2_000,
        quiet_ms: 0.0,
        extent_bytes: 10_000,
        segment_bytes: 40_000,
        level1_bytes: 80_000,
        ..Options::default()
    }
}

async fn engine(name: &str) -> Engine<IndexedDb> {
    Engine::open(open(name).await.unwrap(), env(), tiny()).await.unwrap()
}

fn key(id: u32) -> Vec<u8> {
    [&[0x10][..], &id.to_be_bytes()[..]].concat()
}

async fn increment(engine: &Engine<IndexedDb>, id: u32) -> Result<()> {
    loop {
        let transaction = engine.begin()?;
        let number = match transaction.get(&key(id)).await? {
            Some(bytes) => u32::from_le_bytes(bytes.as_bytes()[..4].try_into().unwrap()),
            None => 0,
        };
        // Long enough that checkpoints come due.
        let value = [&(number + 1).to_le_bytes()[..], &[7; 200][..]].concat();
        transaction.put(&key(id), &value)?;
        match engine.commit(transaction, Durability::Relaxed).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
}

async fn contents(engine: &Engine<IndexedDb>) -> Vec<(Vec<u8>, u32)> {
    let mut scan = engine.snapshot().unwrap().scan(KeyRange::prefix(&[0x10]), Direction::Ascending);
    let mut found = Vec::new();
    while let Some((key, value)) = scan.next().await.unwrap() {
        found.push((key.to_vec(), u32::from_le_bytes(value.as_bytes()[..4].try_into().unwrap())));
    }
    found
}

async fn all<T: 'static>(work: Vec<impl Future<Output = T> + 'static>) -> Vec<T> {
    let done: Rc<RefCell<Vec<T>>> = Rc::new(RefCell::new(Vec::new()));
    let count = work.len();
    for one in work {
        let done = done.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let value = one.await;
            done.borrow_mut().push(value);
        });
    }
    while done.borrow().len() < count {
        env().sleep(5).await;
    }
    done.take()
}

#[wasm_bindgen_test]
async fn two_engines_lose_no_update_through_checkpoints() {
    let name = fresh_name("engines").await;
    let engines = [engine(&name).await, engine(&name).await];
    let work = engines.clone().map(|engine| async move {
        for round in 0..300 {
            increment(&engine, (round * round) % 211).await.unwrap();
            if engine.is_maintenance_due() {
                engine.maintain().await.unwrap();
            }
        }
    });
    all(work.into()).await;
    for engine in &engines {
        engine.catch_up().await.unwrap();
        assert_eq!(contents(engine).await.iter().map(|(_, number)| number).sum::<u32>(), 600);
        assert!(engine.figures().segments > 0);
        engine.close().await;
    }
    let reopened = self::engine(&name).await;
    assert_eq!(contents(&reopened).await.iter().map(|(_, number)| number).sum::<u32>(), 600);
}

#[wasm_bindgen_test]
async fn concurrent_commits_share_transactions_of_indexed_db() {
    let name = fresh_name("group").await;
    let engine = engine(&name).await;
    let work: Vec<_> = (0..500)
        .map(|id| {
            let engine = engine.clone();
            async move { increment(&engine, id).await.unwrap() }
        })
        .collect();
    all(work).await;
    assert_eq!(contents(&engine).await.len(), 500);
    assert!(engine.figures().appends < 50, "{:?}", engine.figures());
    engine.close().await;
    assert_eq!(contents(&self::engine(&name).await).await.len(), 500);
}

#[wasm_bindgen_test]
async fn commits_go_on_over_a_new_handle() {
    let name = fresh_name("handles").await;
    let engine = engine(&name).await;
    for round in 0..40 {
        if round % 10 == 5 {
            close_handles();
        }
        increment(&engine, round).await.unwrap();
    }
    assert_eq!(contents(&engine).await.len(), 40);
}

#[wasm_bindgen_test]
async fn a_database_that_was_deleted_is_closed_not_empty() {
    let name = fresh_name("gone").await;
    let engine = engine(&name).await;
    increment(&engine, 1).await.unwrap();
    IndexedDb::delete(&name, 5_000, &*env()).await.unwrap();
    assert_eq!(increment(&engine, 2).await.unwrap_err().kind(), ErrorKind::Closed);
    let reopened = self::engine(&name).await;
    assert_eq!(contents(&reopened).await, []);
}
