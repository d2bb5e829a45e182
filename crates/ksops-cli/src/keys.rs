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
    with_prefix(flags, "", context)
}

/// As [`from_flags`], for flags such as `--add-age` and `--rm-age`.
///
/// # Errors
/// As [`from_flags`].
pub(crate) fn with_prefix(
    flags: &Flags,
    prefix: &str,
    context: &KmsContext,
) -> Result<Vec<MasterKey>, Failure> {
    read(flags, context, prefix, |flag| flags.text(flag).into_iter().collect())
}

/// As [`from_flags`], where each flag may be given several times (`groups add`).
///
/// # Errors
/// As [`from_flags`].
pub(crate) fn of_group(flags: &Flags, context: &KmsContext) -> Result<Vec<MasterKey>, Failure> {
    read(flags, context, "", |flag| flags.texts(flag).into_iter().filter(|text| !text.is_empty()).collect())
}

fn read<'f>(
    flags: &'f Flags,
    context: &KmsContext,
    prefix: &str,
    lists: impl Fn(&str) -> Vec<&'f str>,
) -> Result<Vec<MasterKey>, Failure> {
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
        let flag = format!("{prefix}{flag}");
        for text in lists(&flag).into_iter().flat_map(|list| list.split(',')) {
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

#[cfg(test)]
mod tests {
    use super::{KmsContext, encryption_context, from_flags};
    use crate::args::flags::Flags;
    use crate::error::Kind;

    fn flags(values: &[(&'static str, &str)]) -> Flags {
        let mut flags = Flags::default();
        for (name, value) in values {
            flags.push(name, value);
        }
        flags
    }

    const AGE: &str = "age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun";

    #[test]
    fn keys_come_in_the_order_of_a_new_group_and_once() {
        let list = format!("{AGE}, {AGE}");
        let flags = flags(&[("age", &list), ("pgp", "AB CD"), ("kms", "arn:aws:kms:r:1:key/a")]);
        let keys = from_flags(&flags, &KmsContext::new()).expect("keys");
        let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["arn:aws:kms:r:1:key/a", "ABCD", AGE]);
    }

    #[test]
    fn a_bad_key_names_its_flag() {
        let error = from_flags(&flags(&[("age", "AGE1ABC")]), &KmsContext::new()).expect_err("no recipient");
        assert_eq!(error.text, "failed to parse input, unknown recipient type: \"AGE1ABC\"");
        assert!(error.hints[0].contains("--age"));
    }

    #[test]
    fn an_encryption_context_is_pairs() {
        let read = |text: &str| encryption_context(&flags(&[("encryption-context", text)]));
        let pairs = read("a:b,c:").expect("pairs");
        assert_eq!(
            pairs.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), Some("b".to_owned())), ("c".to_owned(), Some(String::new()))]
        );
        assert!(read("").expect("none").is_empty());
        for text in ["a", "a:b:c", "a:b,"] {
            assert_eq!(read(text).expect_err(text).kind, Kind::EncryptionContext);
        }
    }
}
