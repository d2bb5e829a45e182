//! What the program knows of the process it runs in: its name, its variables, its directory. The only file that asks.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ksops::services::Services;

use crate::args::program::Program;
use crate::audit::log::Log;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::ui::Ui;

/// The process, as commands see it.
pub(crate) struct Context {
    /// The command line that is spoken.
    pub program: Program,
    /// The way to the user.
    pub ui: Ui,
    /// The key services of the run, made when they are first needed: one log-in serves every file.
    pub services: Arc<OnceLock<Arc<Services>>>,
    /// The audit log of the run.
    pub audit: Arc<Log>,
}

impl Context {
    /// Looks at the name of the program and the variable that changes its manners.
    pub(crate) fn from_process() -> Self {
        let program = spoken(env::args_os().next().as_deref(), variable("KSOPS_COMPAT").as_deref());
        Self { program, ui: Ui::new(program), services: Arc::default(), audit: Arc::default() }
    }

    /// The same process, as the work on one of several files sees it.
    pub(crate) fn for_file(&self, name: &str) -> Self {
        let (services, audit) = (Arc::clone(&self.services), Arc::clone(&self.audit));
        Self { program: self.program, ui: Ui::holding(self.program, name), services, audit }
    }

    /// The working directory, by the name under which the user reached it.
    ///
    /// # Errors
    /// If it was removed or cannot be read.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        if let Some(named) = env::var_os("PWD").map(PathBuf::from).filter(|path| is_here(path)) {
            return Ok(named);
        }
        env::current_dir().map_err(|error| {
            Failure::new(Kind::General, format!("cannot tell the working directory: {}", reason(&error)))
        })
    }

    /// The absolute form of a path from the command line, `.` and `..` taken out by the text alone, as upstream has it.
    ///
    /// # Errors
    /// If the path is relative and there is no working directory.
    pub(crate) fn absolute(&self, path: &str) -> Result<PathBuf, Failure> {
        let path = Path::new(path);
        if path.is_absolute() {
            return Ok(clean(path));
        }
        Ok(clean(&self.directory()?.join(path)))
    }
}

/// The value of a variable; a byte that is no UTF-8 becomes the replacement character.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The words behind the program's name.
///
/// # Errors
/// If one is no UTF-8.
pub(crate) fn arguments() -> Result<Vec<String>, Failure> {
    let text = |word: OsString| {
        word.into_string().map_err(|word| {
            let message = format!("the argument {:?} is not UTF-8", word.to_string_lossy());
            Failure::new(Kind::General, message).logged()
        })
    };
    env::args_os().skip(1).map(text).collect()
}

/// Which command line is spoken: by the name of the program (`sops`, `sops.exe`) or `KSOPS_COMPAT=sops`.
fn spoken(called: Option<&OsStr>, compat: Option<&str>) -> Program {
    let name =
        called.map(Path::new).and_then(Path::file_name).map(OsStr::to_string_lossy).unwrap_or_default();
    if name.strip_suffix(".exe").unwrap_or(&name) == "sops" || compat == Some("sops") {
        Program::Sops
    } else {
        Program::Ksops
    }
}

/// Whether `path` is an absolute name of the working directory.
#[cfg(unix)]
fn is_here(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let identity = |path: &Path| path.metadata().map(|data| (data.dev(), data.ino())).ok();
    let named = identity(path);
    path.is_absolute() && named.is_some() && named == identity(Path::new("."))
}

#[cfg(not(unix))]
fn is_here(_: &Path) -> bool {
    false
}

fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // Above the root is the root.
            Component::ParentDir => {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::{Path, PathBuf};

    use super::{clean, spoken};
    use crate::args::program::Program;

    #[test]
    fn the_name_or_the_variable_makes_it_sops() {
        for (called, compat, program) in [
            ("/usr/bin/sops", None, Program::Sops),
            ("sops.exe", None, Program::Sops),
            ("ksops", Some("sops"), Program::Sops),
            ("ksops", Some("yes"), Program::Ksops),
            ("/opt/sops/ksops", None, Program::Ksops),
            ("sops3", None, Program::Ksops),
        ] {
            assert_eq!(spoken(Some(OsStr::new(called)), compat), program, "{called}");
        }
        assert_eq!(spoken(None, None), Program::Ksops);
    }

    #[test]
    fn paths_are_cleaned_by_their_text() {
        assert_eq!(clean(Path::new("/a/./b/../c//d/")), PathBuf::from("/a/c/d"));
        assert_eq!(clean(Path::new("/../a")), PathBuf::from("/a"));
    }
}
