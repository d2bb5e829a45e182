//! The reading of key texts (key-services.md section 3.4): which lines are identities, and of what kind.

use age::x25519;

/// The identities of one key text.
#[derive(Default)]
pub struct ParsedIdentities {
    /// The X25519 identities, in order.
    pub x25519: Vec<x25519::Identity>,
    /// The kinds that were recognised and cannot be used yet, each once.
    pub unsupported: Vec<&'static str>,
}

impl std::fmt::Debug for ParsedIdentities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParsedIdentities({} identities)", self.x25519.len())
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
    /// The text is an age file under a passphrase.
    #[error("it is protected by a passphrase, which this version cannot open yet")]
    Protected,
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
    if text.starts_with(b"age-encryption") || text.starts_with(b"-----BEGIN AGE") {
        return Err(IdentityError::Protected);
    }
    let mut parsed = ParsedIdentities::default();
    for bytes in text.split(|byte| *byte == b'\n') {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.is_empty() || bytes.starts_with(b"#") {
            continue;
        }
        let content = std::str::from_utf8(bytes).map_err(|_| IdentityError::UnknownKind)?;
        match line {
            Line::OneIdentity => parse_one(content, &mut parsed)?,
            Line::Words => {
                for word in content.split_whitespace() {
                    parse_one(word, &mut parsed)?;
                }
            }
        }
    }
    Ok(parsed)
}

fn parse_one(text: &str, parsed: &mut ParsedIdentities) -> Result<(), IdentityError> {
    if text.starts_with("AGE-PLUGIN-") {
        note(parsed, "plugin");
    } else if text.starts_with("AGE-SECRET-KEY-PQ-1") {
        note(parsed, "hybrid post-quantum");
    } else if text.starts_with("AGE-SECRET-KEY-1") {
        parsed.x25519.push(text.parse().map_err(IdentityError::Malformed)?);
    } else {
        return Err(IdentityError::UnknownKind);
    }
    Ok(())
}

fn note(parsed: &mut ParsedIdentities, kind: &'static str) {
    if !parsed.unsupported.contains(&kind) {
        parsed.unsupported.push(kind);
    }
}

#[cfg(test)]
mod tests {
    use super::{IdentityError, Line, parse_identities};

    // Throwaway keys, made for this test.
    const ONE: &str = "AGE-SECRET-KEY-16R5H85L6Z63YWG0SF59Y4C8KZE9XZP06S3YUM5CTXQR9M7J7F8VQ7MCEC9";

    fn count(text: &str, line: Line) -> Result<usize, IdentityError> {
        parse_identities(text.as_bytes(), line).map(|parsed| parsed.x25519.len())
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
    fn kinds_to_come_are_noted_and_the_others_kept() {
        let text = format!("AGE-PLUGIN-X-1AAA\n{ONE}\nAGE-SECRET-KEY-PQ-1AAA\nAGE-PLUGIN-Y-1AAA\n");
        let parsed = parse_identities(text.as_bytes(), Line::OneIdentity).expect("valid");
        assert_eq!(parsed.x25519.len(), 1);
        assert_eq!(parsed.unsupported, ["plugin", "hybrid post-quantum"]);
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
