//! Two to four contexts on one disk, each with several transactions at once, while tabs freeze, die and come back.
//!
//! What must hold: the history is that of a serial order of the commits, no update is lost, every context comes to the
//! same state in the end, and nothing hangs.

use super::Campaign;
use super::client::Client;
use super::model::scan;
use super::plan::tiny;
use super::report::{Checked, Report, Verdict, found};
use super::serial::{self, Deed, Loss};
use super::tab::is_typed;
use core::cell::{Cell, RefCell};
use hyphadb::engine::{Direction, Engine, Options};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Random, World};
use hyphadb::error::Error;
use hyphadb::storage::simulated::{Disk, DiskOptions, Fault, FaultKind, Script, Simulated};
use std::rc::Rc;

/// How a case goes.
pub struct Schedule {
    options: Options,
    contexts: usize,
    /// Transactions at once in a context.
    clients: u64,
    /// How many transactions each client makes.
    pub deeds: u64,
    latency_max_us: u64,
    tick_us: u64,
    script: Script,
    /// Freezes: context, when, how long.
    freezes: Vec<(usize, u32, u32)>,
    /// Kills: context, when.
    kills: Vec<(usize, u32)>,
    /// Whether the power fails, which ends it.
    loss: Loss,
}

/// What the contexts of a case share.
pub struct Stage {
    world: World,
    disk: Disk,
    /// How it goes.
    pub schedule: Schedule,
    /// What was done.
    pub deeds: RefCell<Vec<Deed>>,
    /// Commits asked for.
    pub asked: Cell<usize>,
    engines: RefCell<Vec<(Group, Engine<Simulated>)>>,
    groups: RefCell<Vec<Group>>,
    findings: RefCell<Vec<super::report::Finding>>,
}

/// Runs one schedule.
pub fn case(seed: u64, report: &mut Report) {
    let mut random = Random::new(seed).derive("schedules");
    let schedule = Schedule::random(&mut random);
    let world = World::new(random.next_u64());
    world.set_tick_us(schedule.tick_us);
    let options = DiskOptions { latency_max_us: schedule.latency_max_us, ..DiskOptions::default() };
    let disk = Disk::new(&world, options);
    let stage = Rc::new(Stage {
        world,
        disk,
        schedule,
        deeds: RefCell::default(),
        asked: Cell::new(0),
        engines: RefCell::default(),
        groups: RefCell::default(),
        findings: RefCell::default(),
    });
    let checked = run(&stage, report);
    report.schedules += 1;
    report.count_all(&stage.disk.fired());
    report.note(Campaign::Schedules, seed, checked);
    // Whatever still runs holds the world.
    stage.world.shut_down();
    stage.engines.take();
}

impl Schedule {
    fn random(random: &mut Random) -> Schedule {
        let contexts = random.between(2, 4) as usize;
        let mut script = Script::default();
        if random.percent(40) {
            for _ in 0..random.between(1, 4) {
                let call = random.below(150);
                script = match random.below(6) {
                    0 => script.at(call, Fault::Crash),
                    1 | 2 => script.at(call, Fault::FreezeTab { ms: random.between(1, 60_000) as u32 }),
                    _ => script.at(call, Fault::any_survivable(random)),
                };
            }
        }
        // A failure of the power is the only fault of its case, and nothing comes after it.
        let mut loss = Loss::Nothing;
        if random.percent(15) {
            loss = Loss::Suffix;
            script = Script::default().at(random.between(5, 150), Fault::PowerLoss);
        }
        let some = |random: &mut Random, most: u64| if random.percent(50) { 0 } else { random.between(1, most) };
        let context = |random: &mut Random| random.index(contexts);
        let moment = |random: &mut Random| random.between(0, 400) as u32;
        let freezes = 0..some(random, 3);
        let freezes = freezes.map(|_| (context(random), moment(random), random.between(1, 30_000) as u32)).collect();
        let kills = (0..some(random, 2)).map(|_| (context(random), moment(random))).collect();
        Schedule {
            options: tiny(random),
            contexts,
            clients: random.between(1, 3),
            deeds: random.between(2, 6),
            latency_max_us: *random.pick(&[1, 500, 5000]).unwrap(),
            tick_us: *random.pick(&[1, 20, 400]).unwrap(),
            script,
            freezes,
            kills,
            loss,
        }
    }
}

fn run(stage: &Rc<Stage>, report: &mut Report) -> Checked {
    stage.disk.set_script(stage.schedule.script.clone());
    for context in 0..stage.schedule.contexts {
        start(stage, context);
    }
    let chaos = Rc::clone(stage);
    let _chaos = stage.world.spawn("chaos", Group::SYSTEM, async move { chaos.wreak().await });
    if let Err(stall) = stage.world.run() {
        return found(Verdict::Wrong, stall.to_string());
    }
    report.count(FaultKind::FreezeTab, stage.schedule.freezes.len() as u64);
    report.count(FaultKind::Crash, stage.schedule.kills.len() as u64);
    if let Some(finding) = stage.findings.take().into_iter().next() {
        return Err(finding);
    }
    judge(stage)
}

fn start(stage: &Rc<Stage>, context: usize) {
    let group = stage.world.group();
    let number = stage.groups.borrow().len();
    stage.groups.borrow_mut().push(group);
    let (own, world) = (Rc::clone(stage), stage.world.clone());
    let _detached = stage.world.spawn("context", group, async move {
        if let Err(finding) = live(&own, (context, number), group, &world).await {
            own.findings.borrow_mut().push(finding);
        }
    });
}

