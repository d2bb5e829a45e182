//! Loads identities from all sources, once, and remembers what was looked at for the error (key-services.md
//! sections 3.4 and 3.6).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use age::x25519;
use zeroize::Zeroizing;

use crate::command;
use crate::identities::{Line, ParsedIdentities, parse_identities};
use crate::sources::{ConfigDir, IdentitySources};

/// No key file is larger; upstream's limit for those under a passphrase.
const KEY_FILE_LIMIT: u64 = 16 << 20;

/// What one source gave, or all of them together.
#[derive(Default, Clone)]
pub(crate) struct Loaded {
    /// The identities, in the order in which they are tried.
    pub(crate) identities: Vec<x25519::Identity>,
    /// What went wrong with sources that are there.
    pub(crate) errors: Vec<String>,
    /// Places that are not there.
    unused: Vec<String>,
    /// Places that were read and hold no identity.
    empty: Vec<String>,
    /// Whether a source could be read at all.
    pub(crate) read: bool,
}

/// The sources with what was loaded from them.
pub(crate) struct Loader {
    sources: IdentitySources,
    texts: OnceLock<[Loaded; 3]>,
    commands: Mutex<BTreeMap<String, Arc<Loaded>>>,
    default_file: OnceLock<DefaultFile>,
}

/// What each source gave.
pub(crate) struct Parts {
    pub(crate) key: Loaded,
    pub(crate) key_file: Loaded,
    /// `None` if it was not run.
    pub(crate) command: Option<Loaded>,
    pub(crate) default_file: Loaded,
}

/// What the default key file gave.
struct DefaultFile {
    loaded: Loaded,
    /// Whether there is no such file: nothing to speak of if a variable gave a text.
    absent: bool,
}

impl Loader {
    pub(crate) fn new(sources: IdentitySources) -> Self {
        Self {
            sources,
            texts: OnceLock::new(),
            commands: Mutex::new(BTreeMap::new()),
            default_file: OnceLock::new(),
        }
    }

    /// The sources.
    pub(crate) fn sources(&self) -> &IdentitySources {
        &self.sources
    }

    /// What each source gave that holds identities. Without a recipient the command does not run.
    pub(crate) fn parts(&self, recipient: Option<&str>) -> Parts {
        let [_, key, key_file] = self.texts().clone();
        let command = recipient.map(|recipient| (*self.load_command(recipient)).clone());
        Parts { key, key_file, command, default_file: self.default_file().loaded.clone() }
    }

    fn texts(&self) -> &[Loaded; 3] {
        self.texts
            .get_or_init(|| [load_ssh(&self.sources), load_key(&self.sources), load_key_file(&self.sources)])
    }

    fn default_file(&self) -> &DefaultFile {
        self.default_file.get_or_init(|| load_default_file(&self.sources))
    }

    /// Loads everything for `recipient`, which only the command gets to know: files are read once, the command runs
    /// once for each recipient.
    pub(crate) fn load(&self, recipient: &str) -> Loaded {
        let [ssh, key, key_file] = self.texts();
        let command = self.load_command(recipient);
        let mut all = Loaded::default();
        for part in [ssh, key, key_file, &*command] {
            all.append(part);
        }
        let default_file = self.default_file();
        if !(default_file.absent && all.read) {
            all.append(&default_file.loaded);
        }
        all
    }

    fn load_command(&self, recipient: &str) -> Arc<Loaded> {
        // A thread that panicked while it held the lock leaves the map whole.
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = commands
            .entry(recipient.to_owned())
            .or_insert_with(|| Arc::new(load_command(&self.sources, recipient)));
        Arc::clone(loaded)
    }
}

impl Loaded {
    fn append(&mut self, other: &Self) {
        self.identities.extend(other.identities.iter().cloned());
        self.errors.extend_from_slice(&other.errors);
        self.unused.extend_from_slice(&other.unused);
        self.empty.extend_from_slice(&other.empty);
        self.read |= other.read;
    }

    fn unset(place: &str) -> Self {
        Self { unused: vec![place.to_owned()], ..Self::default() }
    }

    fn failed(error: String) -> Self {
        Self { errors: vec![error], ..Self::default() }
    }

    fn parsed(place: &str, text: &[u8], line: Line) -> Self {
        let mut loaded = Self { read: true, ..Self::default() };
        match parse_identities(text, line) {
            Ok(ParsedIdentities { x25519, unsupported }) => {
                if x25519.is_empty() && unsupported.is_empty() {
                    loaded.empty.push(place.to_owned());
                }
                for kind in unsupported {
                    loaded.errors.push(format!(
                        "'{place}' holds a {kind} identity, which this version cannot use yet"
                    ));
                }
                loaded.identities = x25519;
            }
            Err(error) => loaded.errors.push(format!("failed to parse '{place}' age identities: {error}")),
        }
        loaded
    }

