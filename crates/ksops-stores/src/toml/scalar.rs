//! Scalars as they stand in the text.

use ksops_core::crypto::timestamp;
use ksops_core::value::Value;
use toml_datetime::Datetime;
use toml_parser::decoder::ScalarKind;
use toml_parser::parser::Event;
use toml_parser::{ParseError, Source};
use zeroize::Zeroizing;

use crate::toml::error::TomlError;

/// The text that stands for null, as in rops.
pub(crate) const NULL: &str = "null";

/// A scalar of the text.
#[derive(Debug, PartialEq)]
pub(crate) enum Scalar {
    /// One that SOPS has a type for.
    Value(Value),
    /// A date or time without an offset, in the form in which rops hashes it.
    Local(String),
}

/// Reads the scalar of an event.
///
/// # Errors
/// [`TomlError`] if it is malformed or out of range.
pub(crate) fn read(source: Source<'_>, event: &Event) -> Result<Scalar, TomlError> {
    let at = event.span().start();
    let fail = |problem: &'static str| TomlError::at(source.input(), at, problem);
    let raw = source.get(event.span()).ok_or_else(|| fail("unreadable value"))?;
    let raw = toml_parser::Raw::new_unchecked(raw.as_str(), event.encoding(), event.span());
    // No decoded scalar is longer than its text, so this never grows and leaves nothing behind.
    let mut text = Zeroizing::new(String::with_capacity(raw.len()));
    let mut error: Option<ParseError> = None;
    let kind = raw.decode_scalar(&mut *text, &mut error);
    if let Some(error) = error {
        return Err(fail_at(source, &error, at));
    }
    Ok(Scalar::Value(match kind {
        ScalarKind::String if *text == NULL => Value::Null,
        ScalarKind::String => Value::text(text.as_str()),
        ScalarKind::Boolean(truth) => Value::Bool(truth),
        ScalarKind::Integer(radix) => Value::Int(
            i64::from_str_radix(&text, radix.value())
                .map_err(|_| fail("an integer does not fit 64 bits; put it into quotes"))?,
        ),
        ScalarKind::Float => {
            let float: f64 = text.parse().map_err(|_| fail("malformed float"))?;
            let is_named = text.trim_start_matches(['+', '-']).starts_with(['i', 'n']);
            if float.is_infinite() && !is_named {
                return Err(fail("a float is out of range; put it into quotes"));
            }
            Value::Float(float)
        }
        ScalarKind::DateTime => return date_time(&text).ok_or_else(|| fail("malformed date or time")),
    }))
}

fn date_time(text: &str) -> Option<Scalar> {
    let moment: Datetime = text.parse().ok()?;
    // `Display` is the form in which rops hashes it.
    let mut canonical = moment.to_string();
    if moment.offset.is_none() {
        return Some(Scalar::Local(canonical));
    }
    if moment.time.is_some_and(|time| time.second.is_none() && time.nanosecond.is_none()) {
        // TOML 1.1 may leave the seconds out; RFC 3339 may not.
        canonical.insert_str("2020-01-02T03:04".len(), ":00");
    }
    timestamp::parse(canonical.as_bytes()).map(|moment| Scalar::Value(Value::Timestamp(moment)))
}

/// An error of the parser: its words are fixed and hold nothing of the text.
pub(crate) fn fail_at(source: Source<'_>, error: &ParseError, otherwise: usize) -> TomlError {
    let at = error.unexpected().or(error.context()).map_or(otherwise, |span| span.start());
    TomlError::at(source.input(), at, error.description().to_owned())
}
