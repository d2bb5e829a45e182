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
