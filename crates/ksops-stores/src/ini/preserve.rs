//! A changed tree back into the INI text that it came from: every line that says the same stays.

use std::ops::Range;

use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use zeroize::Zeroizing;

use crate::align::{Pair, align};
use crate::ini::emit::{emit, value_quote, write_comment};
use crate::ini::load::{DEFAULT_SECTION, IniPlace, load};
use crate::misfit::Misfit;
use crate::scalar;
use crate::splice::Splices;

/// Prints a tree with the layout of a text. Whoever uses it reads what came out and compares.
///
/// # Errors
/// [`Misfit`] if a value has no INI form, or the text has keys or comments that the tree does not have.
pub(crate) fn emit_like(like: &[u8], branch: &Branch) -> Result<Zeroizing<Vec<u8>>, Misfit> {
    let loaded = load(like).map_err(|error| Misfit::of(&error))?;
    if loaded.notices.iter().any(|notice| notice.grave) {
        return Err(Misfit::somewhere("a key that is repeated, or something else that reading loses"));
    }
    let old = sections(&loaded.branch, &loaded.places)?;
    let new: Vec<(&Key, &Branch)> = branch.entries.iter().filter_map(section).collect();
    let same = |at: usize, other: usize| old[at].name == new[other].0;
    let pairs = align(old.len(), new.len(), same, same);
    let mut editor = Editor { text: like, splices: Splices::default() };
    for (number, pair) in pairs.iter().enumerate() {
        match *pair {
            (Some(at), Some(other)) => editor.section(&old[at], new[other].1)?,
            (Some(at), None) => editor.remove_section(&old, at),
            // Every tree begins with this one.
            (None, Some(other)) if is_default(new[other].0) && new[other].1.entries.is_empty() => {}
            (None, Some(other)) => editor.add_section(new[other], &old, &pairs, number)?,
            (None, None) => {}
        }
    }
    editor.drop_stray(&loaded.places);
    let mut out = editor.splices.apply(like)?;
    // A text that ended without a line break does so without its last lines, too.
    if !like.is_empty() && !like.ends_with(b"\n") && out.ends_with(b"\n") {
        out.pop();
    }
    Ok(out)
}

/// A section of the text.
struct Section<'p> {
    name: &'p Key,
    /// `None` for the keys before any header.
    header: Option<&'p IniPlace>,
    items: Vec<(&'p Key, &'p IniPlace)>,
}

fn is_default(name: &Key) -> bool {
    name == DEFAULT_SECTION
}

fn section(entry: &Entry) -> Option<(&Key, &Branch)> {
    match entry {
        Entry::Item(name, Node::Map(branch)) => Some((name, branch)),
        _ => None,
    }
}

fn items(branch: &Branch) -> impl Iterator<Item = (usize, &Key, &Node)> {
    branch.entries.iter().enumerate().filter_map(|(at, entry)| match entry {
        Entry::Item(key, node) => Some((at, key, node)),
        Entry::Comment(_) => None,
    })
}

/// Puts tree and places side by side.
fn sections<'p>(branch: &'p Branch, places: &'p [IniPlace]) -> Result<Vec<Section<'p>>, Misfit> {
    let odd = || Misfit::somewhere("sections that are read in another order");
    let mut places = places.iter().peekable();
    let mut sections = Vec::new();
    for (number, (name, entries)) in branch.entries.iter().filter_map(section).enumerate() {
        let header = if number == 0 {
            None
        } else {
            Some(places.next().filter(|place| place.is_header).ok_or_else(odd)?)
        };
        let mut found = Vec::new();
        for (_, key, _) in items(entries) {
            found.push((key, places.next_if(|place| !place.is_header).ok_or_else(odd)?));
        }
        sections.push(Section { name, header, items: found });
    }
    if places.next().is_some() { Err(odd()) } else { Ok(sections) }
}

struct Editor<'t> {
    text: &'t [u8],
    splices: Splices,
}

