//! Remembers what `git diff` was shown, so that a log of many versions asks the key services once for each.
//!
//! What is remembered lies in the repository's git folder, encrypted; its key lies in the folder for the run time of the
//! user's session, which is in memory and gone when the session ends. So nothing plain reaches a disk.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ksops::ksops_core::crypto::cipher::Cipher;
use ksops::ksops_core::crypto::data_key::DataKey;
use ksops::ksops_core::crypto::mac::Mac;
use ksops::ksops_core::crypto::plaintext::DataType;
use ksops::ksops_core::random::Random;
use ksops::ksops_core::secret::SecretBytes;
use ksops::system::OsRandom;

use crate::output;
use crate::outside::git::Git;

/// The most files that are remembered.
const MOST: usize = 2_000;

/// Decrypted files, by what they were encrypted.
pub(crate) struct DiffCache {
    folder: PathBuf,
    key: DataKey,
}

impl DiffCache {
    /// Opens that of the repository around a folder; `None` without a repository or a place for the key.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        let runtime = PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?);
        if !runtime.is_absolute() || !is_private(&runtime) {
            return None;
        }
        let git = Git::find().ok()?.line(folder, &["rev-parse", "--absolute-git-dir"]).ok()?;
        let folder = PathBuf::from(git).join("ksops/diff");
        fs::create_dir_all(&folder).ok()?;
        let key = key(&runtime.join("ksops-diff.key"))?;
        Some(Self { folder, key })
    }

    /// What a file decrypts to, if that is known.
    pub(crate) fn get(&self, encrypted: &[u8]) -> Option<SecretBytes> {
        let name = name(encrypted);
        let kept = fs::read(self.folder.join(&name)).ok()?;
        Cipher::new(&self.key).decrypt(&kept, name.as_bytes()).ok().map(|opened| opened.bytes)
    }

    /// Remembers what a file decrypts to. That this fails matters to nobody.
    pub(crate) fn put(&self, encrypted: &[u8], plain: &[u8]) {
        let count = fs::read_dir(&self.folder).map_or(0, Iterator::count);
        if count >= MOST {
            let _ = fs::remove_dir_all(&self.folder);
            let _ = fs::create_dir_all(&self.folder);
        }
        let name = name(encrypted);
        let mut iv = [0; 32];
        if OsRandom::default().fill(&mut iv).is_err() {
            return;
        }
        if let Ok(text) = Cipher::new(&self.key).encrypt(DataType::Str, plain, &iv, name.as_bytes()) {
            let _ = output::replace(&self.folder.join(name), &text);
        }
    }
}

/// The digest of a file.
fn name(bytes: &[u8]) -> String {
    let mut digest = Mac::new(false);
    digest.update(bytes);
    digest.finish().chars().take(64).collect()
}

/// The key of this session, made if there is none.
fn key(path: &Path) -> Option<DataKey> {
    if let Ok(bytes) = fs::read(path) {
        return DataKey::new(SecretBytes::new(bytes)).ok();
    }
    let key = DataKey::generate(&OsRandom::default()).ok()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).ok()?.write_all(key.expose().expose()).ok()?;
    Some(key)
}

/// Whether a folder is the owner's alone.
#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    folder.metadata().is_ok_and(|data| data.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    false
}
