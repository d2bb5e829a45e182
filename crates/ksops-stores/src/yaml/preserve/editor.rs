//! Finds what must change in a document so that it reads as a tree: goes through both side by side.

use std::collections::{HashMap, HashSet};

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::syntax::{CollectionStyle, Content, NodeId, ScalarStyle};

use crate::align::{Pair, align};
use crate::misfit::Misfit;
use crate::yaml::outline::{Outline, PlaceKind};
use crate::yaml::preserve::edits::Edits;
use crate::yaml::preserve::print::{Printer, comment_text, is_empty};
use crate::yaml::preserve::same;
use crate::yaml::preserve::source::Source;

/// How deep collections may be nested; what was read is not deeper.
const MAX_DEPTH: usize = 2_000;

/// What an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// A mapping by indentation.
    Map,
    /// A list by indentation.
    List,
    /// A mapping in braces.
    FlowMap,
    /// A list in brackets.
    FlowList,
}

impl Home {
    pub(super) fn is_flow(self) -> bool {
        matches!(self, Self::FlowMap | Self::FlowList)
    }
}

/// Where a change is among the entries of its collection.
#[derive(Clone, Copy)]
pub(super) struct Among<'p> {
    /// The places of the old entries.
    pub children: &'p [usize],
    /// Which old entry is which new one.
    pub pairs: &'p [Pair],
    /// The number of the pair.
    pub number: usize,
    /// What they stand in.
    pub home: Home,
}

/// An alias that can stay if what it names stays.
struct Deferred<'t> {
    at: usize,
    node: &'t Node,
    home: Home,
    around: Vec<NodeId>,
}

/// Goes through a document.
pub(super) struct Editor<'e, 'a, 't> {
    pub(super) source: Source<'e>,
    pub(super) outline: &'e Outline<'a>,
    pub(super) printer: Printer,
    pub(super) edits: &'e mut Edits,
    /// How envelopes were quoted before, by their text.
    pub(super) quotes: &'e HashMap<String, ScalarStyle>,
    /// Nodes that change, or in which something does.
    touched: HashSet<NodeId>,
    /// The collections around the place.
    pub(super) around: Vec<NodeId>,
    deferred: Vec<Deferred<'t>>,
    /// Keys that are aliases, and their collections.
    keys: Vec<(NodeId, Vec<NodeId>)>,
    /// Whether a leaf or comment changed, by its place in the text: tells what comments stand beside that belong to no
    /// node.
    pub(super) marks: Vec<(usize, bool)>,
}

