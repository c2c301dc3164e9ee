//! The campaigns for as long as one likes: `npm run campaign -- [--seed n] [--minutes n]`.
//!
//! `--only name` runs one campaign, `--case name:seed` one case of it, `--plant bug` does so with a planted bug.
//!
//! Not the gate: `npm test` runs the same code at fixed counts. What it has done and found is in
//! `target/campaign.json`; it ends with 1 when it found anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test program"
)]

#[path = "../support/campaign.rs"]
#[allow(dead_code, reason = "the native tests use more of it")]
mod campaign;

use campaign::Campaign;
use campaign::report::Report;
use hyphadb::planted::{Bug, plant};
use hyphadb::storage::simulated::FaultKind;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// What a round does of each campaign.
const ROUND: [(Campaign, u64); 5] = [
    (Campaign::Crash, 20_000),
    (Campaign::Failures, 5_000),
    (Campaign::Schedules, 2_000),
    (Campaign::Damage, 10_000),
    (Campaign::Documents, 500),
];

const USAGE: &str = "[--seed n] [--minutes n] [--only name] [--case name:seed] [--plant bug]";

struct Arguments {
    seed: u64,
    minutes: u64,
    only: Option<Campaign>,
    plant: Option<Bug>,
    case: Option<(Campaign, u64)>,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}\nusage: npm run campaign -- {USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut report = Report::new(arguments.seed);
    match arguments.case {
        Some((campaign, seed)) => {
            plant(arguments.plant);
            campaign.case(seed, &mut report);
        }
        None => {
            // A panic is counted and reported as a finding; its own words go there too.
            std::panic::set_hook(Box::new(|_| ()));
            run(&arguments, &mut report);
            if arguments.only.is_none() && arguments.plant.is_none() {
                campaign::planted::hunt_all(arguments.seed, &mut report);
            }
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/campaign.json");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, report.to_json()).unwrap();
            println!("{}written to {}", report.to_json(), path.display());
        }
    }
    for failure in &report.failures {
        println!("{failure}");
    }
    let mut is_red = !report.failures.is_empty();
    if arguments.case.is_none() && arguments.only.is_none() && arguments.plant.is_none() {
        for (name, count) in report.too_rare(&FaultKind::ALL, 100) {
            println!("the fault `{name}` fired only {count} times");
            is_red = true;
        }
        for name in report.planted.iter().filter(|(_, caught)| !**caught).map(|(name, _)| name) {
            println!("the planted bug `{name}` was not caught");
            is_red = true;
        }
    }
    if is_red { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { seed: 1, minutes: 2, only: None, plant: None, case: None };
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        let number = |value: &str| value.parse().map_err(|_| format!("`{value}` is not a number"));
        match word.as_str() {
            "--seed" => arguments.seed = number(&value)?,
            "--minutes" => arguments.minutes = number(&value)?,
            "--case" => {
                let (name, seed) = value.split_once(':').ok_or_else(|| format!("`{value}` is not name:seed"))?;
                arguments.case = Some((campaign_of(name)?, number(seed)?));
            }
            "--only" => arguments.only = Some(campaign_of(&value)?),
            "--plant" => {
                let bug = Bug::ALL.iter().find(|bug| bug.name() == value);
                arguments.plant = Some(*bug.ok_or_else(|| format!("there is no planted bug `{value}`"))?);
            }
            _ => return Err(format!("`{word}` is not an option")),
        }
    }
    Ok(arguments)
}

fn campaign_of(name: &str) -> Result<Campaign, String> {
    let campaign = Campaign::ALL.into_iter().find(|campaign| campaign.name() == name);
    campaign.ok_or_else(|| format!("there is no campaign `{name}`"))
}

/// Rounds of all campaigns on every core, until the time is over or something was found.
#[expect(clippy::disallowed_methods, reason = "how long to run is a matter of real time; nothing inside depends on it")]
fn run(arguments: &Arguments, report: &mut Report) {
    let end = std::time::Instant::now() + Duration::from_secs(arguments.minutes * 60);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let mut round = 0;
    while report.failures.is_empty() && (round == 0 || std::time::Instant::now() < end) {
        let parts = std::thread::scope(|scope| {
            let start = |core| {
                // Far apart, so that no two rounds share a seed.
                let seed = arguments.seed.wrapping_add((round * cores + core) << 32);
                scope.spawn(move || {
                    plant(arguments.plant);
                    let wanted = |campaign| arguments.only.is_none_or(|only| only == campaign);
                    let parts = ROUND.into_iter().filter(|(campaign, _)| wanted(*campaign));
                    parts.map(|(campaign, count)| campaign.run(seed, count)).collect::<Vec<_>>()
                })
            };
            let threads: Vec<_> = (0..cores).map(start).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        parts.into_iter().for_each(|part| report.merge(part));
        round += 1;
    }
}
