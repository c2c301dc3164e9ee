//! The simulator itself: virtual time passes as it should, and each fault does what its name says.

use core::cell::{Cell, RefCell};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, TURNS_MAX, World};
use hyphadb::env::timeout::timeout;
use hyphadb::storage::simulated::{ConnectionId, Damage, Disk, DiskOptions, EXCEPTIONS, Ending, Fault, FaultKind};
use hyphadb::storage::simulated::{Phase, QuotaStyle, Script, Simulated, Target};
use hyphadb::storage::{
    Append, Applied, Batch, CommitSeq, Durability, Failure, LogRecord, NameRange, Outcome, Register,
};
use hyphadb::storage::{Storage, StorageResult, Store};
use std::rc::Rc;

fn append(seq: u64, durability: Durability) -> Append {
    Append {
        expected_head: (seq > 1).then(|| vec![seq as u8 - 1]),
        head: vec![seq as u8],
        record: LogRecord { seq: CommitSeq::new(seq), bytes: vec![seq as u8; 100] },
        durability,
    }
}

fn relaxed(seq: u64) -> Append {
    append(seq, Durability::Relaxed)
}

fn put(name: &str, size: usize) -> Batch {
    Batch { puts: vec![(Store::Main, name.as_bytes().to_vec(), vec![7; size])], ..Batch::default() }
}

fn newest(disk: &Disk) -> u64 {
    disk.contents().log().last().map_or(0, |(seq, _)| seq.get())
}

/// A world, a disk and one tab on it.
fn tab(seed: u64, options: DiskOptions) -> (World, Disk, Simulated) {
    let world = World::new(seed);
    let disk = Disk::new(&world, options);
    let tab = disk.connect(Group::SYSTEM);
    (world, disk, tab)
}

/// Appends commit 1 while this fault hits it, with a deadline; over several seeds.
fn first_append(fault: Fault, check: impl Fn(Option<StorageResult<Applied>>, &Disk, &World, &Simulated)) {
    for seed in 0..20 {
        for latency_max_us in [0, 2000] {
            let (world, disk, tab) = tab(seed, DiskOptions { latency_max_us, ..DiskOptions::default() });
            disk.set_script(Script::default().at(0, fault));
            let env = world.env("tab");
            let answer = world.block_on(timeout(&env, 60_000, tab.append(relaxed(1)))).unwrap().ok();
            assert_eq!(disk.fired().get(&fault.kind()), Some(&1));
            check(answer, &disk, &world, &tab);
        }
    }
}

/// Three tabs write and read with faults; the log of what they saw.
fn turmoil(seed: u64) -> (u64, Vec<String>) {
    let world = World::new(seed);
    let disk = Disk::new(&world, DiskOptions::default());
    let mut random = world.random("script");
    let mut script = Script::default();
    for _ in 0..8 {
        script = script.at(random.below(60), Fault::any_survivable(&mut random));
    }
    disk.set_script(script);
    let seen = Rc::new(RefCell::new(Vec::new()));
    for name in ["one", "two", "three"] {
        let group = world.group();
        let (tab, env, seen) = (disk.connect(group), world.env(name), Rc::clone(&seen));
        let _detached = world.spawn(name, group, async move {
            for _ in 0..10 {
                let tail = timeout(&env, 5000, tab.read_log(None, false)).await;
                let next = tail.map_or(1, |tail| tail.map_or(1, |tail| tail.records.len() as u64 + 1));
                let answer = timeout(&env, 5000, tab.append(relaxed(next))).await;
                seen.borrow_mut().push(format!("{name} {} {next} {answer:?}", env.now().as_ms()));
            }
        });
    }
    world.run().unwrap();
    (world.trace(), seen.take())
}

#[test]
fn same_seed_gives_the_same_trace() {
    for seed in 0..200 {
        assert_eq!(turmoil(seed), turmoil(seed), "seed {seed}");
        assert_ne!(turmoil(seed).0, turmoil(seed + 1).0, "seed {seed}");
    }
}

