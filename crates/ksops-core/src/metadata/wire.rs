//! The metadata as a branch: the `sops` block of a document (file-format.md sections 6.1 to 6.4).
//!
//! Flattening for dotenv and INI is the stores' business.

use time::OffsetDateTime;

use crate::crypto::timestamp;
use crate::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
use crate::keys::master_key::{
    AgeKey, AzureKvKey, GcpKmsKey, HcVaultKey, HckmsKey, KeyType, KmsKey, MasterKey, PgpKey,
};
use crate::metadata::field::Fields;
use crate::metadata::model::Metadata;
use crate::metadata::unknown::{self, UnknownKeys};
use crate::tree::branch::{Branch, Entry, Node};
use crate::tree::selection::{RuleTexts, SelectionError};
use crate::value::Value;

/// The key under which the block stands.
pub const BLOCK_KEY: &str = "sops";

/// What a file of rops, which has no version, is taken for: rops 0.1 has the layout and the fields of this one. It must
/// be one that upstream accepts, since it is written when the file is written again.
const VERSION_OF_ROPS: &str = "3.8.1";
/// As `unencrypted_regex`: everything is encrypted. Upstream, rops and we read it so.
const MATCHES_NOTHING: &str = "$.";

/// Why the metadata of a file cannot be read (exit status 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// There is no block.
    #[error("sops metadata not found")]
    NotFound,
    /// The block is a scalar or a list.
    #[error("Found sops entry that is not a mapping")]
    NotAMapping,
    /// The first document has two blocks.
    #[error("Found duplicate sops entry")]
    Duplicate,
    /// No master key is named.
    #[error("No keys found in file")]
    NoKeys,
    /// Master keys are named, but of kinds that this version does not know.
    #[error("the keys of this file are of kinds that this version does not know: {0}")]
    UnknownKinds(String),
    /// The version is missing or empty.
    #[error("Version string empty")]
    NoVersion,
    /// A field has a type that cannot be converted.
    #[error("'{field}' expected type '{expected}', got unconvertible type '{found}'")]
    Type {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A field's text cannot be converted.
    #[error("cannot parse '{field}' as {expected}")]
    Parse {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A field is no moment.
    #[error(
        "parsing time \"{}\" as \"2006-01-02T15:04:05Z07:00\": the field '{field}' must be a date, `T`, a time and an \
         offset",
        if *is_empty { "" } else { "…" }
    )]
    Time {
        /// The field.
        field: String,
        /// Whether it says nothing. What it says is not shown.
        is_empty: bool,
    },
    /// Several selection rules.
    #[error("Cannot use {0} in the same file")]
    Rules(SelectionError),
}

/// Takes the block out of the first document.
///
/// # Errors
/// [`WireError`] if there is none, more than one, or one that is not a mapping.
pub fn take(first: &mut Branch) -> Result<Branch, WireError> {
    let mut block = None;
    let mut error = None;
    first.entries.retain(|entry| match entry {
        Entry::Item(key, node) if key == BLOCK_KEY => {
            match node {
                _ if block.is_some() => error = error.take().or(Some(WireError::Duplicate)),
                Node::Map(branch) => block = Some(branch.clone()),
                _ => error = error.take().or(Some(WireError::NotAMapping)),
            }
            false
        }
        _ => true,
    });
    match (error, block) {
        (Some(error), _) => Err(error),
        (None, Some(mut block)) => {
            block.forget_number_texts();
            Ok(block)
        }
        (None, None) => Err(WireError::NotFound),
    }
}

/// Drops the block of a later document, unread.
pub fn discard(later: &mut Branch) {
    later.entries.retain(|entry| !matches!(entry, Entry::Item(key, _) if key == BLOCK_KEY));
}

/// Takes the metadata out of all documents of a file.
///
/// # Errors
/// [`WireError`] if the first document has none that can be read.
pub fn take_all(documents: &mut [Branch]) -> Result<Metadata, WireError> {
    let (first, later) = documents.split_first_mut().ok_or(WireError::NotFound)?;
    let block = take(first)?;
    later.iter_mut().for_each(discard);
    from_branch(&block)
}

/// Puts the block at the end of a document.
pub fn append(document: &mut Branch, block: &Branch) {
    document.entries.push(Entry::Item(BLOCK_KEY.into(), Node::Map(block.clone())));
}

