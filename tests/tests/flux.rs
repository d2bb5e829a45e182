//! What Flux's kustomize-controller needs of a file, and what it does with it (cli-and-config.md section 14).
//!
//! The controller serialises each resource to JSON after kustomize has changed it, and decrypts that without the MAC.

use ksops_tests::failures;
use ksops_tests::fixtures::{self, AgeKeys};
use ksops_tests::oracle;
use ksops_tests::program::Program;
use ksops_tests::rig::{Login, Rig};
use ksops_tests::sandbox::Sandbox;
use serde_json::{Value, json};

const RULES: &str = "creation_rules:\n  - path_regex: .*.yaml\n    encrypted_regex: ^(data|stringData)$\n";

const SECRETS: &str = "apiVersion: v1
kind: Secret
metadata:
    name: one
    annotations:
        note: \"yes\"
type: Opaque
stringData:
    # the administrator
    user: admin
    port: 5432
    ratio: 1.5
    debug: true
    empty: \"\"
    text: |
        line one
        line two
data:
    token: dDBwLVMzY3IzdA==
---
apiVersion: v1
kind: Secret
metadata:
    name: two
stringData:
    other: t0p-S3cr3t
";

/// `text` encrypted by ksops, as the guide does it: by a rule of `.sops.yaml`.
fn encrypt(text: &str, key: &str, more: &[(std::ffi::OsString, std::ffi::OsString)]) -> String {
    let sandbox = Sandbox::new();
    sandbox.write(".sops.yaml", format!("{RULES}    {key}\n"));
    sandbox.write("secret.yaml", text);
    let outcome = Program::ksops().call(&sandbox).envs(more).args(["encrypt", "secret.yaml"]).run();
    String::from_utf8(outcome.output().expect("a good Secret is encrypted")).expect("YAML is text")
}

fn by_age(text: &str) -> String {
    encrypt(text, &format!("age: {}", AgeKeys::read().recipients[0]), &[])
}

/// The check list of section 14.4; what is wrong with a document.
fn check(document: &str, plain: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines: Vec<&str> = document.lines().collect();
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    // The indentation is that of the document.
    let block: Vec<&str> =
        lines.iter().skip_while(|line| **line != "sops:").map(|line| line.trim_start()).collect();
    let macs: Vec<&&str> = block.iter().filter(|line| line.starts_with("mac: ENC[")).collect();
    if !matches!(macs.as_slice(), [mac] if mac.ends_with(",type:str]")) {
        wrong.push("`mac: ENC[` is not literal and whole on one line".to_owned());
    }
    if count("sops:") != 1 {
        wrong.push(format!("{} sops blocks", count("sops:")));
    }
    let quoted = |line: &&&str| line.starts_with("lastmodified: \"20") && line.ends_with("Z\"");
    if block.iter().filter(quoted).count() != 1 {
        wrong.push("`lastmodified` is no quoted time".to_owned());
    }
    if !block.iter().any(|line| line.starts_with("version: 3.")) {
        wrong.push("no `version`".to_owned());
    }
    let secret_from = plain.find("stringData:").unwrap_or(plain.len());
    for line in plain[..secret_from].lines().filter(|line| *line != "---") {
        if !lines.contains(&line) {
            wrong.push(format!("the plain line {line:?} is gone"));
        }
    }
    for secret in ["admin", "5432", "1.5", "t0p-S3cr3t", "dDBwLVMzY3IzdA==", "line one", "the administrator"]
    {
        if document.contains(secret) {
            wrong.push(format!("{secret:?} is in plain text"));
        }
    }
    wrong
}

/// What kustomize and the controller make of a document: JSON with a label, a prefix and another namespace.
fn resource(document: &str) -> Value {
    let mut resource: Value = serde_yaml_ng::from_str(document).expect("YAML that others read, too");
    resource["metadata"]["labels"] = json!({"kustomize.toolkit.fluxcd.io/name": "demoapp"});
    resource["metadata"]["namespace"] = json!("elsewhere");
    resource
}

