//! Trees to YAML text: which comment is head, line or foot of what (file-format.md sections 7.3 to 7.5).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::Value;
use ksops_yaml::emit::emitter::{EmitError as YamlError, Emitter};
use ksops_yaml::emit::event::{Event, EventComments};
use ksops_yaml::emit::style::wanted_style;
use ksops_yaml::emit::waiting::WaitingText;
use ksops_yaml::syntax::ScalarStyle;
use zeroize::Zeroizing;

use crate::yaml::float;

/// The indentation when none is asked for.
const DEFAULT_INDENT: usize = 4;
/// How many characters of base64 stand on a line.
const BASE64_LINE: usize = 70;

/// A tree that cannot be printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The indentation is negative.
    #[error("YAML Negative indentation not accepted")]
    NegativeIndent,
    /// Nested too deep.
    #[error("Error marshaling to YAML: {0}")]
    Yaml(#[from] YamlError),
    /// A moment that has no text form.
    #[error("Error marshaling to YAML: a timestamp has no RFC 3339 form")]
    Timestamp,
    /// A key of the first document that upstream prints so that nobody can read the file again (file-format.md
    /// section 7.1, item 7). In later documents it is only parsed.
    #[error("the key `<<` with a value that is no mapping would make a file that cannot be read again")]
    MergeKey,
}

/// Prints documents one after another.
pub struct YamlWriter {
    emitter: Emitter,
    /// Whether the first document is still to come or being printed: only that one is checked when it is read.
    is_first: bool,
}

impl YamlWriter {
    /// Starts a text; 0 is the default indentation of 4.
    ///
    /// # Errors
    /// [`EmitError::NegativeIndent`].
    pub fn new(indent: i64) -> Result<Self, EmitError> {
        let indent = match usize::try_from(indent).map_err(|_| EmitError::NegativeIndent)? {
            0 => DEFAULT_INDENT,
            indent => indent,
        };
        Ok(Self { emitter: Emitter::new(indent), is_first: true })
    }

    /// Makes room for a text of this length, so that it need not be copied while it grows.
    pub fn reserve(&mut self, length: usize) {
        self.emitter.reserve(length);
    }

    /// The length of the text so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.emitter.text().len()
    }

    /// Whether nothing was printed yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Prints the next document.
    ///
    /// # Errors
    /// [`EmitError`] if it has no YAML form.
    pub fn branch(&mut self, branch: &Branch) -> Result<(), EmitError> {
        self.emitter.emit(Event::DocumentStart, EventComments::default())?;
        self.map(branch, &[], NodeComments::default(), 0)?;
        self.emitter.emit(Event::DocumentEnd, EventComments::default())?;
        self.is_first = false;
        Ok(())
    }

    /// Gives the text out.
    #[must_use]
    pub fn finish(self) -> Zeroizing<String> {
        self.emitter.finish()
    }
}

/// Prints a value that is no document, as `--extract` shows it: upstream indents it by 4, whatever was asked for.
///
/// # Errors
/// [`EmitError`] if it has no YAML form.
pub fn emit_value(node: &Node) -> Result<Zeroizing<String>, EmitError> {
    let mut writer = YamlWriter { emitter: Emitter::new(DEFAULT_INDENT), is_first: true };
    writer.emitter.emit(Event::DocumentStart, EventComments::default())?;
    writer.node(node, &[], NodeComments::default(), 0)?;
    writer.emitter.emit(Event::DocumentEnd, EventComments::default())?;
    Ok(writer.finish())
}

/// The comments that a node has from its container.
#[derive(Default)]
struct NodeComments {
    head: WaitingText,
    line: WaitingText,
    foot: WaitingText,
}

/// Comments that wait for the node behind them.
#[derive(Default)]
struct Waiting<'t> {
    head: Vec<&'t Comment>,
    line: Vec<&'t Comment>,
}

impl<'t> Waiting<'t> {
    fn push(&mut self, comment: &'t Comment) {
        if comment.inline { self.line.push(comment) } else { self.head.push(comment) }
    }

    fn take_head(&mut self) -> WaitingText {
        joined(std::mem::take(&mut self.head))
    }

    fn take_line(&mut self) -> WaitingText {
        joined(std::mem::take(&mut self.line))
    }
}

