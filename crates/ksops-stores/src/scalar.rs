//! The text of a typed value in a format that has strings only (file-format.md section 1).

use std::ops::Deref;

use ksops_core::crypto::timestamp;
use ksops_core::value::Value;
use zeroize::Zeroizing;

use crate::yaml::float;

/// The text of a value.
pub enum Text<'a> {
    /// A string's own bytes.
    Own(&'a [u8]),
    /// Made from a value of another type.
    Made(Zeroizing<Vec<u8>>),
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }
}

/// The text of a value; nothing for a timestamp that has none.
#[must_use]
pub fn text(value: &Value) -> Option<Text<'_>> {
    let made = match value.plain() {
        Value::Text(text) => return Some(Text::Own(text.expose())),
        Value::Int(int) => int.to_string(),
        Value::Float(value) => float_text(*value),
        Value::Bool(truth) => truth.to_string(),
        Value::Timestamp(moment) => timestamp::to_text(*moment)?,
        _ => "<nil>".to_owned(),
    };
    Some(Text::Made(Zeroizing::new(made.into_bytes())))
}

/// Go's `%G` with the shortest digits; never like an integer.
fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // The other format's text is `%g`.
    let mut text = float::text(value);
    text.make_ascii_uppercase();
    if !text.contains(['.', 'E']) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use ksops_core::value::Value;

    use super::text;

    #[test]
    fn prints_as_go() {
        for (value, printed) in [
            (Value::Float(1e21), "1E+21"),
            (Value::Float(1e6), "1E+06"),
            (Value::Float(123_456.0), "123456.0"),
            (Value::Float(1.5), "1.5"),
            (Value::Float(-0.0), "-0.0"),
            (Value::Float(0.0), "0.0"),
            (Value::Float(1e-7), "1E-07"),
            (Value::Float(f64::NAN), "NaN"),
            (Value::Float(f64::NEG_INFINITY), "-Inf"),
            (Value::Float(f64::INFINITY), "+Inf"),
            (Value::Bool(true), "true"),
            (Value::Null, "<nil>"),
            (Value::Int(-5), "-5"),
        ] {
            assert_eq!(text(&value).as_deref(), Some(printed.as_bytes()));
        }
        let moment = time::OffsetDateTime::from_unix_timestamp_nanos(1_500_000_000).expect("a moment");
        assert_eq!(text(&Value::Timestamp(moment)).as_deref(), Some(&b"1970-01-01T00:00:01Z"[..]));
    }
}
