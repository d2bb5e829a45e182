//! The styles of scalars, as a careful human would write them.

use std::fmt::Write as _;

/// Whether `text` can stand plain anywhere, with room to spare.
#[must_use]
pub fn fits_plain(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_alphanumeric() || "_./+<~=(".contains(first))
        && letters.all(|letter| letter.is_alphanumeric() || "_./+-=<>~ @$%^()|;!".contains(letter))
        && !text.ends_with(' ')
}

/// Writes `text` in single quotes, if that can be.
pub fn single_quoted(text: &str, out: &mut String) -> bool {
    if text.chars().any(|letter| letter.is_control() || "\u{2028}\u{2029}\u{feff}".contains(letter)) {
        return false;
    }
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
    true
}

/// Writes `text` in double quotes.
pub fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if letter.is_control() || letter as u32 > 0xffff || letter == '\u{feff}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\U{:08x}", letter as u32);
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

/// Writes the lines of a block scalar, without those that would end the text or are not YAML.
pub fn literal(text: &str, column: usize, out: &mut String) {
    for line in text.split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out.extend(
                line.chars().filter(|letter| !letter.is_control() || *letter == '\t' || *letter == '\u{85}'),
            );
        }
        out.push('\n');
    }
}
