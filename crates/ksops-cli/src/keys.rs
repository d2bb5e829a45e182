//! Master keys from the key flags and their variables (cli-and-config.md sections 2 and 2.1).

use std::collections::{BTreeMap, HashSet};

use ksops::ksops_config::keys::{self, KeyTextError};
use ksops::ksops_core::keys::master_key::MasterKey;

use crate::args::flags::Flags;
use crate::error::{Failure, Kind};

/// The pairs of an encryption context.
pub(crate) type KmsContext = BTreeMap<String, Option<String>>;

/// The keys that the flags name, in the order of a new group; empty if there are no key flags. Exact duplicates are
/// dropped (section 15).
///
/// # Errors
/// If a text is no key of its kind.
pub(crate) fn from_flags(flags: &Flags, context: &KmsContext) -> Result<Vec<MasterKey>, Failure> {
    let profile = flags.text("aws-profile").unwrap_or_default();
    let kms = |text: &str| keys::kms(text, context, profile);
    type Read<'r> = &'r dyn Fn(&str) -> Result<MasterKey, KeyTextError>;
    let kinds: [(&str, Read<'_>); 7] = [
        ("kms", &kms),
        ("gcp-kms", &keys::gcp_kms),
        ("hckms", &keys::hckms),
        ("azure-kv", &keys::azure_key_vault),
        ("pgp", &keys::pgp),
        ("hc-vault-transit", &keys::hc_vault),
        ("age", &keys::age),
    ];
    let mut found = Vec::new();
    for (flag, read) in kinds {
        let Some(list) = flags.text(flag) else { continue };
        for text in list.split(',') {
            let key = read(text).map_err(|error| {
                Failure::new(Kind::General, error.to_string())
                    .hints([format!("this key comes from --{flag} or its variable")])
            })?;
            found.push(key);
        }
    }
    let mut seen = HashSet::new();
    found.retain(|key: &MasterKey| seen.insert((key.key_type(), key.to_string())));
    Ok(found)
}

/// Reads `--encryption-context`; `None` if there is none.
///
/// # Errors
/// If it does not split into pairs, whether there is a KMS key or not.
pub(crate) fn encryption_context(flags: &Flags) -> Result<KmsContext, Failure> {
    let Some(text) = flags.text("encryption-context") else { return Ok(KmsContext::new()) };
    let pair = |item: &str| match item.split_once(':') {
        Some((name, value)) if !value.contains(':') => Some((name.to_owned(), Some(value.to_owned()))),
        _ => None,
    };
    text.split(',').map(pair).collect::<Option<_>>().ok_or_else(|| {
        Failure::new(Kind::EncryptionContext, "Invalid KMS encryption context format")
            .hints(["write it as name:value,name:value"])
    })
}
