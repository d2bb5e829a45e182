//! Bytes to text: encodings and the characters that YAML allows.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::span::Position;

/// Decodes UTF-8, or UTF-16 with a byte-order mark, takes the mark off and refuses characters that YAML does not allow.
///
/// # Errors
/// [`SyntaxError`] worded as go-yaml's reader does; also for a text of 4 GiB and more.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, SyntaxError> {
    let text: Cow<'_, str> = match bytes {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes)?.into(),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes)?.into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_utf8(rest)?.into(),
        _ => decode_utf8(bytes)?.into(),
    };
    if u32::try_from(text.len()).is_err() {
        return Err(SyntaxError::new("the text has 4 GiB or more", 0, Position::default()));
    }
    match forbidden(&text) {
        Some(at) => {
            // A place within 4 GiB.
            Err(SyntaxError::new("control characters are not allowed", 0, Position::of(&text, at as u32)))
        }
        None => Ok(text),
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, SyntaxError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        let expected = match rest.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            _ => 1,
        };
        let trailing =
            rest.iter().skip(1).take(expected - 1).take_while(|byte| **byte & 0xc0 == 0x80).count();
        let problem = if expected == 1 {
            "invalid leading UTF-8 octet"
        } else if rest.len() < expected {
            "incomplete UTF-8 octet sequence"
        } else if trailing < expected - 1 {
            "invalid trailing UTF-8 octet"
        } else {
            "invalid Unicode character"
        };
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        SyntaxError::new(problem, 0, Position::of(valid, u32::MAX))
    })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, SyntaxError> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(bytes.len());
    let fail = |problem, text: &str| Err(SyntaxError::new(problem, 0, Position::of(text, u32::MAX)));
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => text.push(character),
            Err(error) if error.unpaired_surrogate() >= 0xdc00 => {
                return fail("unexpected low surrogate area", &text);
            }
            Err(_) => return fail("expected low surrogate area", &text),
        }
    }
    if bytes.len() % 2 == 1 { fail("incomplete UTF-16 character", &text) } else { Ok(text) }
}

/// The place of the first character that YAML does not allow.
fn forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            0x20..=0x7e | b'\n' | b'\t' | b'\r' => at += 1,
            0..=0x7f => return Some(at),
            // U+0080 to U+009F, all but U+0085.
            0xc2 if matches!(bytes.get(at + 1), Some(0x80..=0x84 | 0x86..=0x9f)) => return Some(at),
            // U+FFFE and U+FFFF.
            0xef if bytes.get(at + 1) == Some(&0xbf) && matches!(bytes.get(at + 2), Some(0xbe | 0xbf)) => {
                return Some(at);
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn problem(bytes: &[u8]) -> String {
        decode(bytes).map(|_| ()).expect_err("refused").to_string()
    }

    #[test]
    fn takes_byte_order_marks_off() {
        assert_eq!(decode(b"\xef\xbb\xbfa").expect("text"), "a");
        assert_eq!(decode(b"\xff\xfea\0\x3d\xd8\0\xde").expect("text"), "a😀");
        assert_eq!(decode(b"\xfe\xff\0a").expect("text"), "a");
    }

    #[test]
    fn refuses_what_go_yaml_refuses() {
        assert_eq!(problem(b"a: x\x01y"), "yaml: control characters are not allowed");
        assert_eq!(problem(b"a: \xc2\x80"), "yaml: control characters are not allowed");
        assert_eq!(problem(b"a: \xef\xbf\xbf"), "yaml: control characters are not allowed");
        assert_eq!(problem(b"a: \xe9"), "yaml: incomplete UTF-8 octet sequence");
        assert_eq!(problem(b"a: \xe9 x"), "yaml: invalid trailing UTF-8 octet");
        assert_eq!(problem(b"\xff"), "yaml: invalid leading UTF-8 octet");
        assert_eq!(problem(b"\xff\xfea"), "yaml: incomplete UTF-16 character");
    }
}
