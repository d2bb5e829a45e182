//! Takes JSON text apart: white space, strings, numbers, with exact places.

use ksops_yaml::span::Position;
use zeroize::Zeroizing;

use super::load::JsonError;

/// How many bytes are looked at together.
const BLOCK: usize = 64;

/// A cursor over JSON text.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    pub(crate) fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error at the cursor: what was expected instead of the byte there.
    pub(crate) fn error(&self, problem: &'static str) -> JsonError {
        match self.peek() {
            None => JsonError::End { position: self.position(self.at) },
            Some(_) => self.error_at(self.at, problem),
        }
    }

    /// An error at a byte offset.
    pub(crate) fn error_at(&self, offset: usize, problem: &'static str) -> JsonError {
        JsonError::Syntax { problem, position: self.position(offset) }
    }

    /// The line and column of a byte offset; counts from the start, so only for messages.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let text = String::from_utf8_lossy(&self.bytes[..offset.min(self.bytes.len())]);
        Position::of(&text, u32::try_from(text.len()).unwrap_or(u32::MAX))
    }

    /// Takes `word` (`true`, `false` or `null`).
    pub(crate) fn word(&mut self, word: &'static str) -> Result<(), JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.error("invalid character, looking for beginning of value"))
    }

    /// Takes a number's text.
    pub(crate) fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error("invalid character in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        // Only ASCII was taken.
        std::str::from_utf8(&self.bytes[start..self.at]).map_err(|_| self.error_at(start, "bad number"))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("invalid character in numeric literal")) } else { Ok(()) }
    }

    /// Takes a string, the cursor being on its opening quote. Bytes that are not UTF-8 and lone surrogates become
    /// U+FFFD, as upstream has it.
    pub(crate) fn string(&mut self) -> Result<Zeroizing<String>, JsonError> {
        let open = self.at;
        self.at += 1;
        let end = self.closing_quote(open)?;
        let bytes = self.bytes;
        // Most strings are plain text: one copy of exactly that size.
        if memchr::memchr(b'\\', &bytes[self.at..end]).is_none()
            && let Ok(text) = std::str::from_utf8(&bytes[self.at..end])
        {
            self.at = end + 1;
            return Ok(Zeroizing::new(text.to_owned()));
        }
        // Large enough for the worst case, U+FFFD for every byte: growing would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity((end - self.at) * 3));
        while self.at < end {
            let run = memchr::memchr(b'\\', &bytes[self.at..end]).map_or(end, |found| self.at + found);
            push_lossy(&mut text, &bytes[self.at..run]);
            self.at = run;
            if self.at < end {
                self.at += 1;
                self.escape(&mut text)?;
            }
        }
        self.at = end + 1;
        Ok(text)
    }

    fn closing_quote(&self, open: usize) -> Result<usize, JsonError> {
        let mut at = open + 1;
        while at < self.bytes.len() {
            at += plain_prefix(&self.bytes[at..]);
            let block_end = self.bytes.len().min(at + BLOCK);
            while at < block_end {
                match self.bytes[at] {
                    b'"' => return Ok(at),
                    b'\\' => at += 2,
                    0..=0x1f => return Err(self.error_at(at, "invalid character in string literal")),
                    _ => at += 1,
                }
            }
        }
        Err(JsonError::End { position: self.position(open) })
    }

    fn escape(&mut self, text: &mut String) -> Result<(), JsonError> {
        let place = self.at - 1;
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex(place)?;
                let character = self.unit(unit);
                text.push(character);
                return Ok(());
            }
            _ => return Err(self.error_at(place, "invalid character in string escape code")),
        };
        self.at += 1;
        text.push(character);
        Ok(())
    }

    /// The character of a UTF-16 unit, taking the second half of a pair if it follows.
    fn unit(&mut self, unit: u16) -> char {
        if !(0xd800..0xe000).contains(&unit) {
            return char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            if let Ok(second) = self.hex(before)
                && let Some(Ok(character)) = char::decode_utf16([unit, second]).next()
            {
                return character;
            }
            self.at = before;
        }
        char::REPLACEMENT_CHARACTER
    }

    fn hex(&mut self, place: usize) -> Result<u16, JsonError> {
        let digits = self.bytes.get(self.at..self.at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit
            .ok_or_else(|| self.error_at(place, "invalid character in \\u hexadecimal character escape"))?;
        self.at += 4;
        Ok(unit)
    }
}

/// How many bytes at the start may stand in a string as they are; some at its end may be left out.
///
/// Looks at blocks without a branch for each byte, so that long strings cost little.
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let blocks = bytes.chunks_exact(BLOCK);
    let plain = blocks.take_while(|block| !block.iter().fold(false, |any, byte| any | is_special(*byte)));
    plain.count() * BLOCK
}

/// Whether `text` is a number as JSON has it, and nothing else.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.number().is_ok() && scanner.peek().is_none()
}

fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // Upstream replaces every single byte, not every maximal broken sequence.
        for _ in chunk.invalid() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}
