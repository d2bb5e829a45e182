//! Small configurations and what becomes of them: here, and in a real sops if there is one.
//!
//! `SOPS_PROGRAM` names the program, else `sops` is looked for in PATH. Without it that half says "skipped"; with `CI`
//! set that is a failure.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ksops_config::keys::age;
use ksops_config::model::ConfigFile;
use ksops_config::rule::{NO_KEYS, RuleQuery};
use ksops_config::template::new_config;

struct Variant {
    name: String,
    /// Verdicts by program: `sops`, `ksops`, `strict`.
    verdicts: BTreeMap<String, String>,
    text: String,
}

impl Variant {
    fn verdict(&self, program: &str) -> Option<&str> {
        self.verdicts.get(program).map(String::as_str)
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn recipients() -> Vec<String> {
    let keys = std::fs::read_to_string(fixtures().join("keys/age-keys.txt")).expect("fixture");
    keys.lines().filter_map(|line| line.strip_prefix("# public key: ")).map(str::to_owned).collect()
}

fn variants() -> Vec<Variant> {
    let recipients = recipients();
    let all = std::fs::read_to_string(fixtures().join("config/variants.txt")).expect("fixture");
    let parts = all.split("\n=== ").skip(1);
    let variants: Vec<Variant> = parts
        .map(|part| {
            let (head, text) = part.split_once("\n---\n").or(part.split_once("\n---")).expect("a line ---");
            let mut lines = head.lines();
            let mut text = format!("{text}\n");
            for (letter, recipient) in ["{A}", "{B}", "{C}"].iter().zip(&recipients) {
                text = text.replace(letter, recipient);
            }
            Variant {
                name: lines.next().expect("a name").to_owned(),
                verdicts: lines
                    .map(|line| line.split_once(": ").expect("PROGRAM: VERDICT"))
                    .map(|(program, verdict)| (program.to_owned(), verdict.to_owned()))
                    .collect(),
                text,
            }
        })
        .collect();
    assert!(variants.len() > 90, "the list is cut short");
    variants
}

/// "ok A B", with a letter for each of the known recipients.
fn accepted(keys: impl Iterator<Item = String>) -> String {
    let recipients = recipients();
    let letter =
        |key: &String| recipients.iter().position(|known| known == key).map_or("?", |at| ["A", "B", "C"][at]);
    keys.fold("ok".to_owned(), |text, key| text + " " + letter(&key))
}

/// Loads the configuration and picks the rule, as encrypting does.
fn ours(text: &str) -> Result<String, String> {
    let config = ConfigFile::parse(text.as_bytes(), ".sops.yaml").map_err(|error| error.to_string())?;
    let context = BTreeMap::new();
    let query = RuleQuery {
        config_directory: Path::new("/w"),
        path: Path::new("/w/secrets/a.yaml"),
        kms_context: &context,
    };
    let rule = config.creation_rule(&query).map_err(|error| error.to_string())?;
    let groups = rule.ok_or(NO_KEYS)?.groups;
    if groups.iter().any(Vec::is_empty) {
        return Err("Could not generate data key: [empty key group provided]".to_owned());
    }
    Ok(accepted(groups.iter().flatten().map(|request| request.key.to_string())))
}

fn strict(text: &str) -> Result<(), String> {
    let config = ConfigFile::parse(text.as_bytes(), ".sops.yaml").map_err(|error| error.to_string())?;
    config.require_clean().map_err(|error| error.to_string())
}

/// Whether `outcome` is what the verdict says; the complaint otherwise.
fn compare(verdict: &str, outcome: &Result<String, String>) -> Result<(), String> {
    let agree = match (verdict.strip_prefix("fail "), outcome) {
        (Some(phrase), Err(message)) => message.contains(phrase),
        (None, Ok(keys)) => keys == verdict,
        _ => false,
    };
    if agree { Ok(()) } else { Err(format!("expected {verdict}\n     got {outcome:?}")) }
}

fn judge(check: impl Fn(&Variant) -> Result<(), String>) {
    let mut complaints = Vec::new();
    for variant in variants() {
        if let Err(complaint) = check(&variant) {
            complaints.push(format!("{}: {complaint}", variant.name));
        }
    }
    assert!(complaints.is_empty(), "{} variants:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_variant_is_judged_as_listed() {
    judge(|variant| {
        let verdict = variant.verdict("ksops").or(variant.verdict("sops")).expect("a verdict");
        compare(verdict, &ours(&variant.text))
    });
}

#[test]
fn the_stricter_checks_refuse_only_what_is_listed() {
    judge(|variant| match (variant.verdict("strict"), strict(&variant.text)) {
        (Some(verdict), outcome) => compare(verdict, &outcome.map(|()| "ok".to_owned())),
        (None, Err(message)) if ours(&variant.text).is_ok() => Err(format!("not listed: {message}")),
        (None, _) => Ok(()),
    });
}

#[test]
fn a_real_sops_judges_as_listed() {
    let program = std::env::var("SOPS_PROGRAM").unwrap_or_else(|_| "sops".to_owned());
    if !is_there(&program) {
        return;
    }
    judge(|variant| {
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        std::fs::create_dir(home.path().join("secrets")).map_err(|error| error.to_string())?;
        std::fs::write(home.path().join(".sops.yaml"), &variant.text).map_err(|error| error.to_string())?;
        std::fs::write(home.path().join("secrets/a.yaml"), "x: y\n").map_err(|error| error.to_string())?;
        let output = Command::new(&program)
            .args(["encrypt", "secrets/a.yaml"])
            .current_dir(home.path())
            .output()
            .map_err(|error| error.to_string())?;
        let outcome = if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(accepted(
                text.lines().filter_map(|line| line.split_once("recipient: ")).map(|(_, key)| key.to_owned()),
            ))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        };
        compare(variant.verdict("sops").expect("a verdict"), &outcome)
    });
}

#[test]
fn a_real_sops_accepts_a_new_configuration() {
    let program = std::env::var("SOPS_PROGRAM").unwrap_or_else(|_| "sops".to_owned());
    if !is_there(&program) {
        return;
    }
    let key = age(&recipients()[0]).expect("a recipient");
    let home = tempfile::tempdir().expect("temporary directory");
    std::fs::write(home.path().join(".sops.yaml"), new_config(&[key]).expect("a text")).expect("written");
    let secret = "kind: Secret\nstringData:\n  token: hidden\n";
    std::fs::write(home.path().join("secret.yml"), secret).expect("written");
    let output = Command::new(&program)
        .args(["encrypt", "secret.yml"])
        .current_dir(home.path())
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        text.contains("kind: Secret\n") && text.contains("token: ENC[") && !text.contains("hidden"),
        "{text}"
    );
}

/// Whether the program can be run; says so if not.
fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").arg("--disable-version-check").output().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "CI needs sops");
    if !there {
        let _ = writeln!(std::io::stderr(), "skipped: there is no sops");
    }
    there
}
