//! Why TOML cannot be read or written. No message holds a value; keys are named.

use std::borrow::Cow;

use ksops_core::tree::path::TreePath;
use ksops_yaml::span::Position;

/// A text that is not the TOML of a SOPS file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TOML: {problem} (at line {}, column {})", position.line, position.column)]
pub struct TomlError {
    /// What is wrong, without the place and without the text.
    pub problem: Cow<'static, str>,
    /// Where.
    pub position: Position,
}

impl TomlError {
    pub(crate) fn at(text: &str, offset: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self { problem: problem.into(), position: Position::of(text, offset) }
    }
}

/// A tree that cannot be printed as TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TomlEmitError {
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] TomlError),
    /// TOML has no null.
    #[error(
        "TOML has no null (at {path}): take the key out, or write the text \"null\", which stands for it"
    )]
    Null {
        /// Where.
        path: TreePath,
    },
    /// SOPS has no type for a date or time without an offset.
    #[error(
        "SOPS cannot encrypt a date or time without an offset (at {path}): put it into quotes, or leave it unencrypted"
    )]
    LocalTime {
        /// Where.
        path: TreePath,
    },
    /// TOML texts, keys and comments are UTF-8 without control characters.
    #[error("TOML cannot express the bytes of a {what} (at {path})")]
    Bytes {
        /// Text, key or comment.
        what: &'static str,
        /// Where.
        path: TreePath,
    },
    /// A moment that RFC 3339 cannot tell.
    #[error("TOML cannot express a timestamp (at {path}): its year or offset is out of range")]
    Timestamp {
        /// Where.
        path: TreePath,
    },
    /// A key stands twice in one table.
    #[error("TOML cannot have the same key twice (at {path})")]
    RepeatedKey {
        /// Where.
        path: TreePath,
    },
    /// Deeper than TOML readers go.
    #[error("nested deeper than 80 levels, which TOML readers refuse (at {path})")]
    TooDeep {
        /// Where.
        path: TreePath,
    },
    /// The tree does not have the shape of the text into which it is to be put.
    #[error("the tree does not fit the text that it came from (at {path}): {problem}")]
    Misfit {
        /// Where.
        path: TreePath,
        /// What is different.
        problem: &'static str,
    },
}
