//! Every case of `fixtures/yaml-layout` encrypted and decrypted: the layout of sops, byte for byte.

mod support {
    pub(crate) mod open_service;
}

use std::path::{Path, PathBuf};
use std::{fs, io};

use ksops::decrypt::{DecryptRequest, decrypt};
use ksops::encrypt::{EncryptRequest, encrypt};
use ksops::policy::Policy;
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::tree::selection::Selection;
use ksops_stores::format::Format;
use support::open_service::services;

fn encrypted(input: &[u8], indent: i64) -> Result<Vec<u8>, String> {
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        selection: Selection::default(),
        mac_only_encrypted: false,
        groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1test".into() })]],
        threshold: 0,
        indent: Some(indent),
        policy: Policy::Warn,
        as_string: false,
        allow_unencrypted: true,
        layout: Default::default(),
    };
    encrypt(input, &request, &services()).map(|encrypted| encrypted.text).map_err(|error| error.to_string())
}

fn decrypted(input: &[u8], indent: i64) -> Result<Vec<u8>, String> {
    let request = DecryptRequest {
        policy: Policy::Warn,
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        ignore_mac: false,
        extract: None,
        indent: Some(indent),
        decryption_order: Default::default(),
        layout: Default::default(),
    };
    decrypt(input, &request, &services())
        .map(|decrypted| decrypted.text.to_vec())
        .map_err(|error| error.to_string())
}

/// The text without metadata, each envelope shortened to its type, as the fixtures' README says.
fn layout(text: &str) -> String {
    let mut out = String::new();
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        in_block = line.starts_with("sops:") || (in_block && line != "---\n");
        // A comment behind the key is kept: it shows an oddity of upstream's.
        if !in_block || (line.starts_with("sops:") && line != "sops:\n") {
            out.push_str(&shortened(line));
        }
    }
    out
}

fn shortened(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, envelope)) = rest.split_once("ENC[AES256_GCM,data:") {
        let Some((_, behind)) = envelope.split_once(",type:") else { break };
        let Some((kind, behind)) = behind.split_once(']') else { break };
        out.push_str(&format!("{before}ENC[{kind}]"));
        rest = behind;
    }
    out + rest
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn indent_of(case: &serde_json::Value) -> i64 {
    let flags: Vec<&str> =
        case["extra_flags"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    let place = flags.iter().position(|flag| *flag == "--indent");
    place.and_then(|place| flags.get(place + 1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn every_case_is_encrypted_and_decrypted_as_sops_does() -> io::Result<()> {
    let root = fixtures().join("yaml-layout");
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(root.join("cases.json"))?)?;
    let mut failures = Vec::new();
    for case in &cases {
        let name = case["case"].as_str().unwrap_or_default();
        let own = fixtures().join("yaml-layout-ksops").join(name);
        let read = |file: &str| {
            let own = own.join(file);
            fs::read_to_string(if own.exists() { own } else { root.join(name).join(file) }).ok()
        };
        let refused = own.join("error.txt").exists();
        let indent = indent_of(case);
        let ours = encrypted(&fs::read(root.join(name).join("in.yaml"))?, indent);
        let full = ours.as_ref().ok().map(|text| layout(&String::from_utf8_lossy(text)));
        let plain = ours
            .as_ref()
            .ok()
            .map(|text| decrypted(text, indent).map(|text| String::from_utf8_lossy(&text).into_owned()));
        let expected_full = read("full-layout.yaml").filter(|_| !refused);
        let expected_plain = read("decrypted.yaml").filter(|_| !refused);
        if full != expected_full {
            failures.push(format!(
                "{name} encrypted\nours: {ours:?} {full:?}\nsops: {expected_full:?}",
                ours = ours.err()
            ));
        } else if plain.is_some() && plain != expected_plain.clone().map(Ok) {
            failures.push(format!("{name} decrypted\nours: {plain:?}\nsops: {expected_plain:?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases differ:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
    assert_eq!(cases.len(), 416);
    Ok(())
}
