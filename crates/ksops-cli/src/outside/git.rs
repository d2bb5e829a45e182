//! Asks git. Apart, because git is looked for once and in one way.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// Git, of the search path; never one of the working directory (security.md S23).
pub(crate) struct Git {
    program: PathBuf,
}

impl Git {
    /// Finds it.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn find() -> Result<Self, Failure> {
        let path = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("git"))
            .find(|file| file.is_file());
        found
            .map(|program| Self { program })
            .ok_or_else(|| Failure::new(Kind::General, "git is not in the search path"))
    }

    /// Runs it in a folder and gives what it prints; `None` if it ends with a failure.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn ask(&self, folder: &Path, arguments: &[&str]) -> Result<Option<Vec<u8>>, Failure> {
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| {
                Failure::new(Kind::General, format!("git cannot be started: {}", reason(&error)))
            })?;
        Ok(output.status.success().then_some(output.stdout))
    }

    /// As [`Git::ask`], one line of text.
    ///
    /// # Errors
    /// If it cannot be started, or ends with a failure.
    pub(crate) fn line(&self, folder: &Path, arguments: &[&str]) -> Result<String, Failure> {
        let said = self.ask(folder, arguments)?.ok_or_else(|| {
            Failure::new(
                Kind::General,
                format!("git {} failed; is this a git repository?", arguments.join(" ")),
            )
        })?;
        Ok(String::from_utf8_lossy(&said).trim_end().to_owned())
    }

    /// Runs it with the standard streams of this process; gives its exit status.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Result<u8, Failure> {
        let status =
            Command::new(&self.program).args(arguments).current_dir(folder).status().map_err(|error| {
                Failure::new(Kind::General, format!("git cannot be started: {}", reason(&error)))
            })?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(Kind::General.status()))
    }
}
