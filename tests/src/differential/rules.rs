//! Random selection rules.

use ksops_core::tree::selection::RuleTexts;

use super::dice::Dice;

/// One of the six rules.
#[derive(Debug, Clone)]
pub struct RuleChoice {
    /// Its name in the metadata.
    pub name: &'static str,
    /// Its suffix or regular expression; never empty.
    pub parameter: String,
}

const NAMES: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

#[rustfmt::skip]
const SUFFIXES: &[&str] = &["_unencrypted", "_enc", "a", "b", "ta", "é", "é日", ":", "y", "xyz", "Data"];

#[rustfmt::skip]
const PATTERNS: &[&str] = &[
    "^(data|stringData)$", "a", "^a$", "b$", "^[a-m]", "(?i)DATA", ".", "^$", "x:y", "[[:alpha:]]", "\\.", "é", "\\x{e9}", "^nothing$",
    "^k|l$", "(?s)^.*$", "a.b", "[^a]", "\\bdata\\b", "(", "a{2", "[z-a]", "*",
];

#[rustfmt::skip]
const COMMENT_PATTERNS: &[&str] =
    &["sops:enc", "plain", "^ c", "c1", "^ c[0-4]", "^ sops:", "ENC", "^$", "x", ".", "c\\d*[02468]$", "nothing", "^#", "^ c[0-4]", " ", "("];

impl RuleChoice {
    /// The rule that files have without one.
    #[must_use]
    pub fn default_suffix() -> Self {
        Self { name: NAMES[0], parameter: "_unencrypted".to_owned() }
    }

    /// The rule that `NAME=PARAMETER` says.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let (name, parameter) = text.split_once('=')?;
        let name = NAMES.into_iter().find(|known| *known == name)?;
        Some(Self { name, parameter: parameter.to_owned() })
    }

    /// Chooses a rule; the default one often.
    pub fn random(dice: &mut Dice) -> Self {
        if dice.chance(35) {
            return Self::default_suffix();
        }
        let name = dice.text(&NAMES);
        let parameters = match name {
            "unencrypted_suffix" | "encrypted_suffix" => SUFFIXES,
            "unencrypted_regex" | "encrypted_regex" => PATTERNS,
            _ => COMMENT_PATTERNS,
        };
        Self { name, parameter: dice.text(parameters).to_owned() }
    }

    /// As the core takes it.
    #[must_use]
    pub fn texts(&self) -> RuleTexts {
        let mut texts = RuleTexts::default();
        let place = match self.name {
            "unencrypted_suffix" => &mut texts.unencrypted_suffix,
            "encrypted_suffix" => &mut texts.encrypted_suffix,
            "unencrypted_regex" => &mut texts.unencrypted_regex,
            "encrypted_regex" => &mut texts.encrypted_regex,
            "unencrypted_comment_regex" => &mut texts.unencrypted_comment_regex,
            _ => &mut texts.encrypted_comment_regex,
        };
        place.clone_from(&self.parameter);
        texts
    }

    /// Whether comments decide.
    #[must_use]
    pub fn goes_by_comments(&self) -> bool {
        self.name.ends_with("_comment_regex")
    }
}
