//! Sets of characters: the text of a class as the `regex` crate reads it, in explicit ranges.

use std::fmt::Write;

use super::cursor::{Cursor, Refusal};
use super::escape;
use super::property;

/// No character at all, as an item of a class.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// The items of a class, already in the syntax of the `regex` crate.
#[derive(Debug, Default)]
pub(crate) struct Set {
    items: String,
}

impl Set {
    /// Adds the characters from `low` to `high`. Surrogates, which Go's syntax can name, match no text.
    pub(crate) fn add(&mut self, low: u32, high: u32) {
        let low = if (0xD800..0xE000).contains(&low) { 0xE000 } else { low };
        let high = if (0xD800..0xE000).contains(&high) { 0xD7FF } else { high };
        if low <= high {
            let _ = write!(self.items, r"\x{{{low:X}}}-\x{{{high:X}}}");
        }
    }

    /// Adds the characters of `ranges`, or all others.
    pub(crate) fn add_ranges(&mut self, ranges: &[(u32, u32)], negated: bool) {
        let mut inner = Self::default();
        for &(low, high) in ranges {
            inner.add(low, high);
        }
        if negated {
            self.items.push_str(&inner.emit(true));
        } else {
            self.items.push_str(&inner.items);
        }
    }

    /// Adds an item in the syntax of the `regex` crate.
    pub(crate) fn add_item(&mut self, item: &str) {
        self.items.push_str(item);
    }

    /// The class, with its brackets.
    pub(crate) fn emit(&self, negated: bool) -> String {
        let items = if self.items.is_empty() { NOTHING } else { &self.items };
        format!("[{}{items}]", if negated { "^" } else { "" })
    }
}

/// Reads a class, the cursor standing on its `[`, and gives the emitted one.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<String, Refusal> {
    let start = cursor.at();
    cursor.next();
    let negated = cursor.eat("^");
    let mut set = Set::default();
    let mut first = true;
    loop {
        if !first && cursor.eat("]") {
            return Ok(set.emit(negated));
        }
        first = false;
        if cursor.rest().is_empty() {
            return Err(cursor
                .refuse("missing closing ]", start)
                .advise(r"close the class, or write `\[` for a bracket"));
        }
        if posix(cursor, &mut set)?
            || property::parse(cursor, &mut set)?
            || escape::perl_class(cursor, &mut set)
        {
            continue;
        }
        let range_start = cursor.at();
        let low = character(cursor, start)?;
        let mut high = low;
        let rest = cursor.rest();
        if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
            cursor.next();
            high = character(cursor, start)?;
            if high < low {
                return Err(cursor
                    .refuse("invalid character class range", range_start)
                    .advise(r"write the lower end first, or `\-` for a hyphen"));
            }
        }
        set.add(low, high);
    }
}

fn character(cursor: &mut Cursor<'_>, class_start: usize) -> Result<u32, Refusal> {
    if cursor.peek() == Some('\\') {
        return escape::character(cursor);
    }
    match cursor.next() {
        Some(next) => Ok(u32::from(next)),
        None => Err(cursor.refuse("missing closing ]", class_start)),
    }
}

/// Reads `[:name:]`, if it comes next.
fn posix(cursor: &mut Cursor<'_>, set: &mut Set) -> Result<bool, Refusal> {
    let start = cursor.at();
    let Some(name) =
        cursor.rest().strip_prefix("[:").and_then(|rest| rest.split_once(":]")).map(|parts| parts.0)
    else {
        return Ok(false);
    };
    cursor.eat("[:");
    cursor.until(":]");
    let (negated, word) = match name.strip_prefix('^') {
        Some(word) => (true, word),
        None => (false, name),
    };
    let Some(ranges) = posix_ranges(word) else {
        return Err(cursor
            .refuse("invalid character class range", start)
            .advise("the names are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word and xdigit"));
    };
    set.add_ranges(ranges, negated);
    Ok(true)
}

fn posix_ranges(name: &str) -> Option<&'static [(u32, u32)]> {
    Some(match name {
        "alnum" => &[(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)],
        "alpha" => &[(0x41, 0x5A), (0x61, 0x7A)],
        "ascii" => &[(0, 0x7F)],
        "blank" => &[(0x09, 0x09), (0x20, 0x20)],
        "cntrl" => &[(0, 0x1F), (0x7F, 0x7F)],
        "digit" => &[(0x30, 0x39)],
        "graph" => &[(0x21, 0x7E)],
        "lower" => &[(0x61, 0x7A)],
        "print" => &[(0x20, 0x7E)],
        "punct" => &[(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
        "space" => &[(0x09, 0x0D), (0x20, 0x20)],
        "upper" => &[(0x41, 0x5A)],
        "word" => &[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
        "xdigit" => &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)],
        _ => return None,
    })
}
