//! The metadata of a file, typed.

use time::OffsetDateTime;

use crate::keys::key_group::KeyGroup;
use crate::metadata::unknown::UnknownKeys;
use crate::tree::selection::RuleTexts;

/// What the `sops` block says (file-format.md section 6.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    /// The key groups; with one the block has flat lists.
    pub key_groups: Vec<KeyGroup>,
    /// Master keys of kinds that this version does not know.
    pub unknown: Vec<UnknownKeys>,
    /// How many groups must give their share; 0 if the block does not say.
    pub shamir_threshold: usize,
    /// The moment of the last encryption, with the offset in which it stands in the file.
    pub last_modified: OffsetDateTime,
    /// The text of the encrypted MAC; empty if there is none.
    pub mac: String,
    /// Whether the MAC runs over encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The selection rule. Reading fills in the default.
    pub rules: RuleTexts,
    /// The version of the program that wrote the file, as written.
    pub version: String,
}

impl Metadata {
    /// The number of master keys in all groups.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.key_groups.iter().map(|group| group.entries.len()).sum()
    }
}
