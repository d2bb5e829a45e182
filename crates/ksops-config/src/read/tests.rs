//! Reading single fields, and the limits.

use ksops_yaml::span::Position;

use crate::model::{ConfigFile, KeyField};

fn parse(text: &str) -> ConfigFile {
    ConfigFile::parse(text.as_bytes(), ".sops.yaml").expect("valid")
}

fn refused(text: &str) -> String {
    ConfigFile::parse(text.as_bytes(), ".sops.yaml").expect_err("malformed").to_string()
}

#[test]
fn absent_rules_are_not_empty_rules() {
    assert_eq!(parse("").creation_rules, None);
    assert_eq!(parse("creation_rules:\n").creation_rules, None);
    assert_eq!(parse("creation_rules: []\n").creation_rules, Some(Vec::new()));
}

#[test]
fn texts_know_their_place() {
    let config = parse("creation_rules:\n  - path_regex: é\n    age: 'x'\n");
    let rules = config.creation_rules.expect("rules");
    assert_eq!(rules[0].path_regex.position, Position { line: 2, column: 17 });
    assert!(
        matches!(&rules[0].flat.age, KeyField::Text(text) if text.position == Position { line: 3, column: 10 })
    );
}

#[test]
fn every_wrong_type_is_reported_at_once() {
    let error = refused("creation_rules: 1\ndestination_rules: x\nstores: {yaml: 3}\n");
    assert_eq!(
        error,
        "error loading config: Could not unmarshal config file: .sops.yaml:1:17: expected a list, found a number\n\
         .sops.yaml:2:20: expected a list, found a string\n\
         .sops.yaml:3:16: expected a mapping, found a number"
    );
}

#[test]
fn malformed_yaml_is_reported_with_its_place() {
    let error = refused("creation_rules:\n  - age: [x\n");
    assert!(
        error.starts_with("error loading config: Could not unmarshal config file: .sops.yaml:"),
        "{error}"
    );
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_no_harm() {
    assert_eq!(parse("\u{feff}stores:\r\n  yaml:\r\n    indent: 2\r\n").stores.yaml_indent, Some(2));
}

#[test]
fn a_list_of_anchors_is_no_unknown_field() {
    let config = parse("keys:\n  - &a x\nother: 1\ncreation_rules:\n  - age: *a\n");
    let names: Vec<String> = config.unknown_fields.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["3:1: unknown field \"other\""]);
}

#[test]
fn an_unknown_field_behind_an_alias_is_reported_once() {
    let config = parse("creation_rules:\n  - &r {agee: x}\n  - *r\n");
    assert_eq!(config.unknown_fields.len(), 1);
}

#[test]
fn own_fields_win_over_merged_ones_and_the_first_merged_over_the_next() {
    let text = "a: &a {path_regex: a, encrypted_suffix: a}\nb: &b {path_regex: b, age: b}\n\
                creation_rules:\n  - <<: [*a, *b]\n    encrypted_suffix: own\n";
    let rules = parse(text).creation_rules.expect("rules");
    assert_eq!(rules[0].path_regex.value, "a");
    assert_eq!(rules[0].selection.encrypted_suffix.value, "own");
    assert!(matches!(&rules[0].flat.age, KeyField::Text(text) if text.value == "b"));
}

#[test]
fn groups_nest_only_so_deep() {
    let text = format!("creation_rules: [{{key_groups: [{}{}]}}]\n", "{merge: [".repeat(70), "]}".repeat(70));
    assert!(refused(&text).contains("merged groups are nested too deeply"));
}

#[test]
fn a_value_that_does_not_fit_its_tag_is_refused_in_every_field() {
    for field in ["path_regex", "age", "shamir_threshold"] {
        let error = refused(&format!("creation_rules:\n  - {field}: !!null x\n"));
        assert!(error.contains(".sops.yaml:2:") && !error.ends_with(':'), "{error}");
    }
}
