//! Whole configurations: `fixtures/config/valid` and `fixtures/config/malformed`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ksops_config::model::{ConfigFile, Stores};
use ksops_config::rule::{CreationRule, RuleQuery};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config").join(name)
}

fn load(name: &str) -> ConfigFile {
    let text = std::fs::read(folder("valid").join(name)).expect("fixture");
    let config = ConfigFile::parse(&text, name).expect("valid");
    config.require_clean().expect("clean");
    config
}

fn rule_for(config: &ConfigFile, path: &str) -> CreationRule {
    let context = BTreeMap::new();
    let path = Path::new("/w").join(path);
    let query = RuleQuery { config_directory: Path::new("/w"), path: &path, kms_context: &context };
    config.creation_rule(&query).expect("matches").expect("there are rules")
}

fn keys(rule: &CreationRule) -> Vec<Vec<String>> {
    rule.groups.iter().map(|group| group.iter().map(|request| request.key.to_string()).collect()).collect()
}

const A: &str = "age1ycafsea3wy4fdxaku2yjvxpmp5k6ypp5d084p47w5g446f5pl5wqkjwq6d";
const B: &str = "age1t3drt553e46axv7x5vsqyyz9trm2g3v9yg9wkj70wjytaahatdzqpxyl27";

#[test]
fn the_flat_form_gives_one_group_in_upstreams_order() {
    let rule = rule_for(&load("all-kinds.yaml"), "flat/x");
    assert_eq!(
        keys(&rule),
        [[
            A,
            "85D77543B3D624B63CEA9E6DBC17301B491B3F21",
            "arn:aws:kms:eu-central-1:1:key/a+arn:aws:iam::1:role/r||prod",
            "arn:aws:kms:eu-central-1:1:key/b||prod",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
            "eu-west-101:11111111-2222-3333-4444-555555555555",
            "https://v.vault.azure.net/keys/n/",
            "https://v.vault.azure.net/keys/n/0a1b",
            "https://vault.example.com:8200/v1/transit/keys/k",
            "https://vault.example.com:8200/v1/team/a/keys/k",
        ]]
    );
    assert!(rule.mac_only_encrypted);
    assert_eq!(rule.threshold, 0);
}

#[test]
fn key_groups_give_their_keys_in_upstreams_order() {
    let rule = rule_for(&load("all-kinds.yaml"), "groups/x");
    assert_eq!(
        keys(&rule)[0],
        [
            A,
            "85D77543B3D624B63CEA9E6DBC17301B491B3F21",
            "arn:aws:kms:eu-central-1:1:key/a+arn:aws:iam::1:role/r|a:one,b:two,n:|prod",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
            "eu-west-101:11111111-2222-3333-4444-555555555555",
            "https://v.vault.azure.net//keys/n/0a1b",
            "https://v.vault.azure.net/keys/n/",
            "https://vault.example.com:8200/v1/transit/keys/k",
        ]
    );
    assert_eq!(keys(&rule)[1], [B]);
    assert_eq!(rule.threshold, 2);
    assert_eq!(rule.selection.encrypted_comment_regex.value, "secret");
    assert_eq!((rule.position.line, rule.position.column), (13, 5));
}

#[test]
fn destination_rules_and_stores_are_read() {
    let config = load("all-kinds.yaml");
    let [first, second] = config.destination_rules.as_slice() else { panic!("two rules") };
    assert_eq!(
        (first.s3_bucket.as_str(), first.s3_prefix.as_str(), first.omit_extensions),
        ("b", "p/", true)
    );
    let copy = config.interpret(&first.recreation_rule, &BTreeMap::new()).expect("valid");
    assert_eq!(keys(&copy), [[B]]);
    assert_eq!((second.vault_kv_mount_name.as_str(), second.vault_kv_version), ("kv", 1));
    let stores = Stores {
        yaml_indent: Some(2),
        json_indent: Some(0),
        json_binary_indent: Some(-1),
        ..Stores::default()
    };
    assert_eq!(config.stores, stores);
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let config = load("anchors.yaml");
    assert_eq!(keys(&rule_for(&config, "hosts/one/secrets.env")), [[A, B]]);
    let merged = rule_for(&config, "x.json");
    assert_eq!(keys(&merged), [[B]]);
    assert_eq!(merged.selection.encrypted_regex.value, "^(data|stringData)$");
}

#[test]
fn malformed_files_fail_as_their_first_line_says() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder("malformed")).expect("fixtures") {
        let path = entry.expect("fixture").path();
        let text = std::fs::read_to_string(&path).expect("fixture");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a first line");
        let (stage, phrase) = expected.split_once(": ").expect("STAGE: ERROR");
        let loaded = ConfigFile::parse(text.as_bytes(), name);
        let error = match stage {
            "load" => loaded.expect_err(name),
            "strict" => loaded.expect(name).require_clean().expect_err(name),
            other => panic!("{name}: unknown stage {other}"),
        };
        assert!(error.to_string().contains(phrase), "{name}: {error}");
        assert_eq!(error.name, name);
        count += 1;
    }
    assert!(count >= 9, "{count} fixtures only");
}
