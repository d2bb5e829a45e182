//! A throwaway folder with a home, a place for temporary files and a work folder.
//!
//! Apart, so that every program in every test starts from the same clean place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A clean place to run a program in; removed when dropped.
pub struct Sandbox {
    root: PathBuf,
    _folder: TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Makes the folders.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("ksops-test-").tempdir().expect("a temporary folder can be made");
        let root = folder.path().canonicalize().expect("a folder just made has a path");
        // Readable for the other user that some scenarios need.
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).expect("own folder");
        for name in ["home", "tmp", "work"] {
            fs::create_dir(root.join(name)).expect("an empty folder takes folders");
        }
        Self { root, _folder: folder }
    }

    /// The folder that programs run in, without symbolic links.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// The home folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The folder for temporary files.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The folder that holds all of these.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of `name` in the work folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Writes `name` in the work folder.
    ///
    /// # Panics
    /// If that fails.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
        }
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Reads `name` in the work folder.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The names of all files below the work folder, folders with a final slash, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.work()];
        while let Some(folder) = folders.pop() {
            let Ok(listing) = fs::read_dir(&folder) else { continue };
            for path in listing.flatten().map(|entry| entry.path()) {
                let name = path.strip_prefix(self.work()).map(|name| name.to_string_lossy().into_owned());
                let mut name = name.unwrap_or_default();
                if path.is_dir() && !path.is_symlink() {
                    name.push('/');
                    folders.push(path);
                }
                found.push(name);
            }
        }
        found.sort();
        found
    }
}
