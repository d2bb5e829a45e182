//! Counted repetition: the braces and the numbers in them.

use super::cursor::Cursor;

/// Reads `{n}`, `{n,}` or `{n,m}`; without any of these the brace is a literal and nothing is read.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<(u32, Option<u32>)> {
    let mut ahead = cursor.clone();
    ahead.eat("{");
    let min = count(&mut ahead)?;
    let max = if !ahead.eat(",") {
        Some(min)
    } else if ahead.peek() == Some('}') {
        None
    } else {
        Some(count(&mut ahead)?)
    };
    if !ahead.eat("}") {
        return None;
    }
    *cursor = ahead;
    Some((min, max))
}

/// A number without leading zeros; a huge one is only known to be too large.
fn count(cursor: &mut Cursor<'_>) -> Option<u32> {
    let rest = cursor.rest();
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let digits = &rest[..length];
    if digits.is_empty() || (length > 1 && digits.starts_with('0')) {
        return None;
    }
    cursor.eat(digits);
    Some(digits.parse().unwrap_or(u32::MAX))
}
