//! What a key service finds when it looks at how it would get at a key: plain data, to be shown by whoever asked.

use std::fmt;

use crate::keys::key_service::KeyServiceError;
use crate::secret::SecretBytes;

/// How far a credential, or a step on the way to the key, gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It is in order.
    Good,
    /// It is the one that is used.
    Used,
    /// It is there, and is not the one for this key.
    NoMatch,
    /// It is not there, or not set up.
    Absent,
    /// It is there and does not work.
    Failed,
    /// It was not needed, or its turn did not come.
    Untried,
    /// This version cannot use it.
    Unsupported,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Used => "used",
            Self::NoMatch => "no match",
            Self::Absent => "absent",
            Self::Failed => "failed",
            Self::Untried => "not tried",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that was looked at. No field holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is: a variable, a credential, a step.
    pub name: String,
    /// Where it comes from or points to; may be empty.
    pub source: String,
    /// How far it gets.
    pub state: State,
    /// Why, and what else there is to know.
    pub reason: String,
}

impl Finding {
    /// A finding.
    pub fn new(
        name: impl Into<String>,
        source: impl Into<String>,
        state: State,
        reason: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), source: source.into(), state, reason: reason.into() }
    }
}

/// What was found about one key.
#[derive(Debug)]
pub struct Diagnosis {
    /// What was looked at, in the order of use.
    pub findings: Vec<Finding>,
    /// What decrypting gave; `None` if there was nothing to decrypt.
    pub result: Result<Option<SecretBytes>, KeyServiceError>,
}
