//! INI text to a tree of sections and keys; comments stand behind their key (file-format.md section 10.1).

use std::collections::HashMap;
use std::mem;
use std::ops::Range;

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::Value;
use ksops_yaml::span::Position;
use zeroize::Zeroizing;

use crate::ini::error::IniError;
use crate::ini::key::{KeyProblem, key};
use crate::ini::lines::Lines;
use crate::ini::space::{trim, trim_end, trim_start};
use crate::ini::value::{Oddity, comment_mark, value};
use crate::notice::Notice;

/// The section for keys before any header; every tree begins with one.
pub const DEFAULT_SECTION: &str = "DEFAULT";

/// How many notices are given; the first grave one always is.
const MOST_NOTICES: usize = 100;

/// A text as a tree.
pub struct IniLoaded {
    /// The sections; that of the metadata is one of them.
    pub branch: Branch,
    /// What the user should know.
    pub notices: Vec<Notice>,
    /// Where headers and keys stand.
    pub(crate) places: Vec<IniPlace>,
}

/// Where a header or key stands, in the order of the text.
pub(crate) struct IniPlace {
    /// Whether it is a header.
    pub is_header: bool,
    /// The start of its text on its line.
    pub start: usize,
    /// Its value, quotes included; for a header its own text.
    pub value: Range<usize>,
    /// The pieces of its comment.
    pub comments: Vec<Range<usize>>,
    /// The text of its comment.
    pub comment: Option<SecretBytes>,
}

/// Reads a text.
///
/// A key `-` becomes `#1`, `#2` and so on, as in upstream, which prints it as a comment: the notice is grave.
///
/// # Errors
/// [`IniError`] if it is not INI.
pub fn load(bytes: &[u8]) -> Result<IniLoaded, IniError> {
    let mut loader = Loader {
        lines: Lines::new(bytes),
        sections: Vec::new(),
        section: Section::new(DEFAULT_SECTION.into(), None),
        comment: Vec::new(),
        comment_position: Position::default(),
        notices: Vec::new(),
        places: Vec::new(),
        text: bytes,
    };
    while let Some(line) = loader.lines.next() {
        loader.line(trim_start(line))?;
    }
    if !loader.comment.is_empty() {
        let problem = "the comment at the end of the file belongs to no key and is lost".to_owned();
        loader.note(problem, loader.comment_position);
    }
    loader.finish_section(Section::new(DEFAULT_SECTION.into(), None));
    let Loader { sections, notices, places, .. } = loader;
    Ok(IniLoaded { branch: Branch { entries: sections }, notices, places })
}

struct Loader<'a> {
    lines: Lines<'a>,
    sections: Vec<Entry>,
    section: Section,
    /// The comment for the next header or key, in pieces.
    comment: Vec<&'a [u8]>,
    comment_position: Position,
    notices: Vec<Notice>,
    places: Vec<IniPlace>,
    text: &'a [u8],
}

struct Section {
    name: Key,
    comment: Option<SecretBytes>,
    items: Vec<Item>,
    /// The places of the keys.
    found: HashMap<Key, usize>,
    /// How many keys were `-`.
    unnamed: usize,
}

struct Item {
    name: Key,
    value: SecretBytes,
    comment: Option<SecretBytes>,
}

impl Section {
    fn new(name: Key, comment: Option<SecretBytes>) -> Self {
        Self { name, comment, items: Vec::new(), found: HashMap::new(), unnamed: 0 }
    }
}

impl<'a> Loader<'a> {
    /// Reads a line without the white space before it.
    fn line(&mut self, line: &'a [u8]) -> Result<(), IniError> {
        match line.first() {
            None => Ok(()),
            Some(b'#' | b';') => {
                if self.comment.is_empty() {
                    self.comment_position = self.lines.position(line);
                }
                self.comment.push(line);
                Ok(())
            }
            Some(b'[') => self.header(line),
            Some(_) => self.key(line),
        }
    }

    fn header(&mut self, line: &'a [u8]) -> Result<(), IniError> {
        let position = self.lines.position(line);
        let end = line.iter().rposition(|byte| *byte == b']');
        let end = end.ok_or(IniError::UnclosedSection { position })?;
        let name = &line[1..end];
        if name.is_empty() {
            return Err(IniError::EmptySection { position });
        }
        let behind = &line[end + 1..];
        if let Some(mark) = comment_mark(behind) {
            self.comment.push(&behind[mark..]);
        }
        let start = self.offset(line);
        let comments = self.comment_places();
        let comment = self.take_comment();
        let value = start..start + end + 1;
        self.places.push(IniPlace { is_header: true, start, value, comments, comment: comment.clone() });
        self.finish_section(Section::new(name.into(), comment));
        Ok(())
    }