    /// What an error adds: the errors of sources, then the places without keys.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        if !self.errors.is_empty() {
            text.push_str(". Errors while loading age identities: ");
            text.push_str(&self.errors.join("; "));
        }
        let places: Vec<String> =
            self.unused.iter().chain(&self.empty).map(|place| format!("'{place}'")).collect();
        match places.as_slice() {
            [] => {}
            [one] => text.push_str(&format!(". Did not find keys in location {one}.")),
            [one, two] => text.push_str(&format!(". Did not find keys in locations {one} and {two}.")),
            [first @ .., last] => {
                text.push_str(&format!(". Did not find keys in locations {}, and {last}.", first.join(", ")))
            }
        }
        text
    }
}

fn load_ssh(sources: &IdentitySources) -> Loaded {
    let mut loaded = Loaded::default();
    for (name, is_set) in [
        ("SOPS_AGE_SSH_PRIVATE_KEY_FILE", sources.ssh_private_key_file.is_some()),
        ("SOPS_AGE_SSH_PRIVATE_KEY_CMD", sources.ssh_private_key_cmd.is_some()),
    ] {
        if is_set {
            loaded.errors.push(format!("{name} is set, but this version cannot use ssh keys yet"));
        } else {
            loaded.unused.push(name.to_owned());
        }
    }
    match &sources.home {
        Some(home) => {
            for file in ["id_ed25519", "id_rsa"] {
                let path = home.join(".ssh").join(file);
                // A key that is there is not reported: most have one for other purposes.
                if !path.exists() {
                    loaded.unused.push(path.display().to_string());
                }
            }
        }
        None if sources.config_dir == ConfigDir::Unused => {}
        None => loaded.errors.push("$HOME is not defined".to_owned()),
    }
    loaded
}

fn load_key(sources: &IdentitySources) -> Loaded {
    match &sources.key {
        Some(text) => Loaded::parsed("SOPS_AGE_KEY", text, Line::Words),
        None => Loaded::unset("SOPS_AGE_KEY"),
    }
}

fn load_key_file(sources: &IdentitySources) -> Loaded {
    let Some(path) = &sources.key_file else {
        return Loaded::unset("SOPS_AGE_KEY_FILE");
    };
    match read_key_file(path) {
        Ok(text) => Loaded::parsed("SOPS_AGE_KEY_FILE", &text, Line::OneIdentity),
        Err(error) => {
            Loaded::failed(format!("failed to open SOPS_AGE_KEY_FILE file: {}", explain(path, &error)))
        }
    }
}

fn load_command(sources: &IdentitySources, recipient: &str) -> Loaded {
    let Some(command) = &sources.key_cmd else {
        return Loaded::unset("SOPS_AGE_KEY_CMD");
    };
    match command::run(command, recipient) {
        Ok(text) => Loaded::parsed("SOPS_AGE_KEY_CMD", &text, Line::OneIdentity),
        Err(error) => Loaded::failed(error),
    }
}

fn load_default_file(sources: &IdentitySources) -> DefaultFile {
    let absent = |loaded| DefaultFile { loaded, absent: true };
    if let ConfigDir::Unknown(reason) = sources.config_dir {
        return absent(Loaded::failed(format!("user config directory could not be determined: {reason}")));
    }
    let Some(path) = sources.default_key_file() else {
        return absent(Loaded::default());
    };
    let place = path.display().to_string();
    let loaded = match read_key_file(&path) {
        Ok(text) => Loaded::parsed(&place, &text, Line::OneIdentity),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(Loaded::unset(&place)),
        Err(error) => Loaded::failed(format!("failed to open file: {}", explain(&path, &error))),
    };
    DefaultFile { loaded, absent: false }
}

/// Reads a key file. A directory reads as empty, as upstream has it.
fn read_key_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Zeroizing::default());
    }
    let expected = usize::try_from(metadata.len().min(KEY_FILE_LIMIT)).unwrap_or_default();
    // Room for the whole file at once, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(expected + 32));
    let mut file = File::open(path)?.take(KEY_FILE_LIMIT + 1);
    file.read_to_end(&mut text)?;
    if text.len() as u64 > KEY_FILE_LIMIT {
        return Err(io::Error::other("the file is too large for a key file"));
    }
    Ok(text)
}

fn explain(path: &Path, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    format!("open {}: {reason}", path.display())
}
