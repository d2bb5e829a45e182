//! Anchors, aliases, tags and directives.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::scan::cursor::Mark;
use crate::scan::scanner::Scanner;
use crate::scan::scanner::scan_error;
use crate::scan::token::TokenKind;

impl<'a> Scanner<'a> {
    /// Takes `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        let is_alias = self.cursor.byte(0) == b'*';
        self.cursor.skip();
        let name = self.scan_word();
        let ends = self.cursor.is_blank_or_break_or_end(0)
            || matches!(self.cursor.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            let problem = "did not find expected alphabetic or numeric character";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        }
        self.push(if is_alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) }, start);
        Ok(())
    }

    fn scan_word(&mut self) -> &'a str {
        let from = self.cursor.mark.at;
        while self.cursor.is_word() {
            self.cursor.skip();
        }
        self.cursor.slice(from, self.cursor.mark.at)
    }

    /// Takes a tag.
    pub(super) fn scan_tag(&mut self) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        let mut handle = Cow::Borrowed("");
        let suffix;
        if self.cursor.byte(1) == b'<' {
            self.cursor.skip();
            self.cursor.skip();
            suffix = self.scan_uri("", start)?;
            if self.cursor.byte(0) != b'>' {
                return Err(scan_error("did not find the expected '>'", Some(start), self.cursor.mark));
            }
            self.cursor.skip();
        } else {
            let word = self.scan_handle(false, start)?;
            if word.len() > 1 && word.ends_with('!') {
                handle = Cow::Borrowed(word);
                suffix = self.scan_uri("", start)?;
            } else {
                let uri = self.scan_uri(word, start)?;
                // `!` alone is the tag itself.
                (handle, suffix) =
                    if uri.is_empty() { (uri, Cow::Borrowed("!")) } else { (Cow::Borrowed("!"), uri) };
            }
        }
        if !self.cursor.is_blank_or_break_or_end(0) {
            let problem = "did not find expected whitespace or line break";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        }
        self.push(TokenKind::Tag { handle, suffix }, start);
        Ok(())
    }

    fn scan_handle(&mut self, directive: bool, start: Mark) -> Result<&'a str, SyntaxError> {
        let from = self.cursor.mark.at;
        let missing = |mark| scan_error("did not find expected '!'", Some(start), mark);
        if self.cursor.byte(0) != b'!' {
            return Err(missing(self.cursor.mark));
        }
        self.cursor.skip();
        self.scan_word();
        if self.cursor.byte(0) == b'!' {
            self.cursor.skip();
        } else if directive && self.cursor.mark.at - from != 1 {
            return Err(missing(self.cursor.mark));
        }
        Ok(self.cursor.slice(from, self.cursor.mark.at))
    }

    /// Takes the rest of a tag. `head` is what was read of it already, `!` included.
    fn scan_uri(&mut self, head: &'a str, start: Mark) -> Result<Cow<'a, str>, SyntaxError> {
        let from = self.cursor.mark.at;
        let mut decoded: Option<Vec<u8>> = None;
        let mut piece = from;
        loop {
            match self.cursor.byte(0) {
                b'%' => {
                    let bytes = decoded.get_or_insert_default();
                    bytes.extend_from_slice(self.cursor.slice(piece, self.cursor.mark.at).as_bytes());
                    self.scan_uri_escape(bytes, start)?;
                    piece = self.cursor.mark.at;
                }
                b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',' | b'.' | b'!' | b'~'
                | b'*' | b'\'' | b'(' | b')' | b'[' | b']' => self.cursor.skip(),
                _ if self.cursor.is_word() => self.cursor.skip(),
                _ => break,
            }
        }
        if head.is_empty() && self.cursor.mark.at == from {
            return Err(scan_error("did not find expected tag URI", Some(start), self.cursor.mark));
        }
        let head = head.strip_prefix('!').unwrap_or(head);
        let last = self.cursor.slice(piece, self.cursor.mark.at);
        let Some(mut bytes) = decoded else {
            // What was read already stands directly before.
            return Ok(Cow::Borrowed(self.cursor.slice(from - head.len(), self.cursor.mark.at)));
        };
        bytes.extend_from_slice(last.as_bytes());
        let decoded = String::from_utf8_lossy(&bytes);
        Ok(Cow::Owned(format!("{head}{decoded}")))
    }

    /// Takes one character in percent escapes.
    fn scan_uri_escape(&mut self, bytes: &mut Vec<u8>, start: Mark) -> Result<(), SyntaxError> {
        let mut left = None;
        while left != Some(0) {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let octet = match (self.cursor.byte(0), digit(self.cursor.byte(1)), digit(self.cursor.byte(2))) {
                (b'%', Some(high), Some(low)) => (high << 4 | low) as u8,
                _ => return Err(scan_error("did not find URI escaped octet", Some(start), self.cursor.mark)),
            };
            let rest = match left {
                None => match octet {
                    0..=0x7f => 0,
                    0xc0..=0xdf => 1,
                    0xe0..=0xef => 2,
                    0xf0..=0xf7 => 3,
                    _ => {
                        let problem = "found an incorrect leading UTF-8 octet";
                        return Err(scan_error(problem, Some(start), self.cursor.mark));
                    }
                },
                Some(_) if octet & 0xc0 != 0x80 => {
                    let problem = "found an incorrect trailing UTF-8 octet";
                    return Err(scan_error(problem, Some(start), self.cursor.mark));
                }
                Some(left) => left - 1,
            };
            bytes.push(octet);
            self.cursor.skip_ascii(3);
            left = Some(rest);
        }
        Ok(())
    }

    /// Takes a directive with its line.
    pub(super) fn scan_directive(&mut self) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let name = self.scan_word();
        let fail = |problem: &str, mark| Err(scan_error(problem, Some(start), mark));
        if name.is_empty() {
            return fail("could not find expected directive name", self.cursor.mark);
        }
        if !self.cursor.is_blank_or_break_or_end(0) {
            return fail("found unexpected non-alphabetical character", self.cursor.mark);
        }
        let kind = match name {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_tag_directive(start)?,
            _ => return fail("found unknown directive name", self.cursor.mark),
        };
        let end = self.cursor.mark;
        self.cursor.skip_blanks();
        if self.cursor.byte(0) == b'#' {
            let from = self.cursor.mark.at;
            self.cursor.skip_to_break();
            self.comments.note(from, self.cursor.mark.at);
        }
        if !self.cursor.is_break_or_end(0) {
            return fail("did not find expected comment or line break", self.cursor.mark);
        }
        self.cursor.skip_break();
        self.push(kind, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    fn scan_version(&mut self, start: Mark) -> Result<TokenKind<'a>, SyntaxError> {
        self.cursor.skip_blanks();
        let major = self.scan_version_number(start)?;
        if self.cursor.byte(0) != b'.' {
            let problem = "did not find expected digit or '.' character";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        }
        self.cursor.skip();
        let minor = self.scan_version_number(start)?;
        Ok(TokenKind::VersionDirective { major, minor })
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u8, SyntaxError> {
        let from = self.cursor.mark.at;
        while self.cursor.byte(0).is_ascii_digit() {
            self.cursor.skip();
        }
        let problem = match self.cursor.mark.at - from {
            0 => "did not find expected version number",
            1 | 2 => {
                let digits = self.cursor.slice(from, self.cursor.mark.at);
                return Ok(digits.parse().unwrap_or(0));
            }
            _ => "found extremely long version number",
        };
        Err(scan_error(problem, Some(start), self.cursor.mark))
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<TokenKind<'a>, SyntaxError> {
        self.cursor.skip_blanks();
        let handle = self.scan_handle(true, start)?;
        if !self.cursor.is_blank(0) {
            return Err(scan_error("did not find expected whitespace", Some(start), self.cursor.mark));
        }
        self.cursor.skip_blanks();
        let prefix = self.scan_uri("", start)?;
        if !self.cursor.is_blank_or_break_or_end(0) {
            let problem = "did not find expected whitespace or line break";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        }
        Ok(TokenKind::TagDirective { handle: Cow::Borrowed(handle), prefix })
    }
}
