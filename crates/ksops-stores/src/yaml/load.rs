//! YAML text to trees: which comment becomes which entry (file-format.md sections 7.1 and 7.5).

use std::borrow::Cow;

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Comment, Entry, Key, Node};
use ksops_core::value::{Value, WrittenNumber};
use ksops_yaml::error::SyntaxError;
use ksops_yaml::input;
use ksops_yaml::parser::{Limits, Parser};
use ksops_yaml::resolve::{ResolveError, Scalar, resolve};
use ksops_yaml::span::{Position, Span};
use ksops_yaml::strict::check_mapping;
use ksops_yaml::syntax::{Content, Document, NodeId, ScalarStyle};
use zeroize::Zeroizing;

use crate::yaml::float;
use crate::yaml::outline::{Outline, Place, PlaceKind};

/// How deep collections may lie, aliases expanded.
const MAX_DEPTH: usize = 1_000;
/// How many nodes the aliases of a later document may expand to; upstream sets no bound there.
const MAX_EXPANDED: usize = 400_000;

/// A text that is not the YAML of a SOPS file. No message holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not YAML, or not as go-yaml wants it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// As [`LoadError::Syntax`], behind the first document; upstream words it so.
    #[error("Error unmarshaling input YAML: {0}")]
    LaterSyntax(#[source] SyntaxError),
    /// Blanks and comments only.
    #[error("EOF")]
    Empty,
    /// A document is a scalar.
    #[error("Error unmarshaling input YAML: YAML documents that are values are not supported")]
    RootIsValue {
        /// Where.
        position: Position,
    },
    /// A document is a list.
    #[error("Error unmarshaling input YAML: YAML documents that are sequences are not supported")]
    RootIsSequence {
        /// Where.
        position: Position,
    },
    /// A key that is no string.
    #[error(
        "Tree contains a non-string key (type {type_name}) at line {}, column {}. Only string keys are supported",
        position.line, position.column
    )]
    NonStringKey {
        /// The key's type, as upstream names it.
        type_name: &'static str,
        /// Where.
        position: Position,
    },
    /// An integer from 2⁶³ to 2⁶⁴-1.
    #[error(
        "Cannot walk value, unknown type: uint64 (at line {}, column {}; write it as a string, in quotes)",
        position.line, position.column
    )]
    IntegerTooLarge {
        /// Where.
        position: Position,
    },
    /// Nested too deep, or aliases that expand to too much.
    #[error("{problem} (at line {}, column {})", position.line, position.column)]
    Limit {
        /// Which limit.
        problem: &'static str,
        /// Where.
        position: Position,
    },
}

impl LoadError {
    /// Where; line 0 if the place is not known.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Syntax(error) | Self::LaterSyntax(error) => error.position(),
            Self::Empty => Position::default(),
            Self::RootIsValue { position }
            | Self::RootIsSequence { position }
            | Self::NonStringKey { position, .. }
            | Self::IntegerTooLarge { position }
            | Self::Limit { position, .. } => *position,
        }
    }
}

/// Reads the documents of a text, one in memory at a time.
pub struct YamlReader<'a> {
    text: &'a str,
    parser: Parser<'a>,
    any: bool,
    keeps_numbers: bool,
    places: bool,
}

