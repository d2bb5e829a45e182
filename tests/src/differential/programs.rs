//! The same comparison through the real programs, end to end: slow, and so only for a share of the cases.

use std::os::unix::fs::symlink;

use ksops_stores::format::Format;

use super::case::{Case, Formats};
use super::compare::{Check, Finding, Verdict};
use super::formats::known as formats_known;
use super::known;
use super::ours::UNVERIFIED;
use super::outcome::Outcome;
use crate::fixtures::AgeKeys;
use crate::oracle;
use crate::program::{Call, Program};
use crate::sandbox::Sandbox;

/// Both programs, in a sandbox.
pub struct Programs {
    ours: Program,
    theirs: Program,
    sandbox: Sandbox,
    keys: AgeKeys,
}

impl Programs {
    /// Finds both programs. ksops is called by the name `sops`, because under its own it refuses more.
    ///
    /// # Panics
    /// If there is no ksops, or in CI no sops.
    #[must_use]
    pub fn find() -> Option<Self> {
        let theirs = oracle::sops()?;
        let sandbox = Sandbox::new();
        let link = sandbox.path("sops");
        symlink(Program::ksops().path(), &link).expect("an empty folder takes a link");
        let keys = AgeKeys::read();
        sandbox.write("keys.txt", keys.identity_file());
        Some(Self { ours: Program::at(link), theirs, sandbox, keys })
    }

    /// Compares everything about a case that the programs can show.
    #[must_use]
    pub fn compare(&self, case: &Case) -> Vec<Finding> {
        self.sandbox.write("in.yaml", &case.text);
        let mut findings = Vec::new();
        let (by_us, by_them) = (self.encrypt(&self.ours, case), self.encrypt(&self.theirs, case));
        findings.push(self.finding(case, Check::Encrypt, &case.text, (&by_us, &by_them)));
        for (check, encrypted) in [(Check::DecryptOurs, by_us), (Check::DecryptTheirs, by_them)] {
            if encrypted.succeeded() {
                self.sandbox.write("enc.yaml", &encrypted.text);
                let outcomes = (&self.decrypt(&self.ours, case), &self.decrypt(&self.theirs, case));
                findings.push(self.finding(case, check, &encrypted.text, outcomes));
            }
        }
        findings
    }

    fn finding(&self, case: &Case, check: Check, input: &[u8], outcomes: (&Outcome, &Outcome)) -> Finding {
        let is_yaml = case.formats.encrypted == Format::Yaml;
        let comparable = |outcome: &Outcome| match check {
            // The bytes of the others are compared in process, where nothing is random.
            Check::Encrypt if !is_yaml => Outcome { text: Vec::new(), ..outcome.clone() },
            Check::Encrypt => Outcome { text: without_chance(&outcome.text), ..outcome.clone() },
            _ => outcome.clone(),
        };
        let (ours, theirs) = (comparable(outcomes.0), comparable(outcomes.1));
        let mut finding = Finding { check, input: input.to_vec(), ours, theirs, verdict: Verdict::Agree };
        if !finding.ours.agrees(&finding.theirs) {
            // Ciphertext is random here: a short pattern may match that of one program.
            let by_chance = [&finding.ours, &finding.theirs]
                .into_iter()
                .any(|outcome| outcome.message.contains("matches UnencryptedCommentRegex"));
            let reason = by_chance.then_some("a comment rule matches a ciphertext by chance");
            finding.verdict = reason
                .or_else(|| self.known(case, &finding, &outcomes.1.text))
                .map_or(Verdict::Different, Verdict::Known);
        }
        finding
    }

    fn known(&self, case: &Case, finding: &Finding, their_text: &[u8]) -> Option<&'static str> {
        if case.formats.are(Format::Yaml) {
            return known::difference(case, finding);
        }
        let formats = Formats { decrypted: case.formats.plain, ..case.formats };
        formats_known::difference(case, finding, |_| {
            self.sandbox.write("enc.yaml", their_text);
            self.decrypt(&self.theirs, &Case { formats, ..case.clone() })
        })
    }

    fn encrypt(&self, program: &Program, case: &Case) -> Outcome {
        let rule = format!("--{}", case.rule.name.replace('_', "-"));
        let mut call = indented(program.call(&self.sandbox), case);
        call = call.args(["--age", &self.keys.recipients[0], &rule, &case.rule.parameter]);
        call = typed(call, case.formats.plain, case.formats.encrypted);
        if case.mac_only_encrypted {
            call = call.arg("--mac-only-encrypted");
        }
        outcome(call.args(["--encrypt", "in.yaml"]).run())
    }

    fn decrypt(&self, program: &Program, case: &Case) -> Outcome {
        let call = program.call(&self.sandbox).env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt"));
        let call = indented(call, case);
        outcome(
            typed(call, case.formats.encrypted, case.formats.decrypted).args(["--decrypt", "enc.yaml"]).run(),
        )
    }
}

fn indented<'a>(call: Call<'a>, case: &Case) -> Call<'a> {
    if case.indent < 0 { call } else { call.args(["--indent", &case.indent.to_string()]) }
}

fn typed<'a>(call: Call<'a>, input: Format, output: Format) -> Call<'a> {
    call.args(["--input-type", input.name(), "--output-type", output.name()])
}

fn outcome(run: crate::program::Outcome) -> Outcome {
    let errors = run.errors();
    match run.status {
        0 => Outcome::done(run.stdout),
        _ if errors.contains("was checked before writing and found wrong") => {
            Outcome::refused(UNVERIFIED, errors)
        }
        2 if errors.contains("goroutine ") => Outcome::refused("crash", errors),
        101 => Outcome::refused("panic", errors),
        status => Outcome::refused(status, errors),
    }
}

/// The text without what is random or depends on the time.
fn without_chance(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    let mut in_armor = false;
    for line in text.split_inclusive('\n') {
        in_armor &= !line.trim_start().starts_with("-----END AGE");
        if in_armor {
            continue;
        }
        in_armor = line.trim_start().starts_with("-----BEGIN AGE");
        if line.trim_start().starts_with("lastmodified: ") {
            // Still a line of YAML: the texts are read to tell their differences.
            let (before, _) = line.split_once(':').unwrap_or((line, ""));
            out.push_str(&format!("{before}: moment\n"));
            continue;
        }
        let mut rest = line;
        while let Some(start) = rest.find("ENC[AES256_GCM,data:") {
            let Some(kind) = rest[start..].find(",type:") else { break };
            out.push_str(&rest[..start]);
            out.push_str("ENC[");
            rest = &rest[start + kind + ",type:".len()..];
        }
        out.push_str(rest);
    }
    out.into_bytes()
}
