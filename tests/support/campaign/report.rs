//! What a campaign has done and found.
//!
//! Not a log: only counts, and the first of what went wrong, each with the command that repeats it.

use super::Campaign;
use hyphadb::storage::simulated::{FaultKind, Fired};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Findings that are written out; more are only counted.
const FAILURES_MAX: usize = 20;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Something that was acknowledged is gone.
    Lost,
    /// A part of a commit is there, and a part is not.
    Torn,
    /// An answer that is not true, or none at all.
    Wrong,
    /// A panic.
    Panic,
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was seen.
    pub text: String,
}

/// What was looked at, if it is all right.
pub type Checked<T = ()> = Result<T, Finding>;

/// A finding.
pub fn found<T>(verdict: Verdict, text: impl Into<String>) -> Checked<T> {
    Err(Finding { verdict, text: text.into() })
}

/// The sum of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The first seed.
    pub seed: u64,
    /// States after a crash or power loss that were opened and compared.
    pub crash_points: u64,
    /// Runs in which a storage call failed.
    pub call_failures: u64,
    /// Runs of several contexts.
    pub schedules: u64,
    /// Damaged states that were opened and read.
    pub damaged_images: u64,
    /// Runs with collections and indexes. Not in the file: it is no figure of its own.
    pub documents: u64,
    /// Cases in which something acknowledged was lost.
    pub lost: u64,
    /// Cases with a part of a commit.
    pub torn: u64,
    /// Cases with a wrong answer, or none.
    pub wrong: u64,
    /// Cases that panicked.
    pub panics: u64,
    /// How often each kind of fault fired.
    pub fired: Fired,
    /// Whether each planted bug was caught.
    pub planted: BTreeMap<&'static str, bool>,
    /// The first findings, each with the command that repeats it.
    pub failures: Vec<String>,
}

impl Report {
    /// Nothing done yet.
    pub fn new(seed: u64) -> Self {
        Report { seed, ..Report::default() }
    }

    /// Notes a finding.
    pub fn fail(&mut self, verdict: Verdict, campaign: Campaign, seed: u64, text: String) {
        match verdict {
            Verdict::Lost => self.lost += 1,
            Verdict::Torn => self.torn += 1,
            Verdict::Wrong => self.wrong += 1,
            Verdict::Panic => self.panics += 1,
        }
        if self.failures.len() < FAILURES_MAX {
            let name = campaign.name();
            self.failures.push(format!("{verdict:?}: {text}\n  again: npm run campaign -- --case {name}:{seed}"));
        }
    }

    /// Notes how a case went.
    pub fn note(&mut self, campaign: Campaign, seed: u64, checked: Checked) {
        if let Err(Finding { verdict, text }) = checked {
            self.fail(verdict, campaign, seed, text);
        }
    }

    /// Adds to the count of a kind of fault.
    pub fn count(&mut self, kind: FaultKind, times: u64) {
        *self.fired.entry(kind).or_default() += times;
    }

    /// Adds the counts of a disk.
    pub fn count_all(&mut self, fired: &Fired) {
        for (&kind, &times) in fired {
            self.count(kind, times);
        }
    }

    /// Adds another report to this one.
    pub fn merge(&mut self, other: Report) {
        self.crash_points += other.crash_points;
        self.call_failures += other.call_failures;
        self.schedules += other.schedules;
        self.damaged_images += other.damaged_images;
        self.documents += other.documents;
        self.lost += other.lost;
        self.torn += other.torn;
        self.wrong += other.wrong;
        self.panics += other.panics;
        self.count_all(&other.fired);
        for (name, caught) in other.planted {
            *self.planted.entry(name).or_default() |= caught;
        }
        self.failures.extend(other.failures);
        self.failures.truncate(FAILURES_MAX);
    }

    /// Kinds of faults that fired less often than this.
    pub fn too_rare(&self, kinds: &[FaultKind], times: u64) -> Vec<(&'static str, u64)> {
        let counts = kinds.iter().map(|kind| (kind.name(), self.fired.get(kind).copied().unwrap_or_default()));
        counts.filter(|(_, count)| *count < times).collect()
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        let fired = FaultKind::ALL.map(|kind| (kind.name(), self.fired.get(&kind).copied().unwrap_or_default()));
        let counts = [
            ("seed", self.seed),
            ("crash_points", self.crash_points),
            ("call_failures", self.call_failures),
            ("schedules", self.schedules),
            ("damaged_images", self.damaged_images),
            ("lost", self.lost),
            ("torn", self.torn),
            ("wrong", self.wrong),
            ("panics", self.panics),
        ];
        let mut json = String::from("{\n");
        for (name, count) in counts {
            let _ = writeln!(json, "  \"{name}\": {count},");
        }
        let fired: Vec<_> = fired.iter().map(|(name, count)| format!("    \"{name}\": {count}")).collect();
        let planted: Vec<_> = self.planted.iter().map(|(name, caught)| format!("    \"{name}\": {caught}")).collect();
        let _ = writeln!(json, "  \"fired\": {{\n{}\n  }},", fired.join(",\n"));
        let _ = writeln!(json, "  \"planted\": {{\n{}\n  }}", planted.join(",\n"));
        json.push_str("}\n");
        json
    }
}
