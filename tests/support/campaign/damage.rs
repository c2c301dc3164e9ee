//! Damaged images: every kind of value, hit in every way, at many moments of a run.
//!
//! What must hold: each read answers right, or fails with `corrupt`, `lost` or `unsupported`; so an image with
//! something in it never opens as an empty database. Writing and keeping up on a damaged image makes nothing worse.

use super::Campaign;
use super::model::{Checker, Entries, Model, scan};
use super::plan::Plan;
use super::report::{Checked, Finding, Report, Verdict, found};
use super::tab::{Tab, Tolerance, is_honest};
use core::cell::RefCell;
use hyphadb::engine::{Direction, Engine, KeyRange, Mark, Options};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::{Error, ErrorKind};
use hyphadb::storage::memory::{Contents, Value};
use hyphadb::storage::simulated::{
    Damage, Disk, DiskOptions, Fault, FaultKind, Phase, Script, Simulated, Target, damage,
};
use hyphadb::storage::{CommitSeq, Durability, Register, Store};
use std::rc::Rc;

/// Moments of a run whose image is damaged.
const MOMENTS: usize = 10;

/// How often each damage is done to each kind of value at each moment.
const TIMES: usize = 3;

/// Runs one workload, and damages what it leaves at several moments; then runs it again and damages it meanwhile.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("damage");
    let commits = random.between(10, 40);
    let plan = Plan::random(&mut random, commits);
    let world_seed = random.next_u64();
    let checked = at_rest(&plan, world_seed, &mut random, report)
        .and_then(|calls| (0..LIVE).try_for_each(|_| at_work(&plan, world_seed, calls, &mut random, report)));
    report.note(Campaign::Damage, seed, checked);
}

/// How many runs are damaged while they go on.
const LIVE: usize = 20;

fn at_rest(plan: &Plan, world_seed: u64, random: &mut Random, report: &mut Report) -> Checked<u64> {
    let mut images = Vec::new();
    let (calls, ran) = run(plan, world_seed, Script::default(), Some(&mut images), report);
    ran?;
    for _ in 0..MOMENTS {
        let at = random.index(images.len());
        let image = &images[at];
        let earlier = &images[at.saturating_sub(16)..at];
        let expected = intact(image, &plan.options)?;
        for target in Target::ALL {
            for kind in Damage::ALL {
                for _ in 0..TIMES {
                    let mut contents = image.clone();
                    let Some(damaged) = damage(&mut contents, target, kind, earlier, random) else { continue };
                    report.damaged_images += 1;
                    report.count(FaultKind::Corrupt(kind), 1);
                    if let Err(Finding { verdict, text }) = look(&contents, &plan.options, &expected, random) {
                        return found(verdict, format!("image {at}, {damaged}: {text}"));
                    }
                }
            }
        }
        as_a_whole(image, random.pick(&images).unwrap_or(image), &plan.options, report)?;
    }
    Ok(calls)
}

/// The whole database becomes an earlier one, or an empty one: only a mark kept elsewhere can tell.
fn as_a_whole(image: &Contents, other: &Contents, options: &Options, report: &mut Report) -> Checked {
    let world = World::new(0);
    let seq = |image: &Contents, mark: Option<Mark>| {
        let disk = Disk::with_contents(&world, image.clone(), DiskOptions::instant());
        let options = Options { mark, ..*options };
        let opened = world.block_on(async {
            let engine = open(&world, &disk, &options).await?;
            Ok::<_, Error>((engine.database(), engine.snapshot()?.seq()))
        });
        opened.or_else(|stall| found(Verdict::Wrong, stall.to_string()))
    };
    let (Ok((database, newest)), Ok((_, there))) = (seq(image, None)?, seq(other, None)?) else {
        return found(Verdict::Wrong, "an intact image does not open");
    };
    for (stored, there) in [(other.clone(), there), (Contents::default(), CommitSeq::ZERO)] {
        report.damaged_images += 1;
        report.count(FaultKind::Corrupt(if there == CommitSeq::ZERO { Damage::Clear } else { Damage::Stale }), 1);
        match seq(&stored, Some(Mark { database, seq: newest }))? {
            Ok(_) if there >= newest => {}
            Err(error) if there < newest && error.kind() == ErrorKind::Lost => {}
            other => {
                let other = other.map_err(|error| error.to_string());
                return found(Verdict::Wrong, format!("commit {there} opened with a mark of {newest}: {other:?}"));
            }
        }
    }
    Ok(())
}

/// Damages something while the run goes on.
fn at_work(plan: &Plan, world_seed: u64, calls: u64, random: &mut Random, report: &mut Report) -> Checked {
    let (Some(&target), Some(&kind)) = (random.pick(&Target::ALL), random.pick(&Damage::ALL)) else { return Ok(()) };
    let call = random.below(calls);
    let script = Script::default().at(call, Fault::Corrupt(target, kind));
    let (_, ran) = run(plan, world_seed, script, None, report);
    ran.or_else(|Finding { verdict, text }| found(verdict, format!("{kind:?} of {target:?} at call {call}: {text}")))
}

