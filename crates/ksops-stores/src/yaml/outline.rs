//! Where each entry of a tree stands in the text that it was read from. Apart from reading, which does not need it.

use ksops_yaml::span::Span;
use ksops_yaml::syntax::{Document, NodeId};

/// A document and the places of the entries of its tree.
#[derive(Default)]
pub(crate) struct Outline<'a> {
    /// The nodes.
    pub document: Document<'a>,
    /// The places, a container before what is in it; the first one is the document itself.
    pub places: Vec<Place>,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// What it is.
    pub kind: PlaceKind,
    /// Its node; none for a comment.
    pub node: Option<NodeId>,
    /// The node of its key, if it stands in a mapping.
    pub key: Option<NodeId>,
    /// How many places it takes, its own and those in it.
    pub size: usize,
}

/// What stands at a [`Place`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlaceKind {
    /// A line of a comment.
    Comment {
        /// From `#` to the end of the line.
        span: Span,
    },
    /// A scalar.
    Leaf,
    /// A mapping.
    Map,
    /// A list.
    List,
    /// An alias; the places in it are those of what it names, one.
    Alias,
}

impl Place {
    /// Reads the place of a comment that the parser gave in place of its text, without the `#`.
    pub(crate) fn of_comment(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let span = Span { start: start.parse().ok()?, end: end.parse().ok()? };
        Some(Self { kind: PlaceKind::Comment { span }, node: None, key: None, size: 1 })
    }
}

impl Outline<'_> {
    /// The places right below one, without those further below.
    pub(crate) fn children(&self, at: usize) -> Vec<usize> {
        let end = at + self.places.get(at).map_or(1, |place| place.size);
        let mut children = Vec::new();
        let mut next = at + 1;
        while next < end {
            children.push(next);
            next += self.places[next].size.max(1);
        }
        children
    }
}
