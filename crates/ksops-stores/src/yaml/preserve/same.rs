//! Whether what stands in a text is what a tree says.

use std::hash::{DefaultHasher, Hash, Hasher};

use ksops_core::tree::branch::{Branch, Comment, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::resolve::{Scalar, resolve};
use ksops_yaml::syntax::{Content, NodeId, ScalarStyle};

use crate::yaml::outline::{Outline, PlaceKind};

/// Whether the scalar of a node has this value, and would be read with the same text.
pub(crate) fn is_leaf(outline: &Outline<'_>, id: NodeId, value: &Value) -> bool {
    let node = outline.document.node(id);
    let text = match &node.content {
        Content::Scalar(text, style) => Some((text, *style)),
        _ => None,
    };
    match (resolve(node), value) {
        (Ok(Scalar::Text(text)), Value::Text(value)) => text.as_bytes() == value.expose(),
        (Ok(Scalar::Bytes(bytes)), Value::Text(value)) => bytes == value.expose(),
        (Ok(Scalar::Merge), Value::Text(value)) => value.expose() == b"<<",
        (Ok(Scalar::Int(_) | Scalar::Float(_)), Value::Written(number)) => {
            text.is_some_and(|(text, style)| {
                style == ScalarStyle::Plain && text.as_bytes() == number.text.expose()
            })
        }
        (Ok(Scalar::Int(int)), Value::Int(value)) => int == *value,
        (Ok(Scalar::Float(float)), Value::Float(value)) => {
            float.to_bits() == value.to_bits() || float.is_nan() && value.is_nan()
        }
        (Ok(Scalar::Bool(truth)), Value::Bool(value)) => truth == *value,
        (Ok(Scalar::Timestamp(moment)), Value::Timestamp(value)) => {
            moment == *value && moment.offset() == value.offset()
        }
        (Ok(Scalar::Null) | Err(_), Value::Null) => true,
        _ => false,
    }
}

/// Whether the comment at a place has this text.
pub(crate) fn is_comment(text: &str, kind: PlaceKind, comment: &Comment) -> bool {
    let PlaceKind::Comment { span } = kind else { return false };
    text.as_bytes().get(span.start as usize + 1..span.end as usize) == Some(comment.text.expose())
}

/// Whether the key of a place is this one.
pub(crate) fn is_key(outline: &Outline<'_>, at: usize, key: &[u8]) -> bool {
    let mut node = outline.places[at].key;
    // An alias of an alias there is not.
    for _ in 0..2 {
        let Some(id) = node else { return false };
        match &outline.document.node(id).content {
            Content::Alias(to) => node = Some(*to),
            Content::Scalar(text, _) if text.as_bytes() == key => return true,
            Content::Scalar(..) => {
                let found = resolve(outline.document.node(id));
                return matches!(found, Ok(Scalar::Bytes(bytes)) if bytes == key);
            }
            _ => return false,
        }
    }
    false
}

/// Whether all that stands at a place is what `node` is.
pub(crate) fn is_node(text: &str, outline: &Outline<'_>, at: usize, node: &Node) -> bool {
    let place = outline.places[at];
    match (place.kind, node) {
        (PlaceKind::Comment { .. }, Node::Comment(comment)) => is_comment(text, place.kind, comment),
        (PlaceKind::Leaf, Node::Leaf(value)) => place.node.is_some_and(|id| is_leaf(outline, id, value)),
        (PlaceKind::Map, Node::Map(branch)) => is_map(text, outline, at, branch),
        (PlaceKind::List, Node::List(list)) => {
            let children = outline.children(at);
            children.len() == list.len()
                && children.iter().zip(list).all(|(child, node)| is_node(text, outline, *child, node))
        }
        (PlaceKind::Alias, node) => is_node(text, outline, at + 1, node),
        _ => false,
    }
}

fn is_map(text: &str, outline: &Outline<'_>, at: usize, branch: &Branch) -> bool {
    let children = outline.children(at);
    children.len() == branch.entries.len()
        && children.iter().zip(&branch.entries).all(|(child, entry)| match entry {
            Entry::Comment(comment) => is_comment(text, outline.places[*child].kind, comment),
            Entry::Item(key, node) => {
                is_key(outline, *child, key.as_bytes()) && is_node(text, outline, *child, node)
            }
        })
}

/// Whether two documents are the same for everybody who reads them. Whether a comment is behind a value or before its
/// key makes no difference to cipher and MAC, nor do empty comments in lists, which encryption drops.
pub(crate) fn are_same(one: &Branch, other: &Branch) -> bool {
    one.entries.len() == other.entries.len()
        && one.entries.iter().zip(&other.entries).all(|pair| match pair {
            (Entry::Comment(one), Entry::Comment(other)) => one.text == other.text,
            (Entry::Item(key, one), Entry::Item(name, other)) => key == name && are_same_nodes(one, other),
            _ => false,
        })
}

fn are_same_nodes(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::Leaf(one), Node::Leaf(other)) => are_same_values(one, other),
        (Node::Map(one), Node::Map(other)) => are_same(one, other),
        (Node::List(one), Node::List(other)) => {
            let counts =
                |node: &&Node| !matches!(node, Node::Comment(comment) if comment.text.expose().is_empty());
            let (mut one, mut other) = (one.iter().filter(counts), other.iter().filter(counts));
            loop {
                match (one.next(), other.next()) {
                    (None, None) => return true,
                    (Some(one), Some(other)) if are_same_nodes(one, other) => {}
                    _ => return false,
                }
            }
        }
        (Node::Comment(one), Node::Comment(other)) => one.text == other.text,
        _ => false,
    }
}

