//! What a rig beside the project exports: where its service listens, and with which credentials.
//!
//! `KSOPS_RIGS` names another place than `../shared/rigs`. The exports are handed to programs under test only.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::fixtures;
use crate::oracle;

static STARTING: Mutex<()> = Mutex::new(());

/// The variables of a running rig.
#[derive(Debug, Clone)]
pub struct Exports(Vec<(String, String)>);

impl Exports {
    /// Those of the rig in this folder, which is started if it does not run. Without a rig the test is skipped, or fails in
    /// CI.
    ///
    /// # Panics
    /// If the rig is there and does not start.
    #[must_use]
    pub fn of(rig: &str) -> Option<Self> {
        let rigs = env::var_os("KSOPS_RIGS")
            .map_or_else(|| fixtures::workspace().join("../shared/rigs"), PathBuf::from);
        let script = rigs.join(rig).join("start.sh");
        if !script.is_file() {
            oracle::skipped(&format!("the rig {rig}"));
            return None;
        }
        // A start script that runs twice at once finds its port taken.
        let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let output = Command::new(&script).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(output.status.success(), "{} failed", script.display());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let exports = text.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let exports = exports.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()));
        Some(Self(exports.collect()))
    }

    /// The value of a variable.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("the rig exports no {name}"))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[(String, String)] {
        &self.0
    }
}
