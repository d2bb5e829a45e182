//! Why a text is not INI.

use ksops_yaml::span::Position;

/// A text that is not INI. No message holds a line or a value: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IniError {
    /// A header without `]`.
    #[error("Could not unmarshal input data: unclosed section{}", Place(*position))]
    UnclosedSection {
        /// Where.
        position: Position,
    },
    /// The header `[]`.
    #[error("Could not unmarshal input data: empty section name{}", Place(*position))]
    EmptySection {
        /// Where.
        position: Position,
    },
    /// A line that is no header, no comment and has neither `=` nor `:`.
    #[error("Could not unmarshal input data: key-value delimiter not found{}", Place(*position))]
    MissingDelimiter {
        /// Where.
        position: Position,
    },
    /// Nothing stands before `=` or `:`.
    #[error("Could not unmarshal input data: empty key name{}", Place(*position))]
    EmptyKey {
        /// Where.
        position: Position,
    },
    /// The quote around a key is not closed.
    #[error("Could not unmarshal input data: missing closing key quote{}", Place(*position))]
    UnclosedKey {
        /// Where.
        position: Position,
    },
    /// The quote around a value is not closed until the end of the file.
    #[error("Could not unmarshal input data: missing closing key quote of the value of {key:?}{}", Place(*position))]
    UnclosedValue {
        /// The key.
        key: String,
        /// Where the value starts.
        position: Position,
    },
}

impl IniError {
    /// Where.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::UnclosedSection { position }
            | Self::EmptySection { position }
            | Self::MissingDelimiter { position }
            | Self::EmptyKey { position }
            | Self::UnclosedKey { position }
            | Self::UnclosedValue { position, .. } => *position,
        }
    }
}

struct Place(Position);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, " (at line {}, column {})", self.0.line, self.0.column)
    }
}
