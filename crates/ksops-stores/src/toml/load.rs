//! TOML text to a tree.
//!
//! Comments are entries, as in YAML, since they may hold values that were commented out: one on its own line belongs to
//! the table in which the value would be, one behind a value precedes its item.

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::{Value, WrittenNumber};
use ksops_yaml::span::Position;
use toml_parser::parser::Event;

use crate::notice::Notice;
use crate::toml::error::TomlError;
use crate::toml::outline::{Child, Outline, Part, PartId, ROOT};
use crate::toml::quote::number;
use crate::toml::scalar::{self, Scalar};

/// A text as a tree.
#[derive(Debug)]
pub struct TomlLoaded {
    /// The tree, with the metadata under `sops` if it has any.
    pub branch: Branch,
    /// What the user should know.
    pub notices: Vec<Notice>,
}

/// Reads a text. With `keeps_numbers`, a number that would be printed otherwise keeps its text.
///
/// The text `"null"` stands for null, as in rops. A date or time without an offset becomes a text; whoever encrypts it
/// is told by [`crate::toml::emit_like::emit_like`] that it cannot be encrypted.
///
/// # Errors
/// [`TomlError`] if it is not TOML, or holds a number or moment that SOPS cannot express.
pub fn load(text: &str, keeps_numbers: bool) -> Result<TomlLoaded, TomlError> {
    let outline = Outline::read(text)?;
    let mut loader = Loader { outline: &outline, text, keeps_numbers, null: None };
    let branch = loader.map(ROOT)?;
    let notices = loader.null.map(|offset| Notice {
        problem:
            "the text \"null\" stands for null, as in rops: it is neither encrypted nor covered by the MAC"
                .into(),
        position: Position::of(text, u32::try_from(offset).unwrap_or(u32::MAX)),
        grave: false,
    });
    Ok(TomlLoaded { branch, notices: notices.into_iter().collect() })
}

struct Loader<'o, 't> {
    outline: &'o Outline<'t>,
    text: &'t str,
    keeps_numbers: bool,
    /// Where the first null stands.
    null: Option<usize>,
}

impl<'o> Loader<'o, '_> {
    fn map(&mut self, id: PartId) -> Result<Branch, TomlError> {
        let outline = self.outline;
        match outline.part(id) {
            Part::Map(map) => self.entries(&map.children),
            _ => Ok(Branch::default()),
        }
    }

    fn entries(&mut self, children: &'o [Child]) -> Result<Branch, TomlError> {
        let mut branch = Branch { entries: Vec::with_capacity(children.len()) };
        for child in children {
            branch.entries.push(match child {
                Child::Comment { span, inline } => {
                    Entry::Comment(comment(self.text.get(span.clone()).unwrap_or_default(), *inline))
                }
                Child::Item(name, part) => {
                    let key = Key::from(name.as_deref().unwrap_or_default());
                    Entry::Item(key, self.node(*part)?)
                }
            });
        }
        Ok(branch)
    }

    /// The outline is no deeper than its bounds on keys and values allow.
    fn node(&mut self, id: PartId) -> Result<Node, TomlError> {
        let outline = self.outline;
        Ok(match outline.part(id) {
            Part::Leaf(event) => Node::Leaf(match scalar::read(outline.source, event)? {
                Scalar::Value(value) => {
                    if value == Value::Null {
                        self.null.get_or_insert(event.span().start());
                    }
                    self.with_text(value, event)
                }
                Scalar::Local(moment) => Value::text(moment.as_str()),
            }),
            Part::Map(map) => Node::Map(self.entries(&map.children)?),
            Part::List { children, .. } => Node::List(
                children
                    .iter()
                    .map(|child| match child {
                        Child::Comment { span, inline } => Ok(Node::Comment(comment(
                            self.text.get(span.clone()).unwrap_or_default(),
                            *inline,
                        ))),
                        Child::Item(_, part) => self.node(*part),
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

impl Loader<'_, '_> {
    /// The number with its text, if that is not the one it would be printed with.
    fn with_text(&self, value: Value, event: &Event) -> Value {
        let span = event.span();
        let text = self.text.get(span.start()..span.end()).unwrap_or_default();
        let printed = if self.keeps_numbers { number(&value) } else { None };
        if printed.is_none_or(|printed| printed == text) {
            return value;
        }
        Value::Written(Box::new(WrittenNumber { value, text: SecretBytes::from(text) }))
    }
}

fn comment(line: &str, inline: bool) -> Comment {
    // The first character is `#`.
    Comment { text: SecretBytes::from(line.strip_prefix('#').unwrap_or(line)), inline }
}

#[cfg(test)]
mod tests;
