//! Typed values out of a YAML tree, with go-yaml's rules for what fits what: aliases, merge keys, nulls, and which
//! scalars are numbers. Knows nothing of the configuration's fields.

use std::collections::{HashMap, HashSet};

use ksops_yaml::span::Position;
use ksops_yaml::syntax::{Content, Document, Node, NodeId};

use crate::problem::Problem;
use crate::scalar::{self, Scalar};

/// How many values are decoded at most, aliases counted each time: a bound on work.
const MAX_VALUES: u32 = 200_000;

/// How deep merge keys may lead.
const MAX_MERGE_DEPTH: u32 = 64;

/// A field of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) position: Position,
    pub(crate) value: NodeId,
}

/// Decodes the nodes of one document and collects what is wrong with them.
#[derive(Debug)]
pub(crate) struct Decoder<'d, 'a> {
    document: &'d Document<'a>,
    text: &'d str,
    /// Where each line begins.
    lines: Vec<usize>,
    problems: Vec<Problem>,
    values: u32,
}

impl<'d, 'a> Decoder<'d, 'a> {
    pub(crate) fn new(document: &'d Document<'a>, text: &'d str) -> Self {
        let bytes = text.as_bytes();
        let ends_line =
            |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
        let lines = std::iter::once(0).chain((0..bytes.len()).filter(ends_line).map(|at| at + 1)).collect();
        Self { document, text, lines, problems: Vec::new(), values: 0 }
    }

    /// What was found wrong.
    pub(crate) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    pub(crate) fn report(&mut self, position: Position, message: impl Into<String>) {
        self.problems.push(Problem::new(position, message));
    }

    /// The place of a node.
    pub(crate) fn position(&self, id: NodeId) -> Position {
        self.position_of(self.document.node(id).span.start as usize)
    }

