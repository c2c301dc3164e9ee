//! Crash and power loss at every moment of every storage call, in one run each.
//!
//! Not by running again and again: the disk gives a picture of what would be left at each moment, and each picture is
//! opened later and compared with what had been promised until then.
//!
//! What must hold: after the death of the process every acknowledged commit is there; after power loss every commit up
//! to the newest strict one, and what is missing is a suffix; no commit is there in part; the database can be used.

use super::Campaign;
use super::model::{Checker, Entries, Fate, Model, Present, scan};
use super::plan::Plan;
use super::report::{Checked, Report, Verdict, found};
use super::tab::{Tab, Tolerance};
use core::cell::RefCell;
use hyphadb::engine::{Direction, Engine, Options};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::Error;
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Contents;
use hyphadb::storage::simulated::{Disk, DiskOptions, FaultKind, Simulated};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What ends the run at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Crash,
    PowerLoss,
}

/// What is left at one moment, and what had been promised.
struct Point {
    contents: Contents,
    ending: Ending,
    /// Commits begun, by writer.
    begun: Vec<usize>,
    /// Commits acknowledged, by writer; for power loss only the strict floor counts.
    acked: Vec<usize>,
    strict_seq: u64,
}

/// A recorded run.
struct Recording {
    model: Model,
    points: Vec<Point>,
}

/// Runs one workload with all its crash points; then goes on after a few of them, and does it again.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("crash");
    let checked = levels(&mut random, report);
    report.note(Campaign::Crash, seed, checked);
}

fn levels(random: &mut Random, report: &mut Report) -> Checked {
    let commits = random.between(20, 40);
    let plan = Plan::random(random, commits);
    let start = Model::new(plan.writers.len());
    let first = record(random, &plan, &Contents::default(), start)?;
    let survived = verify(random, &plan.options, &first, report)?;
    for _ in 0..2 {
        let at = random.index(first.points.len());
        let mut next = Plan::random(random, 8);
        next.writers.resize(plan.writers.len(), Vec::new());
        let model = first.model.continued(&survived[at]);
        let second = record(random, &next, &first.points[at].contents, model)?;
        verify(random, &next.options, &second, report)?;
    }
    Ok(())
}

/// Runs a plan from these contents and keeps a picture of every moment.
fn record(random: &mut Random, plan: &Plan, contents: &Contents, model: Model) -> Checked<Recording> {
    let world = World::new(random.next_u64());
    world.set_tick_us(plan.tick_us);
    let options = DiskOptions { latency_max_us: plan.latency_max_us, ..DiskOptions::default() };
    let disk = Disk::with_contents(&world, contents.clone(), options);
    let model = Rc::new(RefCell::new(model));
    let points = Rc::new(RefCell::new(Vec::new()));
    let engine_to_ask = Rc::new(RefCell::new(None::<Engine<Simulated>>));
    observe(&disk, &model, &points, &engine_to_ask);
    let env: Rc<dyn Env> = Rc::new(world.env("tab"));
    let engine = match world.block_on(Engine::open(disk.connect(Group::SYSTEM), Rc::clone(&env), plan.options)) {
        Ok(Ok(engine)) => engine,
        Ok(Err(error)) => return found(Verdict::Wrong, format!("opening failed: {error}")),
        Err(stall) => return found(Verdict::Wrong, format!("opening {stall}")),
    };
    *engine_to_ask.borrow_mut() = Some(engine.clone());
    let tab = Tab::new(engine, env, Rc::clone(&model), Tolerance::None);
    let promises = tab.start(&world, Group::SYSTEM, plan);
    let ran = world.run();
    disk.observe(|_, _| ());
    engine_to_ask.take();
    world.shut_down();
    if let Err(stall) = ran {
        return found(Verdict::Wrong, stall.to_string());
    }
    for promise in promises {
        promise.take().unwrap_or(Ok(()))?;
    }
    let (model, points) = (model.borrow().clone(), points.take());
    Ok(Recording { model, points })
}

fn observe(
    disk: &Disk,
    model: &Rc<RefCell<Model>>,
    points: &Rc<RefCell<Vec<Point>>>,
    engine: &Rc<RefCell<Option<Engine<Simulated>>>>,
) {
    let (model, points, engine) = (Rc::clone(model), Rc::clone(points), Rc::clone(engine));
    let seen = RefCell::new(BTreeSet::new());
    disk.observe(move |disk, _| {
        let model = model.borrow();
        let (begun, acked) = model.progress();
        // What the engine itself says to be safe counts as promised too.
        let durable_seq = engine.borrow().as_ref().map_or(0, |engine| engine.figures().durable_seq);
        let strict_seq = model.strict_seq().max(durable_seq);
        // The same picture with the same promises needs to be looked at only once.
        let add = |state: u64, contents: Contents, ending: Ending| {
            let acked = if ending == Ending::Crash { acked.clone() } else { Vec::new() };
            if seen.borrow_mut().insert((state, ending, acked.clone(), strict_seq)) {
                let begun = begun.clone();
                points.borrow_mut().push(Point { contents, ending, begun, acked, strict_seq });
            }
        };
        let newest = disk.effects();
        add(newest, disk.contents(), Ending::Crash);
        let survivors = disk.survivors();
        let oldest = newest + 1 - survivors.len() as u64;
        for (state, contents) in (oldest..).zip(survivors) {
            add(state, contents, Ending::PowerLoss);
        }
    });
}

