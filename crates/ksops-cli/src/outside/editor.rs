//! The user's editor (cli-and-config.md section 7.1).

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// Looked for when neither variable is set.
const DEFAULTS: [&str; 3] = ["vim", "nano", "vi"];

/// What keeps editors from leaving copies of the text outside of our folder (security.md S16).
const WITHOUT_COPIES: [(&str, &[&str]); 3] = [
    ("vim", &["-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile noswapfile"]),
    ("nvim", &["-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile noswapfile"]),
    ("emacs", &["--eval", "(setq make-backup-files nil auto-save-default nil create-lockfiles nil)"]),
];

/// An editor and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Editor {
    words: Vec<String>,
}

impl Editor {
    /// Takes `SOPS_EDITOR`, else `EDITOR`, else the first of vim, nano and vi that is there.
    ///
    /// # Errors
    /// [`Kind::Editor`] if the variable has unbalanced quotes, or there is none.
    pub(crate) fn find() -> Result<Self, Failure> {
        let set = |name| context::variable(name).filter(|value| !value.is_empty());
        match set("SOPS_EDITOR").or_else(|| set("EDITOR")) {
            Some(line) => Self::from_line(&line),
            None => DEFAULTS.into_iter().find_map(program).map(Self::from_program).ok_or_else(|| {
                failure("no editor available: sops attempts to use the editor defined in the SOPS_EDITOR or EDITOR \
                         environment variable, and if that's not set defaults to any of vim, nano, vi")
            }),
        }
    }

    fn from_line(line: &str) -> Result<Self, Failure> {
        match shlex::split(line) {
            Some(words) if !words.is_empty() => Ok(Self { words }),
            _ => Err(failure(format!("invalid $EDITOR: {line}"))),
        }
    }

    fn from_program(path: PathBuf) -> Self {
        Self { words: vec![path.to_string_lossy().into_owned()] }
    }

    /// Lets the user edit the file, and waits.
    ///
    /// # Errors
    /// [`Kind::Editor`] if it cannot be started or ends with a failure.
    pub(crate) fn edit(&self, file: &Path) -> Result<(), Failure> {
        let could_not = |why: String| failure(format!("Could not run editor: {why}"));
        let Some((program, arguments)) = self.words.split_first() else {
            return Err(could_not("it has no name".to_owned()));
        };
        let status = Command::new(program)
            .args(self.quiet_arguments())
            .args(arguments)
            .arg(file)
            .status()
            .map_err(|error| could_not(format!("exec: {program:?}: {}", reason(&error))))?;
        match status.success() {
            true => Ok(()),
            false => Err(could_not(status.to_string().replace("exit status: ", "exit status "))),
        }
    }

    fn quiet_arguments(&self) -> &'static [&'static str] {
        let name = self.words.first().map(Path::new).and_then(Path::file_stem);
        let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        WITHOUT_COPIES.iter().find(|(editor, _)| *editor == name).map_or(&[], |(_, arguments)| arguments)
    }
}

fn failure(text: impl Into<String>) -> Failure {
    Failure::new(Kind::Editor, text)
}

/// A program of the search path; never one of the working directory (security.md S23).
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::Editor;

    #[test]
    fn a_line_is_split_as_a_shell_does() {
        let words = |line| Editor::from_line(line).map(|editor| editor.words).ok();
        assert_eq!(words("code --wait 'a b'"), Some(vec!["code".into(), "--wait".into(), "a b".into()]));
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("  "), None);
    }

    #[test]
    fn editors_that_leave_copies_are_told_not_to() {
        let quiet = |line| Editor::from_line(line).map(|editor| editor.quiet_arguments().len()).unwrap_or(99);
        assert_eq!((quiet("/usr/bin/vim -u x"), quiet("nano"), quiet("my-vim")), (5, 0, 0));
    }
}
