//! Writing a file so that a crash, a kill or a full disk leaves the old one (security.md S10): a temporary file in the
//! same folder, fsync, rename, fsync of the folder. Where a rename would change more than the content, the file is
//! written in place, as upstream does always (cli-and-config.md sections 1.4 and 15).

mod attributes;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::io_reason::reason;

/// What a temporary file is called begins and ends thus.
const PREFIX: &str = ".ksops-";
const SUFFIX: &str = ".tmp";

/// Why a way of writing was not taken to its end.
enum Stop {
    /// Nothing was touched; writing in place may still work.
    Unsuitable,
    /// It failed.
    Failed(&'static str, io::Error),
}

/// Replaces the content of the file, or makes it, with the rights that the user's umask leaves.
///
/// # Errors
/// The step that failed and why, as `open NAME: permission denied`. A file that was there is as it was, except when it
/// had to be written in place and the writing failed midway.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let result = match suitable(path) {
        Ok(Some(target)) => match atomically(&target, bytes) {
            Err(Stop::Unsuitable) => in_place(path, bytes),
            result => result,
        },
        Ok(None) => in_place(path, bytes),
        Err(stop) => Err(stop),
    };
    result.map_err(|stop| match stop {
        Stop::Failed(step, error) => format!("{step} {}: {}", path.display(), reason(&error)),
        Stop::Unsuitable => format!("open {}: it cannot be replaced", path.display()),
    })
}

/// The file that a rename may replace: links followed, regular, with one name; or one that does not exist.
fn suitable(path: &Path) -> Result<Option<PathBuf>, Stop> {
    let data = match path.metadata() {
        Ok(data) => data,
        // A link that leads nowhere is followed by opening it.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(Some(path.to_owned()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Stop::Failed("open", error)),
    };
    // `/dev/stdout` may lead to a regular file, which then is held open by others.
    let is_device = path.starts_with("/dev") || path.starts_with("/proc");
    if is_device || !data.is_file() || attributes::has_other_names(&data) {
        return Ok(None);
    }
    // A rename would not ask whether the file may be written.
    OpenOptions::new().write(true).open(path).map_err(|error| Stop::Failed("open", error))?;
    Ok(fs::canonicalize(path).ok())
}

fn atomically(target: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let old = File::open(target).ok();
    let is_new = !target.exists();
    if !is_new && old.is_none() {
        // Its attributes cannot be read.
        return Err(Stop::Unsuitable);
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = match create(folder, is_new) {
        Ok(temporary) => temporary,
        Err(error) if is_new => return Err(Stop::Failed("open", error)),
        Err(_) => return Err(Stop::Unsuitable),
    };
    let written = temporary.write_all(bytes);
    written.map_err(|error| Stop::Failed("write", error))?;
    if let Some(old) = old {
        // A file that would change hands is written in place instead.
        attributes::copy(&old, temporary.as_file()).map_err(|_| Stop::Unsuitable)?;
    }
    temporary.as_file().sync_all().map_err(|error| Stop::Failed("sync", error))?;
    match temporary.persist(target) {
        Ok(_) => {}
        // A mount point, for instance: a single file that is mounted into a container.
        Err(_) if !is_new => return Err(Stop::Unsuitable),
        Err(error) => return Err(Stop::Failed("open", error.error)),
    }
    sync_folder(folder);
    Ok(())
}

/// Whether this is what a temporary file is called, be it of this process or of another.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Makes the temporary file: for its owner alone, unless it is to become a new file with the usual rights.
fn create(folder: &Path, is_new: bool) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    if is_new {
        attributes::usual_rights(&mut builder);
    }
    builder.tempfile_in(folder).map_err(without_path)
}

/// The system's own error; `tempfile` adds the path of its file, which means nothing to the user, and hides the rest.
fn without_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    let code = text.split_once("(os error ").and_then(|(_, code)| code.split_once(')')?.0.parse().ok());
    code.map_or(error, io::Error::from_raw_os_error)
}

/// The rename is safe from a crash only when the folder is on the disk; some file systems cannot do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn in_place(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    // Not truncated first: what can fail shall fail while the old content is there.
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| Stop::Failed("open", error))?;
    let is_regular = file.metadata().is_ok_and(|data| data.is_file());
    let write = |file: &mut File| {
        if is_regular {
            attributes::reserve(file, bytes.len())?;
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(bytes)?;
        if is_regular {
            file.set_len(bytes.len() as u64)?;
            file.sync_all()?;
        }
        Ok(())
    };
    write(&mut file).map_err(|error| Stop::Failed("write", error))
}

#[cfg(all(test, unix))]
mod tests;
