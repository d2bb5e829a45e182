//! A tree to INI text: sections, aligned keys, comments above their key (file-format.md section 10.2).

use std::collections::HashMap;

use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use zeroize::Zeroizing;

use crate::ini::load::DEFAULT_SECTION;
use crate::ini::space::trim;
use crate::scalar::{self, Text};

/// How many blanks may be written to align keys: one long key pads all others of its section.
const MOST_PADDING: usize = 64 << 20;

/// A tree that has no INI form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IniEmitError {
    /// A top-level value that is no mapping.
    #[error(
        "Error marshaling to INI: Error encoding section: Section values should always be TreeBranches (key {key})"
    )]
    NotASection {
        /// Its key.
        key: Key,
    },
    /// A section whose name is empty.
    #[error("Error marshaling to INI: Error encoding section : empty section name")]
    EmptySection,
    /// A key that is empty.
    #[error(
        "Error marshaling to INI: Error encoding key: error creating new key: empty key name (in section {section})"
    )]
    EmptyKey {
        /// The section.
        section: Key,
    },
    /// A list or mapping inside a section. Upstream prints something that nobody can read.
    #[error(
        "Error marshaling to INI: cannot use complex value in INI file; offending key {key} in section {section}"
    )]
    ComplexValue {
        /// The section.
        section: Key,
        /// Its key.
        key: Key,
    },
    /// A key that no quote can surround.
    #[error(
        "Error marshaling to INI: the key {key} in section {section} holds a backtick and one of `\"`, `=` and `:`; \
         it could not be read again"
    )]
    Unquotable {
        /// The section.
        section: Key,
        /// The key.
        key: Key,
    },
    /// A moment that has no text form.
    #[error("Error marshaling to INI: the timestamp of key {key} in section {section} has no RFC 3339 form")]
    Timestamp {
        /// The section.
        section: Key,
        /// Its key.
        key: Key,
    },
    /// A key so long that aligning the others with it would make the text huge.
    #[error("Error marshaling to INI: the longest key of section {section} is too long for so many keys")]
    Padding {
        /// The section.
        section: Key,
    },
}

/// Prints a tree; comments between sections are dropped, as in upstream.
///
/// Some values are read back as others, as in upstream: those in quotes, those that end in `\`, those with a backtick
/// and `"""`. Whoever relies on the text must compare.
///
/// # Errors
/// [`IniEmitError`] if there is no text for it.
pub fn emit(branch: &Branch) -> Result<Zeroizing<Vec<u8>>, IniEmitError> {
    let mut sections = Vec::new();
    for entry in &branch.entries {
        match entry {
            Entry::Comment(_) => {}
            Entry::Item(name, _) if name.as_bytes().is_empty() => return Err(IniEmitError::EmptySection),
            Entry::Item(name, Node::Map(items)) => sections.push(section(name, items)?),
            Entry::Item(key, _) => return Err(IniEmitError::NotASection { key: key.clone() }),
        }
    }
    let mut padding = 0_usize;
    for section in &sections {
        padding = padding.saturating_add(section.padding());
        if padding > MOST_PADDING {
            return Err(IniEmitError::Padding { section: section.name.clone() });
        }
    }
    // With room for all, so that no copy of a secret is left behind.
    let most_bytes: usize = sections.iter().map(Section::most_bytes).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(most_bytes + padding));
    for (index, section) in sections.iter().enumerate() {
        section.write(index == 0, index + 1 == sections.len(), &mut out);
    }
    Ok(out)
}

struct Section<'a> {
    name: &'a Key,
    comment: &'a [u8],
    lines: Vec<Line<'a>>,
    /// The length of the longest key with its quotes.
    width: usize,
}

struct Line<'a> {
    comment: &'a [u8],
    key: &'a [u8],
    key_quote: &'static [u8],
    value: Text<'a>,
}

fn section<'a>(name: &'a Key, items: &'a Branch) -> Result<Section<'a>, IniEmitError> {
    let mut section = Section { name, comment: b"", lines: Vec::new(), width: 0 };
    let mut found = HashMap::new();
    let mut last: Option<usize> = None;
    for (index, entry) in items.entries.iter().enumerate() {
        match entry {
            Entry::Comment(Comment { text, .. }) if index == 0 => section.comment = text.expose(),
            Entry::Comment(Comment { text, .. }) => {
                if let Some(last) = last {
                    section.lines[last].comment = text.expose();
                }
            }
            Entry::Item(key, node) => {
                let line = line(name, key, node)?;
                // A repeated key keeps its place and its comment.
                let place = *found.entry(key).or_insert(section.lines.len());
                last = Some(place);
                if place < section.lines.len() {
                    section.lines[place].value = line.value;
                } else {
                    section.width = section.width.max(line.width());
                    section.lines.push(line);
                }
            }
        }
    }
    Ok(section)
}

