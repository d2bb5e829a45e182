//! Prints documents in the layout of go-yaml's encoder: block style, one event after another.
//!
//! The state follows libyaml's emitter, because upstream's layout, down to where comments end up, follows from it.

use zeroize::{Zeroize, Zeroizing};

use crate::emit::event::{Event, EventComments};
use crate::emit::style;
use crate::emit::waiting::WaitingText;

mod scalar;

/// How deep collections may be nested.
const MAX_DEPTH: usize = 1_000;

/// What cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// Nested too deep.
    #[error("exceeded max depth of {MAX_DEPTH}")]
    TooDeep,
    /// The events are in no order that a document has.
    #[error("an event is out of order")]
    OutOfOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    EmptySequence,
    EmptyMapping,
    FirstItem,
    Item,
    FirstKey,
    Key,
    SimpleValue,
    Value,
}

/// Prints events. The text is wiped when dropped.
pub struct Emitter {
    out: Zeroizing<String>,
    best_indent: i32,
    state: State,
    states: Vec<State>,
    indent: i32,
    indents: Vec<i32>,
    column: i32,
    any_document: bool,
    whitespace: bool,
    indention: bool,
    /// A foot was printed at this indentation: what follows there stands apart from it.
    foot_indent: i32,
    is_key: bool,
    head: WaitingText,
    line: WaitingText,
    foot: WaitingText,
    tail: WaitingText,
    key_line: WaitingText,
}

impl Emitter {
    /// An emitter with an indentation of 2 to 9; any other is taken for 2, as go-yaml does.
    #[must_use]
    pub fn new(indent: usize) -> Self {
        Self {
            out: Zeroizing::new(String::new()),
            best_indent: if (2..=9).contains(&indent) { indent as i32 } else { 2 },
            state: State::DocumentStart,
            states: Vec::new(),
            indent: -1,
            indents: Vec::new(),
            column: 0,
            any_document: false,
            whitespace: true,
            indention: true,
            foot_indent: -1,
            is_key: false,
            head: WaitingText::default(),
            line: WaitingText::default(),
            foot: WaitingText::default(),
            tail: WaitingText::default(),
            key_line: WaitingText::default(),
        }
    }

    /// Makes room for a text of this length.
    pub fn reserve(&mut self, length: usize) {
        self.grow(length);
    }

