//! The scalar at a leaf of the tree.

use time::OffsetDateTime;

use crate::secret::SecretBytes;

/// A scalar value. In an encrypted document a value that is encrypted is a [`Value::Text`] holding its envelope.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string; any bytes.
    Text(SecretBytes),
    /// A signed integer.
    Int(i64),
    /// An IEEE 754 double.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A moment with its offset and up to nanoseconds.
    Timestamp(OffsetDateTime),
    /// Nothing; never encrypted and not in the MAC.
    Null,
}

impl Value {
    /// Makes a string value.
    pub fn text(text: impl Into<SecretBytes>) -> Self {
        Self::Text(text.into())
    }

    /// The name of the value's type, for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Bool(_) => "bool",
            Self::Timestamp(_) => "time.Time",
            Self::Null => "null",
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({})", self.type_name())
    }
}
