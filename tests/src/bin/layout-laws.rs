//! Checks the laws of keeping a layout on random documents, for as long as one wants.
//!
//! ```text
//! layout-laws [--cases N] [--seed S] [--first N] [--jobs J] [--kind tree|grammar|mutation|json|dotenv|ini]
//! ```
#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::process::ExitCode;
use std::thread;

use ksops_tests::differential::case::Kind;
use ksops_tests::differential::{run, theirs};
use ksops_tests::laws::{self, Plan};

fn main() -> ExitCode {
    match plan() {
        Ok(plan) => {
            println!("seed {} ({} cases from {}, {} jobs)", plan.seed, plan.cases, plan.first, plan.jobs);
            let report = laws::run(&plan);
            println!("{report}");
            if report.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            println!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn plan() -> Result<Plan, String> {
    let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let oracle = theirs::build()?.ok_or("neither SOPS_ORACLE nor go is there")?;
    let mut plan = Plan { oracle, seed: run::any_seed(), first: 0, cases: 2000, jobs: cores, kind: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{name} {value}: {error}"));
        match name.as_str() {
            "--cases" => plan.cases = number()?,
            "--seed" => plan.seed = number()?,
            "--first" => plan.first = number()?,
            "--jobs" => plan.jobs = usize::try_from(number()?).unwrap_or(1).max(1),
            "--kind" => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == value);
                plan.kind = Some(kind.ok_or_else(|| format!("--kind {value}: no such kind"))?);
            }
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(plan)
}
