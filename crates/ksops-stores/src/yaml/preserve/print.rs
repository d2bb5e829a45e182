//! Prints what is new in a text in the style of what stands around it.

use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::Value;
use ksops_yaml::emit::emitter::Emitter;
use ksops_yaml::emit::event::{Event, EventComments};
use ksops_yaml::syntax::ScalarStyle;
use zeroize::Zeroizing;

use crate::misfit::Misfit;
use crate::yaml::emit::{YamlWriter, emit_value};
use crate::yaml::preserve::edits::{STAND_IN, Slot};

/// A text that is wiped.
pub(crate) type Text = Zeroizing<String>;

/// The forms of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    /// By how much a mapping in a mapping is indented.
    pub step: usize,
    /// By how much a list in a mapping is indented; 0 for one without indentation.
    pub list_offset: usize,
    /// The line break.
    pub line_break: &'static str,
}

/// What is printed for a value: what follows its key on the line, and the lines below.
pub(crate) struct Printed {
    /// On the line; without the blank before it.
    pub head: Text,
    /// Below, without the last line break.
    pub body: Option<Text>,
}

impl Printed {
    fn line(head: Text) -> Self {
        Self { head, body: None }
    }
}

fn unprintable(problem: impl std::fmt::Display) -> Misfit {
    Misfit::somewhere(problem.to_string())
}

