//! Adds entries and takes them away.

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::syntax::Content;
use zeroize::Zeroizing;

use crate::align::Pair;
use crate::misfit::Misfit;
use crate::yaml::outline::PlaceKind;
use crate::yaml::preserve::editor::{Among, Editor, Home};
use crate::yaml::preserve::edits::{STAND_IN, Slot};
use crate::yaml::preserve::print::{self, Text, comment_text};
use crate::yaml::preserve::tail::APART;

impl Editor<'_, '_, '_> {
    /// Where what stands at a place ends.
    pub(super) fn end_of(&self, at: usize) -> usize {
        let (mut end, mut next) = (0, at);
        let places = &self.outline.places;
        while next < at + places[at].size {
            end = end.max(self.end_of_one(next));
            next += if matches!(places[next].kind, PlaceKind::Alias) { places[next].size.max(1) } else { 1 };
        }
        end
    }

    /// Where a place itself ends, what is in it left out; 0 for a collection by indentation.
    pub(super) fn end_of_one(&self, at: usize) -> usize {
        let (place, document) = (self.outline.places[at], &self.outline.document);
        match (place.kind, place.node) {
            (PlaceKind::Comment { span }, _) => span.end as usize,
            (PlaceKind::Leaf, Some(id)) => self.content_end(id),
            (PlaceKind::Alias, Some(id)) => document.node(id).span.end as usize,
            (_, Some(id)) if self.is_flow(id) => document.node(id).span.end as usize,
            _ => 0,
        }
    }

    fn is_flow(&self, id: ksops_yaml::syntax::NodeId) -> bool {
        use ksops_yaml::syntax::CollectionStyle::Flow;
        matches!(
            self.outline.document.node(id).content,
            Content::Mapping(_, Flow) | Content::Sequence(_, Flow)
        )
    }

    /// Where an entry starts, its key or dash included.
    pub(super) fn start_of(&self, at: usize, home: Home) -> Option<usize> {
        let place = self.outline.places[at];
        match (place.kind, place.key, place.node) {
            (PlaceKind::Comment { span }, ..) => Some(span.start as usize),
            (_, Some(key), _) => {
                let start = self.outline.document.node(key).start as usize;
                // A key may be written behind a question mark.
                let mark = self.source.indicator_before(start, b'?');
                Some(
                    mark.filter(|mark| self.source.line_start(*mark) == self.source.line_start(start))
                        .unwrap_or(start),
                )
            }
            (_, None, Some(id)) => {
                let start = self.outline.document.node(id).start as usize;
                match home {
                    Home::List => self.source.indicator_before(start, b'-'),
                    _ => Some(start),
                }
            }
            _ => None,
        }
    }

    /// The column of the keys or dashes of a collection.
    pub(super) fn column_of(&self, children: &[usize], home: Home) -> Option<usize> {
        let first = children
            .iter()
            .find(|child| !matches!(self.outline.places[**child].kind, PlaceKind::Comment { .. }))?;
        self.start_of(*first, home).map(|start| self.source.column(start))
    }

    /// Takes an entry away, with its line or lines.
    pub(super) fn remove(&mut self, at: usize, among: Among<'_>) -> Result<(), Misfit> {
        let Among { children, pairs, number, home } = among;
        self.touch(at);
        let source = self.source;
        let Some(start) = self.start_of(at, home) else {
            return Err(self.misfit(at, "an entry in an unusual place"));
        };
        if let PlaceKind::Comment { span } = self.outline.places[at].kind {
            self.marks.push((start, true));
            self.remove_comment(span.start as usize, span.end as usize);
            return Ok(());
        }
        let end = self.end_of(at).max(start);
        if home.is_flow() {
            return self.remove_from_flow(at, start, end, among);
        }
        let line_end = source.line_end(end);
        let beside =
            children.iter().enumerate().find_map(|(place, child)| match self.outline.places[*child].kind {
                PlaceKind::Comment { span } if (start..line_end).contains(&(span.start as usize)) => {
                    Some((place, span))
                }
                _ => None,
            });
        if let Some((place, span)) = beside {
            let stays = pairs.iter().any(|pair| pair.0 == Some(place) && pair.1.is_some());
            if stays && (span.start as usize) < end {
                return Err(self.misfit(at, "a comment in what is taken away"));
            }
            if stays {
                self.edits.delete(start, span.start as usize);
                return Ok(());
            }
        }
        if !source.is_first_on_line(start) {
            // Behind a dash: what follows moves up.
            let next = pairs[number + 1..]
                .iter()
                .find_map(|pair| pair.0.map(|old| children[old]))
                .and_then(|next| self.start_of(next, home));
            let Some(next) = next.filter(|next| *next >= end) else {
                return Err(self.misfit(at, "the first entry behind a dash, taken away"));
            };
            self.edits.delete(start, next);
            return Ok(());
        }
        self.remove_lines(start, end);
        Ok(())
    }

    /// Takes away whole lines. If the text does not end with a line break, it does not afterwards.
    fn remove_lines(&mut self, start: usize, end: usize) {
        let source = self.source;
        let (mut first, behind) = (source.line_start(start), source.next_line(end));
        if source.slice(start, end).starts_with("sops") {
            first = self.without_apart(first);
        }
        if behind == source.text.len() && !source.has_break_before(behind) && first > 0 {
            let before = source.slice(0, first);
            let cut =
                before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).unwrap_or(before);
            self.edits.delete(cut.len(), behind);
        } else {
            self.edits.delete(first, behind);
        }
    }

    /// The line that sets metadata apart goes with them.
    fn without_apart(&self, first: usize) -> usize {
        let before = self.source.slice(0, first);
        let before = before.strip_suffix(self.printer.line_break).unwrap_or(before);
        match before.strip_suffix(APART) {
            Some(rest) if rest.ends_with(self.printer.line_break) => rest.len(),
            _ => first,
        }
    }

    /// Takes a comment away, with its line if there is nothing else on it.
    pub(super) fn remove_comment(&mut self, start: usize, end: usize) {
        match self.source.is_first_on_line(start) {
            true => self.remove_lines(start, end),
            false => self.edits.delete(self.source.before_blanks(start), end),
        }
    }

    pub(super) fn remove_from_flow(
        &mut self,
        at: usize,
        start: usize,
        end: usize,
        among: Among<'_>,
    ) -> Result<(), Misfit> {
        let Among { children, pairs, number, .. } = among;
        let is_item = |child: &usize| !matches!(self.outline.places[*child].kind, PlaceKind::Comment { .. });
        let after =
            pairs[number + 1..].iter().filter_map(|pair| pair.0.map(|old| children[old])).find(is_item);
        let before =
            pairs[..number].iter().rev().filter_map(|pair| pair.0.map(|old| children[old])).find(is_item);
        let (from, to) = match (before, after) {
            (_, Some(next)) => (start, self.start_of(next, Home::FlowMap).unwrap_or(end)),
            (Some(previous), None) => (self.end_of(previous), end),
            (None, None) => (start, end),
        };
        if !self.source.comments_between(from, to).is_empty() {
            return Err(self.misfit(at, "a comment in a flow collection of which something is taken away"));
        }
        self.edits.delete(from, to);
        Ok(())
    }

    /// Adds an entry to a mapping.
    pub(super) fn insert_entry(&mut self, at: usize, entry: &Entry, among: Among<'_>) -> Result<(), Misfit> {
        let Among { children, home, .. } = among;
        self.touch_around();
        let printer = self.printer;
        let column = self.column_of(children, home).unwrap_or(0);
        if home.is_flow() {
            let text = print::flow_entry(entry).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            self.insert_in_flow(at, text, among)?;
        } else {
            let mut text = Text::default();
            printer.entry(&mut text, entry, column).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            let tail = match (at, entry) {
                (0, Entry::Item(key, _)) if key == "sops" => self.tail(children),
                _ => None,
            };
            match tail {
                Some(tail) => self.insert_at(tail.place, &tail.before, text),
                None => self.insert_lines(at, text, column, among)?,
            }
        }
        if matches!(entry, Entry::Item(_, Node::Leaf(Value::Text(text))) if text.expose() == STAND_IN.as_bytes())
        {
            self.edits.mark_slot(Slot { printer, column, in_flow: home.is_flow() });
        }
        Ok(())
    }

    /// Adds an element to a list.
    pub(super) fn insert_item(&mut self, at: usize, node: &Node, among: Among<'_>) -> Result<(), Misfit> {
        let Among { children, home, .. } = among;
        self.touch_around();
        if home.is_flow() {
            let text = print::flow(node).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            return self.insert_in_flow(at, text, among);
        }
        let column = self.column_of(children, home).unwrap_or(0);
        let mut text = Text::default();
        self.printer.item(&mut text, node, column).map_err(|misfit| self.misfit(at, &misfit.construct))?;
        self.insert_lines(at, text, column, among)
    }

    pub(super) fn insert_lines(
        &mut self,
        at: usize,
        text: Text,
        column: usize,
        among: Among<'_>,
    ) -> Result<(), Misfit> {
        let Among { children, pairs, number, home } = among;
        let source = self.source;
        // A comment behind the document's end is no place for anything.
        let document_end = self.outline.document.span.end as usize;
        let is_inside = |at: &usize| self.end_of(*at) <= document_end;
        let previous =
            pairs[..number].iter().rev().filter_map(|pair| pair.0.map(|old| children[old])).find(is_inside);
        if let Some(previous) = previous {
            self.insert_at(source.next_line(self.end_of(previous)), "", text);
            return Ok(());
        }
        let next = pairs[number..].iter().find_map(|pair| pair.0.map(|old| children[old]));
        let Some(start) = next.and_then(|next| self.start_of(next, home)) else {
            return Err(self.misfit(at, "a new entry in an unusual place"));
        };
        self.edits.insert(start, shifted(&text, column));
        Ok(())
    }

    /// Puts whole lines at the start of a line, or at the end of the text.
    fn insert_at(&mut self, place: usize, before: &str, mut text: Text) {
        text.insert_str(0, before);
        if !self.source.has_break_before(place) {
            // The last line has no break, nor shall the new last one have any.
            let line_break = self.printer.line_break;
            let end = text.strip_suffix(line_break).unwrap_or(&text).len();
            text.truncate(end);
            text.insert_str(0, line_break);
        }
        self.edits.insert(place, text);
    }

    pub(super) fn insert_in_flow(&mut self, at: usize, text: Text, among: Among<'_>) -> Result<(), Misfit> {
        let Among { children, pairs, number, .. } = among;
        let is_item = |child: &usize| !matches!(self.outline.places[*child].kind, PlaceKind::Comment { .. });
        let old = |pair: &Pair| pair.0.map(|old| children[old]).filter(is_item);
        let previous = pairs[..number].iter().rev().find_map(old);
        let next = pairs[number..].iter().find_map(old);
        match (previous, next) {
            (Some(previous), _) => {
                let end = self.end_of(previous);
                self.edits.insert(end, Zeroizing::new(format!(", {}", *text)));
            }
            (None, Some(next)) => {
                let start = self.start_of(next, Home::FlowMap).unwrap_or(0);
                self.edits.insert(start, Zeroizing::new(format!("{}, ", *text)));
            }
            (None, None) if pairs[..number].iter().any(|pair| pair.0.is_none()) => {
                return Err(self.misfit(at, "several new entries in an empty flow collection"));
            }
            (None, None) => {
                let node = self.outline.places[at].node;
                let start = node.map_or(0, |id| self.outline.document.node(id).span.start as usize);
                self.edits.insert(start + 1, text);
            }
        }
        Ok(())
    }

    /// Adds entries to a document that has none.
    pub(super) fn fill_empty(&mut self, branch: &Branch) -> Result<(), Misfit> {
        let outline = self.outline;
        let children = outline.children(0);
        let has_text = outline.document.root().is_some_and(|id| {
            let node = outline.document.node(id);
            node.start != node.span.end
        });
        if has_text {
            return Err(self.misfit(0, "a document that is null"));
        }
        let mut entries = branch.entries.iter();
        for child in &children {
            match entries.next() {
                Some(Entry::Comment(comment)) => {
                    let PlaceKind::Comment { span } = outline.places[*child].kind else { continue };
                    let text =
                        comment_text(comment).map_err(|misfit| self.misfit(*child, &misfit.construct))?;
                    self.edits.replace(span.start as usize, span.end as usize, text);
                }
                _ => return Err(self.misfit(0, "an empty document")),
            }
        }
        let last = children.iter().map(|child| self.end_of(*child)).max();
        let end = last.unwrap_or(outline.document.span.start as usize);
        let place = self.source.next_line(end);
        for entry in entries {
            let mut text = Text::default();
            self.printer.entry(&mut text, entry, 0)?;
            self.insert_at(place, "", text);
            if matches!(entry, Entry::Item(_, Node::Leaf(Value::Text(text))) if text.expose() == STAND_IN.as_bytes())
            {
                self.edits.mark_slot(Slot { printer: self.printer, column: 0, in_flow: false });
            }
        }
        Ok(())
    }
}

/// Lines that go before something on its line: their own indentation is there already, and the last one gives it to
/// what follows.
pub(super) fn shifted(lines: &str, column: usize) -> Text {
    let mut text = Text::default();
    text.reserve(lines.len());
    text.push_str(lines.get(column..).unwrap_or(lines));
    text.extend(std::iter::repeat_n(' ', column));
    text
}
