//! What go-yaml checks when it decodes a document into a map (file-format.md section 7.1, step 2).
//!
//! Upstream does that with the first document only, to find repeated keys.

use std::collections::HashMap;

use crate::error::SyntaxError;
use crate::resolve::{Scalar, resolve};
use crate::span::Position;
use crate::syntax::{Content, Document, NodeId};

/// How deep nodes may lie, aliases expanded.
const MAX_DEPTH: usize = 2_000;
/// How many problems are listed.
const LISTED: usize = 10;

/// Checks that the document is a mapping (or nothing) with unique keys on every level, that tags fit, that merged
/// values are mappings, and that aliases expand within go-yaml's bounds.
///
/// # Errors
/// [`SyntaxError`] worded as go-yaml's; keys may be named, values never.
pub fn check_mapping(document: &Document<'_>, text: &str) -> Result<(), SyntaxError> {
    let Some(root) = document.root() else { return Ok(()) };
    let mut check =
        Check { document, text, problems: Vec::new(), place: None, decoded: 0, expanded: 0, aliases: 0 };
    check.node(root, Target::Root, 0)?;
    if check.problems.is_empty() {
        return Ok(());
    }
    let problem = format!("unmarshal errors:\n  {}", check.problems.join("\n  "));
    Err(SyntaxError::new(problem, 0, check.place.unwrap_or_default()))
}

/// What a node is decoded into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The map of the whole document.
    Root,
    /// A key that must be a string.
    Key,
    /// Anything.
    Any,
}

/// What a node turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Scalar,
    Collection,
    /// Null, or a problem: go-yaml does not set a value then.
    Nothing,
}

struct Check<'d, 'a> {
    document: &'d Document<'a>,
    text: &'d str,
    problems: Vec<String>,
    place: Option<Position>,
    decoded: u64,
    expanded: u64,
    /// How many aliases are being followed.
    aliases: usize,
}

impl Check<'_, '_> {
    fn position(&self, id: NodeId) -> Position {
        Position::of(self.text, self.document.node(id).span.start)
    }

    fn fail(&self, problem: impl Into<String>, id: NodeId) -> SyntaxError {
        SyntaxError::new(problem, 0, self.position(id))
    }

    /// Notes a problem that go-yaml lists instead of stopping.
    fn note(&mut self, id: NodeId, problem: impl FnOnce(u32) -> String) -> Found {
        let position = self.position(id);
        self.place.get_or_insert(position);
        if self.problems.len() < LISTED {
            self.problems.push(problem(position.line));
        }
        Found::Nothing
    }

    /// go-yaml's bound on what aliases may expand to.
    fn count(&mut self, id: NodeId) -> Result<(), SyntaxError> {
        const LOW: u64 = 400_000;
        const HIGH: u64 = 4_000_000;
        self.decoded += 1;
        if self.aliases > 0 {
            self.expanded += 1;
        }
        if self.expanded <= 100 || self.decoded <= 1000 {
            return Ok(());
        }
        let allowed = match self.decoded {
            ..=LOW => 0.99,
            HIGH.. => 0.10,
            decoded => 0.99 - 0.89 * ((decoded - LOW) as f64 / (HIGH - LOW) as f64),
        };
        if self.expanded as f64 / self.decoded as f64 > allowed {
            return Err(self.fail("document contains excessive aliasing", id));
        }
        Ok(())
    }

    fn node(&mut self, id: NodeId, target: Target, depth: usize) -> Result<Found, SyntaxError> {
        self.count(id)?;
        if depth > MAX_DEPTH {
            return Err(self.fail(format!("exceeded max depth of {MAX_DEPTH}"), id));
        }
        match &self.document.node(id).content {
            Content::Alias(to) => {
                self.aliases += 1;
                let found = self.node(*to, target, depth + 1);
                self.aliases -= 1;
                found
            }
            Content::Scalar(..) => self.scalar(id, target),
            Content::Sequence(children, _) => {
                if target != Target::Any {
                    let into = into(target);
                    return Ok(
                        self.note(id, |line| format!("line {line}: cannot unmarshal !!seq into {into}"))
                    );
                }
                for child in children {
                    self.node(*child, Target::Any, depth + 1)?;
                }
                Ok(Found::Collection)
            }
            Content::Mapping(children, _) => self.mapping(id, children, target, depth),
        }
    }