impl Printer {
    /// A scalar behind a key or dash whose line is indented by `column`; its further lines are indented by `step` more.
    pub(crate) fn scalar(self, value: &Value, column: usize, step: usize) -> Result<Printed, Misfit> {
        if let Value::Text(text) = value
            && is_harmless(text.expose())
        {
            return Ok(Printed::line(lossy(text.expose())));
        }
        let is_long = match value {
            Value::Text(text) => text.expose().contains(&b'\n') || text.expose_str().is_none(),
            _ => false,
        };
        let node = Node::Leaf(value.clone());
        if !is_long {
            let mut text = emit_value(&node).map_err(unprintable)?;
            trim_breaks(&mut text);
            if !text.contains('\n') {
                return Ok(Printed::line(text));
            }
        }
        let step = step.clamp(2, 9);
        // Below a key, so that the indentation indicator is right.
        let mut writer = YamlWriter::new(step as i64).map_err(unprintable)?;
        writer.branch(&Branch { entries: vec![Entry::Item("k".into(), node)] }).map_err(unprintable)?;
        let text = writer.finish();
        let text = text.strip_prefix("k: ").unwrap_or(&text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut lines = Text::default();
        lines.reserve(body.len() + (column + 2) * (1 + body.matches('\n').count()));
        for (number, line) in body.split('\n').enumerate() {
            if number > 0 {
                lines.push_str(self.line_break);
            }
            if !line.is_empty() {
                indent(&mut lines, column);
                lines.push_str(line);
            }
        }
        let is_block = head.starts_with('|') || head.contains(" |");
        if !is_block && !body.is_empty() {
            return Err(unprintable("a value of several lines that needs quotes"));
        }
        Ok(Printed {
            head: Zeroizing::new(head.to_owned()),
            body: (!body.is_empty() || is_block).then_some(lines),
        })
    }

    /// A value behind its key, which stands at `column`.
    pub(crate) fn below_key(self, node: &Node, column: usize) -> Result<Printed, Misfit> {
        match node {
            Node::Leaf(value) => self.scalar(value, column, self.step),
            _ if is_empty(node) => empty(node),
            Node::Map(branch) => self.block(|printer, out| printer.entries(out, branch, column + self.step)),
            Node::List(list) => {
                self.block(|printer, out| printer.items(out, list, column + self.list_offset))
            }
            Node::Comment(_) => Err(unprintable("a comment in the place of a value")),
        }
    }

    fn block(self, print: impl FnOnce(Self, &mut Text) -> Result<(), Misfit>) -> Result<Printed, Misfit> {
        let mut body = Text::default();
        print(self, &mut body)?;
        let end = body.strip_suffix(self.line_break).unwrap_or(&body).len();
        body.truncate(end);
        Ok(Printed { head: Text::default(), body: Some(body) })
    }

    /// An element behind its dash, which stands at `column`; the first line goes behind the dash.
    pub(crate) fn below_dash(self, node: &Node, column: usize) -> Result<Printed, Misfit> {
        let printed = match node {
            Node::Leaf(value) => return self.scalar(value, column, 2),
            _ if is_empty(node) => return empty(node),
            Node::Map(branch) => self.block(|printer, out| printer.entries(out, branch, column + 2))?,
            Node::List(list) => self.block(|printer, out| printer.items(out, list, column + 2))?,
            Node::Comment(_) => return Err(unprintable("a comment in the place of an element")),
        };
        let lines = printed.body.unwrap_or_default();
        let (first, rest) = match lines.split_once(self.line_break) {
            Some((first, rest)) => (first, Some(Zeroizing::new(rest.to_owned()))),
            None => (lines.as_str(), None),
        };
        Ok(Printed { head: Zeroizing::new(first.trim_start_matches(' ').to_owned()), body: rest })
    }

    /// The lines of an entry of a mapping, each with its line break.
    pub(crate) fn entry(self, out: &mut Text, entry: &Entry, column: usize) -> Result<(), Misfit> {
        match entry {
            Entry::Comment(comment) => self.comment(out, comment, column),
            Entry::Item(key, node) => {
                indent(out, column);
                push(out, &key_text(key, node)?);
                out.push(':');
                let printed = self.below_key(node, column)?;
                self.finish(out, printed);
                Ok(())
            }
        }
    }

    /// The lines of an element of a list.
    pub(crate) fn item(self, out: &mut Text, node: &Node, column: usize) -> Result<(), Misfit> {
        if let Node::Comment(comment) = node {
            return self.comment(out, comment, column);
        }
        indent(out, column);
        out.push('-');
        let printed = self.below_dash(node, column)?;
        self.finish(out, printed);
        Ok(())
    }

    fn finish(self, out: &mut Text, printed: Printed) {
        if !printed.head.is_empty() {
            out.push(' ');
            push(out, &printed.head);
        }
        if let Some(body) = printed.body {
            out.push_str(self.line_break);
            push(out, &body);
        }
        out.push_str(self.line_break);
    }

    fn entries(self, out: &mut Text, branch: &Branch, column: usize) -> Result<(), Misfit> {
        let mut beside = None;
        for (number, entry) in branch.entries.iter().enumerate() {
            match (entry, branch.entries.get(number + 1)) {
                // It was read behind the value, and is again.
                (Entry::Comment(comment), Some(Entry::Item(_, Node::Leaf(_)))) if comment.inline => {
                    beside = Some(comment);
                }
                (entry, _) => {
                    self.entry(out, entry, column)?;
                    self.put_beside(out, beside.take(), column)?;
                }
            }
        }
        Ok(())
    }

    fn items(self, out: &mut Text, list: &[Node], column: usize) -> Result<(), Misfit> {
        let mut beside = None;
        for (number, node) in list.iter().enumerate() {
            match (node, list.get(number + 1)) {
                (Node::Comment(comment), Some(Node::Leaf(_))) if comment.inline => beside = Some(comment),
                (node, _) => {
                    self.item(out, node, column)?;
                    self.put_beside(out, beside.take(), column)?;
                }
            }
        }
        Ok(())
    }

    /// Puts a comment behind the value that was printed last, if that is on one line, else below.
    fn put_beside(self, out: &mut Text, comment: Option<&Comment>, column: usize) -> Result<(), Misfit> {
        let Some(comment) = comment else { return Ok(()) };
        let end = out.strip_suffix(self.line_break).unwrap_or(out).len();
        let start = out[..end].rfind(self.line_break).map_or(0, |at| at + self.line_break.len());
        let is_block = out[..end].lines().count() > 1 && out[start..end].starts_with(&" ".repeat(column + 1));
        if is_block {
            return Err(unprintable("a comment behind a value of several lines"));
        }
        out.truncate(end);
        out.push(' ');
        push(out, &comment_text(comment)?);
        out.push_str(self.line_break);
        Ok(())
    }

    fn comment(self, out: &mut Text, comment: &Comment, column: usize) -> Result<(), Misfit> {
        indent(out, column);
        push(out, &comment_text(comment)?);
        out.push_str(self.line_break);
        Ok(())
    }

    /// What takes the place of the stand-in, the blank before it included.
    pub(crate) fn metadata(self, metadata: &Branch, slot: Slot) -> Result<Text, Misfit> {
        let node = Node::Map(metadata.clone());
        let mut out = Text::default();
        if slot.in_flow {
            out.push(' ');
            out.push_str(&flow(&node)?);
            return Ok(out);
        }
        let printed = self.below_key(&node, slot.column)?;
        if let Some(body) = printed.body {
            out.push_str(self.line_break);
            out.push_str(&body);
        }
        Ok(out)
    }
}

/// A node in brackets, braces or on its own, as it may stand in a flow collection.
pub(crate) fn flow(node: &Node) -> Result<Text, Misfit> {
    let mut out = Text::default();
    match node {
        Node::Leaf(value) => return flow_scalar(value),
        Node::Map(branch) => {
            out.push('{');
            for (number, entry) in branch.entries.iter().enumerate() {
                if number > 0 {
                    out.push_str(", ");
                }
                push(&mut out, &flow_entry(entry)?);
            }
            out.push('}');
        }
        Node::List(list) => {
            out.push('[');
            for (number, node) in list.iter().enumerate() {
                if number > 0 {
                    out.push_str(", ");
                }
                push(&mut out, &flow(node)?);
            }
            out.push(']');
        }
        Node::Comment(_) => return Err(unprintable("a comment in a flow collection")),
    }
    Ok(out)
}

/// An entry of a mapping in braces.
pub(crate) fn flow_entry(entry: &Entry) -> Result<Text, Misfit> {
    let Entry::Item(key, node) = entry else {
        return Err(unprintable("a comment in a flow collection"));
    };
    let mut out = match key.to_str() {
        Some("<<") => key_text(key, node)?,
        _ => flow_scalar(&Value::text(key.as_bytes().to_vec()))?,
    };
    out.push_str(": ");
    push(&mut out, &flow(node)?);
    Ok(out)
}

/// A scalar on one line that needs no look at what surrounds it.
pub(crate) fn flow_scalar(value: &Value) -> Result<Text, Misfit> {
    if let Value::Text(text) = value {
        let is_plain = text
            .expose()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/'));
        if text.expose() == STAND_IN.as_bytes() {
            return Ok(lossy(text.expose()));
        }
        if let (false, Some(words)) = (is_plain, text.expose_str()) {
            return quoted(words, ScalarStyle::DoubleQuoted);
        }
    }
    let mut text = emit_value(&Node::Leaf(value.clone())).map_err(unprintable)?;
    trim_breaks(&mut text);
    match text.contains('\n') {
        true => Err(unprintable("a value of several lines in a flow collection")),
        false => Ok(text),
    }
}

/// A text in quotes, in those asked for if they can hold it.
pub(crate) fn quoted(text: &str, style: ScalarStyle) -> Result<Text, Misfit> {
    let mut emitter = Emitter::new(2);
    let none = EventComments::default;
    emitter.emit(Event::DocumentStart, none()).map_err(unprintable)?;
    emitter.emit(Event::Scalar { text, style, tag: None }, none()).map_err(unprintable)?;
    emitter.emit(Event::DocumentEnd, none()).map_err(unprintable)?;
    let mut out = emitter.finish();
    trim_breaks(&mut out);
    Ok(out)
}

/// A comment with its `#`.
pub(crate) fn comment_text(comment: &Comment) -> Result<Text, Misfit> {
    let words = lossy(comment.text.expose());
    if words.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err(unprintable("a comment with a line break"));
    }
    let mut out = Text::default();
    out.reserve(words.len() + 1);
    out.push('#');
    out.push_str(&words);
    Ok(out)
}

