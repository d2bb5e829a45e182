//! Whether a file says the same as its creation rule. Neither recipients nor the selector are authenticated, so that who
//! can write to a repository could add themselves, or narrow what gets encrypted (security.md S2, S3).

use ksops_config::rule::CreationRule;
use ksops_core::keys::master_key::MasterKey;
use ksops_core::metadata::model::Metadata;
use ksops_core::tree::selection::RuleTexts;

/// The recipients of a file that neither its rule nor `others` name, in file order.
///
/// An Azure key without a version in the rule stands for all of its versions.
#[must_use]
pub fn unknown_recipients(metadata: &Metadata, rule: &CreationRule, others: &[MasterKey]) -> Vec<String> {
    let named: Vec<&MasterKey> =
        rule.groups.iter().flatten().map(|request| &request.key).chain(others).collect();
    let entries = metadata.key_groups.iter().flat_map(|group| &group.entries);
    entries
        .map(|entry| &entry.key)
        .filter(|key| !named.iter().any(|named| covers(named, key)))
        .map(ToString::to_string)
        .collect()
}

/// Whether the key of a rule stands for this one of a file.
#[must_use]
pub fn covers(named: &MasterKey, key: &MasterKey) -> bool {
    match (named, key) {
        (MasterKey::AzureKv(named), MasterKey::AzureKv(key)) => {
            let same_version = named.version.is_empty() || named.version == key.version;
            named.vault_url == key.vault_url && named.name == key.name && same_version
        }
        _ => named.key_type() == key.key_type() && named.to_string() == key.to_string(),
    }
}

/// How the selector of a file differs from its rule's: the file's, then the rule's; nothing if they are the same.
#[must_use]
pub fn selector_difference(metadata: &Metadata, rule: &CreationRule) -> Option<(String, String)> {
    let fields = &rule.selection;
    let mut wanted = RuleTexts {
        unencrypted_suffix: fields.unencrypted_suffix.value.clone(),
        encrypted_suffix: fields.encrypted_suffix.value.clone(),
        unencrypted_regex: fields.unencrypted_regex.value.clone(),
        encrypted_regex: fields.encrypted_regex.value.clone(),
        unencrypted_comment_regex: fields.unencrypted_comment_regex.value.clone(),
        encrypted_comment_regex: fields.encrypted_comment_regex.value.clone(),
    };
    wanted.fill_in_default();
    let mut found = metadata.rules.clone();
    found.fill_in_default();
    (found != wanted).then(|| (describe(&found), describe(&wanted)))
}

fn describe(texts: &RuleTexts) -> String {
    let fields = [
        ("unencrypted_suffix", &texts.unencrypted_suffix),
        ("encrypted_suffix", &texts.encrypted_suffix),
        ("unencrypted_regex", &texts.unencrypted_regex),
        ("encrypted_regex", &texts.encrypted_regex),
        ("unencrypted_comment_regex", &texts.unencrypted_comment_regex),
        ("encrypted_comment_regex", &texts.encrypted_comment_regex),
    ];
    let given = fields.iter().filter(|(_, text)| !text.is_empty());
    given.map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join(", ")
}
