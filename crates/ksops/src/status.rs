//! Whether a file is encrypted, without any key.

use ksops_core::metadata::wire::{self, WireError};
use ksops_stores::file::{self, MetadataError, ReadError};
use ksops_stores::format::Format;

/// Why the status cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The file cannot be read in its format.
    #[error(transparent)]
    Load(#[from] ReadError),
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Tells whether a file has metadata with a version and a MAC (cli-and-config.md section 10.4).
///
/// # Errors
/// [`StatusError`] if the file or its metadata cannot be read.
pub fn is_encrypted(input: &[u8], format: Format) -> Result<bool, StatusError> {
    // Upstream reads the whole file, so that broken text behind the first document is an error, too.
    let block = match file::read_encrypted(input, format, false)?.metadata {
        Err(error) if error.is_missing() => return Ok(false),
        block => block?,
    };
    // Files of rops have no version; to upstream others without one are not encrypted.
    if format != Format::Toml && block.node("version").is_none() {
        return Ok(false);
    }
    match wire::from_branch(&block) {
        Ok(metadata) => Ok(!metadata.version.is_empty() && !metadata.mac.is_empty()),
        Err(WireError::NoVersion) => Ok(false),
        Err(error) => Err(MetadataError::from(error).into()),
    }
}
