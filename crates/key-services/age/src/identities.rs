//! The reading of key texts (key-services.md section 3.4): which lines are identities, and of what kind.

use std::sync::Arc;

use age::{Identity, x25519};
use age_core::format::{FileKey, Stanza};
use ksops_core::keys::key_service::KeyServiceError;

use crate::hybrid::HybridIdentity;
use crate::joint::Open;
use crate::locked::is_locked;
use crate::plugin::PluginIdentity;
use crate::prompt::Prompt;

/// The identities of one key text.
#[derive(Default)]
pub struct ParsedIdentities {
    /// The identities, in order.
    pub(crate) list: Vec<Arc<dyn Open>>,
}

impl ParsedIdentities {
    /// The recipients that belong to them, where they can be told: those of plugins cannot.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.list.iter().filter_map(|identity| identity.recipient()).collect()
    }
}

impl std::fmt::Debug for ParsedIdentities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParsedIdentities({} identities)", self.list.len())
    }
}

/// Why a key text is dropped as a whole; never holds a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A line or word begins like no identity.
    #[error("unknown identity type")]
    UnknownKind,
    /// An X25519 identity that is cut off or mistyped.
    #[error("malformed secret key: {0}")]
    Malformed(&'static str),
    /// An identity of another kind that is cut off or mistyped.
    #[error("{0}")]
    NotInOrder(&'static str),
    /// The text is an age file under a passphrase.
    #[error("it is protected by a passphrase")]
    Protected,
}

/// An X25519 identity.
struct X25519Identity(x25519::Identity);

impl Open for X25519Identity {
    fn open(&self, stanzas: &[Stanza], _: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError> {
        self.0
            .unwrap_stanzas(stanzas)
            .transpose()
            .map_err(|_| KeyServiceError::new("the X25519 stanza of the age file is not in order"))
    }

    fn describe(&self) -> String {
        format!("the identity of {}", self.0.to_public())
    }

    fn recipient(&self) -> Option<String> {
        Some(self.0.to_public().to_string())
    }
}

/// How many identities a line can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The line is exactly one identity: key files and commands.
    OneIdentity,
    /// Every word is an identity: `SOPS_AGE_KEY`.
    Words,
}

/// Reads the identities of a key text. Empty lines and lines that begin with `#` are skipped.
///
/// # Errors
/// [`IdentityError`]; the whole text is dropped then, as upstream does.
pub fn parse_identities(text: &[u8], line: Line) -> Result<ParsedIdentities, IdentityError> {
    if is_locked(text) {
        return Err(IdentityError::Protected);
    }
    parse_each(text, line, |text| match text.starts_with("AGE-PLUGIN-") {
        true => Ok(Arc::new(PluginIdentity::parse(text).map_err(IdentityError::NotInOrder)?)),
        false => parse_one(text),
    })
    .map(|list| ParsedIdentities { list })
}

/// The same without plugins, as in a file under a passphrase.
///
/// # Errors
/// [`IdentityError`].
pub(crate) fn parse_native(text: &[u8], line: Line) -> Result<Vec<Arc<dyn Open>>, IdentityError> {
    parse_each(text, line, parse_one)
}

fn parse_each(
    text: &[u8],
    line: Line,
    parse: impl Fn(&str) -> Result<Arc<dyn Open>, IdentityError>,
) -> Result<Vec<Arc<dyn Open>>, IdentityError> {
    let mut list = Vec::new();
    for bytes in text.split(|byte| *byte == b'\n') {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.is_empty() || bytes.starts_with(b"#") {
            continue;
        }
        let content = std::str::from_utf8(bytes).map_err(|_| IdentityError::UnknownKind)?;
        match line {
            Line::OneIdentity => list.push(parse(content)?),
            Line::Words => {
                for word in content.split_whitespace() {
                    list.push(parse(word)?);
                }
            }
        }
    }
    Ok(list)
}

fn parse_one(text: &str) -> Result<Arc<dyn Open>, IdentityError> {
    if text.starts_with("AGE-SECRET-KEY-PQ-1") {
        Ok(Arc::new(HybridIdentity::parse(text).map_err(IdentityError::NotInOrder)?))
    } else if text.starts_with("AGE-SECRET-KEY-1") {
        Ok(Arc::new(X25519Identity(text.parse().map_err(IdentityError::Malformed)?)))
    } else {
        Err(IdentityError::UnknownKind)
    }
}

#[cfg(test)]
mod tests {
    use super::{IdentityError, Line, parse_identities, parse_native};
    use crate::bech32;

    // Throwaway keys, made for this test.
    const ONE: &str = "AGE-SECRET-KEY-16R5H85L6Z63YWG0SF59Y4C8KZE9XZP06S3YUM5CTXQR9M7J7F8VQ7MCEC9";

    fn count(text: &str, line: Line) -> Result<usize, IdentityError> {
        parse_identities(text.as_bytes(), line).map(|parsed| parsed.list.len())
    }

    #[test]
    fn skips_comments_and_empty_lines_of_both_endings() {
        let text = format!("# created: x\r\n\r\n{ONE}\r\n\n# c\n{ONE}");
        assert_eq!(count(&text, Line::OneIdentity), Ok(2));
    }

    #[test]
    fn words_share_a_line_in_the_variable_only() {
        let text = format!("  {ONE}\t{ONE} ");
        assert_eq!(count(&text, Line::Words), Ok(2));
        assert_eq!(count(&text, Line::OneIdentity), Err(IdentityError::UnknownKind));
    }

    #[test]
    fn a_comment_behind_a_key_drops_the_text() {
        assert_eq!(count(&format!("{ONE} # c"), Line::Words), Err(IdentityError::UnknownKind));
    }

    #[test]
    fn commas_blanks_and_marks_drop_the_text() {
        for text in [format!("{ONE},{ONE}"), format!("{ONE} "), format!("\u{feff}{ONE}")] {
            assert!(count(&text, Line::OneIdentity).is_err());
        }
    }

    #[test]
    fn every_kind_is_read() {
        let plugin = bech32::encode("age-plugin-x-", &[1; 4]).to_uppercase();
        let hybrid = bech32::encode("age-secret-key-pq-", &[7; 32]).to_uppercase();
        let text = format!("{plugin}\n{ONE}\n{hybrid}\n");
        let parsed = parse_identities(text.as_bytes(), Line::OneIdentity).expect("valid");
        let recipients = parsed.recipients();
        assert_eq!((parsed.list.len(), recipients.len()), (3, 2));
        assert!(recipients[1].starts_with("age1pq1") && recipients[1].len() == 1959);
        assert!(parse_native(text.as_bytes(), Line::OneIdentity).is_err(), "no plugin under a passphrase");
        for cut in [&plugin[..20], &hybrid[..40]] {
            assert!(matches!(count(cut, Line::OneIdentity), Err(IdentityError::NotInOrder(_))));
        }
    }

    #[test]
    fn protected_texts_are_recognised() {
        for text in ["age-encryption.org/v1\n-> scrypt", "-----BEGIN AGE ENCRYPTED FILE-----\n"] {
            assert_eq!(count(text, Line::OneIdentity), Err(IdentityError::Protected));
        }
    }

    #[test]
    fn errors_and_debug_show_nothing_of_the_key() {
        let cut = &ONE[..40];
        let error = count(cut, Line::OneIdentity).expect_err("cut off");
        assert!(!format!("{error:?} {error}").contains("6R5H"));
        let parsed = parse_identities(ONE.as_bytes(), Line::Words).expect("valid");
        assert_eq!(format!("{parsed:?}"), "ParsedIdentities(1 identities)");
    }
}
