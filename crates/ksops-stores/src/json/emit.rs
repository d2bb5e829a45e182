//! A tree to JSON text, as Go's encoder prints it (file-format.md section 8.2).

use std::fmt::Write as _;

use ksops_core::crypto::timestamp;
use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use zeroize::Zeroizing;

use super::float;
use super::scan::is_number;

/// How deep a tree may be; deeper ones are not loaded.
const MAX_DEPTH: usize = 1_000;
/// The widest indentation; more is a typing error, and would make a deep file large.
const MAX_INDENT: i64 = 100;

/// A tree that JSON cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonEmitError {
    /// JSON has no word for NaN and infinity, nor a text for a moment outside the years 0 to 9999.
    #[error("JSON has no form for the {type_name} at {path}")]
    NoForm {
        /// The value's type.
        type_name: &'static str,
        /// Where.
        path: String,
    },
    /// Nested too deep.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// The indentation is not one.
    #[error("JSON Indent must be -1 (for a tab), 0 or a number of spaces up to {MAX_INDENT}")]
    Indent,
}

/// The indentation of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Indent {
    /// One tab.
    #[default]
    Tab,
    /// So many spaces; 0 leaves the line breaks.
    Spaces(usize),
}

impl Indent {
    /// Reads a setting: -1 is a tab, anything else a number of spaces.
    ///
    /// # Errors
    /// [`JsonEmitError::Indent`] for other negative numbers and very large ones.
    pub fn from_setting(setting: i64) -> Result<Self, JsonEmitError> {
        match setting {
            -1 => Ok(Self::Tab),
            0..=MAX_INDENT => usize::try_from(setting).map(Self::Spaces).map_err(|_| JsonEmitError::Indent),
            _ => Err(JsonEmitError::Indent),
        }
    }
}

/// Prints a document, with a line break at its end. Comments are dropped.
///
/// # Errors
/// [`JsonEmitError`] if the tree has no JSON form.
pub fn document(branch: &Branch, indent: Indent) -> Result<Zeroizing<String>, JsonEmitError> {
    let mut printer = Printer::new(indent, branch_size(branch, 1));
    printer.map(branch, 1)?;
    printer.out.push('\n');
    Ok(printer.out)
}

/// Prints one value, without a line break at its end: the output of `--extract`.
///
/// # Errors
/// As [`document`].
pub fn value(node: &Node, indent: Indent) -> Result<Zeroizing<String>, JsonEmitError> {
    let mut printer = Printer::new(indent, node_size(node, 1));
    printer.node(node, 1)?;
    Ok(printer.out)
}

/// About the length of the text, so that it does not have to grow and leave copies behind.
fn branch_size(branch: &Branch, depth: usize) -> usize {
    let items = branch.entries.iter().map(|entry| match entry {
        Entry::Item(key, node) => key.as_bytes().len() + depth + 8 + node_size(node, depth),
        Entry::Comment(_) => 0,
    });
    items.sum::<usize>() + depth + 4
}

fn node_size(node: &Node, depth: usize) -> usize {
    match node {
        Node::Leaf(Value::Text(text)) => text.len() + 2,
        Node::Leaf(_) => 26,
        Node::Comment(_) => 0,
        _ if depth > MAX_DEPTH => 0,
        Node::Map(branch) => branch_size(branch, depth + 1),
        Node::List(items) => {
            items.iter().map(|item| node_size(item, depth + 1) + depth + 4).sum::<usize>() + depth + 4
        }
    }
}

struct Printer {
    out: Zeroizing<String>,
    indent: Indent,
}

impl Printer {
    fn new(indent: Indent, size: usize) -> Self {
        Self { out: Zeroizing::new(String::with_capacity(size + size / 16 + 16)), indent }
    }

    fn map(&mut self, branch: &Branch, depth: usize) -> Result<(), JsonEmitError> {
        if depth > MAX_DEPTH {
            return Err(JsonEmitError::TooDeep);
        }
        self.out.push('{');
        let mut any = false;
        for entry in &branch.entries {
            let Entry::Item(key, node) = entry else { continue };
            if any {
                self.out.push(',');
            }
            any = true;
            self.line(depth);
            self.string(key.as_bytes());
            self.out.push_str(": ");
            self.below(|| key.to_string(), node, depth)?;
        }
        if any {
            self.line(depth - 1);
        }
        self.out.push('}');
        Ok(())
    }

