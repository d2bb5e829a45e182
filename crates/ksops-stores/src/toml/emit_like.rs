//! A changed tree back into the text that it came from: only what changed is written anew.

use std::ops::Range;

use ksops_core::crypto::envelope::Envelope;
use ksops_core::crypto::plaintext::DataType;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::tree::path::{Step, Trail};
use ksops_core::value::Value;
use toml_parser::parser::Event;
use zeroize::Zeroizing;

use crate::toml::emit;
use crate::toml::error::TomlEmitError;
use crate::toml::outline::{Child, Outline, Part, PartId, ROOT};
use crate::toml::page::Page;
use crate::toml::quote::{self, Unwritable};
use crate::toml::scalar::{self, Scalar};

/// The key of the metadata.
const METADATA: &str = "sops";

/// Prints a tree with the layout of the text that it was loaded from, after its values and comments changed.
///
/// All bytes that are not a changed value or comment stay: blank lines, order, spaces, quotes, number forms. The
/// metadata is no part of the layout: what stands under `sops` in the text is taken out, what stands under `sops` in
/// the tree is put behind the text. So a text that is encrypted and decrypted has its old bytes again, where the forms
/// of its values are the usual ones.
///
/// # Errors
/// [`TomlEmitError`] if the tree does not have the shape of the text, or a value has no TOML form.
pub fn emit_like(template: &str, branch: &Branch) -> Result<Zeroizing<String>, TomlEmitError> {
    let outline = Outline::read(template)?;
    let mut editor = Editor { outline: &outline, changes: Vec::new() };
    editor.root(branch)?;
    let mut changes = editor.changes;
    changes.sort_by_key(|(span, _)| span.start);

    let growth: usize = changes.iter().map(|(_, text)| text.len()).sum();
    let mut page = Page::with_capacity(template.len() + growth);
    let mut changes = changes.into_iter().peekable();
    let mut at = 0;
    let mut copy = |page: &mut Page, upto: usize, beyond: usize| {
        while let Some((span, text)) = changes.next_if(|(span, _)| span.start < upto) {
            page.push(template.get(at..span.start).unwrap_or_default());
            page.push(&text);
            at = span.end;
        }
        page.push(template.get(at..upto).unwrap_or_default());
        // What was to change in the metadata goes with it.
        while changes.next_if(|(span, _)| span.start < beyond).is_some() {}
        at = beyond;
    };
    let is_last = outline.metadata.last().is_some_and(|last| last.end == template.len());
    for span in &outline.metadata {
        let mut upto = span.start;
        if is_last && span.end == template.len() {
            upto = without_separator(template, upto);
        }
        copy(&mut page, upto, span.end);
    }
    if !is_last {
        copy(&mut page, template.len(), template.len());
    }
    if let Some(Node::Map(block)) = branch.node(METADATA) {
        let block = emit::block(METADATA, block)?;
        if !page.is_empty() {
            page.push("\n");
        }
        page.push(&block);
    }
    Ok(page.finish())
}

/// The line's end before the metadata is the one that was put there with it: whether the text ended with a newline can
/// then still be told.
fn without_separator(template: &str, start: usize) -> usize {
    let before = template.get(..start).unwrap_or_default();
    before.strip_suffix("\r\n").or_else(|| before.strip_suffix('\n')).unwrap_or(before).len()
}

struct Editor<'o, 't> {
    outline: &'o Outline<'t>,
    changes: Vec<(Range<usize>, Zeroizing<String>)>,
}

