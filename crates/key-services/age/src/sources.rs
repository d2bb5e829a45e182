//! Where identities are looked for (key-services.md section 3.4). [`IdentitySources::from_environment`] alone
//! reads the environment; everything behind it takes the value.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::agent::Agent;

/// The places where identities are looked for. A place that is `None` is named in errors as not set.
#[derive(Default, Clone)]
pub struct IdentitySources {
    /// `SOPS_AGE_SSH_PRIVATE_KEY_FILE`: an ssh private key.
    pub ssh_private_key_file: Option<PathBuf>,
    /// `SOPS_AGE_SSH_PRIVATE_KEY_CMD`: a command that prints one.
    pub ssh_private_key_cmd: Option<String>,
    /// The user's home, for `.ssh/id_ed25519` and `.ssh/id_rsa` in it.
    pub home: Option<PathBuf>,
    /// `SOPS_AGE_KEY`: a key text.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// `SOPS_AGE_KEY_FILE`: a file with a key text.
    pub key_file: Option<PathBuf>,
    /// `SOPS_AGE_KEY_CMD`: a command that prints a key text.
    pub key_cmd: Option<String>,
    /// The directory of configuration files below which the default key file is; or why there is none.
    pub config_dir: ConfigDir,
    /// The gpg-agent that may know the passphrase of an identity file.
    pub agent: Agent,
}

/// The user's directory of configuration files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ConfigDir {
    /// The default key file is not looked for.
    #[default]
    Unused,
    /// The directory.
    At(PathBuf),
    /// There is none, with the reason.
    Unknown(&'static str),
}

impl IdentitySources {
    /// Reads the environment as upstream does: the `SOPS_AGE_*` variables (set but empty counts as set), and
    /// `XDG_CONFIG_HOME`, `HOME` or `AppData` for the default key file.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// The same with a look-up of variables handed in.
    #[must_use]
    pub fn from_lookup(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| variable(name).map(|value| value.to_string_lossy().into_owned());
        let home_name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let home = variable(home_name).filter(|home| !home.is_empty()).map(PathBuf::from);
        let config_dir = config_dir(&variable, home.as_ref());
        Self {
            ssh_private_key_file: variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE").map(PathBuf::from),
            ssh_private_key_cmd: text("SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
            key: variable("SOPS_AGE_KEY").map(|value| Zeroizing::new(value.into_encoded_bytes())),
            key_file: variable("SOPS_AGE_KEY_FILE").map(PathBuf::from),
            key_cmd: text("SOPS_AGE_KEY_CMD"),
            config_dir,
            agent: agent(&variable, home.as_ref()),
            home,
        }
    }

    /// The default key file, if its directory is known.
    #[must_use]
    pub fn default_key_file(&self) -> Option<PathBuf> {
        match &self.config_dir {
            ConfigDir::At(directory) => Some(directory.join("sops").join("age").join("keys.txt")),
            ConfigDir::Unused | ConfigDir::Unknown(_) => None,
        }
    }
}

impl std::fmt::Debug for IdentitySources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A command can hold a secret as well as the key text.
        f.debug_struct("IdentitySources")
            .field("key_file", &self.key_file)
            .field("config_dir", &self.config_dir)
            .finish_non_exhaustive()
    }
}

/// The agent that upstream would ask: the one that is named, else the default one of this user.
fn agent(variable: &impl Fn(&str) -> Option<OsString>, home: Option<&PathBuf>) -> Agent {
    let text = |name| {
        variable(name).map(|value| value.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
    };
    let socket = match variable("GPG_AGENT_INFO") {
        Some(info) => {
            let info = info.to_string_lossy().into_owned();
            info.split(':').next().filter(|path| !path.is_empty()).map(PathBuf::from)
        }
        None => {
            let own = home.map(|home| home.join(".gnupg").join("S.gpg-agent")).filter(|path| path.exists());
            own.or_else(|| {
                Some(PathBuf::from(variable("XDG_RUNTIME_DIR")?).join("gnupg").join("S.gpg-agent"))
            })
        }
    };
    Agent { socket, display: text("DISPLAY"), terminal: text("TERM") }
}

fn config_dir(variable: &impl Fn(&str) -> Option<OsString>, home: Option<&PathBuf>) -> ConfigDir {
    if cfg!(windows) {
        return match variable("AppData").filter(|value| !value.is_empty()) {
            Some(path) => ConfigDir::At(path.into()),
            None => ConfigDir::Unknown("%AppData% is not defined"),
        };
    }
    if let Some(path) = variable("XDG_CONFIG_HOME").filter(|value| !value.is_empty()) {
        let path = PathBuf::from(path);
        if path.is_relative() && !cfg!(target_os = "macos") {
            return ConfigDir::Unknown("path in $XDG_CONFIG_HOME is relative");
        }
        return ConfigDir::At(path);
    }
    match home {
        Some(home) if cfg!(target_os = "macos") => ConfigDir::At(home.join("Library/Application Support")),
        Some(home) => ConfigDir::At(home.join(".config")),
        None if cfg!(target_os = "macos") => ConfigDir::Unknown("$HOME is not defined"),
        None => ConfigDir::Unknown("neither $XDG_CONFIG_HOME nor $HOME are defined"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::{ConfigDir, IdentitySources};

    fn sources(set: &'static [(&'static str, &'static str)]) -> IdentitySources {
        IdentitySources::from_lookup(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn the_default_key_file_follows_xdg_then_home() {
        let path = |set| sources(set).default_key_file();
        let below_home = path(&[("HOME", "/h")]).expect("known");
        assert_eq!(below_home, Path::new("/h/.config/sops/age/keys.txt"));
        let below_xdg = path(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]).expect("known");
        assert_eq!(below_xdg, Path::new("/x/sops/age/keys.txt"));
        assert_eq!(path(&[]), None);
        assert!(matches!(sources(&[]).config_dir, ConfigDir::Unknown(_)));
    }

    #[test]
    fn an_empty_variable_counts_as_set() {
        let sources = sources(&[("SOPS_AGE_KEY", ""), ("SOPS_AGE_KEY_CMD", "")]);
        assert!(sources.key.is_some() && sources.key_cmd.is_some() && sources.key_file.is_none());
    }

    #[test]
    fn debug_shows_neither_key_nor_command() {
        let sources = sources(&[("SOPS_AGE_KEY", "marker"), ("SOPS_AGE_KEY_CMD", "echo marker")]);
        assert!(!format!("{sources:?}").contains("marker"));
    }
}
