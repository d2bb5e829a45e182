//! Loads identities from all sources, once, and remembers what was looked at for the error (key-services.md
//! sections 3.4 and 3.6).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

use crate::command;
use crate::identities::{Line, parse_identities};
use crate::joint::Open;
use crate::locked::{LockedFile, is_locked};
use crate::sources::{ConfigDir, IdentitySources};
use crate::ssh::private_key::{self, SshKeyFile};

/// No key file is larger; upstream's limit for those under a passphrase.
const KEY_FILE_LIMIT: u64 = 16 << 20;

/// What one source gave, or all of them together.
#[derive(Default, Clone)]
pub(crate) struct Loaded {
    /// The identities, in the order in which they are tried.
    pub(crate) identities: Vec<Arc<dyn Open>>,
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
    files: OnceLock<Files>,
    commands: Mutex<BTreeMap<String, Arc<Commands>>>,
}

/// What the sources gave that are the same for every recipient.
struct Files {
    ssh_file: Loaded,
    /// The keys in the user's home, by their paths.
    ssh_home: Vec<(PathBuf, Loaded)>,
    /// If there is no home.
    no_home: Loaded,
    key: Loaded,
    key_file: Loaded,
    default_file: DefaultFile,
}

/// What the commands gave for one recipient.
struct Commands {
    ssh: Loaded,
    key: Loaded,
}

/// What each source gave.
pub(crate) struct Parts {
    pub(crate) ssh_file: Loaded,
    /// `None` if it was not run.
    pub(crate) ssh_command: Option<Loaded>,
    pub(crate) ssh_home: Vec<(PathBuf, Loaded)>,
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
        Self { sources, files: OnceLock::new(), commands: Mutex::new(BTreeMap::new()) }
    }

    /// The sources.
    pub(crate) fn sources(&self) -> &IdentitySources {
        &self.sources
    }

    /// What each source gave that holds identities. Without a recipient no command runs.
    pub(crate) fn parts(&self, recipient: Option<&str>) -> Parts {
        let files = self.files();
        let commands = recipient.map(|recipient| self.commands(recipient));
        Parts {
            ssh_file: files.ssh_file.clone(),
            ssh_command: commands.as_ref().map(|commands| commands.ssh.clone()),
            ssh_home: files.ssh_home.clone(),
            key: files.key.clone(),
            key_file: files.key_file.clone(),
            command: commands.as_ref().map(|commands| commands.key.clone()),
            default_file: files.default_file.loaded.clone(),
        }
    }

    fn files(&self) -> &Files {
        self.files.get_or_init(|| {
            let (ssh_home, no_home) = load_ssh_home(&self.sources);
            Files {
                ssh_file: load_ssh_file(&self.sources),
                ssh_home,
                no_home,
                key: load_key(&self.sources),
                key_file: load_key_file(&self.sources),
                default_file: load_default_file(&self.sources),
            }
        })
    }

    /// Loads everything for `recipient`, which only the commands get to know: files are read once, a command runs
    /// once for each recipient. What may ask the user comes last.
    pub(crate) fn load(&self, recipient: &str) -> Loaded {
        let files = self.files();
        let commands = self.commands(recipient);
        let mut all = Loaded::default();
        let home = files.ssh_home.iter().map(|(_, loaded)| loaded);
        let ssh = [&files.ssh_file, &commands.ssh].into_iter().chain(home).chain([&files.no_home]);
        for part in ssh.chain([&files.key, &files.key_file, &commands.key]) {
            all.append(part);
        }
        if !(files.default_file.absent && all.read) {
            all.append(&files.default_file.loaded);
        }
        all.identities.sort_by_key(|identity| identity.may_ask());
        all
    }

    fn commands(&self, recipient: &str) -> Arc<Commands> {
        // A thread that panicked while it held the lock leaves the map whole.
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = commands.entry(recipient.to_owned()).or_insert_with(|| {
            Arc::new(Commands {
                ssh: load_ssh_command(&self.sources, recipient),
                key: load_command(&self.sources, recipient),
            })
        });
        Arc::clone(loaded)
    }
}