/// Decrypts a resource as JSON with upstream's library, the MAC unchecked.
fn apply(resource: &Value, envs: &[(std::ffi::OsString, std::ffi::OsString)]) -> Option<Value> {
    let sops = oracle::sops()?;
    let sandbox = Sandbox::new();
    let text = serde_json::to_string_pretty(resource).expect("JSON");
    assert!(text.contains("\"mac\": \"ENC["), "the controller's marker of JSON is missing");
    sandbox.write("resource", text);
    let call = sops.call(&sandbox).env("SOPS_AGE_KEY", &AgeKeys::read().identities[0]).envs(envs);
    let args = ["decrypt", "--ignore-mac", "--input-type", "json", "--output-type", "json", "resource"];
    let plain = call.args(args).run().output().expect("the controller decrypts");
    Some(serde_json::from_slice(&plain).expect("sops prints JSON"))
}

#[test]
fn every_document_meets_the_check_list() {
    let encrypted = by_age(SECRETS);
    let documents: Vec<&str> = encrypted.split("\n---\n").collect();
    let plain: Vec<&str> = SECRETS.split("\n---\n").collect();
    assert_eq!(documents.len(), plain.len(), "{encrypted}");
    let mut failed = Vec::new();
    for (document, plain) in documents.iter().zip(&plain) {
        failed.extend(check(document, plain));
    }
    failures::none("documents", documents.len(), &failed);
}

#[test]
fn the_guides_secret_meets_the_check_list_with_a_key_in_azure() {
    let Some(rig) = Rig::start() else { return };
    let key = format!("azure_keyvault: {}", rig.get("RIG_AZURE_KEY_URL"));
    let plain = fixtures::text("quickstart/secret.yaml");
    let envs = rig.login(Login::WorkloadIdentity);
    let encrypted = encrypt(&plain, &key, &envs);
    failures::none("the guide's Secret", 1, &check(&encrypted, &plain));
    let version = format!(" version: {}\n", rig.get("RIG_AZURE_KEY_VERSION"));
    assert!(encrypted.contains(&version), "the controller needs the version: {encrypted}");
    assert!(encrypted.contains(&format!("vault_url: {}", rig.get("RIG_AZURE_VAULT_URL"))), "{encrypted}");
    let Some(applied) = apply(&resource(&encrypted), &envs) else { return };
    assert_eq!(applied["stringData"], json!({"username": "admin", "password": "t0p-S3cr3t"}));
    assert_eq!(applied["metadata"]["namespace"], "elsewhere");
}

#[test]
fn the_controller_decrypts_each_document_on_its_own_with_its_types() {
    let encrypted = by_age(SECRETS);
    let documents: Vec<&str> = encrypted.split("\n---\n").collect();
    let Some(one) = apply(&resource(documents[0]), &[]) else { return };
    let wanted = json!({
        "user": "admin", "port": 5432, "ratio": 1.5, "debug": true, "empty": "", "text": "line one\nline two\n",
    });
    assert_eq!(one["stringData"], wanted);
    assert_eq!(one["data"], json!({"token": "dDBwLVMzY3IzdA=="}));
    assert_eq!(one["metadata"]["annotations"]["note"], "yes");
    assert!(one.get("sops").is_none());
    let two = apply(&resource(documents[1]), &[]).expect("sops was there a moment ago");
    assert_eq!(two["stringData"], json!({"other": "t0p-S3cr3t"}));
}

#[test]
fn a_renamed_secret_key_is_refused_by_the_controller() {
    let Some(sops) = oracle::sops() else { return };
    let encrypted = by_age(SECRETS);
    let mut moved = resource(encrypted.split("\n---\n").next().expect("a first document"));
    let value = moved["stringData"]["user"].take();
    moved["stringData"] = json!({"renamed": value});
    let sandbox = Sandbox::new();
    sandbox.write("resource", serde_json::to_string_pretty(&moved).expect("JSON"));
    let call = sops.call(&sandbox).env("SOPS_AGE_KEY", &AgeKeys::read().identities[0]);
    let args = ["decrypt", "--ignore-mac", "--input-type", "json", "--output-type", "json", "resource"];
    assert_eq!(call.args(args).run().status, 25, "the path must be bound into each value");
}
