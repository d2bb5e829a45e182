//! Compares what a scenario's command did with what was expected.
//!
//! Apart from running it, so that the meaning of each field of the file stands in one place.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::failures::excerpt;
use crate::sandbox::Sandbox;
use crate::scenario::model::texts;
use crate::scenario::run::{Ran, base};

/// The files below the work folder with their bytes; a folder has none.
#[must_use]
pub fn snapshot(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    sandbox
        .files()
        .into_iter()
        .map(|name| (name.clone(), fs::read(sandbox.path(&name)).unwrap_or_default()))
        .collect()
}

/// Everything that is not as expected.
#[must_use]
pub fn check(ran: &Ran<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = &ran.expected;
    let status = expected["status"].as_i64().unwrap_or(-1);
    if i64::from(ran.outcome.status) != status {
        wrong.push(format!("status {} instead of {status}", ran.outcome.status));
    }
    stream("stdout", expected, &ran.outcome.stdout, &mut wrong);
    if expected["crash"] != true {
        stream("stderr", expected, &ran.outcome.stderr, &mut wrong);
    }
    files(ran, &mut wrong);
    wrong
}

/// `NAME_is`, `NAME_contains`, `NAME_lacks`, `NAME_any`; empty when none of them is there.
fn stream(name: &str, expected: &Value, bytes: &[u8], wrong: &mut Vec<String>) {
    let field = |suffix: &str| &expected[format!("{name}_{suffix}")];
    let text = String::from_utf8_lossy(bytes);
    if let Some(whole) = field("is").as_str()
        && text != whole
    {
        wrong.push(format!("{name} is not {}", excerpt(whole.as_bytes())));
    }
    for part in texts(field("contains")).into_iter().filter(|part| !text.contains(part.as_str())) {
        wrong.push(format!("{name} lacks {part:?}"));
    }
    for part in texts(field("lacks")).into_iter().filter(|part| text.contains(part.as_str())) {
        wrong.push(format!("{name} contains {part:?}"));
    }
    let named = ["is", "contains", "lacks", "any"].iter().any(|suffix| !field(suffix).is_null());
    if !named && !bytes.is_empty() {
        wrong.push(format!("{name} is not empty"));
    }
}

fn files(ran: &Ran<'_>, wrong: &mut Vec<String>) {
    let named = &ran.expected["files_after"];
    let after = snapshot(ran.sandbox);
    for (name, bytes) in &after {
        if !named[name].is_null() {
            continue;
        }
        match ran.before.get(name) {
            None => wrong.push(format!("{name} has appeared")),
            Some(before) if before != bytes => wrong.push(format!("{name} has changed")),
            Some(_) => {}
        }
    }
    for name in ran.before.keys().filter(|name| named[*name].is_null() && !after.contains_key(*name)) {
        wrong.push(format!("{name} is gone"));
    }
    for (name, expected) in named.as_object().into_iter().flatten() {
        if expected["absent"] == true {
            if after.contains_key(name) {
                wrong.push(format!("{name} is there"));
            }
            continue;
        }
        let Some(bytes) = after.get(name) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        file(ran, name, expected, bytes, wrong);
    }
}

fn file(ran: &Ran<'_>, name: &str, expected: &Value, bytes: &[u8], wrong: &mut Vec<String>) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(whole) = expected["equals"].as_str()
        && text != whole
    {
        wrong.push(format!("{name} holds {}", excerpt(bytes)));
    }
    for part in texts(&expected["contains"]).into_iter().filter(|part| !text.contains(part.as_str())) {
        wrong.push(format!("{name} lacks {part:?}"));
    }
    for part in texts(&expected["not_contains"]).into_iter().filter(|part| text.contains(part.as_str())) {
        wrong.push(format!("{name} contains {part:?}"));
    }
    for (part, count) in expected["count"].as_object().into_iter().flatten() {
        let found = text.matches(part.as_str()).count() as u64;
        if Some(found) != count.as_u64() {
            wrong.push(format!("{name} contains {part:?} {found} times"));
        }
    }
    let same = ran.before.get(name).map(Vec::as_slice) == Some(bytes);
    if expected["unchanged"] == true && !same {
        wrong.push(format!("{name} has changed"));
    }
    if expected["changed"] == true && same {
        wrong.push(format!("{name} has not changed"));
    }
    let path = ran.sandbox.path(name);
    if let Some(mode) = expected["mode"].as_str() {
        let found = fs::metadata(&path).map(|data| data.permissions().mode() & 0o7777).unwrap_or_default();
        if u32::from_str_radix(mode, 8) != Ok(found) {
            wrong.push(format!("{name} has mode {found:04o}"));
        }
    }
    if expected["symlink"] == true && !path.is_symlink() {
        wrong.push(format!("{name} is no symbolic link any more"));
    }
    if let Some(plain) = expected["decrypts_to"].as_str() {
        let call =
            base(ran.program, ran.sandbox, &expected["env"]).args(["--config", "/dev/null", "decrypt", name]);
        let outcome = call.run();
        if outcome.status != 0 || outcome.stdout != plain.as_bytes() {
            wrong.push(format!("{name} decrypts with {}", outcome.report()));
        }
    }
}
