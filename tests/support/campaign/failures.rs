//! A failure at every storage call of a run, in every way and under every name.
//!
//! Not several at once: one fault a run, so that every call site is hit by each.
//!
//! What must hold: errors are typed; what is said of a commit is true; nothing hangs; when the fault is gone the
//! database can be used, at the latest after it is opened again.

use super::Campaign;
use super::model::{Checker, Entries, Fate, Model, scan};
use super::plan::Plan;
use super::report::{Checked, Report, Verdict, found};
use super::tab::{Tab, Tolerance, is_typed};
use core::cell::RefCell;
use hyphadb::engine::{Direction, Engine};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::Error;
use hyphadb::storage::Durability;
use hyphadb::storage::memory::Contents;
use hyphadb::storage::simulated::{Disk, DiskOptions, EXCEPTIONS, Ending, Fault, Phase, QuotaStyle, Script, Simulated};
use std::rc::Rc;

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Nothing: to count the calls.
    None,
    /// This, at the call of this number.
    At(u64, Fault),
    /// This, and another one so many calls later: when the first one is being dealt with.
    Twice(u64, Fault, u64, Fault),
    /// From the call of this number on, this many bytes more fit.
    Full(u64, usize, QuotaStyle),
}

/// Runs one workload with a fault at each of its calls.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("failures");
    let commits = random.between(4, 10);
    let plan = Plan::random(&mut random, commits);
    let world_seed = random.next_u64();
    let calls = match run(&plan, world_seed, Trouble::None, report) {
        Ok(calls) => calls,
        Err(finding) => return report.note(Campaign::Failures, seed, Err(finding)),
    };
    let mut names = (0..).map(|n: usize| EXCEPTIONS[(n + seed as usize) % EXCEPTIONS.len()]);
    let mut name = || names.next().unwrap_or("UnknownError");
    for call in 0..calls {
        let ms = random.between(1, 40_000) as u32;
        let years = 10 * 365 * 86_400_000;
        let jump = random.between(0, 2 * years) as i64 - years as i64;
        let room = random.between(0, 400) as usize;
        let style = *random.pick(&[QuotaStyle::Chromium, QuotaStyle::Firefox]).unwrap();
        let second = Fault::any_survivable(&mut random);
        let twice = Trouble::Twice(call, Fault::any_survivable(&mut random), random.between(1, 4), second);
        let troubles = [
            twice,
            Trouble::At(call, Fault::FailOnce(name())),
            Trouble::At(call, Fault::FailAlways(name())),
            Trouble::At(call, Fault::AbortAtCommit(name())),
            Trouble::At(call, Fault::CommitWithoutEvent(Ending::Exception(name()))),
            Trouble::At(call, Fault::CommitWithoutEvent(Ending::Silence)),
            Trouble::At(call, Fault::ErrorWithoutCommit(name())),
            Trouble::At(call, Fault::Hang),
            Trouble::At(call, Fault::Slow { ms }),
            Trouble::At(call, Fault::ForceClose),
            Trouble::At(call, Fault::ClockJump { ms: jump }),
            Trouble::Full(call, room, style),
        ];
        for trouble in troubles {
            if let Err(mut finding) = run(&plan, world_seed, trouble, report) {
                finding.text = format!("{trouble:?}: {}", finding.text);
                return report.note(Campaign::Failures, seed, Err(finding));
            }
        }
    }
}

/// Runs the plan; how many calls it made.
fn run(plan: &Plan, world_seed: u64, trouble: Trouble, report: &mut Report) -> Checked<u64> {
    let world = World::new(world_seed);
    world.set_tick_us(plan.tick_us);
    let style = if let Trouble::Full(_, _, style) = trouble { style } else { QuotaStyle::Chromium };
    let options = DiskOptions { latency_max_us: plan.latency_max_us, quota_style: style, ..DiskOptions::default() };
    let disk = Disk::new(&world, options);
    prepare(&disk, trouble);
    let checked = work(&world, &disk, plan, trouble);
    let fired = disk.fired();
    if fired.values().sum::<u64>() > 0 {
        report.call_failures += 1;
        report.count_all(&fired);
    }
    // Whatever still runs holds the world.
    disk.observe(|_, _| ());
    world.shut_down();
    checked?;
    Ok(disk.calls())
}

fn prepare(disk: &Disk, trouble: Trouble) {
    match trouble {
        Trouble::None => {}
        Trouble::At(call, fault) => disk.set_script(Script::default().at(call, fault)),
        Trouble::Twice(call, fault, later, second) => {
            disk.set_script(Script::default().at(call, fault).at(call + later, second));
        }
        Trouble::Full(call, room, _) => disk.observe(move |disk, moment| {
            if moment.call == call && moment.phase == Phase::Before {
                disk.set_quota_bytes(Some(disk.contents().size_bytes() + room));
            }
        }),
    }
}

