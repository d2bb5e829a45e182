//! Which identity sources there are, and which of them holds the identity of a recipient.

use std::path::Path;

use ksops_core::keys::diagnosis::{Finding, State};

use crate::loader::{Loaded, Loader};
use crate::recipient::plain;
use crate::sources::ConfigDir;

/// How many recipients of other identities are named.
const NAMED: usize = 3;

/// Looks at all sources, in the order in which they are tried. Without a recipient nothing is run.
pub(crate) fn findings(loader: &Loader, recipient: Option<&str>) -> Vec<Finding> {
    let sources = loader.sources();
    let parts = loader.parts(recipient);
    let mut look = Look { recipient, is_found: false };
    let mut found = vec![
        look.at_file(
            "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
            sources.ssh_private_key_file.as_deref(),
            "not set",
            &parts.ssh_file,
        ),
        look.at_command(
            "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
            sources.ssh_private_key_cmd.is_some(),
            parts.ssh_command.as_ref(),
        ),
    ];
    for (path, loaded) in &parts.ssh_home {
        found.push(look.at_file("ssh key", Some(path), "no such file", loaded));
    }
    found.push(look.at("SOPS_AGE_KEY", String::new(), "not set", Some(&parts.key)));
    found.push(look.at_file("SOPS_AGE_KEY_FILE", sources.key_file.as_deref(), "not set", &parts.key_file));
    found.push(look.at_command("SOPS_AGE_KEY_CMD", sources.key_cmd.is_some(), parts.command.as_ref()));
    let default = sources.default_key_file();
    if sources.config_dir != ConfigDir::Unused {
        found.push(look.at_file("default key file", default.as_deref(), "no such file", &parts.default_file));
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

    fn at_command(&mut self, name: &str, is_set: bool, loaded: Option<&Loaded>) -> Finding {
        match loaded {
            None if is_set => Finding::new(name, "", State::Untried, "set; it runs for a recipient"),
            loaded => self.at(name, String::new(), "not set", loaded),
        }
    }

    fn at(&mut self, name: &str, source: String, absent: &str, loaded: Option<&Loaded>) -> Finding {
        let Some(loaded) = loaded else { return Finding::new(name, source, State::Absent, absent) };
        let (state, reason) = if self.fits(loaded) {
            let before = std::mem::replace(&mut self.is_found, true);
            let state = if before { State::Good } else { State::Used };
            (state, "holds the identity of this recipient".to_owned())
        } else if !loaded.identities.is_empty() {
            let named: Vec<String> =
                loaded.identities.iter().take(NAMED).map(|identity| identity.describe()).collect();
            let more = if loaded.identities.len() > NAMED { ", …" } else { "" };
            let named = format!("holds {}{more}", named.join(", "));
            let is_open = loaded.identities.iter().all(|identity| identity.recipient().is_some());
            match self.recipient {
                Some(_) if is_open => (State::NoMatch, format!("{named}, not of this recipient")),
                Some(_) if self.is_found => (State::Untried, format!("{named}; not needed")),
                Some(_) => (State::Untried, format!("{named}; only use tells whether it fits")),
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

    /// Whether one of the identities is known to be the recipient's.
    fn fits(&self, loaded: &Loaded) -> bool {
        let Some(recipient) = self.recipient else { return false };
        let recipient = plain(recipient);
        loaded.identities.iter().any(|identity| identity.recipient().is_some_and(|own| own == recipient))
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
