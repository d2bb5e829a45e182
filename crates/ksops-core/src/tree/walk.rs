//! The one traversal of documents, for encrypting and for decrypting.
//!
//! It decides for every leaf whether it is encrypted and what its additional data is. Both are kept while the walk
//! goes down and up: a pattern runs once per key or comment, and leaves cost no allocation.

use crate::tree::branch::{Branch, Comment, Entry, Key, Node};
use crate::tree::path::{Step, Trail, TreePath};
use crate::tree::selection::Selection;
use crate::value::Value;

/// The deepest nesting that is walked (security.md S14).
pub const MAX_DEPTH: usize = 1_000;

/// Where a leaf or comment stands, and whether the rule has it encrypted.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// The additional data: each key on the way, followed by `:`.
    pub aad: &'a [u8],
    /// The way to the leaf; for a comment in a mapping, to the mapping.
    pub trail: &'a Trail<'a>,
    /// Whether the rule has it encrypted.
    pub encrypted: bool,
    /// For a comment: whether the rule has it encrypted because of comments in the same container alone.
    pub by_siblings: bool,
    /// For a comment: whether it satisfies a comment rule whose outcome is not settled further out.
    pub decides: bool,
    /// For a comment: whether only comments precede it in a container that is itself an element of a list.
    pub heads_list_item: bool,
}

/// What happens to an element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It is taken out.
    Drop,
}

/// What is done at each leaf and comment.
pub trait Visitor {
    /// Why a visit can fail.
    type Error;

    /// Visits a scalar that is not null, below a key (`in_list` false) or in a list.
    ///
    /// # Errors
    /// Ends the walk.
    fn leaf(&mut self, node: &mut Node, in_list: bool, spot: &Spot<'_>) -> Result<(), Self::Error>;

    /// Visits a comment of a mapping.
    ///
    /// # Errors
    /// Ends the walk.
    fn comment(&mut self, comment: &mut Comment, spot: &Spot<'_>) -> Result<(), Self::Error>;

    /// Visits a comment that is an element of a list.
    ///
    /// # Errors
    /// Ends the walk.
    fn list_comment(&mut self, node: &mut Node, spot: &Spot<'_>) -> Result<Fate, Self::Error>;

    /// Notes a null, which is neither encrypted nor hashed.
    fn null(&mut self) {}

    /// Whether an element of a list is to be taken for a comment when comments decide.
    fn acts_as_comment<'n>(&self, node: &'n Node) -> Option<&'n [u8]> {
        match node {
            Node::Comment(comment) => Some(comment.text.expose()),
            _ => None,
        }
    }
}

/// Why a walk ended early, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkError<E> {
    /// Where.
    pub path: TreePath,
    /// Why.
    pub cause: WalkCause<E>,
}

/// Why a walk ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkCause<E> {
    /// The nesting is deeper than [`MAX_DEPTH`].
    TooDeep,
    /// The visit failed.
    Visit(E),
}

/// Walks over a document.
///
/// # Errors
/// [`WalkError`] if a visit fails or the nesting is too deep; the document is then partly changed.
pub fn walk<V: Visitor>(
    branch: &mut Branch,
    selection: &Selection,
    visitor: &mut V,
) -> Result<(), WalkError<V::Error>> {
    let mut walker = Walker { selection, visitor, aad: Vec::with_capacity(128), depth: 0 };
    walker.map(branch, &Trail::root(), false, false)
}

struct Walker<'a, V> {
    selection: &'a Selection,
    visitor: &'a mut V,
    aad: Vec<u8>,
    depth: usize,
}

/// The active comments of one container: whether one satisfies the rule, the last one apart.
#[derive(Clone, Copy, Default)]
struct Active {
    earlier: bool,
    last: bool,
}

impl Active {
    fn any(self) -> bool {
        self.earlier || self.last
    }

    fn push(&mut self, hit: bool) {
        self.earlier |= self.last;
        self.last = hit;
    }
}

type Walked<V> = Result<(), WalkError<<V as Visitor>::Error>>;

