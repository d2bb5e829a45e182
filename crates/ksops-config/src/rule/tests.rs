//! Matching, by the text of the paths.

use std::collections::BTreeMap;
use std::path::Path;

use super::{RuleError, RuleQuery};
use crate::model::ConfigFile;

fn suffix_for(text: &str, directory: &str, path: &str) -> Result<Option<String>, RuleError> {
    let config = ConfigFile::parse(text.as_bytes(), "c.yaml").expect("valid");
    let context = BTreeMap::new();
    let query =
        RuleQuery { config_directory: Path::new(directory), path: Path::new(path), kms_context: &context };
    Ok(config.creation_rule(&query)?.map(|rule| rule.selection.encrypted_suffix.value))
}

const TWO: &str = "creation_rules:\n  - {path_regex: ^a/b, encrypted_suffix: below}\n  - {path_regex: ^/, encrypted_suffix: outside}\n";

#[test]
fn paths_below_the_configuration_are_relative_and_others_absolute() {
    assert_eq!(suffix_for(TWO, "/w", "/w/a/b"), Ok(Some("below".to_owned())));
    assert_eq!(suffix_for(TWO, "/w", "/x/a/b"), Ok(Some("outside".to_owned())));
    assert_eq!(suffix_for(TWO, "/w", "/ww/a/b"), Ok(Some("outside".to_owned())));
}

#[test]
fn a_configuration_at_the_root_compares_absolute_paths() {
    assert_eq!(suffix_for(TWO, "/", "/a/b"), Ok(Some("outside".to_owned())));
}

#[test]
fn names_the_path_that_nothing_matched() {
    let error = suffix_for(TWO, "/w", "/w/c").expect_err("no rule");
    assert_eq!(error, RuleError::NoMatch { path: "c".to_owned() });
    assert_eq!(error.to_string(), "error loading config: no matching creation rules found");
}

#[test]
fn without_rules_there_is_no_configuration() {
    assert_eq!(suffix_for("stores: {}\n", "/w", "/w/c"), Ok(None));
}

#[test]
fn several_selections_are_named_with_their_place() {
    let text = "creation_rules:\n  - encrypted_suffix: a\n    encrypted_regex: a\n";
    let error = suffix_for(text, "/w", "/w/c").expect_err("two").to_string();
    assert!(error.contains("cannot use more than one of encrypted_suffix, unencrypted_suffix,"), "{error}");
    assert!(error.ends_with("for the same rule (c.yaml:3:22)"), "{error}");
}

#[test]
fn the_context_of_the_command_reaches_flat_kms_keys() {
    let config = ConfigFile::parse(b"creation_rules: [{kms: arn}]\n", "c.yaml").expect("valid");
    let context = BTreeMap::from([("a".to_owned(), Some("b".to_owned()))]);
    let query = RuleQuery { config_directory: Path::new("/"), path: Path::new("/c"), kms_context: &context };
    let rule = config.creation_rule(&query).expect("matches").expect("there are rules");
    assert_eq!(rule.groups[0][0].key.to_string(), "arn|a:b");
}
