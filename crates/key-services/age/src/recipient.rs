//! Recipients: their kinds and the reading of a comma-separated text (key-services.md section 3.1).
//!
//! Whether the program of a plugin is there is only seen when something is encrypted to it.

use age::x25519;
use ksops_core::keys::master_key::AgeKey;

use crate::bech32::{self, Bech32Error};
use crate::hybrid::HybridRecipient;
use crate::plugin;
use crate::ssh::public_key::{SshKey, SshPublicKey};
use crate::ssh::recipient::montgomery;

/// The kind of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecipientKind {
    /// `age1…`: X25519.
    X25519,
    /// `age1pq1…`: hybrid post-quantum, MLKEM768-X25519.
    Hybrid,
    /// `age1NAME1…`: a plugin.
    Plugin,
    /// `ssh-ed25519 …` or `ssh-rsa …`.
    Ssh,
}

impl RecipientKind {
    /// What messages call this kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::Hybrid => "hybrid post-quantum (age1pq1…)",
            Self::Plugin => "plugin (age1NAME1…)",
            Self::Ssh => "ssh",
        }
    }
}

/// Why a text is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// The text begins like no kind of recipient; an empty item ends here, too.
    #[error("failed to parse input, unknown recipient type: {0:?}")]
    UnknownKind(String),
    /// An X25519 or hybrid recipient that is not in order.
    #[error(
        "failed to parse input as Bech32-encoded age public key: malformed recipient {recipient:?}: {reason}"
    )]
    Native {
        /// The text.
        recipient: String,
        /// What is wrong.
        reason: String,
    },
    /// A plugin recipient that is not in order; two recipients without a comma between them end here.
    #[error("failed to parse input as age key from age plugin: {0}")]
    Plugin(String),
    /// An ssh public key that is not in order.
    #[error("failed to parse input as age-ssh public key: malformed SSH recipient: {recipient:?}: {reason}")]
    Ssh {
        /// The text.
        recipient: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Reads a comma-separated text of recipients, blanks and line breaks around each dropped. An empty text has none.
///
/// # Errors
/// [`RecipientError`] for the first item that is no recipient; an empty item beside others is none.
pub fn parse_recipients(text: &str) -> Result<Vec<AgeKey>, RecipientError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|item| {
            let recipient = item.trim();
            check(recipient)?;
            Ok(AgeKey { recipient: recipient.to_owned() })
        })
        .collect()
}

/// Tells the kind of a recipient by its beginning, case-sensitively.
#[must_use]
pub fn kind_of(recipient: &str) -> Option<RecipientKind> {
    if recipient.starts_with("age1pq1") {
        Some(RecipientKind::Hybrid)
    } else if let Some(rest) = recipient.strip_prefix("age1") {
        Some(if rest.contains('1') { RecipientKind::Plugin } else { RecipientKind::X25519 })
    } else if recipient.starts_with("ssh-") {
        Some(RecipientKind::Ssh)
    } else {
        None
    }
}

/// Checks a recipient as far as it can be checked without asking a plugin, and tells its kind.
fn check(recipient: &str) -> Result<RecipientKind, RecipientError> {
    let kind = kind_of(recipient).ok_or_else(|| RecipientError::UnknownKind(recipient.to_owned()))?;
    match kind {
        RecipientKind::X25519 => {
            parse_x25519(recipient)?;
        }
        RecipientKind::Hybrid => {
            parse_hybrid(recipient)?;
        }
        RecipientKind::Plugin => {
            plugin::name_of_recipient(recipient).map_err(RecipientError::Plugin)?;
        }
        RecipientKind::Ssh => {
            parse_ssh(recipient)?;
        }
    }
    Ok(kind)
}

