//! Merging two versions of an encrypted file: the plain trees by path, the recipients, and the result encrypted again.

use ksops_core::metadata::wire;
use ksops_core::tree::branch::Branch;
use ksops_stores::file::{self, Layout, Like};
use ksops_stores::format::Format;
use zeroize::Zeroizing;

use crate::decrypt::DecryptError;
use crate::edit::EditError;
use crate::edit::Shown;
use crate::encrypt::{EncryptError, Encrypted};
use crate::markers::{Labels, marked};
use crate::merge::tree::{Merger, Side};
use crate::open::{OpenRequest, Opened, open};
use crate::save::{Keys, SaveRequest, save};
use crate::services::Services;

mod keys;
mod tree;

/// The versions of a file, as text.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// The version that both come from, if there is one.
    pub base: Option<&'a [u8]>,
    /// The version here.
    pub ours: &'a [u8],
    /// The version of the others.
    pub theirs: &'a [u8],
}

/// Why files were not merged. No message holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A version cannot be decrypted.
    #[error("{side}: {error}")]
    Open {
        /// Which version.
        side: &'static str,
        /// Why.
        error: DecryptError,
    },
    /// Both versions changed what gets encrypted.
    #[error("both sides changed which values are encrypted, in different ways")]
    Rules,
    /// The result cannot be encrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// The result has no text.
    #[error("the merged file cannot be printed: {0}")]
    Print(String),
}

/// A merge, decrypted.
pub struct Merge {
    /// The merged file; where both sides changed the same, with ours.
    merged: Opened,
    /// The same, with theirs; nothing if there is no conflict.
    other: Option<Vec<Branch>>,
    keys: Keys,
    /// The text whose layout is kept.
    like: Vec<u8>,
    /// What both sides changed, by path.
    pub conflicts: Vec<String>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Merges two versions of a file.
///
/// Values that neither side changed keep their ciphertext, and so do those that one side changed, if both have the same
/// data key. If one side has a new data key, the result has it.
///
/// # Errors
/// [`MergeError`] if a version cannot be decrypted, or both changed the selection.
pub fn merge(
    versions: Versions<'_>,
    request: &OpenRequest,
    services: &Services,
) -> Result<Merge, MergeError> {
    let opened =
        |text: &[u8], side| open(text, request, services).map_err(|error| MergeError::Open { side, error });
    let base = versions.base.filter(|text| !text.is_empty()).map(|text| opened(text, "the common version"));
    let base = base.transpose()?;
    let (ours, theirs) = (opened(versions.ours, "our version")?, opened(versions.theirs, "their version")?);
    let none = Vec::new();
    let trees = base.as_ref().map_or(&none, |base| &base.branches);
    let mut merger = Merger::new(Side::Ours);
    let branches = merger.documents(trees, &ours.branches, &theirs.branches);
    let conflicts = merger.conflicts;
    let other = (!conflicts.is_empty())
        .then(|| Merger::new(Side::Theirs).documents(trees, &ours.branches, &theirs.branches));

    let old = base.as_ref().map(|base| &base.metadata);
    let (rules, mac_only) = match (old, &ours.metadata, &theirs.metadata) {
        (_, ours, theirs)
            if ours.rules == theirs.rules && ours.mac_only_encrypted == theirs.mac_only_encrypted =>
        {
            (ours.rules.clone(), ours.mac_only_encrypted)
        }
        (Some(old), ours, theirs) if old.rules == ours.rules => {
            (theirs.rules.clone(), theirs.mac_only_encrypted)
        }
        (Some(old), ours, theirs) if old.rules == theirs.rules => {
            (ours.rules.clone(), ours.mac_only_encrypted)
        }
        _ => return Err(MergeError::Rules),
    };
    let key = |opened: &Opened| opened.data_key.expose().clone();
    let same_key = key(&ours) == key(&theirs);
    let is_theirs = !same_key && base.as_ref().is_some_and(|base| key(base) == key(&ours));
    let mut notes = Vec::new();
    if !same_key {
        notes.push(format!(
            "the data key is that of {} version: it was rotated there",
            if is_theirs { "their" } else { "our" }
        ));
    }
    let (first, second) = if is_theirs { (theirs, ours) } else { (ours, theirs) };
    let groups = keys::merge(old, &first.metadata, &second.metadata, same_key);
    let mut merged = first;
    let keys = match groups.is_new {
        true => Keys::Regroup(groups.groups, groups.threshold),
        false => {
            merged.metadata.key_groups = groups.groups;
            merged.metadata.shamir_threshold = groups.threshold;
            Keys::Keep
        }
    };
    merged.metadata.rules = rules;
    merged.metadata.mac_only_encrypted = mac_only;
    if same_key {
        merged.stash.absorb(second.stash);
    }
    merged.branches = branches;
    Ok(Merge { merged, other, keys, like: versions.ours.to_vec(), conflicts, notes })
}

impl Merge {
    /// Encrypts the merged file; where both sides changed the same, it has ours.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn save(&self, request: &SaveRequest, services: &Services) -> Result<Encrypted, EncryptError> {
        save(&self.merged, &self.like, self.keys.clone(), request, services)
    }

