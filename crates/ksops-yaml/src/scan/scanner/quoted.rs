//! Scalars in single and double quotes.

use std::borrow::Cow;

use zeroize::Zeroize;

use crate::error::SyntaxError;
use crate::scan::cursor::Mark;
use crate::scan::scanner::Scanner;
use crate::scan::scanner::plain::Breaks;
use crate::scan::scanner::scan_error;
use crate::scan::token::TokenKind;
use crate::syntax::ScalarStyle;

/// The text between the quotes: borrowed while nothing had to be undone.
struct Text {
    owned: Option<String>,
    /// Where the text begins that is not in `owned` yet.
    from: usize,
}

impl<'a> Scanner<'a> {
    /// Takes a quoted scalar.
    pub(super) fn scan_quoted(&mut self, single: bool) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let mut text = Text { owned: None, from: self.cursor.mark.at };
        if let Err(error) = self.scan_between_quotes(single, start, &mut text) {
            text.owned.zeroize();
            return Err(error);
        }
        let last = self.cursor.slice(text.from, self.cursor.mark.at);
        let value = match text.owned {
            Some(mut owned) => {
                owned.push_str(last);
                Cow::Owned(owned)
            }
            None => Cow::Borrowed(last),
        };
        self.cursor.skip();
        let style = if single { ScalarStyle::SingleQuoted } else { ScalarStyle::DoubleQuoted };
        self.push(TokenKind::Scalar(value, style), start);
        Ok(())
    }

    fn scan_between_quotes(&mut self, single: bool, start: Mark, text: &mut Text) -> Result<(), SyntaxError> {
        loop {
            if self.cursor.is_document_marker() {
                return Err(scan_error("found unexpected document indicator", Some(start), self.cursor.mark));
            }
            if self.cursor.is_end() {
                return Err(scan_error("found unexpected end of stream", Some(start), self.cursor.mark));
            }
            let mut breaks = Breaks::default();
            if self.scan_run(single, start, text)? {
                breaks = Breaks::escaped();
            }
            if self.cursor.byte(0) == if single { b'\'' } else { b'"' } {
                return Ok(());
            }
            let end = self.cursor.mark.at;
            let escaped = breaks.any();
            loop {
                if self.cursor.is_blank(0) {
                    self.cursor.skip();
                } else if self.cursor.is_break(0) {
                    breaks.push(self.cursor.skip_break());
                } else {
                    break;
                }
            }
            if breaks.any() {
                let piece = if escaped { "" } else { self.cursor.slice(text.from, end) };
                let owned = text.owned.get_or_insert_default();
                owned.push_str(piece);
                breaks.fold_into(owned);
                text.from = self.cursor.mark.at;
            }
        }
    }

    /// Goes over characters up to a blank, a break or the closing quote. Tells whether it ended in an escaped break.
    fn scan_run(&mut self, single: bool, start: Mark, text: &mut Text) -> Result<bool, SyntaxError> {
        while !self.cursor.is_blank_or_break_or_end(0) {
            match self.cursor.byte(0) {
                b'\'' if single && self.cursor.byte(1) == b'\'' => {
                    // The first of the two stays, the second goes.
                    self.cursor.skip();
                    self.keep(text);
                    self.cursor.skip();
                    text.from = self.cursor.mark.at;
                }
                b'\'' if single => break,
                b'"' if !single => break,
                b'\\' if !single && self.cursor.is_break(1) => {
                    self.keep(text);
                    self.cursor.skip();
                    self.cursor.skip_break();
                    text.from = self.cursor.mark.at;
                    return Ok(true);
                }
                b'\\' if !single => {
                    self.keep(text);
                    let character = self.scan_escape(start)?;
                    text.owned.get_or_insert_default().push(character);
                    text.from = self.cursor.mark.at;
                }
                _ => self.cursor.skip(),
            }
        }
        Ok(false)
    }

    /// Moves what was read into the owned text.
    fn keep(&self, text: &mut Text) {
        let piece = self.cursor.slice(text.from, self.cursor.mark.at);
        text.owned.get_or_insert_default().push_str(piece);
    }

    fn scan_escape(&mut self, start: Mark) -> Result<char, SyntaxError> {
        let character = match self.cursor.byte(1) {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\u{b}',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'e' => '\u{1b}',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.scan_code(2, start),
            b'u' => return self.scan_code(4, start),
            b'U' => return self.scan_code(8, start),
            _ => return Err(scan_error("found unknown escape character", Some(start), self.cursor.mark)),
        };
        self.cursor.skip();
        self.cursor.skip();
        Ok(character)
    }

    fn scan_code(&mut self, length: usize, start: Mark) -> Result<char, SyntaxError> {
        self.cursor.skip();
        self.cursor.skip();
        let mut code: u32 = 0;
        for place in 0..length {
            let Some(digit) = char::from(self.cursor.byte(place)).to_digit(16) else {
                let problem = "did not find expected hexdecimal number";
                return Err(scan_error(problem, Some(start), self.cursor.mark));
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            let problem = "found invalid Unicode character escape code";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        };
        self.cursor.skip_ascii(length);
        Ok(character)
    }
}
