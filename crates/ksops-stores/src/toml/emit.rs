//! Trees to TOML text, without a text to go by: for what comes from another format, and for the metadata.
//!
//! The order of the tree must be the order of the text, since the MAC runs over it. TOML has values before tables, so
//! a mapping that precedes a value of its container is written in braces.

use std::collections::HashSet;

use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::tree::path::{Step, Trail};
use zeroize::Zeroizing;

use crate::toml::emit_like::{comment_of, unwritable};
use crate::toml::error::TomlEmitError;
use crate::toml::outline::MAX_DEPTH;
use crate::toml::page::Page;
use crate::toml::quote;

/// How long an array on one line may be.
const LINE: usize = 80;
const INDENT: &str = "    ";

/// Prints a tree; with metadata under `sops`, that comes last.
///
/// # Errors
/// [`TomlEmitError`] if something has no TOML form: null, bytes that are no text, a repeated key, deep nesting.
pub fn emit(branch: &Branch) -> Result<Zeroizing<String>, TomlEmitError> {
    let mut writer = Writer { page: Page::default(), keep_order: true };
    let is_metadata = |entry: &&Entry| matches!(entry, Entry::Item(key, Node::Map(_)) if key == "sops");
    let entries: Vec<&Entry> = branch.entries.iter().filter(|entry| !is_metadata(entry)).collect();
    writer.table(&entries, &mut Vec::new(), &Trail::root())?;
    if let Some(Node::Map(metadata)) = branch.node("sops") {
        writer.gap();
        writer.page.push(&block("sops", metadata)?);
    }
    Ok(writer.page.finish())
}

/// Prints a table with its header; values come first, whatever the order.
pub(crate) fn block(name: &str, branch: &Branch) -> Result<Zeroizing<String>, TomlEmitError> {
    let mut writer = Writer { page: Page::default(), keep_order: false };
    let key = Key::from(name);
    let entries: Vec<&Entry> = branch.entries.iter().collect();
    let mut path = vec![name.to_owned()];
    writer.header(&path, "[", "]");
    writer.table(&entries, &mut path, &Trail::root().below(Step::Key(&key)))?;
    Ok(writer.page.finish())
}

struct Writer {
    page: Page,
    keep_order: bool,
}

type Written = Result<(), TomlEmitError>;

impl Writer {
    /// What stands below a header: values, then tables.
    fn table(&mut self, entries: &[&Entry], path: &mut Vec<String>, trail: &Trail<'_>) -> Written {
        if path.len() > MAX_DEPTH {
            return Err(TomlEmitError::TooDeep { path: trail.to_path() });
        }
        check_keys(entries.iter().copied(), trail)?;
        let has_header = |entry: &&Entry| matches!(entry, Entry::Item(_, node) if is_table(node));
        let is_value = |entry: &&Entry| matches!(entry, Entry::Item(_, node) if !is_table(node));
        let (values, tables): (Vec<&Entry>, Vec<&Entry>) = if self.keep_order {
            let end = entries.iter().rposition(is_value).map_or(0, |at| at + 1);
            let (values, rest) = entries.split_at(end);
            // What stands behind the last table would be read as the table's own.
            let tables_end = rest.iter().rposition(&has_header).map_or(0, |at| at + 1);
            let (tables, trailing) = rest.split_at(tables_end);
            (values.iter().chain(trailing).copied().collect(), tables.to_vec())
        } else {
            entries.iter().copied().partition(|entry| !has_header(entry))
        };
        self.values(&values, trail)?;
        let mut heading: Vec<&Comment> = Vec::new();
        for entry in tables {
            match entry {
                Entry::Comment(comment) => heading.push(comment),
                Entry::Item(key, node) => {
                    let below = trail.below(Step::Key(key));
                    path.push(text_of(key, trail)?.to_owned());
                    self.headed(node, &std::mem::take(&mut heading), path, &below)?;
                    path.pop();
                }
            }
        }
        Ok(())
    }

