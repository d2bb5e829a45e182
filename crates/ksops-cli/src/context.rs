//! What a command finds around itself: the name it is called by, the working directory, the user.

use std::path::{Component, Path, PathBuf};

use crate::args::program::Program;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::ui::Ui;

/// What a command finds around itself.
pub(crate) struct Context {
    /// The name it is called by.
    pub program: Program,
    /// The user.
    pub ui: Ui,
}

/// Which program this is called as: `sops` by its own name, or with `KSOPS_COMPAT=sops` (security.md, introduction).
pub(crate) fn program(own_path: Option<&str>, compat: Option<&str>) -> Program {
    let name = own_path.and_then(|path| Path::new(path).file_name()?.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    if name == "sops" || compat == Some("sops") { Program::Sops } else { Program::Ksops }
}

impl Context {
    /// The working directory.
    ///
    /// # Errors
    /// If there is none any more.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        std::env::current_dir().map_err(|error| {
            Failure::new(Kind::General, format!("cannot find the working directory: {}", reason(&error)))
        })
    }

    /// Makes a path absolute by its text, as upstream does: links are not followed.
    ///
    /// # Errors
    /// As [`Context::directory`].
    pub(crate) fn absolute(&self, path: &str) -> Result<PathBuf, Failure> {
        let mut absolute = PathBuf::new();
        for part in self.directory()?.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    absolute.pop();
                }
                part => absolute.push(part),
            }
        }
        Ok(absolute)
    }
}

#[cfg(test)]
mod tests {
    use super::program;
    use crate::args::program::Program;

    #[test]
    fn the_name_or_the_variable_makes_it_sops() {
        assert_eq!(program(Some("/usr/bin/sops"), None), Program::Sops);
        assert_eq!(program(Some("sops.exe"), None), Program::Sops);
        assert_eq!(program(Some("/usr/bin/ksops"), None), Program::Ksops);
        assert_eq!(program(Some("ksops"), Some("sops")), Program::Sops);
        assert_eq!(program(None, Some("")), Program::Ksops);
    }
}
