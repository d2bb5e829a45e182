//! Regular expressions in Go's dialect (cli-and-config.md section 5.6).
//!
//! Patterns of configurations and of file metadata decide which values are encrypted, so the same text must mean the
//! same here as upstream. No pattern reaches the `regex` crate as written: `translate.rs` reads it as Go does and emits
//! an equivalent one. Text that is not UTF-8 is read as Go reads it, each stray byte as U+FFFD.

use std::borrow::Cow;

use regex::RegexBuilder;

mod count;
mod cursor;
mod escape;
mod group;
mod property;
mod set;
mod translate;

/// The longest pattern that is accepted, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// The most memory that a compiled pattern may take (security.md S15).
const MAX_COMPILED: usize = 32 << 20;

/// The nesting that the emitted pattern may have; four levels for each of [`translate::MAX_DEPTH`], and some.
const NEST_LIMIT: u32 = 4 * translate::MAX_DEPTH + 50;

/// A compiled regular expression that means what Go's `regexp` makes of the same text.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: regex::Regex,
    /// Whether the pattern holds a `\B`, see [`Pattern::is_match`].
    has_non_boundary: bool,
}

/// The pattern is not one that Go accepts, or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid regular expression `{pattern}`: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it: Go's words, the construct, where it stands and what to write instead.
    pub reason: String,
}

impl Pattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// [`PatternError`] if Go refuses the pattern, too, or if it is longer, deeper or larger than the limits here.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let refuse = |reason: String| PatternError { pattern: pattern.to_owned(), reason };
        if pattern.len() > MAX_LENGTH {
            let mut end = 60;
            while !pattern.is_char_boundary(end) {
                end -= 1;
            }
            return Err(PatternError {
                pattern: format!("{}…", &pattern[..end]),
                reason: format!("expression too large: {} bytes, the limit is {MAX_LENGTH}", pattern.len()),
            });
        }
        let translated = translate::translate(pattern).map_err(|refusal| refuse(refusal.reason(pattern)))?;
        let regex =
            RegexBuilder::new(&translated).size_limit(MAX_COMPILED).nest_limit(NEST_LIMIT).build().map_err(
                |error| match error {
                    regex::Error::CompiledTooBig(_) => {
                        refuse("expression too large; write smaller repeat counts".to_owned())
                    }
                    other => refuse(format!("cannot be compiled: {other}")),
                },
            )?;
        let has_non_boundary = translated.contains(r"\B");
        Ok(Self { source: pattern.to_owned(), regex, has_non_boundary })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the pattern matches anywhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        let text = as_runes(text);
        if self.has_non_boundary {
            // `Regex::is_match` stops at the earliest end of a match. With an ASCII `\B` that can be between the bytes
            // of one character; it is thrown away, and with it a longer match that began before.
            self.regex.find(&text).is_some()
        } else {
            self.regex.is_match(&text)
        }
    }
}

/// Reads `text` as Go does: every byte that belongs to no character is U+FFFD.
fn as_runes(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut runes = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        runes.push_str(chunk.valid());
        runes.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(runes)
}

#[cfg(test)]
mod tests;
