//! The laws of keeping a layout, over every case of `fixtures/yaml-layout`.

mod support {
    pub(crate) mod open_service;
}

use std::path::{Path, PathBuf};
use std::{fs, io};

use ksops::decrypt::{DecryptRequest, decrypt};
use ksops::encrypt::{EncryptRequest, encrypt};
use ksops::layout::Layout;
use ksops::policy::Policy;
use ksops_core::keys::master_key::{AgeKey, MasterKey};
use ksops_core::tree::selection::{RuleTexts, Selection};
use ksops_stores::format::Format;
use support::open_service::services;

/// A selection: everything, nothing, or some keys.
fn selections() -> [(&'static str, Selection); 3] {
    let regex = |pattern: &str| {
        let texts = RuleTexts { encrypted_regex: pattern.into(), ..RuleTexts::default() };
        Selection::for_encrypting(&texts).expect("a rule")
    };
    [("all", Selection::default()), ("none", regex("^no such key$")), ("some", regex("^[a-f]"))]
}

#[derive(Debug, PartialEq)]
struct Done {
    text: Vec<u8>,
    kept: bool,
}

fn encrypted(input: &[u8], selection: Selection, layout: Layout) -> Result<Done, String> {
    let request = EncryptRequest {
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        selection,
        mac_only_encrypted: false,
        groups: vec![vec![MasterKey::Age(AgeKey { recipient: "age1test".into() })]],
        threshold: 0,
        indent: None,
        policy: Policy::Warn,
        as_string: false,
        allow_unencrypted: true,
        layout,
    };
    let done = encrypt(input, &request, &services()).map_err(|error| error.to_string())?;
    let kept = !done.warnings.iter().any(|warning| warning.contains("cannot be kept"));
    Ok(Done { text: done.text, kept })
}

fn decrypted(input: &[u8], layout: Layout) -> Result<Done, String> {
    let request = DecryptRequest {
        // Where the layout is kept, numbers keep their text.
        policy: if layout == Layout::Upstream { Policy::Warn } else { Policy::Refuse },
        input_format: Format::Yaml,
        output_format: Format::Yaml,
        ignore_mac: false,
        extract: None,
        indent: None,
        decryption_order: Default::default(),
        layout,
    };
    let done = decrypt(input, &request, &services()).map_err(|error| error.to_string())?;
    let kept = !done.warnings.iter().any(|warning| warning.contains("cannot be kept"));
    Ok(Done { text: done.text.to_vec(), kept })
}

fn inputs() -> io::Result<Vec<(String, Vec<u8>)>> {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/yaml-layout");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            cases.push((name, fs::read(path.join("in.yaml"))?));
        }
    }
    cases.sort();
    Ok(cases)
}

/// Cases whose layout cannot be kept: a document that is null has no place for metadata, and UTF-16.
const NOT_KEPT: [&str; 4] = ["220-multi-doc-null", "233-utf16le", "245-null-root", "246-tilde-root"];
/// Cases in which sops moves or drops a comment (file-format.md section 7.5) that stays where it is here.
const COMMENT_STAYS: [&str; 4] = [
    "119-anchor-comments",
    "207-comment-empty-map",
    "412-inline-comment-alias-map",
    "415-nested-empty-comment",
];

/// What an encryption that keeps the layout does wrong.
fn findings(input: &[u8], rule: &str, selection: &Selection) -> Vec<&'static str> {
    let Ok(upstream) = encrypted(input, selection.clone(), Layout::Upstream) else { return Vec::new() };
    let Ok(ours) = encrypted(input, selection.clone(), Layout::Preserve) else {
        return vec!["refused, although the layout of sops is not"];
    };
    if !ours.kept {
        return vec!["not kept"];
    }
    let mut findings = Vec::new();
    // As sops reads and prints it.
    if decrypted(&ours.text, Layout::Upstream) != decrypted(&upstream.text, Layout::Upstream) {
        findings.push("reads as something else");
    }
    match decrypted(&ours.text, Layout::Preserve) {
        Ok(plain) => {
            if !plain.kept {
                findings.push("not kept by decrypting");
            }
            if rule == "none" && plain.text != input {
                findings.push("other bytes, although nothing is encrypted");
            }
        }
        Err(_) => findings.push("cannot be decrypted"),
    }
    findings
}

#[test]
fn every_case_keeps_its_layout_and_reads_as_the_layout_of_sops_does() -> io::Result<()> {
    let mut report = Vec::new();
    let mut number = 0;
    for (name, input) in inputs()? {
        for (rule, selection) in selections() {
            number += 1;
            for finding in findings(&input, rule, &selection) {
                let is_known = match finding {
                    "not kept" => NOT_KEPT.contains(&name.as_str()),
                    "reads as something else" => COMMENT_STAYS.contains(&name.as_str()),
                    _ => false,
                };
                if !is_known {
                    report.push(format!("{name}, {rule}: {finding}"));
                }
            }
        }
    }
    assert!(report.is_empty(), "{} findings\n{}", report.len(), report.join("\n"));
    assert_eq!(number, 416 * 3);
    Ok(())
}
