//! Finds and reads the configuration (cli-and-config.md section 5.1). The only module that asks for files, and it
//! asks through [`Files`].

use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The file's only proper name.
pub const FILE_NAME: &str = ".sops.yaml";

/// A name that people try, and that is ignored with a warning.
const OTHER_NAME: &str = ".sops.yml";

/// How many directories are looked at, the first one included.
const MAX_LEVELS: usize = 100;

/// The largest configuration that is read, in bytes.
const MAX_SIZE: u64 = 16 << 20;

/// What the search needs of a file system.
pub trait Files {
    /// Whether something of this name exists, whatever it is.
    fn exists(&self, path: &Path) -> bool;

    /// Reads a file whole.
    ///
    /// # Errors
    /// As `std::fs::read`.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// How many directories there are from this one up to the root.
    fn levels(&self, directory: &Path) -> usize {
        directory.components().count()
    }
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn exists(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 16 MiB"));
        }
        Ok(bytes)
    }

    fn levels(&self, directory: &Path) -> usize {
        // The path can have fewer parts than the directory when it leads through a symbolic link.
        std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned()).components().count()
    }
}

/// What the search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// The configuration, if there is one.
    pub found: Option<Location>,
    /// A warning about a file of the wrong name.
    pub warning: Option<String>,
}

/// A configuration's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The path to read it by.
    pub path: PathBuf,
    /// Its name in messages: the path as given, or as walked (`../.sops.yaml`).
    pub name: String,
    /// The absolute directory that paths are compared relative to.
    pub directory: PathBuf,
}

/// The configuration could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read config file: {name}: {source}")]
pub struct ReadError {
    /// Its name.
    pub name: String,
    /// Why.
    pub source: io::Error,
}

/// Searches from `directory`, the absolute working directory, upwards. The first `.sops.yaml` wins, whatever it is.
#[must_use]
pub fn search(files: &dyn Files, directory: &Path) -> Search {
    let mut ignored: Option<String> = None;
    let mut up = String::new();
    for _ in 0..files.levels(directory).clamp(1, MAX_LEVELS) {
        let name = format!("{up}{FILE_NAME}");
        if files.exists(&directory.join(&name)) {
            let warning = ignored.map(|other| format!("{}; using {name:?} instead", warning(&other)));
            return Search { found: Some(locate(directory, &name)), warning };
        }
        let other = format!("{up}{OTHER_NAME}");
        if ignored.is_none() && files.exists(&directory.join(&other)) {
            ignored = Some(other);
        }
        up.push_str("../");
    }
    Search { found: None, warning: ignored.map(|other| warning(&other)) }
}

fn warning(other: &str) -> String {
    format!("ignoring {other:?} when searching for config file; the config file must be called {FILE_NAME:?}")
}

/// The place of a configuration that was named by the user, relative to `directory`, the absolute working directory.
#[must_use]
pub fn locate(directory: &Path, name: &str) -> Location {
    let path = directory.join(name);
    let mut parent = PathBuf::new();
    // By the text alone, as upstream: `..` takes the last part away, also behind a symbolic link.
    for part in path.parent().unwrap_or(&path).components() {
        match part {
            std::path::Component::ParentDir => {
                parent.pop();
            }
            std::path::Component::CurDir => {}
            other => parent.push(other),
        }
    }
    Location { path, name: name.to_owned(), directory: parent }
}

/// Reads the configuration.
///
/// # Errors
/// [`ReadError`] if it cannot be read: it is a directory, for instance.
pub fn read(files: &dyn Files, location: &Location) -> Result<Vec<u8>, ReadError> {
    files.read(&location.path).map_err(|source| ReadError { name: location.name.clone(), source })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::{Path, PathBuf};

    use super::{Files, SystemFiles, locate, read, search};

    /// Files that exist, by their path without `..`.
    struct Listed(&'static [&'static str]);

    impl Files for Listed {
        fn exists(&self, path: &Path) -> bool {
            let location = locate(path, "x");
            self.0.iter().any(|listed| Path::new(listed) == location.directory)
        }

        fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn takes_the_nearest_file() {
        let found =
            search(&Listed(&["/.sops.yaml", "/a/.sops.yaml"]), Path::new("/a/b/c")).found.expect("found");
        assert_eq!(found.name, "../../.sops.yaml");
        assert_eq!(found.directory, PathBuf::from("/a"));
        assert_eq!(found.path, PathBuf::from("/a/b/c/../../.sops.yaml"));
    }

    #[test]
    fn finds_nothing_beyond_the_root() {
        assert_eq!(search(&Listed(&[]), Path::new("/a")).found, None);
        assert!(search(&Listed(&["/.sops.yaml"]), Path::new("/")).found.is_some());
    }

    #[test]
    fn looks_at_a_hundred_directories() {
        let deep = |levels: usize| "/d".repeat(levels);
        assert!(search(&Listed(&["/.sops.yaml"]), Path::new(&deep(99))).found.is_some());
        assert!(search(&Listed(&["/.sops.yaml"]), Path::new(&deep(100))).found.is_none());
    }

    #[test]
    fn warns_of_the_nearest_file_with_the_wrong_name() {
        let nothing = search(&Listed(&["/a/.sops.yml", "/.sops.yml"]), Path::new("/a/b"));
        assert_eq!(
            nothing.warning.as_deref(),
            Some(
                "ignoring \"../.sops.yml\" when searching for config file; the config file must be called \".sops.yaml\""
            )
        );
        let both = search(&Listed(&["/a/b/.sops.yml", "/.sops.yaml"]), Path::new("/a/b"));
        assert!(both.warning.is_some_and(|text| text.ends_with("; using \"../../.sops.yaml\" instead")));
        let same = search(&Listed(&["/a/.sops.yml", "/a/.sops.yaml"]), Path::new("/a"));
        assert_eq!(same.warning, None);
    }

    #[test]
    fn a_directory_of_that_name_is_found_and_cannot_be_read() {
        let home = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(home.path().join(".sops.yaml")).expect("created");
        let found = search(&SystemFiles, home.path()).found.expect("found");
        let error = read(&SystemFiles, &found).expect_err("a directory").to_string();
        assert!(error.starts_with("could not read config file: .sops.yaml: "), "{error}");
    }

    #[test]
    fn a_named_configuration_lies_where_its_text_says() {
        let location = locate(Path::new("/w"), "../x/./c.yaml");
        assert_eq!((location.name.as_str(), location.directory), ("../x/./c.yaml", PathBuf::from("/x")));
        assert_eq!(locate(Path::new("/w"), "/dev/null").directory, PathBuf::from("/dev"));
    }
}
