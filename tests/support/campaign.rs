//! The campaigns: the real engine in the simulator, against a model, with everything going wrong.
//!
//! Not a test by itself: the native tests run it at fixed counts, `npm run campaign` for as long as one likes.
//!
//! Invariants: a case follows from its seed alone; what a case finds is printed with the command that repeats it.

#[path = "campaign/client.rs"]
pub mod client;
#[path = "campaign/crash.rs"]
pub mod crash;
#[path = "campaign/damage.rs"]
pub mod damage;
#[path = "campaign/documents.rs"]
pub mod documents;
#[path = "campaign/entries.rs"]
pub mod entries;
#[path = "campaign/failures.rs"]
pub mod failures;
#[path = "campaign/model.rs"]
pub mod model;
#[path = "campaign/plan.rs"]
pub mod plan;
#[path = "campaign/planted.rs"]
pub mod planted;
#[path = "campaign/report.rs"]
pub mod report;
#[path = "campaign/schedules.rs"]
pub mod schedules;
#[path = "campaign/serial.rs"]
pub mod serial;
#[path = "campaign/tab.rs"]
pub mod tab;

use report::Report;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One of the campaigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Campaign {
    /// A crash or a power loss at every storage call.
    Crash,
    /// A failure at every storage call.
    Failures,
    /// Several contexts, freezes and kills.
    Schedules,
    /// Damaged images.
    Damage,
    /// Collections and their indexes.
    Documents,
}

impl Campaign {
    /// All of them.
    pub const ALL: [Campaign; 5] =
        [Campaign::Crash, Campaign::Failures, Campaign::Schedules, Campaign::Damage, Campaign::Documents];

    /// Its name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Campaign::Crash => "crash",
            Campaign::Failures => "failures",
            Campaign::Schedules => "schedules",
            Campaign::Damage => "damage",
            Campaign::Documents => "documents",
        }
    }

    /// What it counts, so far.
    pub const fn count(self, report: &Report) -> u64 {
        match self {
            Campaign::Crash => report.crash_points,
            Campaign::Failures => report.call_failures,
            Campaign::Schedules => report.schedules,
            Campaign::Damage => report.damaged_images,
            Campaign::Documents => report.documents,
        }
    }

    /// Runs the case of one seed. A panic is caught, and counted.
    pub fn case(self, seed: u64, report: &mut Report) {
        let ran = catch_unwind(AssertUnwindSafe(|| match self {
            Campaign::Crash => crash::case(seed, report),
            Campaign::Failures => failures::case(seed, report),
            Campaign::Schedules => schedules::case(seed, report),
            Campaign::Damage => damage::case(seed, report),
            Campaign::Documents => documents::case(seed, report),
        }));
        if let Err(panic) = ran {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
            report.fail(report::Verdict::Panic, self, seed, text.to_owned());
        }
    }

    /// Runs cases until `count` is reached or something was found; seeds follow each other from `seed`.
    pub fn run(self, seed: u64, count: u64) -> Report {
        let mut report = Report::new(seed);
        let mut case = seed;
        while self.count(&report) < count && report.failures.is_empty() {
            self.case(case, &mut report);
            case = case.wrapping_add(1);
        }
        report
    }
}
