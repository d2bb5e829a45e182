//! Tokens to documents, one document at a time.

use std::borrow::Cow;

use crate::error::SyntaxError;
use crate::parser::anchors::Anchors;
use crate::scan::comment::Place;
use crate::scan::cursor::Mark;
use crate::scan::scanner::Scanner;
use crate::scan::token::{Token, TokenKind, TokenType};
use crate::span::Span;
use crate::syntax::{Comments, Content, Document, Node, NodeId, ScalarStyle};

mod anchors;
mod block;
mod flow;
mod node;

/// What a text may ask of the reader (security.md S14).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How deep collections may be nested.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 1_000 }
    }
}

/// Reads the documents of a text.
///
/// ```
/// use ksops_yaml::parser::{Limits, Parser};
///
/// let documents: Result<Vec<_>, _> = Parser::new("a: 1\n---\nb: 2\n", Limits::default()).collect();
/// assert_eq!(documents?.len(), 2);
/// # Ok::<(), ksops_yaml::error::SyntaxError>(())
/// ```
pub struct Parser<'a> {
    scanner: Scanner<'a>,
    limits: Limits,
    state: State,
    /// Comments that were met and not yet given to a node.
    comments: Comments<'a>,
    /// The part of the head comment that belongs to a collection that is an item of a list.
    stem: Option<Cow<'a, str>>,
    /// Handles and prefixes of this document.
    tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    anchors: Anchors<'a>,
    document: Document<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    First,
    Later,
    Ended,
}

/// An error of the parser, which go-yaml places one line too early.
fn parse_error(problem: impl Into<String>, context: Option<Mark>, at: Mark) -> SyntaxError {
    let line = context.map(|mark| mark.line).filter(|line| *line != 0).unwrap_or(at.line);
    SyntaxError::new(problem, line, at.position())
}

fn append<'a>(all: &mut Cow<'a, str>, text: Cow<'a, str>) {
    if all.is_empty() {
        *all = text;
    } else {
        let all = all.to_mut();
        all.push('\n');
        all.push_str(&text);
    }
}

fn span(start: Mark, end: Mark) -> Span {
    // The text has less than 4 GiB.
    Span { start: start.at as u32, end: end.at as u32 }
}

