//! Takes a text apart into tokens.
//!
//! The state follows libyaml (indentation stack, one possible simple key a flow level, tokens queued until it is known
//! whether a key begins there), because what go-yaml accepts, and where it puts comments, follows from it.

use std::collections::VecDeque;

use crate::error::SyntaxError;
use crate::parser::Limits;
use crate::scan::comment::Comments;
use crate::scan::cursor::{Cursor, Mark};
use crate::scan::scanner::simple_key::SimpleKey;
use crate::scan::token::{Token, TokenKind, TokenType};

mod block;
mod plain;
mod quoted;
mod simple_key;
mod tag;

/// Takes a text apart.
pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    tokens: VecDeque<Token<'a>>,
    /// How many tokens were taken out of the queue.
    taken: usize,
    ready: bool,
    started: bool,
    ended: bool,
    /// The column of the innermost block; -1 outside.
    indent: i32,
    indents: Vec<i32>,
    flow_level: usize,
    simple_key_allowed: bool,
    /// One for each flow level and one for the block context.
    simple_keys: Vec<SimpleKey>,
    /// Comments that wait for their token.
    pub(crate) comments: Comments<'a>,
    limits: Limits,
}

/// An error of the scanner; go-yaml names the line of the construct if it is not the first.
fn scan_error(problem: impl Into<String>, context: Option<Mark>, at: Mark) -> SyntaxError {
    let line = match context {
        Some(context) if context.line != 0 => context.line + 1,
        _ if at.line != 0 => at.line + 1,
        _ => 0,
    };
    SyntaxError::new(problem, line, at.position())
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            cursor: Cursor::new(text),
            tokens: VecDeque::new(),
            taken: 0,
            ready: false,
            started: false,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: false,
            simple_keys: Vec::new(),
            comments: Comments::default(),
            limits,
        }
    }

    /// Gives the next token without taking it.
    pub(crate) fn peek(&mut self) -> Result<&Token<'a>, SyntaxError> {
        if !self.ready {
            self.fetch_enough()?;
        }
        self.tokens
            .front()
            .ok_or_else(|| scan_error("attempted to go past the end of stream", None, self.cursor.mark))
    }

    /// Whether the next token, which was peeked at, is a directive.
    pub(crate) fn next_is_directive(&self) -> bool {
        let kind = self.tokens.front().map(|token| token.kind.token_type());
        matches!(kind, Some(TokenType::VersionDirective | TokenType::TagDirective))
    }

    /// Whether nothing follows but the end; an error that follows counts as something.
    pub(crate) fn is_at_end(&mut self) -> bool {
        matches!(self.peek(), Ok(Token { kind: TokenKind::StreamEnd, .. }))
    }

    /// Takes the token that [`Scanner::peek`] gave.
    pub(crate) fn take(&mut self) -> Option<Token<'a>> {
        self.ready = false;
        self.taken += 1;
        self.tokens.pop_front()
    }

    /// Fetches tokens until the first one is certain. Two more are wanted, so that comments behind it are known.
    fn fetch_enough(&mut self) -> Result<(), SyntaxError> {
        loop {
            if self.tokens.len() > 2 && !self.head_may_be_key()? || self.ended {
                break;
            }
            self.fetch()?;
        }
        self.ready = true;
        Ok(())
    }

    /// Opens a block at `column` if it is further in; `number` says before which token.
    fn roll_indent(
        &mut self,
        column: i32,
        number: Option<usize>,
        kind: TokenKind<'a>,
        mark: Mark,
    ) -> Result<(), SyntaxError> {
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > self.limits.depth {
            return Err(self.too_deep());
        }
        let token = Token { kind, start: mark, end: mark };
        match number {
            Some(number) => self.insert(number, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Puts a token before the one with this number; at the end if that was taken already.
    fn insert(&mut self, number: usize, token: Token<'a>) {
        match number.checked_sub(self.taken) {
            Some(place) if place <= self.tokens.len() => self.tokens.insert(place, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn too_deep(&self) -> SyntaxError {
        scan_error(format!("exceeded max depth of {}", self.limits.depth), None, self.cursor.mark)
    }

    /// Closes the blocks that are further in than `column`. Each end moves in front of the comments that start at
    /// the column of its block, so that they become its foot.
    fn unroll_indent(&mut self, column: i32, scan_mark: Mark) {
        if self.flow_level > 0 {
            return;
        }
        let mut block_mark = scan_mark;
        // One before the first: the scan mark itself may be 0.
        let mut block_index = scan_mark.index as i64 - 1;
        while self.indent > column {
            self.comments.block_mark(self.indent, &mut block_mark, &mut block_index);
            let mark = Mark { index: usize::try_from(block_index).unwrap_or(0), ..block_mark };
            self.tokens.push_back(Token { kind: TokenKind::BlockEnd, start: mark, end: mark });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn push(&mut self, kind: TokenKind<'a>, start: Mark) {
        self.tokens.push_back(Token { kind, start, end: self.cursor.mark });
    }

    /// Fetches one more token, or several.
    fn fetch(&mut self) -> Result<(), SyntaxError> {
        if !self.started {
            self.started = true;
            self.simple_keys.push(SimpleKey::default());
            self.simple_key_allowed = true;
            self.push(TokenKind::StreamStart, self.cursor.mark);
            return Ok(());
        }
        let scan_mark = self.cursor.mark;
        self.scan_to_next_token();
        self.unroll_indent(self.cursor.mark.column, scan_mark);
        let cursor = &self.cursor;
        let byte = cursor.byte(0);
        if cursor.is_end() {
            return self.fetch_stream_end();
        }
        if cursor.mark.column == 0 && byte == b'%' {
            return self.fetch_directive();
        }
        if cursor.is_document_marker() {
            let kind = if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
            return self.fetch_document_marker(kind);
        }
        let behind = if self.flow_level == 0 { b':' } else { b',' };
        let mut comment_mark = cursor.mark;
        if byte == behind
            && let Some(last) = self.tokens.back()
        {
            comment_mark = last.start;
        }
        self.fetch_content(byte)?;
        if !matches!(self.tokens.back(), Some(Token { kind: TokenKind::BlockEntry, .. })) {
            self.comments.scan_line_comment(&mut self.cursor, comment_mark);
        }
        Ok(())
    }

    fn fetch_content(&mut self, byte: u8) -> Result<(), SyntaxError> {
        let in_flow = self.flow_level > 0;
        let before_blank = self.cursor.is_blank_or_break_or_end(1);
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_indicator(TokenKind::FlowEntry, true),
            b'-' if before_blank => self.fetch_block_entry(),
            b'?' if in_flow || before_blank => self.fetch_key(),
            b':' if in_flow || before_blank => self.fetch_value(),
            b'*' | b'&' => {
                self.begin_node(false)?;
                self.scan_anchor()
            }
            b'!' => {
                self.begin_node(false)?;
                self.scan_tag()
            }
            b'|' | b'>' if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.scan_block_scalar(byte == b'|')
            }
            b'\'' | b'"' => {
                self.begin_node(false)?;
                self.scan_quoted(byte == b'\'')
            }
            b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' if !self.may_begin_plain(byte) => {
                Err(scan_error(
                    "found character that cannot start any token",
                    Some(self.cursor.mark),
                    self.cursor.mark,
                ))
            }
            _ if self.cursor.is_blank_or_break_or_end(0) => Err(scan_error(
                "found character that cannot start any token",
                Some(self.cursor.mark),
                self.cursor.mark,
            )),
            _ => {
                self.begin_node(false)?;
                self.scan_plain()
            }
        }
    }

    /// Whether an indicator may begin a plain scalar after all.
    fn may_begin_plain(&self, byte: u8) -> bool {
        match byte {
            b'-' => !self.cursor.is_blank(1),
            b'?' | b':' => self.flow_level == 0 && !self.cursor.is_blank_or_break_or_end(1),
            _ => false,
        }
    }

    /// A node that may be a key begins here.
    fn begin_node(&mut self, allowed_after: bool) -> Result<(), SyntaxError> {
        self.save_simple_key()?;
        self.simple_key_allowed = allowed_after;
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Result<(), SyntaxError> {
        if self.cursor.mark.column != 0 {
            self.cursor.mark.column = 0;
            self.cursor.mark.line += 1;
        }
        self.unroll_indent(-1, self.cursor.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.cursor.mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), SyntaxError> {
        self.unroll_indent(-1, self.cursor.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_directive()
    }

    fn fetch_document_marker(&mut self, kind: TokenKind<'a>) -> Result<(), SyntaxError> {
        self.unroll_indent(-1, self.cursor.mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.mark;
        self.cursor.skip_ascii(3);
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), SyntaxError> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey {
            token_number: self.taken + self.tokens.len(),
            mark: self.cursor.mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > self.limits.depth {
            return Err(self.too_deep());
        }
        self.simple_key_allowed = true;
        let start = self.cursor.mark;
        self.cursor.skip();
        self.push(kind, start);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), SyntaxError> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            let inner = self.simple_keys.pop().map(|key| key.token_number);
            if let Some(outer) = self.simple_keys.last_mut().filter(|outer| Some(outer.token_number) == inner)
            {
                outer.awaited = false;
            }
        }
        self.simple_key_allowed = false;
        let start = self.cursor.mark;
        self.cursor.skip();
        self.push(kind, start);
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: TokenKind<'a>, allowed_after: bool) -> Result<(), SyntaxError> {
        self.remove_simple_key()?;
        self.simple_key_allowed = allowed_after;
        let start = self.cursor.mark;
        self.cursor.skip();
        self.push(kind, start);
        Ok(())
    }

    /// In the block context an entry, key or value opens its block, if simple keys are allowed here.
    fn open_block(&mut self, kind: TokenKind<'a>, problem: &'static str) -> Result<(), SyntaxError> {
        if self.flow_level > 0 {
            return Ok(());
        }
        let mark = self.cursor.mark;
        if !self.simple_key_allowed {
            return Err(scan_error(problem, Some(mark), mark));
        }
        self.roll_indent(mark.column, None, kind, mark)
    }

    fn fetch_block_entry(&mut self) -> Result<(), SyntaxError> {
        let problem = "block sequence entries are not allowed in this context";
        self.open_block(TokenKind::BlockSequenceStart, problem)?;
        self.fetch_indicator(TokenKind::BlockEntry, true)
    }

    fn fetch_key(&mut self) -> Result<(), SyntaxError> {
        self.open_block(TokenKind::BlockMappingStart, "mapping keys are not allowed in this context")?;
        self.fetch_indicator(TokenKind::Key, self.flow_level == 0)
    }

    fn fetch_value(&mut self) -> Result<(), SyntaxError> {
        let level = self.simple_keys.len().saturating_sub(1);
        if self.simple_key_is_valid(level)? {
            let SimpleKey { token_number, mark, .. } = self.simple_keys[level];
            let key = Token { kind: TokenKind::Key, start: mark, end: mark };
            self.insert(token_number, key);
            self.roll_indent(mark.column, Some(token_number), TokenKind::BlockMappingStart, mark)?;
            self.simple_keys[level].possible = false;
            self.simple_key_allowed = false;
        } else {
            let problem = "mapping values are not allowed in this context";
            self.open_block(TokenKind::BlockMappingStart, problem)?;
            self.simple_key_allowed = self.flow_level == 0;
        }
        let start = self.cursor.mark;
        self.cursor.skip();
        self.push(TokenKind::Value, start);
        Ok(())
    }

    /// Goes over blanks, line breaks and comments.
    fn scan_to_next_token(&mut self) {
        let scan_mark = self.cursor.mark;
        loop {
            let tabs_are_blank = self.flow_level > 0 || !self.simple_key_allowed;
            while self.cursor.byte(0) == b' ' || (tabs_are_blank && self.cursor.byte(0) == b'\t') {
                self.cursor.skip();
            }
            self.comments.turn_line_into_head(&self.tokens, &self.cursor);
            if self.cursor.byte(0) == b'#' {
                self.comments.scan(
                    &mut self.cursor,
                    &self.tokens,
                    scan_mark,
                    self.indent,
                    self.flow_level > 0,
                );
            }
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.skip_break();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }
}
