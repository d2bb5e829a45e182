//! Files of real sops read by ksops, files of ksops read by real sops, for YAML and age.
//!
//! The claims of docs/COMPATIBILITY.md about what upstream reads rest on this file.

use std::path::PathBuf;

use ksops_tests::failures::{self, excerpt};
use ksops_tests::fixtures::{self, AgeKeys};
use ksops_tests::oracle;
use ksops_tests::parallel;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;
use serde_json::Value;

/// Cases that upstream does not read back, its own files included.
const UNREADABLE: [(&str, &str); 1] = [(
    "034-merge-key-quoted",
    "a quoted `<<` key is printed plain and then read as a merge (file-format.md section 12, no. 8)",
)];

/// Cases that sops 3.11.0 prints in another way than 3.13.3, from the same encrypted file.
const OTHER_IN_3_11: [(&str, &str); 1] =
    [("183-comment-empty", "3.11.0 gives an empty inline comment a line of its own")];

/// Cases that ksops refuses to encrypt, with a part of what it says, although upstream does not.
const REFUSED: [(&str, &str); 1] = [("102-key-dup-second-doc", "two values have the same path")];

/// One folder of `fixtures/yaml-layout`.
struct Case {
    name: String,
    folder: PathBuf,
    flags: Vec<String>,
    /// Upstream's exit status when it encrypts.
    encrypts: i64,
}

impl Case {
    fn all() -> Vec<Self> {
        let cases: Value =
            serde_json::from_slice(&fixtures::bytes("yaml-layout/cases.json")).expect("cases.json");
        let cases = cases.as_array().expect("a list of cases").iter();
        cases
            .map(|case| {
                let name = case["case"].as_str().expect("a name").to_owned();
                let flags = case["extra_flags"].as_array().into_iter().flatten();
                Self {
                    folder: fixtures::path("yaml-layout").join(&name),
                    flags: flags.filter_map(Value::as_str).map(str::to_owned).collect(),
                    encrypts: case["encrypt_full_exit"].as_i64().expect("a status"),
                    name,
                }
            })
            .collect()
    }

    /// The cases that upstream encrypts and reads back.
    fn readable() -> Vec<Self> {
        let known = |case: &Self| UNREADABLE.iter().any(|(name, _)| *name == case.name);
        Self::all().into_iter().filter(|case| case.encrypts == 0 && !known(case)).collect()
    }

    /// Whether ksops refuses the case although upstream does not (`fixtures/yaml-layout-ksops`).
    fn is_refused(&self) -> bool {
        fixtures::path("yaml-layout-ksops").join(&self.name).join("error.txt").exists()
    }

    /// The file as ksops prints it, where that is not what upstream prints.
    fn ours(&self, name: &str) -> Vec<u8> {
        let path = fixtures::path("yaml-layout-ksops").join(&self.name).join(name);
        std::fs::read(path).unwrap_or_else(|_| self.file(name))
    }