/// Opens the database, as often as it takes, and starts the clients.
async fn live(stage: &Rc<Stage>, (context, number): (usize, usize), group: Group, world: &World) -> Checked {
    // A context has chance of its own: two never draw the same identifiers.
    let env: Rc<dyn Env> = Rc::new(world.env(&format!("context {number}")));
    let mut random = world.random(&format!("pace {number}"));
    env.sleep(random.below(30) as u32).await;
    if stage.disk.fired().contains_key(&FaultKind::PowerLoss) {
        return Ok(());
    }
    let engine = open(stage, group, &env).await?;
    stage.engines.borrow_mut().push((group, engine.clone()));
    let working = Rc::new(Cell::new(stage.schedule.clients));
    for client in 0..stage.schedule.clients {
        let (stage, engine, env, working) = (Rc::clone(stage), engine.clone(), Rc::clone(&env), Rc::clone(&working));
        let random = random.derive(&format!("client {client}"));
        let _detached = world.spawn("client", group, async move {
            let mut client = Client { stage: Rc::clone(&stage), engine, env, context, random, newest: 0 };
            if let Err(finding) = client.work().await {
                stage.findings.borrow_mut().push(finding);
            }
            working.set(working.get() - 1);
        });
    }
    let mut pause_ms = 10;
    while working.get() > 0 {
        let done = match random.below(6) {
            5 => {
                engine.preload().await;
                Ok(true)
            }
            0 => engine.checkpoint().await,
            1 => engine.compact().await,
            2 | 3 => engine.maintain().await,
            _ => engine.catch_up().await,
        };
        if let Err(error) = done {
            tolerate("upkeep", &error)?;
        }
        // Slower and slower: it may have to wait for a call that hangs.
        pause_ms = (pause_ms + pause_ms / 8).min(1000);
        env.sleep(random.between(1, pause_ms) as u32).await;
    }
    Ok(())
}

async fn open(stage: &Stage, group: Group, env: &Rc<dyn Env>) -> Checked<Engine<Simulated>> {
    let mut tries = 0;
    loop {
        match Engine::open(stage.disk.connect(group), Rc::clone(env), stage.schedule.options).await {
            Ok(engine) => return Ok(engine),
            Err(error) => tolerate("open", &error)?,
        }
        tries += 1;
        if tries > 8 {
            return found(Verdict::Wrong, "opening failed again and again");
        }
        env.sleep(100).await;
    }
}

/// Whether an error is one that the faults of a schedule may lead to.
pub fn tolerate(what: &str, error: &Error) -> Checked {
    if is_typed(error) {
        return Ok(());
    }
    found(Verdict::Wrong, format!("{what} failed with `{}`: {error}", error.kind().code()))
}

impl Stage {
    /// Freezes and kills at their times; every context that died gets a successor.
    async fn wreak(self: &Rc<Self>) {
        let env = self.world.env("chaos");
        let mut events = Vec::new();
        for &(context, at, ms) in &self.schedule.freezes {
            events.push((at, context, Some(ms)));
        }
        for &(context, at) in &self.schedule.kills {
            events.push((at, context, None));
        }
        events.sort();
        let mut passed = 0;
        for (at, context, freeze) in events {
            env.sleep(at - passed).await;
            passed = at;
            let group = self.groups.borrow()[context];
            match freeze {
                Some(ms) => {
                    self.world.freeze(group);
                    let (world, thawing) = (self.world.clone(), self.world.sleep_us(u64::from(ms) * 1000));
                    let _detached = self.world.spawn("thaw", Group::SYSTEM, async move {
                        thawing.await;
                        world.thaw(group);
                    });
                }
                None => self.world.kill(group),
            }
        }
        env.sleep(50).await;
        if self.schedule.loss == Loss::Suffix {
            return;
        }
        let dead = self.groups.borrow().iter().filter(|group| self.world.is_dead(**group)).count();
        for successor in 0..dead {
            start(self, self.schedule.contexts + successor);
        }
    }
}

/// Looks at the end, when all is quiet.
fn judge(stage: &Rc<Stage>) -> Checked {
    stage.disk.clear_faults();
    let env: Rc<dyn Env> = Rc::new(stage.world.env("judge"));
    let looked = stage.world.block_on(async {
        let engine = Engine::open(stage.disk.connect(Group::SYSTEM), env, stage.schedule.options).await?;
        let entries = scan(&engine, Direction::Ascending).await?;
        Ok::<_, Error>((engine.snapshot()?.seq().get(), entries))
    });
    let (last, entries) = match looked {
        Ok(Ok(looked)) => looked,
        Ok(Err(error)) => return found(Verdict::Wrong, format!("opening at the end: {error}")),
        Err(stall) => return found(Verdict::Wrong, format!("opening at the end: {stall}")),
    };
    serial::check(&stage.deeds.borrow(), last, &entries, stage.schedule.loss)?;
    let engines = stage.engines.borrow().clone();
    for (group, engine) in engines {
        if stage.world.is_dead(group) {
            continue;
        }
        let looked = stage.world.block_on(async {
            engine.catch_up().await?;
            scan(&engine, Direction::Ascending).await
        });
        match looked {
            Ok(Ok(seen)) if seen == entries => {}
            Ok(Ok(_)) => return found(Verdict::Wrong, "a context that caught up sees another state"),
            // Its storage may have failed for good while it worked; then it says so.
            Ok(Err(error)) => tolerate("catching up", &error)?,
            Err(stall) => return found(Verdict::Wrong, format!("catching up: {stall}")),
        }
    }
    Ok(())
}
