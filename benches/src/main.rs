//! Runs ksops, sops 3.13.3 and rops 0.1.7 on the same input, one after the other, and prints ratios.
//!
//! Whole programs, because that is what people wait for; `benches/README.md` says how to read the result.

use std::process::ExitCode;

mod cases;
mod floor;
mod inputs;
mod measure;
mod programs;
mod report;

fn main() -> ExitCode {
    match cases::run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            report::problem(&problem);
            ExitCode::FAILURE
        }
    }
}
