//! The three programs: where they are, and how each is told to do the same.
//!
//! rops takes its input from standard input only, when that is no terminal; the others are given the path.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::inputs::RULE;

/// A throwaway key of the fixtures.
pub(crate) const RECIPIENT: &str = "age1ycafsea3wy4fdxaku2yjvxpmp5k6ypp5d084p47w5g446f5pl5wqkjwq6d";
const KEYS: &str = include_str!("../../fixtures/keys/age-keys.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ksops,
    Sops,
    Rops,
}

/// What a program is asked to do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job<'a> {
    /// Print its version and nothing else.
    Start,
    Encrypt(&'a Path),
    Decrypt(&'a Path),
}

#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) kind: Kind,
    path: PathBuf,
}

impl Program {
    /// Finds the programs; the names of those that are not there come second.
    pub(crate) fn find() -> (Vec<Self>, Vec<String>) {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tools = env::var_os("KSOPS_TOOLS").map_or_else(|| workspace.join("target/tools"), PathBuf::from);
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let places = [
            (Kind::Ksops, "KSOPS_BIN", target.join("release/ksops"), "cargo build --release -p ksops-cli"),
            (Kind::Sops, "SOPS_3_13", tools.join("bin/sops"), "./test.sh installs it"),
            (Kind::Rops, "ROPS_BIN", tools.join("bin/rops"), "--install-rops"),
        ];
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for (kind, variable, place, remedy) in places {
            let path = env::var_os(variable).map_or(place, PathBuf::from);
            if path.is_file() {
                found.push(Self { kind, path });
            } else {
                missing.push(format!("{kind:?}: {} is missing ({remedy})", path.display()));
            }
        }
        (found, missing)
    }

    /// Installs rops into the tools folder.
    pub(crate) fn install_rops() -> Result<(), String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let tools = env::var_os("KSOPS_TOOLS").map_or_else(|| workspace.join("target/tools"), PathBuf::from);
        let args = ["install", "rops-cli", "--version", "0.1.7", "--locked", "--root"];
        let status = Command::new("cargo").args(args).arg(&tools).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("cargo install rops-cli: {other:?}")),
        }
    }

    /// The command for `job`, output not yet redirected. With `wrapper` another program runs it.
    pub(crate) fn command(&self, job: Job<'_>, wrapper: &[&str]) -> Result<Command, String> {
        let mut command = match wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.path);
                command
            }
            None => Command::new(&self.path),
        };
        let key = KEYS.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).unwrap_or_default();
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", env::temp_dir());
        command.env("SOPS_AGE_KEY", key).env("ROPS_AGE", key).stdin(Stdio::null());
        match (self.kind, job) {
            (Kind::Rops, Job::Start) => command.arg("--help"),
            (_, Job::Start) => command.args(["--version", "--disable-version-check"]),
            (Kind::Rops, Job::Encrypt(path)) => {
                command.stdin(open(path)?);
                command.args(["encrypt", "--format", "yaml", "--age", RECIPIENT, "--encrypted-regex", RULE])
            }
            (Kind::Rops, Job::Decrypt(path)) => {
                command.stdin(open(path)?);
                command.args(["decrypt", "--format", "yaml"])
            }
            (_, Job::Encrypt(path)) => {
                command.args(["encrypt", "--age", RECIPIENT]);
                // Of the other formats everything is encrypted.
                if path.extension().is_some_and(|suffix| suffix == "yaml") {
                    command.args(["--encrypted-regex", RULE]);
                }
                command.arg(path)
            }
            (_, Job::Decrypt(path)) => command.arg("decrypt").arg(path),
        };
        Ok(command)
    }
}

fn open(path: &Path) -> Result<File, String> {
    File::open(path).map_err(|error| format!("{}: {error}", path.display()))
}
