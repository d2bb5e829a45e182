//! The type of a scalar: YAML 1.1 syntax with mostly YAML 1.2 typing (file-format.md section 7.2).

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::syntax::{Content, Node, ScalarStyle};

mod number;
mod timestamp;

/// A scalar's value.
#[derive(Clone, PartialEq)]
pub enum Scalar<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A float.
    Float(f64),
    /// A moment.
    Timestamp(OffsetDateTime),
    /// The plain `<<`.
    Merge,
    /// A string.
    Text(Cow<'a, str>),
    /// What `!!binary` decodes to, if that is no UTF-8.
    Bytes(Vec<u8>),
}

impl Scalar<'_> {
    /// The tag of the value's type.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::UInt(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp(_) => "!!timestamp",
            Self::Merge => "!!merge",
            Self::Text(_) => "!!str",
            Self::Bytes(_) => "!!binary",
        }
    }
}

impl std::fmt::Debug for Scalar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scalar({})", self.tag())
    }
}

/// The text does not fit the explicit tag. The message does not show the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The text is of another type.
    #[error("cannot decode a {found} as a {tag}")]
    Mismatch {
        /// What the text is.
        found: &'static str,
        /// What the tag says.
        tag: String,
    },
    /// Not base64.
    #[error("!!binary value contains invalid base64 data")]
    Base64,
}

/// Resolves a plain scalar without a tag.
#[must_use]
pub fn resolve_plain(text: &str) -> Scalar<'_> {
    if text == "<<" { Scalar::Merge } else { resolve_text(text, true) }
}

/// As go-yaml does it, `<<` being a string. `as_moment`: a timestamp is possible.
fn resolve_text(text: &str, as_moment: bool) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let value = match text.as_bytes()[0] {
        b'.' => number::float_with_underscores(text).map(Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            let moment = if as_moment { timestamp::parse(text).map(Scalar::Timestamp) } else { None };
            moment.or_else(|| number::number(text))
        }
        _ => None,
    };
    value.unwrap_or(Scalar::Text(Cow::Borrowed(text)))
}

/// Resolves a scalar node by its style and explicit tag; any other node is [`Scalar::Null`].
///
/// # Errors
/// [`ResolveError`] if the text does not fit the tag.
pub fn resolve<'n>(node: &'n Node<'_>) -> Result<Scalar<'n>, ResolveError> {
    let Content::Scalar(text, style) = &node.content else { return Ok(Scalar::Null) };
    let as_text = || Scalar::Text(Cow::Borrowed(text.as_ref()));
    let Some(tag) = node.tag.as_deref() else {
        return Ok(if *style == ScalarStyle::Plain { resolve_plain(text) } else { as_text() });
    };
    let resolved = match tag {
        "!!binary" => return binary(text),
        "!!merge" if text == "<<" => return Ok(Scalar::Merge),
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => resolve_text(text, tag == "!!timestamp"),
        // `!!str`, and every tag that YAML does not know.
        _ => return Ok(as_text()),
    };
    match resolved {
        Scalar::Int(int) if tag == "!!float" => Ok(Scalar::Float(int as f64)),
        resolved if resolved.tag() == tag => Ok(resolved),
        other => Err(ResolveError::Mismatch { found: other.tag(), tag: tag.to_owned() }),
    }
}

fn binary(text: &str) -> Result<Scalar<'_>, ResolveError> {
    // Go neither minds line breaks nor bits behind the end.
    let engine =
        GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect());
    let bytes = engine.decode(&*text).map_err(|_| ResolveError::Base64)?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Scalar::Text(Cow::Owned(text)),
        Err(error) => Scalar::Bytes(error.into_bytes()),
    })
}

#[cfg(test)]
mod tests;
