//! Whether a file is encrypted, without any key.

use ksops_core::metadata::wire::{self, WireError};
use ksops_stores::format::Format;
use ksops_stores::yaml::load::{LoadError, YamlReader};
use ksops_yaml::input;

/// Why the status cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The file cannot be read in its format.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] WireError),
    /// This build cannot read the format.
    #[error("the format {0} comes in a later version; this one has yaml")]
    Format(Format),
}

/// Tells whether a file has metadata with a version and a MAC (cli-and-config.md section 10.4).
///
/// # Errors
/// [`StatusError`] if the file or its metadata cannot be read.
pub fn is_encrypted(input: &[u8], format: Format) -> Result<bool, StatusError> {
    if format != Format::Yaml {
        return Err(StatusError::Format(format));
    }
    let text = input::decode(input).map_err(LoadError::from)?;
    let mut documents = YamlReader::new(&text);
    let Some(first) = documents.next_branch() else { return Ok(false) };
    let mut first = first?;
    // Upstream reads the whole file, so that broken text behind the first document is an error, too.
    while let Some(later) = documents.next_branch() {
        later?;
    }
    match wire::take(&mut first).and_then(|block| wire::from_branch(&block)) {
        Ok(metadata) => Ok(!metadata.version.is_empty() && !metadata.mac.is_empty()),
        Err(WireError::NotFound | WireError::NoVersion) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