    /// What was printed so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.out
    }

    /// Gives the text out.
    #[must_use]
    pub fn finish(self) -> Zeroizing<String> {
        self.out
    }

    /// Grows without leaving a copy of the text behind.
    fn grow(&mut self, more: usize) {
        if self.out.capacity() - self.out.len() >= more {
            return;
        }
        let capacity = (self.out.capacity() * 2).max(self.out.len() + more).max(256);
        let mut larger = String::with_capacity(capacity);
        larger.push_str(&self.out);
        self.out.zeroize();
        self.out = Zeroizing::new(larger);
    }

    /// Prints an event.
    ///
    /// # Errors
    /// [`EmitError`] if the nesting is too deep or the event cannot stand here.
    pub fn emit(&mut self, event: Event<'_>, comments: EventComments) -> Result<(), EmitError> {
        // go-yaml forgets a comment that still waits when the next one comes; here both are printed. Of those behind a
        // value the newest stays on its line.
        self.head.append(comments.head);
        self.foot.append(comments.foot);
        self.tail.append(comments.tail);
        let waiting = std::mem::replace(&mut self.line, comments.line);
        self.line.append(waiting);
        match self.state {
            State::DocumentStart => self.document_start(event),
            State::DocumentContent => {
                self.states.push(State::DocumentEnd);
                self.write_head();
                self.node(event, false)?;
                self.write_line_comment();
                self.write_foot();
                Ok(())
            }
            State::DocumentEnd => self.document_end(event),
            State::EmptySequence => self.empty_sequence(event),
            State::EmptyMapping => self.empty_mapping(event),
            State::FirstItem => {
                self.increase_indent(false);
                self.item(event)
            }
            State::Item => self.item(event),
            State::FirstKey => {
                self.increase_indent(false);
                self.key(event)
            }
            State::Key => self.key(event),
            State::SimpleValue => {
                self.write_indicator(":", false, false, false);
                self.value(event)
            }
            State::Value => {
                self.write_indent();
                self.write_indicator(":", true, false, true);
                self.value(event)
            }
        }
    }

    fn pop_state(&mut self) -> Result<(), EmitError> {
        self.state = self.states.pop().ok_or(EmitError::OutOfOrder)?;
        Ok(())
    }

    fn pop_indent(&mut self) {
        self.indent = self.indents.pop().unwrap_or(-1);
    }

    fn increase_indent(&mut self, flow: bool) {
        self.indents.push(self.indent);
        self.indent = self.child_indent(flow);
    }

    /// The column of what stands inside the present block: the next multiple of the indentation, but right behind
    /// the dash in a list.
    fn child_indent(&self, flow: bool) -> i32 {
        if self.indent < 0 {
            if flow { self.best_indent } else { 0 }
        } else if self.states.last() == Some(&State::Item) {
            self.indent + 2
        } else {
            self.best_indent * ((self.indent + self.best_indent) / self.best_indent)
        }
    }

    fn document_start(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if !matches!(event, Event::DocumentStart) {
            return Err(EmitError::OutOfOrder);
        }
        if self.any_document {
            self.write_indent();
            self.write_indicator("---", true, false, false);
            self.write_indent();
        }
        self.any_document = true;
        if !self.head.is_empty() {
            self.write_head();
            self.put_break();
        }
        self.state = State::DocumentContent;
        Ok(())
    }

    fn document_end(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if !matches!(event, Event::DocumentEnd) {
            return Err(EmitError::OutOfOrder);
        }
        self.foot_indent = 0;
        self.write_foot();
        self.foot_indent = -1;
        self.write_indent();
        self.state = State::DocumentStart;
        Ok(())
    }

    fn node(&mut self, event: Event<'_>, is_key: bool) -> Result<(), EmitError> {
        self.is_key = is_key;
        match event {
            Event::Scalar { text, style, tag } => {
                self.scalar(text, style, tag);
                self.pop_state()
            }
            Event::SequenceStart { empty } => {
                self.state = if empty { State::EmptySequence } else { State::FirstItem };
                self.check_depth()
            }
            Event::MappingStart { empty } => {
                self.state = if empty { State::EmptyMapping } else { State::FirstKey };
                self.check_depth()
            }
            _ => Err(EmitError::OutOfOrder),
        }
    }

    fn check_depth(&self) -> Result<(), EmitError> {
        if self.indents.len() > MAX_DEPTH { Err(EmitError::TooDeep) } else { Ok(()) }
    }

    fn empty_sequence(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if !matches!(event, Event::SequenceEnd) {
            return Err(EmitError::OutOfOrder);
        }
        self.write_indicator("[", true, true, false);
        if self.column == 0 {
            self.write_indent();
        }
        self.write_indicator("]", false, false, false);
        self.write_line_comment();
        self.write_foot();
        self.pop_state()
    }

    fn empty_mapping(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if !matches!(event, Event::MappingEnd) {
            return Err(EmitError::OutOfOrder);
        }
        self.write_indicator("{", true, true, false);
        self.increase_indent(true);
        self.write_head();
        self.pop_indent();
        self.write_indicator("}", false, false, false);
        self.write_line_comment();
        self.write_foot();
        self.pop_state()
    }

    fn item(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if matches!(event, Event::SequenceEnd) {
            self.pop_indent();
            return self.pop_state();
        }
        self.write_head();
        self.write_indent();
        self.write_indicator("-", true, false, true);
        self.states.push(State::Item);
        self.node_with_comments(event)
    }

    /// Upstream would put comments that wait between `key:` and `[]`, which then stands in the first column and is
    /// no YAML; here they follow the closing bracket.
    fn node_with_comments(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        self.node(event, false)?;
        if !event.is_empty_collection() {
            self.write_line_comment();
            self.write_foot();
        }
        Ok(())
    }

    fn key(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        self.write_head();
        if matches!(event, Event::MappingEnd) {
            self.pop_indent();
            return self.pop_state();
        }
        let Event::Scalar { text, tag, .. } = event else { return Err(EmitError::OutOfOrder) };
        self.write_indent();
        if !self.line.is_empty() {
            self.key_line = std::mem::take(&mut self.line);
        }
        if scalar::is_simple_key(text, tag) {
            self.states.push(State::SimpleValue);
            return self.node(event, true);
        }
        self.write_indicator("?", true, false, true);
        self.states.push(State::Value);
        self.node(event, false)
    }

    fn value(&mut self, event: Event<'_>) -> Result<(), EmitError> {
        if !self.key_line.is_empty() {
            if matches!(event, Event::Scalar { .. }) || event.is_empty_collection() {
                if self.line.is_empty() {
                    self.line = std::mem::take(&mut self.key_line);
                }
            } else {
                std::mem::swap(&mut self.line, &mut self.key_line);
                self.write_line_comment();
                std::mem::swap(&mut self.line, &mut self.key_line);
            }
        }
        self.states.push(State::Key);
        self.node_with_comments(event)
    }

    fn put(&mut self, text: &str) {
        self.grow(text.len());
        self.out.push_str(text);
        self.column += text.len() as i32;
    }

    fn put_break(&mut self) {
        self.grow(1);
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    fn write_indicator(&mut self, indicator: &str, after_blank: bool, is_blank: bool, is_indention: bool) {
        if after_blank && !self.whitespace {
            self.put(" ");
        }
        self.put(indicator);
        self.whitespace = is_blank;
        self.indention = self.indention && is_indention;
    }

    /// Goes to the present indentation, on a new line if need be.
    fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        if self.foot_indent == indent {
            self.put_break();
        }
        while self.column < indent {
            self.put(" ");
        }
        self.whitespace = true;
        self.foot_indent = -1;
    }

    fn write_head(&mut self) {
        if !self.tail.is_empty() {
            self.write_indent();
            let tail = std::mem::take(&mut self.tail);
            self.write_comment(&tail);
            self.foot_indent = self.indent.max(0);
        }
        if !self.head.is_empty() {
            self.write_indent();
            let head = std::mem::take(&mut self.head);
            self.write_comment(&head);
        }
    }

    fn write_line_comment(&mut self) {
        if self.line.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(" ");
        }
        let line = std::mem::take(&mut self.line);
        self.write_comment(&line);
    }

    fn write_foot(&mut self) {
        if self.foot.is_empty() {
            return;
        }
        self.write_indent();
        let foot = std::mem::take(&mut self.foot);
        self.write_comment(&foot);
        self.foot_indent = self.indent.max(0);
    }

    fn write_comment(&mut self, comment: &str) {
        let bytes = comment.as_bytes();
        let mut after_break = false;
        let mut at = 0;
        while at < bytes.len() {
            let length = style::break_len(bytes, at);
            if length > 0 {
                self.write_break(&comment[at..at + length]);
                after_break = true;
                at += length;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            let start = at;
            while at < bytes.len() && style::break_len(bytes, at) == 0 {
                at += 1;
            }
            if bytes[start] != b'#' {
                self.put("# ");
            }
            self.put(&comment[start..at]);
            self.indention = false;
            after_break = false;
        }
        if !after_break {
            self.put_break();
        }
        self.whitespace = true;
    }

    /// Writes a line break of a text as it is.
    fn write_break(&mut self, text: &str) {
        if text == "\n" {
            self.put_break();
        } else {
            self.put(text);
            self.column = 0;
            self.indention = true;
        }
    }
}
