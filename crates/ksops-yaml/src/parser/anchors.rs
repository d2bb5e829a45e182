//! Anchors and what they name. An anchor outlives its document, as go-yaml has it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use crate::syntax::{Content, Document, NodeId};

/// What an anchor names.
#[derive(Clone)]
enum Anchored<'a> {
    Here(NodeId),
    Earlier(Rc<Document<'a>>, NodeId),
}

/// The anchors seen so far.
#[derive(Default)]
pub(super) struct Anchors<'a> {
    names: HashMap<&'a str, Anchored<'a>>,
    /// Whether this document has anchors.
    any: bool,
    /// Nodes of earlier documents that were copied into this one, by document and node.
    copies: HashMap<(usize, NodeId), NodeId>,
    /// Collections that are being read and have an anchor.
    open: Vec<NodeId>,
}

impl<'a> Anchors<'a> {
    pub(super) fn begin_document(&mut self) {
        self.any = false;
        self.copies.clear();
        self.open.clear();
    }

    /// Keeps what later documents may refer to, if there are any.
    pub(super) fn end_document(&mut self, document: &Document<'a>, is_followed: impl FnOnce() -> bool) {
        if !self.any || !is_followed() {
            return;
        }
        let document = Rc::new(document.clone());
        for anchored in self.names.values_mut() {
            if let Anchored::Here(id) = anchored {
                *anchored = Anchored::Earlier(Rc::clone(&document), *id);
            }
        }
    }

    pub(super) fn insert(&mut self, name: &'a str, id: NodeId) {
        self.any = true;
        self.names.insert(name, Anchored::Here(id));
    }

    /// Marks a collection as being read.
    pub(super) fn open(&mut self, id: NodeId) {
        self.open.push(id);
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// Whether the collection is being read, so that an alias of it would contain itself.
    pub(super) fn is_open(&self, id: NodeId) -> bool {
        self.open.contains(&id)
    }

    /// Finds what a name means, in the table of `document`.
    pub(super) fn resolve(&mut self, name: &str, document: &mut Document<'a>) -> Option<NodeId> {
        match self.names.get(name)?.clone() {
            Anchored::Here(id) => Some(id),
            Anchored::Earlier(earlier, id) => Some(self.copy(&earlier, id, document)),
        }
    }

    /// Copies a node with all below it, each node once, without recursion.
    fn copy(&mut self, earlier: &Rc<Document<'a>>, root: NodeId, document: &mut Document<'a>) -> NodeId {
        let serial = Rc::as_ptr(earlier) as usize;
        let mut waiting = vec![root];
        let mut fresh = Vec::new();
        while let Some(id) = waiting.pop() {
            if self.copies.contains_key(&(serial, id)) {
                continue;
            }
            let node = earlier.node(id).clone();
            match &node.content {
                Content::Scalar(..) => {}
                Content::Sequence(children, _) | Content::Mapping(children, _) => {
                    waiting.extend_from_slice(children);
                }
                Content::Alias(target) => waiting.push(*target),
            }
            let copy = document.add(node);
            self.copies.insert((serial, id), copy);
            fresh.push(copy);
        }
        for copy in fresh {
            let node = document.node_mut(copy);
            let renamed = |id: &NodeId| self.copies.get(&(serial, *id)).copied().unwrap_or(*id);
            match &mut node.content {
                Content::Scalar(text, _) => {
                    if let Cow::Owned(owned) = text {
                        // A copy of its own; both are wiped when their documents are.
                        *text = Cow::Owned(std::mem::take(owned));
                    }
                }
                Content::Sequence(children, _) | Content::Mapping(children, _) => {
                    children.iter_mut().for_each(|child| *child = renamed(child));
                }
                Content::Alias(target) => *target = renamed(target),
            }
        }
        self.copies.get(&(serial, root)).copied().unwrap_or(root)
    }
}
