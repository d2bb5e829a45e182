//! Files of real sops read by ksops, files of ksops read by real sops, for every format and age.
//!
//! The claims of docs/COMPATIBILITY.md about what upstream reads rest on this file.

use ksops_tests::failures::{self, excerpt};
use ksops_tests::fixtures::{self, AgeKeys};
use ksops_tests::layout::{Case, decrypt, envelopes_shortened};
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use serde_json::Value;

/// Cases that sops 3.11.0 prints in another way than 3.13.3, from the same encrypted file.
const OTHER_IN_3_11: [(&str, &str); 4] = [
    ("183-comment-empty", "3.11.0 gives an empty inline comment a line of its own"),
    ("044-indent2", "3.11.0 indents JSON as it was encrypted"),
    ("045-indent0", "3.11.0 indents JSON as it was encrypted"),
    ("046-indent8", "3.11.0 indents JSON as it was encrypted"),
];

/// Cases with a number that encrypting would rewrite: refused by ksops under its own name (security.md S13).
const REWRITTEN: [&str; 17] = [
    "004-int",
    "005-int-underscore",
    "006-int-hex-oct-bin",
    "010-int-over-uint64",
    "011-float",
    "012-float-small-big",
    "013-float-special",
    "015-float-underscore",
    "080-flow-json",
    "264-string-number-like",
    "266-git-sha-like",
    "267-float-overflow",
    "268-ip-version",
    "414-float-in-list",
    "009-int-over",
    "010-floats",
    "012-float-underflow",
];

/// Cases that ksops refuses to encrypt, with a part of what it says, although upstream does not.
const REFUSED: [(&str, i32, &str); 6] = [
    ("010-dup-keys", 2, "the key \"x\" is repeated"),
    ("024-dup-keys", 1, "two values have the same path A"),
    ("102-key-dup-second-doc", 1, "two values have the same path"),
    ("007-dup-keys", 2, "the key \"a\" stands twice in one object, first at line 1, column 2"),
    ("021-trailing-garbage", 2, "there is text behind the end of the object"),
    ("022-two-objects", 2, "there is text behind the end of the object"),
];

fn same(what: &str, name: &str, found: &Outcome, wanted: &[u8]) -> Result<(), String> {
    if found.status == 0 && found.stdout == wanted {
        return Ok(());
    }
    Err(format!("{name}: {what}: {}\n    wanted {}", found.report(), excerpt(wanted)))
}

#[test]
fn every_file_of_upstream_decrypts_to_its_plaintext() {
    let ksops = Program::ksops();
    let index: Value = serde_json::from_slice(&fixtures::bytes("upstream/index.json")).expect("index.json");
    let files = index.as_array().expect("a list of files").iter();
    let files: Vec<(&str, &str)> =
        files.filter_map(|file| Some((file["file"].as_str()?, file["plain"].as_str()?))).collect();
    let failed = parallel::failures(&files, |(file, plain)| {
        let sandbox = Sandbox::new();
        let suffix = file.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        let found = decrypt(&ksops, &sandbox, &fixtures::bytes(&format!("upstream/{file}")), suffix, &[]);
        same("decrypt", file, &found, &fixtures::bytes(&format!("upstream/{plain}")))
    });
    failures::none("files of upstream", files.len(), &failed);
}

#[test]
fn the_guides_own_file_is_reported_encrypted() {
    let sandbox = Sandbox::new();
    sandbox.write("secret.enc.yaml", fixtures::bytes("upstream/aks-flux/secret.enc.yaml"));
    let found = Program::ksops().call(&sandbox).args(["filestatus", "secret.enc.yaml"]).run();
    assert_eq!(found.output(), Ok(b"{\"encrypted\":true}\n".to_vec()));
    sandbox.write("secret.yaml", fixtures::bytes("upstream/aks-flux/secret.yaml"));
    let found = Program::ksops().call(&sandbox).args(["filestatus", "secret.yaml"]).run();
    assert_eq!(found.output(), Ok(b"{\"encrypted\":false}\n".to_vec()));
}

/// Cases with a comment that sops forgets, drops or prints too late (file-format.md section 7.5).
const COMMENT_STAYS: [&str; 4] = [
    "119-anchor-comments",
    "207-comment-empty-map",
    "412-inline-comment-alias-map",
    "415-nested-empty-comment",
];

#[test]
fn upstream_reads_every_layout_case_that_ksops_encrypts() {
    let (Some(sops), Some(older)) = (oracle::sops(), oracle::sops_3_11()) else { return };
    let ksops = Program::ksops();
    let folder = Sandbox::new();
    let by_the_name_sops = as_sops(&folder);
    let cases = Case::readable();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let (name, title) = (&case.name, &case.title());
        // Where the layout is kept, these comments stay where sops moves or drops them.
        let layout: &[&str] =
            if COMMENT_STAYS.contains(&name.as_str()) { &["--layout", "upstream"] } else { &[] };
        let mut outcome = case.encrypt(&ksops, &sandbox, layout);
        if REWRITTEN.contains(&name.as_str())
            && outcome.errors().contains("form that encrypting does not keep")
        {
            outcome = case.encrypt(&by_the_name_sops, &sandbox, &[]);
        }
        let refused = REFUSED.iter().find(|(refused, ..)| refused == name);
        let refused = refused.map(|(_, status, reason)| (*status, *reason));
        if let Some((status, reason)) = refused.or(case.is_refused().then_some((2, ""))) {
            let refused = outcome.status == status && outcome.errors().contains(reason);
            return if refused { Ok(()) } else { Err(format!("{title}: {}", outcome.report())) };
        }
        let encrypted = outcome.output().map_err(|said| format!("{title}: encrypt: {said}"))?;
        let wanted = case.file("decrypted");
        same("sops 3.13.3", title, &case.decrypt(&sops, &sandbox, &encrypted), &wanted)?;
        let mut wanted_of_older = wanted.clone();
        if OTHER_IN_3_11.iter().any(|(other, _)| other == name) {
            let own =
                case.encrypt(&sops, &sandbox, &[]).output().map_err(|said| format!("{title}: {said}"))?;
            wanted_of_older =
                case.decrypt(&older, &sandbox, &own).output().map_err(|said| format!("{title}: {said}"))?;
        }
        same("sops 3.11.0", title, &case.decrypt(&older, &sandbox, &encrypted), &wanted_of_older)?;
        same("ksops itself", title, &case.decrypt(&ksops, &sandbox, &encrypted), &case.ours("decrypted"))
    });
    failures::none("layout cases", cases.len(), &failed);
}