impl Editor<'_> {
    fn section(&mut self, old: &Section<'_>, branch: &Branch) -> Result<(), Misfit> {
        let new: Vec<(usize, &Key, &Node)> = items(branch).collect();
        let comment_at = |at: usize| match branch.entries.get(at) {
            Some(Entry::Comment(comment)) => Some(comment.text.expose()),
            _ => None,
        };
        if let Some(header) = old.header {
            self.comment(header, comment_at(0))?;
        }
        let same = |at: usize, other: usize| old.items[at].0 == new[other].1;
        let mut last: Option<usize> = None;
        for pair in align(old.items.len(), new.len(), same, same) {
            match pair {
                (Some(at), Some(other)) => {
                    let (place, (entry, _, node)) = (old.items[at].1, new[other]);
                    self.value(place, node)?;
                    self.comment(place, comment_at(entry + 1))?;
                    last = Some(place.value.end);
                }
                (Some(at), None) => {
                    let place = old.items[at].1;
                    last = Some(place.value.end);
                    let start =
                        place.comments.first().map_or(place.start, |piece| piece.start.min(place.start));
                    self.splices.delete(self.line_start(start)..self.next_line(place.value.end));
                }
                (None, Some(other)) => {
                    let (entry, key, node) = new[other];
                    let mut entries = vec![Entry::Item(key.clone(), node.clone())];
                    entries.extend(
                        branch
                            .entries
                            .get(entry + 1)
                            .filter(|next| matches!(next, Entry::Comment(_)))
                            .cloned(),
                    );
                    // In the section before any header, so that there is none.
                    let section = Entry::Item(DEFAULT_SECTION.into(), Node::Map(Branch { entries }));
                    let lines =
                        emit(&Branch { entries: vec![section] }).map_err(|error| Misfit::of(&error))?;
                    let end = last.or(old.header.map(|header| header.value.end));
                    let place = end.map_or(0, |end| self.next_line(end));
                    self.insert_lines(place, &lines);
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, place: &IniPlace, node: &Node) -> Result<(), Misfit> {
        let Node::Leaf(value) = node else { return Err(Misfit::somewhere("a list or mapping")) };
        let text = scalar::text(value).ok_or_else(|| Misfit::somewhere("a timestamp without a text"))?;
        let old = &self.text[place.value.clone()];
        if read(old) == Some(text.to_vec()) {
            return Ok(());
        }
        let needed = value_quote(&text);
        let is_simple =
            needed.is_empty() && !text.is_empty() && !text.contains(&b'"') && !text.contains(&b'\'');
        let quote: &[u8] = match old {
            [b'"', .., b'"'] if old.len() > 1 && is_simple && !old.starts_with(b"\"\"\"") => b"\"",
            [b'\'', .., b'\''] if old.len() > 1 && is_simple => b"'",
            [b'`', .., b'`'] if old.len() > 1 && is_simple => b"`",
            _ => needed,
        };
        let before = self.text.get(place.value.start.wrapping_sub(1)).copied();
        let blank: &[u8] =
            if place.value.is_empty() && matches!(before, Some(b'=' | b':')) { b" " } else { b"" };
        self.splices.replace(place.value.clone(), [blank, quote, &*text, quote].concat());
        Ok(())
    }

    /// Changes the comment of a header or key.
    fn comment(&mut self, place: &IniPlace, new: Option<&[u8]>) -> Result<(), Misfit> {
        if place.comment.as_ref().map(|text| text.expose()) == new {
            return Ok(());
        }
        let is_inside = |piece: &Range<usize>| piece.start >= place.value.end;
        let is_line = new.is_some_and(|text| !text.contains(&b'\n') && !text.is_empty());
        match (place.comments.as_slice(), new) {
            ([piece], Some(text)) if is_line => {
                let old = &self.text[piece.clone()];
                let marks = old.iter().take_while(|byte| matches!(byte, b'#' | b';' | b' ')).count();
                self.splices.replace(piece.start + marks.min(old.len())..piece.end, text.to_vec());
            }
            (pieces, new) => {
                for piece in pieces {
                    match is_inside(piece) {
                        true => self.splices.delete(self.before_blanks(piece.start)..piece.end),
                        false => self.splices.delete(self.line_start(piece.start)..self.next_line(piece.end)),
                    }
                }
                if let Some(text) = new {
                    let mut lines = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 8));
                    write_comment(text, true, &mut lines);
                    let first = pieces
                        .first()
                        .filter(|piece| !is_inside(piece))
                        .map_or(place.start, |piece| piece.start);
                    self.splices.insert(self.line_start(first), lines.to_vec());
                }
            }
        }
        Ok(())
    }

    fn remove_section(&mut self, old: &[Section<'_>], at: usize) {
        let start = |section: &Section<'_>| {
            let header = section.header?;
            Some(self.line_start(
                header.comments.first().map_or(header.start, |piece| piece.start.min(header.start)),
            ))
        };
        let Some(from) = start(&old[at]) else { return };
        let to = old.get(at + 1).and_then(start).unwrap_or(self.text.len());
        // The empty line before it was put there with it.
        let before = &self.text[..from];
        let from = match before.ends_with(b"\n\n") {
            true if to == self.text.len() => from - 1,
            _ => from,
        };
        self.splices.delete(from..to);
    }

    fn add_section(
        &mut self,
        (name, branch): (&Key, &Branch),
        old: &[Section<'_>],
        pairs: &[Pair],
        number: usize,
    ) -> Result<(), Misfit> {
        let section = Entry::Item(name.clone(), Node::Map(branch.clone()));
        // Behind the section before any header, so that it gets a header, whatever its name.
        let first = Entry::Item(DEFAULT_SECTION.into(), Node::Map(Branch::default()));
        let lines = emit(&Branch { entries: vec![first, section] }).map_err(|error| Misfit::of(&error))?;
        let end = |section: &Section<'_>| {
            section
                .items
                .last()
                .map(|item| item.1.value.end)
                .or(section.header.map(|header| header.value.end))
        };
        let previous = pairs[..number].iter().rev().filter_map(|pair| pair.0).find_map(|at| end(&old[at]));
        let follows = pairs[number..].iter().any(|pair| pair.0.is_some());
        match previous {
            Some(end) if follows => {
                let place = self.next_line(end);
                self.insert_lines(place, &[b"\n", lines.as_slice()].concat());
            }
            _ => {
                let lines =
                    if self.text.is_empty() { lines.to_vec() } else { [b"\n", lines.as_slice()].concat() };
                self.insert_lines(self.text.len(), &lines);
            }
        }
        Ok(())
    }

    /// Takes away the comment at the end of the text that belongs to no key: nobody reads it, and it would stay in
    /// plaintext.
    fn drop_stray(&mut self, places: &[IniPlace]) {
        let ends = places
            .iter()
            .flat_map(|place| place.comments.iter().chain([&place.value]).map(|range| range.end));
        let end = self.next_line(ends.max().unwrap_or(0));
        let behind = &self.text[end..];
        let blanks = behind.len() - behind.trim_ascii_start().len();
        if blanks < behind.len() {
            self.splices.delete(self.line_start(end + blanks)..self.text.len());
        }
    }

    /// Puts whole lines at a place; at the end of a text without a final line break, they have none either.
    fn insert_lines(&mut self, place: usize, lines: &[u8]) {
        let is_open = place == self.text.len() && place > 0 && !self.text.ends_with(b"\n");
        let lines = match is_open {
            true => [b"\n", lines.strip_suffix(b"\n").unwrap_or(lines)].concat(),
            false => lines.to_vec(),
        };
        self.splices.insert(place, lines);
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    fn next_line(&self, at: usize) -> usize {
        self.text[at..].iter().position(|byte| *byte == b'\n').map_or(self.text.len(), |found| at + found + 1)
    }

    fn before_blanks(&self, at: usize) -> usize {
        self.text[..at].iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1)
    }
}

/// What a value reads as, alone.
fn read(value: &[u8]) -> Option<Vec<u8>> {
    let loaded = load(&[b"k = ", value, b"\n"].concat()).ok()?;
    let (_, section) = loaded.branch.entries.first().and_then(section)?;
    match section.node("k")? {
        Node::Leaf(value) => scalar::text(value).map(|text| text.to_vec()),
        _ => None,
    }
}
