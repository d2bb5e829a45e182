//! The inputs: the quickstart Secret, and many Secrets in one file.
//!
//! Made up anew in each run, the same each time, so that no large file lies in the repository.

use std::fmt::Write;

/// The rule that every program encrypts by.
pub(crate) const RULE: &str = "^(data|stringData)$";

/// One Secret as Kubernetes has it, about 500 bytes.
struct Secret {
    name: String,
    values: [(&'static str, String); 4],
}

/// The Secret of the first user's guide.
pub(crate) const QUICKSTART: &str = include_str!("../../fixtures/quickstart/secret.yaml");

/// `count` Secrets as the items of one `List`: one document, since rops knows no more.
pub(crate) fn list(count: usize) -> String {
    let mut text = String::from("apiVersion: v1\nkind: List\nitems:\n");
    for secret in secrets(count) {
        let _ = write!(
            text,
            "    - apiVersion: v1\n      kind: Secret\n      metadata:\n        name: {}\n        namespace: bench\n      \
             type: Opaque\n      stringData:\n",
            secret.name
        );
        for (key, value) in &secret.values {
            let _ = writeln!(text, "        {key}: {value}");
        }
    }
    text
}

/// `count` Secrets as documents of one file, as people keep them.
pub(crate) fn documents(count: usize) -> String {
    let mut text = String::new();
    for (index, secret) in secrets(count).enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        let _ = write!(
            text,
            "apiVersion: v1\nkind: Secret\nmetadata:\n    name: {}\n    namespace: bench\ntype: Opaque\nstringData:\n",
            secret.name
        );
        for (key, value) in &secret.values {
            let _ = writeln!(text, "    {key}: {value}");
        }
    }
    text
}

/// A JSON object with `count` keys, and its values.
pub(crate) fn json(count: usize) -> (Vec<u8>, Vec<String>) {
    let values: Vec<String> = (0..count).map(made_up).collect();
    let mut text = String::from("{\n");
    for (index, value) in values.iter().enumerate() {
        let comma = if index + 1 < count { "," } else { "" };
        let _ = writeln!(text, "\t\"key_{index:06}\": \"{value}\"{comma}");
    }
    text.push_str("}\n");
    (text.into_bytes(), values)
}

/// `count` lines, and their values.
pub(crate) fn dotenv(count: usize) -> (Vec<u8>, Vec<String>) {
    let values: Vec<String> = (0..count).map(made_up).collect();
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        let _ = writeln!(text, "KEY_{index:06}={value}");
    }
    (text.into_bytes(), values)
}

/// `count` keys in sections of 100, and their values.
pub(crate) fn ini(count: usize) -> (Vec<u8>, Vec<String>) {
    let values: Vec<String> = (0..count).map(made_up).collect();
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if index.is_multiple_of(100) {
            let _ = writeln!(text, "[section_{}]", index / 100);
        }
        let _ = writeln!(text, "key_{index:06} = {value}");
    }
    (text.into_bytes(), values)
}

/// `count` bytes that are no text.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

fn made_up(index: usize) -> String {
    format!("value-{:016x}", (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The values of `count` Secrets that are encrypted.
pub(crate) fn values(count: usize) -> Vec<String> {
    secrets(count).flat_map(|secret| secret.values.map(|(_, value)| value)).collect()
}

fn secrets(count: usize) -> impl Iterator<Item = Secret> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    // Letters only: a text that looks like a number would be another type.
    let mut word = move |length: usize| -> String {
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                char::from(b'a' + u8::try_from(state % 26).unwrap_or_default())
            })
            .collect()
    };
    (0..count).map(move |index| Secret {
        name: format!("secret-number-{index}"),
        values: [
            ("username", word(10)),
            ("password", word(32)),
            ("token", word(160)),
            ("connection", word(80)),
        ],
    })
}
