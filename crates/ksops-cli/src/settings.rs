//! The keys and rules of a new file: command line over configuration (cli-and-config.md section 2.1, steps 1 to 4).

use ksops::ksops_config::rule::{CreationRule, NO_KEYS};
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::ksops_core::tree::selection::{RuleTexts, Selection, SelectionError};

use crate::args::flags::Flags;
use crate::error::{Failure, Kind};
use crate::keys;

const SEVERAL_RULES: &str = "Error: cannot use more than one of encrypted_suffix, unencrypted_suffix, \
    encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file";

/// With what a file is encrypted.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Which leaves are encrypted.
    pub selection: Selection,
    /// Whether the MAC runs over encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// The master keys, by group.
    pub groups: Vec<Vec<MasterKey>>,
    /// How many groups must give their share; 0 for all.
    pub threshold: usize,
}

/// Puts flags and rule together.
///
/// # Errors
/// In upstream's order: several rules, an invalid regular expression, a bad encryption context, a bad key, no key.
pub(crate) fn merge(flags: &Flags, rule: Option<CreationRule>) -> Result<Settings, Failure> {
    let selection = selection(flags, rule.as_ref())?;
    let context = keys::encryption_context(flags)?;
    let from_flags = keys::from_flags(flags, &context)?;
    let threshold = flags
        .number("shamir-secret-sharing-threshold")
        .filter(|threshold| *threshold != 0)
        .or(rule.as_ref().map(|rule| rule.threshold))
        .unwrap_or_default();
    let threshold = usize::try_from(threshold).map_err(|_| {
        Failure::new(Kind::General, format!("the Shamir threshold {threshold}: threshold must be at least 2"))
    })?;
    let mac_only_encrypted =
        flags.is_set("mac-only-encrypted") || rule.as_ref().is_some_and(|rule| rule.mac_only_encrypted);
    let groups = match rule {
        _ if !from_flags.is_empty() => vec![from_flags],
        Some(rule) => rule
            .groups
            .into_iter()
            .map(|group| group.into_iter().map(|request| request.key).collect())
            .collect(),
        None => {
            return Err(Failure::new(Kind::General, NO_KEYS).hints([
                "name a key, as with `--age age1…` or `--azure-kv https://…`, or write a .sops.yaml with `ksops init`",
            ]));
        }
    };
    Ok(Settings { selection, mac_only_encrypted, groups, threshold })
}

fn selection(flags: &Flags, rule: Option<&CreationRule>) -> Result<Selection, Failure> {
    let fields = rule.map(|rule| rule.selection.clone()).unwrap_or_default();
    let text = |flag: &str, field: String| flags.text(flag).map_or(field, str::to_owned);
    let mut texts = RuleTexts {
        unencrypted_suffix: text("unencrypted-suffix", fields.unencrypted_suffix.value),
        encrypted_suffix: text("encrypted-suffix", fields.encrypted_suffix.value),
        unencrypted_regex: text("unencrypted-regex", fields.unencrypted_regex.value),
        encrypted_regex: text("encrypted-regex", fields.encrypted_regex.value),
        unencrypted_comment_regex: text("unencrypted-comment-regex", fields.unencrypted_comment_regex.value),
        encrypted_comment_regex: text("encrypted-comment-regex", fields.encrypted_comment_regex.value),
    };
    texts.fill_in_default();
    Selection::for_encrypting(&texts).map_err(|error| match error {
        SelectionError::Several => Failure::new(Kind::Conflict, SEVERAL_RULES),
        // Upstream would encrypt nothing and report success (security.md S1).
        other => Failure::new(Kind::General, format!("can not compile regexp: {other}")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use ksops::ksops_config::model::ConfigFile;
    use ksops::ksops_config::rule::{CreationRule, RuleQuery};

    use super::merge;
    use crate::args::flags::Flags;
    use crate::error::Kind;

    const AGE: &str = "age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun";

    fn flags(values: &[(&'static str, &str)]) -> Flags {
        let mut flags = Flags::default();
        for (name, value) in values {
            flags.push(name, value);
        }
        flags
    }

    fn rule(fields: &str) -> Option<CreationRule> {
        let text = format!("creation_rules:\n  - age: {AGE}\n    {fields}\n");
        let config = ConfigFile::parse(text.as_bytes(), ".sops.yaml").expect("valid");
        let query = RuleQuery {
            config_directory: Path::new("/w"),
            path: Path::new("/w/f.yaml"),
            kms_context: &BTreeMap::new(),
        };
        config.creation_rule(&query).expect("matches")
    }

    #[test]
    fn without_a_rule_the_default_suffix_is_written() {
        let settings = merge(&flags(&[("age", AGE)]), None).expect("keys");
        assert_eq!(settings.selection.to_texts().unencrypted_suffix, "_unencrypted");
        assert_eq!((settings.groups.len(), settings.threshold, settings.mac_only_encrypted), (1, 0, false));
    }

    #[test]
    fn key_flags_replace_the_keys_of_the_rule_and_leave_the_rest() {
        let rule = rule("encrypted_regex: ^a$\n    shamir_threshold: 2\n    mac_only_encrypted: true");
        let settings = merge(&flags(&[("pgp", "AB")]), rule).expect("keys");
        assert_eq!(settings.selection.to_texts().encrypted_regex, "^a$");
        assert_eq!((settings.threshold, settings.mac_only_encrypted), (2, true));
        assert_eq!(settings.groups[0][0].to_string(), "AB");
    }

    #[test]
    fn a_flag_replaces_its_own_field_and_clashes_with_another() {
        let replaced = merge(&flags(&[("encrypted-regex", "b")]), rule("encrypted_regex: a")).expect("one");
        assert_eq!(replaced.selection.to_texts().encrypted_regex, "b");
        let clash = merge(&flags(&[("encrypted-suffix", "b")]), rule("encrypted_regex: a")).expect_err("two");
        assert_eq!(clash.kind, Kind::Conflict);
    }

    #[test]
    fn an_invalid_pattern_is_an_error() {
        let error = merge(&flags(&[("age", AGE), ("encrypted-regex", "a(b")]), None).expect_err("invalid");
        assert_eq!(error.kind, Kind::General);
        assert!(error.text.starts_with("can not compile regexp: "), "{}", error.text);
    }

    #[test]
    fn no_key_is_an_error_that_says_what_to_do() {
        let error = merge(&flags(&[]), None).expect_err("no key");
        assert!(
            error.text.starts_with("config file not found, or has no creation rules, and no keys provided")
        );
        assert!(error.hints[0].contains("ksops init"));
    }
}
