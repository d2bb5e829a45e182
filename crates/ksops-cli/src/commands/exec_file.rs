//! `exec-file`: a command with the decrypted file at a temporary path (cli-and-config.md section 8.2).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::thread;

use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::commands::decrypt::decrypted;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::outside::exec::{self, Job};
use crate::outside::scratch::Scratch;
use crate::place::Place;

/// What a file is called when no name is given.
const NAME: &str = "tmp-file";

/// Runs the command. Its status is ours.
///
/// # Errors
/// If a file cannot be decrypted or handed over; nothing was run then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<u8, Failure> {
    let flags = &call.flags;
    let job = Job::from_call(call)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    if flags.is_set("background") {
        context.ui.warning("exec-file's --background option is deprecated and will be removed in a future version of sops; the file is removed at once");
    }
    if flags.text("filename").is_some_and(|name| !is_local(Path::new(name))) {
        return Err(Failure::new(Kind::General, "The provided filename is not a local path."));
    }
    let mut texts = Vec::with_capacity(job.files.len());
    for file in &job.files {
        let place = Place::to_read(context, file)?;
        texts.push(decrypted(context, flags, &place, &config)?);
    }
    let user = exec::user(flags)?;
    let failed =
        |error: io::Error| Failure::new(Kind::General, format!("the temporary file: {}", reason(&error)));
    let scratch = Scratch::new().map_err(failed)?;
    let paths = texts
        .into_iter()
        .enumerate()
        .map(|(number, text)| hand_over(flags, &scratch, number, text))
        .collect::<Result<Vec<_>, _>>()?;
    let line = job.line.map(|word| with_paths(word, &paths));
    let command = line.command(false, user.as_ref());
    exec::run(context, flags, command)
}

/// Whether a name stays below the folder it is joined to.
fn is_local(name: &Path) -> bool {
    let mut depth = 0_usize;
    for part in name.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

/// Puts a text where the command finds it.
fn hand_over(
    flags: &Flags,
    scratch: &Scratch,
    number: usize,
    text: Zeroizing<Vec<u8>>,
) -> Result<PathBuf, Failure> {
    let base = flags.text("filename").unwrap_or(NAME);
    let name = if number == 0 { base.to_owned() } else { format!("{base}-{}", number + 1) };
    let failed = |error: io::Error| {
        Failure::new(
            Kind::General,
            format!("open {}: {}", scratch.path().join(&name).display(), reason(&error)),
        )
    };
    if flags.is_set("no-fifo") || !HAS_FIFOS {
        return scratch.write(&name, &text).map_err(failed);
    }
    let path = fifo(scratch, &name).map_err(failed)?;
    let target = path.clone();
    // It waits until somebody reads. If nobody does, it ends with the process.
    thread::spawn(move || {
        if let Ok(mut pipe) = OpenOptions::new().write(true).open(target) {
            // A reader that goes away early has what it wanted.
            let _ = pipe.write_all(&text);
        }
    });
    Ok(path)
}

#[cfg(unix)]
const HAS_FIFOS: bool = true;
#[cfg(not(unix))]
const HAS_FIFOS: bool = false;

#[cfg(all(unix, not(target_vendor = "apple")))]
fn fifo(scratch: &Scratch, name: &str) -> io::Result<PathBuf> {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let path = scratch.path().join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
    Ok(path)
}

#[cfg(target_vendor = "apple")]
fn fifo(scratch: &Scratch, name: &str) -> io::Result<PathBuf> {
    let path = scratch.path().join(name);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600))?;
    Ok(path)
}

#[cfg(not(unix))]
fn fifo(scratch: &Scratch, name: &str) -> io::Result<PathBuf> {
    Ok(scratch.path().join(name))
}

/// Puts the paths in: `{}` and `{1}` for the first file, `{2}` for the second, and so on.
fn with_paths(word: &str, paths: &[PathBuf]) -> String {
    let mut text = word.to_owned();
    for (number, path) in paths.iter().enumerate() {
        let path = path.display().to_string();
        if number == 0 {
            text = text.replace("{}", &path);
        }
        if paths.len() > 1 {
            text = text.replace(&format!("{{{}}}", number + 1), &path);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{is_local, with_paths};

    #[test]
    fn paths_go_where_the_braces_are() {
        let paths = [PathBuf::from("/a"), PathBuf::from("/b")];
        assert_eq!(with_paths("cat {} {1} {2} {3}", &paths), "cat /a /a /b {3}");
        assert_eq!(with_paths("cat {} ${1}", &paths[..1]), "cat /a ${1}");
    }

    #[test]
    fn a_name_must_not_lead_away() {
        for (name, expected) in
            [("a", true), ("a/b", true), ("a/../b", true), ("../a", false), ("/a", false), ("a/../..", false)]
        {
            assert_eq!(is_local(Path::new(name)), expected, "{name}");
        }
    }
}