    /// Encrypts both ways in which the conflicts can end, with markers around the lines in which they differ. The
    /// metadata are those of our way.
    ///
    /// # Errors
    /// [`MergeError`].
    pub fn save_marked(
        &mut self,
        request: &SaveRequest,
        services: &Services,
        labels: &Labels,
    ) -> Result<Vec<u8>, MergeError> {
        let format = request.output_format;
        let mut ours = self.save(request, services)?.text;
        let Some(other) = self.other.clone() else { return Ok(ours) };
        let mine = std::mem::replace(&mut self.merged.branches, other);
        let theirs = save(&self.merged, &ours, self.keys.clone(), request, services);
        self.merged.branches = mine;
        // The two differ in their metadata, too; those of our way stay.
        let open = |text: &[u8]| {
            file::read_encrypted(text, format, true).map_err(|error| MergeError::Print(error.to_string()))
        };
        let (one, two) = (open(&ours)?, open(&theirs?.text)?);
        let block = one.metadata.map_err(|error| MergeError::Print(error.to_string()))?;
        let like =
            file::write_encrypted_like(two.branches.clone(), &block, format, Like::of(&ours), request.indent)
                .map_err(|error| MergeError::Print(error.to_string()))?;
        let theirs = match like {
            Ok(text) => text,
            Err(_) => {
                let print = |branches| {
                    let layout = Layout { indent: request.indent, like: None };
                    let text = file::write_encrypted(branches, &block, format, layout);
                    text.map_err(|error| MergeError::Print(error.to_string()))
                };
                ours = print(one.branches)?;
                print(two.branches)?
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(marked(&text(&ours), &text(&theirs), labels).as_bytes().to_vec())
    }

    /// The merged file in plain text for an editor, with markers around the lines in which the two ways differ.
    ///
    /// # Errors
    /// [`MergeError::Print`].
    pub fn text(&self, request: &SaveRequest, labels: &Labels) -> Result<Zeroizing<Vec<u8>>, MergeError> {
        let unprintable = |error: &dyn std::fmt::Display| MergeError::Print(error.to_string());
        let (format, indent) = (request.output_format, request.indent);
        let ours = self
            .merged
            .text(Shown::Documents, format, indent, &self.like, request.layout)
            .map_err(|error| unprintable(&error))?;
        let Some(other) = &self.other else { return Ok(ours) };
        let theirs = match file::write_plain_like(other, format, Like::of(&ours), indent) {
            Ok(text) => text,
            Err(_) => {
                let layout = Layout { indent, like: None };
                file::write_plain(other.clone(), format, layout).map_err(|error| unprintable(&error))?
            }
        };
        let text = |bytes: &[u8]| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
        Ok(Zeroizing::new(marked(&text(&ours), &text(&theirs), labels).as_bytes().to_vec()))
    }

    /// Takes over a text in which the conflicts were resolved; [`Merge::save`] encrypts it.
    ///
    /// # Errors
    /// [`EditError`] if it cannot be read.
    pub fn take_text(&mut self, text: &[u8], format: Format) -> Result<(), EditError> {
        self.merged.take_text(text, Shown::Documents, format)?;
        self.other = None;
        self.conflicts.clear();
        self.like = text.to_vec();
        Ok(())
    }

    /// The recipients of the merged file, one line each.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        let groups = match &self.keys {
            Keys::Regroup(groups, _) | Keys::Rotate(groups, _) => groups,
            Keys::Keep => &self.merged.metadata.key_groups,
        };
        groups.iter().flat_map(|group| &group.entries).map(|entry| entry.key.to_string()).collect()
    }
}

/// Whether a text is an encrypted file of a format.
#[must_use]
pub fn is_encrypted(text: &[u8], format: Format) -> bool {
    file::read_encrypted(text, format, true)
        .is_ok_and(|file| file.metadata.is_ok_and(|block| wire::from_branch(&block).is_ok()))
}
