//! The lines of a text, with their places.

use ksops_yaml::span::Position;

/// Gives line after line, each with its line feed.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    /// Starts behind a byte order mark.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let start = match text {
            [0xef, 0xbb, 0xbf, ..] => 3,
            // Upstream skips these too, but reads on in bytes.
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => 2,
            _ => 0,
        };
        Self { text, start, end: start, number: 0 }
    }

    /// The next line.
    pub(crate) fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.text[self.end..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.start = self.end;
        self.end += length;
        self.number = self.number.saturating_add(1);
        Some(&self.text[self.start..self.end])
    }

    /// Where in the text the last bytes of the current line start, so many as `tail` has.
    pub(crate) fn offset(&self, tail: &[u8]) -> usize {
        self.end.saturating_sub(tail.len())
    }

    /// The place of the last bytes of the current line.
    pub(crate) fn position(&self, tail: &[u8]) -> Position {
        let before = &self.text[self.start..self.offset(tail).max(self.start)];
        let letters = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        Position { line: self.number, column: u32::try_from(letters).unwrap_or(u32::MAX).saturating_add(1) }
    }

    /// A part of the text.
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.get(start..end).unwrap_or_default()
    }
}
