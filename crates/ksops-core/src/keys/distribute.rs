//! Giving the data key to the master keys of a file (file-format.md section 5).

use std::fmt;

use time::OffsetDateTime;

use crate::crypto::data_key::DataKey;
use crate::crypto::shamir::{self, ShamirError};
use crate::keys::key_group::{EncryptedDataKey, KeyEntry, KeyGroup};
use crate::keys::key_service::{KeyService, KeyServiceError};
use crate::keys::master_key::{KeyType, MasterKey};
use crate::random::Random;
use crate::secret::SecretBytes;

/// The groups of a file whose keys all hold the data key, or their share of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Distributed {
    /// The groups, with a new `enc` in every entry.
    pub groups: Vec<KeyGroup>,
    /// The threshold to write: with several groups never zero.
    pub threshold: usize,
}

/// The data key could not be given to every key. `Display` is the list that follows `Could not generate data key: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributeError {
    /// Every failure, in the order of groups and keys.
    pub failures: Vec<DistributeFailure>,
}

/// One reason why the data key could not be given to every key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DistributeFailure {
    /// Nothing can encrypt.
    #[error("no key services provided, cannot update master keys")]
    NoServices,
    /// There is no group.
    #[error("no key groups provided")]
    NoGroups,
    /// A group has no key.
    #[error("empty key group provided")]
    EmptyGroup,
    /// The threshold does not fit the number of groups.
    #[error("could not split data key into parts for Shamir: {0}")]
    Shamir(#[from] ShamirError),
    /// There are keys that nothing here can encrypt for.
    #[error(
        "the file has keys of kinds that this version does not know ({0}), which cannot be given a new data key or share"
    )]
    Unknown(
        /// The kinds.
        String,
    ),
    /// A service could not encrypt for a key.
    #[error("failed to encrypt new data key with master key {key:?}: {error}")]
    Key {
        /// The text form of the key.
        key: String,
        /// Why.
        error: KeyServiceError,
    },
}

impl fmt::Display for DistributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (number, failure) in self.failures.iter().enumerate() {
            write!(f, "{}{failure}", if number == 0 { "" } else { " " })?;
        }
        f.write_str("]")
    }
}

impl std::error::Error for DistributeError {}

impl DistributeError {
    /// What the user can do, each once.
    #[must_use]
    pub fn hints(&self) -> Vec<&str> {
        let mut hints: Vec<&str> = Vec::new();
        for failure in &self.failures {
            match failure {
                DistributeFailure::Key { error, .. } => {
                    for hint in &error.hints {
                        if !hints.contains(&hint.as_str()) {
                            hints.push(hint);
                        }
                    }
                }
                DistributeFailure::Unknown(_) => hints.push(
                    "a newer ksops or sops may know them; values can be changed here, and those keys stay as they are",
                ),
                _ => {}
            }
        }
        hints
    }
}

impl From<DistributeFailure> for DistributeError {
    fn from(failure: DistributeFailure) -> Self {
        Self { failures: vec![failure] }
    }
}

/// A group of keys that do not hold a data key yet, added to the file `now`.
#[must_use]
pub fn new_group(keys: impl IntoIterator<Item = MasterKey>, now: OffsetDateTime) -> KeyGroup {
    let now = now.to_offset(time::UtcOffset::UTC);
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let entry = |key: MasterKey| {
        let created_at = (key.key_type() != KeyType::Age).then_some(now);
        KeyEntry { key, enc: EncryptedDataKey::default(), created_at }
    };
    KeyGroup { entries: keys.into_iter().map(entry).collect() }
}

/// Encrypts the data key for every key of the one group, or its shares for the keys of several groups, one after another.
///
/// Every key is tried, also behind one that failed, so that all failures are told at once. For each key the services
/// that handle its kind are asked in order, until one succeeds. A threshold of zero means all groups.
///
/// # Errors
/// [`DistributeError`] if there is nothing to encrypt for, the threshold does not fit, or a key cannot be used.
pub fn distribute(
    data_key: &DataKey,
    groups: &[KeyGroup],
    threshold: usize,
    services: &[&dyn KeyService],
    random: &dyn Random,
) -> Result<Distributed, DistributeError> {
    if services.is_empty() {
        return Err(DistributeFailure::NoServices.into());
    }
    distribute_by(data_key, groups, threshold, random, |tasks| {
        tasks.iter().map(|task| encrypt_for(task.entry, task.part, services)).collect()
    })
}

/// A key to encrypt for, and what.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The key; its `enc` is to be replaced.
    pub entry: &'a KeyEntry,
    /// The data key, or the group's share of it.
    pub part: &'a SecretBytes,
}

/// The entry with a new `enc`, or the reasons why there is none.
pub type Encrypted = Result<KeyEntry, Vec<DistributeFailure>>;

/// The same with `encrypt`, which gets all that is to be done at once and gives a result for each, in this order.
///
/// # Errors
/// As [`distribute`].
pub fn distribute_by(
    data_key: &DataKey,
    groups: &[KeyGroup],
    threshold: usize,
    random: &dyn Random,
    encrypt: impl FnOnce(&[Task<'_>]) -> Vec<Encrypted>,
) -> Result<Distributed, DistributeError> {
    if groups.is_empty() {
        return Err(DistributeFailure::NoGroups.into());
    }
    let several = groups.len() > 1;
    let threshold = if several && threshold == 0 { groups.len() } else { threshold };
    let shares = if several {
        shamir::split(data_key.expose(), groups.len(), threshold, random).map_err(DistributeFailure::from)?
    } else {
        Vec::new()
    };
    if groups.iter().any(|group| group.entries.is_empty()) {
        return Err(DistributeFailure::EmptyGroup.into());
    }
    let tasks: Vec<Task<'_>> = groups
        .iter()
        .enumerate()
        .flat_map(|(number, group)| {
            let part = shares.get(number).unwrap_or(data_key.expose());
            group.entries.iter().map(move |entry| Task { entry, part })
        })
        .collect();
    let mut results = encrypt(&tasks).into_iter();
    let mut failures = Vec::new();
    let mut distributed = Vec::with_capacity(groups.len());
    for group in groups {
        let mut entries = Vec::with_capacity(group.entries.len());
        for _ in &group.entries {
            match results.next() {
                Some(Ok(entry)) => entries.push(entry),
                Some(Err(errors)) => failures.extend(errors),
                None => failures.push(DistributeFailure::NoServices),
            }
        }
        distributed.push(KeyGroup { entries });
    }
    if failures.is_empty() {
        Ok(Distributed { groups: distributed, threshold })
    } else {
        Err(DistributeError { failures })
    }
}

/// Encrypts for one key with the first service that can.
///
/// # Errors
/// The failure of each service that handles keys of this kind.
pub fn encrypt_for(entry: &KeyEntry, part: &SecretBytes, services: &[&dyn KeyService]) -> Encrypted {
    let mut errors = Vec::new();
    for service in services.iter().filter(|service| service.serves(&entry.key)) {
        let encrypted = service.resolve(&entry.key).and_then(|key| {
            let enc = service.encrypt(&key, part)?;
            Ok(KeyEntry { key, enc, created_at: entry.created_at })
        });
        match encrypted {
            Ok(entry) => return Ok(entry),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        let kind = entry.key.key_type();
        errors.push(KeyServiceError::unserved(kind));
    }
    let key = entry.key.to_string();
    Err(errors.into_iter().map(|error| DistributeFailure::Key { key: key.clone(), error }).collect())
}

#[cfg(test)]
pub(crate) mod tests;
