//! Every command line of `fixtures/cli/scenarios.jsonl`: as real sops does it, and as ksops has to.
//!
//! Apart from the unit tests, because statuses, streams and files of the whole program are the interface that scripts use.
#![allow(clippy::print_stderr, reason = "the number of scenarios in scope is told aloud")]

use std::env;
use std::fs;

use ksops_tests::failures;
use ksops_tests::fixtures;
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::Program;
use ksops_tests::scenario::model::{Scenario, Scenarios};
use ksops_tests::scenario::run::run;
use ksops_tests::scenario::scope::out_of_scope;

const LIST: &str = "cli/out-of-scope.txt";

/// Proves the runner and the file: what they say of sops is what sops does.
#[test]
fn real_sops_does_what_every_scenario_says() {
    let Some(sops) = oracle::sops() else { return };
    let scenarios = Scenarios::read().list;
    let failed = parallel::failures(&scenarios, |scenario| run(scenario, &sops));
    failures::none("scenarios with sops 3.13.3", scenarios.len(), &failed);
}

#[test]
fn ksops_passes_every_scenario_in_scope() {
    let ksops = Program::ksops();
    let all = if ksops.is_upstream() { Scenarios::read() } else { Scenarios::read_for_ksops() }.list;
    let total = all.len();
    let scoped: Vec<Scenario> = all.into_iter().filter(|scenario| out_of_scope(scenario).is_none()).collect();
    let undecided = scoped.iter().filter(|scenario| scenario.differs && !ksops.is_upstream());
    let mut failed: Vec<String> =
        undecided.map(|scenario| format!("{}: differs, but not in differs.jsonl", scenario.name)).collect();
    failed.extend(parallel::failures(&scoped, |scenario| run(scenario, &ksops)));
    eprintln!(
        "{} of {} scenarios in scope passed; {total} in all",
        scoped.len() - failed.len(),
        scoped.len()
    );
    failures::none("scenarios in scope", scoped.len(), &failed);
}

/// `KSOPS_UPDATE=1` writes the list anew.
#[test]
fn the_list_names_exactly_the_scenarios_out_of_scope() {
    let mut list =
        String::from("# Scenarios that ksops need not pass yet: name, issue that brings them, reason.\n");
    for scenario in Scenarios::read().list {
        if let Some((issue, reason)) = out_of_scope(&scenario) {
            list.push_str(&format!("{} {issue} {reason}\n", scenario.name));
        }
    }
    if env::var_os("KSOPS_UPDATE").is_some() {
        fs::write(fixtures::path(LIST), &list).expect("the fixtures can be written");
    }
    assert!(list == fixtures::text(LIST), "fixtures/{LIST} is out of date; see the doc line of this test");
}
