//! Comments that were encrypted for another container than the one they are read in (file-format.md section 7.5).
//!
//! An encrypted file has no blank lines, so a comment at the end of an outer block can be read as one of the inner
//! block, and one at the start of a block as standing before its key. Its additional data then tells where it belongs.
//! Apart from the walk, because such comments are rare and moving them needs whole containers at hand.

use crate::crypto::cipher::Cipher;
use crate::crypto::envelope::Envelope;
use crate::crypto::plaintext::DataType;
use crate::document::warning::Warning;
use crate::tree::branch::{Branch, Comment, Entry, Node};
use crate::tree::path::{Step, Trail};

/// How many items before a comment may have it at their end. A comment that upstream holds back, because it stood behind
/// an alias of a mapping, is printed an item or two too late.
const LOOK_BACK: usize = 4;

/// Moves each comment that still is an envelope to the nearest container for which it authenticates.
///
/// The nesting was bounded by the walk before. Comments are not hashed, so the MAC is not touched.
pub(crate) fn rehome(branch: &mut Branch, cipher: &mut Cipher, document: usize, warnings: &mut Vec<Warning>) {
    let mut rehomer = Rehomer { cipher, document, warnings, aad: Vec::new(), ends: vec![0] };
    // Nothing is further out than the document, so nothing escapes.
    let _ = rehomer.map(branch, &Trail::root());
}

/// A comment on its way out, and the number of keys on the way to the container that it belongs to.
struct Escaping {
    comment: Comment,
    keys: usize,
}

struct Rehomer<'a> {
    cipher: &'a mut Cipher,
    document: usize,
    warnings: &'a mut Vec<Warning>,
    aad: Vec<u8>,
    /// Where in `aad` each number of keys ends.
    ends: Vec<usize>,
}

