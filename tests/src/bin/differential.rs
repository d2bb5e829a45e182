//! Compares ksops with real sops on random input, for as long as one wants.
//!
//! `differential [--cases N] [--seed S] [--first N] [--jobs J] [--kind tree|grammar|mutation] [--keep FOLDER]`
#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use ksops_tests::differential::case::Kind;
use ksops_tests::differential::run::{self, Plan};
use ksops_tests::differential::theirs;

fn main() -> ExitCode {
    match options().and_then(|(plan, folder)| {
        println!("seed {} ({} cases from {}, {} jobs)", plan.seed, plan.cases, plan.first, plan.jobs);
        let report = run::run(&plan);
        println!("{report}");
        if let Some(folder) = folder {
            run::keep(&report, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(report.unknown.is_empty())
    }) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            println!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<(Plan, Option<PathBuf>), String> {
    let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut plan = Plan {
        oracle: PathBuf::new(),
        seed: run::any_seed(),
        first: 0,
        cases: 2000,
        jobs: cores,
        kind: None,
    };
    let mut folder = None;
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
                plan.kind = Some(kind.ok_or_else(|| format!("--kind {value}: tree, grammar or mutation"))?);
            }
            "--keep" => folder = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    plan.oracle = theirs::build()?.ok_or("neither SOPS_ORACLE nor go is there")?;
    Ok((plan, folder))
}
