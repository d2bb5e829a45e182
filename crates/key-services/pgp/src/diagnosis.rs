//! What there is for a key: the program, its home, the public half, the secret half.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use ksops_core::keys::diagnosis::{Finding, State};

use crate::child::run;
use crate::service::start_error;
use crate::settings::PgpSettings;

/// How long a look at the key ring may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks at the program and its home; with a fingerprint also at the key ring.
pub(crate) fn findings(settings: &PgpSettings, fingerprint: Option<&str>) -> Vec<Finding> {
    let name = settings.program.to_string_lossy().into_owned();
    let program = match run(settings, &["--version".as_ref()], b"", LIMIT) {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            let version = text.lines().next().unwrap_or_default().to_owned();
            Finding::new("GnuPG", name, State::Good, version)
        }
        Ok(output) => Finding::new("GnuPG", name, State::Failed, output.stderr),
        Err(error) => {
            let error = start_error(settings, error);
            return vec![Finding::new("GnuPG", name, State::Absent, error.message)];
        }
    };
    let mut found = vec![program, home(settings)];
    if let Some(fingerprint) = fingerprint {
        found.push(half(settings, fingerprint, "public key", "--list-keys", "pub"));
        found.push(half(settings, fingerprint, "secret key", "--list-secret-keys", "sec"));
    }
    found
}

fn home(settings: &PgpSettings) -> Finding {
    let set = settings.home.clone().map(|home| ("GnuPG home", home));
    let variable = || {
        let home = env::var_os("GNUPGHOME").filter(|home| !home.is_empty());
        home.map(|home| ("GNUPGHOME", PathBuf::from(home)))
    };
    let default = || Some(("GnuPG home", PathBuf::from(env::var_os("HOME")?).join(".gnupg")));
    let Some((name, path)) = set.or_else(variable).or_else(default) else {
        return Finding::new("GnuPG home", "", State::Untried, "GnuPG finds it itself");
    };
    let source = path.display().to_string();
    if path.is_dir() {
        Finding::new(name, source, State::Good, "there")
    } else {
        Finding::new(name, source, State::Absent, "no such folder")
    }
}

/// Whether one half of the key is in the ring, by GnuPG's listing for programs.
fn half(settings: &PgpSettings, fingerprint: &str, name: &str, list: &str, record: &str) -> Finding {
    let arguments: Vec<&OsStr> =
        ["--batch", "--with-colons", list, "--", fingerprint].into_iter().map(OsStr::new).collect();
    let (state, reason) = match run(settings, &arguments, b"", LIMIT) {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.lines().find(|line| line.split(':').next() == Some(record));
            match line.map(|line| line.split(':').nth(1).unwrap_or_default().to_owned()) {
                None => (State::Absent, "not in this key ring".to_owned()),
                Some(validity) => match validity.as_str() {
                    "e" => (State::Failed, "expired".to_owned()),
                    "r" => (State::Failed, "revoked".to_owned()),
                    "d" => (State::Failed, "disabled".to_owned()),
                    "i" => (State::Failed, "not valid, for want of a self-signature".to_owned()),
                    _ => (State::Good, "in the key ring".to_owned()),
                },
            }
        }
        Err(error) => (State::Failed, start_error(settings, error).message),
    };
    // An expired key still decrypts.
    let state = if record == "sec" && state == State::Failed { State::Good } else { state };
    Finding::new(name, fingerprint, state, reason)
}