impl Rehomer<'_> {
    fn map(&mut self, branch: &mut Branch, trail: &Trail<'_>) -> Vec<Escaping> {
        let mut escaping = Vec::new();
        let mut kept: Vec<Entry> = Vec::with_capacity(branch.entries.len());
        // Comments that belong into the next item, in their order.
        let mut waiting: Vec<Comment> = Vec::new();
        for mut entry in std::mem::take(&mut branch.entries) {
            match &mut entry {
                Entry::Comment(comment) if is_lost(comment) => {
                    if let Some(found) = self.further_out(comment, trail) {
                        escaping.push(found);
                        continue;
                    }
                    let items = kept.iter_mut().rev().filter_map(|entry| match entry {
                        Entry::Item(key, node) => Some((&*key, node)),
                        Entry::Comment(_) => None,
                    });
                    let found = items.take(LOOK_BACK).any(|(key, node)| {
                        self.push(key.as_bytes());
                        let found = self.further_in(comment, node, false);
                        self.pop();
                        found
                    });
                    if found {
                        self.moved(trail);
                        continue;
                    }
                    waiting.push(comment.clone());
                    kept.push(entry);
                }
                Entry::Comment(_) => kept.push(entry),
                Entry::Item(key, node) => {
                    let below = trail.below(Step::Key(key));
                    self.push(key.as_bytes());
                    let found = self.enter_all(&mut waiting, node, trail);
                    kept.retain(|entry| !matches!(entry, Entry::Comment(comment) if found.contains(comment)));
                    let mut outer = self.node(node, &below);
                    self.pop();
                    kept.push(entry);
                    outer.retain_mut(|escaped| {
                        let here = escaped.keys == self.ends.len() - 1;
                        if here {
                            kept.push(Entry::Comment(escaped.comment.clone()));
                        }
                        !here
                    });
                    escaping.extend(outer);
                }
            }
        }
        for _ in waiting {
            self.warnings.push(Warning::CommentLeft { document: self.document, path: trail.to_path() });
        }
        branch.entries = kept;
        escaping
    }

    fn list(&mut self, list: &mut Vec<Node>, trail: &Trail<'_>) -> Vec<Escaping> {
        let mut escaping = Vec::new();
        let mut kept: Vec<Node> = Vec::with_capacity(list.len());
        for (index, mut node) in std::mem::take(list).into_iter().enumerate() {
            if let Node::Comment(comment) = &node
                && is_lost(comment)
            {
                if let Some(found) = self.further_out(comment, trail) {
                    escaping.push(found);
                    continue;
                }
                let before = kept.iter_mut().rev().find(|node| !matches!(node, Node::Comment(_)));
                if before.is_some_and(|before| self.further_in(comment, before, false)) {
                    self.moved(trail);
                    continue;
                }
                let path = trail.below(Step::Index(index)).to_path();
                self.warnings.push(Warning::CommentLeft { document: self.document, path });
            }
            escaping.extend(self.node(&mut node, &trail.below(Step::Index(index))));
            kept.push(node);
        }
        *list = kept;
        escaping
    }

    fn node(&mut self, node: &mut Node, trail: &Trail<'_>) -> Vec<Escaping> {
        match node {
            Node::Map(branch) => self.map(branch, trail),
            Node::List(list) => self.list(list, trail),
            Node::Leaf(_) | Node::Comment(_) => Vec::new(),
        }
    }

    /// Tries the containers further out, the nearest first.
    fn further_out(&mut self, comment: &Comment, trail: &Trail<'_>) -> Option<Escaping> {
        let own = self.ends.len() - 1;
        for keys in (0..own).rev() {
            let end = self.ends[keys];
            if let Some(comment) = open(self.cipher, comment, &self.aad[..end]) {
                self.moved(trail);
                return Some(Escaping { comment, keys });
            }
        }
        None
    }

    /// Moves those of the waiting comments that belong into `node` there, and gives them as they were.
    fn enter_all(&mut self, waiting: &mut Vec<Comment>, node: &mut Node, trail: &Trail<'_>) -> Vec<Comment> {
        let mut found = Vec::new();
        // Each goes before what is there, so the last one first.
        for comment in std::mem::take(waiting).into_iter().rev() {
            if self.further_in(&comment, node, true) {
                self.moved(trail);
                found.push(comment);
            } else {
                self.warnings.push(Warning::CommentLeft { document: self.document, path: trail.to_path() });
            }
        }
        found
    }

    /// Tries `node` and the containers at its start or end, and puts the comment first or last there.
    fn further_in(&mut self, comment: &Comment, node: &mut Node, at_start: bool) -> bool {
        if matches!(node, Node::Leaf(_) | Node::Comment(_)) {
            return false;
        }
        if let Some(comment) = open(self.cipher, comment, &self.aad) {
            match node {
                Node::Map(branch) if at_start => branch.entries.insert(0, Entry::Comment(comment)),
                Node::Map(branch) => branch.entries.push(Entry::Comment(comment)),
                Node::List(list) if at_start => list.insert(0, Node::Comment(comment)),
                Node::List(list) => list.push(Node::Comment(comment)),
                Node::Leaf(_) | Node::Comment(_) => {}
            }
            return true;
        }
        match node {
            Node::Map(branch) => {
                let is_item = |entry: &&mut Entry| matches!(entry, Entry::Item(..));
                let mut entries = branch.entries.iter_mut();
                let edge = if at_start { entries.find(is_item) } else { entries.rev().find(is_item) };
                let Some(Entry::Item(key, below)) = edge else { return false };
                self.push(key.as_bytes());
                let found = self.further_in(comment, below, at_start);
                self.pop();
                found
            }
            Node::List(list) => {
                let is_content = |node: &&mut Node| !matches!(node, Node::Comment(_));
                let mut nodes = list.iter_mut();
                let edge = if at_start { nodes.find(is_content) } else { nodes.rev().find(is_content) };
                edge.is_some_and(|below| self.further_in(comment, below, at_start))
            }
            Node::Leaf(_) | Node::Comment(_) => false,
        }
    }

    fn moved(&mut self, trail: &Trail<'_>) {
        self.warnings.push(Warning::CommentMoved { document: self.document, path: trail.to_path() });
    }

    fn push(&mut self, key: &[u8]) {
        self.aad.extend_from_slice(key);
        self.aad.push(b':');
        self.ends.push(self.aad.len());
    }

    fn pop(&mut self) {
        self.ends.pop();
        self.aad.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

fn is_lost(comment: &Comment) -> bool {
    Envelope::parse(comment.text.expose()).is_some()
}

fn open(cipher: &mut Cipher, comment: &Comment, keys: &[u8]) -> Option<Comment> {
    let aad = if keys.is_empty() { b":" } else { keys };
    let opened = cipher.decrypt(comment.text.expose(), aad).ok()?;
    (opened.kind == DataType::Comment).then(|| Comment { text: opened.bytes, inline: false })
}

#[cfg(test)]
mod tests;