impl<'o> Editor<'o, '_> {
    fn root(&mut self, branch: &Branch) -> Result<(), TomlEmitError> {
        let outline = self.outline;
        let Part::Map(map) = outline.part(ROOT) else { return Ok(()) };
        let is_metadata = |name: &[u8]| name == METADATA.as_bytes();
        let children = map
            .children
            .iter()
            .filter(|child| !matches!(child, Child::Item(Some(name), _) if is_metadata(name.as_bytes())));
        let entries = branch
            .entries
            .iter()
            .filter(|entry| !matches!(entry, Entry::Item(key, _) if is_metadata(key.as_bytes())));
        self.map(children, entries, &Trail::root())
    }

    fn map<'b>(
        &mut self,
        children: impl Iterator<Item = &'o Child>,
        mut entries: impl Iterator<Item = &'b Entry>,
        trail: &Trail<'_>,
    ) -> Result<(), TomlEmitError> {
        for child in children {
            match (child, entries.next()) {
                (Child::Comment { span, .. }, Some(Entry::Comment(comment))) => {
                    self.comment(span, comment.text.expose(), trail)?;
                }
                (Child::Item(Some(name), part), Some(Entry::Item(key, node))) if *key == **name => {
                    self.node(*part, node, &trail.below(Step::Key(key)))?;
                }
                (_, Some(Entry::Item(key, _))) => {
                    return misfit(
                        &trail.below(Step::Key(key)),
                        "a key is missing, added or in another place",
                    );
                }
                (Child::Item(Some(name), _), _) => {
                    let key = Key::from(&**name);
                    return misfit(&trail.below(Step::Key(&key)), "a key is missing");
                }
                _ => return misfit(trail, "a comment is missing"),
            }
        }
        match entries.next() {
            None => Ok(()),
            Some(Entry::Item(key, _)) => misfit(&trail.below(Step::Key(key)), "a key was added"),
            Some(Entry::Comment(_)) => misfit(trail, "a comment was added"),
        }
    }

    fn list(
        &mut self,
        children: &'o [Child],
        nodes: &[Node],
        trail: &Trail<'_>,
    ) -> Result<(), TomlEmitError> {
        let mut nodes = nodes.iter().enumerate().peekable();
        for child in children {
            match child {
                Child::Comment { span, .. } => {
                    let text = nodes.peek().and_then(|(_, node)| comment_of(node));
                    match text {
                        Some(text) if span.len() > 1 || text.is_empty() => {
                            nodes.next();
                            self.comment(span, text, trail)?;
                        }
                        // Encryption drops empty comments from lists; in the text they can stay.
                        _ if span.len() == 1 => {}
                        _ => return misfit(trail, "a comment is missing"),
                    }
                }
                Child::Item(_, part) => match nodes.next() {
                    Some((_, Node::Comment(_))) => return misfit(trail, "an element became a comment"),
                    Some((index, node)) => self.node(*part, node, &trail.below(Step::Index(index)))?,
                    None => return misfit(trail, "an element is missing"),
                },
            }
        }
        if nodes.next().is_some() { misfit(trail, "an element was added") } else { Ok(()) }
    }

    fn node(&mut self, id: PartId, node: &Node, trail: &Trail<'_>) -> Result<(), TomlEmitError> {
        let outline = self.outline;
        match (outline.part(id), node) {
            (Part::Leaf(event), Node::Leaf(value)) => self.leaf(event, value, trail),
            (Part::Map(map), Node::Map(branch)) => {
                self.map(map.children.iter(), branch.entries.iter(), trail)
            }
            (Part::List { children, .. }, Node::List(list)) => self.list(children, list, trail),
            _ => misfit(trail, "a value, table or array became something else"),
        }
    }

    fn leaf(&mut self, event: &Event, value: &Value, trail: &Trail<'_>) -> Result<(), TomlEmitError> {
        match scalar::read(self.outline.source, event)? {
            Scalar::Value(old) if same(&old, value) => return Ok(()),
            Scalar::Value(_) => {}
            Scalar::Local(moment) => {
                return match value {
                    Value::Text(text) if text.expose() == moment.as_bytes() => Ok(()),
                    _ => Err(TomlEmitError::LocalTime { path: trail.to_path() }),
                };
            }
        }
        let mut page = Page::default();
        quote::value(value, &mut page).map_err(|problem| unwritable(problem, "text", trail))?;
        self.changes.push((event.span().start()..event.span().end(), page.finish()));
        Ok(())
    }

    fn comment(&mut self, span: &Range<usize>, text: &[u8], trail: &Trail<'_>) -> Result<(), TomlEmitError> {
        let old = self.outline.source.input().get(span.clone()).unwrap_or_default();
        if old.as_bytes().get(1..) == Some(text) {
            return Ok(());
        }
        let mut page = Page::default();
        quote::comment(text, &mut page).map_err(|problem| unwritable(problem, "comment", trail))?;
        self.changes.push((span.clone(), page.finish()));
        Ok(())
    }
}

/// The text of a comment in a list; an encrypted one is a text there.
pub(crate) fn comment_of(node: &Node) -> Option<&[u8]> {
    match node {
        Node::Comment(Comment { text, .. }) => Some(text.expose()),
        Node::Leaf(Value::Text(text)) => {
            let envelope = Envelope::parse(text.expose())?;
            (envelope.kind() == DataType::Comment.name().as_bytes()).then_some(text.expose())
        }
        _ => None,
    }
}

/// Whether the text of the old value says the new one.
fn same(old: &Value, new: &Value) -> bool {
    match (old.plain(), new.plain()) {
        (Value::Float(old), Value::Float(new)) => {
            old.to_bits() == new.to_bits() || (old.is_nan() && new.is_nan())
        }
        (Value::Timestamp(old), Value::Timestamp(new)) => old == new && old.offset() == new.offset(),
        (Value::Text(old), Value::Text(new)) => old.expose() == new.expose(),
        (old, new) => old == new,
    }
}

pub(crate) fn unwritable(problem: Unwritable, what: &'static str, trail: &Trail<'_>) -> TomlEmitError {
    let path = trail.to_path();
    match problem {
        Unwritable::Null => TomlEmitError::Null { path },
        Unwritable::Bytes => TomlEmitError::Bytes { what, path },
        Unwritable::Timestamp => TomlEmitError::Timestamp { path },
    }
}

fn misfit(trail: &Trail<'_>, problem: &'static str) -> Result<(), TomlEmitError> {
    Err(TomlEmitError::Misfit { path: trail.to_path(), problem })
}
