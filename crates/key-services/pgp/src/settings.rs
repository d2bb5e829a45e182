//! Which program is asked, and where it finds its keys. [`PgpSettings::from_environment`] alone reads the environment.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// How GnuPG is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgpSettings {
    /// The program, a path or a name in `PATH`, without arguments: `SOPS_GPG_EXEC`, else `gpg`.
    pub program: OsString,
    /// Its home; `None` for the one that it finds itself.
    pub home: Option<PathBuf>,
    /// Where exported keys lie (`secring.gpg`, `pubring.gpg`), for builds that decrypt without GnuPG.
    pub exports: Option<PathBuf>,
    /// The terminal that its passphrase window may use, if no `GPG_TTY` says so.
    pub terminal: Option<PathBuf>,
}

impl Default for PgpSettings {
    fn default() -> Self {
        Self { program: "gpg".into(), home: None, exports: None, terminal: None }
    }
}

impl PgpSettings {
    /// Reads `SOPS_GPG_EXEC`, `GPG_TTY`, `GNUPGHOME` and the home directory. `GNUPGHOME` reaches the program with the rest of the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// The same with a look-up of variables handed in.
    #[must_use]
    pub fn from_lookup(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let terminal = if set("GPG_TTY").is_some() { None } else { own_terminal() };
        let home = || Some(PathBuf::from(set("HOME").or_else(|| set("USERPROFILE"))?).join(".gnupg"));
        Self {
            program: set("SOPS_GPG_EXEC").unwrap_or_else(|| "gpg".into()),
            home: None,
            exports: set("GNUPGHOME").map(PathBuf::from).or_else(home),
            terminal,
        }
    }
}

/// The terminal of this process. GnuPG looks for it at its standard input, where the data key is.
fn own_terminal() -> Option<PathBuf> {
    ["0", "2", "1"]
        .iter()
        .filter_map(|number| std::fs::read_link(format!("/proc/self/fd/{number}")).ok())
        .find(|path| path.starts_with("/dev/pts") || path.to_string_lossy().starts_with("/dev/tty"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::PgpSettings;

    #[test]
    fn the_program_is_gpg_unless_a_variable_names_another() {
        let of = |value: &'static str| {
            PgpSettings::from_lookup(|name| (name == "SOPS_GPG_EXEC").then(|| OsString::from(value))).program
        };
        assert_eq!((of("/x/mygpg"), of("")), ("/x/mygpg".into(), "gpg".into()));
        let told = PgpSettings::from_lookup(|name| (name == "GPG_TTY").then(|| "/dev/pts/9".into()));
        assert_eq!(told.terminal, None);
    }
}
