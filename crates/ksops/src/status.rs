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
    match file::read_encrypted(input, format, false)?
        .metadata
        .and_then(|block| Ok(wire::from_branch(&block)?))
    {
        Ok(metadata) => Ok(!metadata.version.is_empty() && !metadata.mac.is_empty()),
        Err(MetadataError::Wire(WireError::NotFound | WireError::NoVersion)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