fn line<'a>(section: &Key, key: &'a Key, node: &'a Node) -> Result<Line<'a>, IniEmitError> {
    let place = || (section.clone(), key.clone());
    let name = key.as_bytes();
    if name.is_empty() {
        return Err(IniEmitError::EmptyKey { section: section.clone() });
    }
    let Node::Leaf(value) = node else {
        let (section, key) = place();
        return Err(IniEmitError::ComplexValue { section, key });
    };
    let value = scalar::text(value).ok_or_else(|| {
        let (section, key) = place();
        IniEmitError::Timestamp { section, key }
    })?;
    let has_mark = name.iter().any(|byte| matches!(byte, b'"' | b'=' | b':'));
    let key_quote: &[u8] = match (has_mark, name.contains(&b'`')) {
        (true, true) => {
            let (section, key) = place();
            return Err(IniEmitError::Unquotable { section, key });
        }
        (true, false) => b"`",
        (false, true) => b"\"\"\"",
        (false, false) => b"",
    };
    Ok(Line { comment: b"", key: name, key_quote, value })
}

impl Section<'_> {
    fn padding(&self) -> usize {
        self.lines.iter().map(|line| self.width - line.width()).fold(0, usize::saturating_add)
    }

    fn most_bytes(&self) -> usize {
        let lines = self.lines.iter();
        let lines: usize =
            lines.map(|line| line.width() + line.value.len() + most_comment_bytes(line.comment) + 10).sum();
        self.name.as_bytes().len() + 4 + most_comment_bytes(self.comment) + lines
    }

    fn write(&self, is_first: bool, is_last: bool, out: &mut Vec<u8>) {
        write_comment(self.comment, false, out);
        // The keys before any header.
        if is_first && self.name.as_bytes().eq_ignore_ascii_case(DEFAULT_SECTION.as_bytes()) {
            if self.lines.is_empty() {
                return;
            }
        } else {
            out.push(b'[');
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(b"]\n");
        }
        for line in &self.lines {
            line.write(self.width, out);
        }
        if !is_last {
            out.push(b'\n');
        }
    }
}

impl Line<'_> {
    fn width(&self) -> usize {
        self.key.len() + 2 * self.key_quote.len()
    }

    fn write(&self, width: usize, out: &mut Vec<u8>) {
        write_comment(self.comment, true, out);
        out.extend_from_slice(self.key_quote);
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.key_quote);
        out.resize(out.len() + width - self.width(), b' ');
        out.extend_from_slice(b" = ");
        let quote = value_quote(&self.value);
        out.extend_from_slice(quote);
        out.extend_from_slice(&self.value);
        out.extend_from_slice(quote);
        out.push(b'\n');
    }
}

/// The quotes that a value needs.
pub(crate) fn value_quote(value: &[u8]) -> &'static [u8] {
    if value.iter().any(|byte| matches!(byte, b'\n' | b'`')) {
        b"\"\"\""
    } else if value.iter().any(|byte| matches!(byte, b'#' | b';')) {
        b"`"
    } else if trim(value).len() != value.len() {
        b"\""
    } else {
        b""
    }
}

/// Each line gets up to a mark, a blank and a line feed more.
fn most_comment_bytes(comment: &[u8]) -> usize {
    let lines = comment.iter().filter(|byte| **byte == b'\n').count() + 1;
    comment.len() + 3 * lines
}

/// Upstream trims the lines of keys' comments; those of sections only if they have a mark.
pub(crate) fn write_comment(comment: &[u8], trims: bool, out: &mut Vec<u8>) {
    if comment.is_empty() {
        return;
    }
    for line in comment.split(|byte| *byte == b'\n') {
        match line {
            // Upstream crashes here (file-format.md section 12, row 27).
            [] => out.push(b';'),
            [mark @ (b'#' | b';'), text @ ..] => {
                out.extend_from_slice(&[*mark, b' ']);
                out.extend_from_slice(trim(text));
            }
            _ => {
                out.extend_from_slice(b"; ");
                out.extend_from_slice(if trims { trim(line) } else { line });
            }
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests;
