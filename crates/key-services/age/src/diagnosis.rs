//! Which identity sources there are, and which of them holds the identity of a recipient.

use std::path::Path;

use ksops_core::keys::diagnosis::{Finding, State};

use crate::loader::{Loaded, Loader};
use crate::sources::{ConfigDir, IdentitySources};

/// How many recipients of other identities are named.
const NAMED: usize = 3;

/// Looks at all sources, in the order in which they are tried. Without a recipient nothing is run.
pub(crate) fn findings(loader: &Loader, recipient: Option<&str>) -> Vec<Finding> {
    let sources = loader.sources();
    let parts = loader.parts(recipient);
    let mut look = Look { recipient, is_found: false };
    let mut found = ssh(sources);
    found.push(look.at("SOPS_AGE_KEY", String::new(), "not set", Some(&parts.key)));
    found.push(look.at_file("SOPS_AGE_KEY_FILE", sources.key_file.as_deref(), "not set", &parts.key_file));
    found.push(match (&parts.command, &sources.key_cmd) {
        (None, Some(_)) => {
            Finding::new("SOPS_AGE_KEY_CMD", "", State::Untried, "set; it runs for a recipient")
        }
        (command, _) => look.at("SOPS_AGE_KEY_CMD", String::new(), "not set", command.as_ref()),
    });
    let default = sources.default_key_file();
    if sources.config_dir != ConfigDir::Unused {
        found.push(look.at_file("default key file", default.as_deref(), "no such file", &parts.default_file));
    }
    found
}

fn ssh(sources: &IdentitySources) -> Vec<Finding> {
    const LATER: &str = "this version cannot use ssh keys yet";
    let row = |name: &str, source: String, is_there: bool, absent: &str| match is_there {
        true => Finding::new(name, source, State::Unsupported, LATER),
        false => Finding::new(name, source, State::Absent, absent),
    };
    let file = sources.ssh_private_key_file.as_deref();
    let path = file.map(|path| path.display().to_string()).unwrap_or_default();
    let mut found = vec![
        row("SOPS_AGE_SSH_PRIVATE_KEY_FILE", path, file.is_some(), "not set"),
        row("SOPS_AGE_SSH_PRIVATE_KEY_CMD", String::new(), sources.ssh_private_key_cmd.is_some(), "not set"),
    ];
    for name in ["id_ed25519", "id_rsa"] {
        if let Some(home) = &sources.home {
            let path = home.join(".ssh").join(name);
            found.push(row("ssh key", path.display().to_string(), path.exists(), "no such file"));
        }
    }
    found
}

/// The search for one recipient.
struct Look<'a> {
    recipient: Option<&'a str>,
    /// Whether a source before had it.
    is_found: bool,
}

impl Look<'_> {
    fn at_file(&mut self, name: &str, path: Option<&Path>, absent: &str, loaded: &Loaded) -> Finding {
        let source = path.map(|path| path.display().to_string()).unwrap_or_default();
        let mut finding = self.at(name, source, absent, Some(loaded));
        if let Some(note) = path.and_then(wide_mode) {
            finding.reason = format!("{}; {note}", finding.reason);
        }
        finding
    }

    fn at(&mut self, name: &str, source: String, absent: &str, loaded: Option<&Loaded>) -> Finding {
        let Some(loaded) = loaded else { return Finding::new(name, source, State::Absent, absent) };
        let held: Vec<String> =
            loaded.identities.iter().map(|identity| identity.to_public().to_string()).collect();
        let fits = self.recipient.is_some_and(|recipient| held.iter().any(|one| one == recipient.trim()));
        let (state, reason) = if fits {
            let before = std::mem::replace(&mut self.is_found, true);
            let state = if before { State::Good } else { State::Used };
            (state, "holds the identity of this recipient".to_owned())
        } else if !held.is_empty() {
            let named: Vec<&str> = held.iter().take(NAMED).map(String::as_str).collect();
            let more = if held.len() > NAMED { ", …" } else { "" };
            let named = format!("holds the identity of {}{more}", named.join(", "));
            match self.recipient {
                Some(_) => (State::NoMatch, format!("{named}, not of this recipient")),
                None => (State::Good, named),
            }
        } else if !loaded.errors.is_empty() {
            return Finding::new(name, source, State::Failed, loaded.errors.join("; "));
        } else if loaded.read {
            (State::Absent, "holds no identity".to_owned())
        } else {
            (State::Absent, absent.to_owned())
        };
        let reasons = [reason].into_iter().chain(loaded.errors.iter().cloned());
        Finding::new(name, source, state, reasons.collect::<Vec<_>>().join("; "))
    }
}

