//! Puts one value in the place of another.

use ksops_core::tree::branch::Node;
use ksops_core::value::Value;
use ksops_yaml::syntax::{Content, NodeId, ScalarStyle};
use zeroize::Zeroizing;

use crate::misfit::Misfit;
use crate::yaml::outline::PlaceKind;
use crate::yaml::preserve::editor::{Editor, Home};
use crate::yaml::preserve::print::{self, Printed, Text};

impl Editor<'_, '_, '_> {
    /// Changes a scalar. It keeps its quotes if they can hold the new value.
    pub(super) fn replace_leaf(
        &mut self,
        at: usize,
        id: NodeId,
        value: &Value,
        home: Home,
    ) -> Result<(), Misfit> {
        let node = self.outline.document.node(id);
        let Content::Scalar(_, style) = &node.content else { return Ok(()) };
        let (style, start) = (*style, node.span.start as usize);
        let end = self.content_end(id);
        self.drop_tag(id, value);
        let before = match value {
            Value::Text(text) => text.expose_str().and_then(|text| self.quotes.get(text)),
            _ => None,
        };
        let quotes = before.copied().unwrap_or(style);
        let mut printed = self.printed(at, value, quotes, home, start, end)?;
        let source = self.source;
        let header = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                source.comments_between(start, source.line_end(start)).first().copied()
            }
            _ => None,
        };
        if let Some(comment) = header {
            self.edits.replace(start, source.before_blanks(comment.start as usize), printed.head);
            let below = printed.body.map(|body| self.below(&body)).unwrap_or_default();
            self.edits.replace(comment.end as usize, end.max(comment.end as usize), below);
            return Ok(());
        }
        if start == end
            && source
                .text
                .as_bytes()
                .get(start.wrapping_sub(1))
                .is_some_and(|byte| !byte.is_ascii_whitespace())
        {
            printed.head.insert(0, ' ');
        }
        self.put(start, end, printed);
        Ok(())
    }

    /// Puts what was printed in the place of what stands from `start` to `end`. Lines below go behind what follows on
    /// the line, a comment.
    pub(super) fn put(&mut self, start: usize, end: usize, printed: Printed) {
        let Printed { mut head, body } = printed;
        let Some(body) = body else { return self.edits.replace(start, end, head) };
        let below = self.below(&body);
        let line_end = self.source.line_end(end);
        if self.source.slice(end, line_end).trim().is_empty() {
            head.push_str(&below);
            self.edits.replace(start, line_end, head);
        } else {
            self.edits.replace(start, end, head);
            self.edits.insert(line_end, below);
        }
    }

    fn below(&self, body: &str) -> Text {
        let mut below = Text::default();
        below.reserve(body.len() + 2);
        below.push_str(self.printer.line_break);
        below.push_str(body);
        below
    }

    fn printed(
        &self,
        at: usize,
        value: &Value,
        style: ScalarStyle,
        home: Home,
        start: usize,
        end: usize,
    ) -> Result<Printed, Misfit> {
        let named = |misfit: Misfit| self.misfit(at, &misfit.construct);
        let text = match value {
            Value::Text(text) => text.expose_str(),
            _ => None,
        };
        let of_line = |head: Text| Printed { head, body: None };
        let has_break = |text: &str| text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        if let Some(text) = text.filter(|text| !has_break(text)) {
            // In a flow collection single quotes may stand for none: an envelope has brackets.
            let quotes = match style {
                ScalarStyle::DoubleQuoted => Some(ScalarStyle::DoubleQuoted),
                ScalarStyle::SingleQuoted if !home.is_flow() => Some(ScalarStyle::SingleQuoted),
                _ if home.is_flow() && !may_be_plain_in_flow(text) => Some(ScalarStyle::SingleQuoted),
                _ => None,
            };
            if let Some(quotes) = quotes {
                return print::quoted(text, quotes).map(of_line).map_err(named);
            }
        }
        if home.is_flow() {
            return print::flow_scalar(value).map(of_line).map_err(named);
        }
        // What follows would be part of it.
        let keeps_breaks = text.is_some_and(|text| text.ends_with("\n\n") || text == "\n");
        if let (true, Some(text)) = (keeps_breaks && self.source.is_followed_by_blank(end), text) {
            return print::quoted(text, ScalarStyle::DoubleQuoted).map(of_line).map_err(named);
        }
        let (column, step) = match home {
            Home::List => (self.dash_column(start).unwrap_or(0), 2),
            _ => (self.key_column(at), self.printer.step),
        };
        let is_short = text.is_some_and(|text| !text.contains('\n'));
        let is_enough = is_short || text.is_none() && !matches!(value, Value::Text(_));
        let (column, step) = if is_enough { (0, 2) } else { (column, step) };
        self.printer.scalar(value, column, step).map_err(named)
    }

    /// The column of the key of a place; that of its mapping.
    pub(super) fn key_column(&self, at: usize) -> usize {
        let key = self.outline.places[at].key;
        key.map_or(0, |key| self.source.column(self.outline.document.node(key).start as usize))
    }

    /// The column of the dash before a place of the text.
    fn dash_column(&self, start: usize) -> Option<usize> {
        self.source.indicator_before(start, b'-').map(|dash| self.source.column(dash))
    }

    /// Where a scalar ends. The line break behind a block scalar, and empty lines that are no part of it, are left out.
    pub(super) fn content_end(&self, id: NodeId) -> usize {
        let node = self.outline.document.node(id);
        let (start, end) = (node.span.start as usize, node.span.end as usize);
        let Content::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded) = &node.content else {
            return end;
        };
        let text = self.source.slice(start, end);
        let header = text.lines().next().unwrap_or_default();
        let keeps = header.split('#').next().unwrap_or_default().contains('+');
        let trimmed = match keeps {
            true => text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text),
            false => text.trim_end_matches([' ', '\t', '\n', '\r']),
        };
        start + trimmed.len()
    }

    /// Takes away a tag that says what the new value is not.
    fn drop_tag(&mut self, id: NodeId, value: &Value) {
        let node = self.outline.document.node(id);
        let stays = match node.tag.as_deref() {
            None => return,
            Some("!!str") => matches!(value, Value::Text(text) if text.expose_str().is_some()),
            Some(tag) => !tag.starts_with("!!"),
        };
        if stays {
            return;
        }
        let (start, end) = (node.start as usize, node.span.start as usize);
        let properties = self.source.slice(start, end);
        let mut at = start;
        for word in properties.split_inclusive([' ', '\t', '\n', '\r']) {
            if word.starts_with('!') {
                self.edits.delete(at, at + word.len());
                return;
            }
            at += word.len();
        }
    }

    /// Writes a key out that is an alias of a value that changed.
    pub(super) fn replace_key(&mut self, key: NodeId, names: NodeId) -> Result<(), Misfit> {
        let document = &self.outline.document;
        let Content::Scalar(text, _) = &document.node(names).content else { return Ok(()) };
        let span = document.node(key).span;
        let text = print::flow_scalar(&Value::text(text.as_ref()))?;
        self.edits.replace(span.start as usize, span.end as usize, text);
        Ok(())
    }

    /// Puts another value in the place of one of another kind, or of an alias.
    pub(super) fn replace_value(&mut self, at: usize, node: &Node, home: Home) -> Result<(), Misfit> {
        let Some(id) = self.outline.places[at].node else { return Ok(()) };
        let start = self.outline.document.node(id).start as usize;
        let end = self.end_of(at);
        let named = |editor: &Self, misfit: Misfit| editor.misfit(at, &misfit.construct);
        if home.is_flow() {
            let text = print::flow(node).map_err(|misfit| named(self, misfit))?;
            self.edits.replace(start, end, text);
            return Ok(());
        }
        let (indicator, printed) = match home {
            Home::List => {
                let dash = self.source.indicator_before(start, b'-');
                let column = dash.map_or(0, |dash| self.source.column(dash));
                (dash, self.printer.below_dash(node, column))
            }
            _ => {
                (self.source.indicator_before(start, b':'), self.printer.below_key(node, self.key_column(at)))
            }
        };
        let mut printed = printed.map_err(|misfit| named(self, misfit))?;
        let Some(indicator) = indicator else {
            return Err(self.misfit(at, "a value in an unusual place"));
        };
        let own = (at..at + self.outline.places[at].size)
            .filter(|at| matches!(self.outline.places[*at].kind, PlaceKind::Comment { .. }))
            .count();
        let is_alias = matches!(self.outline.places[at].kind, PlaceKind::Alias);
        if self.source.comments_between(indicator, end).len() > if is_alias { 0 } else { own } {
            return Err(self.misfit(at, "a comment between a key or dash and its value"));
        }
        if !printed.head.is_empty() {
            printed.head = Zeroizing::new(format!(" {}", *printed.head));
        }
        self.put(indicator + 1, end, printed);
        Ok(())
    }
}

/// Whether a text can stand in a flow collection without quotes, as far as its characters go.
fn may_be_plain_in_flow(text: &str) -> bool {
    !text.contains([',', '[', ']', '{', '}', '?'])
        && print::quoted(text, ScalarStyle::Plain).is_ok_and(|plain| *plain == text)
        && ksops_yaml::emit::style::wanted_style(text) == ScalarStyle::Plain
        && !text.contains(": ")
        && !text.ends_with(':')
        && !text.starts_with('-')
}