impl<'a> YamlReader<'a> {
    /// Starts reading a text that [`input::decode`] has decoded.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            parser: Parser::new(text, Limits::default()),
            any: false,
            keeps_numbers: false,
            places: false,
        }
    }

    /// As [`YamlReader::new`], to read by [`YamlReader::next_outlined`].
    pub(crate) fn placing(text: &'a str) -> Self {
        let parser = Parser::new(text, Limits::default()).placing_comments();
        Self { text, parser, any: false, keeps_numbers: false, places: true }
    }

    /// Lets a number that would be printed otherwise keep its text (security.md S13).
    #[must_use]
    pub fn keeping_numbers(mut self, keeps_numbers: bool) -> Self {
        self.keeps_numbers = keeps_numbers;
        self
    }

    /// Reads the next document; `None` at the end.
    ///
    /// The first document is checked as upstream does (file-format.md section 7.1, step 2).
    pub fn next_branch(&mut self) -> Option<Result<Branch, LoadError>> {
        Some(self.next_loaded()?.map(|(branch, _)| branch))
    }

    /// Reads the next document with the places of all that is in it; the reader must be a placing one.
    pub(crate) fn next_outlined(&mut self) -> Option<Result<(Branch, Outline<'a>), LoadError>> {
        Some(self.next_loaded()?.map(|(branch, outline)| (branch, outline.unwrap_or_default())))
    }

    /// The places of all comments so far.
    pub(crate) fn comment_places(&self) -> &[Span] {
        self.parser.comment_places()
    }

    fn next_loaded(&mut self) -> Option<Result<(Branch, Option<Outline<'a>>), LoadError>> {
        let first = !self.any;
        self.any = true;
        let document = match self.parser.next_document() {
            Some(Ok(document)) => document,
            Some(Err(error)) if first => return Some(Err(error.into())),
            Some(Err(error)) => return Some(Err(LoadError::LaterSyntax(error))),
            None if first => return Some(Err(LoadError::Empty)),
            None => return None,
        };
        if first && let Err(error) = check_mapping(&document, self.text) {
            return Some(Err(error.into()));
        }
        let mut loader = Loader {
            document: &document,
            text: self.text,
            // The check of the first document has bounded the aliases already, as upstream does.
            most_expanded: if first { usize::MAX } else { MAX_EXPANDED },
            keeps_numbers: self.keeps_numbers,
            expanded: 0,
            aliases: 0,
            places: self.places.then(Vec::new),
        };
        let branch = match loader.load() {
            Ok(branch) => branch,
            Err(error) => return Some(Err(error)),
        };
        let outline = loader.places.take().map(|places| Outline { document, places });
        Some(Ok((branch, outline)))
    }
}

/// Reads all documents; none for a text without any byte.
///
/// # Errors
/// [`LoadError`] if a document cannot be read.
pub fn load(bytes: &[u8]) -> Result<Vec<Branch>, LoadError> {
    load_keeping_numbers(bytes, false)
}

/// As [`load`]; with `keeps_numbers`, a number that would be printed otherwise keeps its text.
///
/// # Errors
/// As [`load`].
pub fn load_keeping_numbers(bytes: &[u8], keeps_numbers: bool) -> Result<Vec<Branch>, LoadError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    match input::decode(bytes)? {
        Cow::Borrowed(text) => load_text(text, keeps_numbers),
        Cow::Owned(text) => load_text(&Zeroizing::new(text), keeps_numbers),
    }
}

fn load_text(text: &str, keeps_numbers: bool) -> Result<Vec<Branch>, LoadError> {
    let mut reader = YamlReader::new(text).keeping_numbers(keeps_numbers);
    std::iter::from_fn(|| reader.next_branch()).collect()
}

struct Loader<'d, 'a> {
    document: &'d Document<'a>,
    text: &'d str,
    most_expanded: usize,
    keeps_numbers: bool,
    expanded: usize,
    aliases: usize,
    /// Where each entry of the tree stands, in the order of the tree, if that is asked for.
    places: Option<Vec<Place>>,
}