fn work(world: &World, disk: &Disk, plan: &Plan, trouble: Trouble) -> Checked {
    let env: Rc<dyn Env> = Rc::new(world.env("tab"));
    let engine = match open(world, disk, plan, &env)? {
        Ok(engine) => engine,
        Err(error) if is_typed(&error) && !matches!(trouble, Trouble::None) => {
            relieve(disk);
            match open(world, disk, plan, &env)? {
                Ok(engine) => engine,
                Err(error) => return found(Verdict::Wrong, format!("opening after the fault is gone: {error}")),
            }
        }
        Err(error) => return found(Verdict::Wrong, format!("opening failed with `{}`: {error}", error.kind().code())),
    };
    let model = Rc::new(RefCell::new(Model::new(plan.writers.len())));
    let tolerance = match trouble {
        Trouble::None => Tolerance::None,
        Trouble::At(..) | Trouble::Twice(..) => Tolerance::Failures,
        Trouble::Full(..) => Tolerance::FullDisk,
    };
    let tab = Tab::new(engine.clone(), Rc::clone(&env), Rc::clone(&model), tolerance);
    let promises = tab.start(world, Group::SYSTEM, plan);
    let safes = watch(world, disk, &engine, &model, trouble);
    if let Err(stall) = world.run() {
        return found(Verdict::Wrong, stall.to_string());
    }
    for promise in promises {
        promise.take().unwrap_or(Ok(()))?;
    }
    let last = Safe::now(disk, &engine, &model.borrow());
    relieve(disk);
    let model = model.borrow();
    let mut checker = Checker::new(&model);
    for safe in safes.take().into_iter().chain([last]) {
        safe.check(world, plan, &mut checker)?;
    }
    // The same engine either works or says why not; a new one must work.
    if let Ok(entries) = attempt(world, probe(&engine))? {
        let present = checker.check(&without_probe(entries)?)?;
        checker.check_fates(&present)?;
    }
    attempt(world, async {
        engine.close().await;
        Ok(())
    })?
    .ok();
    let fresh = match open(world, disk, plan, &env)? {
        Ok(engine) => engine,
        Err(error) => return found(Verdict::Wrong, format!("opening again failed: {error}")),
    };
    match attempt(world, probe(&fresh))? {
        Ok(entries) => {
            let present = checker.check(&without_probe(entries)?)?;
            checker.check_fates(&present)
        }
        Err(error) => found(Verdict::Wrong, format!("not usable after the fault is gone: {error}")),
    }
}

/// What power loss would leave at least, and which commits were said to be safe from it.
struct Safe {
    contents: Contents,
    /// Writer and number.
    commits: Vec<(usize, usize)>,
}

impl Safe {
    fn now(disk: &Disk, engine: &Engine<Simulated>, model: &Model) -> Safe {
        let safe_seq = model.strict_seq().max(engine.figures().durable_seq);
        let mut commits = Vec::new();
        for (writer, begun) in model.writers.iter().enumerate() {
            for (number, commit) in begun.iter().enumerate() {
                if matches!(commit.fate, Fate::Acked { seq, .. } if seq <= safe_seq) {
                    commits.push((writer, number));
                }
            }
        }
        Safe { contents: disk.survivors().swap_remove(0), commits }
    }

    fn check(&self, world: &World, plan: &Plan, checker: &mut Checker<'_>) -> Checked {
        let disk = Disk::with_contents(world, self.contents.clone(), DiskOptions::instant());
        let env: Rc<dyn Env> = Rc::new(world.env("after power loss"));
        let read = attempt(world, async {
            let engine = Engine::open(disk.connect(Group::SYSTEM), env, plan.options).await?;
            scan(&engine, Direction::Ascending).await
        });
        let entries = match read? {
            Ok(entries) => entries,
            Err(error) => return found(Verdict::Lost, format!("reading after power loss: {error}")),
        };
        let present = checker.check(&entries)?;
        match self.commits.iter().find(|(writer, number)| !present[*writer][*number]) {
            Some((writer, number)) => {
                found(Verdict::Lost, format!("commit {number} of writer {writer} was said to be safe from power loss"))
            }
            None => Ok(()),
        }
    }
}

/// Looks at what is safe a few calls after the trouble, and some more after that.
fn watch(
    world: &World,
    disk: &Disk,
    engine: &Engine<Simulated>,
    model: &Rc<RefCell<Model>>,
    trouble: Trouble,
) -> Rc<RefCell<Vec<Safe>>> {
    let safes = Rc::new(RefCell::new(Vec::new()));
    let (Trouble::At(call, _) | Trouble::Twice(call, ..)) = trouble else { return safes };
    let (engine, model, seen) = (engine.clone(), Rc::clone(model), Rc::clone(&safes));
    let mut later = world.random("watch");
    let moments = [call + later.between(1, 6), call + later.between(7, 14)];
    disk.observe(move |disk, moment| {
        if moments.contains(&moment.call) && moment.phase == Phase::Before {
            seen.borrow_mut().push(Safe::now(disk, &engine, &model.borrow()));
        }
    });
    safes
}

fn relieve(disk: &Disk) {
    disk.clear_faults();
    disk.set_quota_bytes(None);
    disk.observe(|_, _| ());
}

fn open(world: &World, disk: &Disk, plan: &Plan, env: &Rc<dyn Env>) -> Checked<Result<Engine<Simulated>, Error>> {
    attempt(world, Engine::open(disk.connect(Group::SYSTEM), Rc::clone(env), plan.options))
}

fn attempt<T>(world: &World, work: impl Future<Output = Result<T, Error>>) -> Checked<Result<T, Error>> {
    world.block_on(work).or_else(|stall| found(Verdict::Wrong, stall.to_string()))
}

const PROBE: [u8; 2] = [0x10, 0xee];

/// A commit, upkeep, and a look at everything.
async fn probe(engine: &Engine<Simulated>) -> Result<Entries, Error> {
    let transaction = engine.begin()?;
    transaction.put(&PROBE, b"probe")?;
    engine.commit(transaction, Durability::Strict).await?;
    engine.checkpoint().await?;
    while engine.maintain().await? {}
    scan(engine, Direction::Ascending).await
}

fn without_probe(mut entries: Entries) -> Checked<Entries> {
    let count = entries.len();
    entries.retain(|(key, _)| *key != PROBE);
    if entries.len() + 1 == count { Ok(entries) } else { found(Verdict::Lost, "the probe is gone") }
}
