//! The readings that the native benchmarks store: the documents of `tests/bench`, made from a seed.
//!
//! Not random: the same seed gives the same documents, everywhere.

use hyphadb::value::{Object, Value};

/// How many different agents, and sites, there are.
pub const AGENTS: u64 = 200;
pub const SITES: u64 = 40;
/// The time of the first reading, and the time between two.
pub const TS_START_MS: i32 = 1_700_000_000;
pub const TS_STEP_MS: i32 = 7;

/// Numbers from a seed (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// So many readings, the time rising from one to the next.
pub fn readings(count: usize) -> Vec<Object> {
    let mut numbers = Numbers(1);
    (0..count).map(|place| reading(&mut numbers, i32::try_from(place).unwrap())).collect()
}

fn reading(numbers: &mut Numbers, place: i32) -> Object {
    let tags = ["calibrated", "raw", "night", "manual"];
    let tag = |tag: usize| Value::from(tags[tag % tags.len()]);
    let first = numbers.below(4) as usize;
    let count = 1 + numbers.below(3) as usize;
    Object::from([
        ("id", format!("{:016x}{:08x}", numbers.next(), numbers.next() >> 32).into()),
        ("ts", (TS_START_MS + place * TS_STEP_MS).into()),
        ("agent", format!("agent-{:03}", numbers.below(AGENTS)).into()),
        ("site", format!("site-{:02}", numbers.below(SITES)).into()),
        ("kind", ["temperature", "humidity", "pressure"][numbers.below(3) as usize].into()),
        ("status", if numbers.below(20) == 0 { "warn" } else { "ok" }.into()),
        ("value", Value::number(numbers.below(100_000) as f64 / 1000.0).unwrap()),
        ("unit", ["C", "%", "hPa"][numbers.below(3) as usize].into()),
        ("tags", Value::Array((first..first + count).map(tag).collect())),
        ("note", format!("reading {place} of the day, nothing to see").into()),
    ])
}
