//! The layout cases: small inputs of each format with what real sops prints for them (`fixtures/*-layout`).

use std::path::PathBuf;

use serde_json::Value;

use crate::fixtures::{self, AgeKeys};
use crate::program::{Outcome, Program};
use crate::sandbox::Sandbox;

/// A format that has layout cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `yaml-layout`.
    Yaml,
    /// `json-layout`.
    Json,
    /// `dotenv-layout`.
    Dotenv,
    /// `ini-layout`.
    Ini,
}

impl Layout {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Yaml, Self::Json, Self::Dotenv, Self::Ini];

    /// The suffix of its files.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Dotenv => "env",
            Self::Ini => "ini",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Yaml => "yaml-layout",
            Self::Json => "json-layout",
            Self::Dotenv => "dotenv-layout",
            Self::Ini => "ini-layout",
        }
    }

    /// Takes the metadata out, as it was done when the fixtures were made.
    #[must_use]
    pub fn without_metadata(self, text: &str) -> String {
        match self {
            Self::Yaml => without_block(text),
            Self::Json => without_member(text),
            Self::Dotenv => text.split_inclusive('\n').filter(|line| !line.starts_with("sops_")).collect(),
            Self::Ini => text.find("[sops]\n").map_or(text, |at| &text[..at]).to_owned(),
        }
    }
}

/// One folder of the layout cases.
pub struct Case {
    /// The format.
    pub layout: Layout,
    /// The name of the folder.
    pub name: String,
    /// Upstream's exit status when it encrypts.
    pub encrypts: i64,
    /// Upstream's exit status when it decrypts its own file.
    pub decrypts: Option<i64>,
    flags: Vec<String>,
}

impl Case {
    /// The cases of all formats.
    ///
    /// # Panics
    /// If the list is not what it should be.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let of = |layout: Layout| {
            let cases = fixtures::bytes(&format!("{}/cases.json", layout.folder()));
            let cases: Vec<Value> = serde_json::from_slice(&cases).expect("cases.json");
            cases.into_iter().map(move |case| {
                let flags = case["extra_flags"].as_array().into_iter().flatten();
                Self {
                    layout,
                    flags: flags.filter_map(Value::as_str).map(str::to_owned).collect(),
                    encrypts: case["encrypt_full_exit"].as_i64().expect("a status"),
                    decrypts: case["decrypt_full_exit"].as_i64(),
                    name: case["case"].as_str().expect("a name").to_owned(),
                }
            })
        };
        Layout::ALL.into_iter().flat_map(of).collect()
    }

    /// The cases that upstream encrypts and reads back.
    #[must_use]
    pub fn readable() -> Vec<Self> {
        Self::all().into_iter().filter(|case| case.encrypts == 0 && case.decrypts == Some(0)).collect()
    }

    /// What messages call it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.layout.suffix(), self.name)
    }

    fn own(&self, file: &str) -> PathBuf {
        fixtures::path(&format!("{}-ksops", self.layout.folder())).join(&self.name).join(file)
    }

    /// Whether ksops refuses the case although upstream does not (`fixtures/*-layout-ksops`).
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.own("error.txt").exists()
    }

    /// A file of the case, such as `decrypted`, as ksops prints it where that is not what upstream prints.
    #[must_use]
    pub fn ours(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.own(&format!("{name}.{}", self.layout.suffix())))
            .unwrap_or_else(|_| self.file(name))
    }

    /// A file of the case, such as `decrypted`, as upstream prints it.
    #[must_use]
    pub fn file(&self, name: &str) -> Vec<u8> {
        fixtures::bytes(&format!("{}/{}/{name}.{}", self.layout.folder(), self.name, self.layout.suffix()))
    }

    /// `program` encrypts the input, with `more` flags behind the command.
    #[must_use]
    pub fn encrypt(&self, program: &Program, sandbox: &Sandbox, more: &[&str]) -> Outcome {
        let name = format!("in.{}", self.layout.suffix());
        sandbox.write(&name, self.file("in"));
        let recipient = &AgeKeys::read().recipients[0];
        let call = program.call(sandbox).args(&self.flags).args(["encrypt", "--age", recipient]);
        call.args(more).arg(name).run()
    }

    /// `program` decrypts `bytes`, with the flags of the case.
    #[must_use]
    pub fn decrypt(&self, program: &Program, sandbox: &Sandbox, bytes: &[u8]) -> Outcome {
        decrypt(program, sandbox, bytes, self.layout.suffix(), &self.flags)
    }
}

/// Decrypts a file with this suffix with all keys of the fixtures, into the layout of sops.
#[must_use]
pub fn decrypt(
    program: &Program,
    sandbox: &Sandbox,
    bytes: &[u8],
    suffix: &str,
    flags: &[String],
) -> Outcome {
    let name = format!("enc.{suffix}");
    sandbox.write(&name, bytes);
    let keys = sandbox.write("keys.txt", AgeKeys::read().identity_file());
    // The fixtures say how sops lays the result out.
    let call = program.call(sandbox).env("SOPS_AGE_KEY_FILE", keys).env("KSOPS_LAYOUT", "upstream");
    call.args(flags).args(["decrypt", &name]).run()
}

/// As the fixtures were made: `ENC[…,type:T]` becomes `ENC[T]`.
#[must_use]
pub fn envelopes_shortened(text: &str) -> String {
    let mut parts = text.split("ENC[AES256_GCM,");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short.push_str("ENC[");
        short.push_str(part.split_once(",type:").map_or(part, |(_, rest)| rest));
    }
    short
}

/// From the line `sops:` to the end of the document; a line `sops: # text` is kept.
fn without_block(text: &str) -> String {
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

/// The last member of the object.
fn without_member(text: &str) -> String {
    let Some((before, _)) = text.rsplit_once("\"sops\": {") else { return text.to_owned() };
    match before.trim_end() {
        "{" => "{}\n".to_owned(),
        before => before.strip_suffix(',').unwrap_or(before).to_owned() + "\n}\n",
    }
}