    fn headed(
        &mut self,
        node: &Node,
        heading: &[&Comment],
        path: &mut Vec<String>,
        trail: &Trail<'_>,
    ) -> Written {
        match node {
            Node::Map(branch) => {
                self.gap();
                for comment in heading {
                    self.comment_line(comment.text.expose(), "", trail)?;
                }
                self.header(path, "[", "]");
                let entries: Vec<&Entry> = branch.entries.iter().collect();
                self.table(&entries, path, trail)
            }
            Node::List(list) => {
                // They head the key, not the first element; an array of tables has one place for both.
                let mut lines: Vec<&[u8]> = heading.iter().map(|comment| comment.text.expose()).collect();
                for (index, node) in list.iter().enumerate() {
                    if let Some(text) = comment_of(node) {
                        lines.push(text);
                    } else if let Node::Map(branch) = node {
                        self.gap();
                        for text in lines.drain(..) {
                            self.comment_line(text, "", trail)?;
                        }
                        self.header(path, "[[", "]]");
                        let entries: Vec<&Entry> = branch.entries.iter().collect();
                        self.table(&entries, path, &trail.below(Step::Index(index)))?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keys with values, a line each, with the comments between them.
    fn values(&mut self, entries: &[&Entry], trail: &Trail<'_>) -> Written {
        let mut behind = None;
        for entry in entries {
            match entry {
                Entry::Comment(comment) if comment.inline && behind.is_none() => behind = Some(comment),
                Entry::Comment(comment) => self.comment_line(comment.text.expose(), "", trail)?,
                Entry::Item(key, node) => {
                    let below = trail.below(Step::Key(key));
                    quote::key(text_of(key, trail)?, &mut self.page);
                    self.page.push(" = ");
                    self.value(node, "", &below, 0)?;
                    self.end_line(behind.take(), trail)?;
                }
            }
        }
        match behind {
            Some(comment) => self.comment_line(comment.text.expose(), "", trail),
            None => Ok(()),
        }
    }

    fn value(&mut self, node: &Node, indent: &str, trail: &Trail<'_>, depth: usize) -> Written {
        if depth >= MAX_DEPTH {
            return Err(TomlEmitError::TooDeep { path: trail.to_path() });
        }
        match node {
            Node::Leaf(value) => {
                quote::value(value, &mut self.page).map_err(|problem| unwritable(problem, "text", trail))
            }
            Node::List(list) => self.array(list, indent, trail, depth),
            Node::Map(branch) => self.braces(branch, indent, trail, depth),
            Node::Comment(_) => Ok(()),
        }
    }

    fn array(&mut self, list: &[Node], indent: &str, trail: &Trail<'_>, depth: usize) -> Written {
        let is_leaf = |node: &Node| matches!(node, Node::Leaf(_)) && comment_of(node).is_none();
        if list.iter().all(is_leaf) {
            let mut line = Writer { page: Page::default(), keep_order: true };
            line.page.push("[");
            for (index, node) in list.iter().enumerate() {
                line.page.push(if index == 0 { "" } else { ", " });
                line.value(node, indent, &trail.below(Step::Index(index)), depth + 1)?;
            }
            line.page.push("]");
            let line = line.page.finish();
            if line.len() <= LINE && !line.contains('\n') {
                self.page.push(&line);
                return Ok(());
            }
        }
        let inner = format!("{indent}{INDENT}");
        self.page.push("[\n");
        let mut behind: Option<&Comment> = None;
        for (index, node) in list.iter().enumerate() {
            let below = trail.below(Step::Index(index));
            match (comment_of(node), node) {
                (Some(_), Node::Comment(comment)) if comment.inline && behind.is_none() => {
                    behind = Some(comment)
                }
                (Some(text), _) => self.comment_line(text, &inner, &below)?,
                (None, node) => {
                    self.page.push(&inner);
                    self.value(node, &inner, &below, depth + 1)?;
                    self.page.push(",");
                    self.end_line(behind.take(), trail)?;
                }
            }
        }
        if let Some(comment) = behind {
            self.comment_line(comment.text.expose(), &inner, trail)?;
        }
        self.page.push(indent);
        self.page.push("]");
        Ok(())
    }

    /// A table in braces: on one line, unless it holds comments, which only TOML 1.1 allows there.
    fn braces(&mut self, branch: &Branch, indent: &str, trail: &Trail<'_>, depth: usize) -> Written {
        check_keys(branch.entries.iter(), trail)?;
        if branch.entries.is_empty() {
            self.page.push("{}");
            return Ok(());
        }
        let several_lines = branch.entries.iter().any(|entry| matches!(entry, Entry::Comment(_)));
        let inner = if several_lines { format!("{indent}{INDENT}") } else { indent.to_owned() };
        self.page.push(if several_lines { "{\n" } else { "{ " });
        let mut is_first = true;
        for entry in &branch.entries {
            match entry {
                Entry::Comment(comment) => self.comment_line(comment.text.expose(), &inner, trail)?,
                Entry::Item(key, node) => {
                    self.page.push(if several_lines {
                        &inner
                    } else if is_first {
                        ""
                    } else {
                        ", "
                    });
                    is_first = false;
                    quote::key(text_of(key, trail)?, &mut self.page);
                    self.page.push(" = ");
                    self.value(node, &inner, &trail.below(Step::Key(key)), depth + 1)?;
                    self.page.push(if several_lines { ",\n" } else { "" });
                }
            }
        }
        if several_lines {
            self.page.push(indent);
        }
        self.page.push(if several_lines { "}" } else { " }" });
        Ok(())
    }

    fn header(&mut self, path: &[String], open: &str, close: &str) {
        self.page.push(open);
        for (place, name) in path.iter().enumerate() {
            self.page.push(if place == 0 { "" } else { "." });
            quote::key(name, &mut self.page);
        }
        self.page.push(close);
        self.page.push("\n");
    }

    /// A blank line, except at the start: comments that touch a header below a blank line are the header's.
    fn gap(&mut self) {
        if !self.page.is_empty() {
            self.page.push("\n");
        }
    }

    fn comment_line(&mut self, text: &[u8], indent: &str, trail: &Trail<'_>) -> Written {
        self.page.push(indent);
        quote::comment(text, &mut self.page).map_err(|problem| unwritable(problem, "comment", trail))?;
        self.page.push("\n");
        Ok(())
    }

    fn end_line(&mut self, comment: Option<&Comment>, trail: &Trail<'_>) -> Written {
        if let Some(comment) = comment {
            self.page.push(" ");
            quote::comment(comment.text.expose(), &mut self.page)
                .map_err(|problem| unwritable(problem, "comment", trail))?;
        }
        self.page.push("\n");
        Ok(())
    }
}

/// Whether a node can have a header of its own: a mapping, or a list of mappings that ends with one.
fn is_table(node: &Node) -> bool {
    match node {
        Node::Map(_) => true,
        Node::List(list) => {
            matches!(list.last(), Some(Node::Map(_)))
                && list.iter().all(|node| matches!(node, Node::Map(_)) || comment_of(node).is_some())
        }
        _ => false,
    }
}

fn text_of<'k>(key: &'k Key, trail: &Trail<'_>) -> Result<&'k str, TomlEmitError> {
    key.to_str().ok_or_else(|| TomlEmitError::Bytes { what: "key", path: trail.to_path() })
}

fn check_keys<'b>(entries: impl Iterator<Item = &'b Entry>, trail: &Trail<'_>) -> Written {
    let mut seen = HashSet::new();
    for entry in entries {
        if let Entry::Item(key, _) = entry
            && !seen.insert(key)
        {
            return Err(TomlEmitError::RepeatedKey { path: trail.below(Step::Key(key)).to_path() });
        }
    }
    Ok(())
}
