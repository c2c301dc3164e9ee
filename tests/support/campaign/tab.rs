//! One context at work: its writers and its background, on one engine, in the simulator.
//!
//! Not a judge of what is on disk afterwards.
//!
//! Invariant: every error is typed and its words about the outcome go into the model as they were said.

use super::model::{Checker, Fate, Model, Writes, scan};
use super::plan::{Plan, Step, Upkeep};
use super::report::{Checked, Verdict, found};
use core::cell::{Cell, RefCell};
use hyphadb::engine::{Direction, Engine, Transaction};
use hyphadb::env::Env;
use hyphadb::env::simulated::{Group, Promise, World};
use hyphadb::error::{Detail, Error, ErrorKind};
use hyphadb::storage::Durability;
use hyphadb::storage::simulated::Simulated;
use std::rc::Rc;

/// Which errors are all right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// Only that a snapshot or a transaction is too old.
    None,
    /// What a failing storage may lead to.
    Failures,
    /// What a full disk may lead to: reads go on.
    FullDisk,
    /// What damage may lead to.
    Damage,
}

/// A context at work.
pub struct Tab {
    engine: Engine<Simulated>,
    env: Rc<dyn Env>,
    model: Rc<RefCell<Model>>,
    tolerance: Tolerance,
    writing: Cell<usize>,
}

/// How often a commit is run again after a conflict.
const CONFLICTS_MAX: u32 = 8;

impl Tab {
    /// A context on an engine that is open.
    pub fn new(
        engine: Engine<Simulated>,
        env: Rc<dyn Env>,
        model: Rc<RefCell<Model>>,
        tolerance: Tolerance,
    ) -> Rc<Self> {
        Rc::new(Tab { engine, env, model, tolerance, writing: Cell::new(0) })
    }

    /// Starts everything in the plan.
    pub fn start(self: &Rc<Self>, world: &World, group: Group, plan: &Plan) -> Vec<Promise<Checked>> {
        self.writing.set(plan.writers.len());
        let mut promises = Vec::new();
        for (writer, steps) in plan.writers.iter().enumerate() {
            let (tab, steps) = (Rc::clone(self), steps.clone());
            promises.push(world.spawn("writer", group, async move {
                let written = tab.write(writer, steps).await;
                tab.writing.set(tab.writing.get() - 1);
                written
            }));
        }
        let (tab, upkeep) = (Rc::clone(self), plan.upkeep.clone());
        promises.push(world.spawn("upkeep", group, async move { tab.keep_up(upkeep).await }));
        promises
    }

    async fn write(&self, writer: usize, steps: Vec<Step>) -> Checked {
        for step in steps {
            match step {
                Step::Commit(writes, durability) => {
                    let number = self.model.borrow_mut().begin(writer, writes);
                    let fate = self.commit(writer, number, durability).await?;
                    self.model.borrow_mut().writers[writer][number].fate = fate;
                }
                Step::Read => self.read().await?,
                Step::Pause { ms } => self.env.sleep(ms).await,
            }
        }
        Ok(())
    }

