//! The nodes of a text, written down as `tests/oracle/sops/nodes.go` does.

use std::fmt::Write as _;

use ksops_yaml::error::SyntaxError;
use ksops_yaml::input::decode;
use ksops_yaml::parser::{Limits, Parser};
use ksops_yaml::strict::check_mapping;
use ksops_yaml::syntax::{Content, Document, NodeId};

use super::outcome::Outcome;

/// Parses `text` and writes its nodes down.
#[must_use]
pub fn nodes(text: &[u8]) -> Outcome {
    match write_all(text) {
        Ok(Some(written)) => Outcome::done(written.into_bytes()),
        Ok(None) => Outcome::refused(2, "no document"),
        Err(error) => Outcome::refused(2, error),
    }
}

fn write_all(bytes: &[u8]) -> Result<Option<String>, SyntaxError> {
    let text = decode(bytes)?;
    let mut out = String::new();
    let mut parser = Parser::new(&text, Limits::default());
    let mut is_first = true;
    while let Some(document) = parser.next_document() {
        let document = document?;
        if std::mem::take(&mut is_first) {
            check_mapping(&document, &text)?;
        }
        out.push_str("document");
        field(&mut out, "head", &document.comments.head);
        field(&mut out, "line", &document.comments.line);
        field(&mut out, "foot", &document.comments.foot);
        out.push('\n');
        if let Some(root) = document.root() {
            write(&mut out, &document, root);
        }
    }
    Ok((bytes.is_empty() || !is_first).then_some(out))
}

fn write(out: &mut String, document: &Document<'_>, root: NodeId) {
    let mut waiting = vec![(root, 1)];
    while let Some((id, depth)) = waiting.pop() {
        let node = document.node(id);
        out.extend(std::iter::repeat_n("  ", depth));
        let children: &[NodeId] = match &node.content {
            Content::Scalar(..) => {
                out.push_str("scalar");
                &[]
            }
            Content::Alias(_) => {
                out.push_str("alias");
                &[]
            }
            Content::Sequence(items, _) => {
                out.push_str("sequence");
                items
            }
            Content::Mapping(items, _) => {
                out.push_str("mapping");
                items
            }
        };
        if let Content::Scalar(text, _) = &node.content {
            field(out, "value", text);
        }
        field(out, "anchor", node.anchor.as_deref().unwrap_or_default());
        if let Content::Alias(target) = node.content {
            field(out, "of", document.node(target).anchor.as_deref().unwrap_or_default());
        }
        field(out, "head", node.head());
        field(out, "line", node.line());
        field(out, "foot", node.foot());
        out.push('\n');
        waiting.extend(children.iter().rev().map(|child| (*child, depth + 1)));
    }
}

fn field(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(out, " {name} {}:{text}", text.len());
    }
}
