//! Blocks on their way into memory: preloading, fetching together, and what compaction leaves where it is.

use hyphadb::engine::{Direction, Engine, KeyRange, Options};
use hyphadb::env::side_by_side::side_by_side;
use hyphadb::env::simulated::{Group, World};
use hyphadb::error::{Error, ErrorKind};
use hyphadb::storage::Durability;
use hyphadb::storage::simulated::{CallKind, Damage, Disk, DiskOptions, Phase, Simulated, Target};
use std::cell::Cell;
use std::rc::Rc;

const KEYS: u32 = 900;

/// Segments of a few extents of a few blocks.
fn options(cache_bytes: usize) -> Options {
    Options {
        memtable_bytes: 1 << 20,
        block_bytes: 400,
        extent_bytes: 1_500,
        segment_bytes: 6_000,
        level1_bytes: 1 << 30,
        level0_segments: 2,
        quiet_ms: 0.0,
        retire_ms: 0,
        cache_bytes,
        ..Options::default()
    }
}

fn key(n: u32) -> Vec<u8> {
    [&[0x10][..], &n.to_be_bytes()].concat()
}

/// Bytes that no compression makes smaller.
fn value(n: u32) -> Vec<u8> {
    (0..10u32)
        .flat_map(|word| (n * 10 + word + 1).wrapping_mul(2_654_435_761).rotate_left(n % 31).to_be_bytes())
        .collect()
}

async fn open(world: &World, disk: &Disk, options: Options) -> Engine<Simulated> {
    Engine::open(disk.connect(Group::SYSTEM), Rc::new(world.env("engine")), options).await.unwrap()
}

/// A disk with all keys in segments of level 1, and a few of them once more in level 0.
async fn filled(world: &World) -> Disk {
    let disk = Disk::new(world, DiskOptions::default());
    let engine = open(world, &disk, options(0)).await;
    for part in [0..KEYS / 2, KEYS / 2..KEYS, 0..10] {
        let transaction = engine.begin().unwrap();
        part.for_each(|n| transaction.put(&key(n), &value(n)).unwrap());
        engine.commit(transaction, Durability::Relaxed).await.unwrap();
        engine.checkpoint().await.unwrap();
        engine.compact().await.unwrap();
    }
    engine.close().await;
    disk
}

async fn check_all(engine: &Engine<Simulated>) {
    let mut scan = engine.snapshot().unwrap().scan(KeyRange::prefix(&[0x10]), Direction::Ascending);
    for n in 0..KEYS {
        let (found, bytes) = scan.next().await.unwrap().unwrap();
        assert_eq!((found.as_bytes(), bytes.as_bytes()), (&key(n)[..], &value(n)[..]));
    }
    assert!(scan.next().await.unwrap().is_none());
}

/// Counts the calls that read values.
fn count_gets(disk: &Disk) -> Rc<Cell<u32>> {
    let gets = Rc::new(Cell::new(0));
    let counted = Rc::clone(&gets);
    disk.observe(move |_, moment| {
        let is_get = moment.kind == CallKind::Get && moment.phase == Phase::Before;
        counted.set(counted.get() + u32::from(is_get));
    });
    gets
}

#[test]
fn behind_the_first_read_of_a_block_all_come_into_memory() {
    let world = World::new(1);
    let work = async {
        let disk = filled(&world).await;
        let engine = open(&world, &disk, options(1 << 20)).await;
        assert!(!engine.is_preload_due(), "nothing was read");
        assert_eq!(engine.snapshot().unwrap().get(&key(7)).await.unwrap().unwrap().as_bytes(), value(7));
        assert!(engine.is_preload_due() && !engine.is_preload_due(), "it is said once");
        engine.preload().await;
        let gets = count_gets(&disk);
        check_all(&engine).await;
        assert_eq!(gets.get(), 0, "all of it was in memory");
        assert!(!engine.is_preload_due());
    };
    world.block_on(work).unwrap();
}

#[test]
fn what_does_not_fit_and_what_is_not_wanted_is_not_preloaded() {
    for (cache_bytes, preload) in [(8_000, true), (1 << 20, false)] {
        let world = World::new(2);
        let work = async {
            let disk = filled(&world).await;
            let engine = open(&world, &disk, Options { preload, ..options(cache_bytes) }).await;
            engine.snapshot().unwrap().get(&key(7)).await.unwrap();
            let gets = count_gets(&disk);
            if engine.is_preload_due() {
                engine.preload().await;
            }
            assert!(engine.figures().cache_bytes <= cache_bytes);
            assert_eq!(gets.get(), 0, "nothing was fetched for it");
            check_all(&engine).await;
            assert!(engine.figures().cache_bytes <= cache_bytes);
        };
        world.block_on(work).unwrap();
    }
}

#[test]
fn what_is_damaged_is_found_by_who_asks_for_it() {
    for seed in 0..30 {
        let world = World::new(seed);
        let work = async {
            let disk = filled(&world).await;
            let kind = [Damage::Flip, Damage::Drop, Damage::Cut][seed as usize % 3];
            disk.damage(Target::Block, kind).unwrap();
            let engine = open(&world, &disk, options(1 << 20)).await;
            let _ = engine.snapshot().unwrap().get(&key(KEYS - 1)).await;
            engine.preload().await;
            let snapshot = engine.snapshot().unwrap();
            let mut lost = 0;
            for n in 0..KEYS {
                match snapshot.get(&key(n)).await {
                    Ok(found) => assert_eq!(found.unwrap().as_bytes(), value(n), "seed {seed}"),
                    Err(error) => {
                        // A bit of the format's number may have flipped: then it looks like a newer one.
                        assert!(
                            matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported),
                            "seed {seed}: {error}"
                        );
                        lost += 1;
                    }
                }
            }
            assert!(lost < KEYS, "seed {seed}");
        };
        world.block_on(work).unwrap();
    }
}

