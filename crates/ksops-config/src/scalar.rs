//! What a scalar is, as far as a configuration cares.

use ksops_yaml::resolve;
use ksops_yaml::syntax::{Content, Node};

/// A scalar's type and value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A type that no field has; its name for messages.
    Other(&'static str),
    /// The text does not fit the explicit tag; an error wherever it is read.
    Unfit(String),
}

impl Scalar {
    /// The type's name for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Other(kind) => kind,
            Self::Unfit(_) => "a value that does not fit its tag",
        }
    }
}

/// The type of a node; `None` for a collection or an alias.
pub(crate) fn of(node: &Node<'_>) -> Option<Scalar> {
    if !matches!(node.content, Content::Scalar(..)) {
        return None;
    }
    Some(match resolve::resolve(node) {
        Ok(resolve::Scalar::Null) => Scalar::Null,
        Ok(resolve::Scalar::Bool(value)) => Scalar::Boolean(value),
        Ok(resolve::Scalar::Int(value)) => Scalar::Integer(value),
        Ok(resolve::Scalar::UInt(_)) => Scalar::Other("a large number"),
        Ok(resolve::Scalar::Float(value)) => Scalar::Float(value),
        Ok(resolve::Scalar::Timestamp(_)) => Scalar::Other("a date"),
        Ok(resolve::Scalar::Merge) => Scalar::Text("<<".to_owned()),
        Ok(resolve::Scalar::Text(text)) => Scalar::Text(text.into_owned()),
        Ok(resolve::Scalar::Bytes(_)) => Scalar::Other("binary data"),
        Err(error) => Scalar::Unfit(error.to_string()),
    })
}

/// Whether a key is the merge key.
pub(crate) fn is_merge(node: &Node<'_>) -> bool {
    matches!(resolve::resolve(node), Ok(resolve::Scalar::Merge))
}
