//! The tree of one YAML document: nodes with kind, tag, anchor, style, comments and span.

use std::borrow::Cow;

use zeroize::Zeroize;

use crate::span::Span;

/// Names a node of its [`Document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

/// A document: a table of nodes, a root, and the document's own comments.
///
/// All nodes lie in one table, so that neither building, walking nor dropping needs recursion. Owned texts are
/// wiped on drop.
#[derive(Debug, Clone, Default)]
pub struct Document<'a> {
    nodes: Vec<Node<'a>>,
    root: Option<NodeId>,
    /// Comments of the document itself (head and foot).
    pub comments: Comments<'a>,
    /// From the document's start to its end.
    pub span: Span,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// What it is.
    pub content: Content<'a>,
    /// The explicit tag as resolved (`tag:yaml.org,2002:` shortened to `!!`), if one was written.
    pub tag: Option<Cow<'a, str>>,
    /// The anchor, without `&`.
    pub anchor: Option<Cow<'a, str>>,
    /// Head, line and foot comment; `None` if there is none of them.
    pub comments: Option<Box<Comments<'a>>>,
    /// Where the node's own text stands, tag and anchor left out.
    pub span: Span,
    /// Where the node starts, tag and anchor included.
    pub start: u32,
}

/// The content of a [`Node`].
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// A scalar: its text with quotes, escapes and folding undone.
    Scalar(Cow<'a, str>, ScalarStyle),
    /// The items.
    Sequence(Vec<NodeId>, CollectionStyle),
    /// Keys and values in turn.
    Mapping(Vec<NodeId>, CollectionStyle),
    /// An alias of a node of the same document (one of an earlier document is copied into this one's table).
    Alias(NodeId),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScalarStyle {
    /// Without quotes.
    #[default]
    Plain,
    /// In single quotes.
    SingleQuoted,
    /// In double quotes.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CollectionStyle {
    /// By indentation.
    #[default]
    Block,
    /// In brackets or braces.
    Flow,
}

/// The comments of a node, `#` included, several lines joined by `\n`, as go-yaml's `HeadComment`, `LineComment`
/// and `FootComment`. Empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments<'a> {
    /// Before the node.
    pub head: Cow<'a, str>,
    /// Behind the node on its line.
    pub line: Cow<'a, str>,
    /// After the node.
    pub foot: Cow<'a, str>,
}

impl<'a> Node<'a> {
    /// A node without tag, anchor, comments and place.
    #[must_use]
    pub fn new(content: Content<'a>) -> Self {
        Self { content, tag: None, anchor: None, comments: None, span: Span::default(), start: 0 }
    }

    /// The head comment, or "".
    #[must_use]
    pub fn head(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.head)
    }

    /// The line comment, or "".
    #[must_use]
    pub fn line(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.line)
    }

    /// The foot comment, or "".
    #[must_use]
    pub fn foot(&self) -> &str {
        self.comments.as_ref().map_or("", |comments| &comments.foot)
    }

    /// The comments, made if there are none.
    pub fn comments_mut(&mut self) -> &mut Comments<'a> {
        self.comments.get_or_insert_default()
    }
}

impl<'a> Document<'a> {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node to the table; it belongs nowhere yet.
    ///
    /// # Panics
    /// With more than 2³² nodes, which the input's size limit (4 GiB) excludes.
    pub fn add(&mut self, node: Node<'a>) -> NodeId {
        let id = u32::try_from(self.nodes.len()).expect("the input's size limits the number of nodes");
        self.nodes.push(node);
        NodeId(id)
    }

    /// The node of an id that this document gave out.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id.0 as usize]
    }

    /// As [`Document::node`], to change it.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node<'a> {
        &mut self.nodes[id.0 as usize]
    }

    /// The root; `None` for a document without any.
    #[must_use]
    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Sets the root.
    pub fn set_root(&mut self, root: NodeId) {
        self.root = Some(root);
    }

    /// All nodes of the table.
    pub fn nodes(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter()
    }

    /// The number of nodes in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Forgets every node but keeps the table's memory.
    pub fn clear(&mut self) {
        self.wipe();
        self.nodes.clear();
        self.root = None;
        self.comments = Comments::default();
        self.span = Span::default();
    }

    fn wipe(&mut self) {
        let wipe = |text: &mut Cow<'_, str>| {
            if let Cow::Owned(text) = text {
                text.zeroize();
            }
        };
        for node in &mut self.nodes {
            if let Content::Scalar(text, _) = &mut node.content {
                wipe(text);
            }
            if let Some(comments) = &mut node.comments {
                wipe(&mut comments.head);
                wipe(&mut comments.line);
                wipe(&mut comments.foot);
            }
        }
        wipe(&mut self.comments.head);
        wipe(&mut self.comments.foot);
    }
}

impl Drop for Document<'_> {
    fn drop(&mut self) {
        self.wipe();
    }
}
