//! Damaged images: every kind of value, hit in every way, at many moments of a run.
//!
//! What must hold: each read answers right, or fails with `corrupt`, `lost` or `unsupported`; so an image with
//! something in it never opens as an empty database. Writing and keeping up on a damaged image makes nothing worse.

use super::Campaign;
use super::model::{Entries, Model, scan};
use super::plan::Plan;
use super::report::{Checked, Finding, Report, Verdict, found};
use super::tab::{Tab, Tolerance};
use core::cell::RefCell;
use hyphadb::engine::{Direction, Engine, KeyRange, Options};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::{Error, ErrorKind};
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Contents;
use hyphadb::storage::simulated::{Damage, Disk, DiskOptions, FaultKind, Phase, Simulated, Target, damage};
use std::rc::Rc;

/// Moments of a run whose image is damaged.
const MOMENTS: usize = 10;

/// How often each damage is done to each kind of value at each moment.
const TIMES: usize = 3;

/// Runs one workload, and damages what it leaves at several moments.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("damage");
    let commits = random.between(10, 40);
    let plan = Plan::random(&mut random, commits);
    let images = match record(&plan, random.next_u64()) {
        Ok(images) => images,
        Err(finding) => return report.note(Campaign::Damage, seed, Err(finding)),
    };
    for _ in 0..MOMENTS {
        let at = random.index(images.len());
        let image = &images[at];
        let earlier = &images[at.saturating_sub(16)..at];
        let expected = match intact(image, &plan.options) {
            Ok(expected) => expected,
            Err(finding) => return report.note(Campaign::Damage, seed, Err(finding)),
        };
        for target in Target::ALL {
            for kind in Damage::ALL {
                for _ in 0..TIMES {
                    let mut contents = image.clone();
                    let Some(damaged) = damage(&mut contents, target, kind, earlier, &mut random) else { continue };
                    report.damaged_images += 1;
                    report.count(FaultKind::Corrupt(kind), 1);
                    let looked = look(&contents, &plan.options, &expected, &mut random);
                    if let Err(Finding { verdict, text }) = looked {
                        let text = format!("image {at}, {damaged}: {text}");
                        return report.note(Campaign::Damage, seed, found(verdict, text));
                    }
                }
            }
        }
    }
}

/// The states that a run goes through.
fn record(plan: &Plan, seed: u64) -> Checked<Vec<Contents>> {
    let world = World::new(seed);
    world.set_tick_us(plan.tick_us);
    let disk = Disk::new(&world, DiskOptions { latency_max_us: plan.latency_max_us, ..DiskOptions::default() });
    let images = Rc::new(RefCell::new(Vec::new()));
    let record = Rc::clone(&images);
    disk.observe(move |disk, moment| {
        if moment.phase == Phase::Effect {
            record.borrow_mut().push(disk.contents());
        }
    });
    let env: Rc<dyn Env> = Rc::new(world.env("tab"));
    let opening = Engine::open(disk.connect(Group::SYSTEM), Rc::clone(&env), plan.options);
    let engine = match world.block_on(opening) {
        Ok(Ok(engine)) => engine,
        other => return found(Verdict::Wrong, format!("opening: {:?}", other.map(|opened| opened.err()))),
    };
    let model = Rc::new(RefCell::new(Model::new(plan.writers.len())));
    let promises = Tab::new(engine, env, model, Tolerance::None).start(&world, Group::SYSTEM, plan);
    let ran = world.run();
    disk.observe(|_, _| ());
    world.shut_down();
    if let Err(stall) = ran {
        return found(Verdict::Wrong, stall.to_string());
    }
    for promise in promises {
        promise.take().unwrap_or(Ok(()))?;
    }
    // The first commit makes the database: only from there on there is something to lose.
    Ok(images.take())
}

fn intact(image: &Contents, options: &Options) -> Checked<Entries> {
    let world = World::new(0);
    let disk = Disk::with_contents(&world, image.clone(), DiskOptions::instant());
    let read = world.block_on(async {
        let engine = open(&world, &disk, options).await?;
        scan(&engine, Direction::Forward).await
    });
    match read {
        Ok(Ok(entries)) => Ok(entries),
        other => found(Verdict::Wrong, format!("reading an intact image: {other:?}")),
    }
}