    fn key(&mut self, line: &'a [u8]) -> Result<(), IniError> {
        let position = self.lines.position(line);
        let key = key(line).map_err(|problem| match problem {
            KeyProblem::Unclosed => IniError::UnclosedKey { position },
            KeyProblem::NoDelimiter => IniError::MissingDelimiter { position },
            KeyProblem::Empty => IniError::EmptyKey { position },
        })?;
        let mut name = Key::from(key.name);
        if name == *"-" {
            self.section.unnamed += 1;
            name = Key::from(format!("#{}", self.section.unnamed).as_str());
            let problem = format!(
                "a key `-` in section {:?} becomes {name:?}, which is printed as a comment and lost; give it a name",
                self.section.name
            );
            self.note_loss(problem, position);
        }
        let value_position = self.lines.position(key.rest);
        let read = value(key.rest, &mut self.lines)
            .map_err(|_| IniError::UnclosedValue { key: name.to_string(), position: value_position })?;
        match read.oddity {
            Some(Oddity::BehindQuote) => {
                let problem = format!("the text behind the closing quote of the value of {name:?} is lost");
                self.note_loss(problem, value_position);
            }
            Some(Oddity::CutInQuotes) => self.note(told_in_quotes(&name), value_position),
            Some(Oddity::CutInWord) => self.note(told_in_word(&name), value_position),
            None => {}
        }
        let value_start = self.offset(trim_start(key.rest));
        let value_end = match read.comment {
            [] => self.lines.offset(b""),
            comment => self.offset(comment),
        };
        let value = trim_end(self.text.get(value_start..value_end).unwrap_or_default());
        let value = value_start..value_start + value.len();
        self.comment.push(read.comment);
        let comments = self.comment_places();
        let comment = self.take_comment();
        let start = self.offset(line);
        self.places.push(IniPlace { is_header: false, start, value, comments, comment: comment.clone() });
        self.put(name, read.value, comment, position);
        Ok(())
    }

    fn put(&mut self, name: Key, value: SecretBytes, comment: Option<SecretBytes>, position: Position) {
        let section = &mut self.section;
        if let Some(place) = section.found.get(&name) {
            let item = &mut section.items[*place];
            (item.value, item.comment) = (value, comment);
            self.note_loss(format!("the key {name:?} is repeated; only the last value counts"), position);
            return;
        }
        section.found.insert(name.clone(), section.items.len());
        section.items.push(Item { name, value, comment });
    }

    /// Where a part of the text starts.
    fn offset(&self, part: &[u8]) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn comment_places(&self) -> Vec<Range<usize>> {
        let pieces = self.comment.iter().filter(|piece| !piece.is_empty());
        pieces.map(|piece| self.offset(piece)..self.offset(piece) + trim_end(piece).len()).collect()
    }

    /// The comment so far, without the marks at its start; nothing if there is none.
    fn take_comment(&mut self) -> Option<SecretBytes> {
        let text = Zeroizing::new(self.comment.concat());
        self.comment.clear();
        let text = trim(&text);
        let mark = *text.first()?;
        let start = match mark {
            b'#' | b';' => text.iter().position(|byte| *byte != mark && *byte != b' ').unwrap_or(text.len()),
            _ => 0,
        };
        Some(text[start..].into())
    }

    fn finish_section(&mut self, next: Section) {
        let section = mem::replace(&mut self.section, next);
        let mut branch = Branch { entries: Vec::with_capacity(section.items.len() + 1) };
        let comment = |text| Entry::Comment(Comment { text, inline: false });
        branch.entries.extend(section.comment.map(comment));
        for item in section.items {
            branch.entries.push(Entry::Item(item.name, Node::Leaf(Value::Text(item.value))));
            branch.entries.extend(item.comment.map(comment));
        }
        self.sections.push(Entry::Item(section.name, Node::Map(branch)));
    }

    /// Something of the text is lost.
    fn note_loss(&mut self, problem: String, position: Position) {
        if self.notices.len() < MOST_NOTICES || !self.notices.iter().any(|notice| notice.grave) {
            self.notices.push(Notice { problem, position, grave: true });
        }
    }

    fn note(&mut self, problem: String, position: Position) {
        if self.notices.len() < MOST_NOTICES {
            self.notices.push(Notice { problem, position, grave: false });
        }
    }
}

fn told_in_quotes(key: &Key) -> String {
    format!(
        "the value of {key:?} ends before the first `#` or `;` although that is in quotes; the rest is a comment \
         (put the value between backticks)"
    )
}

fn told_in_word(key: &Key) -> String {
    format!(
        "the value of {key:?} ends before the first `#` or `;`; the rest is a comment (put the value between \
         backticks if it is not)"
    )
}

#[cfg(test)]
mod tests;
