//! The user's own folder of public keys, and of which of them were used before (key-services.md section 2.9).
//!
//! What version 1 of a key is never changes, so an entry never grows old. Only the user may have written it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ksops_core::keys::master_key::AzureKvKey;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::key_url::url_of;
use crate::offline::key_file::KnownKey;

/// No entry is larger.
const MAX_SIZE: u64 = 64 << 10;

/// A folder, which need not be there.
#[derive(Debug, Clone)]
pub struct KeyCache {
    folder: PathBuf,
}

impl KeyCache {
    /// The cache in this folder.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The entry of a key. An entry that others can write to, or that is none, counts as absent.
    #[must_use]
    pub fn find(&self, key: &AzureKvKey) -> Option<KnownKey> {
        let bytes = self.read(&self.entry(key, "json"))?;
        KnownKey::parse(&bytes, Some(key)).ok()
    }

    /// Writes an entry, and gives its path.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub fn put(&self, known: &KnownKey) -> io::Result<PathBuf> {
        let path = self.entry(&known.key, "json");
        self.write(&path, known.to_json().as_bytes())?;
        Ok(path)
    }

    /// The fingerprint under which the key was used here before.
    #[must_use]
    pub fn seen(&self, key: &AzureKvKey) -> Option<String> {
        let text = String::from_utf8(self.read(&self.entry(key, "seen"))?).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// Remembers the fingerprint under which the key was used.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub fn remember(&self, known: &KnownKey) -> io::Result<()> {
        let text = format!("{}\n", known.public.thumbprint());
        self.write(&self.entry(&known.key, "seen"), text.as_bytes())
    }

    fn entry(&self, key: &AzureKvKey, kind: &str) -> PathBuf {
        let canonical = url_of(&AzureKvKey { vault_url: key.vault_url.to_ascii_lowercase(), ..key.clone() });
        let digest: String = Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{digest}.{kind}"))
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        if !is_own(&fs::metadata(&self.folder).ok()?) {
            return None;
        }
        let file = File::open(path).ok()?;
        if !is_own(&file.metadata().ok()?) {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(MAX_SIZE).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        make_folder(&self.folder)?;
        // Made for its owner alone.
        let mut temporary = NamedTempFile::new_in(&self.folder)?;
        temporary.write_all(bytes)?;
        temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(unix)]
fn is_own(data: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    let by_others = data.mode() & 0o022 != 0;
    !by_others && data.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
