//! The text of a float as go-yaml prints it: Go's `%g` with the shortest digits.

use ksops_core::crypto::number::round_tie_to_even;
use zeroize::Zeroizing;

/// Prints a float (file-format.md section 7.3). Integral values below a million have no point; a negative zero keeps
/// one, because `-0` would be read back as the integer 0 (section 12, row 8).
#[must_use]
pub fn text(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0" }.to_owned();
    }
    let scientific = Zeroizing::new(as_go(value, format!("{value:e}")));
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    as_go(value, format!("{value}"))
}

/// Rounds the last digit as Go does.
fn as_go(value: f64, text: String) -> String {
    let mut bytes = text.into_bytes();
    round_tie_to_even(value, &mut bytes);
    // Only a digit was changed.
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn prints_as_go() {
        for (value, printed) in [
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (100_000.5, "100000.5"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (123_456_789.123_456_79, "1.2345678912345679e+08"),
            (1e21, "1e+21"),
            (1e-320, "1e-320"),
            (1.5, "1.5"),
            (2_383_902_226_197_669.0 / 4.0, "5.959755565494172e+14"),
            (-0.25, "-0.25"),
            (0.0, "0"),
            (-0.0, "-0.0"),
            (f64::NEG_INFINITY, "-.inf"),
        ] {
            assert_eq!(text(value), printed);
        }
    }
}
