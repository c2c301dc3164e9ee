//! What can go wrong at a storage call, and the script that says where it does.
//!
//! Not the doing of it: that is the disk's.
//!
//! Invariants: calls are counted from 0; the same script on the same program hits the same calls.

use super::damage::{Damage, Target};
use crate::env::simulated::Random;
use std::collections::BTreeMap;

/// Names of DOMExceptions that IndexedDB gives, and a few that it should not but a browser might.
pub const EXCEPTIONS: [&str; 16] = [
    "AbortError",
    "ConstraintError",
    "DataCloneError",
    "DataError",
    "EncodingError",
    "InvalidStateError",
    "NotAllowedError",
    "NotFoundError",
    "NotReadableError",
    "OperationError",
    "QuotaExceededError",
    "SecurityError",
    "TimeoutError",
    "TransactionInactiveError",
    "UnknownError",
    "VersionError",
];

/// A connection of a disk, numbered from 0 in the order of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(super) u64);

impl ConnectionId {
    /// The n-th connection that a disk makes, from 0.
    #[must_use]
    pub const fn new(nth: u64) -> Self {
        ConnectionId(nth)
    }
}

/// What the caller hears of a transaction whose event got lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// Nothing, ever.
    Silence,
    /// An error of this name, with an open outcome.
    Exception(&'static str),
}