impl<V: Visitor> Walker<'_, V> {
    /// `settled`: whether a key or comment further out satisfies the rule, so that nothing here can change it.
    fn map(&mut self, branch: &mut Branch, trail: &Trail<'_>, settled: bool, in_list: bool) -> Walked<V> {
        self.enter(trail)?;
        let mut active = Active::default();
        let mut at_head = in_list;
        for entry in &mut branch.entries {
            match entry {
                Entry::Comment(comment) => {
                    active.push(self.selection.comment_hits(comment.text.expose()));
                    let spot = comment_spot(self.selection, &self.aad, trail, settled, active, at_head);
                    self.visitor.comment(comment, &spot).map_err(|error| failed(trail, error))?;
                }
                Entry::Item(key, node) => {
                    at_head = false;
                    let hit = settled || active.any() || self.selection.key_hits(key.as_bytes());
                    let length = self.push(key);
                    let below = trail.below(Step::Key(key));
                    self.node(node, &below, hit, false)?;
                    self.aad.truncate(length);
                    if !matches!(node, Node::Comment(_)) {
                        active = Active::default();
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, list: &mut Vec<Node>, trail: &Trail<'_>, settled: bool, in_list: bool) -> Walked<V> {
        self.enter(trail)?;
        let mut active = Active::default();
        let mut at_head = in_list;
        let mut dropped = Vec::new();
        for (index, node) in list.iter_mut().enumerate() {
            let below = trail.below(Step::Index(index));
            if let Some(text) = self.visitor.acts_as_comment(node) {
                active.push(self.selection.comment_hits(text));
                let spot = comment_spot(self.selection, &self.aad, &below, settled, active, at_head);
                let fate = self.visitor.list_comment(node, &spot).map_err(|error| failed(&below, error))?;
                if fate == Fate::Drop {
                    dropped.push(index);
                }
            } else {
                at_head = false;
                self.node(node, &below, settled || active.any(), true)?;
                active = Active::default();
            }
        }
        if !dropped.is_empty() {
            let mut index = 0;
            let mut dropped = dropped.into_iter().peekable();
            list.retain(|_| {
                let drop = dropped.next_if_eq(&index).is_some();
                index += 1;
                !drop
            });
        }
        self.depth -= 1;
        Ok(())
    }

    fn node(&mut self, node: &mut Node, trail: &Trail<'_>, hit: bool, in_list: bool) -> Walked<V> {
        match node {
            Node::Leaf(Value::Null) => {
                self.visitor.null();
                Ok(())
            }
            Node::Leaf(_) => {
                let spot = Spot {
                    aad: aad(&self.aad),
                    trail,
                    encrypted: self.selection.encrypts(hit),
                    by_siblings: false,
                    decides: false,
                    heads_list_item: false,
                };
                self.visitor.leaf(node, in_list, &spot).map_err(|error| failed(trail, error))
            }
            Node::Map(branch) => self.map(branch, trail, hit, in_list),
            Node::List(list) => self.list(list, trail, hit, in_list),
            // No store makes a comment the value of a key; nothing is done to one.
            Node::Comment(_) => Ok(()),
        }
    }

    fn enter(&mut self, trail: &Trail<'_>) -> Walked<V> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(WalkError { path: trail.to_path(), cause: WalkCause::TooDeep });
        }
        Ok(())
    }

    fn push(&mut self, key: &Key) -> usize {
        let length = self.aad.len();
        self.aad.extend_from_slice(key.as_bytes());
        self.aad.push(b':');
        length
    }
}

fn comment_spot<'s>(
    selection: &Selection,
    keys: &'s [u8],
    trail: &'s Trail<'s>,
    settled: bool,
    active: Active,
    heads_list_item: bool,
) -> Spot<'s> {
    let counts = active.earlier || active.last && selection.comment_counts_for_itself();
    let encrypted = selection.encrypts(settled || counts);
    Spot {
        aad: aad(keys),
        trail,
        encrypted,
        by_siblings: encrypted && counts && !settled,
        decides: active.last && !settled,
        heads_list_item,
    }
}

/// The empty path, of comments at the top level, has `:` as additional data (file-format.md section 2.2).
fn aad(keys: &[u8]) -> &[u8] {
    if keys.is_empty() { b":" } else { keys }
}

fn failed<E>(trail: &Trail<'_>, error: E) -> WalkError<E> {
    WalkError { path: trail.to_path(), cause: WalkCause::Visit(error) }
}

#[cfg(test)]
pub(crate) mod tests;
