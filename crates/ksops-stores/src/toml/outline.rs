//! The outline of a TOML text: which place holds what, with the comments, and nothing copied but keys.
//!
//! Tables stand in the order of their first mention, as in other readers, so that the MAC agrees with theirs. What
//! may be defined where follows the TOML specification: a table is defined once, by a header, by dotted keys or in
//! braces; only what a longer header has implied may still get its own header.

mod reader;

use std::collections::HashMap;
use std::ops::Range;

use toml_parser::parser::{Event, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ParseError, Source, Span};

use crate::toml::error::TomlError;
use crate::toml::scalar::fail_at;

/// How deep values, and how long dotted keys may be; the same in other readers.
pub(crate) const MAX_DEPTH: usize = 80;

/// The number of a part.
pub(crate) type PartId = usize;

/// The root's number.
pub(crate) const ROOT: PartId = 0;

/// The outline of a text.
pub(crate) struct Outline<'t> {
    /// The text.
    pub(crate) source: Source<'t>,
    parts: Vec<Part>,
    /// Where the metadata stands: whole lines, in their order.
    pub(crate) metadata: Vec<Range<usize>>,
}

/// A part of the text.
pub(crate) enum Part {
    /// A scalar.
    Leaf(Event),
    /// A table of any kind.
    Map(Map),
    /// An array, or an array of tables.
    List {
        /// What stands in it.
        children: Vec<Child>,
        /// Whether headers make it.
        is_tables: bool,
    },
}

/// A table.
#[derive(Default)]
pub(crate) struct Map {
    /// What stands in it.
    pub(crate) children: Vec<Child>,
    names: HashMap<Box<str>, PartId>,
    /// Made by a longer header or a dotted key.
    implied: bool,
    dotted: bool,
    in_braces: bool,
}

/// What stands in a table or array.
pub(crate) enum Child {
    /// A comment.
    Comment {
        /// From `#` to the end of the line.
        span: Range<usize>,
        /// Whether it stands behind a value.
        inline: bool,
    },
    /// A key with its value; elements of arrays have no key.
    Item(Option<Box<str>>, PartId),
}

impl<'t> Outline<'t> {
    /// Reads a text.
    ///
    /// # Errors
    /// [`TomlError`] if it is not TOML.
    pub(crate) fn read(text: &'t str) -> Result<Self, TomlError> {
        let source = Source::new(text);
        let tokens = source.lex().into_vec();
        let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
        let mut error: Option<ParseError> = None;
        let mut checked = ValidateWhitespace::new(&mut events, source);
        let mut guarded = RecursionGuard::new(&mut checked, MAX_DEPTH as u32);
        parse_document(&tokens, &mut guarded, &mut error);
        if let Some(error) = error {
            return Err(fail_at(source, &error, 0));
        }
        let outline = Self { source, parts: vec![Part::Map(Map::default())], metadata: Vec::new() };
        reader::read(outline, events)
    }

    /// The part of a number.
    pub(crate) fn part(&self, id: PartId) -> &Part {
        &self.parts[id]
    }

    fn map(&mut self, id: PartId) -> Option<&mut Map> {
        match &mut self.parts[id] {
            Part::Map(map) => Some(map),
            _ => None,
        }
    }

    fn children(&mut self, id: PartId) -> Option<&mut Vec<Child>> {
        match &mut self.parts[id] {
            Part::Map(map) => Some(&mut map.children),
            Part::List { children, .. } => Some(children),
            Part::Leaf(_) => None,
        }
    }

    fn add(&mut self, part: Part) -> PartId {
        self.parts.push(part);
        self.parts.len() - 1
    }

    fn find(&self, map: PartId, name: &str) -> Option<PartId> {
        match &self.parts[map] {
            Part::Map(map) => map.names.get(name).copied(),
            _ => None,
        }
    }

    fn put(&mut self, map: PartId, name: &str, part: PartId) {
        if let Some(map) = self.map(map) {
            map.names.insert(name.into(), part);
            map.children.push(Child::Item(Some(name.into()), part));
        }
    }

    fn push(&mut self, list: PartId, part: PartId) {
        if let Some(children) = self.children(list) {
            children.push(Child::Item(None, part));
        }
    }

    fn comment(&mut self, container: PartId, span: Range<usize>) {
        if let Some(children) = self.children(container) {
            children.push(Child::Comment { span, inline: false });
        }
    }

    /// Puts a comment before the last item, to which it belongs.
    fn comment_on_last(&mut self, container: PartId, span: Range<usize>, inline: bool) {
        if let Some(children) = self.children(container) {
            let at = children.len().saturating_sub(1);
            children.insert(at, Child::Comment { span, inline });
        }
    }

    /// Goes down to the table of a path, making what is missing.
    fn descend(&mut self, mut from: PartId, path: &[Name], dotted: bool) -> Result<PartId, Refusal> {
        for name in path {
            from = match self.find(from, &name.text) {
                None => {
                    let implied = Map { implied: true, dotted, ..Map::default() };
                    let part = self.add(Part::Map(implied));
                    self.put(from, &name.text, part);
                    part
                }
                Some(found) => self.enter(found, dotted).ok_or(Refusal(name.span, EXTENDS))?,
            };
        }
        Ok(from)
    }

    fn enter(&mut self, found: PartId, dotted: bool) -> Option<PartId> {
        match &mut self.parts[found] {
            Part::Map(map) if map.in_braces || (dotted && !map.implied) => None,
            Part::Map(map) => {
                map.dotted |= dotted;
                Some(found)
            }
            Part::List { children, is_tables: true } if !dotted => {
                children.iter().rev().find_map(|child| match child {
                    Child::Item(_, part) => Some(*part),
                    Child::Comment { .. } => None,
                })
            }
            _ => None,
        }
    }
}

const EXTENDS: &str = "a key or table extends something that is defined already";

/// What is wrong, and where.
struct Refusal(Span, &'static str);

/// A part of a key.
struct Name {
    text: String,
    span: Span,
}