/// Runs the plan; the number of its calls, and how it went. Keeps the states that it goes through where that is wanted.
fn run(
    plan: &Plan,
    seed: u64,
    script: Script,
    images: Option<&mut Vec<Contents>>,
    report: &mut Report,
) -> (u64, Checked) {
    let world = World::new(seed);
    world.set_tick_us(plan.tick_us);
    let disk = Disk::new(&world, DiskOptions { latency_max_us: plan.latency_max_us, ..DiskOptions::default() });
    let kept = Rc::new(RefCell::new(Vec::new()));
    let tolerance = if images.is_some() { Tolerance::None } else { Tolerance::Damage };
    if images.is_some() {
        let keep = Rc::clone(&kept);
        disk.observe(move |disk, moment| {
            if moment.phase == Phase::Effect {
                keep.borrow_mut().push(disk.contents());
            }
        });
    }
    disk.set_script(script);
    let ran = work(&world, &disk, plan, tolerance);
    disk.observe(|_, _| ());
    world.shut_down();
    report.damaged_images += u64::from(!disk.fired().is_empty());
    report.count_all(&disk.fired());
    if let Some(images) = images {
        *images = kept.take();
    }
    (disk.calls(), ran)
}

fn work(world: &World, disk: &Disk, plan: &Plan, tolerance: Tolerance) -> Checked {
    let env: Rc<dyn Env> = Rc::new(world.env("tab"));
    let opening = Engine::open(disk.connect(Group::SYSTEM), Rc::clone(&env), plan.options);
    let engine = match world.block_on(opening) {
        Ok(Ok(engine)) => engine,
        Ok(Err(error)) => return honest("open", &error),
        Err(stall) => return found(Verdict::Wrong, stall.to_string()),
    };
    let model = Rc::new(RefCell::new(Model::new(plan.writers.len())));
    let promises = Tab::new(engine, env, Rc::clone(&model), tolerance).start(world, Group::SYSTEM, plan);
    if let Err(stall) = world.run() {
        return found(Verdict::Wrong, stall.to_string());
    }
    for promise in promises {
        promise.take().unwrap_or(Ok(()))?;
    }
    let read = world.block_on(async {
        let engine = open(world, disk, &plan.options).await?;
        scan(&engine, Direction::Ascending).await
    });
    match read {
        Ok(Ok(entries)) => {
            let model = model.borrow();
            let mut checker = Checker::new(&model);
            let present = checker.check(&entries)?;
            checker.check_fates(&present)
        }
        Ok(Err(error)) => honest("reading at the end", &error),
        Err(stall) => found(Verdict::Wrong, stall.to_string()),
    }
}

/// Flips every single bit of a small database, one at a time; how many there were.
pub fn every_bit(seed: u64) -> Checked<u64> {
    let mut random = Random::new(seed).derive("every bit");
    let plan = Plan::random(&mut random, 12);
    let mut images = Vec::new();
    run(&plan, random.next_u64(), Script::default(), Some(&mut images), &mut Report::new(seed)).1?;
    let image = &images[images.len() - 1];
    let expected = intact(image, &plan.options)?;
    let mut bits = 0;
    for (bytes, put) in values(image) {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.as_ref().clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut contents = image.clone();
            put(&mut contents, Rc::new(flipped));
            look(&contents, &plan.options, &expected, &mut random)?;
            bits += 1;
        }
    }
    Ok(bits)
}

type Put = Box<dyn Fn(&mut Contents, Value)>;

/// Every stored value, each with the way to replace it.
fn values(image: &Contents) -> Vec<(Value, Put)> {
    let mut values: Vec<(Value, Put)> = Vec::new();
    for register in [Register::Head, Register::Manifest] {
        if let Some(value) = image.register(register) {
            let put = move |image: &mut Contents, value| image.set_register(register, Some(value));
            values.push((Rc::clone(value), Box::new(put)));
        }
    }
    for (seq, value) in image.log() {
        let put = move |image: &mut Contents, value| image.set_record(seq, Some(value));
        values.push((Rc::clone(value), Box::new(put)));
    }
    for (name, value) in image.values(Store::Main) {
        let name = name.to_vec();
        let put = move |image: &mut Contents, value| image.set_value(Store::Main, &name, Some(value));
        values.push((Rc::clone(value), Box::new(put)));
    }
    values
}

fn intact(image: &Contents, options: &Options) -> Checked<Entries> {
    let world = World::new(0);
    let disk = Disk::with_contents(&world, image.clone(), DiskOptions::instant());
    let read = world.block_on(async {
        let engine = open(&world, &disk, options).await?;
        scan(&engine, Direction::Ascending).await
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
    if is_honest(error) {
        return Ok(());
    }
    found(Verdict::Wrong, format!("{what} failed with `{}`: {error}", error.kind().code()))
}

/// Reads everything in every way.
async fn read(engine: &Engine<Simulated>, expected: &Entries) -> Checked {
    for direction in [Direction::Ascending, Direction::Descending] {
        let mut scan = match engine.snapshot() {
            Ok(snapshot) => snapshot.scan(KeyRange::all(), direction),
            Err(error) => return honest("snapshot", &error),
        };
        let mut wanted: Box<dyn Iterator<Item = &(Vec<u8>, Vec<u8>)>> = match direction {
            Direction::Ascending => Box::new(expected.iter()),
            Direction::Descending => Box::new(expected.iter().rev()),
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
                return found(
                    Verdict::Wrong,
                    format!("get of {} gave {other:?} instead of its value", key.escape_ascii()),
                );
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
