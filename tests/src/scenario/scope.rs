//! Which scenarios ksops has to pass already, and which issue brings the others.
//!
//! Decided by the command and the key types of a scenario. `fixtures/cli/out-of-scope.txt` lists the result,
//! so that a change of scope is seen in a review.

use serde_json::Value;

use crate::scenario::model::Scenario;

/// The issue that brings a scenario, and the reason; `None` if it is in scope.
#[must_use]
pub fn out_of_scope(scenario: &Scenario) -> Option<(u32, String)> {
    let args = scenario.args();
    let command = command(&args);
    const BUILT: [&str; 17] = [
        "publish",
        "keyservice",
        "exec-env",
        "exec-file",
        "edit",
        "encrypt",
        "decrypt",
        "set",
        "unset",
        "rotate",
        "updatekeys",
        "groups",
        "filestatus",
        "completion",
        "version",
        "help",
        "none",
    ];
    if !BUILT.contains(&command) {
        return Some((5, format!("command {command}")));
    }
    let has_flag =
        |flag: &str| args.iter().any(|arg| arg.trim_start_matches('-').split('=').next() == Some(flag));
    for (flag, kind) in [("kms", "AWS KMS"), ("gcp-kms", "GCP KMS")] {
        if has_flag(flag) {
            return Some((6, format!("key type {kind}")));
        }
    }
    if let Some(word) = key_type_in_files(&scenario.fields["setup"]) {
        return Some((6, format!("`{word}` in a file")));
    }
    None
}

/// The command that the words call; legacy flags by the command that they stand for.
fn command(args: &[String]) -> &str {
    const COMMANDS: [&str; 17] = [
        "encrypt",
        "decrypt",
        "rotate",
        "edit",
        "set",
        "unset",
        "updatekeys",
        "groups",
        "filestatus",
        "exec-env",
        "exec-file",
        "publish",
        "keyservice",
        "completion",
        "help",
        "h",
        "version",
    ];
    const VALUES: [&str; 12] = [
        "config",
        "indent",
        "age",
        "output",
        "extract",
        "encrypted-comment-regex",
        "input-type",
        "output-type",
        "filename-override",
        "encrypted-regex",
        "decryption-order",
        "set",
    ];
    let mut legacy = "";
    let mut flags = true;
    let mut words = args.iter();
    while let Some(arg) = words.next() {
        if flags && arg == "--" {
            flags = false;
        } else if flags && arg.len() > 1 && arg.starts_with('-') {
            let (name, value) =
                arg.trim_start_matches('-').split_once('=').unwrap_or((arg.trim_start_matches('-'), ""));
            match name {
                "r" | "rotate" => legacy = "rotate",
                "set" => legacy = "set",
                name if name.starts_with("add-") || name.starts_with("rm-") => legacy = "edit",
                "d" | "decrypt" | "di" if legacy.is_empty() || legacy == "encrypt" => legacy = "decrypt",
                "e" | "encrypt" if legacy.is_empty() => legacy = "encrypt",
                "version" | "v" => legacy = "version",
                "help" | "h" => legacy = "help",
                "generate-bash-completion" => legacy = "completion",
                _ => {}
            }
            if VALUES.contains(&name) && value.is_empty() {
                words.next();
            }
        } else {
            return match COMMANDS.iter().find(|command| **command == arg.as_str()) {
                Some(&"h") => "help",
                Some(&"version") => "edit",
                Some(command) => command,
                None if legacy.is_empty() => "edit",
                None => legacy,
            };
        }
    }
    if legacy.is_empty() { "none" } else { legacy }
}

/// A word of a key type that is not built yet, in a configuration or a file of the scenario.
fn key_type_in_files(setup: &Value) -> Option<&'static str> {
    const WORDS: [&str; 3] = ["kms:", "gcp_kms:", "hckms:"];
    let files = setup.as_object().into_iter().flatten();
    files
        .filter_map(|(_, made)| made.as_str().or_else(|| made["text"].as_str()))
        .find_map(|text| WORDS.into_iter().find(|word| names_a_key(text, word)))
}

/// Whether there is more behind the word than an empty list.
fn names_a_key(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[at + word.len()..].starts_with(" []"))
}
