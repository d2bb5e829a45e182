//! What a command reads, where its result goes, and which path decides on rules and formats (cli-and-config.md
//! sections 1.2 to 1.4). Apart from the commands, because subcommands and legacy modes differ in little here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input::Source;
use crate::lock::Lock;
use crate::output;

/// Names of standard output. Opened anew by name it would be written from its start, over what others wrote.
const STDOUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// What may stand in for a file that is not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithoutFile {
    /// Nothing: a file must be named.
    Refuse,
    /// Standard input.
    Stdin,
    /// Standard input, if `--filename-override` says what it is called.
    NamedStdin,
}

/// The places of one run.
pub(crate) struct Place {
    /// What is read.
    pub source: Source,
    /// The path that decides on rules and formats; empty if there is none.
    pub path: PathBuf,
    target: Target,
    /// Held until the new content is in place, so that no other writer's work is lost.
    _lock: Option<Lock>,
}

enum Target {
    Stdout,
    File(PathBuf),
    InPlace(PathBuf),
}

impl Place {
    /// Reads the flags, and locks the file that is going to be replaced.
    ///
    /// # Errors
    /// In upstream's order: flags that exclude each other, then a missing file.
    pub(crate) fn find(
        context: &Context,
        flags: &Flags,
        positionals: &[String],
        without: WithoutFile,
    ) -> Result<Self, Failure> {
        let (in_place, output) = (flags.is_set("in-place"), flags.text("output"));
        let named = positionals.first();
        let conflict = |text: &str| Err(Failure::new(Kind::Conflict, text));
        match (named, without) {
            (None, WithoutFile::Refuse) => return Err(no_file()),
            (None, _) if in_place => return conflict("Error: cannot use --in-place when reading from stdin"),
            (None, WithoutFile::NamedStdin) if flags.text("filename-override").is_none() => {
                return conflict("Error: must specify --filename-override when reading from stdin");
            }
            _ => {}
        }
        if in_place && output.is_some() {
            return conflict("Error: cannot operate on both --output and --in-place");
        }
        let file = named.map(|name| context.absolute(name)).transpose()?;
        if let Some(file) = file.as_deref().filter(|file| is_missing(file)) {
            return Err(missing(flags, file));
        }
        let path = match flags.text("filename-override") {
            Some(name) => context.absolute(name)?,
            None => file.clone().unwrap_or_default(),
        };
        let target = match (&file, output) {
            (Some(file), _) if in_place => Target::InPlace(file.clone()),
            (_, Some(name)) if !STDOUT.contains(&name) => Target::File(PathBuf::from(name)),
            _ => Target::Stdout,
        };
        let lock = match &target {
            Target::InPlace(file) => Lock::take(file, || context.ui.note(&waiting(file))),
            _ => None,
        };
        let source = file.map_or(Source::Stdin, Source::File);
        if context.program == Program::Ksops && source.is_terminal() {
            context.ui.note("reading standard input; end it with Ctrl-D");
        }
        Ok(Self { source, path, target, _lock: lock })
    }

    /// A file that is only read, under the name that the user gave it.
    ///
    /// # Errors
    /// If the working directory is gone. A missing file is told when it is read.
    pub(crate) fn to_read(context: &Context, name: &str) -> Result<Self, Failure> {
        let source = Source::File(PathBuf::from(name));
        Ok(Self { source, path: context.absolute(name)?, target: Target::Stdout, _lock: None })
    }

    /// The places of a command that always replaces its file, and locks it.
    ///
    /// # Errors
    /// If the working directory is gone. A missing file is told when it is read.
    pub(crate) fn in_place(context: &Context, name: &str) -> Result<Self, Failure> {
        let file = context.absolute(name)?;
        let lock = Lock::take(&file, || context.ui.note(&waiting(&file)));
        let (source, target) = (Source::File(file.clone()), Target::InPlace(file.clone()));
        Ok(Self { source, path: file, target, _lock: lock })
    }

    /// Makes the file that is read the one that is written, as legacy `--set` always does.
    #[must_use]
    pub(crate) fn into_in_place(mut self, context: &Context) -> Self {
        if let (Source::File(file), false) = (&self.source, matches!(self.target, Target::InPlace(_))) {
            self._lock = Lock::take(file, || context.ui.note(&waiting(file)));
            self.target = Target::InPlace(file.clone());
        }
        self
    }

    /// Writes the result. Until here no file was touched.
    ///
    /// # Errors
    /// [`Kind::Output`]; a file that was there is as it was.
    pub(crate) fn write(&self, context: &Context, flags: &Flags, bytes: &[u8]) -> Result<(), Failure> {
        let replace = |what: &str, path: &Path| {
            output::replace(path, bytes).map_err(|text| {
                Failure::new(Kind::Output, format!("Could not open {what} file for writing: {text}"))
            })?;
            context.ui.detail(flags, || format!("File written successfully: {}", path.display()));
            Ok(())
        };
        match &self.target {
            Target::Stdout => context.ui.data(bytes),
            // As sops a file is always replaced.
            Target::InPlace(path) if context.program == Program::Ksops && holds(path, bytes) => {
                context.ui.detail(flags, || "File not written due to no change".to_owned());
                Ok(())
            }
            Target::InPlace(path) => replace("in-place", path),
            Target::File(path) => {
                let _lock = Lock::take(path, || context.ui.note(&waiting(path)));
                replace("output", path)
            }
        }
    }
}

/// Whether a file has this content already.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let is_as_long = path.metadata().is_ok_and(|data| data.len() == bytes.len() as u64);
    is_as_long && std::fs::read(path).is_ok_and(|content| content == bytes)
}

/// No file is named.
pub(crate) fn no_file() -> Failure {
    Failure::new(Kind::NoFile, "Error: no file specified")
}

fn waiting(path: &Path) -> String {
    format!("waiting for another process that writes {}", path.display())
}

/// Only "does not exist" counts; any other trouble is met, and named, when the file is read.
fn is_missing(file: &Path) -> bool {
    file.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn missing(flags: &Flags, file: &Path) -> Failure {
    if let Err(failure) = refuse_key_changes(flags, file) {
        return failure;
    }
    Failure::new(Kind::NoFile, format!("Error: cannot operate on non-existent file {file:?}"))
}

/// A file that does not exist has no keys to add to.
///
/// # Errors
/// [`Kind::KeysOfMissingFile`] if there is an `--add-*` or `--rm-*` flag.
pub(crate) fn refuse_key_changes(flags: &Flags, file: &Path) -> Result<(), Failure> {
    const KINDS: [&str; 7] = ["kms", "pgp", "gcp-kms", "hckms", "hc-vault-transit", "azure-kv", "age"];
    let changes_keys = KINDS
        .iter()
        .any(|kind| ["add", "rm"].iter().any(|change| flags.text(&format!("{change}-{kind}")).is_some()));
    if changes_keys {
        let text = format!("Error: cannot add or remove keys on non-existent file {file:?}");
        return Err(Failure::new(Kind::KeysOfMissingFile, text));
    }
    Ok(())
}
