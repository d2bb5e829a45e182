//! Regular expressions in Go's dialect (cli-and-config.md section 5.6).

/// A compiled regular expression that means what Go's `regexp` makes of the same text.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: regex::bytes::Regex,
}

/// The pattern is not one that Go accepts, or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid regular expression `{pattern}`: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Pattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// [`PatternError`] if Go refuses the pattern, too.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let regex = regex::bytes::Regex::new(pattern)
            .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })?;
        Ok(Self { source: pattern.to_owned(), regex })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the pattern matches anywhere in `text`.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}
