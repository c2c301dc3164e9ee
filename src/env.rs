//! Time and chance: the one door through which they come in.
//!
//! Not a runtime: nothing is spawned here. Wall time orders nothing in the engine; it is only written down.
//!
//! Invariants: no other file reads a clock or makes randomness (a lint says so); [`Env::monotonic_ms`] never goes back.

use core::future::Future;
use core::pin::Pin;

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod side_by_side;
#[cfg(feature = "simulation")]
pub mod simulated;
pub mod timeout;

/// Milliseconds since the Unix epoch, UTC, as the clock of the machine tells them: it may jump either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Timestamp(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }
}

/// A future without a name, on one thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A source of time and chance.
pub trait Env {
    /// Wall time. It may jump; never order anything by it.
    fn now(&self) -> Timestamp;

    /// Milliseconds since some moment, never going back. For deadlines and slices of work.
    fn monotonic_ms(&self) -> f64;

    /// Fills `bytes` with randomness fit for identifiers.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Waits at least this long. Zero gives other work a turn.
    fn sleep(&self, ms: u32) -> LocalFuture<'static, ()>;
}

/// 128 random bits from an environment: database ids, commit ids, segment ids.
#[must_use]
pub fn random_id(env: &dyn Env) -> [u8; 16] {
    let mut id = [0; 16];
    env.fill_random(&mut id);
    id
}
