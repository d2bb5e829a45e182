//! Floats as text: shortest without an exponent on writing, Go's grammar on reading (file-format.md section 2.4).

use std::io::Write as _;

use zeroize::Zeroizing;

/// Why a text is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// It does not look like one.
    Syntax,
    /// It is too large.
    Range,
}

/// Appends the shortest decimal that reads back as `float`, never with an exponent.
pub fn write_float(float: f64, out: &mut Vec<u8>) {
    let special: &[u8] = if float.is_nan() {
        b"NaN"
    } else if float == f64::INFINITY {
        b"+Inf"
    } else if float == f64::NEG_INFINITY {
        b"-Inf"
    } else {
        // Rust prints floats in this form; writing to a `Vec` cannot fail.
        let start = out.len();
        let _ = write!(out, "{float}");
        round_tie_to_even(float, &mut out[start..]);
        return;
    };
    out.extend_from_slice(special);
}

/// Changes the last digit of Rust's shortest text of `float` (with or without an exponent) to Go's.
///
/// They differ only where two shortest decimals are equally near: Rust takes the upper one, Go the even one
/// (595975556549417.25 is ...7.3 and ...7.2). The text is hashed, so this decides whether a MAC agrees.
pub fn round_tie_to_even(float: f64, text: &mut [u8]) {
    let mantissa = text.iter().position(|byte| *byte == b'e').unwrap_or(text.len());
    let is_significant = |byte: &u8| matches!(byte, b'1'..=b'9');
    let Some(first) = text[..mantissa].iter().position(is_significant) else { return };
    let Some(last) = text[..mantissa].iter().rposition(is_significant) else { return };
    let digits = text[first..=last].iter().filter(|byte| **byte != b'.').count();
    // All decimals of 15 digits are different floats, so shorter texts have no rival.
    if digits < 15 || text[last].is_multiple_of(2) {
        return;
    }
    // A tie has exactly one digit more, a 5. No float has more than 767 digits.
    let next = Zeroizing::new(format!("{float:.digits$e}"));
    if next.split('e').next().is_none_or(|next| !next.ends_with('5')) {
        return;
    }
    let exact = Zeroizing::new(format!("{float:.767e}"));
    let rest = exact.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).skip(digits + 1);
    if rest.clone().any(|byte| byte != b'0') {
        return;
    }
    // An odd digit does not borrow.
    text[last] -= 1;
    if std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) != Some(float) {
        text[last] += 1;
    }
}

/// Reads a float as Go's `ParseFloat` does.
///
/// # Errors
/// [`NumberError`] if Go refuses the text, too.
pub fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    let text = std::str::from_utf8(text).map_err(|_| NumberError::Syntax)?;
    if let Some(special) = parse_special(text) {
        return Ok(special);
    }
    if !underscores_separate(text) {
        return Err(NumberError::Syntax);
    }
    let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|letter| *letter != '_').collect());
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    let float = if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let magnitude = parse_hex(hex)?;
        if digits.starts_with('-') { -magnitude } else { magnitude }
    } else {
        // Only digits here: Rust's own words for infinity and NaN are spoken for.
        if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            return Err(NumberError::Syntax);
        }
        digits.parse().map_err(|_| NumberError::Syntax)?
    };
    if float.is_infinite() { Err(NumberError::Range) } else { Ok(float) }
}

fn parse_special(text: &str) -> Option<f64> {
    let (sign, word) = match text.as_bytes().first()? {
        b'+' => (Some(1.0), &text[1..]),
        b'-' => (Some(-1.0), &text[1..]),
        _ => (None, text),
    };
    if word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity") {
        return Some(f64::INFINITY * sign.unwrap_or(1.0));
    }
    (sign.is_none() && word.eq_ignore_ascii_case("nan")).then_some(f64::NAN)
}

/// Whether every underscore stands between digits, or between the base's prefix and a digit.
fn underscores_separate(text: &str) -> bool {
    if !text.contains('_') {
        return true;
    }
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let prefixed = text.len() >= 2 && text[0] == b'0' && matches!(text[1] | 0x20, b'b' | b'o' | b'x');
    let hex = prefixed && text[1] | 0x20 == b'x';
    let is_digit = |byte: u8| byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit();
    let start = if prefixed { 2 } else { 0 };
    let digits = &text[start..];
    digits.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).map_or(prefixed, |before| is_digit(digits[before]));
        before && digits.get(at + 1).is_some_and(|byte| is_digit(*byte))
    })
}

