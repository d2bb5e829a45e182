//! What a single word of the command line is at a level. Apart from the parser, because reordering, parsing and
//! checking must agree on it (specification cli-and-config.md section 1.1, rules 1 to 3).

use crate::args::level::Levels;
use crate::args::table::{Flag, Kind, find};

/// A word, classified.
pub(crate) enum Word<'a> {
    /// A known flag, under the name as typed, with the part behind `=` if there is one.
    Known { flag: &'static Flag, typed: &'a str, inline: Option<&'a str> },
    /// Written like a flag, but the level has none of that name.
    Unknown { typed: &'a str },
    /// Dashes without a name.
    Malformed,
    /// `--`.
    Delimiter,
    /// No flag.
    Operand,
}

impl<'a> Word<'a> {
    /// Classifies `word` at a level.
    pub(crate) fn of(word: &'a str, levels: Levels) -> Self {
        if word == "--" {
            return Self::Delimiter;
        }
        let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            return Self::Operand;
        };
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        if rest.starts_with(['-', '=']) {
            return Self::Malformed;
        }
        let (typed, inline) = match rest.split_once('=') {
            Some((typed, value)) => (typed, Some(value)),
            None => (rest, None),
        };
        match find(typed, levels) {
            Some(flag) => Self::Known { flag, typed, inline },
            None => Self::Unknown { typed },
        }
    }

    /// Whether the word is a known flag that takes its value from the next word.
    pub(crate) fn wants_next(&self) -> bool {
        matches!(self, Self::Known { flag, inline: None, .. } if !matches!(flag.kind, Kind::Switch { .. }))
    }
}

/// Whether an unknown `-…` word behind a positional argument may be data: a negative number.
pub(crate) fn may_be_number(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit() || first == '.'))
}

/// A boolean in the forms of rule 3.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number: decimal, or with `0x`, `0o`, `0b` in front.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (radix, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some("0o" | "0O") => (8, &digits[2..]),
        Some("0b" | "0B") => (2, &digits[2..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::{boolean, integer, may_be_number};

    #[test]
    fn reads_whole_numbers_in_four_bases() {
        for (text, number) in [
            ("4", Some(4)),
            ("-1", Some(-1)),
            ("+2", Some(2)),
            ("0x10", Some(16)),
            ("0b11", Some(3)),
            ("0o17", Some(15)),
        ] {
            assert_eq!(integer(text), number, "{text}");
        }
        for text in ["", "-", "x", "1.5", "--1", "0x-1", "9999999999999999999", "1 "] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn booleans_are_the_twelve_words_only() {
        assert_eq!(boolean("T"), Some(true));
        assert_eq!(boolean("False"), Some(false));
        assert_eq!(boolean("yes"), None);
        assert_eq!(boolean(""), None);
    }

    #[test]
    fn a_negative_number_is_no_flag() {
        assert!(may_be_number("-1"));
        assert!(may_be_number("-.5"));
        assert!(!may_be_number("-x"));
        assert!(!may_be_number("--1"));
    }
}