#[test]
fn time_passes_only_when_all_wait() {
    let world = World::new(3);
    let order = Rc::new(RefCell::new(Vec::new()));
    for ms in [30_000, 10_000, 20_000] {
        let (env, order) = (world.env("sleeper"), Rc::clone(&order));
        let _detached = world.spawn("sleeper", Group::SYSTEM, async move {
            env.sleep(ms).await;
            order.borrow_mut().push((ms, env.monotonic_ms() as u32 / 10_000));
        });
    }
    world.run().unwrap();
    assert_eq!(order.take(), [(10_000, 1), (20_000, 2), (30_000, 3)]);
}

#[test]
fn order_of_ready_tasks_follows_the_seed() {
    let order = |seed| {
        let world = World::new(seed);
        let order = Rc::new(RefCell::new(Vec::new()));
        for task in 0..4 {
            let order = Rc::clone(&order);
            let _detached = world.spawn("task", Group::SYSTEM, async move { order.borrow_mut().push(task) });
        }
        world.run().unwrap();
        order.take()
    };
    let mut orders: Vec<_> = (0..500).map(order).collect();
    assert_eq!(orders[7], order(7));
    orders.sort();
    orders.dedup();
    assert_eq!(orders.len(), 24);
}

#[test]
fn waiting_for_what_never_comes_is_a_stall() {
    let (world, disk, tab) = tab(1, DiskOptions::default());
    disk.set_script(Script::default().at(0, Fault::Hang));
    let _detached = world.spawn("reader", Group::SYSTEM, async move { tab.read_log(None, false).await });
    let stall = world.run().unwrap_err();
    assert_eq!(stall.waiting, ["reader"]);
    world.shut_down();
    assert!(world.run().is_ok());
}

#[test]
fn endless_work_is_a_stall() {
    let world = World::new(1);
    let env = world.env("spinner");
    let stall = world.block_on::<()>(async {
        loop {
            env.sleep(1).await;
        }
    });
    assert!(stall.unwrap_err().turns >= TURNS_MAX);
}

#[test]
fn frozen_group_stands_still_and_goes_on_when_thawed() {
    let world = World::new(5);
    let group = world.group();
    let steps = Rc::new(Cell::new(0));
    let (env, counted) = (world.env("tab"), Rc::clone(&steps));
    let _detached = world.spawn("tab", group, async move {
        for _ in 0..10 {
            env.sleep(100).await;
            counted.set(counted.get() + 1);
        }
    });
    let env = world.env("test");
    world.block_on(env.sleep(350)).unwrap();
    world.freeze(group);
    world.block_on(env.sleep(10_000)).unwrap();
    assert_eq!(steps.get(), 3);
    assert!(world.is_frozen(group));
    world.run().unwrap();
    assert_eq!(steps.get(), 3, "frozen tasks do not count as waiting");
    world.thaw(group);
    world.run().unwrap();
    assert_eq!(steps.get(), 10);
}

#[test]
fn killed_group_is_dropped_where_it_stands() {
    let world = World::new(5);
    let group = world.group();
    let alive = Rc::new(());
    let (env, held) = (world.env("tab"), Rc::clone(&alive));
    let promise = world.spawn("tab", group, async move {
        env.sleep(1000).await;
        drop(held);
    });
    world.block_on(world.env("test").sleep(10)).unwrap();
    world.kill(group);
    assert_eq!(Rc::strong_count(&alive), 1);
    world.run().unwrap();
    assert!(world.is_done(group) && world.is_dead(group) && !promise.is_ready());
}

#[test]
fn clock_jumps_move_wall_time_only() {
    let world = World::new(5);
    let env = world.env("test");
    let (wall, monotonic) = (env.now().as_ms(), env.monotonic_ms());
    world.jump_clock(-86_400_000);
    assert_eq!(env.now().as_ms(), wall - 86_400_000);
    assert!(env.monotonic_ms() >= monotonic);
}

