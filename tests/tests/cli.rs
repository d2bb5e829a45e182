//! Every command line of `fixtures/cli/scenarios.jsonl`: as real sops does it, and as ksops has to.
//!
//! Apart from the unit tests, because statuses, streams and files of the whole program are the interface that scripts use.

use ksops_tests::failures;
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::Program;
use ksops_tests::scenario::model::Scenarios;
use ksops_tests::scenario::run::run;

/// Proves the runner and the file: what they say of sops is what sops does.
#[test]
fn real_sops_does_what_every_scenario_says() {
    let Some(sops) = oracle::sops() else { return };
    let scenarios = Scenarios::read().list;
    let failed = parallel::failures(&scenarios, |scenario| run(scenario, &sops));
    failures::none("scenarios with sops 3.13.3", scenarios.len(), &failed);
}

#[test]
fn ksops_passes_every_scenario() {
    let ksops = Program::ksops();
    let all = if ksops.is_upstream() { Scenarios::read() } else { Scenarios::read_for_ksops() }.list;
    let undecided = all.iter().filter(|scenario| scenario.differs && !ksops.is_upstream());
    let mut failed: Vec<String> =
        undecided.map(|scenario| format!("{}: differs, but not in differs.jsonl", scenario.name)).collect();
    failed.extend(parallel::failures(&all, |scenario| run(scenario, &ksops)));
    failures::none("scenarios", all.len(), &failed);
}
