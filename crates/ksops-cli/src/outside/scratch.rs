//! A private folder for plaintext that another program has to read (security.md S16): in memory where there is a place
//! for that, for the owner only, overwritten and removed at the end, signals included.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, TempDir};

use crate::context;
use crate::outside::janitor::Janitor;

/// The folders of this process, for a signal that ends it.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// How the names of folders begin.
const PREFIX: &str = ".sops";

/// A private folder; gone when dropped.
pub(crate) struct Scratch {
    folder: TempDir,
    /// Outlives a kill.
    janitor: Option<Janitor>,
}

impl Scratch {
    /// Makes a folder: below `TMPDIR` if that is set, else on a memory file system, else where temporary files go.
    ///
    /// # Errors
    /// If none can be made.
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(owner_only(0o700));
        let folder = match place() {
            Some(place) => builder.tempdir_in(place),
            None => builder.tempdir(),
        }?;
        folders().push(folder.path().to_owned());
        let janitor = Janitor::start(folder.path());
        Ok(Self { folder, janitor })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file in it.
    ///
    /// # Errors
    /// If that fails.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path)?;
        #[cfg(unix)]
        file.set_permissions(owner_only(0o600))?;
        file.write_all(bytes)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        wipe(self.path());
        folders().retain(|folder| folder != self.folder.path());
        drop(self.janitor.take());
    }
}

/// Whether a folder is one of these, and the user's own.
pub(crate) fn is_one(folder: &Path) -> bool {
    let is_named_so = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    let Ok(data) = folder.symlink_metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let is_private = data.permissions().mode() & 0o077 == 0;
        if !is_private || data.uid() != rustix::process::geteuid().as_raw() {
            return false;
        }
    }
    is_named_so && data.is_dir()
}

/// Overwrites and removes what all folders of this process hold.
pub(crate) fn wipe_all() {
    for folder in folders().drain(..) {
        wipe(&folder);
    }
}

fn folders() -> MutexGuard<'static, Vec<PathBuf>> {
    FOLDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Overwrites the files of a folder, an editor's own copies among them, and removes it.
pub(crate) fn wipe(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => wipe(&path),
            Ok(kind) if kind.is_file() => overwrite(&path),
            _ => {}
        }
    }
    // What cannot be removed was overwritten at least.
    let _ = fs::remove_dir_all(folder);
}

fn overwrite(path: &Path) {
    let zeros = [0; 4096];
    let Ok(length) = path.metadata().map(|data| data.len()) else { return };
    let Ok(mut file) = OpenOptions::new().write(true).open(path) else { return };
    let mut left = length;
    while left > 0 {
        let count = left.min(zeros.len() as u64);
        if file.write_all(&zeros[..usize::try_from(count).unwrap_or(zeros.len())]).is_err() {
            return;
        }
        left -= count;
    }
    let _ = File::sync_data(&file);
}

#[cfg(unix)]
fn owner_only(mode: u32) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(mode)
}

/// A folder on a memory file system that belongs to the user or is open to all.
fn place() -> Option<PathBuf> {
    if context::variable("TMPDIR").is_some_and(|folder| !folder.is_empty()) {
        return None;
    }
    let runtime = context::variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime
        .into_iter()
        .chain([PathBuf::from("/dev/shm")])
        .find(|folder| folder.is_absolute() && is_in_memory(folder))
}

#[cfg(target_os = "linux")]
fn is_in_memory(folder: &Path) -> bool {
    use rustix::fs::{Access, access, statfs};

    /// `TMPFS_MAGIC` and `RAMFS_MAGIC` of statfs(2).
    const MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

    let kind = statfs(folder).map(|data| data.f_type as u64 & 0xffff_ffff);
    kind.is_ok_and(|kind| MEMORY.contains(&kind))
        && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn is_in_memory(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Scratch, overwrite};

    #[test]
    fn nothing_is_left_of_a_folder() {
        let scratch = Scratch::new().expect("a folder");
        let folder = scratch.path().to_owned();
        let file = scratch.write("f.yaml", b"secret").expect("a file");
        assert!(scratch.write("f.yaml", b"again").is_err(), "nobody else's file is taken over");
        fs::create_dir(folder.join("sub")).expect("a folder");
        fs::write(folder.join("sub/copy"), "secret").expect("a copy");
        overwrite(&file);
        assert_eq!(fs::read(&file).expect("there"), [0; 6]);
        drop(scratch);
        assert!(!folder.exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_gets_in() {
        use std::os::unix::fs::PermissionsExt;

        let scratch = Scratch::new().expect("a folder");
        let file = scratch.write("f", b"x").expect("a file");
        let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(scratch.path()), mode(&file)), (0o700, 0o600));
    }
}