    fn scalar(&mut self, id: NodeId, target: Target) -> Result<Found, SyntaxError> {
        let scalar = match resolve(self.document.node(id)) {
            Ok(scalar) => scalar,
            Err(error) => return Err(self.fail(error.to_string(), id)),
        };
        match (scalar, target) {
            (Scalar::Null, _) => Ok(Found::Nothing),
            (scalar, Target::Root) => {
                let (tag, into) = (scalar.tag(), into(target));
                Ok(self.note(id, |line| format!("line {line}: cannot unmarshal {tag} into {into}")))
            }
            _ => Ok(Found::Scalar),
        }
    }

    fn mapping(
        &mut self,
        id: NodeId,
        children: &[NodeId],
        target: Target,
        depth: usize,
    ) -> Result<Found, SyntaxError> {
        if self.has_repeated_key(children) {
            return Ok(Found::Nothing);
        }
        if target == Target::Key {
            let into = into(target);
            return Ok(self.note(id, |line| format!("line {line}: cannot unmarshal !!map into {into}")));
        }
        let strings =
            target == Target::Root || children.chunks_exact(2).all(|pair| self.is_string_key(pair[0]));
        let mut merge = None;
        for pair in children.chunks_exact(2) {
            if self.is_merge(pair[0]) {
                merge = Some(pair[1]);
                continue;
            }
            let key = self.node(pair[0], if strings { Target::Key } else { Target::Any }, depth + 1)?;
            if key == Found::Collection {
                return Err(self.fail("invalid map key: a list or mapping cannot be a key", pair[0]));
            }
            // A null key of a string map is skipped with its value, as go-yaml does.
            if key == Found::Scalar || !strings {
                self.node(pair[1], Target::Any, depth + 1)?;
            }
        }
        if let Some(merge) = merge {
            self.merge(merge, depth)?;
        }
        Ok(Found::Collection)
    }

    fn has_repeated_key(&mut self, children: &[NodeId]) -> bool {
        let mut seen: HashMap<(u8, &str), NodeId> = HashMap::with_capacity(children.len() / 2);
        let mut repeated = Vec::new();
        for pair in children.chunks_exact(2) {
            let node = self.document.node(pair[0]);
            // go-yaml compares the kind and the raw text; collections have none.
            let identity = match &node.content {
                Content::Scalar(text, _) => (0, text.as_ref()),
                Content::Sequence(..) => (1, ""),
                Content::Mapping(..) => (2, ""),
                Content::Alias(to) => (3, self.document.node(*to).anchor.as_deref().unwrap_or_default()),
            };
            if let Some(first) = seen.insert(identity, pair[0]) {
                repeated.push((first, pair[0], identity.1));
            }
        }
        let any = !repeated.is_empty();
        for (first, again, key) in repeated.into_iter().take(LISTED) {
            let before = self.position(first).line;
            self.note(again, |line| {
                format!("line {line}: mapping key {key:?} already defined at line {before}")
            });
        }
        any
    }

    /// Whether go-yaml takes this key for a string before looking closer.
    fn is_string_key(&self, key: NodeId) -> bool {
        let mut node = self.document.node(key);
        if let Content::Alias(to) = &node.content {
            node = self.document.node(*to);
        }
        match (&node.content, node.tag.as_deref()) {
            (_, Some(tag)) => matches!(tag, "!!str" | "!!merge"),
            (Content::Scalar(..), None) => matches!(resolve(node), Ok(Scalar::Text(_) | Scalar::Merge)),
            _ => false,
        }
    }

    fn is_merge(&self, key: NodeId) -> bool {
        matches!(resolve(self.document.node(key)), Ok(Scalar::Merge))
    }

    fn merge(&mut self, merge: NodeId, depth: usize) -> Result<(), SyntaxError> {
        let is_map = |id: NodeId| {
            let node = self.document.node(id);
            let node = if let Content::Alias(to) = &node.content { self.document.node(*to) } else { node };
            matches!(node.content, Content::Mapping(..))
        };
        let problem = "map merge requires map or sequence of maps as the value";
        match &self.document.node(merge).content {
            Content::Mapping(..) | Content::Alias(_) if is_map(merge) => {
                self.node(merge, Target::Any, depth + 1)?;
            }
            Content::Sequence(items, _) => {
                for item in items {
                    if !is_map(*item) {
                        return Err(self.fail(problem, *item));
                    }
                }
                for item in items {
                    self.node(*item, Target::Any, depth + 1)?;
                }
            }
            _ => return Err(self.fail(problem, merge)),
        }
        Ok(())
    }
}

fn into(target: Target) -> &'static str {
    if target == Target::Root { "map[string]interface {}" } else { "string" }
}
