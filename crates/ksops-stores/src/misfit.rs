//! Why the layout of a text cannot be kept.

use ksops_yaml::span::Position;

/// The layout cannot be kept. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{construct}", named(*.line))]
pub struct Misfit {
    /// The line, from 1; 0 if the place is not known.
    pub line: u32,
    /// What the layout cannot be kept for.
    pub construct: String,
}

fn named(line: u32) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}

impl Misfit {
    /// At a place of a text.
    pub(crate) fn at(text: &str, at: usize, construct: impl Into<String>) -> Self {
        // The text has less than 4 GiB.
        Self { line: Position::of(text, at as u32).line, construct: construct.into() }
    }

    /// For the reason that an error tells.
    #[must_use]
    pub fn of(error: &impl std::fmt::Display) -> Self {
        Self::somewhere(error.to_string())
    }

    /// At a place that is not known.
    pub(crate) fn somewhere(construct: impl Into<String>) -> Self {
        Self { line: 0, construct: construct.into() }
    }
}