async fn open(world: &World, disk: &Disk, options: &Options) -> Result<Engine<Simulated>, Error> {
    Engine::open(disk.connect(Group::SYSTEM), Rc::new(world.env("after")), *options).await
}

fn look(image: &Contents, options: &Options, expected: &Entries, random: &mut Random) -> Checked {
    let world = World::new(random.next_u64());
    let disk = Disk::with_contents(&world, image.clone(), DiskOptions::instant());
    let goes_on = random.percent(25);
    let looking = async {
        let engine = match open(&world, &disk, options).await {
            Ok(engine) => engine,
            Err(error) => return honest("open", &error),
        };
        read(&engine, expected).await?;
        if goes_on {
            go_on(&world, &disk, options, engine, expected).await?;
        }
        Ok(())
    };
    match world.block_on(looking) {
        Ok(checked) => checked,
        Err(stall) => found(Verdict::Wrong, stall.to_string()),
    }
}

/// Whether an error says honestly that something is damaged.
fn honest(what: &str, error: &Error) -> Checked {
    if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Lost | ErrorKind::Unsupported) {
        return Ok(());
    }
    found(Verdict::Wrong, format!("{what} failed with `{}`: {error}", error.kind().code()))
}

/// Reads everything in every way.
async fn read(engine: &Engine<Simulated>, expected: &Entries) -> Checked {
    for direction in [Direction::Forward, Direction::Reverse] {
        let mut scan = match engine.snapshot() {
            Ok(snapshot) => snapshot.scan(KeyRange::all(), direction),
            Err(error) => return honest("snapshot", &error),
        };
        let mut wanted: Box<dyn Iterator<Item = &(Vec<u8>, Vec<u8>)>> = match direction {
            Direction::Forward => Box::new(expected.iter()),
            Direction::Reverse => Box::new(expected.iter().rev()),
        };
        loop {
            let next = match scan.next().await {
                Ok(next) => next,
                Err(error) => {
                    honest("scan", &error)?;
                    break;
                }
            };
            let wanted = wanted.next();
            let is_right = match (&next, wanted) {
                (Some((key, value)), Some(wanted)) => **key == *wanted.0 && **value == *wanted.1,
                (None, None) => true,
                _ => false,
            };
            if !is_right {
                let text = format!("a scan {direction:?} gave {next:?} instead of {wanted:?}");
                return found(Verdict::Wrong, text);
            }
            if next.is_none() {
                break;
            }
        }
    }
    let snapshot = match engine.snapshot() {
        Ok(snapshot) => snapshot,
        Err(error) => return honest("snapshot", &error),
    };
    for (key, value) in expected {
        match snapshot.get(key).await {
            Ok(Some(found)) if *found == **value => {}
            Ok(other) => {
                return found(Verdict::Wrong, format!("get of {} gave {other:?} instead of its value", key.escape_ascii()));
            }
            Err(error) => honest("get", &error)?,
        }
        let beside = [key.as_slice(), b"x"].concat();
        match snapshot.get(&beside).await {
            Ok(None) => {}
            Ok(Some(_)) => return found(Verdict::Wrong, "get gave a value for a key that is not there"),
            Err(error) => honest("get", &error)?,
        }
    }
    Ok(())
}

/// Writes and keeps up, as a program does that does not know of the damage; then reads again, here and anew.
async fn go_on(
    world: &World,
    disk: &Disk,
    options: &Options,
    engine: Engine<Simulated>,
    expected: &Entries,
) -> Checked {
    let probe = (vec![0x10, 0xee], b"probe".to_vec());
    let mut expected = expected.clone();
    let committed = async {
        let transaction = engine.begin()?;
        transaction.put(&probe.0, &probe.1)?;
        engine.commit(transaction, Durability::Strict).await
    };
    match committed.await {
        Ok(_) => {
            expected.push(probe);
            expected.sort();
        }
        Err(error) => honest("commit", &error)?,
    }
    for _ in 0..3 {
        if let Err(error) = engine.checkpoint().await {
            honest("checkpoint", &error)?;
        }
        if let Err(error) = engine.maintain().await {
            honest("upkeep", &error)?;
        }
        if let Err(error) = engine.compact().await {
            honest("compaction", &error)?;
        }
    }
    read(&engine, &expected).await?;
    match open(world, disk, options).await {
        Ok(anew) => read(&anew, &expected).await,
        Err(error) => honest("open", &error),
    }
}
