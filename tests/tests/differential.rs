//! ksops and real sops on random input: the same refusals, the same bytes, and each reads the other.
//!
//! Each run draws a seed and prints it. `KSOPS_DIFFERENTIAL_SEED` repeats a run and `KSOPS_DIFFERENTIAL_CASES` makes it
//! longer; the program `differential` of this package does the same with more options.
#![allow(clippy::print_stderr, reason = "the seed must be seen")]

use std::thread;

use ksops_tests::differential::case::Case;
use ksops_tests::differential::compare::Verdict;
use ksops_tests::differential::programs::Programs;
use ksops_tests::differential::run::{self, Failure, Plan};
use ksops_tests::differential::theirs;
use ksops_tests::failures;
use ksops_tests::oracle;

/// How many cases go through the whole programs; `KSOPS_DIFFERENTIAL_PROGRAMS` sets another number.
const WHOLE_PROGRAMS: u64 = 50;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}

fn seed() -> u64 {
    let seed = number("KSOPS_DIFFERENTIAL_SEED").unwrap_or_else(run::any_seed);
    eprintln!("KSOPS_DIFFERENTIAL_SEED={seed}");
    seed
}

#[test]
fn random_input_has_the_same_outcome_as_with_upstream() {
    let oracle = match theirs::build() {
        Ok(Some(oracle)) => oracle,
        Ok(None) => return oracle::skipped("go, which builds the oracle of real sops,"),
        Err(problem) => panic!("the oracle of real sops cannot be built: {problem}"),
    };
    let plan = Plan {
        oracle,
        seed: seed(),
        first: 0,
        cases: number("KSOPS_DIFFERENTIAL_CASES").unwrap_or(4_000),
        jobs: thread::available_parallelism().map_or(2, std::num::NonZero::get),
        kind: None,
    };
    let report = run::run(&plan);
    eprintln!("{report}");
    assert_eq!(report.cases, plan.cases);
    assert!(report.checks.values().any(|(_, both)| *both > 0), "no case succeeded on both sides");
    assert!(report.unknown.is_empty(), "seed {}: {} unknown differences", plan.seed, report.unknown.len());
}

#[test]
fn the_programs_agree_on_random_input() {
    let Some(programs) = Programs::find() else { return };
    let (seed, cases) = (seed(), number("KSOPS_DIFFERENTIAL_PROGRAMS").unwrap_or(WHOLE_PROGRAMS));
    let mut failed = Vec::new();
    for number in 0..cases {
        let case = Case::random(seed, number, None);
        let different =
            programs.compare(&case).into_iter().filter(|finding| finding.verdict == Verdict::Different);
        failed.extend(different.map(|finding| Failure { number, case: case.clone(), finding }.to_string()));
    }
    failures::none("random cases", cases as usize, &failed);
}
