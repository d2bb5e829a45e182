//! Reading a file or standard input whole (cli-and-config.md section 1.2). Apart from the commands, because all say the
//! same when it fails.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// The largest input, in bytes (security.md S14).
const MAX_SIZE: u64 = 1 << 30;

/// Where the input comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// Reads everything.
    ///
    /// # Errors
    /// [`Kind::Input`], with the operation that failed.
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::File(path) => read_file(path, &path.display().to_string())
                .map_err(|text| Failure::new(Kind::Input, format!("Error reading file: {text}"))),
            Self::Stdin => read_all(io::stdin().lock(), 0).map_err(|error| {
                Failure::new(Kind::Input, format!("Error reading from stdin: {}", reason(&error)))
            }),
        }
    }

    /// The file, unless it is standard input.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin => None,
        }
    }

    /// Whether a person has to type the input.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdin) && io::stdin().is_terminal()
    }
}

/// Reads a file that messages call `name`.
///
/// # Errors
/// The operation that failed and why, as `open NAME: permission denied`.
pub(crate) fn read_file(path: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let file = File::open(path).map_err(|error| format!("open {name}: {}", reason(&error)))?;
    let size = file.metadata().map(|data| data.len()).unwrap_or_default();
    read_all(file, size).map_err(|error| format!("read {name}: {}", reason(&error)))
}

fn read_all(mut from: impl Read, size: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let capacity = usize::try_from(size.min(MAX_SIZE)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(vec![0; capacity.max(8 << 10)]);
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            if filled as u64 > MAX_SIZE {
                return Err(io::Error::other("the input is larger than 1 GiB"));
            }
            // By hand, because a vector that grows by itself leaves its old bytes behind.
            let mut larger = Zeroizing::new(vec![0; filled * 2]);
            larger[..filled].copy_from_slice(&bytes);
            bytes = larger;
        }
        match from.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::read_all;

    #[test]
    fn reads_more_than_was_announced() {
        let input = vec![7; 100_000];
        assert_eq!(*read_all(input.as_slice(), 3).expect("read"), input);
        assert_eq!(*read_all(input.as_slice(), 100_000).expect("read"), input);
        assert!(read_all([].as_slice(), 0).expect("read").is_empty());
    }
}