#[test]
fn transactions_over_the_same_store_are_serial_in_order_of_arrival() {
    let (world, disk, slow) = tab(2, DiskOptions::default());
    let (quick, other) = (disk.connect(Group::SYSTEM), disk.connect(Group::SYSTEM));
    disk.set_script(Script::default().on(slow.id(), 0, Fault::Slow { ms: 30_000 }));
    let _first = world.spawn("slow", Group::SYSTEM, async move { slow.append(relaxed(1)).await });
    world.block_on(world.env("test").sleep(100)).unwrap();
    let blocked = world.spawn("reader", Group::SYSTEM, async move { quick.read_log(None, false).await });
    let free = world.spawn("other", Group::SYSTEM, async move { other.get(Store::Main, &[vec![1]]).await });
    world.block_on(world.env("test").sleep(1000)).unwrap();
    assert!(free.is_ready(), "another store is not in the way");
    assert!(!blocked.is_ready(), "a reader waits for the writer before it");
    world.run().unwrap();
    assert_eq!(blocked.take().unwrap().unwrap().records.len(), 1);
}

#[test]
fn failed_call_has_no_effect_under_every_name() {
    for name in EXCEPTIONS {
        for fault in [Fault::FailOnce(name), Fault::AbortAtCommit(name)] {
            first_append(fault, |answer, disk, world, tab| {
                let error = answer.unwrap().unwrap_err();
                assert!(error.message.contains(name), "{error:?}");
                assert_eq!((error.outcome, newest(disk)), (Outcome::NotApplied, 0));
                assert_eq!(world.block_on(tab.append(relaxed(1))).unwrap(), Ok(Applied::Done));
            });
        }
    }
}

#[test]
fn lasting_failure_lasts_until_it_is_cleared() {
    let (world, disk, tab) = tab(2, DiskOptions::instant());
    disk.set_script(Script::default().at(1, Fault::FailAlways("UnknownError")));
    let mut answers = Vec::new();
    for seq in [1, 2, 2] {
        answers.push(world.block_on(tab.append(relaxed(seq))).unwrap().map_err(|error| error.failure));
    }
    assert_eq!(answers, [Ok(Applied::Done), Err(Failure::ConnectionLost), Err(Failure::ConnectionLost)]);
    disk.clear_faults();
    assert_eq!(world.block_on(tab.append(relaxed(2))).unwrap(), Ok(Applied::Done));
    assert_eq!(disk.fired()[&FaultKind::FailAlways], 2);
}

#[test]
fn lost_event_leaves_the_effect_and_an_open_outcome() {
    first_append(Fault::CommitWithoutEvent(Ending::Exception("UnknownError")), |answer, disk, _, _| {
        assert_eq!((answer.unwrap().unwrap_err().outcome, newest(disk)), (Outcome::Unknown, 1));
    });
    first_append(Fault::CommitWithoutEvent(Ending::Silence), |answer, disk, _, _| {
        assert!(answer.is_none());
        assert_eq!(newest(disk), 1);
    });
    first_append(Fault::ErrorWithoutCommit("UnknownError"), |answer, disk, _, _| {
        assert_eq!((answer.unwrap().unwrap_err().outcome, newest(disk)), (Outcome::Unknown, 0));
    });
}

#[test]
fn hung_call_has_no_effect_and_no_answer() {
    first_append(Fault::Hang, |answer, disk, world, tab| {
        assert!(answer.is_none());
        assert_eq!(newest(disk), 0);
        assert_eq!(world.block_on(tab.append(relaxed(1))).unwrap(), Ok(Applied::Done));
        world.block_on(tab.close()).unwrap();
    });
}

#[test]
fn slow_call_takes_effect_after_its_caller_gave_up() {
    first_append(Fault::Slow { ms: 90_000 }, |answer, disk, world, _| {
        assert!(answer.is_none());
        assert_eq!(newest(disk), 0);
        world.run().unwrap();
        assert_eq!(newest(disk), 1);
    });
}

