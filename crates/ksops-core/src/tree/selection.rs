//! Which leaves of a document are encrypted (file-format.md sections 3.1 to 3.3).

use crate::pattern::{Pattern, PatternError};

/// The suffix that leaves a key's value plain when a file has no rule.
pub const DEFAULT_UNENCRYPTED_SUFFIX: &str = "_unencrypted";

/// The six rules as texts, as configurations and metadata hold them; an empty text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleTexts {
    /// Keys with this ending are left plain.
    pub unencrypted_suffix: String,
    /// Only keys with this ending are encrypted.
    pub encrypted_suffix: String,
    /// Keys that match are left plain.
    pub unencrypted_regex: String,
    /// Only keys that match are encrypted.
    pub encrypted_regex: String,
    /// What stands behind a matching comment is left plain.
    pub unencrypted_comment_regex: String,
    /// Only what stands behind a matching comment is encrypted.
    pub encrypted_comment_regex: String,
}

/// One of the six rules.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Rule {
    /// Keys with this ending are left plain.
    UnencryptedSuffix(String),
    /// Only keys with this ending are encrypted.
    EncryptedSuffix(String),
    /// Keys that match are left plain.
    UnencryptedRegex(Matcher),
    /// Only keys that match are encrypted.
    EncryptedRegex(Matcher),
    /// What stands behind a matching comment is left plain.
    UnencryptedCommentRegex(Matcher),
    /// Only what stands behind a matching comment is encrypted.
    EncryptedCommentRegex(Matcher),
}

/// A pattern, or the text of one that cannot be compiled and never matches.
#[derive(Debug, Clone)]
pub struct Matcher {
    source: String,
    pattern: Option<Pattern>,
}

impl Matcher {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    fn matches(&self, text: &[u8]) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }
}

/// The rule of a file, ready for use.
#[derive(Debug, Clone)]
pub struct Selection {
    rule: Rule,
}

/// The texts are not one rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// More than one rule. Where ("in the same file", "for the same rule") is said by the caller.
    #[error(
        "more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, \
         encrypted_comment_regex, or unencrypted_comment_regex"
    )]
    Several,
    /// The regular expression is invalid.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Default for Selection {
    fn default() -> Self {
        Self { rule: Rule::UnencryptedSuffix(DEFAULT_UNENCRYPTED_SUFFIX.to_owned()) }
    }
}

impl RuleTexts {
    /// How many rules there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all().into_iter().filter(|text| !text.is_empty()).count()
    }

    fn all(&self) -> [&str; 6] {
        [
            &self.unencrypted_suffix,
            &self.encrypted_suffix,
            &self.unencrypted_regex,
            &self.encrypted_regex,
            &self.unencrypted_comment_regex,
            &self.encrypted_comment_regex,
        ]
    }

    /// Fills in the default suffix if there is no rule.
    pub fn fill_in_default(&mut self) {
        if self.count() == 0 {
            DEFAULT_UNENCRYPTED_SUFFIX.clone_into(&mut self.unencrypted_suffix);
        }
    }
}

impl Selection {
    /// Reads the rule of a file that is about to be written.
    ///
    /// # Errors
    /// [`SelectionError`] if there are several rules, or if a pattern is invalid: upstream would encrypt nothing then.
    pub fn for_encrypting(texts: &RuleTexts) -> Result<Self, SelectionError> {
        let (selection, problem) = Self::read(texts)?;
        problem.map_or(Ok(selection), |problem| Err(problem.into()))
    }

    /// Reads the rule of an encrypted file. An invalid pattern never matches, as upstream has it; it is handed out
    /// for a warning.
    ///
    /// # Errors
    /// [`SelectionError::Several`] if there are several rules.
    pub fn for_decrypting(texts: &RuleTexts) -> Result<(Self, Option<PatternError>), SelectionError> {
        Self::read(texts)
    }

