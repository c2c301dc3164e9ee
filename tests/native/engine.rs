//! The engine against a map, on a storage that never fails. Faults have tests of their own.

use hyphadb::engine::{Direction, Engine, KeyRange, Options};
use hyphadb::env::simulated::{Group, World};
use hyphadb::error::{ErrorKind, Result};
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Memory;
use hyphadb::storage::simulated::{Disk, DiskOptions};
use std::collections::BTreeMap;
use std::rc::Rc;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Limits so small that a few dozen commits go through checkpoints and several levels.
fn tiny() -> Options {
    Options {
        memtable_bytes: 2_000,
        block_bytes: 200,
        quiet_ms: 0.0,
        extent_bytes: 500,
        segment_bytes: 1_500,
        level0_segments: 3,
        level1_bytes: 4_000,
        cache_bytes: 3_000,
        batch_bytes: 600,
        reserve_bytes: 100,
        ..Options::default()
    }
}

fn world(seed: u64) -> World {
    World::new(seed)
}

/// Opens with randomness of its own for each label: two contexts never draw the same identifiers.
async fn open(world: &World, label: &str, memory: &Memory, options: Options) -> Result<Engine<Memory>> {
    Engine::open(memory.clone(), Rc::new(world.env(label)), options).await
}

async fn put(engine: &Engine<Memory>, entries: &[(&[u8], Option<&[u8]>)]) -> Result<u64> {
    let transaction = engine.begin()?;
    for (key, value) in entries {
        match value {
            Some(value) => transaction.put(key, value)?,
            None => transaction.delete(key)?,
        }
    }
    Ok(engine.commit(transaction, Durability::Relaxed).await?.seq.get())
}

/// Every key in order, from a scan in this direction.
async fn contents(engine: &Engine<Memory>, range: KeyRange, direction: Direction) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut scan = engine.snapshot()?.scan(range, direction);
    let mut found = Vec::new();
    while let Some((key, value)) = scan.next().await? {
        found.push((key.to_vec(), value.to_vec()));
    }
    Ok(found)
}

async fn check(engine: &Engine<Memory>, model: &Model, seed: u64) {
    let expected: Vec<_> = model.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let forward = contents(engine, KeyRange::all(), Direction::Ascending).await.unwrap();
    let documents: Vec<_> = forward.into_iter().filter(|(key, _)| key[0] >= 0x10).collect();
    assert_eq!(documents, expected, "seed {seed}");
    let mut reverse = contents(engine, KeyRange::all(), Direction::Descending).await.unwrap();
    reverse.retain(|(key, _)| key[0] >= 0x10);
    reverse.reverse();
    assert_eq!(reverse, expected, "seed {seed}");
    let (start, end) = (vec![0x10, 40], vec![0x10, 160]);
    let part: Vec<_> = expected.iter().filter(|(key, _)| *key >= start && *key < end).cloned().collect();
    let range = KeyRange { start, end: Some(end) };
    assert_eq!(contents(engine, range.clone(), Direction::Ascending).await.unwrap(), part, "seed {seed}");
    let mut reverse = contents(engine, range, Direction::Descending).await.unwrap();
    reverse.reverse();
    assert_eq!(reverse, part, "seed {seed}");
    for byte in (0..=255u8).step_by(5) {
        let key = [0x10, byte];
        let found = engine.snapshot().unwrap().get(&key).await.unwrap();
        assert_eq!(found.as_deref(), model.get(&key[..]).map(Vec::as_slice), "seed {seed} key {byte}");
    }
}

#[test]
fn random_work_with_checkpoints_compactions_and_reopens_equals_a_map() {
    for seed in 0..40 {
        let world = world(seed);
        let run = async {
            let memory = Memory::new();
            let mut random = world.random("work");
            let mut engine = open(&world, "engine", &memory, tiny()).await.unwrap();
            let mut model = Model::new();
            for round in 0..120u32 {
                let mut batch: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
                for _ in 0..1 + random.below(12) {
                    let key = vec![0x10, random.below(256) as u8];
                    let value =
                        (random.below(4) > 0).then(|| format!("{round}-{}", random.below(1000)).repeat(4).into_bytes());
                    batch.insert(key, value);
                }
                let entries: Vec<_> = batch.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
                put(&engine, &entries).await.unwrap();
                for (key, value) in batch {
                    match value {
                        Some(value) => model.insert(key, value),
                        None => model.remove(&key),
                    };
                }
                match random.below(10) {
                    0 => while engine.maintain().await.unwrap() {},
                    1 => drop(engine.checkpoint().await.unwrap()),
                    2 => {
                        engine.close().await;
                        engine = open(&world, "engine", &memory, tiny()).await.unwrap();
                    }
                    3 => check(&engine, &model, seed).await,
                    _ => {}
                }
            }
            check(&engine, &model, seed).await;
            engine.figures()
        };
        let figures = world.block_on(run).unwrap();
        assert!(figures.segments > 0, "seed {seed}: {figures:?}");
    }
}

