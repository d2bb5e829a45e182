//! Changing who can open a file, without opening its values: `updatekeys` and `groups` (cli-and-config.md sections 10.2,
//! 10.3). Values, MAC and moment stay as they are.

use ksops_core::crypto::data_key::DataKey;
use ksops_core::keys::decryption_order::DecryptionOrder;
use ksops_core::keys::key_group::KeyGroup;
use ksops_core::keys::master_key::MasterKey;
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::wire;
use ksops_core::random::Random;
use ksops_core::tree::branch::Branch;
use ksops_stores::file::{self, Layout, Like, MetadataError};
use ksops_stores::format::Format;

use crate::asking::recover;
use crate::decrypt::DecryptError;
use crate::encrypt::EncryptError;
use crate::layout::Layout as Keeping;
use crate::save::{self, KeyIs};
use crate::services::Services;
use crate::system::OsRandom;

/// An encrypted file whose values stay closed.
pub struct Closed {
    /// The metadata, as in the file.
    pub metadata: Metadata,
    branches: Vec<Branch>,
    format: Format,
}

/// Reads an encrypted file and leaves its values closed. No key service is asked.
///
/// # Errors
/// [`DecryptError`] if the file or its metadata cannot be read.
pub fn read(input: &[u8], format: Format) -> Result<Closed, DecryptError> {
    let file = file::read_encrypted(input, format, true)?;
    let metadata = wire::from_branch(&file.metadata?).map_err(MetadataError::from)?;
    Ok(Closed { metadata, branches: file.branches, format })
}

impl Closed {
    /// Recovers the data key.
    ///
    /// # Errors
    /// [`DecryptError::Recover`].
    pub fn data_key(&self, services: &Services, order: &DecryptionOrder) -> Result<DataKey, DecryptError> {
        Ok(recover(&self.metadata, services, order)?)
    }

    /// Encrypts the data key for other groups, and prints the file with them. `original` is its text; `form` says the
    /// indentation, and whether the layout is kept.
    ///
    /// # Errors
    /// [`EncryptError`] if the data key cannot be encrypted for every key, or the output does not read as it should;
    /// nothing of the output is given out then.
    pub fn regroup(
        self,
        data_key: &DataKey,
        groups: &[KeyGroup],
        threshold: usize,
        original: &[u8],
        form: (Option<i64>, Keeping),
        services: &Services,
    ) -> Result<Vec<u8>, EncryptError> {
        self.regroup_with(data_key, (groups, threshold), original, form, services, &OsRandom::default())
    }

    fn regroup_with(
        self,
        data_key: &DataKey,
        (groups, threshold): (&[KeyGroup], usize),
        original: &[u8],
        (indent, keeping): (Option<i64>, Keeping),
        services: &Services,
        random: &dyn Random,
    ) -> Result<Vec<u8>, EncryptError> {
        let Self { mut metadata, branches, format } = self;
        save::regroup(&mut metadata, data_key, (groups, threshold), KeyIs::TheSame, services, random)?;
        let block = wire::to_branch(&metadata);
        let layout = Layout { indent, like: Some(original) };
        let kept = match keeping.is_kept() && file::keeps_layout(format) {
            true => Some(file::write_encrypted_like(
                branches.clone(),
                &block,
                format,
                Like::of(original),
                indent,
            )?),
            false => None,
        };
        let output = match kept {
            Some(Ok(text)) => text,
            Some(Err(not_kept)) if keeping == Keeping::PreserveStrictly => {
                return Err(EncryptError::Layout(not_kept.misfit));
            }
            _ => file::write_encrypted(branches.clone(), &block, format, layout)?,
        };
        // Nothing but the groups may be different (security.md S11).
        let read = file::read_encrypted(&output, format, true)?;
        let same_block = read
            .metadata
            .is_ok_and(|read| wire::from_branch(&read).is_ok_and(|read| wire::to_branch(&read) == block));
        if !same_block {
            return Err(EncryptError::Verify("its metadata reads differently".to_owned()));
        }
        if read.branches != branches {
            return Err(EncryptError::Verify("its values read differently".to_owned()));
        }
        Ok(output)
    }
}

/// What changes in one group, by position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupDiff {
    /// Keys that stay, in the order of the new group.
    pub kept: Vec<MasterKey>,
    /// Keys that are new.
    pub added: Vec<MasterKey>,
    /// Keys that go.
    pub removed: Vec<MasterKey>,
}

/// Compares the groups of a file with others. The order within a group does not count.
#[must_use]
pub fn differences(groups: &[KeyGroup], wanted: &[Vec<MasterKey>]) -> Vec<GroupDiff> {
    let is = |one: &MasterKey, other: &MasterKey| {
        one.key_type() == other.key_type() && one.to_string() == other.to_string()
    };
    let count = groups.len().max(wanted.len());
    (0..count)
        .map(|number| {
            let old: Vec<&MasterKey> = groups
                .get(number)
                .into_iter()
                .flat_map(|group| &group.entries)
                .map(|entry| &entry.key)
                .collect();
            let new: Vec<&MasterKey> = wanted.get(number).into_iter().flatten().collect();
            let (kept, added): (Vec<&MasterKey>, Vec<&MasterKey>) =
                new.iter().partition(|key| old.iter().any(|old| is(old, key)));
            let removed = old.iter().filter(|key| !new.iter().any(|new| is(new, key)));
            GroupDiff {
                removed: removed.map(|key| (*key).clone()).collect(),
                kept: kept.into_iter().cloned().collect(),
                added: added.into_iter().cloned().collect(),
            }
        })
        .collect()
}