    fn position_of(&self, offset: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let start = self.lines[line - 1];
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line: line as u32, column: column as u32 }
    }

    /// The node itself, aliases followed.
    pub(crate) fn node(&self, id: NodeId) -> &'d Node<'a> {
        let mut node = self.document.node(id);
        for _ in 0..8 {
            match node.content {
                Content::Alias(target) => node = self.document.node(target),
                _ => break,
            }
        }
        node
    }

    /// Whether the node is null.
    pub(crate) fn is_null(&self, id: NodeId) -> bool {
        matches!(self.scalar(id), Some(Scalar::Null))
    }

    /// What the scalar is; `None` for a collection.
    pub(crate) fn scalar(&self, id: NodeId) -> Option<Scalar> {
        scalar::of(self.node(id))
    }

    /// What a node is, for messages.
    pub(crate) fn kind(&self, id: NodeId) -> &'static str {
        match (&self.node(id).content, self.scalar(id)) {
            (Content::Sequence(..), _) => "a list",
            (Content::Mapping(..), _) => "a mapping",
            (_, Some(scalar)) => scalar.kind(),
            (_, None) => "an alias",
        }
    }

    /// Whether the node is a mapping, aliases followed.
    pub(crate) fn is_mapping(&self, id: NodeId) -> bool {
        matches!(self.node(id).content, Content::Mapping(..))
    }

    fn mismatch(&mut self, id: NodeId, expected: &str) {
        let message = format!("expected {expected}, found {}", self.kind(id));
        self.report(self.position(id), message);
    }

    /// Counts a value; false when there were too many.
    fn count(&mut self, id: NodeId) -> bool {
        self.values = self.values.saturating_add(1);
        if self.values == MAX_VALUES {
            self.report(self.position(id), "document contains excessive aliasing");
        }
        self.values < MAX_VALUES
    }

    /// The text of a scalar of any type; `None` for null and for what is no scalar.
    pub(crate) fn text(&mut self, id: NodeId) -> Option<String> {
        if !self.count(id) {
            return None;
        }
        match (self.scalar(id), &self.node(id).content) {
            (Some(Scalar::Null), _) => None,
            (Some(Scalar::Text(text)), _) => Some(text),
            (Some(Scalar::Unfit(why)), _) => {
                self.report(self.position(id), why);
                None
            }
            (Some(_), Content::Scalar(text, _)) => Some(text.to_string()),
            _ => {
                self.mismatch(id, "a string");
                None
            }
        }
    }

    /// Reports a scalar that does not fit its tag.
    pub(crate) fn require_fit(&mut self, id: NodeId) {
        if let Some(Scalar::Unfit(why)) = self.scalar(id) {
            self.report(self.position(id), why);
        }
    }

    /// A whole number; a fraction is cut off, as go-yaml does.
    pub(crate) fn integer(&mut self, id: NodeId) -> Option<i64> {
        match self.scalar(id) {
            Some(Scalar::Null) => None,
            Some(Scalar::Integer(value)) => Some(value),
            Some(Scalar::Float(value)) if value.is_finite() && value.abs() < 9.2e18 => Some(value as i64),
            _ => {
                self.mismatch(id, "a whole number");
                None
            }
        }
    }

    /// A boolean, also in the words of YAML 1.1.
    pub(crate) fn boolean(&mut self, id: NodeId) -> Option<bool> {
        match self.scalar(id) {
            Some(Scalar::Null) => return None,
            Some(Scalar::Boolean(value)) => return Some(value),
            Some(Scalar::Text(text)) => match text.as_str() {
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Some(true),
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        self.mismatch(id, "true or false");
        None
    }

    /// The items of a list; `None` for null and for what is no list.
    pub(crate) fn items(&mut self, id: NodeId) -> Option<Vec<NodeId>> {
        if !self.count(id) || self.is_null(id) {
            return None;
        }
        match &self.node(id).content {
            Content::Sequence(items, _) => Some(items.clone()),
            _ => {
                self.mismatch(id, "a list");
                None
            }
        }
    }

    /// The fields of a mapping, merged ones behind its own; `None` for null and for what is no mapping.
    pub(crate) fn fields(&mut self, id: NodeId) -> Option<Vec<Field>> {
        if !self.count(id) || self.is_null(id) {
            return None;
        }
        let mut fields = Vec::new();
        self.collect(id, 0, &mut HashSet::new(), &mut fields);
        Some(fields)
    }

    fn collect(&mut self, id: NodeId, depth: u32, seen: &mut HashSet<String>, fields: &mut Vec<Field>) {
        let Content::Mapping(content, _) = &self.node(id).content else {
            return self.mismatch(id, "a mapping");
        };
        if depth > MAX_MERGE_DEPTH {
            return self.report(self.position(id), "merge keys are nested too deeply");
        }
        let mut own: HashMap<String, u32> = HashMap::new();
        let mut merge = None;
        for pair in content.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            if !self.count(key) {
                return;
            }
            let position = self.position(key);
            let merges = scalar::is_merge(self.document.node(key));
            if let Content::Scalar(text, _) = &self.node(key).content
                && let Some(line) = own.insert(text.to_string(), position.line)
            {
                self.report(position, format!("mapping key {text:?} already defined at line {line}"));
                continue;
            }
            let name = if merges { Some(String::new()) } else { self.text(key) };
            let Some(name) = name else { continue };
            if merges {
                merge = Some(value);
            } else if seen.insert(name.clone()) {
                fields.push(Field { name, position, value });
            }
        }
        let Some(merged) = merge else { return };
        match &self.node(merged).content {
            Content::Mapping(..) => self.collect(merged, depth + 1, seen, fields),
            Content::Sequence(items, _)
                if matches!(self.document.node(merged).content, Content::Sequence(..)) =>
            {
                for item in items {
                    self.collect(*item, depth + 1, seen, fields);
                }
            }
            _ => self.mismatch(merged, "a mapping, or a list of them,"),
        }
    }

    /// Whether an anchor is set somewhere in this node: it is there to be referred to.
    pub(crate) fn holds_anchor(&self, id: NodeId) -> bool {
        let mut open = vec![id];
        let mut budget = MAX_VALUES;
        while let Some(id) = open.pop() {
            let node = self.document.node(id);
            budget = budget.saturating_sub(1);
            if node.anchor.is_some() || budget == 0 {
                return true;
            }
            if let Content::Sequence(items, _) | Content::Mapping(items, _) = &node.content {
                open.extend(items);
            }
        }
        false
    }
}
