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
    /// A number whose text in the file is not the one that it would be printed with (security.md S13).
    Written(Box<WrittenNumber>),
}

/// A number with its text in the file, such as `1.10`, `0x1F` or one of 25 digits.
#[derive(Clone, PartialEq)]
pub struct WrittenNumber {
    /// The number: a [`Value::Int`] or [`Value::Float`].
    pub value: Value,
    /// The text in the file.
    pub text: SecretBytes,
}

impl Value {
    /// Makes a string value.
    pub fn text(text: impl Into<SecretBytes>) -> Self {
        Self::Text(text.into())
    }

    /// The value without the text that a number had.
    #[must_use]
    pub fn plain(&self) -> &Self {
        match self {
            Self::Written(written) => &written.value,
            value => value,
        }
    }

    /// Forgets the text that a number had.
    pub fn forget_text(&mut self) {
        if let Self::Written(written) = self {
            *self = std::mem::replace(&mut written.value, Self::Null);
        }
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
            Self::Written(written) => written.value.type_name(),
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Value({})", self.type_name())
    }
}
