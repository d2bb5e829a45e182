//! The files of a call: those that are named, and with `--recursive` those below the folders that are named.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use ignore::{DirEntry, WalkBuilder};

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::output;
use crate::place::no_file;

/// Where version control keeps its own.
const REPOSITORIES: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// A file of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// As the user named it, or its folder.
    pub name: String,
    /// Whether it was found below a folder. Such files concern a command only in the right state.
    pub is_found: bool,
}

/// Whether a call is about several files. As `sops` all but the first are passed over, as upstream does.
pub(crate) fn are_several(context: &Context, flags: &Flags, names: &[String]) -> bool {
    flags.is_set("recursive") || (context.program == Program::Ksops && names.len() > 1)
}

/// The files, each once, in the order of the command line; those of a folder in the order of their names.
///
/// A walk passes over what Git ignores, symbolic links, the folders of version control, and the temporary files of
/// other processes of this program, which are gone in a moment.
///
/// # Errors
/// If nothing is named, or a flag is given that is about one file.
pub(crate) fn of_call(flags: &Flags, names: &[String]) -> Result<Vec<Candidate>, Failure> {
    if names.is_empty() {
        return Err(no_file());
    }
    if let Some(flag) =
        ["output", "filename-override", "extract"].iter().find(|flag| flags.text(flag).is_some())
    {
        let text = format!("Error: --{flag} is about one file, not several");
        return Err(Failure::new(Kind::Conflict, text).hints(["call it for each file"]));
    }
    let mut files = Vec::new();
    for name in names {
        if flags.is_set("recursive") && Path::new(name).is_dir() {
            walk(name, &mut files)?;
        } else {
            files.push(Candidate { name: name.clone(), is_found: false });
        }
    }
    let mut seen = HashSet::new();
    files.retain(|file| {
        let path = Path::new(&file.name);
        seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    });
    Ok(files)
}

/// The results of several files do not fit into one output.
///
/// # Errors
/// Without `--in-place`.
pub(crate) fn require_in_place(flags: &Flags) -> Result<(), Failure> {
    if flags.is_set("in-place") {
        return Ok(());
    }
    let text = "Error: several files can be written in place only";
    Err(Failure::new(Kind::Conflict, text).hints(["add `--in-place`"]))
}

fn walk(folder: &str, files: &mut Vec<Candidate>) -> Result<(), Failure> {
    let is_wanted = |entry: &DirEntry| {
        !REPOSITORIES.iter().any(|name| entry.file_name() == OsStr::new(name)) || entry.depth() == 0
    };
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .sort_by_file_name(OsStr::cmp)
        .filter_entry(is_wanted)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(Kind::Input, error.to_string()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) && !output::is_temporary(entry.file_name()) {
            // `.` is where everything is that has no folder before its name.
            let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
            files.push(Candidate { name: path.to_string_lossy().into_owned(), is_found: true });
        }
    }
    Ok(())
}
