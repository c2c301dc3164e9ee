//! UUIDv7: the key of a document that came without one.
//!
//! Not an order of commits: two contexts, or a clock that was set back, may give later documents earlier ids.
//!
//! Invariants: what one [`Uuids`] gives out only ever grows, within a millisecond and when the clock jumps back.
//! Source: RFC 9562, section 5.7, with the whole random part as the counter of section 6.2, method 2.

use crate::env::Env;
use core::cell::RefCell;

/// Random bytes fetched at once: a call of the host costs more than the bytes.
const POOL_BYTES: usize = 512;
/// Random bytes for a new millisecond.
const FRESH_BYTES: usize = 10;
/// Random bytes for the next step within a millisecond.
const STEP_BYTES: usize = 4;
/// The random part has 74 bits.
const RANDOM_MASK: u128 = (1 << 74) - 1;

/// A source of growing UUIDs.
#[derive(Debug, Default)]
pub struct Uuids(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    ms: u64,
    random: u128,
    pool: Vec<u8>,
}

impl Uuids {
    /// A new source.
    #[must_use]
    pub fn new() -> Self {
        Uuids::default()
    }

    /// The next UUID, as text of 36 characters.
    #[must_use]
    pub fn generate(&self, env: &dyn Env) -> String {
        let now_ms = u64::try_from(env.now().as_ms()).unwrap_or(0);
        let mut state = self.0.borrow_mut();
        if now_ms > state.ms {
            state.ms = now_ms;
            state.random = state.take_random(FRESH_BYTES, env) & RANDOM_MASK;
        } else {
            state.random += 1 + state.take_random(STEP_BYTES, env);
            if state.random > RANDOM_MASK {
                state.ms += 1;
                state.random &= RANDOM_MASK;
            }
        }
        format(state.ms, state.random)
    }
}

impl State {
    fn take_random(&mut self, len: usize, env: &dyn Env) -> u128 {
        if self.pool.len() < len {
            self.pool.resize(POOL_BYTES, 0);
            env.fill_random(&mut self.pool);
        }
        let rest = self.pool.len() - len;
        self.pool.drain(rest..).fold(0, |number, byte| number << 8 | u128::from(byte))
    }
}

/// 48 bits of time, version 7, 12 random bits, variant 2, 62 random bits.
fn format(ms: u64, random: u128) -> String {
    let (high, low) = (random >> 62, random & ((1 << 62) - 1));
    let bits = u128::from(ms & 0xffff_ffff_ffff) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low;
    let part = |from: u32, digits: u32| bits >> from & ((1 << (4 * digits)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{LocalFuture, Timestamp};
    use core::cell::Cell;

    struct Clock {
        now_ms: Cell<i64>,
        random: u8,
    }

    impl Env for Clock {
        fn now(&self) -> Timestamp {
            Timestamp::from_ms(self.now_ms.get())
        }
        fn monotonic_ms(&self) -> f64 {
            0.0
        }
        fn fill_random(&self, bytes: &mut [u8]) {
            bytes.fill(self.random);
        }
        fn sleep(&self, _ms: u32) -> LocalFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    #[test]
    fn ids_grow_within_a_millisecond_and_when_the_clock_jumps_back() {
        for random in [0, 0x5a, 0xff] {
            let clock = Clock { now_ms: Cell::new(1_700_000_000_000), random };
            let uuids = Uuids::new();
            let mut last = uuids.generate(&clock);
            assert!(last.starts_with("018bcfe5-6800-7"), "{last}");
            for step in [0, 0, 0, -5000, 0, 5001, 0] {
                clock.now_ms.set(clock.now_ms.get() + step);
                for _ in 0..1000 {
                    let next = uuids.generate(&clock);
                    assert!(next > last && next.len() == 36, "{last} then {next}");
                    last = next;
                }
            }
        }
    }

    #[test]
    fn version_and_variant_stand_where_the_rfc_has_them() {
        assert_eq!(format(0x0123_4567_89ab, RANDOM_MASK), "01234567-89ab-7fff-bfff-ffffffffffff");
    }
}
