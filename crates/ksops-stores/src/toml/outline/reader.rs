//! The events of the parser, in the order of the text, to the outline: which table a line belongs to, and which comment.

use std::ops::Range;

use toml_parser::parser::{Event, EventKind};
use toml_parser::{ParseError, Source, Span};

use crate::toml::error::TomlError;
use crate::toml::outline::{MAX_DEPTH, Map, Name, Outline, Part, PartId, ROOT, Refusal};
use crate::toml::scalar::fail_at;

const REPEATED: &str = "a key or table is defined twice";
/// What a comment at the end of the line belongs to.
#[derive(Clone, Copy)]
enum Anchor {
    None,
    /// The last item of a table or list, which is a value.
    Value(PartId),
    /// The last item of a table or list, which a header made.
    Header(PartId),
    /// A table that was there already.
    Inside(PartId),
}

struct Reader<'t> {
    outline: Outline<'t>,
    events: std::vec::IntoIter<Event>,
    /// The table whose header stands above.
    current: PartId,
    /// Comments that wait for what comes next, and whether a blank line stands above each.
    pending: Vec<(Range<usize>, bool)>,
    anchor: Anchor,
    line_used: bool,
    /// Whether a blank line, or nothing, stands above.
    blank: bool,
    /// Where the metadata that is being read begins.
    metadata_from: Option<usize>,
    /// Whether it ends with the line.
    metadata_line: bool,
}