/// Reads the block, as any version wrote it.
///
/// # Errors
/// [`WireError`] if a field cannot be read, or the block names no key or several rules.
pub fn from_branch(block: &Branch) -> Result<Metadata, WireError> {
    let fields = Fields::new(block);
    let last_modified = fields.moment("lastmodified")?;
    let flat = read_group(&fields)?;
    let is_flat = !flat.entries.is_empty();
    let key_groups = if is_flat {
        vec![flat]
    } else {
        fields.list("key_groups")?.iter().map(read_group).collect::<Result<_, _>>()?
    };
    let unknown = unknown_keys(block, is_flat);
    if key_groups.is_empty() {
        return Err(match unknown.is_empty() {
            true => WireError::NoKeys,
            false => WireError::UnknownKinds(unknown::kinds(&unknown)),
        });
    }
    let mut rules = RuleTexts {
        unencrypted_suffix: fields.text("unencrypted_suffix")?,
        encrypted_suffix: fields.text("encrypted_suffix")?,
        unencrypted_regex: fields.text("unencrypted_regex")?,
        encrypted_regex: fields.text("encrypted_regex")?,
        unencrypted_comment_regex: fields.text("unencrypted_comment_regex")?,
        encrypted_comment_regex: fields.text("encrypted_comment_regex")?,
    };
    if rules.count() > 1 {
        return Err(WireError::Rules(SelectionError::Several));
    }
    let version = if fields.has("version") {
        rules.fill_in_default();
        fields.text("version")?
    } else {
        // rops writes no version, and encrypts everything if it writes no rule.
        if rules.count() == 0 {
            MATCHES_NOTHING.clone_into(&mut rules.unencrypted_regex);
        }
        VERSION_OF_ROPS.to_owned()
    };
    if version.is_empty() {
        return Err(WireError::NoVersion);
    }
    Ok(Metadata {
        key_groups,
        unknown,
        shamir_threshold: fields.count("shamir_threshold")?,
        last_modified,
        mac: fields.text("mac")?,
        mac_only_encrypted: fields.truth("mac_only_encrypted")?,
        rules,
        version,
    })
}

/// Lists of unknown kinds count where upstream reads known ones: in the block, or in the groups.
fn unknown_keys(block: &Branch, is_flat: bool) -> Vec<UnknownKeys> {
    let mut found = unknown::find(block, None);
    for entry in &block.entries {
        let Entry::Item(key, Node::List(groups)) = entry else { continue };
        if is_flat || key.as_bytes() != b"key_groups" {
            continue;
        }
        let groups = groups.iter().filter(|node| !matches!(node, Node::Comment(_))).enumerate();
        for (number, group) in groups {
            if let Node::Map(group) = group {
                found.extend(unknown::find(group, Some(number)));
            }
        }
    }
    found
}

fn read_group(fields: &Fields<'_>) -> Result<KeyGroup, WireError> {
    let mut entries = Vec::new();
    for kind in KeyType::ALL {
        for key in fields.list(kind.name())? {
            entries.push(read_entry(kind, &key)?);
        }
    }
    Ok(KeyGroup { entries })
}

fn read_entry(kind: KeyType, fields: &Fields<'_>) -> Result<KeyEntry, WireError> {
    let key = match kind {
        KeyType::Kms => MasterKey::Kms(KmsKey {
            arn: fields.text("arn")?,
            role: fields.text("role")?,
            context: fields.texts("context")?,
            aws_profile: fields.text("aws_profile")?,
        }),
        KeyType::GcpKms => MasterKey::GcpKms(GcpKmsKey { resource_id: fields.text("resource_id")? }),
        KeyType::Hckms => MasterKey::Hckms(HckmsKey { key_id: fields.text("key_id")? }),
        KeyType::AzureKv => MasterKey::AzureKv(AzureKvKey {
            vault_url: fields.text("vault_url")?,
            name: fields.text("name")?,
            version: fields.text("version")?,
        }),
        KeyType::HcVault => MasterKey::HcVault(HcVaultKey {
            vault_address: fields.text("vault_address")?,
            engine_path: fields.text("engine_path")?,
            key_name: fields.text("key_name")?,
        }),
        KeyType::Pgp => MasterKey::Pgp(PgpKey { fingerprint: fields.text("fp")? }),
        KeyType::Age => MasterKey::Age(AgeKey { recipient: fields.text("recipient")? }),
    };
    let created_at = if kind == KeyType::Age { None } else { Some(fields.moment("created_at")?) };
    Ok(KeyEntry { key, enc: EncryptedDataKey(fields.text("enc")?), created_at })
}

