//! `git install`: tells git of the repository how to compare and merge encrypted files.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::output;
use crate::outside::git::Git;
use crate::prompt::confirm;

/// The files that may be encrypted; what is not is left to git.
const PATTERNS: [&str; 6] = ["*.yaml", "*.yml", "*.json", "*.env", "*.ini", "*.toml"];

/// What every line of ours in the attributes says.
const ATTRIBUTES: &str = "diff=ksops merge=ksops";

/// Runs the command, after showing what it does.
///
/// # Errors
/// If this is no repository, or something cannot be written.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let git = Git::find()?;
    let here = context.directory()?;
    let top = PathBuf::from(git.line(&here, &["rev-parse", "--show-toplevel"])?);
    let program = program();
    let settings = [
        ("diff.ksops.textconv", format!("{program} git textconv")),
        // Git would keep plaintext in the repository.
        ("diff.ksops.cachetextconv", "false".to_owned()),
        ("merge.ksops.name", "ksops: encrypted files, by their values".to_owned()),
        ("merge.ksops.driver", format!("{program} git merge %O %A %B %P")),
        ("mergetool.ksops.cmd", format!("{program} mergetool \"$MERGED\"")),
        ("mergetool.ksops.trustExitCode", "true".to_owned()),
    ];
    let attributes = top.join(".gitattributes");
    let old = match fs::read_to_string(&attributes) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            let text = format!("cannot read {}: {}", attributes.display(), reason(&error));
            return Err(Failure::new(Kind::Input, text));
        }
    };
    let patterns: Vec<String> = match call.positionals.as_slice() {
        [] => PATTERNS.map(str::to_owned).to_vec(),
        named => named.to_vec(),
    };
    let lines: Vec<String> = patterns.iter().map(|pattern| format!("{pattern} {ATTRIBUTES}")).collect();
    let new: Vec<&String> = lines.iter().filter(|line| !old.lines().any(|known| known == **line)).collect();

    let mut shown = String::from("In the configuration of this clone:\n");
    for (name, value) in &settings {
        shown.push_str(&format!("    {name} = {value}\n"));
    }
    shown.push_str(&format!("In {}:\n", attributes.display()));
    for line in &new {
        shown.push_str(&format!("    {line}\n"));
    }
    if new.is_empty() {
        shown.push_str("    nothing new\n");
    }
    context.ui.changes(&shown)?;
    if !call.flags.is_set("yes") && !confirm(context, "Is this okay? (y/n):")? {
        context.ui.note("Nothing was changed");
        return Ok(());
    }
    for (name, value) in &settings {
        git.line(&top, &["config", "--local", name, value])?;
    }
    if !new.is_empty() {
        let mut text = old.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        new.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        output::replace(&attributes, text.as_bytes())
            .map_err(|text| Failure::new(Kind::Output, format!("Could not write .gitattributes: {text}")))?;
    }
    context
        .ui
        .note("Done. Every clone needs `ksops git install` once; .gitattributes is for all, commit it.");
    Ok(())
}

/// How git is to call this program: by its name if the shell finds it so, else by its path.
fn program() -> String {
    let own = env::current_exe().and_then(|path| path.canonicalize()).ok();
    let path = env::var_os("PATH").unwrap_or_default();
    let named = env::split_paths(&path).map(|folder| folder.join("ksops")).find(|file| file.is_file());
    let is_own = |file: &Path| file.canonicalize().ok() == own;
    match (named.filter(|file| is_own(file)), &own) {
        (None, Some(own)) => format!("'{}'", own.display().to_string().replace('\'', r"'\''")),
        _ => "ksops".to_owned(),
    }
}
