//! Scalars without quotes.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::scan::scanner::Scanner;
use crate::scan::scanner::scan_error;
use crate::scan::token::TokenKind;
use crate::syntax::ScalarStyle;

/// Line breaks between two pieces of a scalar that goes over several lines.
#[derive(Default)]
pub(super) struct Breaks<'a> {
    first: &'a str,
    later: String,
    any: bool,
}

impl<'a> Breaks<'a> {
    /// Marks a break that leaves nothing (an escaped one).
    pub(super) fn escaped() -> Self {
        Self { any: true, ..Self::default() }
    }

    pub(super) fn any(&self) -> bool {
        self.any
    }

    pub(super) fn push(&mut self, text: &'a str) {
        if self.any {
            self.later.push_str(text);
        } else {
            self.first = text;
            self.any = true;
        }
    }

    /// Folds: one break becomes a blank, further ones stay.
    pub(super) fn fold_into(self, out: &mut String) {
        if self.first != "\n" {
            out.push_str(self.first);
            out.push_str(&self.later);
        } else if self.later.is_empty() {
            out.push(' ');
        } else {
            out.push_str(&self.later);
        }
    }
}

impl<'a> Scanner<'a> {
    /// Takes a plain scalar.
    pub(super) fn scan_plain(&mut self) -> Result<(), SyntaxError> {
        let start = self.cursor.mark;
        let mut end = start;
        let indent = self.indent + 1;
        let in_flow = self.flow_level > 0;
        let mut folded = String::new();
        let mut piece = start.at;
        let mut breaks = Breaks::default();
        loop {
            if self.cursor.is_document_marker() || self.cursor.byte(0) == b'#' {
                break;
            }
            let begin = self.cursor.mark.at;
            self.cursor.skip_plain_run(in_flow);
            if self.cursor.mark.at > begin {
                if breaks.any() {
                    folded.push_str(self.cursor.slice(piece, end.at));
                    std::mem::take(&mut breaks).fold_into(&mut folded);
                    piece = begin;
                }
                end = self.cursor.mark;
            }
            if !self.cursor.is_blank(0) && !self.cursor.is_break(0) {
                break;
            }
            loop {
                if self.cursor.is_blank(0) {
                    if breaks.any() && self.cursor.mark.column < indent && self.cursor.byte(0) == b'\t' {
                        let problem = "found a tab character that violates indentation";
                        return Err(scan_error(problem, Some(start), self.cursor.mark));
                    }
                    self.cursor.skip();
                } else if self.cursor.is_break(0) {
                    breaks.push(self.cursor.skip_break());
                } else {
                    break;
                }
            }
            if !in_flow && self.cursor.mark.column < indent {
                break;
            }
        }
        let last = self.cursor.slice(piece, end.at);
        let text = if piece == start.at {
            Cow::Borrowed(last)
        } else {
            folded.push_str(last);
            Cow::Owned(folded)
        };
        let token = TokenKind::Scalar(text, ScalarStyle::Plain);
        self.push(token, start);
        if let Some(token) = self.tokens.back_mut() {
            token.end = end;
        }
        if breaks.any() {
            self.simple_key_allowed = true;
        }
        Ok(())
    }
}
