//! Writing an opened file again: under the same data key, or under a new one.

use std::borrow::Cow;

use ksops_core::clock::Clock;
use ksops_core::crypto::cipher::Cipher;
use ksops_core::crypto::data_key::DataKey;
use ksops_core::crypto::mac;
use ksops_core::keys::distribute::DistributeFailure;
use ksops_core::keys::key_group::{KeyEntry, KeyGroup};
use ksops_core::metadata::model::Metadata;
use ksops_core::metadata::unknown;
use ksops_core::random::Random;
use ksops_core::tree::selection::Selection;
use ksops_stores::file::Like;
use ksops_stores::format::Format;
use ksops_stores::yaml::preserve;

use crate::asking::distribute;
use crate::encrypt::{EncryptError, EncryptRequest, Encrypted};
use crate::layout::Layout;
use crate::open::Opened;
use crate::policy::Policy;
use crate::services::Services;
use crate::system::{OsRandom, SystemClock};
use crate::whole::{self, Job, Rules};

/// How an opened file is written.
pub struct SaveRequest {
    /// The format of the output.
    pub output_format: Format,
    /// The indentation; nothing or 0 for the format's default.
    pub indent: Option<i64>,
    /// What happens when secrets would stay in plaintext.
    pub policy: Policy,
    /// Encrypts a number as a string where its text would change otherwise (security.md S13).
    pub as_string: bool,
    /// Accepts an output in which nothing is encrypted (security.md S1).
    pub allow_unencrypted: bool,
    /// Whether the layout of the file is kept, if the format stays.
    pub layout: Layout,
}

/// The data key, and who holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// The file keeps its data key and its key groups; no key service is asked.
    Keep,
    /// The file keeps its data key, which is encrypted anew for these groups.
    Regroup(
        /// The groups; what they hold of the data key does not count.
        Vec<KeyGroup>,
        /// How many groups must give their share; 0 for all.
        usize,
    ),
    /// The file gets a new data key, encrypted for these groups.
    Rotate(
        /// The groups; what they hold of the data key does not count.
        Vec<KeyGroup>,
        /// How many groups must give their share; 0 for all.
        usize,
    ),
}

/// Encrypts an opened file again. Values that stand where they stood and did not change keep their text, unless the data
/// key is a new one. `original` is the text of the file, whose layout is kept if the request says so (TOML always).
///
/// The output is read and decrypted again and compared before it is given out (security.md S11).
///
/// # Errors
/// As [`encrypt`](crate::encrypt::encrypt); nothing of the output is given out then.
pub fn save(
    opened: &Opened,
    original: &[u8],
    keys: Keys,
    request: &SaveRequest,
    services: &Services,
) -> Result<Encrypted, EncryptError> {
    save_with(opened, original, keys, request, services, &OsRandom::default(), &SystemClock)
}

/// As [`save`], with a clock and randomness of the caller's.
///
/// # Errors
/// As [`save`].
pub fn save_with(
    opened: &Opened,
    original: &[u8],
    keys: Keys,
    request: &SaveRequest,
    services: &Services,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<Encrypted, EncryptError> {
    let request = request_of(&opened.metadata, opened.format, request)?;
    if opened.branches.is_empty() {
        return Err(EncryptError::NoDocument);
    }
    let new_key = match keys {
        Keys::Rotate(..) => Some(DataKey::generate(random)?),
        Keys::Keep | Keys::Regroup(..) => None,
    };
    let data_key = new_key.as_ref().unwrap_or(&opened.data_key);
    let (mut branches, mut metadata) = (opened.branches.clone(), opened.metadata.clone());
    let mut warnings = opened.warnings.clone();
    // Under another key a nonce may come again, and upstream keeps them.
    let stash = Some(opened.stash.clone());
    let rules = Rules::of(&request);
    let job = Job { request: &request, rules, data_key, random, stash };
    let done = job.seal(&mut branches, clock.now(), &mut warnings)?;
    let sealed = done.sealed;
    let (old, new) = ((&*metadata.mac, metadata.last_modified), (&*sealed.mac, sealed.last_modified));
    // Where the layout is kept, values that did not change leave no trace.
    let is_same = keys == Keys::Keep
        && request.layout.is_kept()
        && branches.iter().map(preserve::digest).eq(opened.digests.iter().copied())
        && mac::are_same(&mut Cipher::new(data_key), old, new);
    if !is_same {
        metadata.mac = sealed.mac;
        metadata.last_modified = sealed.last_modified;
    }
    let (regrouped, key_is) = match keys {
        Keys::Keep => (None, KeyIs::TheSame),
        Keys::Regroup(groups, threshold) => (Some((groups, threshold)), KeyIs::TheSame),
        Keys::Rotate(groups, threshold) => (Some((groups, threshold)), KeyIs::New),
    };
    if let Some((groups, threshold)) = regrouped {
        regroup(&mut metadata, data_key, (&groups, threshold), key_is, services, random)?;
    }
    let like = (opened.format == request.output_format).then_some(original);
    let like = like.map(|text| Like { text, before: Some(&opened.source) });
    let output = whole::print(branches, &metadata, &request, like, &mut warnings)?;
    whole::check(&output, &metadata, &request, data_key, || Ok(Cow::Borrowed(&opened.branches)))?;
    Ok(Encrypted { text: output, warnings })
}

/// Whether a file keeps its data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIs {
    /// It does: what a key holds of it is still good.
    TheSame,
    /// It does not.
    New,
}