#[test]
fn forced_close_tells_the_truth_and_the_next_call_connects_anew() {
    let outcomes = RefCell::new(Vec::new());
    first_append(Fault::ForceClose, |answer, disk, world, tab| {
        let error = answer.unwrap().unwrap_err();
        assert_eq!(error.failure, Failure::ConnectionLost);
        assert!(error.outcome == Outcome::Unknown || newest(disk) == 0);
        outcomes.borrow_mut().push((error.outcome, newest(disk)));
        assert!(world.block_on(tab.read_log(None, false)).unwrap().is_ok());
    });
    assert!(outcomes.borrow().contains(&(Outcome::NotApplied, 0)));
    assert!(outcomes.borrow().contains(&(Outcome::Unknown, 1)));
}

#[test]
fn crash_ends_the_context_and_keeps_what_took_effect() {
    let mut left = Vec::new();
    for seed in 0..40 {
        let world = World::new(seed);
        let disk = Disk::new(&world, DiskOptions::default());
        let group = world.group();
        let tab = disk.connect(group);
        disk.set_script(Script::default().on(ConnectionId::new(0), 2, Fault::Crash));
        let done = world.spawn("tab", group, async move {
            for seq in 1..=5 {
                assert_eq!(tab.append(relaxed(seq)).await, Ok(Applied::Done));
            }
        });
        world.run().unwrap();
        assert!(world.is_dead(group) && !done.is_ready());
        left.push(newest(&disk));
    }
    left.sort_unstable();
    left.dedup();
    assert_eq!(left, [2, 3], "two were answered, the third is open");
}

#[test]
fn power_loss_takes_a_suffix_and_never_what_was_flushed() {
    let mut left = Vec::new();
    for seed in 0..100 {
        let world = World::new(seed);
        let disk = Disk::new(&world, DiskOptions::default());
        let group = world.group();
        let tab = disk.connect(group);
        disk.set_script(Script::default().at(6, Fault::PowerLoss));
        let _done = world.spawn("tab", group, async move {
            for seq in 1..=10 {
                let durability = if seq == 3 { Durability::Strict } else { Durability::Relaxed };
                assert_eq!(tab.append(append(seq, durability)).await, Ok(Applied::Done));
            }
        });
        world.run().unwrap();
        assert!(world.is_dead(group));
        let contents = disk.contents();
        let seqs: Vec<_> = contents.log().map(|(seq, _)| seq.get()).collect();
        assert_eq!(seqs, (1..=newest(&disk)).collect::<Vec<_>>());
        assert_eq!(contents.register(Register::Head).map(|head| u64::from(head[0])), Some(newest(&disk)));
        left.push(newest(&disk));
    }
    left.sort_unstable();
    left.dedup();
    assert_eq!(left, [3, 4, 5, 6]);
}

#[test]
fn survivors_are_the_prefixes_of_what_was_not_flushed() {
    let (world, disk, tab) = tab(2, DiskOptions::instant());
    for seq in 1..=4 {
        let durability = if seq == 2 { Durability::Strict } else { Durability::Relaxed };
        assert_eq!(world.block_on(tab.append(append(seq, durability))).unwrap(), Ok(Applied::Done));
    }
    let newest: Vec<_> = disk.survivors().iter().map(|state| state.log().count()).collect();
    assert_eq!(newest, [2, 3, 4]);
}

#[test]
fn full_disk_refuses_what_grows_and_takes_deletions() {
    for quota_style in [QuotaStyle::Chromium, QuotaStyle::Firefox] {
        let options = DiskOptions { quota_bytes: Some(1000), quota_style, ..DiskOptions::instant() };
        let (world, disk, tab) = tab(2, options);
        let apply = |batch: Batch| world.block_on(tab.apply(batch)).unwrap().map_err(|error| error.failure);
        assert_eq!(apply(put("a", 700)), Ok(Applied::Done));
        assert_eq!(apply(put("b", 700)), Err(Failure::Quota));
        assert_eq!(disk.contents().size_bytes(), 701);
        let second = apply(put("b", 1));
        match quota_style {
            QuotaStyle::Chromium => assert_eq!(second, Ok(Applied::Done)),
            QuotaStyle::Firefox => assert_eq!(second, Err(Failure::ConnectionLost)),
        }
        assert_eq!(apply(put("c", 700)), Err(Failure::Quota));
        let deletes = vec![(Store::Main, NameRange::all())];
        assert_eq!(apply(Batch { deletes, ..Batch::default() }), Ok(Applied::Done));
        assert_eq!(apply(put("b", 700)), Ok(Applied::Done));
        assert_eq!(disk.fired()[&FaultKind::Quota], 2);
    }
}

