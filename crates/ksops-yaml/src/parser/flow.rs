//! Collections in brackets and braces.

use crate::error::SyntaxError;
use crate::parser::{Parser, parse_error, span};
use crate::scan::cursor::Mark;
use crate::scan::token::TokenType;
use crate::syntax::{CollectionStyle, Comments, Content, NodeId};

impl<'a> Parser<'a> {
    pub(super) fn read_flow_sequence(
        &mut self,
        id: NodeId,
        start: Mark,
        depth: usize,
    ) -> Result<Mark, SyntaxError> {
        self.peek()?;
        self.take();
        let mut first = true;
        loop {
            let (mut kind, mut mark, mut end) = self.peek()?;
            if kind != TokenType::FlowSequenceEnd && !first {
                if kind != TokenType::FlowEntry {
                    return Err(parse_error("did not find expected ',' or ']'", Some(start), mark));
                }
                self.take();
                (kind, mark, end) = self.peek()?;
            }
            first = false;
            match kind {
                TokenType::FlowSequenceEnd => {
                    let comments = self.take_comments();
                    self.set_end_comments(id, comments);
                    self.take();
                    return Ok(end);
                }
                TokenType::Key => {
                    let pair = self.read_single_pair(mark, depth + 1)?;
                    self.push_child(id, pair);
                }
                _ => {
                    let child = self.read_node(false, false, depth + 1)?;
                    self.push_child(id, child);
                }
            }
        }
    }

    /// Reads `key: value` as an item of a list: a mapping of its own.
    fn read_single_pair(&mut self, start: Mark, depth: usize) -> Result<NodeId, SyntaxError> {
        let content = Content::Mapping(Vec::new(), CollectionStyle::Flow);
        let id = self.add(content, Comments::default(), span(start, start));
        self.take();
        let (kind, _, end) = self.peek()?;
        let key = match kind {
            TokenType::Value | TokenType::FlowEntry | TokenType::FlowSequenceEnd => {
                // As go-yaml: the token is taken, whatever it is.
                self.take();
                self.empty_scalar(end)
            }
            _ => self.read_node(false, false, depth + 1)?,
        };
        self.push_child(id, key);
        let (kind, mut mark, _) = self.peek()?;
        let mut value = None;
        if kind == TokenType::Value {
            self.take();
            let (kind, behind, _) = self.peek()?;
            mark = behind;
            if !matches!(kind, TokenType::FlowEntry | TokenType::FlowSequenceEnd) {
                value = Some(self.read_node(false, false, depth + 1)?);
            }
        }
        let value = value.unwrap_or_else(|| self.empty_scalar(mark));
        self.push_child(id, value);
        self.move_foot_to_key(key, value);
        self.peek()?;
        self.set_end_comments(id, Comments::default());
        let end = self.document.node(value).span.end;
        self.document.node_mut(id).span.end = end;
        Ok(id)
    }

    pub(super) fn read_flow_mapping(
        &mut self,
        id: NodeId,
        start: Mark,
        depth: usize,
    ) -> Result<Mark, SyntaxError> {
        self.peek()?;
        self.take();
        let mut first = true;
        loop {
            let (mut kind, mark, mut end) = self.peek()?;
            if kind != TokenType::FlowMappingEnd && !first {
                if kind != TokenType::FlowEntry {
                    return Err(parse_error("did not find expected ',' or '}'", Some(start), mark));
                }
                self.take();
                (kind, _, end) = self.peek()?;
            }
            first = false;
            let (key, value) = match kind {
                TokenType::FlowMappingEnd => {
                    let comments = self.take_comments();
                    self.set_end_comments(id, comments);
                    self.take();
                    return Ok(end);
                }
                TokenType::Key => {
                    self.take();
                    let (kind, mark, _) = self.peek()?;
                    let key = match kind {
                        TokenType::Value | TokenType::FlowEntry | TokenType::FlowMappingEnd => {
                            self.empty_scalar(mark)
                        }
                        _ => self.read_node(false, false, depth + 1)?,
                    };
                    self.push_child(id, key);
                    (key, self.read_flow_value(depth)?)
                }
                _ => {
                    let key = self.read_node(false, false, depth + 1)?;
                    self.push_child(id, key);
                    let (_, mark, _) = self.peek()?;
                    (key, self.empty_scalar(mark))
                }
            };
            self.push_child(id, value);
            self.move_foot_to_key(key, value);
        }
    }

    fn read_flow_value(&mut self, depth: usize) -> Result<NodeId, SyntaxError> {
        let (kind, mut mark, _) = self.peek()?;
        if kind == TokenType::Value {
            self.take();
            let (kind, behind, _) = self.peek()?;
            mark = behind;
            if !matches!(kind, TokenType::FlowEntry | TokenType::FlowMappingEnd) {
                return self.read_node(false, false, depth + 1);
            }
        }
        Ok(self.empty_scalar(mark))
    }
}