/// Opens every picture; which commits each one holds.
fn verify(random: &mut Random, options: &Options, recording: &Recording, report: &mut Report) -> Checked<Vec<Present>> {
    let mut checker = Checker::new(&recording.model);
    let seqs = seqs(&recording.model);
    let mut survived = Vec::with_capacity(recording.points.len());
    for point in &recording.points {
        report.crash_points += 1;
        report.count(if point.ending == Ending::Crash { FaultKind::Crash } else { FaultKind::PowerLoss }, 1);
        let world = World::new(random.next_u64());
        let present = look(&world, options, point, &mut checker, &seqs)?;
        if random.percent(6) {
            go_on(&world, options, point, &mut checker, &present)?;
        }
        survived.push(present);
    }
    Ok(survived)
}

fn look(
    world: &World,
    options: &Options,
    point: &Point,
    checker: &mut Checker<'_>,
    seqs: &[Vec<Option<u64>>],
) -> Checked<Present> {
    let disk = Disk::with_contents(world, point.contents.clone(), DiskOptions::instant());
    let entries = read(world, &disk, options)?;
    let present = checker.check(&entries)?;
    let mut lost = u64::MAX;
    let mut newest = 0;
    for (writer, there) in present.iter().enumerate() {
        let count = there.iter().filter(|there| **there).count();
        if there.iter().take(count).any(|there| !there) {
            return found(Verdict::Lost, format!("writer {writer}: a commit is missing before one that is there"));
        }
        if count > point.begun[writer] {
            return found(Verdict::Wrong, format!("writer {writer}: a commit is there before it was begun"));
        }
        if point.ending == Ending::Crash && count < point.acked[writer] {
            let text = format!("writer {writer}: {count} commits after a crash, {} acknowledged", point.acked[writer]);
            return found(Verdict::Lost, text);
        }
        for (there, seq) in there.iter().zip(&seqs[writer]) {
            match (there, seq) {
                (true, Some(seq)) => newest = newest.max(*seq),
                (false, Some(seq)) => lost = lost.min(*seq),
                _ => {}
            }
        }
    }
    if lost <= point.strict_seq {
        return found(Verdict::Lost, format!("commit {lost} is gone, {} was strict", point.strict_seq));
    }
    if lost <= newest {
        return found(Verdict::Lost, format!("commit {lost} is gone, {newest} is there: not a suffix"));
    }
    Ok(present)
}

/// The numbers that the commits got; none for those of an earlier run.
fn seqs(model: &Model) -> Vec<Vec<Option<u64>>> {
    let seq = |fate| match fate {
        Fate::Acked { seq, .. } if seq > 0 => Some(seq),
        _ => None,
    };
    model.writers.iter().map(|commits| commits.iter().map(|commit| seq(commit.fate)).collect()).collect()
}

fn read(world: &World, disk: &Disk, options: &Options) -> Checked<Entries> {
    match world.block_on(async { scan(&open(world, disk, options).await?, Direction::Ascending).await }) {
        Ok(Ok(entries)) => Ok(entries),
        Ok(Err(error)) => {
            found(Verdict::Lost, format!("reading after a crash failed with `{}`: {error}", error.kind().code()))
        }
        Err(stall) => found(Verdict::Wrong, format!("reading after a crash: {stall}")),
    }
}

async fn open(world: &World, disk: &Disk, options: &Options) -> Result<Engine<Simulated>, Error> {
    Engine::open(disk.connect(Group::SYSTEM), Rc::new(world.env("after")), *options).await
}

/// The database can be written, kept up and opened again.
fn go_on(world: &World, options: &Options, point: &Point, checker: &mut Checker<'_>, present: &Present) -> Checked {
    let disk = Disk::with_contents(world, point.contents.clone(), DiskOptions::instant());
    let probe = (vec![0x10, 0xee], b"probe".to_vec());
    let work = async {
        let engine = open(world, &disk, options).await?;
        let transaction = engine.begin()?;
        transaction.put(&probe.0, &probe.1)?;
        engine.commit(transaction, Durability::Strict).await?;
        engine.checkpoint().await?;
        while engine.maintain().await? {}
        let backwards = scan(&engine, Direction::Descending).await?;
        engine.close().await;
        Ok::<_, Error>(backwards)
    };
    let backwards = match world.block_on(work) {
        Ok(Ok(entries)) => entries,
        Ok(Err(error)) => return found(Verdict::Wrong, format!("going on after a crash: {error}")),
        Err(stall) => return found(Verdict::Wrong, format!("going on after a crash: {stall}")),
    };
    let mut entries = read(world, &disk, options)?;
    if entries != backwards {
        return found(Verdict::Wrong, "a scan backwards sees other entries than one forwards");
    }
    let there = entries.len();
    entries.retain(|entry| *entry != probe);
    if entries.len() + 1 != there {
        return found(Verdict::Lost, "a commit after a crash is gone");
    }
    if checker.check(&entries)? != *present {
        return found(Verdict::Lost, "commits went away while going on after a crash");
    }
    Ok(())
}