/// Writes the block in the order and with the omissions of version 3.13.
#[must_use]
pub fn to_branch(metadata: &Metadata) -> Branch {
    let mut block = Block::default();
    match metadata.key_groups.as_slice() {
        [group] => {
            for kind in KeyType::ALL {
                block.list_unless_empty(kind.name(), write_entries(group, kind));
            }
        }
        groups => {
            let groups = groups.iter().enumerate().map(|(number, group)| {
                write_group(group, metadata.unknown.iter().filter(move |keys| keys.group == Some(number)))
            });
            block.list_unless_empty("key_groups", groups.collect());
        }
    }
    // A single group is written flat, wherever it stood.
    let is_flat = metadata.key_groups.len() == 1;
    for keys in metadata.unknown.iter().filter(|keys| is_flat || keys.group.is_none()) {
        block.put(&keys.kind, keys.entries.clone());
    }
    let rules = &metadata.rules;
    for (name, text) in [
        ("unencrypted_suffix", &rules.unencrypted_suffix),
        ("encrypted_suffix", &rules.encrypted_suffix),
        ("unencrypted_regex", &rules.unencrypted_regex),
        ("encrypted_regex", &rules.encrypted_regex),
        ("unencrypted_comment_regex", &rules.unencrypted_comment_regex),
        ("encrypted_comment_regex", &rules.encrypted_comment_regex),
    ] {
        block.text_unless_empty(name, text);
    }
    block.moment("lastmodified", Some(metadata.last_modified));
    block.text("mac", &metadata.mac);
    if metadata.mac_only_encrypted {
        block.put("mac_only_encrypted", Node::Leaf(Value::Bool(true)));
    }
    if metadata.shamir_threshold != 0 {
        let threshold = i64::try_from(metadata.shamir_threshold).unwrap_or(i64::MAX);
        block.put("shamir_threshold", Node::Leaf(Value::Int(threshold)));
    }
    block.text("version", &metadata.version);
    block.finish()
}

fn write_group<'a>(group: &KeyGroup, unknown: impl Iterator<Item = &'a UnknownKeys>) -> Node {
    let mut block = Block::default();
    for kind in KeyType::ALL {
        let entries = write_entries(group, kind);
        // Upstream writes these two also when they are empty.
        if matches!(kind, KeyType::Age | KeyType::HcVault) {
            block.put(kind.name(), Node::List(entries));
        } else {
            block.list_unless_empty(kind.name(), entries);
        }
    }
    for keys in unknown {
        block.put(&keys.kind, keys.entries.clone());
    }
    Node::Map(block.finish())
}

fn write_entries(group: &KeyGroup, kind: KeyType) -> Vec<Node> {
    group.entries.iter().filter(|entry| entry.key.key_type() == kind).map(write_entry).collect()
}

fn write_entry(entry: &KeyEntry) -> Node {
    let mut block = Block::default();
    block.text("enc", &entry.enc.0);
    if entry.key.key_type() != KeyType::Age {
        block.moment("created_at", entry.created_at);
    }
    match &entry.key {
        MasterKey::Kms(key) => {
            block.text("arn", &key.arn);
            block.text("aws_profile", &key.aws_profile);
            block.text_unless_empty("role", &key.role);
            if !key.context.is_empty() {
                let mut context = Block::default();
                for (name, value) in &key.context {
                    let value = value.as_deref().map_or(Value::Null, Value::text);
                    context.put(name, Node::Leaf(value));
                }
                block.put("context", Node::Map(context.finish()));
            }
        }
        MasterKey::GcpKms(key) => block.text("resource_id", &key.resource_id),
        MasterKey::Hckms(key) => block.text("key_id", &key.key_id),
        MasterKey::AzureKv(key) => {
            block.text("name", &key.name);
            block.text("vault_url", &key.vault_url);
            block.text("version", &key.version);
        }
        MasterKey::HcVault(key) => {
            block.text("engine_path", &key.engine_path);
            block.text("key_name", &key.key_name);
            block.text("vault_address", &key.vault_address);
        }
        MasterKey::Pgp(key) => block.text("fp", &key.fingerprint),
        MasterKey::Age(key) => block.text("recipient", &key.recipient),
    }
    Node::Map(block.finish())
}

/// A mapping under construction; its keys are sorted at the end.
#[derive(Default)]
struct Block(Vec<(String, Node)>);

impl Block {
    fn put(&mut self, name: &str, node: Node) {
        self.0.push((name.to_owned(), node));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.put(name, Node::Leaf(Value::text(text)));
    }

    fn text_unless_empty(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn list_unless_empty(&mut self, name: &str, list: Vec<Node>) {
        if !list.is_empty() {
            self.put(name, Node::List(list));
        }
    }

    /// A moment that has no text form was never read and is no present one either; it is written as empty.
    fn moment(&mut self, name: &str, moment: Option<OffsetDateTime>) {
        self.text(name, &moment.and_then(timestamp::to_text).unwrap_or_default());
    }

    fn finish(mut self) -> Branch {
        self.0.sort_by(|(name, _), (other, _)| name.cmp(other));
        Branch {
            entries: self.0.into_iter().map(|(name, node)| Entry::Item(name.as_str().into(), node)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