impl<'d> Loader<'d, '_> {
    fn load(&mut self) -> Result<Branch, LoadError> {
        let document = self.document;
        let mut branch = Branch::default();
        let at = self.open(PlaceKind::Map, document.root(), None);
        self.comments(&document.comments.head, false, |comment| branch.entries.push(Entry::Comment(comment)));
        if let Some(root) = document.root() {
            self.root(root, &mut branch)?;
        }
        self.comments(&document.comments.foot, false, |comment| branch.entries.push(Entry::Comment(comment)));
        self.close(at);
        Ok(branch)
    }

    /// Parts a comment into lines; each loses its `#`.
    fn comments(&mut self, text: &str, inline: bool, mut push: impl FnMut(Comment)) {
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            // The first character is `#`.
            let mut words = line.strip_prefix('#').unwrap_or(line);
            if let Some(places) = &mut self.places
                && let Some(place) = Place::of_comment(words)
            {
                let PlaceKind::Comment { span } = place.kind else { continue };
                words = self.text.get(span.start as usize + 1..span.end as usize).unwrap_or_default();
                places.push(place);
            }
            push(Comment { text: SecretBytes::from(words), inline });
        }
    }

    /// Notes a place that others may lie in, until it is closed.
    fn open(&mut self, kind: PlaceKind, node: Option<NodeId>, key: Option<NodeId>) -> usize {
        let Some(places) = &mut self.places else { return 0 };
        places.push(Place { kind, node, key, size: 1 });
        places.len() - 1
    }

    fn close(&mut self, at: usize) {
        if let Some(places) = &mut self.places {
            let size = places.len() - at;
            if let Some(place) = places.get_mut(at) {
                place.size = size;
            }
        }
    }

    fn position(&self, id: NodeId) -> Position {
        Position::of(self.text, self.document.node(id).span.start)
    }

    fn enter(&mut self, id: NodeId, depth: usize) -> Result<(), LoadError> {
        if depth > MAX_DEPTH {
            return Err(LoadError::Limit {
                problem: "nested deeper than 1000 levels",
                position: self.position(id),
            });
        }
        if self.aliases > 0 {
            self.expanded += 1;
            if self.expanded > self.most_expanded {
                let problem = "yaml: document contains excessive aliasing";
                return Err(LoadError::Limit { problem, position: self.position(id) });
            }
        }
        Ok(())
    }

    fn root(&mut self, id: NodeId, branch: &mut Branch) -> Result<(), LoadError> {
        let document = self.document;
        let node = document.node(id);
        self.own(node.head(), branch);
        self.own(node.line(), branch);
        match &node.content {
            Content::Mapping(children, _) => self.map(children, branch, 0)?,
            Content::Sequence(..) => return Err(LoadError::RootIsSequence { position: self.position(id) }),
            Content::Scalar(..) if matches!(resolve(node), Ok(Scalar::Null)) => return Ok(()),
            Content::Scalar(..) => return Err(LoadError::RootIsValue { position: self.position(id) }),
            Content::Alias(to) => {
                self.aliases += 1;
                self.root(*to, branch)?;
                self.aliases -= 1;
            }
        }
        self.own(node.foot(), branch);
        Ok(())
    }

    /// Comments of a mapping itself.
    fn own(&mut self, text: &str, branch: &mut Branch) {
        self.comments(text, false, |comment| branch.entries.push(Entry::Comment(comment)));
    }

    /// A mapping with its own comments around its items.
    fn map_with_comments(
        &mut self,
        id: NodeId,
        children: &'d [NodeId],
        depth: usize,
    ) -> Result<Branch, LoadError> {
        let document = self.document;
        let node = document.node(id);
        let mut branch = Branch { entries: Vec::with_capacity(children.len() / 2) };
        self.own(node.head(), &mut branch);
        self.own(node.line(), &mut branch);
        self.map(children, &mut branch, depth)?;
        self.own(node.foot(), &mut branch);
        Ok(branch)
    }

    fn map(&mut self, children: &'d [NodeId], branch: &mut Branch, depth: usize) -> Result<(), LoadError> {
        let document = self.document;
        for pair in children.chunks_exact(2) {
            let (key, value) = (document.node(pair[0]), document.node(pair[1]));
            let entries = &mut branch.entries;
            let mut push = |text: &str, inline: bool| {
                self.comments(text, inline, |comment| entries.push(Entry::Comment(comment)));
            };
            push(key.head(), false);
            push(key.line(), false);
            let is_leaf = matches!(value.content, Content::Scalar(..) | Content::Alias(_));
            if is_leaf {
                push(value.head(), false);
                push(value.line(), true);
            }
            let name = self.key(pair[0], 0)?;
            let node = self.node(pair[1], Some(pair[0]), is_leaf, depth + 1)?;
            branch.entries.push(Entry::Item(name, node));
            if is_leaf {
                self.own(value.foot(), branch);
            }
            self.own(key.foot(), branch);
        }
        Ok(())
    }

    fn key(&mut self, id: NodeId, depth: usize) -> Result<Key, LoadError> {
        let node = self.document.node(id);
        let type_name = match &node.content {
            Content::Alias(to) if depth == 0 => return self.key(*to, 1),
            Content::Sequence(..) | Content::Alias(_) => "[]interface {}",
            Content::Mapping(..) => "map[string]interface {}",
            Content::Scalar(..) => match resolve(node) {
                Ok(Scalar::Text(text)) => return Ok(Key::from(text.as_ref())),
                Ok(Scalar::Merge) => return Ok(Key::from("<<")),
                Ok(Scalar::Bytes(bytes)) => return Ok(Key::from(bytes.as_slice())),
                Ok(Scalar::Int(_)) => "int",
                Ok(Scalar::UInt(_)) => "uint64",
                Ok(Scalar::Float(_)) => "float64",
                Ok(Scalar::Bool(_)) => "bool",
                Ok(Scalar::Timestamp(_)) => "time.Time",
                Ok(Scalar::Null) | Err(_) => "<nil>",
            },
        };
        Err(LoadError::NonStringKey { type_name, position: self.position(id) })
    }

    /// `handled`: the node's own comments were taken already.
    fn node(
        &mut self,
        id: NodeId,
        key: Option<NodeId>,
        handled: bool,
        depth: usize,
    ) -> Result<Node, LoadError> {
        self.enter(id, depth)?;
        let document = self.document;
        let kind = match &document.node(id).content {
            Content::Scalar(..) => PlaceKind::Leaf,
            Content::Mapping(..) => PlaceKind::Map,
            Content::Sequence(..) => PlaceKind::List,
            Content::Alias(_) => PlaceKind::Alias,
        };
        let place = self.open(kind, Some(id), key);
        let node = match &document.node(id).content {
            Content::Scalar(..) => self.leaf(id),
            Content::Mapping(children, _) if handled => {
                let mut branch = Branch { entries: Vec::with_capacity(children.len() / 2) };
                self.map(children, &mut branch, depth)?;
                Ok(Node::Map(branch))
            }
            Content::Mapping(children, _) => self.map_with_comments(id, children, depth).map(Node::Map),
            Content::Sequence(children, _) => self.list(id, children, handled, depth).map(Node::List),
            Content::Alias(to) => {
                self.aliases += 1;
                let node = self.node(*to, None, false, depth + 1);
                self.aliases -= 1;
                node
            }
        }?;
        self.close(place);
        Ok(node)
    }

    fn list(
        &mut self,
        id: NodeId,
        children: &'d [NodeId],
        handled: bool,
        depth: usize,
    ) -> Result<Vec<Node>, LoadError> {
        let document = self.document;
        let node = document.node(id);
        let mut list = Vec::with_capacity(children.len());
        if !handled {
            self.comments(node.head(), false, |comment| list.push(Node::Comment(comment)));
            self.comments(node.line(), false, |comment| list.push(Node::Comment(comment)));
        }
        for child in children {
            let item = document.node(*child);
            self.comments(item.head(), false, |comment| list.push(Node::Comment(comment)));
            self.comments(item.line(), true, |comment| list.push(Node::Comment(comment)));
            list.push(self.node(*child, None, true, depth + 1)?);
            self.comments(item.foot(), false, |comment| list.push(Node::Comment(comment)));
        }
        if !handled {
            self.comments(node.foot(), false, |comment| list.push(Node::Comment(comment)));
        }
        Ok(list)
    }

    fn leaf(&self, id: NodeId) -> Result<Node, LoadError> {
        let value = match resolve(self.document.node(id)) {
            Ok(Scalar::Null) => Value::Null,
            Ok(Scalar::Bool(truth)) => Value::Bool(truth),
            Ok(Scalar::Int(int)) => self.number(id, Value::Int(int)),
            Ok(Scalar::UInt(_)) => return Err(LoadError::IntegerTooLarge { position: self.position(id) }),
            Ok(Scalar::Float(float)) => self.number(id, Value::Float(float)),
            Ok(Scalar::Timestamp(moment)) => Value::Timestamp(moment),
            Ok(Scalar::Merge) => Value::text("<<"),
            Ok(Scalar::Text(text)) => Value::Text(SecretBytes::from(text.as_ref())),
            Ok(Scalar::Bytes(bytes)) => Value::Text(SecretBytes::new(bytes)),
            // Upstream makes it null without a word, in documents behind the first.
            Err(ResolveError::Base64 | ResolveError::Mismatch { .. }) => Value::Null,
            Err(_) => Value::Null,
        };
        Ok(Node::Leaf(value))
    }

    /// The number with its text, if that is not the one it would be printed with.
    fn number(&self, id: NodeId, value: Value) -> Value {
        let node = self.document.node(id);
        let text = match &node.content {
            // A tag would have to be kept, too.
            Content::Scalar(text, ScalarStyle::Plain) if self.keeps_numbers && node.tag.is_none() => text,
            _ => return value,
        };
        let is_printed_so = match &value {
            Value::Int(int) => int.to_string() == **text,
            Value::Float(float) => float::text(*float) == **text,
            _ => true,
        };
        if is_printed_so {
            return value;
        }
        Value::Written(Box::new(WrittenNumber { value, text: SecretBytes::from(text.as_ref()) }))
    }
}

