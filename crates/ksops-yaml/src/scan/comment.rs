//! Comments between tokens: head, line or foot, and of which token (file-format.md section 7.5).
//!
//! This follows go-yaml's scanner step by step, because every surprise of it decides where upstream finds a comment.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::scan::cursor::{Cursor, Mark};
use crate::scan::token::{Token, TokenKind};
use crate::span::Span;

/// How many bytes of blanks and breaks the scanner looks ahead for a comment.
const LOOK_AHEAD: usize = 512;

/// What a comment is to its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Head,
    Line,
    Foot,
}

/// A comment that waits for its token.
#[derive(Debug, Clone)]
pub(crate) struct Comment<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) place: Place,
    /// Where the scan began in which it was found.
    scan: Mark,
    /// The place of the token to which it belongs.
    pub(crate) anchor: Mark,
    start: Mark,
    end: usize,
}

/// The comments that wait for their tokens, in their order.
#[derive(Debug, Default)]
pub(crate) struct Comments<'a> {
    waiting: VecDeque<Comment<'a>>,
    /// The places of all comments so far, if they are asked for.
    places: Option<Vec<Span>>,
}

/// A comment's text while it is read: lines that follow one another.
#[derive(Default)]
struct Text<'a> {
    text: Cow<'a, str>,
}

impl<'a> Text<'a> {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn push(&mut self, line: impl Into<Cow<'a, str>>) {
        if self.text.is_empty() {
            self.text = line.into();
        } else {
            self.text.to_mut().push_str(&line.into());
        }
    }

    fn take(&mut self) -> Cow<'a, str> {
        std::mem::take(&mut self.text)
    }
}

impl<'a> Comments<'a> {
    /// From now on the text of a comment is `#` and its place (`#12-34`) instead of what stands there. Only line ends and
    /// the first character of a comment decide where it belongs, so it belongs to the same node.
    pub(crate) fn place(&mut self) {
        self.places = Some(Vec::new());
    }

    /// The places of all comments that were scanned, in their order.
    pub(crate) fn places(&self) -> &[Span] {
        self.places.as_deref().unwrap_or_default()
    }

    /// Notes the place of a comment that belongs to no node, as one behind a directive.
    pub(crate) fn note(&mut self, from: usize, to: usize) {
        if let Some(places) = &mut self.places {
            places.push(Span { start: from as u32, end: to as u32 });
        }
    }

    /// The text of a comment of one line, or its place.
    fn line(&mut self, cursor: &Cursor<'a>, from: usize) -> Cow<'a, str> {
        let to = cursor.mark.at;
        let Some(places) = &mut self.places else { return Cow::Borrowed(cursor.slice(from, to)) };
        // The text has less than 4 GiB.
        places.push(Span { start: from as u32, end: to as u32 });
        Cow::Owned(format!("#{from}-{to}"))
    }

    /// Takes the next comment that belongs to a token at `index`, or before it.
    pub(crate) fn next_until(&mut self, index: usize, at_block_end: bool) -> Option<Comment<'a>> {
        let first = self.waiting.front()?;
        // An end has no head: it waits for the token that follows.
        if index < first.anchor.index || (at_block_end && first.place == Place::Head) {
            return None;
        }
        self.waiting.pop_front()
    }

    /// Moves the end of a block with this indentation in front of the comments that start at its column.
    pub(crate) fn block_mark(&self, indent: i32, mark: &mut Mark, index: &mut i64) {
        let mut stop = *index;
        for comment in self.waiting.iter().rev() {
            if (comment.end as i64) < stop {
                break;
            }
            // The comment's column is counted from 1.
            if comment.start.column == indent + 1 {
                *mark = comment.start;
                *index = comment.start.index as i64;
            }
            stop = comment.scan.index as i64;
        }
    }

    /// A comment behind the dash of a new list belongs to what follows on the next line.
    pub(crate) fn turn_line_into_head(&mut self, tokens: &VecDeque<Token<'a>>, cursor: &Cursor<'a>) {
        let Some(comment) = self.waiting.back_mut().filter(|comment| comment.place == Place::Line) else {
            return;
        };
        let behind_dash = tokens.len() > 1
            && matches!(tokens[tokens.len() - 2].kind, TokenKind::BlockSequenceStart)
            && matches!(tokens[tokens.len() - 1].kind, TokenKind::BlockEntry);
        if behind_dash && !cursor.is_break(0) {
            comment.place = Place::Head;
            if comment.start.line + 1 == cursor.mark.line {
                comment.anchor = cursor.mark;
            }
        }
    }

