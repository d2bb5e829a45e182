//! Why a text is not YAML that we read.

use crate::span::Position;

/// A text that go-yaml refuses, too, or that exceeds a limit of ours.
///
/// The message never holds a scalar's text, because that may be secret, nor an anchor's name; keys may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    problem: String,
    /// The line that go-yaml names; it often means the construct's beginning, and 0 is left out.
    line: u32,
    position: Position,
}

impl SyntaxError {
    pub(crate) fn new(problem: impl Into<String>, line: u32, position: Position) -> Self {
        Self { problem: problem.into(), line, position }
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Where exactly; line 0 if the place is not known.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("yaml: ")?;
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for SyntaxError {}