fn key_text(key: &Key, node: &Node) -> Result<Text, Misfit> {
    if key == "<<" && matches!(node, Node::Map(_) | Node::List(_)) {
        return Ok(Zeroizing::new("<<".to_owned()));
    }
    let mut text = emit_value(&Node::Leaf(Value::text(key.as_bytes().to_vec()))).map_err(unprintable)?;
    trim_breaks(&mut text);
    match text.contains('\n') {
        true => Err(unprintable("a key of several lines")),
        false => Ok(text),
    }
}

fn empty(node: &Node) -> Result<Printed, Misfit> {
    let (text, comments): (_, Vec<&Comment>) = match node {
        Node::Map(branch) => ("{}", branch.entries.iter().filter_map(comment_of_entry).collect()),
        Node::List(list) => ("[]", list.iter().filter_map(comment_of_item).collect()),
        _ => ("", Vec::new()),
    };
    let mut text = Zeroizing::new(text.to_owned());
    match comments.as_slice() {
        [] => {}
        [comment] => {
            text.push(' ');
            text.push_str(&comment_text(comment)?);
        }
        _ => return Err(unprintable("comments in an empty mapping or list")),
    }
    Ok(Printed::line(text))
}

fn comment_of_entry(entry: &Entry) -> Option<&Comment> {
    if let Entry::Comment(comment) = entry { Some(comment) } else { None }
}

fn comment_of_item(node: &Node) -> Option<&Comment> {
    if let Node::Comment(comment) = node { Some(comment) } else { None }
}

/// Whether a collection has nothing in it but comments.
pub(crate) fn is_empty(node: &Node) -> bool {
    match node {
        Node::Map(branch) => !branch.entries.iter().any(|entry| matches!(entry, Entry::Item(..))),
        Node::List(list) => list.iter().all(|node| matches!(node, Node::Comment(_))),
        Node::Leaf(_) | Node::Comment(_) => false,
    }
}

/// Whether a text is a plain scalar of a block without a closer look: an envelope.
fn is_harmless(text: &[u8]) -> bool {
    text.starts_with(b"ENC[")
        && text.ends_with(b"]")
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"[]_,:/+=".contains(byte))
        && !text.windows(2).any(|pair| pair == b": ")
}

fn lossy(bytes: &[u8]) -> Text {
    Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
}

fn indent(out: &mut Text, column: usize) {
    out.extend(std::iter::repeat_n(' ', column));
}

fn push(out: &mut Text, text: &str) {
    out.push_str(text);
}

fn trim_breaks(text: &mut Text) {
    let length = text.trim_end_matches('\n').len();
    text.truncate(length);
}