    fn file(&self, name: &str) -> Vec<u8> {
        let path = self.folder.join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// `program` encrypts the input, with `more` flags behind the command.
    fn encrypt(&self, program: &Program, sandbox: &Sandbox, more: &[&str]) -> Outcome {
        sandbox.write("in.yaml", self.file("in.yaml"));
        let call = program.call(sandbox).args(&self.flags).args([
            "encrypt",
            "--age",
            &AgeKeys::read().recipients[0],
        ]);
        call.args(more).arg("in.yaml").run()
    }
}

/// Decrypts `bytes` as YAML with all keys of the fixtures.
fn decrypt(program: &Program, sandbox: &Sandbox, bytes: &[u8]) -> Outcome {
    sandbox.write("enc.yaml", bytes);
    let keys = sandbox.write("keys.txt", AgeKeys::read().identity_file());
    program.call(sandbox).env("SOPS_AGE_KEY_FILE", keys).args(["decrypt", "enc.yaml"]).run()
}

fn same(what: &str, name: &str, found: &Outcome, wanted: &[u8]) -> Result<(), String> {
    if found.status == 0 && found.stdout == wanted {
        return Ok(());
    }
    Err(format!("{name}: {what}: {}\n    wanted {}", found.report(), excerpt(wanted)))
}

#[test]
fn every_yaml_file_of_upstream_decrypts_to_its_plaintext() {
    let ksops = Program::ksops();
    let index: Value = serde_json::from_slice(&fixtures::bytes("upstream/index.json")).expect("index.json");
    let files = index.as_array().expect("a list of files").iter().filter(|file| file["type"] == "yaml");
    let files: Vec<(&str, &str)> =
        files.filter_map(|file| Some((file["file"].as_str()?, file["plain"].as_str()?))).collect();
    let failed = parallel::failures(&files, |(file, plain)| {
        let sandbox = Sandbox::new();
        let found = decrypt(&ksops, &sandbox, &fixtures::bytes(&format!("upstream/{file}")));
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

#[test]
fn upstream_reads_every_layout_case_that_ksops_encrypts() {
    let (Some(sops), Some(older)) = (oracle::sops(), oracle::sops_3_11()) else { return };
    let ksops = Program::ksops();
    let cases = Case::readable();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let name = &case.name;
        let outcome = case.encrypt(&ksops, &sandbox, &[]);
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| refused == name) {
            let refused = outcome.status == 1 && outcome.errors().contains(reason);
            return if refused { Ok(()) } else { Err(format!("{name}: {}", outcome.report())) };
        }
        let encrypted = outcome.output().map_err(|said| format!("{name}: encrypt: {said}"))?;
        let wanted = case.file("decrypted.yaml");
        same("sops 3.13.3", name, &decrypt(&sops, &sandbox, &encrypted), &wanted)?;
        let mut wanted_of_older = wanted.clone();
        if OTHER_IN_3_11.iter().any(|(other, _)| other == name) {
            let own =
                case.encrypt(&sops, &sandbox, &[]).output().map_err(|said| format!("{name}: {said}"))?;
            wanted_of_older =
                decrypt(&older, &sandbox, &own).output().map_err(|said| format!("{name}: {said}"))?;
        }
        same("sops 3.11.0", name, &decrypt(&older, &sandbox, &encrypted), &wanted_of_older)?;
        same("ksops itself", name, &decrypt(&ksops, &sandbox, &encrypted), &case.ours("decrypted.yaml"))
    });
    failures::none("layout cases", cases.len(), &failed);
}

#[test]
fn ksops_reads_every_layout_case_that_upstream_encrypts() {
    let Some(sops) = oracle::sops() else { return };
    let ksops = Program::ksops();
    let cases = Case::readable();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let encrypted =
            case.encrypt(&sops, &sandbox, &[]).output().map_err(|said| format!("{}: {said}", case.name))?;
        same("ksops", &case.name, &decrypt(&ksops, &sandbox, &encrypted), &case.ours("decrypted.yaml"))
    });
    failures::none("layout cases", cases.len(), &failed);
}

#[test]
fn ksops_prints_every_layout_case_as_upstream_does() {
    let ksops = Program::ksops();
    let sandbox = Sandbox::new();
    // Under the name sops: a rule that matches nothing is refused by ksops.
    let sops = sandbox.root().join("sops");
    std::os::unix::fs::symlink(ksops.path().canonicalize().expect("found before"), &sops)
        .expect("an empty folder");
    let sops = Program::at(sops);
    let cases: Vec<Case> = Case::all().into_iter().filter(|case| case.encrypts == 0).collect();
    let failed = parallel::failures(&cases, |case| {
        let sandbox = Sandbox::new();
        let mut found = case.encrypt(&sops, &sandbox, &[]);
        if case.is_refused() {
            let refused = found.status != 0 && found.stdout.is_empty();
            return if refused { Ok(()) } else { Err(format!("{}: not refused", case.name)) };
        }
        found.stdout =
            envelopes_shortened(&without_metadata(&String::from_utf8_lossy(&found.stdout))).into_bytes();
        same("full", &case.name, &found, &case.ours("full-layout.yaml"))?;
        let mut found = case.encrypt(&sops, &sandbox, &["--encrypted-regex", "^nothing$"]);
        found.stdout = without_metadata(&String::from_utf8_lossy(&found.stdout)).into_bytes();
        same("plain", &case.name, &found, &case.ours("encrypted-layout.yaml"))
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
        Err(format!("{}: status {} is due, {}", case.name, case.encrypts, found.report()))
    });
    failures::none("refused cases", cases.len(), &failed);
}

/// As the fixtures were made: from the line `sops:` to the end of the document; a line `sops: # text` is kept.
fn without_metadata(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            inside = false;
        } else if line.starts_with("sops:") {
            inside = true;
        }
        if !inside || line.starts_with("sops: #") {
            kept.push_str(line);
        }
    }
    kept
}

/// As the fixtures were made: `ENC[…,type:T]` becomes `ENC[T]`.
fn envelopes_shortened(text: &str) -> String {
    let mut parts = text.split("ENC[AES256_GCM,");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short.push_str("ENC[");
        short.push_str(part.split_once(",type:").map_or(part, |(_, rest)| rest));
    }
    short
}