/// What to say of a file that more than its owner can use.
#[cfg(unix)]
fn wide_mode(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;

    let data = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mode = data.permissions().mode() & 0o777;
    (mode & !0o600 != 0)
        .then(|| format!("its mode is 0{mode:o}, wider than 0600: `chmod 600 {}`", path.display()))
}

#[cfg(not(unix))]
fn wide_mode(_: &Path) -> Option<String> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use age::x25519::Identity;
    use ksops_core::keys::diagnosis::{Finding, State};
    use zeroize::Zeroizing;

    use super::findings;
    use crate::loader::Loader;
    use crate::sources::{ConfigDir, IdentitySources};
    use age::secrecy::ExposeSecret;

    fn text(identity: &Identity) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(identity.to_string().expose_secret().as_bytes().to_vec())
    }

    fn row<'a>(found: &'a [Finding], name: &str) -> &'a Finding {
        found.iter().find(|finding| finding.name == name).unwrap_or_else(|| panic!("no row {name}"))
    }

    #[test]
    fn tells_which_source_holds_the_identity() {
        let (mine, other) = (Identity::generate(), Identity::generate());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.txt");
        fs::write(&path, &*text(&mine)).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("own file");
        let sources = IdentitySources {
            key: Some(text(&other)),
            key_file: Some(path.clone()),
            key_cmd: Some("false".to_owned()),
            home: Some(folder.path().to_owned()),
            config_dir: ConfigDir::At(folder.path().join("none")),
            ..IdentitySources::default()
        };
        let loader = Loader::new(sources);
        let recipient = mine.to_public().to_string();
        let found = findings(&loader, Some(&recipient));
        let key = row(&found, "SOPS_AGE_KEY");
        assert_eq!(key.state, State::NoMatch);
        assert!(key.reason.contains(&other.to_public().to_string()), "{key:?}");
        let file = row(&found, "SOPS_AGE_KEY_FILE");
        assert_eq!((file.state, file.source.as_str()), (State::Used, path.to_str().expect("text")));
        assert!(file.reason.contains("its mode is 0644, wider than 0600"), "{file:?}");
        assert_eq!(row(&found, "SOPS_AGE_KEY_CMD").state, State::Failed);
        assert_eq!(row(&found, "default key file").reason, "no such file");
        assert_eq!(row(&found, "ssh key").state, State::Absent);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
        let found = findings(&loader, None);
        assert_eq!(row(&found, "SOPS_AGE_KEY_FILE").reason, format!("holds the identity of {recipient}"));
        assert_eq!(row(&found, "SOPS_AGE_KEY_CMD").state, State::Untried);
        let shown = format!("{found:?}");
        assert!(!shown.contains("AGE-SECRET-KEY"), "{shown}");
    }

    #[test]
    fn a_source_that_cannot_be_read_is_named() {
        let sources = IdentitySources {
            key: Some(Zeroizing::new(b"AGE-SECRET-KEY-1MARKER".to_vec())),
            key_file: Some("/nowhere/keys.txt".into()),
            ..IdentitySources::default()
        };
        let found = findings(&Loader::new(sources), Some("age1x"));
        let (key, file) = (row(&found, "SOPS_AGE_KEY"), row(&found, "SOPS_AGE_KEY_FILE"));
        assert_eq!((key.state, file.state), (State::Failed, State::Failed));
        assert!(!key.reason.contains("MARKER") && file.reason.contains("no such file"), "{key:?} {file:?}");
        assert!(!found.iter().any(|finding| finding.name == "default key file"));
    }
}
