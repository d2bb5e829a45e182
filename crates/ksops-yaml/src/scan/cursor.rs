//! A place in the text, and the characters there (YAML 1.1 chapter 5 as libyaml understands it).

use memchr::memchr2;

use crate::span::Position;

/// A place: byte, character, line and column, all counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    /// The byte.
    pub(crate) at: usize,
    /// The character; simple keys and comments are measured in characters.
    pub(crate) index: usize,
    /// The line.
    pub(crate) line: u32,
    /// The column, in characters.
    pub(crate) column: i32,
}

impl Mark {
    /// The place for messages.
    pub(crate) fn position(self) -> Position {
        Position { line: self.line + 1, column: u32::try_from(self.column).unwrap_or(0) + 1 }
    }
}

/// Reads the text, keeping count.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    /// Whether bytes are characters, and line breaks LF and CR only.
    is_ascii: bool,
    /// Where reading stands.
    pub(crate) mark: Mark,
    /// Line breaks since the last character that was no blank.
    pub(crate) newlines: u32,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, is_ascii: text.is_ascii(), mark: Mark::default(), newlines: 0 }
    }

    /// The text between two places.
    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The byte `ahead` bytes on; 0 behind the end (the text holds no NUL).
    #[inline]
    pub(crate) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.mark.at + ahead).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn is_end(&self) -> bool {
        self.mark.at >= self.text.len()
    }

    #[inline]
    pub(crate) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// How many bytes the line break there has; 0 if there is none. CR LF counts as one break only at the cursor.
    #[inline]
    pub(crate) fn break_len(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' | b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    #[inline]
    pub(crate) fn is_break(&self, ahead: usize) -> bool {
        self.break_len(ahead) > 0
    }

    #[inline]
    pub(crate) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.mark.at + ahead >= self.text.len() || self.is_break(ahead)
    }

    #[inline]
    pub(crate) fn is_blank_or_break_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether a character of an anchor, a directive or a tag's handle stands here.
    pub(crate) fn is_word(&self) -> bool {
        matches!(self.byte(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// Goes over one character that is no line break.
    #[inline]
    pub(crate) fn skip(&mut self) {
        let byte = self.byte(0);
        if !matches!(byte, b' ' | b'\t') {
            self.newlines = 0;
        }
        self.mark.at += width(byte);
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Goes over `count` ASCII characters that are neither blanks nor breaks.
    #[inline]
    pub(crate) fn skip_ascii(&mut self, count: usize) {
        if count > 0 {
            self.newlines = 0;
            self.mark.at += count;
            self.mark.index += count;
            self.mark.column += count as i32;
        }
    }

    pub(crate) fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    /// Goes to the end of the line.
    pub(crate) fn skip_to_break(&mut self) {
        let rest = &self.text.as_bytes()[self.mark.at..];
        let mut length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let mut characters = length;
        if !self.is_ascii {
            length =
                (0..length).find(|place| rest[*place] >= 0xc2 && self.is_break(*place)).unwrap_or(length);
            characters = rest[..length].iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        }
        if rest[..length].iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            self.newlines = 0;
        }
        self.mark.at += length;
        self.mark.index += characters;
        self.mark.column += characters as i32;
    }

    /// Goes over the characters of a plain scalar up to a blank, a break or what ends the scalar.
    pub(crate) fn skip_plain_run(&mut self, in_flow: bool) {
        let ends = if in_flow { &FLOW_ENDS } else { &BLOCK_ENDS };
        let rest = &self.text.as_bytes()[self.mark.at..];
        let mut length = 0;
        let mut continuation = 0;
        while let Some(byte) = rest.get(length) {
            if ends[usize::from(*byte)] {
                let goes_on = match byte {
                    b':' => !self.is_blank_or_break_or_end(length + 1),
                    0x80.. => !self.is_break(length),
                    _ => false,
                };
                if !goes_on {
                    break;
                }
                continuation += usize::from(byte & 0xc0 == 0x80);
            }
            length += 1;
        }
        if length > 0 {
            self.newlines = 0;
            self.mark.at += length;
            self.mark.index += length - continuation;
            self.mark.column += (length - continuation) as i32;
        }
    }

    /// Goes over a line break, if there is one, and gives what it means in a value.
    #[inline]
    pub(crate) fn skip_break(&mut self) -> &'a str {
        let (length, characters, meaning) = match self.byte(0) {
            b'\r' if self.byte(1) == b'\n' => (2, 2, "\n"),
            b'\n' | b'\r' => (1, 1, "\n"),
            _ => match self.break_len(0) {
                0 => return "",
                2 => (2, 1, "\n"),
                length => (length, 1, self.slice(self.mark.at, self.mark.at + length)),
            },
        };
        self.mark.at += length;
        self.mark.index += characters;
        self.mark.line += 1;
        self.mark.column = 0;
        self.newlines += 1;
        meaning
    }

    /// Whether a document marker (`---` or `...`) stands here, at the beginning of a line.
    #[inline]
    pub(crate) fn is_document_marker(&self) -> bool {
        self.mark.column == 0
            && matches!(self.byte(0), b'-' | b'.')
            && self.byte(1) == self.byte(0)
            && self.byte(2) == self.byte(0)
            && self.is_blank_or_break_or_end(3)
    }
}

/// Bytes at which a plain scalar in a block may end; bytes of longer characters, because some are line breaks.
const BLOCK_ENDS: [bool; 256] = ends(b" \t\n\r:");
/// The same in a flow collection.
const FLOW_ENDS: [bool; 256] = ends(b" \t\n\r:,?[]{}");

const fn ends(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut place = 0;
    while place < bytes.len() {
        table[bytes[place] as usize] = true;
        place += 1;
    }
    place = 0x80;
    while place < 256 {
        table[place] = true;
        place += 1;
    }
    table
}

/// The length of a character by its first byte.
#[inline]
fn width(first: u8) -> usize {
    match first {
        0..=0x7f => 1,
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    }
}
