//! Planted bugs: whether the campaigns would notice them.
//!
//! Not a proof that there are no others.

use super::Campaign;
use super::report::Report;
use hyphadb::planted::{Bug, plant};

/// Units of work after which a bug counts as not caught, by campaign.
const PATIENCE: [(Campaign, u64); 5] = [
    (Campaign::Documents, 300),
    (Campaign::Schedules, 400),
    (Campaign::Damage, 4_000),
    (Campaign::Failures, 3_000),
    (Campaign::Crash, 6_000),
];

/// Runs the campaigns with one bug until something is found; what it was.
pub fn hunt(bug: Bug, seed: u64) -> Option<String> {
    plant(Some(bug));
    let caught = PATIENCE.iter().find_map(|&(campaign, count)| {
        let report = campaign.run(seed, count);
        report.failures.into_iter().next().map(|failure| format!("{}: {failure}", campaign.name()))
    });
    plant(None);
    caught
}

/// Hunts every planted bug.
pub fn hunt_all(seed: u64, report: &mut Report) {
    for &bug in Bug::ALL {
        report.planted.insert(bug.name(), hunt(bug, seed).is_some());
    }
}
