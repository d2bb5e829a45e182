//! Where each value of a JSON text stands. Apart from reading, which does not need it.

use std::ops::Range;

use crate::json::load::JsonError;
use crate::json::scan::Scanner;

/// How deep arrays and objects may be nested, as in reading.
const MAX_DEPTH: usize = 1_000;

/// A value and its place.
pub(crate) struct Part {
    /// From its first byte to behind its last.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Part`] is.
pub(crate) enum Kind {
    /// A scalar.
    Leaf,
    /// An object: the places of keys, and the values.
    Map(Vec<(Range<usize>, Part)>),
    /// An array.
    List(Vec<Part>),
}

impl Part {
    /// The number of values in it.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            Kind::Leaf => 0,
            Kind::Map(items) => items.len(),
            Kind::List(items) => items.len(),
        }
    }

    /// Where the entries of a collection stand, keys included.
    pub(crate) fn entries(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Leaf => Vec::new(),
            Kind::Map(items) => items.iter().map(|(key, part)| key.start..part.span.end).collect(),
            Kind::List(items) => items.iter().map(|part| part.span.clone()).collect(),
        }
    }
}

/// Finds the places of the values of a text.
///
/// # Errors
/// [`JsonError`] if it is no JSON.
pub(crate) fn outline(bytes: &[u8]) -> Result<Part, JsonError> {
    let mut scanner = Scanner::new(bytes);
    scanner.skip_blanks();
    part(&mut scanner, 0)
}

fn part(scanner: &mut Scanner<'_>, depth: usize) -> Result<Part, JsonError> {
    if depth > MAX_DEPTH {
        return Err(scanner.error("nested too deep"));
    }
    let start = scanner.offset();
    let kind = match scanner.peek() {
        Some(b'{') => {
            let mut items = Vec::new();
            scanner.advance();
            scanner.skip_blanks();
            while scanner.peek() != Some(b'}') {
                let key_start = scanner.offset();
                scanner.string()?;
                let key = key_start..scanner.offset();
                scanner.skip_blanks();
                expect(scanner, b':')?;
                items.push((key, part(scanner, depth + 1)?));
                separator(scanner, b'}')?;
            }
            scanner.advance();
            Kind::Map(items)
        }
        Some(b'[') => {
            let mut items = Vec::new();
            scanner.advance();
            scanner.skip_blanks();
            while scanner.peek() != Some(b']') {
                items.push(part(scanner, depth + 1)?);
                separator(scanner, b']')?;
            }
            scanner.advance();
            Kind::List(items)
        }
        Some(b'"') => scanner.string().map(|_| Kind::Leaf)?,
        Some(b't') => scanner.word("true").map(|()| Kind::Leaf)?,
        Some(b'f') => scanner.word("false").map(|()| Kind::Leaf)?,
        Some(b'n') => scanner.word("null").map(|()| Kind::Leaf)?,
        _ => scanner.number().map(|_| Kind::Leaf)?,
    };
    Ok(Part { span: start..scanner.offset(), kind })
}

fn expect(scanner: &mut Scanner<'_>, byte: u8) -> Result<(), JsonError> {
    if scanner.peek() != Some(byte) {
        return Err(scanner.error("invalid character"));
    }
    scanner.advance();
    scanner.skip_blanks();
    Ok(())
}

/// Goes over a comma; the end of the collection stays.
fn separator(scanner: &mut Scanner<'_>, end: u8) -> Result<(), JsonError> {
    scanner.skip_blanks();
    if scanner.peek() == Some(end) {
        return Ok(());
    }
    expect(scanner, b',')
}
