//! The campaigns at the counts that every change must pass, and the planted bugs that they must catch.
//!
//! Not the long run: that is `npm run campaign`.

use crate::campaign::planted::hunt;
use crate::campaign::report::Report;
use crate::campaign::{Campaign, damage};
use hyphadb::planted::Bug;
use hyphadb::storage::simulated::{Damage, FaultKind};

/// The first seed; another one by `HYPHADB_SEED`.
fn seed() -> u64 {
    std::env::var("HYPHADB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

const CRASH_KINDS: &[FaultKind] = &[FaultKind::Crash, FaultKind::PowerLoss];
const FAILURE_KINDS: &[FaultKind] = &[
    FaultKind::FailOnce,
    FaultKind::FailAlways,
    FaultKind::AbortAtCommit,
    FaultKind::CommitWithoutEvent,
    FaultKind::ErrorWithoutCommit,
    FaultKind::Hang,
    FaultKind::Slow,
    FaultKind::ForceClose,
    FaultKind::ClockJump,
    FaultKind::Quota,
];
const SCHEDULE_KINDS: &[FaultKind] = &[
    FaultKind::FailOnce,
    FaultKind::AbortAtCommit,
    FaultKind::CommitWithoutEvent,
    FaultKind::ErrorWithoutCommit,
    FaultKind::Hang,
    FaultKind::Slow,
    FaultKind::ForceClose,
    FaultKind::ClockJump,
    FaultKind::Crash,
    FaultKind::PowerLoss,
    FaultKind::FreezeTab,
];
const DAMAGE_KINDS: &[FaultKind] = &[
    FaultKind::Corrupt(Damage::Flip),
    FaultKind::Corrupt(Damage::Cut),
    FaultKind::Corrupt(Damage::Swap),
    FaultKind::Corrupt(Damage::Stale),
    FaultKind::Corrupt(Damage::Drop),
    FaultKind::Corrupt(Damage::Duplicate),
    FaultKind::Corrupt(Damage::Clear),
];

/// Runs a campaign to its count. It must find nothing, and each of these kinds of faults must have fired often enough.
#[track_caller]
fn check(campaign: Campaign, count: u64, kinds: &[FaultKind]) {
    let report: Report = campaign.run(seed(), count);
    assert!(report.failures.is_empty(), "{}", report.failures.join("\n"));
    assert!(campaign.count(&report) >= count);
    let rare = report.too_rare(kinds, 100);
    assert!(rare.is_empty(), "kinds of faults that fired too rarely: {rare:?}");
}

#[test]
fn crash_at_any_moment_loses_and_tears_nothing() {
    check(Campaign::Crash, 200_000, CRASH_KINDS);
}

#[test]
fn failure_of_any_call_is_told_truly_and_leaves_the_database_usable() {
    check(Campaign::Failures, 50_000, FAILURE_KINDS);
}

#[test]
fn contexts_that_freeze_and_die_leave_a_serial_history() {
    check(Campaign::Schedules, 20_000, SCHEDULE_KINDS);
}

#[test]
fn damage_is_noticed_and_never_answered_with() {
    check(Campaign::Damage, 100_000, DAMAGE_KINDS);
}

#[test]
fn flip_of_any_bit_is_noticed() {
    let bits: u64 = (0..4).map(|seed| damage::every_bit(seed).unwrap()).sum();
    assert!(bits > 20_000, "only {bits} bits");
}

#[test]
fn contexts_that_write_documents_keep_the_indexes_true() {
    check(Campaign::Documents, 3_000, &[]);
}

#[test]
fn every_kind_of_fault_is_demanded_of_some_campaign() {
    let demanded = [CRASH_KINDS, FAILURE_KINDS, SCHEDULE_KINDS, DAMAGE_KINDS].concat();
    assert!(FaultKind::ALL.iter().all(|kind| demanded.contains(kind)));
}

#[test]
fn every_planted_bug_is_caught() {
    let missed: Vec<_> = Bug::ALL.iter().filter(|bug| hunt(**bug, seed()).is_none()).map(|bug| bug.name()).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn equal_seeds_do_equal_things() {
    for campaign in Campaign::ALL {
        for seed in 0..5 {
            let (mut one, mut other) = (Report::new(seed), Report::new(seed));
            campaign.case(seed, &mut one);
            campaign.case(seed, &mut other);
            assert_eq!(one, other, "{} with seed {seed}", campaign.name());
        }
    }
}
