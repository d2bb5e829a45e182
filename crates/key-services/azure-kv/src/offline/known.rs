//! The public keys at hand: files and folders that the user or the repository names, then the user's cache.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ksops_core::keys::master_key::AzureKvKey;

use crate::key_url::url_of;
use crate::offline::cache::KeyCache;
use crate::offline::key_file::{KnownKey, is_same};

/// In a folder, files with these endings are public keys.
const ENDINGS: [&str; 2] = ["json", "jwk"];

/// A file or folder with public keys, as a configuration or a command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeySource {
    /// The file, or a folder of JWK files.
    pub path: PathBuf,
    /// Whose key the file is; needed for PEM and DER.
    pub key: Option<AzureKvKey>,
}

/// Where public keys are looked for. Nothing is read before the first is needed.
#[derive(Debug, Default)]
pub struct KnownKeys {
    sources: Vec<PublicKeySource>,
    cache: Option<KeyCache>,
    loaded: OnceLock<Result<Vec<Found>, String>>,
    /// The fingerprints that were used in this run.
    used: Mutex<HashSet<String>>,
}

/// A public key that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The key.
    pub known: KnownKey,
    /// Where it stands.
    pub place: String,
}

impl KnownKeys {
    /// The keys of these places.
    #[must_use]
    pub fn new(sources: Vec<PublicKeySource>, cache: Option<KeyCache>) -> Self {
        Self { sources, cache, loaded: OnceLock::new(), used: Mutex::default() }
    }

    /// The public half of this version of a key; `None` if it is not at hand.
    ///
    /// # Errors
    /// If a file that was named cannot be read or used, two differ, the key must not be used now, or it is not the one
    /// that was used before.
    pub fn find(&self, key: &AzureKvKey) -> Result<Option<Found>, String> {
        let loaded = self.loaded.get_or_init(|| load(&self.sources)).as_ref().map_err(Clone::clone)?;
        let found = match loaded.iter().find(|found| is_same(&found.known.key, key)) {
            Some(found) => found.clone(),
            None => match self.cache.as_ref().and_then(|cache| cache.find(key)) {
                Some(known) => Found { known, place: "the cache".to_owned() },
                None => return Ok(None),
            },
        };
        let fail = |reason: String| format!("the public key in {}: {reason}", found.place);
        found.known.check(now()).map_err(fail)?;
        self.compare(&found).map_err(fail)?;
        Ok(Some(found))
    }

    /// Whether the key is used here for the first time, which is remembered.
    #[must_use]
    pub fn is_first_use(&self, known: &KnownKey) -> bool {
        // Held to the end: of several files side by side one is the first.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.insert(format!("{} {}", url_of(&known.key), known.public.thumbprint())) {
            return false;
        }
        let Some(cache) = &self.cache else { return true };
        let is_first = cache.seen(&known.key).is_none();
        if is_first {
            // Without a folder to write to the user is told again the next time.
            let _ = cache.remember(known);
        }
        is_first
    }

    /// A version of a key never gets another public half: somebody has put in their own.
    fn compare(&self, found: &Found) -> Result<(), String> {
        let seen = self.cache.as_ref().and_then(|cache| cache.seen(&found.known.key));
        let now = found.known.public.thumbprint();
        match seen {
            Some(seen) if seen != now => Err(format!(
                "its fingerprint is {now}, but this version of the key was used before with {seen}; a version never \
                 changes, so one of them is not the vault's"
            )),
            _ => Ok(()),
        }
    }
}

fn load(sources: &[PublicKeySource]) -> Result<Vec<Found>, String> {
    let mut all: Vec<Found> = Vec::new();
    for source in sources {
        for path in files(&source.path)? {
            let place = path.display().to_string();
            let bytes = fs::read(&path).map_err(|error| cannot_read(&path, &error))?;
            let known = KnownKey::parse(&bytes, source.key.as_ref())
                .map_err(|reason| format!("the public key in {place} is not used: {reason}"))?;
            let other = all.iter().find(|other| is_same(&other.known.key, &known.key));
            if let Some(other) = other.filter(|other| other.known.public != known.public) {
                return Err(format!(
                    "{place} and {} hold different public keys for {}",
                    other.place,
                    url_of(&known.key)
                ));
            }
            all.push(Found { known, place });
        }
    }
    Ok(all)
}