    async fn commit(&self, writer: usize, number: usize, durability: Durability) -> Checked<Fate> {
        let writes = self.model.borrow().writers[writer][number].writes.clone();
        let mut conflicts = 0;
        loop {
            let transaction = match self.prepare(&writes).await {
                Ok(transaction) => transaction,
                Err(error) if error.kind() == ErrorKind::Conflict && conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    continue;
                }
                Err(error) => {
                    self.tolerate("transaction", &error)?;
                    return Ok(Fate::Refused);
                }
            };
            match self.engine.commit(transaction, durability).await {
                // Where an event was lost, even the flush after it may fail, and then the answer says so.
                Ok(committed) if committed.durability < durability && self.tolerance == Tolerance::None => {
                    return found(Verdict::Wrong, "a strict commit was acknowledged as relaxed");
                }
                Ok(committed) => {
                    return Ok(Fate::Acked { seq: committed.seq.get(), durability: committed.durability });
                }
                Err(error) if error.kind() == ErrorKind::Conflict && conflicts < CONFLICTS_MAX => {
                    // Writers touch keys of their own, so only a commit of which nobody knows can be in the way.
                    if !self.model.borrow().writers[writer].iter().any(|commit| commit.fate == Fate::Unknown) {
                        return found(Verdict::Wrong, format!("a conflict with nobody: {error}"));
                    }
                    conflicts += 1;
                }
                Err(error) => {
                    self.tolerate("commit", &error)?;
                    return Ok(fate(&error));
                }
            }
        }
    }

    async fn prepare(&self, writes: &Writes) -> hyphadb::error::Result<Transaction<Simulated>> {
        let transaction = self.engine.begin()?;
        for (key, value) in writes {
            // Half of the transactions read what they write.
            if writes.len().is_multiple_of(2) {
                transaction.get(key).await?;
            }
            match value {
                Some(value) => transaction.put(key, value)?,
                None => transaction.delete(key)?,
            }
        }
        Ok(transaction)
    }

    /// Reads everything and compares it with what is known to be true.
    async fn read(&self) -> Checked {
        for _ in 0..CONFLICTS_MAX {
            let before = self.model.borrow().clone();
            match scan(&self.engine, Direction::Ascending).await {
                Ok(entries) => {
                    // A commit that was begun meanwhile may be seen, and so may one that was acknowledged meanwhile.
                    let after = self.model.borrow().clone();
                    let present = Checker::new(&after).check(&entries)?;
                    return Checker::new(&before).check_fates(&present);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) if self.tolerance == Tolerance::FullDisk => {
                    return found(Verdict::Wrong, format!("reads do not go on when the disk is full: {error}"));
                }
                Err(error) => return self.tolerate("scan", &error),
            }
        }
        Ok(())
    }

    async fn keep_up(&self, upkeep: Vec<Upkeep>) -> Checked {
        let upkeep_count = upkeep.len();
        for (turn, upkeep) in upkeep.iter().cycle().enumerate() {
            if self.writing.get() == 0 {
                break;
            }
            let done = match upkeep {
                Upkeep::Checkpoint => self.engine.checkpoint().await,
                Upkeep::Compact => self.engine.compact().await,
                Upkeep::Maintain => self.engine.maintain().await,
                Upkeep::Preload => {
                    self.engine.preload().await;
                    Ok(true)
                }
                Upkeep::CatchUp => self.engine.catch_up().await,
                Upkeep::Pause => {
                    self.env.sleep(3).await;
                    Ok(true)
                }
            };
            if let Err(error) = done {
                self.tolerate("upkeep", &error)?;
            }
            // The longer it takes, the longer the pauses: while a writer waits for a call that hangs, nothing is new.
            self.env.sleep(1 << (turn / upkeep_count).min(11)).await;
        }
        Ok(())
    }

    fn tolerate(&self, what: &str, error: &Error) -> Checked {
        let is_tolerable = match self.tolerance {
            Tolerance::None => error.kind() == ErrorKind::Conflict,
            Tolerance::Failures => is_typed(error),
            Tolerance::Damage => is_honest(error) || error.kind() == ErrorKind::Conflict,
            Tolerance::FullDisk => matches!(error.kind(), ErrorKind::Limit | ErrorKind::Unavailable),
        };
        if is_tolerable {
            return Ok(());
        }
        found(Verdict::Wrong, format!("{what} failed with `{}`: {error}", error.kind().code()))
    }
}

/// Whether a failing storage may lead to this error.
pub fn is_typed(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Conflict
            | ErrorKind::Limit
            | ErrorKind::Unavailable
            | ErrorKind::Closed
            | ErrorKind::Corrupt
            | ErrorKind::Unsupported
    )
}

/// Whether an error says that what is stored is damaged.
pub fn is_honest(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Lost | ErrorKind::Unsupported)
}

/// What an error says of its commit.
pub fn fate(error: &Error) -> Fate {
    let mut outcomes = error.details().iter().filter(|(name, _)| *name == "outcome");
    if outcomes.any(|(_, outcome)| *outcome == Detail::Text("unknown".to_owned())) {
        Fate::Unknown
    } else {
        Fate::Refused
    }
}
