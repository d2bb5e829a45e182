//! A node: its anchor and tag, and then a scalar, an alias or a collection.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::parser::{Parser, parse_error, span};
use crate::scan::cursor::Mark;
use crate::scan::token::{TokenKind, TokenType};
use crate::syntax::{CollectionStyle, Comments, Content, NodeId, ScalarStyle};

/// The prefix of YAML's own tags, which is shortened to `!!`.
const LONG_PREFIX: &str = "tag:yaml.org,2002:";

/// What stands before a node's content.
#[derive(Default)]
pub(super) struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: Option<Cow<'a, str>>,
    start: usize,
}

/// How a collection goes on behind its first token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    BlockSequence,
    IndentlessSequence,
    BlockMapping,
    FlowSequence,
    FlowMapping,
}

impl<'a> Parser<'a> {
    /// Reads a node. `block`: block collections may stand here; `indentless`: also a list without indentation.
    pub(super) fn read_node(
        &mut self,
        block: bool,
        indentless: bool,
        depth: usize,
    ) -> Result<NodeId, SyntaxError> {
        let (kind, start, _) = self.peek()?;
        if depth > self.limits.depth {
            let problem = format!("exceeded max depth of {}", self.limits.depth);
            return Err(SyntaxError::new(problem, start.line + 1, start.position()));
        }
        if kind == TokenType::Alias {
            return self.read_alias(start);
        }
        let properties = self.read_properties(start)?;
        let (kind, content_start, content_end) = self.peek()?;
        let shape = match kind {
            TokenType::BlockEntry if indentless => Shape::IndentlessSequence,
            TokenType::Scalar => return self.read_scalar(properties),
            TokenType::FlowSequenceStart => Shape::FlowSequence,
            TokenType::FlowMappingStart => Shape::FlowMapping,
            TokenType::BlockSequenceStart if block => Shape::BlockSequence,
            TokenType::BlockMappingStart if block => Shape::BlockMapping,
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                let id = self.empty_scalar(content_start);
                self.finish_properties(id, properties);
                return Ok(id);
            }
            _ => {
                let problem = "did not find expected node content";
                return Err(parse_error(problem, Some(start), content_start));
            }
        };
        let comments = match shape {
            Shape::FlowSequence | Shape::FlowMapping => self.take_comments(),
            Shape::BlockSequence | Shape::BlockMapping => {
                Comments { head: self.stem.take().unwrap_or_default(), ..Comments::default() }
            }
            Shape::IndentlessSequence => Comments::default(),
        };
        let style = match shape {
            Shape::FlowSequence | Shape::FlowMapping => CollectionStyle::Flow,
            _ => CollectionStyle::Block,
        };
        let content = match shape {
            Shape::BlockMapping | Shape::FlowMapping => Content::Mapping(Vec::new(), style),
            _ => Content::Sequence(Vec::new(), style),
        };
        let id = self.add(content, comments, span(content_start, content_end));
        let anchored = properties.anchor.is_some();
        self.finish_properties(id, properties);
        if anchored {
            self.anchors.open(id);
        }
        let end = match shape {
            Shape::BlockSequence => self.read_block_sequence(id, content_start, depth),
            Shape::IndentlessSequence => self.read_indentless_sequence(id, depth),
            Shape::BlockMapping => self.read_block_mapping(id, content_start, depth),
            Shape::FlowSequence => self.read_flow_sequence(id, content_start, depth),
            Shape::FlowMapping => self.read_flow_mapping(id, content_start, depth),
        }?;
        if anchored {
            self.anchors.close();
        }
        let last = self.children_end(id);
        let node = self.document.node_mut(id);
        // A block ends where its last child does; its end token may stand behind comments.
        node.span.end =
            if style == CollectionStyle::Flow { end.at as u32 } else { last.unwrap_or(node.span.end) };
        Ok(id)
    }

    fn children_end(&self, id: NodeId) -> Option<u32> {
        match &self.document.node(id).content {
            Content::Sequence(children, _) | Content::Mapping(children, _) => {
                children.last().map(|last| self.document.node(*last).span.end)
            }
            _ => None,
        }
    }

    fn read_alias(&mut self, start: Mark) -> Result<NodeId, SyntaxError> {
        let comments = self.take_comments();
        let Some(TokenKind::Alias(name)) = self.take().map(|token| token.kind) else {
            return Err(parse_error("did not find expected alias", None, start));
        };
        // Without the name, which go-yaml shows: a password may begin with `*`.
        let Some(target) = self.anchors.resolve(name, &mut self.document) else {
            return Err(SyntaxError::new("unknown anchor referenced", 0, start.position()));
        };
        if self.anchors.is_open(target) {
            return Err(SyntaxError::new("anchor value contains itself", 0, start.position()));
        }
        let end = Mark { at: start.at + 1 + name.len(), ..start };
        let id = self.add(Content::Alias(target), comments, span(start, end));
        Ok(id)
    }

    /// Reads anchor and tag, in any order.
    fn read_properties(&mut self, start: Mark) -> Result<Properties<'a>, SyntaxError> {
        let mut properties = Properties { start: start.at, ..Properties::default() };
        loop {
            let (kind, mark, _) = self.peek()?;
            match kind {
                TokenType::Anchor if properties.anchor.is_none() => {
                    if let Some(TokenKind::Anchor(name)) = self.take().map(|token| token.kind) {
                        properties.anchor = Some(name);
                    }
                }
                TokenType::Tag if properties.tag.is_none() => {
                    if let Some(TokenKind::Tag { handle, suffix }) = self.take().map(|token| token.kind) {
                        properties.tag = Some(self.whole_tag(&handle, suffix, start, mark)?);
                    }
                }
                _ => return Ok(properties),
            }
        }
    }

    fn whole_tag(
        &self,
        handle: &str,
        suffix: Cow<'a, str>,
        start: Mark,
        mark: Mark,
    ) -> Result<Cow<'a, str>, SyntaxError> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        match self.tags.iter().find(|(known, _)| known == handle) {
            Some((_, prefix)) if !prefix.is_empty() || !suffix.is_empty() => {
                Ok(format!("{prefix}{suffix}").into())
            }
            _ => Err(parse_error("found undefined tag handle", Some(start), mark)),
        }
    }

    fn read_scalar(&mut self, properties: Properties<'a>) -> Result<NodeId, SyntaxError> {
        let comments = self.take_comments();
        let token = self.take();
        let (text, style, place) = match token.map(|token| (token.kind, span(token.start, token.end))) {
            Some((TokenKind::Scalar(text, style), place)) => (text, style, place),
            _ => (Cow::Borrowed(""), ScalarStyle::Plain, Default::default()),
        };
        let id = self.add(Content::Scalar(text, style), comments, place);
        self.finish_properties(id, properties);
        Ok(id)
    }

    fn finish_properties(&mut self, id: NodeId, properties: Properties<'a>) {
        let Properties { anchor, tag, start } = properties;
        let node = self.document.node_mut(id);
        if anchor.is_some() || tag.is_some() {
            // The text has less than 4 GiB.
            node.start = start as u32;
        }
        // `!` alone says nothing to go-yaml.
        node.tag =
            tag.filter(|tag| !tag.is_empty() && tag != "!").map(|tag| match tag.strip_prefix(LONG_PREFIX) {
                Some(short) => format!("!!{short}").into(),
                None => tag,
            });
        if let Some(name) = anchor {
            node.anchor = Some(Cow::Borrowed(name));
            self.anchors.insert(name, id);
        }
    }

    /// Adds a child to a collection.
    pub(super) fn push_child(&mut self, id: NodeId, child: NodeId) {
        match &mut self.document.node_mut(id).content {
            Content::Sequence(children, _) | Content::Mapping(children, _) => children.push(child),
            _ => {}
        }
    }

    /// Gives a collection the line and foot comment of its end, in place of those of its start.
    pub(super) fn set_end_comments(&mut self, id: NodeId, comments: Comments<'a>) {
        let node = self.document.node_mut(id);
        if node.comments.is_some() || !comments.line.is_empty() || !comments.foot.is_empty() {
            let own = node.comments_mut();
            own.line = comments.line;
            own.foot = comments.foot;
        }
    }
}