/// The comments as one text, a line each. The memory is taken at once.
fn joined(comments: Vec<&Comment>) -> WaitingText {
    if comments.is_empty() {
        return WaitingText::default();
    }
    let length = comments.iter().map(|comment| comment.text.len() + 2).sum();
    let mut text = WaitingText::with_capacity(length);
    for comment in comments {
        // YAML has no form for other bytes in comments.
        let words = String::from_utf8_lossy(comment.text.expose());
        let mut line = Zeroizing::new(String::with_capacity(words.len() + 1));
        line.push('#');
        line.push_str(&words);
        text.push_line(&line);
    }
    text
}

fn both(mut first: WaitingText, second: WaitingText) -> WaitingText {
    first.append(second);
    first
}

/// The comments behind the last item, the inline ones last, as upstream has it.
fn trailing<'t>(comments: &[&'t Comment]) -> Vec<&'t Comment> {
    let (line, head): (Vec<&Comment>, Vec<&Comment>) = comments.iter().partition(|comment| comment.inline);
    head.into_iter().chain(line).collect()
}

impl YamlWriter {
    /// Prints a mapping. `inner`: comments of the list around it that follow it; they move inside.
    fn map(
        &mut self,
        branch: &Branch,
        inner: &[&Comment],
        own: NodeComments,
        depth: usize,
    ) -> Result<(), EmitError> {
        let last = branch.entries.iter().rposition(|entry| matches!(entry, Entry::Item(..)));
        let (body, rest) = branch.entries.split_at(last.map_or(0, |last| last + 1));
        let rest: Vec<&Comment> = rest
            .iter()
            .filter_map(|entry| if let Entry::Comment(comment) = entry { Some(comment) } else { None })
            .chain(inner.iter().copied())
            .collect();
        let rest = joined(trailing(&rest));
        let mut waiting = Waiting::default();
        let first = body.iter().position(|entry| matches!(entry, Entry::Item(..))).unwrap_or(0);
        for entry in &body[..first] {
            if let Entry::Comment(comment) = entry {
                waiting.push(comment);
            }
        }
        let mut tail = WaitingText::default();
        let mut map_head = waiting.take_head();
        if last.is_none() {
            map_head = rest;
        } else {
            tail = rest;
        }
        let start = EventComments { head: both(own.head, map_head), ..EventComments::default() };
        self.emitter.emit(Event::MappingStart { empty: last.is_none() }, start)?;
        for entry in &body[first..] {
            match entry {
                Entry::Comment(comment) => waiting.push(comment),
                Entry::Item(key, node) => {
                    let (mut head, mut line) = (waiting.take_head(), waiting.take_line());
                    if drops_comments(node) {
                        head = both(head, std::mem::take(&mut line));
                    }
                    self.key(key, node, head)?;
                    let comments = NodeComments { line, ..NodeComments::default() };
                    self.node(node, &[], comments, depth + 1)?;
                }
            }
        }
        let end = EventComments { tail, line: own.line, foot: own.foot, ..EventComments::default() };
        self.emitter.emit(Event::MappingEnd, end)?;
        Ok(())
    }

    fn key(&mut self, key: &Key, node: &Node, head: WaitingText) -> Result<(), EmitError> {
        if self.is_first && key == "<<" && !merges(node) {
            return Err(EmitError::MergeKey);
        }
        let comments = EventComments { head, ..EventComments::default() };
        self.text(key.as_bytes(), comments)
    }

    fn list(
        &mut self,
        list: &[Node],
        inner: &[&Comment],
        own: NodeComments,
        depth: usize,
    ) -> Result<(), EmitError> {
        let last = list.iter().rposition(|node| !matches!(node, Node::Comment(_)));
        let (body, rest) = list.split_at(last.map_or(0, |last| last + 1));
        let rest: Vec<&Comment> = rest
            .iter()
            .filter_map(|node| if let Node::Comment(comment) = node { Some(comment) } else { None })
            .chain(inner.iter().copied())
            .collect();
        let mut waiting = Waiting::default();
        let first = body.iter().position(|node| !matches!(node, Node::Comment(_))).unwrap_or(0);
        for node in &body[..first] {
            if let Node::Comment(comment) = node {
                waiting.push(comment);
            }
        }
        let mut list_head = waiting.take_head();
        if last.is_none() {
            list_head = joined(trailing(&rest));
        }
        let start = EventComments { head: both(own.head, list_head), ..EventComments::default() };
        self.emitter.emit(Event::SequenceStart { empty: last.is_none() }, start)?;
        for (place, node) in body.iter().enumerate().skip(first) {
            if let Node::Comment(comment) = node {
                waiting.push(comment);
                continue;
            }
            let mut comments = NodeComments {
                head: waiting.take_head(),
                line: waiting.take_line(),
                foot: WaitingText::default(),
            };
            // Upstream prints comments behind a final mapping or list too late (file-format.md section 12, row 28);
            // behind an empty one in time.
            let is_last = Some(place) == last;
            let moves_inside = is_last && is_block(node);
            if is_last && !moves_inside {
                comments.foot = joined(trailing(&rest));
            }
            self.node(node, if moves_inside { &rest } else { &[] }, comments, depth + 1)?;
        }
        let end = EventComments { line: own.line, foot: own.foot, ..EventComments::default() };
        self.emitter.emit(Event::SequenceEnd, end)?;
        Ok(())
    }

