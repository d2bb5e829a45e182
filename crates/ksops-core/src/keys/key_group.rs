//! Key groups: sets of master keys of which one each must succeed (file-format.md section 5).

use time::OffsetDateTime;

use crate::keys::master_key::MasterKey;

/// The data key, or the group's share of it, under one master key: the text of the `enc` field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EncryptedDataKey(
    /// The text as it stands in the metadata.
    pub String,
);

/// A master key in a file, with what it made of the data key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyEntry {
    /// The master key.
    pub key: MasterKey,
    /// The encrypted data key.
    pub enc: EncryptedDataKey,
    /// When the key was added to the file; age entries have none.
    pub created_at: Option<OffsetDateTime>,
}

/// The entries of one group, in file order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyGroup {
    /// The entries.
    pub entries: Vec<KeyEntry>,
}