fn are_same_values(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => {
            one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
        }
        (Value::Timestamp(one), Value::Timestamp(other)) => one == other && one.offset() == other.offset(),
        // The text is the same, so the number is.
        (Value::Written(one), Value::Written(other)) => one.text == other.text,
        (Value::Written(one), other) => are_same_values(&one.value, other),
        (one, Value::Written(other)) => are_same_values(one, &other.value),
        (one, other) => one == other,
    }
}

/// A number that is the same for documents that [`are_same`], and almost never for others: finds defects of ours, not
/// forgeries.
pub(crate) fn digest(branch: &Branch) -> u64 {
    let mut hasher = DefaultHasher::new();
    digest_map(branch, &mut hasher);
    hasher.finish()
}

fn digest_map(branch: &Branch, hasher: &mut DefaultHasher) {
    b'{'.hash(hasher);
    for entry in &branch.entries {
        match entry {
            Entry::Comment(comment) => (b'#', comment.text.expose()).hash(hasher),
            Entry::Item(key, node) => {
                (b':', key.as_bytes()).hash(hasher);
                digest_node(node, hasher);
            }
        }
    }
    b'}'.hash(hasher);
}

fn digest_node(node: &Node, hasher: &mut DefaultHasher) {
    match node {
        Node::Map(branch) => digest_map(branch, hasher),
        Node::List(list) => {
            b'['.hash(hasher);
            list.iter().for_each(|node| digest_node(node, hasher));
            b']'.hash(hasher);
        }
        Node::Comment(comment) if comment.text.expose().is_empty() => {}
        Node::Comment(comment) => (b'#', comment.text.expose()).hash(hasher),
        // A text that a number has stays in the file or is printed from the value.
        Node::Leaf(value) => match value.plain() {
            Value::Text(text) => (b't', text.expose()).hash(hasher),
            Value::Int(int) => (b'i', int).hash(hasher),
            Value::Float(float) => (b'f', if float.is_nan() { 0 } else { float.to_bits() }).hash(hasher),
            Value::Bool(truth) => (b'b', truth).hash(hasher),
            Value::Timestamp(moment) => (b'm', moment, moment.offset()).hash(hasher),
            _ => b'n'.hash(hasher),
        },
    }
}
