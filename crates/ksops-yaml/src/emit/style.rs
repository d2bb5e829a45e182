//! Which quotes a string takes (file-format.md section 7.4).

use crate::resolve::{Scalar, resolve_plain};
use crate::syntax::ScalarStyle;

/// What the characters of a text allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    /// It has a line break of any kind.
    pub(super) multiline: bool,
    /// It can stand without quotes in a block.
    pub(super) plain: bool,
    /// It can stand in single quotes.
    pub(super) single: bool,
    /// It can be a block scalar.
    pub(super) block: bool,
}

/// The length of the line break at `at`; 0 if there is none.
pub(super) fn break_len(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'\n' | b'\r' => 1,
        0xc2 if bytes.get(at + 1) == Some(&0x85) => 2,
        0xe2 if bytes.get(at + 1) == Some(&0x80) && matches!(bytes.get(at + 2), Some(0xa8 | 0xa9)) => 3,
        _ => 0,
    }
}

/// The length of the character at `at`, by its first byte.
pub(super) fn width(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        0..=0x7f => 1,
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    }
}

/// Whether go-yaml takes the character at `at` for printable; above U+FFFF there is none.
pub(super) fn is_printable(bytes: &[u8], at: usize) -> bool {
    let next = |ahead: usize| bytes.get(at + ahead).copied().unwrap_or(0);
    match bytes[at] {
        b'\n' | 0x20..=0x7e => true,
        0xc2 => next(1) >= 0xa0,
        0xc3..=0xec | 0xee => true,
        0xed => next(1) < 0xa0,
        0xef => !matches!((next(1), next(2)), (0xbb, 0xbf) | (0xbf, 0xbe | 0xbf)),
        _ => false,
    }
}

/// Finds out what the characters allow.
pub(super) fn analyse(text: &str) -> Analysis {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return Analysis { multiline: false, plain: true, single: true, block: false };
    }
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut breaks, mut special, mut tabs) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    let (mut previous_space, mut previous_break, mut after_blank) = (false, false, true);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let length = width(bytes, at);
        let before_blank = matches!(bytes.get(at + length), None | Some(b' ' | b'\t'));
        indicators |= match byte {
            b'#' if at > 0 => after_blank,
            b':' => before_blank,
            b'?' | b'-' => at == 0 && before_blank,
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' => at == 0,
            _ => false,
        };
        let is_break = break_len(bytes, at) > 0;
        if byte == b'\t' {
            tabs = true;
        } else if !(0x20..=0x7e).contains(&byte) && !is_printable(bytes, at) {
            special = true;
        }
        if byte == b' ' {
            break_space |= previous_break;
        } else if is_break {
            breaks = true;
            space_break |= previous_space;
        }
        previous_space = byte == b' ';
        previous_break = is_break;
        after_blank = is_break || matches!(byte, b' ' | b'\t');
        at += length;
    }
    let leading = bytes[0] == b' ' || break_len(bytes, 0) > 0;
    let trailing_space = bytes.ends_with(b" ");
    let single = !(break_space || space_break || tabs || special);
    Analysis {
        multiline: breaks,
        plain: single && !(leading || trailing_space || previous_break || breaks || indicators),
        single,
        block: !(trailing_space || space_break || special),
    }
}

/// The style that go-yaml's encoder asks for when it prints a string; the emitter may have to take another.
#[must_use]
pub fn wanted_style(text: &str) -> ScalarStyle {
    if text.contains('\n') {
        ScalarStyle::Literal
    } else if reads_as_text(text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    }
}

/// Whether a plain scalar of this text is a string for YAML 1.1 and 1.2 readers alike.
fn reads_as_text(text: &str) -> bool {
    matches!(resolve_plain(text), Scalar::Text(_) | Scalar::Merge) && !is_old_bool(text) && !is_base_60(text)
}

fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`, a number of YAML 1.1.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|first: char| first.is_ascii_digit()) || !digits(first) || !digits(fraction) {
        return false;
    }
    let mut any = false;
    parts.all(|part| {
        any = true;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    }) && any
}

#[cfg(test)]
mod tests {
    use super::{is_base_60, wanted_style};
    use crate::syntax::ScalarStyle;

    #[test]
    fn quotes_what_would_be_read_as_something_else() {
        for text in ["", "1", "true", "yes", "~", "2020-01-02", "1:30", ".5", "0x1F"] {
            assert_eq!(wanted_style(text), ScalarStyle::DoubleQuoted, "{text}");
        }
        for text in ["a", "1.2.3", "=", "<<", "nulls", "12:60"] {
            assert_eq!(wanted_style(text), ScalarStyle::Plain, "{text}");
        }
    }

    #[test]
    fn knows_numbers_to_the_base_60() {
        for text in ["1:30", "190:20:30", "-1_0:5.5_", "1:2."] {
            assert!(is_base_60(text), "{text}");
        }
        for text in ["1:60", "1:", ":1", "a:1", "1:30:", "1:3.a", "130"] {
            assert!(!is_base_60(text), "{text}");
        }
    }
}