#[test]
fn frozen_tab_hears_its_answer_when_it_thaws() {
    let world = World::new(4);
    let disk = Disk::new(&world, DiskOptions::default());
    let group = world.group();
    let (tab, env) = (disk.connect(group), world.env("tab"));
    disk.set_script(Script::default().at(0, Fault::FreezeTab { ms: 60_000 }));
    let heard = world.spawn("tab", group, async move {
        assert_eq!(tab.append(relaxed(1)).await, Ok(Applied::Done));
        env.monotonic_ms()
    });
    world.block_on(world.env("test").sleep(1000)).unwrap();
    assert_eq!(newest(&disk), 1);
    world.run().unwrap();
    assert!(heard.take().unwrap() >= 60_000.0);
}

#[test]
fn every_damage_changes_what_is_stored() {
    let mut done = std::collections::BTreeMap::new();
    for seed in 0..40 {
        for target in Target::ALL {
            for damage in Damage::ALL {
                let (world, disk, tab) = tab(seed, DiskOptions::instant());
                for seq in 1..=4 {
                    assert_eq!(world.block_on(tab.append(relaxed(seq))).unwrap(), Ok(Applied::Done));
                    let batch =
                        Batch { manifest: Some(vec![1, seq as u8]), ..put(&format!("b{seq}"), 10 + seq as usize) };
                    assert_eq!(world.block_on(tab.apply(batch)).unwrap(), Ok(Applied::Done));
                }
                let before = disk.contents();
                let damaged = disk.damage(target, damage);
                assert_eq!(damaged.is_some(), disk.contents() != before, "seed {seed}: {damage:?} of {target:?}");
                *done.entry((target, damage)).or_insert(0) += u32::from(damaged.is_some());
            }
        }
    }
    // Blocks were never overwritten or deleted, so the only stale state of a block is that it is missing.
    done.remove(&(Target::Block, Damage::Stale));
    done.remove(&(Target::LogRecord, Damage::Stale));
    assert!(done.values().all(|&count| count >= 20), "{done:?}");
}

#[test]
fn scripted_damage_hits_before_the_call_reads() {
    let (world, disk, tab) = tab(9, DiskOptions::default());
    assert_eq!(world.block_on(tab.append(relaxed(1))).unwrap(), Ok(Applied::Done));
    disk.set_script(Script::default().at(1, Fault::Corrupt(Target::Head, Damage::Drop)));
    let tail = world.block_on(tab.read_log(None, true)).unwrap().unwrap();
    assert_eq!((tail.head, tail.records.len()), (None, 1));
    assert_eq!(disk.fired()[&FaultKind::Corrupt(Damage::Drop)], 1);
}

#[test]
fn observer_sees_each_phase_with_the_state_of_its_moment() {
    let (world, disk, tab) = tab(9, DiskOptions::default());
    let seen = Rc::new(RefCell::new(Vec::new()));
    let record = Rc::clone(&seen);
    disk.observe(move |disk, moment| {
        record.borrow_mut().push((moment.call, moment.phase, newest(disk), disk.survivors().len()));
    });
    assert_eq!(world.block_on(tab.append(append(1, Durability::Strict))).unwrap(), Ok(Applied::Done));
    assert!(world.block_on(tab.read_log(None, false)).unwrap().is_ok());
    let expected = [
        (0, Phase::Before, 0, 1),
        (0, Phase::Effect, 1, 2),
        (0, Phase::Answered, 1, 1),
        (1, Phase::Before, 1, 1),
        (1, Phase::Answered, 1, 1),
    ];
    assert_eq!(seen.take(), expected);
}