/// The file itself, or those of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| cannot_read(path, &error))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let is_key = |file: &Path| file.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known));
    files.retain(|file| is_key(file));
    files.sort();
    Ok(files)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("the public key {} cannot be read: {error}", path.display())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use ksops_core::keys::master_key::AzureKvKey;
    use tempfile::TempDir;

    use super::{KnownKeys, PublicKeySource};
    use crate::key_url::parse_key_url;
    use crate::offline::cache::KeyCache;
    use crate::offline::key_file::KnownKey;

    const URL: &str = "https://v.vault.azure.net/keys/n/1";

    fn key(url: &str) -> AzureKvKey {
        parse_key_url(url).expect("a key URL")
    }

    /// The JSON of a key whose modulus is made of one byte.
    fn json(url: &str, byte: u8) -> String {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let n = URL_SAFE_NO_PAD.encode([byte; 256]);
        format!(r#"{{"kid": "{url}", "kty": "RSA", "n": "{n}", "e": "AQAB"}}"#)
    }

    fn source(folder: &TempDir, name: &str) -> PublicKeySource {
        PublicKeySource { path: folder.path().join(name), key: None }
    }

    #[test]
    fn files_and_folders_are_searched_before_the_cache() {
        let folder = TempDir::new().expect("a folder");
        let cache = KeyCache::at(folder.path().join("cache"));
        for (name, url, byte) in [("a.jwk", URL, 0xfb), ("keys/b.json", "https://v/keys/n/2", 0xfd)] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below")).expect("own folder");
            fs::write(path, json(url, byte)).expect("own file");
        }
        fs::write(folder.path().join("keys/readme.md"), "no key").expect("own file");
        let known = KnownKey::parse(json("https://v/keys/n/3", 0xff).as_bytes(), None).expect("a key");
        cache.put(&known).expect("own folder");
        let keys =
            KnownKeys::new(vec![source(&folder, "a.jwk"), source(&folder, "keys")], Some(cache.clone()));
        let place = |url: &str| keys.find(&key(url)).expect("no fault").map(|found| found.place);
        assert!(place(URL).expect("found").ends_with("a.jwk"));
        assert!(place("https://V/keys/n/2").expect("found").ends_with("b.json"));
        assert_eq!(place("https://v/keys/n/3").as_deref(), Some("the cache"));
        assert_eq!(place("https://v/keys/n/4"), None);
        assert_eq!(place("https://v/keys/n"), None);
    }

    #[test]
    fn what_others_can_write_to_is_no_cache() {
        let folder = TempDir::new().expect("a folder");
        let cache = KeyCache::at(folder.path().join("cache"));
        let known = KnownKey::parse(json(URL, 0xfb).as_bytes(), None).expect("a key");
        let path = cache.put(&known).expect("own folder");
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(cache.find(&key(URL)), Some(known));
        for (place, mode) in [(path.as_path(), 0o602), (path.parent().expect("a folder"), 0o770)] {
            let before = place.metadata().expect("there").permissions();
            fs::set_permissions(place, fs::Permissions::from_mode(mode)).expect("own");
            assert_eq!(cache.find(&key(URL)), None, "{place:?}");
            fs::set_permissions(place, before).expect("own");
        }
    }

    #[test]
    fn another_key_under_the_same_name_is_refused() {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("a.jwk"), json(URL, 0xfb)).expect("own file");
        fs::write(folder.path().join("b.jwk"), json(URL, 0xfd)).expect("own file");
        let cache = KeyCache::at(folder.path().join("cache"));
        let find = |names: &[&str]| {
            let sources = names.iter().map(|name| source(&folder, name)).collect();
            let keys = KnownKeys::new(sources, Some(cache.clone()));
            keys.find(&key(URL)).map(|found| keys.is_first_use(&found.expect("there").known))
        };
        assert!(find(&["a.jwk", "b.jwk"]).expect_err("refused").contains("different public keys"));
        assert_eq!(find(&["a.jwk"]), Ok(true));
        assert_eq!(find(&["a.jwk"]), Ok(false));
        assert!(find(&["b.jwk"]).expect_err("refused").contains("was used before"));
        assert!(find(&["nothing.jwk"]).expect_err("refused").contains("cannot be read"));
    }
}
