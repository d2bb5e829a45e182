//! Leaves that have the same path (security.md S5).
//!
//! Additional data joins keys with `:`, so `a: {b: x}` and `"a:b": x` are bound to the same text, as are repeated keys:
//! their ciphertexts could be exchanged. Whether that is refused or only told is the caller's choice.

use std::collections::{HashMap, HashSet};

use crate::tree::branch::{Branch, Entry, Key, Node};
use crate::tree::path::{Step, Trail, TreePath};
use crate::tree::walk::MAX_DEPTH;
use crate::value::Value;

/// Finds the second of two leaves that have the same path outside one list.
///
/// Nesting deeper than [`MAX_DEPTH`] is not looked at: nothing so deep is ever written.
#[must_use]
pub fn first_ambiguous_path(branch: &Branch) -> Option<TreePath> {
    let mut search = Search { aad: Vec::new(), keys: Vec::new(), seen: HashMap::new() };
    // Without a colon in a key and without repeated keys nothing can collide; no table of all paths is needed.
    map_may_collide(branch, 0).then(|| search.map(branch, &Trail::root(), 0)).flatten()
}

struct Search {
    aad: Vec<u8>,
    /// The keys again, each with its length and how often it stood before, so that they cannot be confused.
    keys: Vec<u8>,
    seen: HashMap<Vec<u8>, Vec<u8>>,
}

impl Search {
    fn map(&mut self, branch: &Branch, trail: &Trail<'_>, depth: usize) -> Option<TreePath> {
        let mut names: HashMap<&Key, u64> = HashMap::new();
        for entry in &branch.entries {
            let Entry::Item(key, node) = entry else { continue };
            let below = trail.below(Step::Key(key));
            let before = names.entry(key).and_modify(|count| *count += 1).or_default();
            let (aad, keys) = (self.aad.len(), self.keys.len());
            self.aad.extend_from_slice(key.as_bytes());
            self.aad.push(b':');
            self.keys.extend_from_slice(&before.to_le_bytes());
            self.keys.extend_from_slice(&(key.as_bytes().len() as u64).to_le_bytes());
            self.keys.extend_from_slice(key.as_bytes());
            let found = self.node(node, &below, depth + 1);
            self.aad.truncate(aad);
            self.keys.truncate(keys);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn node(&mut self, node: &Node, trail: &Trail<'_>, depth: usize) -> Option<TreePath> {
        if depth > MAX_DEPTH {
            return None;
        }
        match node {
            Node::Leaf(Value::Null) | Node::Comment(_) => None,
            Node::Leaf(_) => {
                let other = self.seen.insert(self.aad.clone(), self.keys.clone());
                other.filter(|other| *other != self.keys).map(|_| trail.to_path())
            }
            Node::Map(branch) => self.map(branch, trail, depth),
            Node::List(list) => list
                .iter()
                .enumerate()
                .find_map(|(index, node)| self.node(node, &trail.below(Step::Index(index)), depth + 1)),
        }
    }
}

fn may_collide(node: &Node, depth: usize) -> bool {
    match node {
        Node::Leaf(_) | Node::Comment(_) => false,
        _ if depth > MAX_DEPTH => false,
        Node::List(list) => list.iter().any(|node| may_collide(node, depth + 1)),
        Node::Map(branch) => map_may_collide(branch, depth),
    }
}

fn map_may_collide(branch: &Branch, depth: usize) -> bool {
    let mut names = HashSet::new();
    branch.entries.iter().any(|entry| match entry {
        Entry::Item(key, node) => {
            key.as_bytes().contains(&b':') || !names.insert(key) || may_collide(node, depth + 1)
        }
        Entry::Comment(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::first_ambiguous_path;
    use crate::tree::branch::{Branch, Entry, Node};
    use crate::tree::walk::tests::{item, leaf, map};

    fn found(entries: Vec<Entry>) -> Option<String> {
        first_ambiguous_path(&Branch { entries }).map(|path| path.to_string())
    }

    #[test]
    fn finds_keys_that_join_to_the_same_text() {
        let entries = vec![item("a", map(vec![item("b", leaf("x"))])), item("a:b", leaf("y"))];
        assert_eq!(found(entries), Some(r#"["a:b"]"#.to_owned()));
        assert_eq!(found(vec![item("a", map(vec![item("b:c", leaf("x"))])), item("a:b", leaf("y"))]), None);
    }

    #[test]
    fn finds_repeated_keys() {
        let inner = map(vec![item("k", leaf("1")), item("k", leaf("2"))]);
        assert_eq!(found(vec![item("m", inner)]), Some("m.k".to_owned()));
    }

    #[test]
    fn repeated_maps_may_have_different_leaves() {
        let section = |key: &str| item("s", map(vec![item(key, leaf("1"))]));
        assert_eq!(found(vec![section("a"), section("b"), item("s", map(vec![]))]), None);
        assert_eq!(found(vec![section("a"), section("b"), section("a")]), Some("s.a".to_owned()));
    }

    #[test]
    fn elements_of_one_list_may_share_a_path() {
        let list =
            |key: &str| Node::List(vec![map(vec![item(key, leaf("1"))]), map(vec![item(key, leaf("2"))])]);
        assert_eq!(found(vec![item("l", list("k")), item("m", list("x:y"))]), None);
    }
}
