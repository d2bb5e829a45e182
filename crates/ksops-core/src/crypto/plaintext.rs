//! Values as the bytes that are encrypted and hashed, and back (file-format.md section 2.4).

use std::fmt;
use std::io::Write as _;

use crate::crypto::number::{self, NumberError};
use crate::crypto::timestamp;
use crate::secret::SecretBytes;
use crate::value::Value;

/// The type named in an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A string.
    Str,
    /// An integer.
    Int,
    /// A float.
    Float,
    /// A truth value.
    Bool,
    /// A timestamp.
    Time,
    /// A comment.
    Comment,
    /// Bytes; read as a string, never written.
    Bytes,
}

impl DataType {
    /// The word in the envelope.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
            Self::Bytes => "bytes",
        }
    }

    /// Finds a type by its word.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Str, Self::Int, Self::Float, Self::Bool, Self::Time, Self::Comment, Self::Bytes]
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }

    /// The type of a value; null has none.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Text(_) => Self::Str,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Bool(_) => Self::Bool,
            Value::Timestamp(_) => Self::Time,
            Value::Null => return None,
            Value::Written(written) => return Self::of(&written.value),
        })
    }
}

/// A value has no bytes: a timestamp whose year or offset RFC 3339 cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the timestamp has a year or an offset that RFC 3339 cannot express")]
pub struct UnwritableError;

/// The decrypted bytes do not fit the type. The message holds the length, never the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnreadableError {
    /// The type.
    pub kind: DataType,
    /// The number of bytes.
    pub length: usize,
    /// Whether it is a number that is too large.
    pub out_of_range: bool,
}

impl fmt::Display for UnreadableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parser = match self.kind {
            DataType::Int => "strconv.Atoi",
            DataType::Float => "strconv.ParseFloat",
            DataType::Bool => "strconv.ParseBool",
            _ => "time",
        };
        let problem = if self.out_of_range { "value out of range" } else { "invalid syntax" };
        write!(f, "{parser}: parsing a text of {} bytes: {problem}", self.length)
    }
}

impl std::error::Error for UnreadableError {}

/// Appends the bytes of a value; null has none.
///
/// # Errors
/// [`UnwritableError`] for some timestamps.
pub fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), UnwritableError> {
    match value {
        Value::Text(text) => out.extend_from_slice(text.expose()),
        Value::Int(int) => {
            // Writing to a `Vec` cannot fail.
            let _ = write!(out, "{int}");
        }
        Value::Float(float) => number::write_float(*float, out),
        Value::Bool(true) => out.extend_from_slice(b"True"),
        Value::Bool(false) => out.extend_from_slice(b"False"),
        Value::Timestamp(moment) => timestamp::write_exact(*moment, out).ok_or(UnwritableError)?,
        Value::Null => {}
        Value::Written(written) => write(&written.value, out)?,
    }
    Ok(())
}

/// Reads the bytes of a value, with everything that upstream tolerates; a comment gives its text.
///
/// # Errors
/// [`UnreadableError`] if the bytes do not fit the type.
pub fn read(kind: DataType, bytes: SecretBytes) -> Result<Value, UnreadableError> {
    let failed = |out_of_range| UnreadableError { kind, length: bytes.len(), out_of_range };
    Ok(match kind {
        DataType::Str | DataType::Comment | DataType::Bytes => Value::Text(bytes),
        DataType::Int => {
            let text = bytes.expose_str().ok_or(failed(false))?;
            Value::Int(text.parse().map_err(|error: std::num::ParseIntError| {
                use std::num::IntErrorKind::{NegOverflow, PosOverflow};
                failed(matches!(error.kind(), PosOverflow | NegOverflow))
            })?)
        }
        DataType::Float => Value::Float(
            number::parse_float(bytes.expose()).map_err(|error| failed(error == NumberError::Range))?,
        ),
        DataType::Bool => match bytes.expose() {
            b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Value::Bool(true),
            b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Value::Bool(false),
            _ => return Err(failed(false)),
        },
        DataType::Time => Value::Timestamp(timestamp::parse(bytes.expose()).ok_or(failed(false))?),
    })
}

#[cfg(test)]
mod tests {
    use super::{DataType, read, write};
    use crate::value::Value;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        write(value, &mut out).expect("writable");
        out
    }

    #[test]
    fn values_have_the_bytes_of_the_table() {
        assert_eq!(bytes(&Value::Int(-12)), b"-12");
        assert_eq!(bytes(&Value::Bool(true)), b"True");
        assert_eq!(bytes(&Value::Bool(false)), b"False");
        assert_eq!(bytes(&Value::text("a\nb")), b"a\nb");
        assert_eq!(bytes(&Value::Null), b"");
        assert_eq!(bytes(&Value::Float(1.0)), b"1");
    }

    #[test]
    fn reads_the_tolerated_forms() {
        for (kind, text, value) in [
            (DataType::Int, "+7", Value::Int(7)),
            (DataType::Int, "007", Value::Int(7)),
            (DataType::Int, "-9223372036854775808", Value::Int(i64::MIN)),
            (DataType::Bool, "t", Value::Bool(true)),
            (DataType::Bool, "FALSE", Value::Bool(false)),
            (DataType::Float, "0x1p3", Value::Float(8.0)),
            (DataType::Bytes, "x", Value::text("x")),
        ] {
            assert!(read(kind, text.into()) == Ok(value), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_length_and_not_the_text() {
        for (kind, text) in [
            (DataType::Int, "0x1"),
            (DataType::Int, "1_0"),
            (DataType::Int, " 1"),
            (DataType::Int, ""),
            (DataType::Int, "9223372036854775808"),
            (DataType::Bool, "yes"),
            (DataType::Bool, ""),
            (DataType::Float, "1,5"),
            (DataType::Time, "2020-01-02"),
        ] {
            let error = read(kind, text.into()).expect_err(text).to_string();
            assert!(error.contains(&format!("{} bytes", text.len())), "{error}");
        }
        let error = read(DataType::Int, "hunter2".into()).expect_err("no number").to_string();
        assert_eq!(error, "strconv.Atoi: parsing a text of 7 bytes: invalid syntax");
    }
}
