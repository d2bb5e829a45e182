//! JSON text to a tree (file-format.md section 8.1), without recursion.

use std::collections::HashMap;

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::{Value, WrittenNumber};
use ksops_yaml::span::Position;

use super::float;
use super::scan::Scanner;
use crate::notice::Notice;

/// How deep arrays and objects may be nested (security.md S14).
const MAX_DEPTH: usize = 1_000;

/// Text that is not the JSON of a SOPS file. No message holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Something that does not belong there.
    #[error("{problem} (at line {}, column {})", position.line, position.column)]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where.
        position: Position,
    },
    /// The text ends within an object, array or string. Upstream reads some of these as an empty object.
    #[error("unexpected end of JSON input (at line {}, column {})", position.line, position.column)]
    End {
        /// Where what has no end begins, or the end of the text.
        position: Position,
    },
    /// Nothing but blanks.
    #[error("EOF")]
    Empty,
    /// An array at the top.
    #[error(
        "SOPS only supports JSON files with a top-level object (starting with '{{'), not arrays or other types. \
         Got an array instead. To encrypt this file, wrap it in an object, e.g., {{\"data\": [...]}}"
    )]
    TopArray {
        /// Where.
        position: Position,
    },
    /// A scalar at the top.
    #[error(
        "SOPS only supports JSON files with a top-level object (starting with '{{'), not other JSON types. \
         Got a {type_name} instead"
    )]
    TopScalar {
        /// Its type.
        type_name: &'static str,
        /// Where.
        position: Position,
    },
}

impl JsonError {
    /// Where; line 0 if there is no place.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Empty => Position::default(),
            Self::Syntax { position, .. }
            | Self::End { position }
            | Self::TopArray { position }
            | Self::TopScalar { position, .. } => *position,
        }
    }
}

/// A loaded file.
#[derive(Debug)]
pub struct JsonLoaded {
    /// The object.
    pub branch: Branch,
    /// Keys that stand twice in one object (security.md S12), and text behind the object, which upstream ignores.
    pub notices: Vec<Notice>,
}

/// Reads a file: one object. With `keeps_numbers`, a number that would be printed otherwise keeps its text.
///
/// # Errors
/// [`JsonError`] for anything else than JSON with an object at the top, truncated text included.
pub fn load(bytes: &[u8], keeps_numbers: bool) -> Result<JsonLoaded, JsonError> {
    let scanner = Scanner::new(bytes);
    let mut loader = Loader { scanner, keeps_numbers, open: Vec::new(), notices: Vec::new() };
    loader.top()?;
    // What begins with a brace is an object.
    let Node::Map(branch) = loader.root()? else { return Err(JsonError::Empty) };
    loader.scanner.skip_blanks();
    if loader.scanner.peek().is_some() {
        let position = loader.scanner.position(loader.scanner.offset());
        let problem = "there is text behind the end of the object, which would be lost".to_owned();
        loader.notices.push(Notice { problem, position, grave: true });
    }
    Ok(JsonLoaded { branch, notices: loader.notices })
}

/// Reads one JSON value of any kind, with nothing but blanks around it. Whole numbers of 64 bits are integers.
///
/// # Errors
/// [`JsonError`] for anything else, and for an object in which a key stands twice.
pub fn load_value(bytes: &[u8]) -> Result<Node, JsonError> {
    let mut loader =
        Loader { scanner: Scanner::new(bytes), keeps_numbers: true, open: Vec::new(), notices: Vec::new() };
    loader.scanner.skip_blanks();
    if loader.scanner.peek().is_none() {
        return Err(JsonError::Empty);
    }
    let node = loader.root()?;
    loader.scanner.skip_blanks();
    if loader.scanner.peek().is_some() {
        return Err(loader.scanner.error("invalid character after the value"));
    }
    match loader.notices.first() {
        Some(notice) => {
            let problem = "a key stands twice in one object";
            Err(JsonError::Syntax { problem, position: notice.position })
        }
        None => Ok(node),
    }
}

/// A container whose end is still to come.
enum Open {
    /// With the key of the next value, and where each key stands.
    Map(Branch, Key, Vec<usize>),
    List(Vec<Node>),
}

struct Loader<'a> {
    scanner: Scanner<'a>,
    keeps_numbers: bool,
    open: Vec<Open>,
    notices: Vec<Notice>,
}

