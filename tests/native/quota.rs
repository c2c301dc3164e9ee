//! A full disk: writes say `limit`, reads go on, deletions go through, and what they free can be written again.

use hyphadb::engine::{Direction, Engine, KeyRange, Options};
use hyphadb::env::simulated::{Group, World};
use hyphadb::error::{ErrorKind, Result};
use hyphadb::storage::Durability;
use hyphadb::storage::simulated::{Disk, DiskOptions, QuotaStyle, Simulated};
use std::rc::Rc;

const QUOTA_BYTES: usize = 400_000;

fn options() -> Options {
    Options {
        memtable_bytes: 60_000,
        block_bytes: 4_000,
        quiet_ms: 0.0,
        extent_bytes: 8_000,
        segment_bytes: 20_000,
        batch_bytes: 30_000,
        reserve_bytes: 90_000,
        ..Options::default()
    }
}

fn key(n: u32) -> Vec<u8> {
    [&[0x10][..], &n.to_be_bytes()].concat()
}

async fn put(engine: &Engine<Simulated>, n: u32, value: &[u8]) -> Result<()> {
    let transaction = engine.begin()?;
    transaction.put(&key(n), value)?;
    engine.commit(transaction, Durability::Relaxed).await.map(drop)
}

async fn delete(engine: &Engine<Simulated>, n: u32) -> Result<()> {
    let transaction = engine.begin()?;
    transaction.delete(&key(n))?;
    engine.commit(transaction, Durability::Relaxed).await.map(drop)
}

async fn count(engine: &Engine<Simulated>) -> usize {
    let mut scan = engine.snapshot().unwrap().scan(KeyRange::prefix(&[0x10]), Direction::Ascending);
    let mut count = 0;
    while scan.next().await.unwrap().is_some() {
        count += 1;
    }
    count
}

#[test]
fn a_full_disk_takes_deletions_and_then_writes_again() {
    for (seed, style) in [(1, QuotaStyle::Chromium), (2, QuotaStyle::Firefox)] {
        let world = World::new(seed);
        let disk = Disk::new(
            &world,
            DiskOptions { quota_bytes: Some(QUOTA_BYTES), quota_style: style, ..DiskOptions::instant() },
        );
        let run = async {
            let engine =
                Engine::open(disk.connect(Group::SYSTEM), Rc::new(world.env("engine")), options()).await.unwrap();
            let mut random = world.random("values");
            let mut value = vec![0; 1_500];
            let mut written = 0;
            let error = loop {
                random.fill(&mut value);
                if let Err(error) = put(&engine, written, &value).await {
                    break error;
                }
                written += 1;
                // In a program this is the timer's work: now and then there is none.
                if written % 3 == 0 {
                    let _ = engine.maintain().await;
                }
            };
            assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
            assert!(written > 100, "{style:?}: full after {written} documents");
            assert_eq!(count(&engine).await, written as usize, "reads go on, and nothing is half there");

            for n in 0..written / 2 {
                delete(&engine, n).await.unwrap_or_else(|error| panic!("{style:?}: deletion {n}: {error}"));
            }
            for n in 0..written / 4 {
                random.fill(&mut value);
                put(&engine, n, &value).await.unwrap_or_else(|error| panic!("{style:?}: insert {n}: {error}"));
            }
            let expected = (written - written / 2 + written / 4) as usize;
            assert_eq!(count(&engine).await, expected);
            // Compaction may find no room; that is no error of anybody's.
            while engine.maintain().await.unwrap_or(false) {}
            assert_eq!(count(&engine).await, expected);
            engine.close().await;
            let engine =
                Engine::open(disk.connect(Group::SYSTEM), Rc::new(world.env("again")), options()).await.unwrap();
            assert_eq!(count(&engine).await, expected);
        };
        world.block_on(run).unwrap();
    }
}
