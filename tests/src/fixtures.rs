//! Where the fixtures are, and the throwaway age keys among them.
//!
//! Apart, so that no test knows the folder layout.

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's top folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests package lies in the workspace").to_owned()
}

/// The path of `name` below `fixtures/`.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    workspace().join("fixtures").join(name)
}

/// The bytes of the fixture `name`.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of the fixture `name`.
///
/// # Panics
/// If it cannot be read or is not UTF-8.
#[must_use]
pub fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|_| panic!("{name}: not UTF-8"))
}

/// The folders and files directly in `folder`, sorted by name.
///
/// # Panics
/// If the folder cannot be read.
#[must_use]
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder lists its entries").path())
        .collect();
    found.sort();
    found
}

/// The file name of `path` as text.
#[must_use]
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The throwaway age keys of `fixtures/keys/age-keys.txt`.
#[derive(Clone)]
pub struct AgeKeys {
    /// The identities, in the order of the file.
    pub identities: Vec<String>,
    /// Their recipients, in the same order.
    pub recipients: Vec<String>,
}

impl AgeKeys {
    /// Reads the keys of the fixtures.
    ///
    /// # Panics
    /// If the file does not hold as many recipients as identities.
    #[must_use]
    pub fn read() -> Self {
        let text = text("keys/age-keys.txt");
        let words = |prefix: &str| -> Vec<String> {
            text.split_whitespace().filter(|word| word.starts_with(prefix)).map(str::to_owned).collect()
        };
        let keys = Self { identities: words("AGE-SECRET-KEY-1"), recipients: words("age1") };
        assert_eq!(keys.identities.len(), keys.recipients.len(), "fixtures/keys/age-keys.txt");
        keys
    }

    /// All identities as the text of an identity file.
    #[must_use]
    pub fn identity_file(&self) -> String {
        self.identities.join("\n") + "\n"
    }
}