/// One thing that goes wrong at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The call fails before it has any effect.
    FailOnce(&'static str),
    /// This call and all later ones fail before they have any effect, until [`super::Disk::clear_faults`].
    FailAlways(&'static str),
    /// The transaction aborts when it should commit: no effect, and the caller knows.
    AbortAtCommit(&'static str),
    /// The transaction commits, but the caller does not hear so.
    CommitWithoutEvent(Ending),
    /// The transaction comes to nothing, but the caller hears an error that leaves that open.
    ErrorWithoutCommit(&'static str),
    /// No effect and no answer.
    Hang,
    /// The transaction holds its stores for this long before it goes on.
    Slow {
        /// Milliseconds of virtual time.
        ms: u32,
    },
    /// The browser closes the connection under the program; what is under way on it ends one way or the other.
    ForceClose,
    /// The context dies. What is under way ends one way or the other.
    Crash,
    /// Every context dies, and a suffix of the effects that no flush has covered is gone.
    PowerLoss,
    /// A stored value is damaged before the call runs.
    Corrupt(Target, Damage),
    /// The wall clock jumps.
    ClockJump {
        /// Milliseconds, either way.
        ms: i64,
    },
    /// The context is not run for this long.
    FreezeTab {
        /// Milliseconds of virtual time.
        ms: u32,
    },
}

/// A kind of fault, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// [`Fault::FailOnce`].
    FailOnce,
    /// [`Fault::FailAlways`].
    FailAlways,
    /// [`Fault::AbortAtCommit`].
    AbortAtCommit,
    /// [`Fault::CommitWithoutEvent`].
    CommitWithoutEvent,
    /// [`Fault::ErrorWithoutCommit`].
    ErrorWithoutCommit,
    /// [`Fault::Hang`].
    Hang,
    /// [`Fault::Slow`].
    Slow,
    /// [`Fault::ForceClose`].
    ForceClose,
    /// [`Fault::Crash`].
    Crash,
    /// [`Fault::PowerLoss`].
    PowerLoss,
    /// [`Fault::Corrupt`] with this damage.
    Corrupt(Damage),
    /// [`Fault::ClockJump`].
    ClockJump,
    /// [`Fault::FreezeTab`].
    FreezeTab,
    /// A write found the quota used up.
    Quota,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [FaultKind; 20] = [
        FaultKind::FailOnce,
        FaultKind::FailAlways,
        FaultKind::AbortAtCommit,
        FaultKind::CommitWithoutEvent,
        FaultKind::ErrorWithoutCommit,
        FaultKind::Hang,
        FaultKind::Slow,
        FaultKind::ForceClose,
        FaultKind::Crash,
        FaultKind::PowerLoss,
        FaultKind::Corrupt(Damage::Flip),
        FaultKind::Corrupt(Damage::Cut),
        FaultKind::Corrupt(Damage::Swap),
        FaultKind::Corrupt(Damage::Stale),
        FaultKind::Corrupt(Damage::Drop),
        FaultKind::Corrupt(Damage::Duplicate),
        FaultKind::Corrupt(Damage::Clear),
        FaultKind::ClockJump,
        FaultKind::FreezeTab,
        FaultKind::Quota,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::FailOnce => "fail_once",
            FaultKind::FailAlways => "fail_always",
            FaultKind::AbortAtCommit => "abort_at_commit",
            FaultKind::CommitWithoutEvent => "commit_without_event",
            FaultKind::ErrorWithoutCommit => "error_without_commit",
            FaultKind::Hang => "hang",
            FaultKind::Slow => "slow",
            FaultKind::ForceClose => "force_close",
            FaultKind::Crash => "crash",
            FaultKind::PowerLoss => "power_loss",
            FaultKind::Corrupt(Damage::Flip) => "corrupt_flip",
            FaultKind::Corrupt(Damage::Cut) => "corrupt_cut",
            FaultKind::Corrupt(Damage::Swap) => "corrupt_swap",
            FaultKind::Corrupt(Damage::Stale) => "corrupt_stale",
            FaultKind::Corrupt(Damage::Drop) => "corrupt_drop",
            FaultKind::Corrupt(Damage::Duplicate) => "corrupt_duplicate",
            FaultKind::Corrupt(Damage::Clear) => "corrupt_clear",
            FaultKind::ClockJump => "clock_jump",
            FaultKind::FreezeTab => "freeze_tab",
            FaultKind::Quota => "quota",
        }
    }
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> FaultKind {
        match self {
            Fault::FailOnce(_) => FaultKind::FailOnce,
            Fault::FailAlways(_) => FaultKind::FailAlways,
            Fault::AbortAtCommit(_) => FaultKind::AbortAtCommit,
            Fault::CommitWithoutEvent(_) => FaultKind::CommitWithoutEvent,
            Fault::ErrorWithoutCommit(_) => FaultKind::ErrorWithoutCommit,
            Fault::Hang => FaultKind::Hang,
            Fault::Slow { .. } => FaultKind::Slow,
            Fault::ForceClose => FaultKind::ForceClose,
            Fault::Crash => FaultKind::Crash,
            Fault::PowerLoss => FaultKind::PowerLoss,
            Fault::Corrupt(_, damage) => FaultKind::Corrupt(damage),
            Fault::ClockJump { .. } => FaultKind::ClockJump,
            Fault::FreezeTab { .. } => FaultKind::FreezeTab,
        }
    }

    /// Any fault that neither kills the context nor damages what is stored.
    #[must_use]
    pub fn any_survivable(random: &mut Random) -> Fault {
        let name = random.pick(&EXCEPTIONS).copied().unwrap_or("UnknownError");
        match random.below(10) {
            0 | 1 => Fault::FailOnce(name),
            2 => Fault::AbortAtCommit(name),
            3 => Fault::CommitWithoutEvent(Ending::Silence),
            4 => Fault::CommitWithoutEvent(Ending::Exception(name)),
            5 => Fault::ErrorWithoutCommit(name),
            6 => Fault::Hang,
            7 => Fault::Slow { ms: random.between(1, 20_000) as u32 },
            8 => Fault::ForceClose,
            _ => Fault::ClockJump { ms: random.between(0, 20 * 365 * 86_400_000) as i64 - 10 * 365 * 86_400_000 },
        }
    }
}

/// How often each kind of fault has fired.
pub type Fired = BTreeMap<FaultKind, u64>;

#[derive(Clone, Copy, Debug)]
struct Rule {
    connection: Option<ConnectionId>,
    call: u64,
    fault: Fault,
}

/// Which fault happens at which call.
///
/// ```
/// use hyphadb::storage::simulated::{ConnectionId, Fault, Script};
/// let script = Script::default().at(3, Fault::Hang).on(ConnectionId::new(1), 0, Fault::ForceClose);
/// # let _ = script;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Script {
    rules: Vec<Rule>,
}

impl Script {
    /// Adds a fault at the disk's call of this number.
    #[must_use]
    pub fn at(mut self, call: u64, fault: Fault) -> Self {
        self.rules.push(Rule { connection: None, call, fault });
        self
    }

    /// Adds a fault at one connection's own call of this number.
    #[must_use]
    pub fn on(mut self, connection: ConnectionId, call: u64, fault: Fault) -> Self {
        self.rules.push(Rule { connection: Some(connection), call, fault });
        self
    }

    /// The fault for a call: its number on the disk, its connection, its number there. Rules that are used up go.
    pub(super) fn next(&mut self, call: u64, connection: ConnectionId, own_call: u64) -> Option<Fault> {
        let at = self.rules.iter().position(|rule| {
            let (applies, nth) = match rule.connection {
                Some(id) => (id == connection, own_call),
                None => (true, call),
            };
            let lasting = matches!(rule.fault, Fault::FailAlways(_));
            applies && (nth == rule.call || lasting && nth > rule.call)
        })?;
        let fault = self.rules.get(at)?.fault;
        if !matches!(fault, Fault::FailAlways(_)) {
            self.rules.swap_remove(at);
        }
        Some(fault)
    }
}
