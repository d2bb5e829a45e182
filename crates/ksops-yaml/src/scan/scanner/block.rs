//! Block scalars: literal `|` and folded `>`.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::scan::cursor::Mark;
use crate::scan::scanner::Scanner;
use crate::scan::scanner::scan_error;
use crate::scan::token::TokenKind;
use crate::syntax::ScalarStyle;

/// What happens to the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    /// Takes a block scalar.
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.max(0) + increment,
        };
        let mut end = self.cursor.mark;
        let mut text = String::new();
        let mut leading = "";
        let mut trailing = String::new();
        self.scan_block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        let mut leading_blank = false;
        while self.cursor.mark.column == indent && !self.cursor.is_end() {
            let trailing_blank = self.cursor.is_blank(0);
            if !literal && !leading_blank && !trailing_blank && leading == "\n" {
                if trailing.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(leading);
            }
            text.push_str(&trailing);
            trailing.clear();
            leading_blank = trailing_blank;
            let from = self.cursor.mark.at;
            self.cursor.skip_to_break();
            text.push_str(self.cursor.slice(from, self.cursor.mark.at));
            leading = self.cursor.skip_break();
            self.scan_block_breaks(&mut indent, &mut trailing, start, &mut end)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(leading);
        }
        if chomping == Chomping::Keep {
            text.push_str(&trailing);
        }
        let style = if literal { ScalarStyle::Literal } else { ScalarStyle::Folded };
        self.push(TokenKind::Scalar(Cow::Owned(text), style), start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        Ok(())
    }

    /// Takes the rest of the line of the indicator: chomping, indentation, comment.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, i32), SyntaxError> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        // One of each, in any order.
        for _ in 0..2 {
            match self.cursor.byte(0) {
                b'+' if chomping == Chomping::Clip => chomping = Chomping::Keep,
                b'-' if chomping == Chomping::Clip => chomping = Chomping::Strip,
                b'0' if increment == 0 => {
                    let problem = "found an indentation indicator equal to 0";
                    return Err(scan_error(problem, Some(start), self.cursor.mark));
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = i32::from(digit - b'0'),
                _ => break,
            }
            self.cursor.skip();
        }
        self.cursor.skip_blanks();
        if self.cursor.byte(0) == b'#' {
            self.comments.scan_line_comment(&mut self.cursor, start);
            self.cursor.skip_to_break();
        }
        if !self.cursor.is_break_or_end(0) {
            let problem = "did not find expected comment or line break";
            return Err(scan_error(problem, Some(start), self.cursor.mark));
        }
        self.cursor.skip_break();
        Ok((chomping, increment))
    }

    /// Goes over indentation and empty lines, and finds out the indentation if it is not known yet (0).
    fn scan_block_breaks(
        &mut self,
        indent: &mut i32,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Result<(), SyntaxError> {
        *end = self.cursor.mark;
        let mut deepest = 0;
        loop {
            let inside = |column: i32| *indent == 0 || column < *indent;
            while inside(self.cursor.mark.column) && self.cursor.byte(0) == b' ' {
                self.cursor.skip();
            }
            deepest = deepest.max(self.cursor.mark.column);
            if inside(self.cursor.mark.column) && self.cursor.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(scan_error(problem, Some(start), self.cursor.mark));
            }
            if !self.cursor.is_break(0) {
                break;
            }
            breaks.push_str(self.cursor.skip_break());
            *end = self.cursor.mark;
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