    /// Takes the comment behind a token on its line, if there is one.
    pub(crate) fn scan_line_comment(&mut self, cursor: &mut Cursor<'a>, anchor: Mark) {
        if cursor.newlines > 0 {
            return;
        }
        let mut ahead = 0;
        while ahead < LOOK_AHEAD && cursor.is_blank(ahead) {
            ahead += 1;
        }
        if ahead == LOOK_AHEAD || cursor.byte(ahead) != b'#' {
            return;
        }
        for _ in 0..ahead {
            cursor.skip();
        }
        let start = cursor.mark;
        cursor.skip_to_break();
        let text = self.line(cursor, start.at);
        self.waiting.push_back(Comment {
            text,
            place: Place::Line,
            scan: Mark::default(),
            anchor,
            start,
            end: 0,
        });
    }

    /// Takes the comments from `#` at the cursor to the next content; the cursor ends behind the last one.
    pub(crate) fn scan(
        &mut self,
        cursor: &mut Cursor<'a>,
        tokens: &VecDeque<Token<'a>>,
        scan_mark: Mark,
        indent: i32,
        in_flow: bool,
    ) {
        let token = match (tokens.back(), tokens.len()) {
            (Some(Token { kind: TokenKind::FlowEntry, .. }), 2..) => tokens.get(tokens.len() - 2),
            (last, _) => last,
        };
        let Some(token) = token else { return };
        let after_colon = matches!(token.kind, TokenKind::Value);
        let next_indent = indent.max(0);
        let mut scan = scan_mark;
        let mut anchor = token.start;
        let mut start = Mark::default();
        let mut text = Text::default();
        let mut recent_empty = false;
        let mut first_empty = cursor.newlines <= 1;
        let mut line = cursor.mark.line;
        let mut column = cursor.mark.column;
        // A comment that starts here is a foot of what stands before.
        let mut foot_line = -1;
        if scan_mark.line > 0 {
            foot_line = i64::from(cursor.mark.line) - i64::from(cursor.newlines) + 1;
            if cursor.newlines == 0 && cursor.mark.column > 1 {
                foot_line += 1;
            }
        }
        let mut ahead = 0;
        while ahead < LOOK_AHEAD {
            let here = |cursor: &Cursor<'a>| cursor.mark.index + ahead;
            column += 1;
            if cursor.is_blank(ahead) {
                ahead += 1;
                continue;
            }
            let byte = cursor.byte(ahead);
            let closes_flow = in_flow && matches!(byte, b']' | b'}');
            if closes_flow || cursor.is_break_or_end(ahead) {
                if closes_flow || !recent_empty {
                    let dedented = start.column - 1 < next_indent;
                    let below = i64::from(start.line) == foot_line && !after_colon;
                    if closes_flow || first_empty && (below || dedented) {
                        if !text.is_empty() {
                            if dedented {
                                anchor = start;
                            }
                            let end = here(cursor);
                            let text = text.take();
                            self.waiting.push_back(Comment {
                                text,
                                place: Place::Foot,
                                scan,
                                anchor,
                                start,
                                end,
                            });
                            scan = Mark { at: cursor.mark.at + ahead, index: end, line, column };
                            anchor = scan;
                        }
                    } else if !text.is_empty() && byte != 0 {
                        text.push("\n");
                    }
                }
                if !cursor.is_break(ahead) {
                    break;
                }
                first_empty = false;
                recent_empty = true;
                column = 0;
                line += 1;
                ahead += 1;
                continue;
            }
            if !text.is_empty() && (closes_flow || column - 1 < next_indent && column != start.column) {
                // At another indentation: a foot of what stands before, not a head of what follows.
                let end = here(cursor);
                let text = text.take();
                self.waiting.push_back(Comment { text, place: Place::Foot, scan, anchor, start, end });
                scan = Mark { at: cursor.mark.at + ahead, index: end, line, column };
                anchor = scan;
            }
            if byte != b'#' {
                break;
            }
            if text.is_empty() {
                start = Mark { at: cursor.mark.at + ahead, index: here(cursor), line, column };
            } else {
                text.push("\n");
            }
            recent_empty = false;
            let target = cursor.mark.at + ahead;
            while cursor.mark.at < target {
                if cursor.is_break(0) {
                    cursor.skip_break();
                } else {
                    cursor.skip();
                }
            }
            let from = cursor.mark.at;
            cursor.skip_to_break();
            text.push(self.line(cursor, from));
            ahead = 1;
            column = 0;
            line = cursor.mark.line;
        }
        if !text.is_empty() {
            let end = (cursor.mark.index + ahead).saturating_sub(1);
            let text = text.take();
            self.waiting.push_back(Comment { text, place: Place::Head, scan, anchor: start, start, end });
        }
    }
}
