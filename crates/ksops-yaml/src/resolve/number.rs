//! Integers and floats as Go's `strconv` reads them, underscores removed.

use std::borrow::Cow;

use crate::resolve::Scalar;

/// Reads what begins with a digit or a sign.
pub(super) fn number(text: &str) -> Option<Scalar<'static>> {
    let plain: Cow<'_, str> =
        if text.contains('_') { text.replace('_', "").into() } else { Cow::Borrowed(text) };
    integer(&plain).or_else(|| float(&plain).map(Scalar::Float)).or_else(|| prefixed(&plain))
}

/// Reads an integer with Go's prefixes; a leading zero is octal.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = |prefix: char| {
        digits.strip_prefix('0').and_then(|rest| {
            rest.strip_prefix(prefix).or_else(|| rest.strip_prefix(prefix.to_ascii_uppercase()))
        })
    };
    let (digits, base) = if let Some(digits) = lower('x') {
        (digits, 16)
    } else if let Some(digits) = lower('b') {
        (digits, 2)
    } else if let Some(digits) = lower('o') {
        (digits, 8)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (&digits[1..], 8)
    } else {
        (digits, 10)
    };
    let signed = text.starts_with(['+', '-']);
    let magnitude = magnitude(digits, base)?;
    in_range(negative, signed, magnitude)
}

fn magnitude(digits: &str, base: u32) -> Option<u64> {
    // `from_str_radix` would take another sign.
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, base).ok() }
}

fn in_range(negative: bool, signed: bool, magnitude: u64) -> Option<Scalar<'static>> {
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(int) => Some(Scalar::Int(int)),
        // Go's unsigned parser takes no sign.
        Err(_) if signed => None,
        Err(_) => Some(Scalar::UInt(magnitude)),
    }
}

/// go-yaml's second look at `0b`, `-0b`, `0o` and `-0o`: a sign may stand behind the prefix.
fn prefixed(text: &str) -> Option<Scalar<'static>> {
    for (prefix, base) in [("0b", 2), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix) {
            let negative = rest.starts_with('-');
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            return in_range(negative, digits.len() < rest.len(), magnitude(digits, base)?);
        }
        if let Some(rest) = text.strip_prefix('-').and_then(|rest| rest.strip_prefix(prefix)) {
            return in_range(true, true, magnitude(rest, base)?);
        }
    }
    None
}

/// Reads `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; what is too large is no float.
pub(super) fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if whole == 0 && count == 0 {
            return None;
        }
        rest = &fraction[count..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        if count == 0 || count < exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// As [`float`], for what go-yaml hands to Go as written: an underscore must stand between two digits.
pub(super) fn float_with_underscores(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return float(text);
    }
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let between = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1);
    let all_between = text.match_indices('_').all(|(at, _)| between(at));
    if all_between { float(&text.replace('_', "")) } else { None }
}