#[test]
fn preloading_ends_with_the_engine_wherever_it_is() {
    for pause_us in (0..60_000).step_by(1_500) {
        let world = World::new(4);
        world.set_tick_us(50);
        let gets = world
            .block_on(async {
                let disk = filled(&world).await;
                let engine = open(&world, &disk, Options { slice_ms: 0.1, ..options(1 << 20) }).await;
                engine.snapshot().unwrap().get(&key(7)).await.unwrap();
                let behind = engine.clone();
                let _detached = world.spawn("preload", Group::SYSTEM, async move { behind.preload().await });
                world.sleep_us(pause_us).await;
                engine.close().await;
                count_gets(&disk)
            })
            .unwrap();
        world.run().unwrap();
        assert_eq!(gets.get(), 0, "closed after {pause_us} us");
    }
}

#[test]
fn preloading_beside_reads_and_writes_loses_nothing() {
    for seed in 0..20 {
        let world = World::new(seed);
        world.set_tick_us(50);
        let work = async {
            let disk = filled(&world).await;
            let engine = open(&world, &disk, Options { slice_ms: 0.1, ..options(1 << 20) }).await;
            let behind = engine.clone();
            let done = world.spawn("preload", Group::SYSTEM, async move {
                for _ in 0..3 {
                    behind.preload().await;
                }
            });
            let mut random = world.random("reads");
            for turn in 0..40 {
                let n = random.below(u64::from(KEYS)) as u32;
                let found = engine.snapshot().unwrap().get(&key(n)).await.unwrap();
                assert_eq!(found.unwrap().as_bytes(), value(n), "seed {seed}");
                if turn % 10 == 0 {
                    let transaction = engine.begin().unwrap();
                    (0..50)
                        .for_each(|more| transaction.put(&key((n + more) % KEYS), &value((n + more) % KEYS)).unwrap());
                    engine.commit(transaction, Durability::Relaxed).await.unwrap();
                    engine.checkpoint().await.unwrap();
                    engine.maintain().await.unwrap();
                }
            }
            check_all(&engine).await;
            let _ = done.await;
        };
        world.block_on(work).unwrap();
    }
}

#[test]
fn keys_of_many_segments_are_fetched_in_the_time_of_a_few_reads() {
    let world = World::new(6);
    let work = async {
        let disk = filled(&world).await;
        let engine = open(&world, &disk, options(1 << 20)).await;
        assert!(engine.figures().segments >= 6, "{:?}", engine.figures());
        let keys: Vec<Vec<u8>> = (0..KEYS).step_by(11).map(key).collect();
        let names: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let begun_us = world.now_us();
        let found = engine.snapshot().unwrap().get_many(&names).await.unwrap();
        assert!(found.iter().all(Option::is_some));
        // A read takes three steps of at most 2 ms: one for the indexes, one for level 0, and those of level 1 together.
        assert!(world.now_us() - begun_us < 24_000, "{} us", world.now_us() - begun_us);
    };
    world.block_on(work).unwrap();
}

#[test]
fn two_who_want_the_same_fetch_it_once() {
    let world = World::new(7);
    let work = async {
        let disk = filled(&world).await;
        let engine = open(&world, &disk, options(1 << 20)).await;
        let gets = count_gets(&disk);
        let snapshot = engine.snapshot().unwrap();
        let mut reads = (0..100).map(|_| -> hyphadb::env::LocalFuture<'_, Result<(), Error>> {
            Box::pin(async { snapshot.get(&key(300)).await.map(drop) })
        });
        side_by_side(100, &mut reads).await.unwrap();
        assert_eq!(gets.get(), 2, "its segment's index, and its extent");
    };
    world.block_on(work).unwrap();
}

#[test]
fn compaction_pushes_nothing_out_of_memory() {
    let world = World::new(8);
    let work = async {
        let disk = filled(&world).await;
        let engine = open(&world, &disk, Options { preload: false, ..options(16_000) }).await;
        // What other keys than these are overwritten with goes into two more segments of level 0.
        let hot: Vec<Vec<u8>> = (KEYS - 20..KEYS).map(key).collect();
        let read_hot = async || {
            for key in &hot {
                engine.snapshot().unwrap().get(key).await.unwrap();
            }
        };
        for _ in 0..2 {
            let transaction = engine.begin().unwrap();
            (0..KEYS / 2).for_each(|n| transaction.put(&key(n), &value(n)).unwrap());
            engine.commit(transaction, Durability::Relaxed).await.unwrap();
            engine.checkpoint().await.unwrap();
        }
        read_hot().await;
        let gets = count_gets(&disk);
        read_hot().await;
        assert_eq!(gets.get(), 0, "they are in memory");
        assert!(engine.compact().await.unwrap());
        gets.set(0);
        read_hot().await;
        assert_eq!(gets.get(), 0, "they still are");
        check_all(&engine).await;
    };
    world.block_on(work).unwrap();
}
