//! What a run does, chosen by a seed before it starts.
//!
//! Not what goes wrong in it.
//!
//! Invariant: limits are so small that a few dozen commits go through checkpoints, several segments and compactions.

use super::model::{SPACES, Writes, key};
use hyphadb::engine::Options;
use hyphadb::env::simulated::Random;
use hyphadb::storage::Durability;

/// One thing that a writer does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Commits these writes.
    Commit(Writes, Durability),
    /// Reads all its keys and compares.
    Read,
    /// Waits.
    Pause {
        /// Milliseconds of virtual time.
        ms: u32,
    },
}

/// One piece of background work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// A checkpoint, due or not.
    Checkpoint,
    /// A compaction, if one is due.
    Compact,
    /// What is due.
    Maintain,
    /// All blocks into memory, as behind a read.
    Preload,
    /// A look for commits of others.
    CatchUp,
    /// A pause.
    Pause,
}

/// A whole run of one context.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Sizes of the engine.
    pub options: Options,
    /// What each writer does.
    pub writers: Vec<Vec<Step>>,
    /// What is done in the background, over and over.
    pub upkeep: Vec<Upkeep>,
    /// Virtual time per look at the clock.
    pub tick_us: u64,
    /// Latency of the disk.
    pub latency_max_us: u64,
}

/// Tiny limits.
pub fn tiny(random: &mut Random) -> Options {
    Options {
        // In some runs the log only grows.
        memtable_bytes: if random.percent(15) { 1 << 20 } else { random.between(150, 1200) as usize },
        block_bytes: random.between(40, 300) as usize,
        quiet_ms: random.between(0, 3) as f64,
        trim_bytes: random.between(20, 900) as usize,
        room_ms: random.between(0, 600) as u32,
        extent_bytes: random.between(60, 900) as usize,
        segment_bytes: random.between(200, 2000),
        level0_segments: random.between(2, 4) as usize,
        level1_bytes: random.between(300, 3000),
        cache_bytes: *random.pick(&[0, 500, 100_000]).unwrap(),
        recent_bytes: 1 << 20,
        retire_ms: *random.pick(&[0, 20, 60_000]).unwrap(),
        batch_bytes: random.between(50, 1500) as usize,
        slice_ms: *random.pick(&[0.0, 1.0, 8.0]).unwrap(),
        deadline_ms: 10_000,
        reserve_bytes: *random.pick(&[0, 64]).unwrap(),
        ..Options::default()
    }
}

impl Plan {
    /// A plan of about this many commits.
    pub fn random(random: &mut Random, commits: u64) -> Plan {
        let writers = random.between(1, 3);
        Plan {
            options: tiny(random),
            writers: (0..writers).map(|writer| steps(random, writer as usize, commits / writers)).collect(),
            upkeep: upkeep(random),
            tick_us: *random.pick(&[1, 50, 3000]).unwrap(),
            latency_max_us: *random.pick(&[1, 300, 5000]).unwrap(),
        }
    }
}

fn steps(random: &mut Random, writer: usize, commits: u64) -> Vec<Step> {
    let mut steps = Vec::new();
    // Of ten commits this many are strict; in some runs none, in some all.
    let strict = *random.pick(&[0, 1, 3, 10]).unwrap();
    for _ in 0..commits {
        if random.percent(12) {
            steps.push(Step::Read);
        }
        if random.percent(15) {
            steps.push(Step::Pause { ms: random.between(0, 40) as u32 });
        }
        let durability = if random.below(10) < strict { Durability::Strict } else { Durability::Relaxed };
        steps.push(Step::Commit(writes(random, writer), durability));
    }
    steps.push(Step::Read);
    steps
}

/// A few writes to a few keys, so that keys are overwritten, deleted and written again.
pub fn writes(random: &mut Random, writer: usize) -> Writes {
    let count = if random.percent(10) { random.between(5, 12) } else { random.between(0, 3) };
    let mut writes = Writes::new();
    for _ in 0..count {
        let space = *random.pick(&SPACES).unwrap();
        let key = key(space, writer, random.below(8) as u8);
        let value = (!random.percent(30)).then(|| value(random));
        writes.push((key, value));
    }
    writes
}

fn value(random: &mut Random) -> Vec<u8> {
    let size = match random.below(20) {
        0 => 0,
        1 => random.between(300, 900),
        _ => random.between(1, 60),
    };
    let mut value = vec![0; size as usize];
    // Half of them compress.
    if random.percent(50) {
        random.fill(&mut value);
    } else {
        value.fill(random.below(256) as u8);
        let head = value.len().min(8);
        random.fill(&mut value[..head]);
    }
    value
}

fn upkeep(random: &mut Random) -> Vec<Upkeep> {
    let choices = [
        Upkeep::Checkpoint,
        Upkeep::Compact,
        Upkeep::Maintain,
        Upkeep::Maintain,
        Upkeep::Preload,
        Upkeep::CatchUp,
        Upkeep::Pause,
        Upkeep::Pause,
    ];
    // In some runs a checkpoint is made only when it is due.
    let choices = if random.percent(25) { &choices[1..] } else { &choices };
    (0..12).map(|_| *random.pick(choices).unwrap()).collect()
}