impl<'a> Parser<'a> {
    /// Starts reading `text`, which [`decode`](crate::input::decode) has checked.
    #[must_use]
    pub fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            scanner: Scanner::new(text, limits),
            limits,
            state: State::Start,
            comments: Comments::default(),
            stem: None,
            tags: Vec::new(),
            anchors: Anchors::default(),
            document: Document::new(),
        }
    }

    /// Lets comments say where they stand instead of what: each line of a comment is `#` and the first byte and the byte
    /// behind the last, as in `#12-34`. Which node a comment belongs to stays the same.
    #[must_use]
    pub fn placing_comments(mut self) -> Self {
        self.scanner.comments.place();
        self
    }

    /// The places of all comments that were read so far, if they are placed. Some may belong to no node: they are those
    /// that go-yaml drops.
    #[must_use]
    pub fn comment_places(&self) -> &[Span] {
        self.scanner.comments.places()
    }

    /// Reads the next document; `None` at the end of the text. After an error there is nothing more.
    ///
    /// # Errors
    /// [`SyntaxError`] if go-yaml refuses the text, too, or a limit is exceeded.
    pub fn next_document(&mut self) -> Option<Result<Document<'a>, SyntaxError>> {
        if self.state == State::Ended {
            return None;
        }
        let result = self.read_document();
        if !matches!(result, Ok(Some(_))) {
            self.state = State::Ended;
        }
        result.transpose()
    }

    fn read_document(&mut self) -> Result<Option<Document<'a>>, SyntaxError> {
        if self.state == State::Start {
            self.peek()?;
            self.scanner.take();
            self.state = State::First;
        }
        let implicit = self.state == State::First;
        self.state = State::Later;
        self.document = Document::new();
        self.anchors.begin_document();
        let (mut kind, start, _) = self.peek()?;
        let mut start = start;
        while !implicit && kind == TokenType::DocumentEnd {
            self.scanner.take();
            (kind, start, _) = self.peek()?;
        }
        let begins =
            matches!(kind, TokenType::VersionDirective | TokenType::TagDirective | TokenType::DocumentStart);
        if kind == TokenType::StreamEnd {
            return Ok(None);
        }
        let root = if implicit && !begins {
            self.read_directives()?;
            self.document.comments.head = self.split_document_head();
            self.read_node(true, false, 0)?
        } else {
            self.read_directives()?;
            let (kind, mark, _) = self.peek()?;
            if kind != TokenType::DocumentStart {
                return Err(parse_error("did not find expected <document start>", None, mark));
            }
            self.scanner.take();
            let (kind, mark, _) = self.peek()?;
            match kind {
                TokenType::VersionDirective
                | TokenType::TagDirective
                | TokenType::DocumentStart
                | TokenType::DocumentEnd
                | TokenType::StreamEnd => self.empty_scalar(mark),
                _ => self.read_node(true, false, 0)?,
            }
        };
        let (kind, mut end, marker_end) = self.peek()?;
        if kind == TokenType::DocumentEnd {
            end = marker_end;
            self.scanner.take();
        }
        self.tags.clear();
        let comments = self.take_comments();
        self.document.comments.foot = if comments.foot.is_empty() { comments.head } else { comments.foot };
        self.document.set_root(root);
        self.document.span = span(start, end);
        let document = std::mem::take(&mut self.document);
        self.anchors.end_document(&document, || !self.scanner.is_at_end());
        Ok(Some(document))
    }

    /// In front of the first document, what stands before the last blank line is the document's head.
    fn split_document_head(&mut self) -> Cow<'a, str> {
        let head = &self.comments.head;
        let bytes = head.as_bytes();
        let split = (1..bytes.len()).rev().find_map(|place| match bytes[place] {
            b'\n' if place + 1 == bytes.len() => Some((place, place + 1)),
            b'\n' if bytes[place - 1] == b'\n' => Some((place - 1, place + 1)),
            _ => None,
        });
        let Some((end, next)) = split else { return Cow::Borrowed("") };
        let document = head[..end].to_owned();
        let rest = head[next..].to_owned();
        self.comments.head = Cow::Owned(rest);
        Cow::Owned(document)
    }

    /// Gives type and place of the next token, after taking the comments that belong to it.
    fn peek(&mut self) -> Result<(TokenType, Mark, Mark), SyntaxError> {
        let token = self.scanner.peek()?;
        let peeked = (token.kind.token_type(), token.start, token.end);
        let at_block_end = peeked.0 == TokenType::BlockEnd;
        while let Some(comment) = self.scanner.comments.next_until(peeked.1.index, at_block_end) {
            let all = match comment.place {
                Place::Head => &mut self.comments.head,
                Place::Line => &mut self.comments.line,
                Place::Foot => &mut self.comments.foot,
            };
            append(all, comment.text);
        }
        Ok(peeked)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        self.scanner.take()
    }

    /// Hands the comments to a node.
    fn take_comments(&mut self) -> Comments<'a> {
        self.stem = None;
        std::mem::take(&mut self.comments)
    }

    /// Adds a node; the box of comments is made only if there are any.
    fn add(&mut self, content: Content<'a>, comments: Comments<'a>, span: Span) -> NodeId {
        let mut node = Node::new(content);
        node.span = span;
        node.start = span.start;
        if comments != Comments::default() {
            node.comments = Some(Box::new(comments));
        }
        self.document.add(node)
    }

    fn empty_scalar(&mut self, mark: Mark) -> NodeId {
        let content = Content::Scalar(Cow::Borrowed(""), ScalarStyle::Plain);
        self.add(content, Comments::default(), span(mark, mark))
    }

    fn read_directives(&mut self) -> Result<(), SyntaxError> {
        let mut has_version = false;
        loop {
            let (_, mark, _) = self.peek()?;
            if !self.scanner.next_is_directive() {
                break;
            }
            match self.take().map(|token| token.kind) {
                Some(TokenKind::VersionDirective { major, minor }) => {
                    if has_version {
                        return Err(parse_error("found duplicate %YAML directive", None, mark));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(parse_error("found incompatible YAML document", None, mark));
                    }
                    has_version = true;
                }
                Some(TokenKind::TagDirective { handle, prefix }) => {
                    if self.tags.iter().any(|(known, _)| *known == handle) {
                        return Err(parse_error("found duplicate %TAG directive", None, mark));
                    }
                    self.tags.push((handle, prefix));
                }
                _ => break,
            }
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((Cow::Borrowed(handle), Cow::Borrowed(prefix)));
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Document<'a>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_document()
    }
}