impl Loader<'_> {
    fn top(&mut self) -> Result<(), JsonError> {
        self.scanner.skip_blanks();
        let position = self.scanner.position(self.scanner.offset());
        let type_name = match self.scanner.peek() {
            None => return Err(JsonError::Empty),
            Some(b'{') => return Ok(()),
            Some(b'[') => return Err(JsonError::TopArray { position }),
            Some(b'"') => self.scanner.string().map(|_| "string")?,
            Some(b't') => self.scanner.word("true").map(|()| "bool")?,
            Some(b'f') => self.scanner.word("false").map(|()| "bool")?,
            Some(b'n') => self.scanner.word("null").map(|()| "null")?,
            Some(b'-' | b'0'..=b'9') => self.scanner.number().map(|_| "number")?,
            Some(_) => return Err(self.scanner.error("invalid character, looking for beginning of value")),
        };
        Err(JsonError::TopScalar { type_name, position })
    }

    /// The value at the cursor.
    fn root(&mut self) -> Result<Node, JsonError> {
        loop {
            let Some(node) = self.value()? else { continue };
            if let Some(root) = self.hand_over(node)? {
                return Ok(root);
            }
        }
    }

    /// Gives a finished value to its container, and closes the containers that end with it. Gives the root, if that
    /// is finished.
    fn hand_over(&mut self, mut done: Node) -> Result<Option<Node>, JsonError> {
        loop {
            let in_map = match self.open.last_mut() {
                None => return Ok(Some(done)),
                Some(Open::Map(branch, key, _)) => {
                    branch.entries.push(Entry::Item(std::mem::replace(key, "".into()), done));
                    true
                }
                Some(Open::List(items)) => {
                    items.push(done);
                    false
                }
            };
            self.scanner.skip_blanks();
            match (self.scanner.peek(), in_map) {
                (Some(b','), true) => {
                    self.scanner.advance();
                    self.key()?;
                    return Ok(None);
                }
                (Some(b','), false) => {
                    self.scanner.advance();
                    return Ok(None);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.scanner.advance(),
                (_, true) => return Err(self.scanner.error("invalid character after object key:value pair")),
                (_, false) => return Err(self.scanner.error("invalid character after array element")),
            }
            done = match self.open.pop() {
                Some(Open::Map(branch, _, places)) => {
                    self.find_duplicates(&branch, &places);
                    Node::Map(branch)
                }
                Some(Open::List(items)) => Node::List(items),
                None => return Ok(Some(Node::Leaf(Value::Null))),
            };
        }
    }

    /// Takes a scalar or an empty container; or opens a container and gives nothing.
    fn value(&mut self) -> Result<Option<Node>, JsonError> {
        self.scanner.skip_blanks();
        let byte = self.scanner.peek();
        if matches!(byte, Some(b'{' | b'[')) && self.open.len() >= MAX_DEPTH {
            return Err(self.scanner.error("nested deeper than 1000 levels"));
        }
        let leaf = match byte {
            Some(b'{') => {
                self.scanner.advance();
                self.scanner.skip_blanks();
                if self.scanner.peek() != Some(b'}') {
                    self.open.push(Open::Map(Branch::default(), "".into(), Vec::new()));
                    self.key()?;
                    return Ok(None);
                }
                self.scanner.advance();
                return Ok(Some(Node::Map(Branch::default())));
            }
            Some(b'[') => {
                self.scanner.advance();
                self.scanner.skip_blanks();
                if self.scanner.peek() != Some(b']') {
                    self.open.push(Open::List(Vec::new()));
                    return Ok(None);
                }
                self.scanner.advance();
                return Ok(Some(Node::List(Vec::new())));
            }
            Some(b'"') => Value::Text(SecretBytes::from(std::mem::take(&mut *self.scanner.string()?))),
            Some(b't') => self.scanner.word("true").map(|()| Value::Bool(true))?,
            Some(b'f') => self.scanner.word("false").map(|()| Value::Bool(false))?,
            Some(b'n') => self.scanner.word("null").map(|()| Value::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                let place = self.scanner.offset();
                let text = self.scanner.number()?;
                let value = number(text);
                let value =
                    value.ok_or_else(|| self.scanner.error_at(place, "the number: value out of range"))?;
                if self.keeps_numbers { with_text(value, text) } else { value }
            }
            _ => return Err(self.scanner.error("invalid character, looking for beginning of value")),
        };
        Ok(Some(Node::Leaf(leaf)))
    }

    /// Takes a key and its colon.
    fn key(&mut self) -> Result<(), JsonError> {
        self.scanner.skip_blanks();
        let place = self.scanner.offset();
        if self.scanner.peek() != Some(b'"') {
            return Err(self.scanner.error("invalid character, looking for beginning of object key string"));
        }
        let name = Key::from(self.scanner.string()?.as_str());
        self.scanner.skip_blanks();
        if self.scanner.peek() != Some(b':') {
            return Err(self.scanner.error("invalid character after object key"));
        }
        self.scanner.advance();
        if let Some(Open::Map(_, key, places)) = self.open.last_mut() {
            places.push(place);
            *key = name;
        }
        Ok(())
    }

    fn find_duplicates(&mut self, branch: &Branch, places: &[usize]) {
        let mut seen = HashMap::with_capacity(places.len());
        for (entry, place) in branch.entries.iter().zip(places) {
            let Entry::Item(key, _) = entry else { continue };
            if let Some(first) = seen.insert(key, *place) {
                let first = self.scanner.position(first);
                let problem = format!(
                    "the key \"{key}\" stands twice in one object, first at line {}, column {}",
                    first.line, first.column
                );
                self.notices.push(Notice { problem, position: self.scanner.position(*place), grave: true });
                if self.notices.len() >= MAX_NOTICES {
                    return;
                }
            }
        }
    }
}

/// More would help nobody, and each costs a look through the text.
const MAX_NOTICES: usize = 10;

/// The number with its text, if that is not the one it would be printed with.
fn with_text(value: Value, text: &str) -> Value {
    let is_printed_so = match &value {
        Value::Int(int) => int.to_string() == text,
        Value::Float(float) => *float::text(*float) == *text,
        _ => true,
    };
    if is_printed_so {
        return value;
    }
    Value::Written(Box::new(WrittenNumber { value, text: SecretBytes::from(text) }))
}

/// Integers within 64 bits stay integers, all else is a float. Gives nothing if it is too large for one.
fn number(text: &str) -> Option<Value> {
    if !text.contains(['.', 'e', 'E'])
        && let Ok(value) = text.parse()
    {
        return Some(Value::Int(value));
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Value::Float)
}

#[cfg(test)]
mod tests;