    fn read(texts: &RuleTexts) -> Result<(Self, Option<PatternError>), SelectionError> {
        if texts.count() > 1 {
            return Err(SelectionError::Several);
        }
        let mut problem = None;
        let mut matcher = |source: &String| {
            let pattern = Pattern::new(source).map_err(|error| problem = Some(error)).ok();
            Matcher { source: source.clone(), pattern }
        };
        let rule = match texts.all().iter().position(|text| !text.is_empty()) {
            None => return Ok((Self::default(), None)),
            Some(0) => Rule::UnencryptedSuffix(texts.unencrypted_suffix.clone()),
            Some(1) => Rule::EncryptedSuffix(texts.encrypted_suffix.clone()),
            Some(2) => Rule::UnencryptedRegex(matcher(&texts.unencrypted_regex)),
            Some(3) => Rule::EncryptedRegex(matcher(&texts.encrypted_regex)),
            Some(4) => Rule::UnencryptedCommentRegex(matcher(&texts.unencrypted_comment_regex)),
            Some(_) => Rule::EncryptedCommentRegex(matcher(&texts.encrypted_comment_regex)),
        };
        Ok((Self { rule }, problem))
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The rule as texts, for metadata.
    #[must_use]
    pub fn to_texts(&self) -> RuleTexts {
        let mut texts = RuleTexts::default();
        let (place, text) = match &self.rule {
            Rule::UnencryptedSuffix(suffix) => (&mut texts.unencrypted_suffix, suffix),
            Rule::EncryptedSuffix(suffix) => (&mut texts.encrypted_suffix, suffix),
            Rule::UnencryptedRegex(matcher) => (&mut texts.unencrypted_regex, &matcher.source),
            Rule::EncryptedRegex(matcher) => (&mut texts.encrypted_regex, &matcher.source),
            Rule::UnencryptedCommentRegex(matcher) => (&mut texts.unencrypted_comment_regex, &matcher.source),
            Rule::EncryptedCommentRegex(matcher) => (&mut texts.encrypted_comment_regex, &matcher.source),
        };
        place.clone_from(text);
        texts
    }

    /// Whether comments, not keys, decide.
    #[must_use]
    pub fn goes_by_comments(&self) -> bool {
        matches!(self.rule, Rule::UnencryptedCommentRegex(_) | Rule::EncryptedCommentRegex(_))
    }

    /// Whether this key satisfies the rule, for itself and everything below.
    #[must_use]
    pub fn key_hits(&self, key: &[u8]) -> bool {
        match &self.rule {
            Rule::UnencryptedSuffix(suffix) | Rule::EncryptedSuffix(suffix) => {
                key.ends_with(suffix.as_bytes())
            }
            Rule::UnencryptedRegex(matcher) | Rule::EncryptedRegex(matcher) => matcher.matches(key),
            Rule::UnencryptedCommentRegex(_) | Rule::EncryptedCommentRegex(_) => false,
        }
    }

    /// Whether this comment satisfies the rule, for what stands behind it.
    #[must_use]
    pub fn comment_hits(&self, text: &[u8]) -> bool {
        match &self.rule {
            Rule::UnencryptedCommentRegex(matcher) | Rule::EncryptedCommentRegex(matcher) => {
                matcher.matches(text)
            }
            _ => false,
        }
    }

    /// Whether a leaf is encrypted, given whether a key on its way or an active comment satisfies the rule.
    #[must_use]
    pub fn encrypts(&self, hit: bool) -> bool {
        match self.rule {
            Rule::UnencryptedSuffix(_) | Rule::UnencryptedRegex(_) | Rule::UnencryptedCommentRegex(_) => !hit,
            Rule::EncryptedSuffix(_) | Rule::EncryptedRegex(_) | Rule::EncryptedCommentRegex(_) => hit,
        }
    }

    /// Whether a comment that satisfies the rule counts for itself: not under `encrypted_comment_regex`.
    #[must_use]
    pub fn comment_counts_for_itself(&self) -> bool {
        !matches!(self.rule, Rule::EncryptedCommentRegex(_))
    }
}

#[cfg(test)]
mod tests {
    use super::{RuleTexts, Selection, SelectionError};

    #[test]
    fn no_rule_is_the_default_suffix() {
        let selection = Selection::for_encrypting(&RuleTexts::default()).expect("a rule");
        assert_eq!(selection.to_texts().unencrypted_suffix, "_unencrypted");
        assert!(selection.key_hits(b"a_unencrypted") && !selection.key_hits(b"a"));
        assert!(!selection.encrypts(true) && selection.encrypts(false));
    }

    #[test]
    fn two_rules_are_refused() {
        let texts =
            RuleTexts { encrypted_regex: "a".into(), encrypted_suffix: "b".into(), ..RuleTexts::default() };
        assert_eq!(Selection::for_encrypting(&texts).err(), Some(SelectionError::Several));
        assert_eq!(Selection::for_decrypting(&texts).err(), Some(SelectionError::Several));
    }

    #[test]
    fn an_invalid_pattern_is_refused_on_writing_and_never_matches_on_reading() {
        let texts = RuleTexts { encrypted_regex: "(".into(), ..RuleTexts::default() };
        assert!(matches!(Selection::for_encrypting(&texts), Err(SelectionError::Pattern(_))));
        let (selection, problem) = Selection::for_decrypting(&texts).expect("readable");
        assert!(problem.is_some());
        assert!(!selection.key_hits(b"(") && !selection.encrypts(selection.key_hits(b"a")));
        assert_eq!(selection.to_texts(), texts);
    }

    #[test]
    fn patterns_search_anywhere_in_the_bytes_of_a_key() {
        let texts = RuleTexts { encrypted_regex: "^(data|stringData)$".into(), ..RuleTexts::default() };
        let selection = Selection::for_encrypting(&texts).expect("a rule");
        assert!(selection.key_hits(b"data") && !selection.key_hits(b"metadata"));
    }
}
