//! The on-disk format, held to bytes: today's code writes what it wrote, and opens what earlier versions wrote.
//!
//! `tests/data/format_1.image` was written by the first release of format 1. When this test fails because bytes
//! changed, the format changed: raise `FORMAT`, keep the old image, and add a new one.
//! `HYPHADB_WRITE_IMAGE=1 npm test -- native` writes the image of the present format.

use hyphadb::bytes::{Reader, put_slice, put_varint};
use hyphadb::engine::format::{FORMAT, Format, Head};
use hyphadb::engine::{Direction, Engine, KeyRange, Mark, Options};
use hyphadb::env::simulated::World;
use hyphadb::error::{Detail, ErrorKind};
use hyphadb::storage::memory::{Contents, Memory};
use hyphadb::storage::{Append, Applied, CommitSeq, Durability, LogRecord, Register, Storage, Store};
use std::rc::Rc;

const IMAGE: &str = "tests/data/format_1.image";

fn options() -> Options {
    Options {
        block_bytes: 600,
        quiet_ms: 0.0,
        extent_bytes: 1_500,
        segment_bytes: 3_000,
        level0_segments: 2,
        reserve_bytes: 64,
        ..Options::default()
    }
}

/// The same work each time: documents, updates, deletions, a checkpoint, a compaction, and a tail in the log.
async fn work(world: &World) -> Memory {
    let memory = Memory::new();
    let engine = Engine::open(memory.clone(), Rc::new(world.env("format")), options()).await.unwrap();
    for round in 0..60u32 {
        let transaction = engine.begin().unwrap();
        for n in 0..4 {
            let key = [&[0x10, 0, 0, 0, 1][..], &((round * 7 + n) % 90).to_be_bytes()].concat();
            if (round + n) % 5 == 0 {
                transaction.delete(&key).unwrap();
            } else {
                transaction.put(&key, format!("value {round} ").repeat(1 + n as usize).as_bytes()).unwrap();
            }
        }
        transaction.put(&[0x01, (round % 3) as u8], &round.to_le_bytes()).unwrap();
        let durability = if round % 10 == 0 { Durability::Strict } else { Durability::Relaxed };
        engine.commit(transaction, durability).await.unwrap();
        if matches!(round, 15 | 30 | 50) {
            assert!(engine.checkpoint().await.unwrap());
            engine.compact().await.unwrap();
        }
    }
    memory
}

fn pack(contents: &Contents) -> Vec<u8> {
    let mut out = Vec::new();
    for register in [Register::Head, Register::Manifest] {
        put_slice(&mut out, contents.register(register).map(|value| &value[..]).unwrap_or_default());
    }
    put_varint(&mut out, contents.log().count() as u64);
    for (seq, bytes) in contents.log() {
        put_varint(&mut out, seq.get());
        put_slice(&mut out, bytes);
    }
    for store in Store::ALL {
        put_varint(&mut out, contents.values(store).count() as u64);
        for (name, bytes) in contents.values(store) {
            put_slice(&mut out, name);
            put_slice(&mut out, bytes);
        }
    }
    out
}

fn unpack(image: &[u8]) -> Contents {
    let mut reader = Reader::new(image);
    let mut contents = Contents::default();
    for register in [Register::Head, Register::Manifest] {
        let value = reader.slice().unwrap();
        contents.set_register(register, (!value.is_empty()).then(|| value.to_vec().into()));
    }
    for _ in 0..reader.varint().unwrap() {
        let seq = CommitSeq::new(reader.varint().unwrap());
        contents.set_record(seq, Some(reader.slice().unwrap().to_vec().into()));
    }
    for store in Store::ALL {
        for _ in 0..reader.varint().unwrap() {
            let name = reader.slice().unwrap();
            contents.set_value(store, name, Some(reader.slice().unwrap().to_vec().into()));
        }
    }
    assert!(reader.is_empty());
    contents
}

/// Every key and value, as text.
async fn dump(memory: Memory, world: &World) -> String {
    let engine = Engine::open(memory, Rc::new(world.env("reader")), options()).await.unwrap();
    let mut scan = engine.snapshot().unwrap().scan(KeyRange::all(), Direction::Ascending);
    let mut text = String::new();
    while let Some((key, value)) = scan.next().await.unwrap() {
        text += &format!("{} = {}\n", key.escape_ascii(), value.escape_ascii());
    }
    text
}

#[test]
fn the_bytes_of_format_1_have_not_changed() {
    let world = World::new(1);
    let memory = world.block_on(work(&world)).unwrap();
    let image = pack(&memory.contents());
    if std::env::var_os("HYPHADB_WRITE_IMAGE").is_some() {
        std::fs::create_dir_all("tests/data").unwrap();
        std::fs::write(IMAGE, &image).unwrap();
    }
    let golden = std::fs::read(IMAGE).unwrap();
    assert!(golden == image, "the format's bytes changed: see the head of tests/native/format.rs");
}

