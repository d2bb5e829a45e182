//! The text of a float as Go's JSON encoder prints it (file-format.md section 8.2).

use ksops_core::crypto::number::round_tie_to_even;
use zeroize::Zeroizing;

/// Prints a finite float: with an exponent only below 1e-6 and from 1e21 on.
///
/// A negative zero keeps a point, because `-0` would be read back as the integer 0 (section 12, row 8).
#[must_use]
pub fn text(value: f64) -> Zeroizing<String> {
    if value == 0.0 {
        return Zeroizing::new(if value.is_sign_negative() { "-0.0" } else { "0" }.to_owned());
    }
    let magnitude = value.abs();
    let has_exponent = !(1e-6..1e21).contains(&magnitude);
    let text = if has_exponent { format!("{value:e}") } else { format!("{value}") };
    let mut bytes = text.into_bytes();
    round_tie_to_even(value, &mut bytes);
    // Only a digit was changed.
    let text = Zeroizing::new(String::from_utf8(bytes).unwrap_or_default());
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            Zeroizing::new(format!("{digits}e+{exponent}"))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn prints_as_go_does() {
        let cases = [
            (1.0, "1"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (123_456_789.123_456_79, "123456789.12345679"),
            (595_975_556_549_417.3, "595975556549417.2"),
        ];
        for (value, expected) in cases {
            assert_eq!(*text(value), expected);
        }
    }
}
