//! An opened file as text, for an editor, and the edited text back.

use std::borrow::Cow;

use ksops_core::document::encrypt::reserved_key;
use ksops_core::metadata::wire::{self, WireError};
use ksops_stores::file::{self, Layout, Like, MetadataError, ReadError, WriteError};
use ksops_stores::format::Format;
use ksops_stores::misfit::Misfit;
use zeroize::Zeroizing;

use crate::encrypt::FORMAT_VERSION;
use crate::layout::Layout as Keeping;
use crate::open::Opened;
use crate::save::Keys;
use crate::whole::reserved_keys;

/// What the editor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The documents.
    Documents,
    /// The documents with the metadata.
    WithMetadata,
}

/// Why an edited text was not taken over. It can be edited again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// It cannot be read in its format.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// There is no document any more.
    #[error("the file holds no document")]
    NoDocument,
    /// A top-level key is kept for the metadata.
    #[error("the file has a top-level entry called `sops`, which is kept for the metadata")]
    ReservedKey,
    /// There is no key any more.
    #[error("No master keys were provided, so sops can't encrypt the file.")]
    NoKeys,
}

/// A version that cannot be compared (exit status 202).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Failed to compare document version \"{0}\" with program version \"{FORMAT_VERSION}\": it is not of the form 1.2.3"
)]
pub struct VersionError(String);

impl Opened {
    /// The text for the editor. `original` is the text of the file, whose layout is kept if `layout` says so (TOML
    /// always).
    ///
    /// # Errors
    /// [`WriteError`] if the tree has no form in the format.
    pub fn text(
        &self,
        shown: Shown,
        format: Format,
        indent: Option<i64>,
        original: &[u8],
        keeping: Keeping,
    ) -> Result<Zeroizing<Vec<u8>>, WriteError> {
        let like = (format == self.format && !original.is_empty()).then_some(original);
        if let Some(like) = like.filter(|_| keeping.is_kept() && file::keeps_layout(format))
            && let Ok(text) = self.text_like(shown, format, indent, like)
        {
            return Ok(text);
        }
        let layout = Layout { indent, like };
        match shown {
            Shown::Documents => file::write_plain(self.branches.clone(), format, layout),
            Shown::WithMetadata => {
                let block = wire::to_branch(&self.metadata);
                file::write_encrypted(self.branches.clone(), &block, format, layout).map(Zeroizing::new)
            }
        }
    }

    /// The text with the layout of the file; what cannot be had so is laid out anew, which loses nothing.
    fn text_like(
        &self,
        shown: Shown,
        format: Format,
        indent: Option<i64>,
        like: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Misfit> {
        match shown {
            Shown::Documents => file::write_plain_like(&self.branches, format, Like::of(like), indent),
            Shown::WithMetadata => {
                let block = wire::to_branch(&self.metadata);
                let text =
                    file::write_encrypted_like(self.branches.clone(), &block, format, Like::of(like), indent);
                match text {
                    Ok(Ok(text)) => Ok(Zeroizing::new(text)),
                    Ok(Err(not_kept)) => Err(not_kept.misfit),
                    Err(error) => Err(Misfit::of(&error)),
                }
            }
        }
    }

    /// Takes over an edited text, and says what [`save`](crate::save::save) has to do with the keys: with
    /// [`Shown::WithMetadata`] they may be other ones now.
    ///
    /// # Errors
    /// [`EditError`]; nothing was taken over then.
    pub fn take_text(&mut self, text: &[u8], shown: Shown, format: Format) -> Result<Keys, EditError> {
        let (branches, metadata) = match shown {
            Shown::Documents => (file::read_plain(Cow::Borrowed(text), format, true)?.branches, None),
            Shown::WithMetadata => {
                let file = file::read_encrypted(text, format, true)?;
                let metadata = wire::from_branch(&file.metadata?).map_err(|error| match error {
                    WireError::NoKeys => EditError::NoKeys,
                    other => MetadataError::from(other).into(),
                })?;
                (file.branches, Some(metadata))
            }
        };
        let Some(first) = branches.first() else { return Err(EditError::NoDocument) };
        if reserved_key(first, reserved_keys(format)).is_some() {
            return Err(EditError::ReservedKey);
        }
        self.branches = branches;
        let Some(metadata) = metadata else { return Ok(Keys::Keep) };
        let same_keys = metadata.key_groups == self.metadata.key_groups
            && metadata.shamir_threshold == self.metadata.shamir_threshold;
        self.metadata = metadata;
        Ok(match same_keys {
            true => Keys::Keep,
            false => Keys::Regroup(self.metadata.key_groups.clone(), self.metadata.shamir_threshold),
        })
    }

    /// Writes the program's version into a file of an older one, as upstream does when a file is edited.
    ///
    /// # Errors
    /// [`VersionError`] if the file's version is no version.
    pub fn raise_version(&mut self) -> Result<(), VersionError> {
        let parts = |text: &str| -> Option<Vec<u64>> {
            // What stands behind the numbers does not count.
            let numbers = text.split(['-', '+']).next().unwrap_or_default();
            let parts: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
            parts.filter(|parts| parts.len() == 3)
        };
        let unreadable = || VersionError(self.metadata.version.clone());
        let found = parts(&self.metadata.version).ok_or_else(unreadable)?;
        if parts(FORMAT_VERSION).is_some_and(|ours| ours > found) {
            FORMAT_VERSION.clone_into(&mut self.metadata.version);
        }
        Ok(())
    }
}