#[cfg(test)]
mod tests {
    use ksops_yaml::span::Position;

    use super::{LoadError, load};

    fn error(text: &str) -> LoadError {
        load(text.as_bytes()).expect_err("refused")
    }

    #[test]
    fn only_the_first_document_is_checked_strictly() {
        assert!(load(b"a: 1\n---\na: 1\na: 2\n<<: 5\n").is_ok());
        assert!(error("a: 1\na: 2\n").to_string().contains("already defined at line 1"));
        assert_eq!(
            error("a: 1\n---\n*x : 1\n").to_string(),
            "Error unmarshaling input YAML: yaml: unknown anchor referenced"
        );
    }

    #[test]
    fn errors_name_the_place_and_never_the_value() {
        let too_large = error("a: 1\n---\nb:\n  - 18446744073709551615\n");
        assert_eq!(too_large.position(), Position { line: 4, column: 5 });
        assert!(!too_large.to_string().contains("1844"));
        assert_eq!(error("a:\n  2020-01-01: x\n").position(), Position { line: 2, column: 3 });
        assert_eq!(error("a: 1\n--- foo\n").position(), Position { line: 2, column: 5 });
        assert_eq!(error("# c\n"), LoadError::Empty);
    }

    #[test]
    fn aliases_of_later_documents_expand_within_bounds() {
        let mut text = String::from("a: 1\n---\na0: &a0 [x, x]\n");
        for level in 1..40 {
            text.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1));
        }
        assert!(matches!(error(&text), LoadError::Limit { .. }));
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused() {
        let deep = |levels: usize| format!("a: {}{}\n", "[".repeat(levels), "]".repeat(levels));
        // Without optimisation the parser takes about 6 KiB for a level.
        let read = move || (load(deep(990).as_bytes()).is_ok(), load(deep(2_000).as_bytes()).is_ok());
        let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(read).expect("thread");
        assert_eq!(thread.join().expect("no panic"), (true, false));
    }
}
