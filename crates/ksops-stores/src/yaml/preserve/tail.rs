//! Where metadata go in a document that ends with comments, so that these belong to what they belonged to.

use ksops_core::tree::branch::{Branch, Entry};

use crate::yaml::load::load_keeping_numbers;
use crate::yaml::outline::PlaceKind;
use crate::yaml::preserve::editor::{Editor, Home};
use crate::yaml::preserve::same;

/// A line with nothing but a blank; it sets metadata apart from a comment and goes when they go. Metadata always stand
/// right behind a line with something, so no line of the user's is taken for it.
pub(super) const APART: &str = " ";

/// A place for metadata.
pub(super) struct Tail {
    /// The start of a line.
    pub place: usize,
    /// What goes before them.
    pub before: String,
}

impl Editor<'_, '_, '_> {
    /// Finds a place that keeps the comments at the end of the document what they are. `None`: behind all of it.
    pub(super) fn tail(&self, children: &[usize]) -> Option<Tail> {
        let (outline, source) = (self.outline, self.source);
        let is_comment = |at: &usize| matches!(outline.places[*at].kind, PlaceKind::Comment { .. });
        let last = *children.iter().rfind(|at| !is_comment(at))?;
        let document_end = outline.document.span.end as usize;
        let ends = |is_wanted: bool| {
            (last..outline.places.len())
                .filter(move |at| is_comment(at) == is_wanted)
                .map(|at| self.end_of_one(at))
                .filter(|end| *end <= document_end)
                .max()
        };
        let (content, comments) = (ends(false)?, ends(true)?);
        if comments <= content || source.line_end(content) == source.line_end(comments) {
            return None;
        }
        let start = source.line_start(self.start_of(last, Home::Map)?);
        let (content, end) = (source.next_line(content), source.next_line(comments));
        let line_break = self.printer.line_break;
        let mut whole = source.slice(start, end).to_owned();
        if !source.has_break_before(end) {
            whole.push_str(line_break);
        }
        let wanted = read(&whole)?;
        let block = format!("sops:{line_break}{}v: 0{line_break}", " ".repeat(self.printer.step));
        let apart = format!("{APART}{line_break}");
        let keeps = |text: String| {
            let mut branch = read(&text)?;
            let block = branch
                .entries
                .iter()
                .position(|entry| matches!(entry, Entry::Item(key, _) if key == "sops"))?;
            branch.entries.remove(block);
            same::are_same(&branch, &wanted).then_some(())
        };
        if keeps(format!("{whole}{block}")).is_some() {
            return None;
        }
        if keeps(format!("{whole}{apart}{block}")).is_some() {
            return Some(Tail { place: end, before: apart });
        }
        let (before, behind) = whole.split_at_checked(content - start)?;
        keeps(format!("{before}{block}{behind}")).map(|()| Tail { place: content, before: String::new() })
    }
}

/// Reads one document; the values may be secret, and are wiped.
fn read(text: &str) -> Option<Branch> {
    let mut branches = load_keeping_numbers(text.as_bytes(), true).ok()?;
    if branches.len() == 1 { branches.pop() } else { None }
}
