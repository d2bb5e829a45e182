//! The GnuPG rig: throwaway keys of several kinds in a home of its own.
//!
//! The rig is a folder beside the project (`KSOPS_RIG_PGP` names another place). Each test gets a copy of its home, so that no
//! agent knows another test's passphrases.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::fixtures;
use crate::oracle;
use crate::sandbox::Sandbox;

/// What the rig exports; made once.
static EXPORTS: OnceLock<Option<BTreeMap<String, String>>> = OnceLock::new();

/// A GnuPG home in a sandbox; its agent ends when dropped.
pub struct PgpHome {
    exports: BTreeMap<String, String>,
    folder: PathBuf,
}

fn exports() -> Option<BTreeMap<String, String>> {
    let folder = env::var_os("KSOPS_RIG_PGP")
        .map_or_else(|| fixtures::workspace().join("../shared/rigs/pgp"), PathBuf::from);
    let script = folder.join("setup.sh");
    let has_gpg = Command::new("gpg").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !script.is_file() || !has_gpg {
        oracle::skipped("the PGP rig, or gpg,");
        return None;
    }
    let output = Command::new(&script).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    assert!(output.status.success(), "{} failed", script.display());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    };
    Some(text.lines().filter_map(pair).collect())
}

impl PgpHome {
    /// A copy of the rig's home. Without a rig the test is skipped, or fails in CI.
    ///
    /// # Panics
    /// If the rig is there and does not start.
    #[must_use]
    pub fn new(sandbox: &Sandbox) -> Option<Self> {
        let exports = EXPORTS.get_or_init(exports).clone()?;
        let folder = sandbox.root().join("gnupg");
        fs::create_dir(&folder).expect("an empty folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("own folder");
        // Without sockets and locks.
        for name in ["pubring.kbx", "trustdb.gpg", "gpg-agent.conf", "private-keys-v1.d"] {
            let from = PathBuf::from(&exports["GNUPGHOME"]).join(name);
            let copied = Command::new("cp").arg("-a").arg(&from).arg(&folder).status();
            assert!(copied.is_ok_and(|status| status.success()), "{}", from.display());
        }
        Some(Self { exports, folder })
    }

    /// The fingerprint `RIG_PGP_<name>`.
    #[must_use]
    pub fn key(&self, name: &str) -> &str {
        &self.exports[&format!("RIG_PGP_{name}")]
    }

    /// The path of the home.
    #[must_use]
    pub fn path(&self) -> &str {
        self.folder.to_str().expect("UTF-8")
    }

    /// Runs a program of GnuPG in this home.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, program: &str, args: impl IntoIterator<Item = S>) -> Output {
        let mut command = Command::new(program);
        command.args(args).env("GNUPGHOME", &self.folder).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }
}

impl Drop for PgpHome {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--kill", "all"]).env("GNUPGHOME", &self.folder).output();
    }
}