    fn list(&mut self, items: &[Node], depth: usize) -> Result<(), JsonEmitError> {
        if depth > MAX_DEPTH {
            return Err(JsonEmitError::TooDeep);
        }
        self.out.push('[');
        let mut any = false;
        for (index, node) in items.iter().enumerate() {
            if matches!(node, Node::Comment(_)) {
                continue;
            }
            if any {
                self.out.push(',');
            }
            any = true;
            self.line(depth);
            self.below(|| index.to_string(), node, depth)?;
        }
        if any {
            self.line(depth - 1);
        }
        self.out.push(']');
        Ok(())
    }

    fn below(&mut self, step: impl Fn() -> String, node: &Node, depth: usize) -> Result<(), JsonEmitError> {
        self.node(node, depth + 1).map_err(|error| match error {
            JsonEmitError::NoForm { type_name, path } => {
                let path = if path.is_empty() { step() } else { format!("{}.{path}", step()) };
                JsonEmitError::NoForm { type_name, path }
            }
            other => other,
        })
    }

    fn node(&mut self, node: &Node, depth: usize) -> Result<(), JsonEmitError> {
        match node {
            Node::Map(branch) => self.map(branch, depth),
            Node::List(items) => self.list(items, depth),
            Node::Leaf(value) => self.leaf(value),
            Node::Comment(_) => Ok(()),
        }
    }

    fn leaf(&mut self, value: &Value) -> Result<(), JsonEmitError> {
        let no_form = JsonEmitError::NoForm { type_name: value.type_name(), path: String::new() };
        match value {
            Value::Text(text) => self.string(text.expose()),
            Value::Int(int) => {
                // Writing to a `String` cannot fail.
                let _ = write!(self.out, "{int}");
            }
            Value::Float(float) if float.is_finite() => self.out.push_str(&float::text(*float)),
            Value::Bool(truth) => self.out.push_str(if *truth { "true" } else { "false" }),
            Value::Timestamp(moment) => {
                let mut text = Zeroizing::new(Vec::with_capacity(40));
                timestamp::write_exact(*moment, &mut text).ok_or(no_form)?;
                self.string(&text);
            }
            Value::Null => self.out.push_str("null"),
            Value::Written(number) => match number.text.expose_str() {
                Some(text) if is_number(number.text.expose()) => self.out.push_str(text),
                _ => self.leaf(&number.value)?,
            },
            _ => return Err(no_form),
        }
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        match self.indent {
            Indent::Tab => (0..depth).for_each(|_| self.out.push('\t')),
            Indent::Spaces(width) => (0..depth * width).for_each(|_| self.out.push(' ')),
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        self.out.push('"');
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.escaped(text);
            self.out.push('"');
            return;
        }
        for chunk in bytes.utf8_chunks() {
            self.escaped(chunk.valid());
            // Go replaces each byte.
            for _ in chunk.invalid() {
                self.out.push_str("\\ufffd");
            }
        }
        self.out.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = first_special(rest.as_bytes()) {
            let (plain, special) = rest.split_at(at);
            self.out.push_str(plain);
            let Some(letter) = special.chars().next() else { return };
            match letter {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(letter));
                }
                letter => self.out.push(letter),
            }
            rest = &special[letter.len_utf8()..];
        }
        self.out.push_str(rest);
    }
}

/// Where the first byte is that may have to be escaped. Whole blocks are looked at without a branch for each byte.
fn first_special(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | may_need_escape(*byte));
    let start = bytes.chunks_exact(BLOCK).take_while(is_plain).count() * BLOCK;
    let found = bytes[start..].iter().position(|byte| may_need_escape(*byte))?;
    Some(start + found)
}

/// Whether a character that begins with this byte may have to be escaped; 0xE2 begins U+2028 among others.
fn may_need_escape(byte: u8) -> bool {
    (byte < 0x20)
        | (byte == b'"')
        | (byte == b'\\')
        | (byte == b'<')
        | (byte == b'>')
        | (byte == b'&')
        | (byte == 0xe2)
}