/// Reads an X25519 recipient.
///
/// # Errors
/// [`RecipientError::Native`] if it is none.
pub(crate) fn parse_x25519(recipient: &str) -> Result<x25519::Recipient, RecipientError> {
    check_native(recipient, "age", 32)?;
    recipient.parse().map_err(|reason: &'static str| native_error(recipient, reason))
}

/// Reads a hybrid recipient.
///
/// # Errors
/// [`RecipientError::Native`] if it is none.
pub(crate) fn parse_hybrid(recipient: &str) -> Result<HybridRecipient, RecipientError> {
    HybridRecipient::parse(recipient).map_err(|reason| native_error(recipient, reason))
}

/// Reads an ssh public key.
///
/// # Errors
/// [`RecipientError::Ssh`] if it is none.
pub(crate) fn parse_ssh(recipient: &str) -> Result<SshPublicKey, RecipientError> {
    let fail = |reason| RecipientError::Ssh { recipient: recipient.to_owned(), reason };
    let key = SshPublicKey::parse(recipient).map_err(fail)?;
    match &key.key {
        SshKey::Ed25519(point) if montgomery(point).is_none() => Err(fail("invalid Ed25519 public key")),
        _ => Ok(key),
    }
}

fn check_native(recipient: &str, prefix: &str, length: usize) -> Result<(), RecipientError> {
    let (found, bytes) =
        bech32::decode(recipient).map_err(|error: Bech32Error| native_error(recipient, error.to_string()))?;
    if found != prefix {
        return Err(native_error(recipient, format!("invalid type {found:?}")));
    }
    if bytes.len() != length {
        return Err(native_error(recipient, "invalid length"));
    }
    Ok(())
}

fn native_error(recipient: &str, reason: impl Into<String>) -> RecipientError {
    RecipientError::Native { recipient: recipient.to_owned(), reason: reason.into() }
}

/// A recipient without the comment that an ssh key may have.
pub(crate) fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().take(2).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::parse_recipients;

    const ONE: &str = "age1ycafsea3wy4fdxaku2yjvxpmp5k6ypp5d084p47w5g446f5pl5wqkjwq6d";
    const TWO: &str = "age1t3drt553e46axv7x5vsqyyz9trm2g3v9yg9wkj70wjytaahatdzqpxyl27";
    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN me@host";

    fn refused(text: &str) -> String {
        parse_recipients(text).expect_err("must be refused").to_string()
    }

    #[test]
    fn splits_at_commas_and_trims() {
        let keys = parse_recipients(&format!(" {ONE}\n,\t{TWO} ")).expect("valid");
        let texts: Vec<_> = keys.iter().map(|key| key.recipient.as_str()).collect();
        assert_eq!(texts, [ONE, TWO]);
        assert_eq!(parse_recipients("").expect("valid"), []);
    }

    #[test]
    fn an_ssh_recipient_keeps_its_comment() {
        assert_eq!(parse_recipients(SSH).expect("valid")[0].recipient, SSH);
    }

    // The expected texts were printed by sops 3.13.3.
    #[test]
    fn refuses_with_the_words_of_upstream() {
        let unknown = "failed to parse input, unknown recipient type: ";
        assert_eq!(refused(&format!("{ONE},")), format!("{unknown}\"\""));
        assert_eq!(refused("AGE1X"), format!("{unknown}\"AGE1X\""));
        assert_eq!(
            refused("age1b"),
            "failed to parse input as Bech32-encoded age public key: malformed recipient \"age1b\": separator \
             '1' at invalid position: pos=3, len=5"
        );
        assert_eq!(
            refused("age1pq1xx"),
            "failed to parse input as Bech32-encoded age public key: malformed recipient \"age1pq1xx\": \
             separator '1' at invalid position: pos=6, len=9"
        );
        assert_eq!(
            refused(&format!("{ONE}{TWO}")),
            "failed to parse input as age key from age plugin: invalid recipient encoding: invalid checksum"
        );
        assert_eq!(
            refused("ssh-ed25519"),
            "failed to parse input as age-ssh public key: malformed SSH recipient: \"ssh-ed25519\": ssh: no key \
             found"
        );
    }

    #[test]
    fn refuses_ssh_keys_of_other_types() {
        assert!(refused("ssh-dss AAAAB3NzaC1kc3M=").contains("ssh-rsa are known"));
        assert!(refused(&SSH.replace("ed25519 ", "rsa ")).contains("another type"));
    }
}