#[test]
fn a_snapshot_does_not_change_with_later_commits_checkpoints_and_compactions() {
    let world = world(1);
    world
        .block_on(async {
            let memory = Memory::new();
            let engine = open(&world, "engine", &memory, tiny()).await.unwrap();
            for byte in 0..100u8 {
                put(&engine, &[(&[0x10, byte], Some(&[byte; 40]))]).await.unwrap();
            }
            while engine.maintain().await.unwrap() {}
            let snapshot = engine.snapshot().unwrap();
            for byte in 0..100u8 {
                put(&engine, &[(&[0x10, byte], (byte % 2 == 0).then_some(b"new"))]).await.unwrap();
                engine.checkpoint().await.unwrap();
                engine.compact().await.unwrap();
            }
            let mut scan = snapshot.scan(KeyRange::prefix(&[0x10]), Direction::Ascending);
            for byte in 0..100u8 {
                let (key, value) = scan.next().await.unwrap().unwrap();
                assert_eq!((key.as_bytes(), value.as_bytes()), (&[0x10, byte][..], &[byte; 40][..]));
            }
            assert!(scan.next().await.unwrap().is_none());
            assert_eq!(engine.snapshot().unwrap().get(&[0x10, 1]).await.unwrap(), None);
        })
        .unwrap();
}

#[test]
fn a_transaction_that_read_what_another_wrote_conflicts_and_a_blind_one_does_not() {
    let world = world(2);
    world
        .block_on(async {
            let memory = Memory::new();
            let engine = open(&world, "engine", &memory, tiny()).await.unwrap();
            put(&engine, &[(b"\x10a", Some(b"1"))]).await.unwrap();
            let (reader, ranger, blind) = (engine.begin().unwrap(), engine.begin().unwrap(), engine.begin().unwrap());
            reader.get(b"\x10a").await.unwrap();
            reader.put(b"\x10x", b"").unwrap();
            let mut scan = ranger.scan(KeyRange::prefix(b"\x10"), Direction::Ascending);
            while scan.next().await.unwrap().is_some() {}
            ranger.put(b"\x10y", b"").unwrap();
            blind.put(b"\x10a", b"3").unwrap();
            put(&engine, &[(b"\x10a", Some(b"2"))]).await.unwrap();
            for transaction in [reader, ranger] {
                let error = engine.commit(transaction, Durability::Relaxed).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Conflict);
            }
            engine.commit(blind, Durability::Relaxed).await.unwrap();
            assert_eq!(contents(&engine, KeyRange::prefix(b"\x10"), Direction::Ascending).await.unwrap().len(), 1);
        })
        .unwrap();
}

#[test]
fn two_engines_on_one_storage_follow_each_other_and_lose_no_update() {
    let world = world(3);
    world
        .block_on(async {
            let memory = Memory::new();
            let a = open(&world, "a", &memory, tiny()).await.unwrap();
            let b = open(&world, "b", &memory, tiny()).await.unwrap();
            for round in 0..200u32 {
                let engine = if round % 3 == 0 { &a } else { &b };
                loop {
                    let transaction = engine.begin().unwrap();
                    let count = transaction.get(b"\x10count").await.unwrap();
                    let count = count.map_or(0, |bytes| u32::from_le_bytes(bytes.as_bytes().try_into().unwrap()));
                    transaction.put(b"\x10count", &(count + 1).to_le_bytes()).unwrap();
                    transaction.put(&[b"\x10filler", &round.to_le_bytes()[..]].concat(), &[7; 50]).unwrap();
                    match engine.commit(transaction, Durability::Relaxed).await {
                        Ok(_) => break,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                    }
                }
                if round % 17 == 0 {
                    engine.maintain().await.unwrap();
                }
            }
            for engine in [&a, &b] {
                engine.catch_up().await.unwrap();
                let count = engine.snapshot().unwrap().get(b"\x10count").await.unwrap().unwrap();
                assert_eq!(count.as_bytes(), 200u32.to_le_bytes());
            }
        })
        .unwrap();
}

#[test]
fn commits_that_wait_share_a_record() {
    let world = world(4);
    let disk = Disk::new(&world, DiskOptions::default());
    let storage = disk.connect(Group::SYSTEM);
    let engine = world.block_on(Engine::open(storage, Rc::new(world.env("engine")), Options::default()));
    let engine = engine.unwrap().unwrap();
    for n in 0..1000u32 {
        let engine = engine.clone();
        world.spawn("insert", world.group(), async move {
            let transaction = engine.begin().unwrap();
            transaction.put(&[&[0x10][..], &n.to_be_bytes()].concat(), b"v").unwrap();
            engine.commit(transaction, Durability::Relaxed).await.unwrap();
        });
    }
    world.run().unwrap();
    let figures = engine.figures();
    assert_eq!(figures.seq, figures.appends + 1, "the first commit made the database");
    assert!(figures.appends <= 10, "1,000 commits in {} records", figures.appends);
}

#[test]
fn a_memtable_stays_bounded_in_a_context_that_never_does_background_work() {
    let world = world(5);
    world
        .block_on(async {
            let memory = Memory::new();
            let worker = open(&world, "worker", &memory, tiny()).await.unwrap();
            let writer = open(&world, "writer", &memory, tiny()).await.unwrap();
            let reader = open(&world, "reader", &memory, tiny()).await.unwrap();
            for round in 0..300u32 {
                put(&writer, &[(&[&[0x10][..], &round.to_be_bytes()].concat(), Some(&[1; 100]))]).await.unwrap();
                reader.catch_up().await.unwrap();
                // For the first half nobody does background work at all.
                if round > 150 {
                    worker.catch_up().await.unwrap();
                    while worker.maintain().await.unwrap() {}
                }
                for engine in [&writer, &reader] {
                    let bytes = engine.figures().memtable_bytes;
                    assert!(bytes < 10 * tiny().memtable_bytes, "{bytes} bytes in round {round}");
                }
            }
            assert_eq!(contents(&reader, KeyRange::prefix(&[0x10]), Direction::Ascending).await.unwrap().len(), 300);
        })
        .unwrap();
}