/// Reads what follows `0x`: digits with one point, and `p` with a decimal exponent, which must be there.
fn parse_hex(text: &str) -> Result<f64, NumberError> {
    let (digits, exponent) = text.split_once(['p', 'P']).ok_or(NumberError::Syntax)?;
    let (negative, exponent) = match exponent.as_bytes().first() {
        Some(b'-') => (true, &exponent[1..]),
        Some(b'+') => (false, &exponent[1..]),
        _ => (false, exponent),
    };
    if exponent.is_empty() || !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    // Beyond this every number is zero or too large, whatever its digits (Go stops counting there, too).
    let exponent =
        exponent.bytes().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(100_000));
    let mut exponent = if negative { -exponent } else { exponent };
    let mut mantissa = 0_u64;
    let mut sticky = false;
    let mut point = false;
    let mut any = false;
    for byte in digits.bytes() {
        if byte == b'.' && !point {
            point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or(NumberError::Syntax)?;
        any = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if point { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
    }
    if any { Ok(scale(mantissa, sticky, exponent)) } else { Err(NumberError::Syntax) }
}

/// `mantissa * 2^exponent`, rounded once, half to even; `sticky` tells of digits lost below the mantissa.
fn scale(mantissa: u64, sticky: bool, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let top = exponent + 63 - i64::from(mantissa.leading_zeros());
    if top > 1023 {
        return f64::INFINITY;
    }
    // The exponent of the last bit that the result can hold.
    let last = (top - 52).max(-1074);
    let drop = last - exponent;
    let bits = if drop <= 0 {
        mantissa << -drop
    } else if drop > 64 {
        0
    } else {
        let wide = u128::from(mantissa);
        let kept = wide >> drop;
        let rest = wide & ((1 << drop) - 1);
        let half = 1_u128 << (drop - 1);
        let up = rest > half || rest == half && (sticky || kept & 1 == 1);
        u64::try_from(kept + u128::from(up)).unwrap_or(u64::MAX)
    };
    // Both factors are powers of two within range, so nothing is rounded again.
    let first = (last / 2) as i32;
    let second = (last - last / 2) as i32;
    bits as f64 * 2_f64.powi(first) * 2_f64.powi(second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{NumberError, parse_float, write_float};

    fn text(float: f64) -> String {
        let mut out = Vec::new();
        write_float(float, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn floats_never_have_an_exponent() {
        for (float, expected) in [
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (1.0, "1"),
            (-0.0, "-0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (0.1, "0.1"),
            (123456789.125, "123456789.125"),
            // As Go prints them: the even one of two equally near decimals.
            (2_383_902_226_197_669.0 / 4.0, "595975556549417.2"),
            (-3_343_965_375_812_217.0 / 4.0, "-835991343953054.2"),
            (2_383_902_226_197_671.0 / 4.0, "595975556549417.8"),
            (0.000_1, "0.0001"),
            (f64::MAX, &format!("17976931348623157{}", "0".repeat(292))),
        ] {
            assert_eq!(text(float), expected);
        }
        assert_eq!(text(5e-324).len(), 326);
    }

    #[test]
    fn reads_what_go_reads() {
        for (text, expected) in [
            ("1", 1.0),
            ("+1.5", 1.5),
            ("-0", -0.0),
            ("1e3", 1000.0),
            ("1E-2", 0.01),
            (".5", 0.5),
            ("5.", 5.0),
            ("1_0", 10.0),
            ("1_0.2_5", 10.25),
            ("1e1_0", 1e10),
            ("0x1p3", 8.0),
            ("-0X1.8P1", -3.0),
            ("0x_1p0", 1.0),
            ("inf", f64::INFINITY),
            ("+Inf", f64::INFINITY),
            ("-INFINITY", f64::NEG_INFINITY),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
            ("1e-999", 0.0),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.fffffffffffff7p0", 1.9999999999999998),
            ("0x1fffffffffffff800000p0", 151_115_727_451_828_646_838_272.0),
            ("0x1.00000000000008000000000001p0", 1.0000000000000002),
            ("0x1.fffffffffffffp1023", f64::MAX),
        ] {
            let read = parse_float(text.as_bytes()).unwrap_or(f64::NAN);
            assert_eq!(read.to_bits(), expected.to_bits(), "{text}: {read}");
        }
        assert!(parse_float(b"nAn").expect("NaN").is_nan());
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            ".",
            "+",
            "e5",
            "1e",
            "1e+",
            "1_",
            "_1",
            "1__0",
            "1_.5",
            "0x1",
            "0x",
            "0xp1",
            "0x1p",
            "+nan",
            "1 ",
            " 1",
            "1x",
            "0b1",
            "0x1.2.3p1",
            "infx",
            "--1",
            "1e1.5",
        ] {
            assert_eq!(parse_float(text.as_bytes()).err(), Some(NumberError::Syntax), "{text}");
        }
        for text in ["1e999", "-1e999", "0x1p1024", "0x1.fffffffffffff8p1023", "0x1p999999999999"] {
            assert_eq!(parse_float(text.as_bytes()).err(), Some(NumberError::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bits in any::<u64>()) {
            let float = f64::from_bits(bits);
            let read = parse_float(text(float).as_bytes()).expect("a float");
            prop_assert_eq!(read.is_nan(), float.is_nan());
            if !float.is_nan() {
                prop_assert_eq!(read.to_bits(), bits);
            }
        }
    }
}