#[test]
fn an_image_of_format_1_opens_and_says_the_same() {
    let world = World::new(2);
    let golden = unpack(&std::fs::read(IMAGE).unwrap());
    let (read, expected) = world
        .block_on(async {
            let fresh = World::new(1);
            let expected = work(&fresh).await;
            (dump(Memory::with_contents(golden), &world).await, dump(expected, &world).await)
        })
        .unwrap();
    assert!(read.lines().count() > 40);
    assert_eq!(read, expected);
}

/// The image with another format in its head.
fn with_format(format: Format) -> Memory {
    let mut contents = unpack(&std::fs::read(IMAGE).unwrap());
    let head = Head::decode(contents.register(Register::Head).unwrap()).unwrap();
    contents.set_register(Register::Head, Some(Head { format, ..head }.encode().into()));
    Memory::with_contents(contents)
}

#[test]
fn a_newer_format_is_refused_and_one_for_newer_writers_is_read_only() {
    let world = World::new(3);
    world
        .block_on(async {
            let newer = Format { format: 9, min_reader: 9, min_writer: 9 };
            let error = Engine::open(with_format(newer), Rc::new(world.env("a")), options()).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Unsupported);

            let read_only = Format { format: 9, min_reader: FORMAT.format, min_writer: 9 };
            let memory = with_format(read_only);
            let engine = Engine::open(memory.clone(), Rc::new(world.env("b")), options()).await.unwrap();
            let key = [0x10, 0, 0, 0, 1, 0, 0, 0, 9];
            engine.snapshot().unwrap().get(&key).await.unwrap();
            let before = pack(&memory.contents());
            let transaction = engine.begin().unwrap();
            transaction.put(&key, b"x").unwrap();
            let error = engine.commit(transaction, Durability::Relaxed).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(pack(&memory.contents()) == before, "nothing was written");
        })
        .unwrap();
}

#[test]
fn a_context_that_opened_before_an_upgrade_cannot_write_behind_its_back() {
    let world = World::new(4);
    world
        .block_on(async {
            let memory = Memory::with_contents(unpack(&std::fs::read(IMAGE).unwrap()));
            let engine = Engine::open(memory.clone(), Rc::new(world.env("old")), options()).await.unwrap();
            let transaction = engine.begin().unwrap();
            transaction.put(b"\x10x", b"x").unwrap();
            let upgraded = with_format(Format { format: 9, min_reader: FORMAT.format, min_writer: 9 });
            let contents = memory.contents();
            let (seq, bytes) = contents.log().next_back().unwrap();
            let append = Append {
                expected_head: contents.register(Register::Head).map(|bytes| bytes.to_vec()),
                head: upgraded.contents().register(Register::Head).unwrap().to_vec(),
                record: LogRecord { seq, bytes: bytes.to_vec() },
                durability: Durability::Strict,
            };
            assert_eq!(memory.append(append).await, Ok(Applied::Done));
            let error = engine.commit(transaction, Durability::Relaxed).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        })
        .unwrap();
}

#[test]
fn an_emptied_replaced_or_rolled_back_storage_is_lost_and_never_new() {
    let world = World::new(5);
    world
        .block_on(async {
            let memory = work(&world).await;
            let open = async |memory: Memory, mark| {
                Engine::open(memory, Rc::new(world.env("mark")), Options { mark, ..options() }).await
            };
            let engine = open(memory.clone(), None).await.unwrap();
            assert_eq!(engine.figures().durable_seq, 0, "nobody knows what earlier contexts flushed");
            let transaction = engine.begin().unwrap();
            transaction.put(b"\x10strict", b"").unwrap();
            engine.commit(transaction, Durability::Strict).await.unwrap();
            let mark = Mark { database: engine.database(), seq: CommitSeq::new(engine.figures().durable_seq) };
            assert!(mark.seq > CommitSeq::ZERO);
            open(memory.clone(), Some(mark)).await.unwrap();

            let ahead = Mark { seq: CommitSeq::new(10_000), ..mark };
            let other = work(&World::new(99)).await;
            for (memory, mark, kind) in
                [(Memory::new(), mark, "wiped"), (other, mark, "wiped"), (memory.clone(), ahead, "rolled back")]
            {
                let error = open(memory, Some(mark)).await.err().unwrap();
                assert_eq!(error.kind(), ErrorKind::Lost);
                assert!(error.details().contains(&("kind", Detail::Text(kind.to_owned()))), "{error}");
            }

            // Without a mark too: the log was cleared, but blocks are there.
            let mut contents = Contents::default();
            for (name, value) in memory.contents().values(Store::Main) {
                contents.set_value(Store::Main, name, Some(value.clone()));
            }
            let error = open(Memory::with_contents(contents), None).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Lost);
        })
        .unwrap();
}