/// Puts the parts of a text into its outline.
///
/// # Errors
/// [`TomlError`] if something is defined twice.
pub(super) fn read<'t>(outline: Outline<'t>, events: Vec<Event>) -> Result<Outline<'t>, TomlError> {
    let mut reader = Reader {
        outline,
        events: events.into_iter(),
        current: ROOT,
        pending: Vec::new(),
        anchor: Anchor::None,
        line_used: false,
        blank: true,
        metadata_from: None,
        metadata_line: false,
    };
    reader.document()?;
    Ok(reader.outline)
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), TomlError> {
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::Newline => {
                    if self.metadata_line {
                        self.end_metadata(event.span().end());
                    }
                    self.blank |= !self.line_used;
                    self.line_used = false;
                    self.anchor = Anchor::None;
                }
                EventKind::Comment => self.comment(range(event.span())),
                EventKind::SimpleKey => self.statement(event)?,
                EventKind::StdTableOpen => self.header(event, false)?,
                EventKind::ArrayTableOpen => self.header(event, true)?,
                EventKind::Whitespace => {}
                _ => return Err(self.refuse(event.span(), "unexpected token")),
            }
        }
        for (span, _) in std::mem::take(&mut self.pending) {
            self.outline.comment(self.current, span);
        }
        self.end_metadata(self.outline.source.input().len());
        Ok(())
    }

    fn refuse(&self, span: Span, problem: &'static str) -> TomlError {
        TomlError::at(self.outline.source.input(), span.start(), problem)
    }

    fn comment(&mut self, span: Range<usize>) {
        match self.anchor {
            Anchor::None => {
                self.pending.push((span, self.blank));
                self.blank = false;
            }
            Anchor::Value(container) => self.outline.comment_on_last(container, span, true),
            Anchor::Header(container) => self.outline.comment_on_last(container, span, false),
            Anchor::Inside(table) => self.outline.comment(table, span),
        }
        self.line_used = true;
    }

    fn begin_statement(&mut self) {
        self.line_used = true;
        self.blank = false;
    }

    /// Key and value on a line.
    fn statement(&mut self, first: Event) -> Result<(), TomlError> {
        let names = self.names(first, EventKind::KeyValSep)?;
        self.begin_statement();
        let (parent, last) = self.parent(self.current, &names)?;
        let is_metadata = self.current == ROOT && names.first().is_some_and(|name| name.text == "sops");
        if is_metadata {
            // Comments that go into the metadata go with it.
            let above = self.pending.first().filter(|_| parent != ROOT);
            let start = above.map_or(first.span().start(), |(span, _)| span.start);
            self.metadata_from = Some(self.line_start(start));
            self.metadata_line = true;
        }
        for (span, _) in std::mem::take(&mut self.pending) {
            self.outline.comment(parent, span);
        }
        let value = self.next_value()?;
        self.outline.put(parent, &last.text, value);
        let is_block = is_metadata && parent == ROOT;
        self.anchor = if is_block { Anchor::Inside(value) } else { Anchor::Value(parent) };
        Ok(())
    }

    /// Finds the table for a key and its value.
    fn parent<'n>(&mut self, from: PartId, names: &'n [Name]) -> Result<(PartId, &'n Name), TomlError> {
        let Some((last, path)) = names.split_last() else {
            return Err(self.refuse(Span::default(), "missing key"));
        };
        let parent = self
            .outline
            .descend(from, path, !path.is_empty())
            .map_err(|Refusal(span, problem)| self.refuse(span, problem))?;
        if self.outline.find(parent, &last.text).is_some() {
            return Err(self.refuse(last.span, REPEATED));
        }
        Ok((parent, last))
    }

    /// Reads the parts of a key up to what ends it.
    fn names(&mut self, first: Event, end: EventKind) -> Result<Vec<Name>, TomlError> {
        let mut names = vec![self.name(first)?];
        for event in self.events.by_ref() {
            match event.kind() {
                EventKind::SimpleKey => names.push(decode_name(self.outline.source, event)?),
                EventKind::KeySep | EventKind::Whitespace => {}
                kind if kind == end => break,
                _ => {
                    return Err(TomlError::at(
                        self.outline.source.input(),
                        event.span().start(),
                        "broken key",
                    ));
                }
            }
            if names.len() > MAX_DEPTH {
                let problem = "a dotted key has more than 80 parts";
                return Err(TomlError::at(self.outline.source.input(), event.span().start(), problem));
            }
        }
        Ok(names)
    }

    fn name(&self, event: Event) -> Result<Name, TomlError> {
        decode_name(self.outline.source, event)
    }

    fn header(&mut self, open: Event, is_array: bool) -> Result<(), TomlError> {
        let end = if is_array { EventKind::ArrayTableClose } else { EventKind::StdTableClose };
        let first = loop {
            match self.events.next() {
                Some(event) if event.kind() == EventKind::SimpleKey => break event,
                Some(event) if event.kind() == EventKind::Whitespace => {}
                _ => return Err(self.refuse(open.span(), "broken table header")),
            }
        };
        let names = self.names(first, end)?;
        let is_metadata = names.first().is_some_and(|name| name.text == "sops");
        let heading = self.part_comments(is_metadata);
        let start = heading.first().map_or(open.span().start(), |span| span.start);
        if !is_metadata {
            self.end_metadata(self.line_start(start));
        } else if self.metadata_from.is_none() {
            self.metadata_from = Some(self.line_start(open.span().start()));
        }
        self.begin_statement();
        let Some((last, path)) = names.split_last() else { return Ok(()) };
        let parent = self
            .outline
            .descend(ROOT, path, false)
            .map_err(|Refusal(span, problem)| self.refuse(span, problem))?;
        let found = self.outline.find(parent, &last.text);
        let (table, comments_in) = if is_array {
            let list = match found {
                None => {
                    let list = self.outline.add(Part::List { children: Vec::new(), is_tables: true });
                    self.outline.put(parent, &last.text, list);
                    list
                }
                Some(list) => match self.outline.part(list) {
                    Part::List { is_tables: true, .. } => list,
                    _ => return Err(self.refuse(last.span, REPEATED)),
                },
            };
            let table = self.outline.add(Part::Map(Map::default()));
            self.head(list, heading);
            self.outline.push(list, table);
            self.anchor = Anchor::Header(list);
            (table, None)
        } else if let Some(table) = found {
            match self.outline.map(table) {
                Some(map) if map.implied && !map.dotted && !map.in_braces => map.implied = false,
                _ => return Err(self.refuse(last.span, REPEATED)),
            }
            self.anchor = Anchor::Inside(table);
            (table, Some(heading))
        } else {
            let table = self.outline.add(Part::Map(Map::default()));
            self.head(parent, heading);
            self.outline.put(parent, &last.text, table);
            self.anchor = Anchor::Header(parent);
            (table, None)
        };
        if let Some(heading) = comments_in {
            self.head(table, heading);
        }
        self.current = table;
        Ok(())
    }

    fn head(&mut self, container: PartId, comments: Vec<Range<usize>>) {
        for span in comments {
            self.outline.comment(container, span);
        }
    }

    /// Parts the comments above a header. Those that touch it below a blank line (or the start) head it. All others
    /// stay in the table in which they stand, since a value that was commented out is a secret of that table.
    /// None heads the metadata, which is put behind the text and must not take its last comment away.
    fn part_comments(&mut self, is_metadata: bool) -> Vec<Range<usize>> {
        let pending = std::mem::take(&mut self.pending);
        let block = match pending.iter().rposition(|(_, blank)| *blank) {
            _ if self.blank || is_metadata => pending.len(),
            Some(at) => at,
            None => pending.len(),
        };
        let mut heading = Vec::new();
        for (at, (span, _)) in pending.into_iter().enumerate() {
            if at < block { self.outline.comment(self.current, span) } else { heading.push(span) }
        }
        heading
    }

    fn next_value(&mut self) -> Result<PartId, TomlError> {
        loop {
            match self.events.next() {
                Some(event) if event.kind() == EventKind::Whitespace => {}
                Some(event) => return self.value(event),
                None => return Err(self.refuse(Span::default(), "missing value")),
            }
        }
    }

    /// Reads a value. The parser has bounded the nesting.
    fn value(&mut self, event: Event) -> Result<PartId, TomlError> {
        match event.kind() {
            EventKind::Scalar => Ok(self.outline.add(Part::Leaf(event))),
            EventKind::ArrayOpen => self.array(),
            EventKind::InlineTableOpen => self.braces(),
            _ => Err(self.refuse(event.span(), "missing value")),
        }
    }

    fn array(&mut self) -> Result<PartId, TomlError> {
        let list = self.outline.add(Part::List { children: Vec::new(), is_tables: false });
        let mut fresh = false;
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::ArrayClose => break,
                EventKind::Whitespace | EventKind::ValueSep => {}
                EventKind::Newline => fresh = false,
                EventKind::Comment if fresh => {
                    self.outline.comment_on_last(list, range(event.span()), true);
                    fresh = false;
                }
                EventKind::Comment => self.outline.comment(list, range(event.span())),
                _ => {
                    let value = self.value(event)?;
                    self.outline.push(list, value);
                    fresh = true;
                }
            }
        }
        Ok(list)
    }

    fn braces(&mut self) -> Result<PartId, TomlError> {
        let table = self.outline.add(Part::Map(Map { in_braces: true, ..Map::default() }));
        let mut fresh = None;
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::InlineTableClose => break,
                EventKind::Whitespace | EventKind::ValueSep => {}
                EventKind::Newline => fresh = None,
                EventKind::Comment => match fresh.take() {
                    Some(parent) => self.outline.comment_on_last(parent, range(event.span()), true),
                    None => self.outline.comment(table, range(event.span())),
                },
                EventKind::SimpleKey => {
                    let names = self.names(event, EventKind::KeyValSep)?;
                    let (parent, last) = self.parent(table, &names)?;
                    let value = self.next_value()?;
                    self.outline.put(parent, &last.text, value);
                    fresh = Some(parent);
                }
                _ => return Err(self.refuse(event.span(), "missing key")),
            }
        }
        Ok(table)
    }

    fn line_start(&self, offset: usize) -> usize {
        let text = self.outline.source.input();
        text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
    }

    fn end_metadata(&mut self, end: usize) {
        if let Some(start) = self.metadata_from.take() {
            self.outline.metadata.push(start..end.max(start));
        }
        self.metadata_line = false;
    }
}

fn decode_name(source: Source<'_>, event: Event) -> Result<Name, TomlError> {
    let span = event.span();
    let mut text = String::new();
    let mut error: Option<ParseError> = None;
    if let Some(raw) = source.get(span) {
        toml_parser::Raw::new_unchecked(raw.as_str(), event.encoding(), span)
            .decode_key(&mut text, &mut error);
    }
    match error {
        Some(error) => Err(fail_at(source, &error, span.start())),
        None => Ok(Name { text, span }),
    }
}

fn range(span: Span) -> Range<usize> {
    span.start()..span.end()
}
