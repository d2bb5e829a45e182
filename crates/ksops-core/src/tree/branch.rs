//! Branches, items and comments (file-format.md section 1).

use std::fmt;

use crate::secret::SecretBytes;
use crate::value::Value;

/// A mapping, or a whole document: entries in their order.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Branch {
    /// The entries. Keys may repeat in what upstream reads so (a later YAML document, JSON, dotenv).
    pub entries: Vec<Entry>,
}

/// An entry of a [`Branch`].
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// A key and what stands below it.
    Item(Key, Node),
    /// A comment between the items; an inline one belongs to the item behind it.
    Comment(Comment),
}

/// What stands below a key or in a list.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// A scalar.
    Leaf(Value),
    /// A mapping.
    Map(Branch),
    /// A list.
    List(Vec<Node>),
    /// A comment; stands in lists only, where it is an element.
    Comment(Comment),
}

/// A comment of one line.
#[derive(Clone, PartialEq, Debug)]
pub struct Comment {
    /// Everything behind the comment character, leading blanks included; or the comment's envelope.
    pub text: SecretBytes,
    /// Whether it stands behind a value on the same line.
    pub inline: bool,
}

/// The key of an item: any bytes, mostly UTF-8. Keys are never secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Box<[u8]>);

impl Key {
    /// The bytes, as they take part in additional data and selection.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as text, if it is valid UTF-8.
    #[must_use]
    pub fn to_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl Node {
    /// Forgets the texts that numbers had.
    pub fn forget_number_texts(&mut self) {
        match self {
            Self::Leaf(value) => value.forget_text(),
            Self::Map(branch) => branch.forget_number_texts(),
            Self::List(list) => list.iter_mut().for_each(Self::forget_number_texts),
            Self::Comment(_) => {}
        }
    }
}

impl Branch {
    /// Forgets the texts that numbers had.
    pub fn forget_number_texts(&mut self) {
        for entry in &mut self.entries {
            if let Entry::Item(_, node) = entry {
                node.forget_number_texts();
            }
        }
    }

    /// The node of the first item with this key.
    #[must_use]
    pub fn node(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Item(name, node) if name == key => Some(node),
            _ => None,
        })
    }
}