/// Encrypts the data key for `groups`.
///
/// Keys that this build has no service for, and those of unknown kinds, keep what they hold where that is still good: the
/// data key stays, and it is not shared out.
pub(crate) fn regroup(
    metadata: &mut Metadata,
    data_key: &DataKey,
    (groups, threshold): (&[KeyGroup], usize),
    key_is: KeyIs,
    services: &Services,
    random: &dyn Random,
) -> Result<(), EncryptError> {
    let is_whole = key_is == KeyIs::TheSame && metadata.key_groups.len() == 1 && groups.len() == 1;
    if !is_whole && !metadata.unknown.is_empty() {
        let failure = DistributeFailure::Unknown(unknown::kinds(&metadata.unknown));
        return Err(EncryptError::Distribute(failure.into()));
    }
    let mut kept = Vec::new();
    let mut wanted = groups.to_vec();
    if let (true, Some(group), [old]) = (is_whole, wanted.first_mut(), metadata.key_groups.as_slice()) {
        kept = held(group, old, services);
        group.entries.retain(|entry| !kept.iter().any(|(_, kept)| kept.key == entry.key));
        if group.entries.is_empty() && !kept.is_empty() {
            // Nothing is left to do but to leave keys out.
            metadata.key_groups =
                vec![KeyGroup { entries: kept.into_iter().map(|(_, entry)| entry).collect() }];
            return Ok(());
        }
    }
    let distributed = distribute(data_key, &wanted, threshold, services, random)?;
    metadata.key_groups = distributed.groups;
    metadata.shamir_threshold = distributed.threshold;
    if let Some(group) = metadata.key_groups.first_mut() {
        for (place, entry) in kept {
            group.entries.insert(place.min(group.entries.len()), entry);
        }
    }
    Ok(())
}

/// The entries of the new group that no service here can encrypt for and that the old one holds, with their places.
fn held(new: &KeyGroup, old: &KeyGroup, services: &Services) -> Vec<(usize, KeyEntry)> {
    let services = services.as_slice();
    let is_unserved = |entry: &KeyEntry| !services.iter().any(|service| service.serves(&entry.key));
    let entries =
        new.entries.iter().enumerate().filter(|(_, entry)| !services.is_empty() && is_unserved(entry));
    entries
        .filter_map(|(place, entry)| {
            let held = old.entries.iter().find(|old| old.key == entry.key)?;
            Some((place, held.clone()))
        })
        .collect()
}

fn request_of(
    metadata: &Metadata,
    input_format: Format,
    request: &SaveRequest,
) -> Result<EncryptRequest, EncryptError> {
    Ok(EncryptRequest {
        input_format,
        output_format: request.output_format,
        // An invalid pattern would encrypt nothing (security.md S1).
        selection: Selection::for_encrypting(&metadata.rules)?,
        mac_only_encrypted: metadata.mac_only_encrypted,
        groups: Vec::new(),
        threshold: metadata.shamir_threshold,
        indent: request.indent,
        policy: request.policy,
        as_string: request.as_string,
        allow_unencrypted: request.allow_unencrypted,
        layout: request.layout,
    })
}
