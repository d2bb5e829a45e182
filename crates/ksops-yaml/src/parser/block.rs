//! Collections by indentation.

use crate::error::SyntaxError;
use crate::parser::{Parser, parse_error};
use crate::scan::cursor::Mark;
use crate::scan::token::TokenType;
use crate::syntax::{Comments, Content, NodeId};

impl<'a> Parser<'a> {
    pub(super) fn read_block_sequence(
        &mut self,
        id: NodeId,
        start: Mark,
        depth: usize,
    ) -> Result<Mark, SyntaxError> {
        self.peek()?;
        self.take();
        loop {
            let (kind, mark, end) = self.peek()?;
            match kind {
                TokenType::BlockEntry => self.read_entry(id, end, depth, false)?,
                TokenType::BlockEnd => {
                    self.set_end_comments(id, Comments::default());
                    self.take();
                    return Ok(mark);
                }
                _ => return Err(parse_error("did not find expected '-' indicator", Some(start), mark)),
            }
        }
    }

    pub(super) fn read_indentless_sequence(&mut self, id: NodeId, depth: usize) -> Result<Mark, SyntaxError> {
        loop {
            let (kind, mark, end) = self.peek()?;
            if kind != TokenType::BlockEntry {
                self.set_end_comments(id, Comments::default());
                return Ok(mark);
            }
            self.read_entry(id, end, depth, true)?;
        }
    }

    /// Reads a dash and what stands behind it.
    fn read_entry(
        &mut self,
        id: NodeId,
        end: Mark,
        depth: usize,
        indentless: bool,
    ) -> Result<(), SyntaxError> {
        let stem = self.comments.head.len();
        self.take();
        self.split_stem(stem)?;
        let (kind, ..) = self.peek()?;
        let is_empty = match kind {
            TokenType::BlockEntry | TokenType::BlockEnd => true,
            TokenType::Key | TokenType::Value => indentless,
            _ => false,
        };
        let child = if is_empty { self.empty_scalar(end) } else { self.read_node(true, false, depth + 1)? };
        self.push_child(id, child);
        Ok(())
    }

    /// What stood before the dash is the head of a collection behind it, not of the collection's first item.
    fn split_stem(&mut self, stem: usize) -> Result<(), SyntaxError> {
        if stem == 0 {
            return Ok(());
        }
        let (kind, ..) = self.peek()?;
        if !matches!(kind, TokenType::BlockSequenceStart | TokenType::BlockMappingStart) {
            return Ok(());
        }
        let head = std::mem::take(&mut self.comments.head);
        if head.len() == stem {
            self.stem = Some(head);
        } else {
            self.comments.head = head[stem + 1..].to_owned().into();
            self.stem = Some(head[..stem].to_owned().into());
        }
        Ok(())
    }

    pub(super) fn read_block_mapping(
        &mut self,
        id: NodeId,
        start: Mark,
        depth: usize,
    ) -> Result<Mark, SyntaxError> {
        self.peek()?;
        self.take();
        loop {
            let (kind, mark, end) = self.peek()?;
            match kind {
                TokenType::Key => {
                    self.take();
                    let (kind, ..) = self.peek()?;
                    let key = match kind {
                        TokenType::Key | TokenType::Value | TokenType::BlockEnd => self.empty_scalar(end),
                        _ => self.read_node(true, true, depth + 1)?,
                    };
                    self.push_child(id, key);
                    self.move_foot_to_former_key(id, key);
                    let value = self.read_block_value(depth)?;
                    self.push_child(id, value);
                    self.move_foot_to_key(key, value);
                }
                TokenType::BlockEnd => {
                    let comments = self.take_comments();
                    self.set_end_comments(id, comments);
                    self.move_foot_to_last_key(id);
                    self.take();
                    return Ok(mark);
                }
                _ => return Err(parse_error("did not find expected key", Some(start), mark)),
            }
        }
    }

    fn read_block_value(&mut self, depth: usize) -> Result<NodeId, SyntaxError> {
        let (kind, mark, end) = self.peek()?;
        if kind != TokenType::Value {
            return Ok(self.empty_scalar(mark));
        }
        self.take();
        let (kind, ..) = self.peek()?;
        match kind {
            TokenType::Key | TokenType::Value | TokenType::BlockEnd => Ok(self.empty_scalar(end)),
            _ => self.read_node(true, true, depth + 1),
        }
    }

    /// A foot on a key in a block belongs to the key before it.
    fn move_foot_to_former_key(&mut self, id: NodeId, key: NodeId) {
        if self.document.node(key).foot().is_empty() {
            return;
        }
        let Content::Mapping(children, _) = &self.document.node(id).content else { return };
        if children.len() > 2 {
            let former = children[children.len() - 3];
            let foot = std::mem::take(&mut self.document.node_mut(key).comments_mut().foot);
            self.document.node_mut(former).comments_mut().foot = foot;
        }
    }

    /// A foot of a value is one of its key.
    pub(super) fn move_foot_to_key(&mut self, key: NodeId, value: NodeId) {
        if self.document.node(key).foot().is_empty() && !self.document.node(value).foot().is_empty() {
            let foot = std::mem::take(&mut self.document.node_mut(value).comments_mut().foot);
            self.document.node_mut(key).comments_mut().foot = foot;
        }
    }

    /// A foot of a block is one of its last key.
    fn move_foot_to_last_key(&mut self, id: NodeId) {
        if self.document.node(id).foot().is_empty() {
            return;
        }
        let Content::Mapping(children, _) = &self.document.node(id).content else { return };
        if children.len() > 1 {
            let last = children[children.len() - 2];
            let foot = std::mem::take(&mut self.document.node_mut(id).comments_mut().foot);
            self.document.node_mut(last).comments_mut().foot = foot;
        }
    }
}