impl<'e, 'a, 't> Editor<'e, 'a, 't> {
    pub(super) fn new(
        source: Source<'e>,
        outline: &'e Outline<'a>,
        printer: Printer,
        edits: &'e mut Edits,
        quotes: &'e HashMap<String, ScalarStyle>,
    ) -> Self {
        Self {
            source,
            outline,
            printer,
            edits,
            quotes,
            touched: HashSet::new(),
            around: Vec::new(),
            deferred: Vec::new(),
            keys: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Notes all changes of the document.
    pub(super) fn document(&mut self, branch: &'t Branch) -> Result<(), Misfit> {
        let outline = self.outline;
        let root = outline.document.root().map(|id| &outline.document.node(id).content);
        match root {
            Some(Content::Mapping(..)) => {}
            Some(Content::Alias(_)) => return Err(self.misfit(0, "a document that is an alias")),
            _ if !same::is_node(self.source.text, outline, 0, &Node::Map(branch.clone())) => {
                return self.fill_empty(branch);
            }
            _ => return Ok(()),
        }
        self.map(0, branch, 0)?;
        // In the order of the text: an alias names what stands before it.
        for Deferred { at, node, home, around } in std::mem::take(&mut self.deferred) {
            let names = match outline.places[at].node.map(|id| &outline.document.node(id).content) {
                Some(Content::Alias(to)) => *to,
                _ => continue,
            };
            if self.is_touched_in(names) {
                self.around = around;
                self.touch(at);
                self.replace_value(at, node, home)?;
            }
        }
        for (key, around) in std::mem::take(&mut self.keys) {
            let Content::Alias(names) = outline.document.node(key).content else { continue };
            if self.is_touched_in(names) {
                self.around = around;
                self.touch_around();
                self.replace_key(key, names)?;
            }
        }
        Ok(())
    }

    /// Whether a node, or one in it, changes: one that changes marks those around it.
    fn is_touched_in(&self, id: NodeId) -> bool {
        self.touched.contains(&id)
    }

    pub(super) fn misfit(&self, at: usize, construct: &str) -> Misfit {
        let place = self.outline.places.get(at);
        let start = place.map_or(0, |place| match (place.kind, place.node) {
            (PlaceKind::Comment { span }, _) => span.start,
            (_, Some(id)) => self.outline.document.node(id).start,
            _ => 0,
        });
        Misfit::at(self.source.text, start as usize, construct)
    }

    /// Marks what stands at a place as changed, and all around it.
    pub(super) fn touch(&mut self, at: usize) {
        self.touched.extend(self.outline.places[at].node);
        self.touch_around();
    }

    /// Marks the collections around the place as changed.
    pub(super) fn touch_around(&mut self) {
        self.touched.extend(self.around.iter().copied());
    }

    /// What the entries of a collection stand in.
    fn home(&self, at: usize) -> Home {
        let outline = self.outline;
        match outline.places[at].node.map(|id| &outline.document.node(id).content) {
            Some(Content::Mapping(_, CollectionStyle::Flow)) => Home::FlowMap,
            Some(Content::Sequence(_, CollectionStyle::Block)) => Home::List,
            Some(Content::Sequence(_, CollectionStyle::Flow)) => Home::FlowList,
            _ => Home::Map,
        }
    }

    fn map(&mut self, at: usize, branch: &'t Branch, depth: usize) -> Result<(), Misfit> {
        if depth > MAX_DEPTH {
            return Err(self.misfit(at, "nesting that is too deep"));
        }
        let (outline, text) = (self.outline, self.source.text);
        let children = outline.children(at);
        let is_same_key = |old: usize, new: usize| match &branch.entries[new] {
            Entry::Item(key, _) => same::is_key(outline, children[old], key.as_bytes()),
            Entry::Comment(_) => false,
        };
        let alike = |old: usize, new: usize| match (&branch.entries[new], outline.places[children[old]].kind)
        {
            (Entry::Comment(_), kind) => matches!(kind, PlaceKind::Comment { .. }),
            (Entry::Item(..), PlaceKind::Comment { .. }) => false,
            (Entry::Item(..), _) => is_same_key(old, new),
        };
        let same = |old: usize, new: usize| match &branch.entries[new] {
            Entry::Comment(comment) => same::is_comment(text, outline.places[children[old]].kind, comment),
            Entry::Item(..) => is_same_key(old, new),
        };
        let pairs = align(children.len(), branch.entries.len(), alike, same);
        let home = self.home(at);
        self.around.extend(outline.places[at].node);
        for (number, pair) in pairs.iter().enumerate() {
            let among = Among { children: &children, pairs: &pairs, number, home };
            match *pair {
                (Some(old), Some(new)) => match &branch.entries[new] {
                    Entry::Comment(comment) => self.comment(children[old], comment)?,
                    Entry::Item(_, node) => {
                        self.note_key(children[old]);
                        self.value(children[old], node, home, depth)?;
                    }
                },
                (Some(old), None) => self.remove(children[old], among)?,
                (None, Some(new)) => {
                    self.insert_entry(at, &branch.entries[new], among)?;
                }
                (None, None) => {}
            }
        }
        self.around.pop();
        Ok(())
    }

    fn note_key(&mut self, at: usize) {
        let outline = self.outline;
        if let Some(key) = outline.places[at].key
            && matches!(outline.document.node(key).content, Content::Alias(_))
        {
            self.keys.push((key, self.around.clone()));
        }
    }

    fn list(&mut self, at: usize, list: &'t [Node], depth: usize) -> Result<(), Misfit> {
        if depth > MAX_DEPTH {
            return Err(self.misfit(at, "nesting that is too deep"));
        }
        let outline = self.outline;
        let children = self.without_empty_comments(outline.children(at), list);
        let pairs = self.list_pairs(&children, list);
        let home = self.home(at);
        self.around.extend(outline.places[at].node);
        for (number, pair) in pairs.iter().enumerate() {
            let among = Among { children: &children, pairs: &pairs, number, home };
            match *pair {
                (Some(old), Some(new)) => {
                    let place = outline.places[children[old]];
                    match (place.kind, &list[new]) {
                        (PlaceKind::Comment { .. }, Node::Comment(comment)) => {
                            self.comment(children[old], comment)?;
                        }
                        (PlaceKind::Comment { .. }, node) => {
                            self.comment_to_item(children[old], node, among)?;
                        }
                        (_, Node::Comment(comment)) => {
                            self.item_to_comment(children[old], comment, among)?;
                        }
                        (_, node) => self.value(children[old], node, home, depth)?,
                    }
                }
                (Some(old), None) => self.remove(children[old], among)?,
                (None, Some(new)) => {
                    self.insert_item(at, &list[new], among)?;
                }
                (None, None) => {}
            }
        }
        self.around.pop();
        Ok(())
    }

    /// Encryption drops empty comments from lists; in the text they can stay.
    fn without_empty_comments(&self, mut children: Vec<usize>, list: &[Node]) -> Vec<usize> {
        if children.len() > list.len() {
            let is_empty = |at: &usize| match self.outline.places[*at].kind {
                PlaceKind::Comment { span } => span.end - span.start == 1,
                _ => false,
            };
            let excess = children.len() - list.len();
            if children.iter().filter(|at| is_empty(at)).count() == excess {
                children.retain(|at| !is_empty(at));
            }
        }
        children
    }

    fn list_pairs(&self, children: &[usize], list: &[Node]) -> Vec<Pair> {
        if children.len() == list.len() {
            return (0..list.len()).map(|at| (Some(at), Some(at))).collect();
        }
        let same =
            |old: usize, new: usize| same::is_node(self.source.text, self.outline, children[old], &list[new]);
        let pairs = align(children.len(), list.len(), same, same);
        // What is left side by side is a change of one element.
        let mut joined: Vec<Pair> = Vec::with_capacity(pairs.len());
        let mut gap: (Vec<usize>, Vec<usize>) = Default::default();
        let flush = |gap: &mut (Vec<usize>, Vec<usize>), joined: &mut Vec<Pair>| {
            let (old, new) = std::mem::take(gap);
            for at in 0..old.len().max(new.len()) {
                joined.push((old.get(at).copied(), new.get(at).copied()));
            }
        };
        for pair in pairs {
            match pair {
                (Some(old), None) => gap.0.push(old),
                (None, Some(new)) => gap.1.push(new),
                pair => {
                    flush(&mut gap, &mut joined);
                    joined.push(pair);
                }
            }
        }
        flush(&mut gap, &mut joined);
        joined
    }

    fn comment(&mut self, at: usize, comment: &ksops_core::tree::branch::Comment) -> Result<(), Misfit> {
        let kind = self.outline.places[at].kind;
        let PlaceKind::Comment { span } = kind else { return Ok(()) };
        let is_same = same::is_comment(self.source.text, kind, comment);
        self.marks.push((span.start as usize, !is_same));
        if !is_same {
            let text = comment_text(comment).map_err(|misfit| self.misfit(at, &misfit.construct))?;
            self.touch(at);
            self.edits.replace(span.start as usize, span.end as usize, text);
        }
        Ok(())
    }

    fn value(&mut self, at: usize, node: &'t Node, home: Home, depth: usize) -> Result<(), Misfit> {
        let outline = self.outline;
        let place = outline.places[at];
        match (place.kind, node) {
            (PlaceKind::Leaf, Node::Leaf(value)) => self.leaf(at, value, home),
            (PlaceKind::Map, Node::Map(branch)) if self.keeps_form(at, node, home) => {
                self.map(at, branch, depth + 1)
            }
            (PlaceKind::List, Node::List(list)) if self.keeps_form(at, node, home) => {
                self.list(at, list, depth + 1)
            }
            (PlaceKind::Alias, _) if same::is_node(self.source.text, outline, at, node) => {
                self.deferred.push(Deferred { at, node, home, around: self.around.clone() });
                Ok(())
            }
            _ => {
                self.touch(at);
                self.replace_value(at, node, home)
            }
        }
    }

    /// Whether the entries of a collection can be changed one by one. An empty one is in brackets or braces, and one by
    /// indentation cannot be empty.
    fn keeps_form(&self, at: usize, node: &Node, home: Home) -> bool {
        let outline = self.outline;
        let was_empty = outline
            .children(at)
            .iter()
            .all(|child| matches!(outline.places[*child].kind, PlaceKind::Comment { .. }));
        match (was_empty, is_empty(node)) {
            (true, true) | (false, false) => true,
            (true, false) => home.is_flow(),
            (false, true) => self.home(at).is_flow(),
        }
    }

    fn leaf(&mut self, at: usize, value: &Value, home: Home) -> Result<(), Misfit> {
        let Some(id) = self.outline.places[at].node else { return Ok(()) };
        let start = self.outline.document.node(id).span.start as usize;
        let is_same = same::is_leaf(self.outline, id, value);
        self.marks.push((start, !is_same));
        if is_same {
            return Ok(());
        }
        self.touch(at);
        self.replace_leaf(at, id, value, home)
    }
}
