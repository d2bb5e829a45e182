//! What a backslash begins: one character, or one of Perl's classes.

use super::cursor::{Cursor, Refusal};
use super::set::Set;

const PROBLEM: &str = "invalid escape sequence";

/// Reads an escaped character, the cursor standing on the backslash.
pub(crate) fn character(cursor: &mut Cursor<'_>) -> Result<u32, Refusal> {
    let start = cursor.at();
    cursor.next();
    let Some(escaped) = cursor.next() else {
        return Err(cursor
            .refuse("trailing backslash at end of expression", start)
            .advise(r"write `\\` for a backslash"));
    };
    let refuse = |cursor: &Cursor<'_>| match advice(escaped) {
        Some(advice) => cursor.refuse(PROBLEM, start).advise(advice),
        None => cursor.refuse(PROBLEM, start),
    };
    match escaped {
        '1'..='7' if octal(cursor.peek()).is_none() => Err(refuse(cursor)),
        '0'..='7' => {
            let mut value = u32::from(escaped) - u32::from('0');
            for _ in 0..2 {
                let Some(digit) = octal(cursor.peek()) else { break };
                cursor.next();
                value = value * 8 + digit;
            }
            Ok(value)
        }
        'x' => hexadecimal(cursor).ok_or_else(|| refuse(cursor)),
        'a' => Ok(0x07),
        'f' => Ok(0x0C),
        'n' => Ok(0x0A),
        'r' => Ok(0x0D),
        't' => Ok(0x09),
        'v' => Ok(0x0B),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok(u32::from(other)),
        _ => Err(refuse(cursor)),
    }
}

fn octal(next: Option<char>) -> Option<u32> {
    next.and_then(|next| next.to_digit(8))
}

/// Reads what follows `\x`: two digits, or any number of them in braces.
fn hexadecimal(cursor: &mut Cursor<'_>) -> Option<u32> {
    if !cursor.eat("{") {
        let high = cursor.next()?.to_digit(16)?;
        let low = cursor.next()?.to_digit(16)?;
        return Some(high * 16 + low);
    }
    let mut value = 0;
    let mut digits = 0;
    loop {
        match cursor.next()? {
            '}' => return (digits > 0).then_some(value),
            digit => value = value * 16 + digit.to_digit(16)?,
        }
        if value > u32::from(char::MAX) {
            return None;
        }
        digits += 1;
    }
}

fn advice(escaped: char) -> Option<&'static str> {
    Some(match escaped {
        '1'..='9' => "there are no backreferences",
        'x' => r"write two hexadecimal digits, or `\x{…}` up to 10FFFF",
        'u' | 'U' => r"write `\x{…}`",
        'Z' => r"write `\z` or `$`",
        'h' => r"write `[ \t]`",
        'H' => r"write `[^ \t]`",
        'R' => r"write `\r?\n`",
        'N' => r"write `[^\n]`",
        'K' | 'G' | 'X' | 'C' | 'k' | 'g' => "this dialect (RE2) has no such construct",
        'E' => r"`\E` only ends a `\Q`",
        'b' | 'B' | 'A' | 'z' | 'Q' => "this is not possible inside a class",
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => "a class cannot end a range",
        _ => return None,
    })
}

/// Reads one of `\d \D \s \S \w \W`, if it comes next. They are ASCII, and `\s` has no vertical tab.
pub(crate) fn perl_class(cursor: &mut Cursor<'_>, set: &mut Set) -> bool {
    const DIGIT: &[(u32, u32)] = &[(0x30, 0x39)];
    const SPACE: &[(u32, u32)] = &[(0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)];
    const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)];
    let mut ahead = cursor.rest().chars();
    if ahead.next() != Some('\\') {
        return false;
    }
    let (ranges, negated) = match ahead.next() {
        Some('d') => (DIGIT, false),
        Some('D') => (DIGIT, true),
        Some('s') => (SPACE, false),
        Some('S') => (SPACE, true),
        Some('w') => (WORD, false),
        Some('W') => (WORD, true),
        _ => return false,
    };
    cursor.next();
    cursor.next();
    set.add_ranges(ranges, negated);
    true
}