impl Loaded {
    fn append(&mut self, other: &Self) {
        self.identities.extend(other.identities.iter().map(Arc::clone));
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

    fn found(identities: Vec<Arc<dyn Open>>) -> Self {
        Self { identities, read: true, ..Self::default() }
    }

    /// Reads a key text, or takes an identity file under a passphrase for later.
    fn parsed(sources: &IdentitySources, place: &str, text: &[u8], line: Line) -> Self {
        if is_locked(text) {
            return match LockedFile::new(place, text, sources.agent.clone()) {
                Ok(locked) => Self::found(vec![Arc::new(locked)]),
                Err(error) => Self { errors: vec![error], read: true, ..Self::default() },
            };
        }
        match parse_identities(text, line) {
            Ok(parsed) => {
                let empty = if parsed.list.is_empty() { vec![place.to_owned()] } else { Vec::new() };
                Self { empty, ..Self::found(parsed.list) }
            }
            Err(error) => Self {
                errors: vec![format!("failed to parse '{place}' age identities: {error}")],
                read: true,
                ..Self::default()
            },
        }
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

fn load_ssh_file(sources: &IdentitySources) -> Loaded {
    match &sources.ssh_private_key_file {
        Some(path) => read_ssh_key(path),
        None => Loaded::unset("SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
    }
}

fn load_ssh_home(sources: &IdentitySources) -> (Vec<(PathBuf, Loaded)>, Loaded) {
    let Some(home) = &sources.home else {
        return match sources.config_dir {
            ConfigDir::Unused => (Vec::new(), Loaded::default()),
            _ => (Vec::new(), Loaded::failed("$HOME is not defined".to_owned())),
        };
    };
    let keys = ["id_ed25519", "id_rsa"].map(|file| {
        let path = home.join(".ssh").join(file);
        let loaded =
            if path.exists() { read_ssh_key(&path) } else { Loaded::unset(&path.display().to_string()) };
        (path, loaded)
    });
    (keys.into(), Loaded::default())
}

fn read_ssh_key(path: &Path) -> Loaded {
    let name = path.display().to_string();
    let text = match read_key_file(path) {
        Ok(text) => text,
        Err(error) => return Loaded::failed(format!("failed to open file: {}", explain(path, &error))),
    };
    match private_key::read(&text) {
        Ok(key) => Loaded::found(vec![key.into_identity(name)]),
        Err(why) => Loaded::failed(format!("malformed SSH identity in {name:?}: {why}")),
    }
}

fn load_ssh_command(sources: &IdentitySources, recipient: &str) -> Loaded {
    const NAME: &str = "SOPS_AGE_SSH_PRIVATE_KEY_CMD";
    let Some(command) = &sources.ssh_private_key_cmd else { return Loaded::unset(NAME) };
    match command::run(NAME, command, recipient).map(|text| private_key::read(&text)) {
        Ok(Ok(SshKeyFile::Plain(key))) => Loaded::found(vec![Arc::new(key)]),
        Ok(Ok(SshKeyFile::Locked(_))) => Loaded::failed(format!(
            "the SSH key returned by running {NAME} is password protected, which is unsupported"
        )),
        Ok(Err(why)) => Loaded::failed(format!("malformed SSH identity returned by running {NAME}: {why}")),
        Err(error) => Loaded::failed(error),
    }
}

fn load_key(sources: &IdentitySources) -> Loaded {
    match &sources.key {
        Some(text) => Loaded::parsed(sources, "SOPS_AGE_KEY", text, Line::Words),
        None => Loaded::unset("SOPS_AGE_KEY"),
    }
}

fn load_key_file(sources: &IdentitySources) -> Loaded {
    let Some(path) = &sources.key_file else {
        return Loaded::unset("SOPS_AGE_KEY_FILE");
    };
    match read_key_file(path) {
        Ok(text) => Loaded::parsed(sources, "SOPS_AGE_KEY_FILE", &text, Line::OneIdentity),
        Err(error) => {
            Loaded::failed(format!("failed to open SOPS_AGE_KEY_FILE file: {}", explain(path, &error)))
        }
    }
}

fn load_command(sources: &IdentitySources, recipient: &str) -> Loaded {
    let Some(command) = &sources.key_cmd else {
        return Loaded::unset("SOPS_AGE_KEY_CMD");
    };
    match command::run("SOPS_AGE_KEY_CMD", command, recipient) {
        Ok(text) => Loaded::parsed(sources, "SOPS_AGE_KEY_CMD", &text, Line::OneIdentity),
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
        Ok(text) => Loaded::parsed(sources, &place, &text, Line::OneIdentity),
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
