//! Comments in lists: encryption makes elements of them, and decryption comments again.

use ksops_core::tree::branch::{Comment, Node};
use zeroize::Zeroizing;

use crate::misfit::Misfit;
use crate::yaml::outline::PlaceKind;
use crate::yaml::preserve::editor::{Among, Editor, Home};
use crate::yaml::preserve::entries::shifted;
use crate::yaml::preserve::print::{self, Text, comment_text};

impl Editor<'_, '_, '_> {
    /// A comment in a list becomes an element: encryption makes it one.
    pub(super) fn comment_to_item(&mut self, at: usize, node: &Node, among: Among<'_>) -> Result<(), Misfit> {
        let Among { children, pairs, number, home } = among;
        self.touch(at);
        let PlaceKind::Comment { span } = self.outline.places[at].kind else { return Ok(()) };
        let (start, end) = (span.start as usize, span.end as usize);
        self.marks.push((start, true));
        let column = self.column_of(children, home);
        let before = pairs[..number].iter().rev().find_map(|pair| pair.0.map(|old| children[old]));
        let behind = pairs[number + 1..].iter().find_map(|pair| pair.0.map(|old| children[old]));
        // A comment may belong behind an element that stands behind it.
        let is_in_order = before.is_none_or(|at| self.end_of(at) <= start)
            && behind.and_then(|at| self.start_of(at, home)).is_none_or(|next| next >= end);
        if home == Home::List && is_in_order && self.source.is_first_on_line(start) {
            let column = column.unwrap_or_else(|| self.source.column(start));
            let mut text = Text::default();
            self.printer
                .item(&mut text, node, column)
                .map_err(|misfit| self.misfit(at, &misfit.construct))?;
            let length = text.strip_suffix(self.printer.line_break).unwrap_or(&text).len();
            text.truncate(length);
            self.edits.replace(self.source.line_start(start), end, text);
            return Ok(());
        }
        if home == Home::FlowList && self.source.is_first_on_line(start) {
            // On a line of its own it stays there.
            let mut text = print::flow(node).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            text.push(',');
            self.edits.replace(start, end, text);
            return Ok(());
        }
        self.remove_comment(start, end);
        let is_item = |child: &usize| !matches!(self.outline.places[*child].kind, PlaceKind::Comment { .. });
        let next =
            pairs[number + 1..].iter().filter_map(|pair| pair.0.map(|old| children[old])).find(is_item);
        if home.is_flow() {
            let text = print::flow(node).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            let Some(next) = next else {
                return self.insert_in_flow(at, text, among);
            };
            let start = self.start_of(next, Home::FlowList).unwrap_or(0);
            self.edits.insert(start, Zeroizing::new(format!("{}, ", *text)));
            return Ok(());
        }
        let column = column.unwrap_or(0);
        let mut text = Text::default();
        self.printer.item(&mut text, node, column).map_err(|misfit| self.misfit(at, &misfit.construct))?;
        match next.and_then(|next| self.start_of(next, home)) {
            Some(start) => {
                self.edits.insert(start, shifted(&text, column));
                Ok(())
            }
            None => self.insert_lines(at, text, column, among),
        }
    }

    /// An element of a list becomes a comment again.
    pub(super) fn item_to_comment(
        &mut self,
        at: usize,
        comment: &Comment,
        among: Among<'_>,
    ) -> Result<(), Misfit> {
        let home = among.home;
        self.touch(at);
        let Some(start) = self.start_of(at, home) else {
            return Err(self.misfit(at, "an element in an unusual place"));
        };
        let end = self.end_of(at);
        let mut text = comment_text(comment).map_err(|misfit| self.misfit(at, &misfit.construct))?;
        if !home.is_flow() {
            self.edits.replace(start, end, text);
            return Ok(());
        }
        let line_end = self.source.line_end(end);
        if self.source.is_first_on_line(start) && self.source.slice(end, line_end).trim() == "," {
            self.edits.replace(start, line_end, text);
            return Ok(());
        }
        // Behind the collection, if nothing else is there.
        let around = self.around.last().map(|id| self.outline.document.node(*id).span.end as usize);
        let behind = around.unwrap_or(end);
        let line_end = self.source.line_end(behind);
        if !self.source.slice(behind, line_end).trim_matches([' ', '\t', ']', '}', ',']).is_empty() {
            return Err(self.misfit(at, "a comment in a flow collection"));
        }
        self.remove_from_flow(at, start, end, among)?;
        text.insert(0, ' ');
        self.edits.insert(line_end, text);
        Ok(())
    }
}