/// ksops under the name `sops`.
fn as_sops(folder: &Sandbox) -> Program {
    let link = folder.root().join("sops");
    let target = Program::ksops().path().canonicalize().expect("found before");
    std::os::unix::fs::symlink(target, &link).expect("an empty folder");
    Program::at(link)
}

#[test]
fn a_number_keeps_its_text_or_is_refused() {
    let Some(sops) = oracle::sops() else { return };
    let (ksops, sandbox) = (Program::ksops(), Sandbox::new());
    let recipient = &AgeKeys::read().recipients[0];
    let encrypt = |name: &str, more: &[&str]| {
        ksops
            .call(&sandbox)
            .args(["encrypt", "--age", recipient, "--encrypted-regex", "^s"])
            .args(more)
            .arg(name)
            .run()
    };
    sandbox.write("plain.yaml", "s: x\nversion: 1.10\nmode: 0x1F\nbig: 1234567890123456789012345\n");
    let text = encrypt("plain.yaml", &[]).output().expect("nothing selected is a number");
    let shown = String::from_utf8_lossy(&text);
    assert!(shown.contains("version: 1.10\nmode: 0x1F\nbig: 1234567890123456789012345\n"), "{shown}");
    let found = decrypt(&ksops, &sandbox, &text, "yaml", &[]);
    assert_eq!(
        found.output(),
        Ok(b"s: x\nversion: 1.10\nmode: 0x1F\nbig: 1234567890123456789012345\n".to_vec())
    );
    assert_eq!(decrypt(&sops, &sandbox, &text, "yaml", &[]).status, 0, "the MAC is upstream's");

    sandbox.write("secret.json", "{\"s\": [1.10]}");
    let refused = encrypt("secret.json", &[]);
    assert_eq!(refused.status, 23, "{}", refused.report());
    assert!(
        refused.errors().contains("(at s[0])") && !refused.errors().contains("1.10]"),
        "{}",
        refused.report()
    );
    let text = encrypt("secret.json", &["--as-string"]).output().expect("a string keeps its text");
    let found = decrypt(&sops, &sandbox, &text, "json", &[]);
    assert_eq!(found.output(), Ok(b"{\n\t\"s\": [\n\t\t\"1.10\"\n\t]\n}\n".to_vec()));
}

#[test]
fn ksops_reads_every_layout_case_that_upstream_encrypts() {
    let Some(sops) = oracle::sops() else { return };
    let ksops = Program::ksops();
    let cases = Case::readable();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let encrypted = case
            .encrypt(&sops, &sandbox, &[])
            .output()
            .map_err(|said| format!("{}: {said}", case.title()))?;
        same("ksops", &case.title(), &case.decrypt(&ksops, &sandbox, &encrypted), &case.ours("decrypted"))
    });
    failures::none("layout cases", cases.len(), &failed);
}

#[test]
fn ksops_prints_every_layout_case_as_upstream_does() {
    // Under its own name ksops refuses a rule that matches nothing.
    let folder = Sandbox::new();
    let sops = as_sops(&folder);
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| case.encrypts == 0).collect();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let mut found = case.encrypt(&sops, &sandbox, &[]);
        if case.is_refused() {
            let refused = found.status != 0 && found.stdout.is_empty();
            return if refused { Ok(()) } else { Err(format!("{}: not refused", case.title())) };
        }
        found.stdout =
            envelopes_shortened(&case.layout.without_metadata(&String::from_utf8_lossy(&found.stdout)))
                .into_bytes();
        same("full", &case.title(), &found, &case.ours("full-layout"))?;
        let mut found = case.encrypt(&sops, &sandbox, &["--encrypted-regex", "^nothing$"]);
        found.stdout = case.layout.without_metadata(&String::from_utf8_lossy(&found.stdout)).into_bytes();
        // Bytes that are not UTF-8 were lost when the metadata was cut off, so the fixture loses them, too.
        let wanted = case.ours("encrypted-layout");
        same("plain", &case.title(), &found, String::from_utf8_lossy(&wanted).as_bytes())
    });
    failures::none("layout cases", cases.len(), &failed);
}

#[test]
fn ksops_refuses_what_upstream_refuses() {
    let ksops = Program::ksops();
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| case.encrypts != 0).collect();
    let failed = parallel::failures(&cases, |case| {
        let found = case.encrypt(&ksops, &Sandbox::new(), &[]);
        if i64::from(found.status) == case.encrypts && found.stdout.is_empty() {
            return Ok(());
        }
        Err(format!("{}: status {} is due, {}", case.title(), case.encrypts, found.report()))
    });
    failures::none("refused cases", cases.len(), &failed);
}