    fn node(
        &mut self,
        node: &Node,
        inner: &[&Comment],
        own: NodeComments,
        depth: usize,
    ) -> Result<(), EmitError> {
        match node {
            Node::Map(branch) => self.map(branch, inner, own, depth),
            Node::List(list) => self.list(list, inner, own, depth),
            Node::Leaf(value) => {
                let NodeComments { head, line, foot } = own;
                self.leaf(value, EventComments { head, line, foot, ..EventComments::default() })
            }
            // A comment alone has no form of its own.
            Node::Comment(comment) => self.text(comment.text.expose(), EventComments::default()),
        }
    }

    fn leaf(&mut self, value: &Value, comments: EventComments) -> Result<(), EmitError> {
        let text: Cow<'_, str> = match value {
            Value::Text(text) => return self.text(text.expose(), comments),
            Value::Written(number) => number.text.expose_str().unwrap_or("null").into(),
            Value::Int(int) => int.to_string().into(),
            Value::Float(float) => float::text(*float).into(),
            Value::Bool(truth) => if *truth { "true" } else { "false" }.into(),
            Value::Timestamp(moment) => timestamp(*moment).ok_or(EmitError::Timestamp)?.into(),
            _ => "null".into(),
        };
        let text = Zeroizing::new(text.into_owned());
        self.emitter.emit(Event::Scalar { text: &text, style: ScalarStyle::Plain, tag: None }, comments)?;
        Ok(())
    }

    fn text(&mut self, bytes: &[u8], comments: EventComments) -> Result<(), EmitError> {
        let Ok(text) = std::str::from_utf8(bytes) else { return self.binary(bytes, comments) };
        // go-yaml takes the text for a merge key, whatever it is.
        let tag = (text == "<<").then_some("!!merge");
        self.emitter.emit(Event::Scalar { text, style: wanted_style(text), tag }, comments)?;
        Ok(())
    }

    fn binary(&mut self, bytes: &[u8], comments: EventComments) -> Result<(), EmitError> {
        let mut encoded = Zeroizing::new(STANDARD.encode(bytes));
        let mut style = ScalarStyle::Plain;
        if encoded.len() >= BASE64_LINE {
            let mut lines =
                Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / BASE64_LINE + 2));
            for line in encoded.as_bytes().chunks(BASE64_LINE) {
                lines.push_str(&String::from_utf8_lossy(line));
                lines.push('\n');
            }
            encoded = lines;
            style = ScalarStyle::Literal;
        }
        self.emitter.emit(Event::Scalar { text: &encoded, style, tag: Some("!!binary") }, comments)?;
        Ok(())
    }
}

/// Whether a node is a collection that is printed as a block.
fn is_block(node: &Node) -> bool {
    match node {
        Node::Map(branch) => branch.entries.iter().any(|entry| matches!(entry, Entry::Item(..))),
        Node::List(list) => list.iter().any(|node| !matches!(node, Node::Comment(_))),
        Node::Leaf(_) | Node::Comment(_) => false,
    }
}

/// Whether a comment behind the value of a key would be gone when it is read again: it is taken for one in the empty
/// mapping, as in upstream.
fn drops_comments(node: &Node) -> bool {
    matches!(node, Node::Map(branch) if branch.entries.is_empty())
}

/// Whether a value can stand under the key `<<`.
fn merges(node: &Node) -> bool {
    match node {
        Node::Map(_) => true,
        Node::List(items) => items.iter().all(|item| matches!(item, Node::Map(_) | Node::Comment(_))),
        _ => false,
    }
}

/// RFC 3339 with as many digits as needed.
fn timestamp(moment: time::OffsetDateTime) -> Option<String> {
    let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    if !(0..=9999).contains(&year) {
        return None;
    }
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if moment.nanosecond() > 0 {
        let fraction = format!("{:09}", moment.nanosecond());
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    let offset = moment.offset().whole_minutes();
    if offset == 0 {
        text.push('Z');
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60));
    }
    Some(text)
}
