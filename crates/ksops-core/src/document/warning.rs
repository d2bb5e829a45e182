//! What the user should know although the operation succeeds.

use std::fmt;

use crate::pattern::PatternError;
use crate::tree::path::TreePath;

/// Something that went otherwise than the user may expect. No text holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A comment that should be encrypted cannot be decrypted; it was left as it stands in the file.
    CommentLeft {
        /// The document, from 0.
        document: usize,
        /// Where.
        path: TreePath,
    },
    /// An encrypted comment belongs to another container than the file shows; it was put there.
    CommentMoved {
        /// The document, from 0.
        document: usize,
        /// Where it stood.
        path: TreePath,
    },
    /// An empty comment in a list has no encrypted form and was left out.
    EmptyCommentDropped {
        /// The document, from 0.
        document: usize,
        /// Where.
        path: TreePath,
    },
    /// A number comes back with another text.
    NumberRewritten {
        /// The document, from 0.
        document: usize,
        /// Where.
        path: TreePath,
    },
    /// The file's regular expression is invalid and matches nothing.
    InvalidPattern(PatternError),
    /// The selection by comments could not be followed as written; the values themselves told what is encrypted.
    DecidedByAuthentication,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommentLeft { document, path } => write!(
                f,
                "Found possibly unencrypted comment in file, at {}. This is to be expected if the file was made with an \
                 older version of SOPS.",
                place(*document, path)
            ),
            Self::CommentMoved { document, path } => write!(
                f,
                "the comment at {} was encrypted for another mapping or list, and was moved there",
                place(*document, path)
            ),
            Self::EmptyCommentDropped { document, path } => write!(
                f,
                "the empty comment at {} was dropped: in an encrypted list it would become an element",
                place(*document, path)
            ),
            Self::NumberRewritten { document, path } => write!(
                f,
                "the number at {} is written in a form that is not kept; put it into quotes if its text matters",
                place(*document, path)
            ),
            Self::InvalidPattern(error) => write!(f, "{error}; it matches nothing"),
            Self::DecidedByAuthentication => f.write_str(
                "the comments of this file do not tell any more which values are encrypted; this was found out by \
                 decrypting",
            ),
        }
    }
}

/// A path with the number of its document, from 1, unless it is the first.
pub(crate) fn place(document: usize, path: &TreePath) -> String {
    if document == 0 { path.to_string() } else { format!("{path} of document {}", document + 1) }
}
