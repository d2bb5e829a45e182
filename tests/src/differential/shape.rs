//! Trees of printed texts, compared up to what may differ.

use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;
use ksops_stores::yaml::emit::YamlWriter;
use ksops_stores::yaml::load::load;

/// The documents of a printed text.
#[must_use]
pub fn read(text: &[u8]) -> Option<Vec<Branch>> {
    load(text).ok()
}

/// Whether both hold the same values, up to comments, empty strings in lists, and what upstream prints wrongly: a
/// multi-line string with a leading tab, and `-0.0`.
#[must_use]
pub fn same_values(ours: &[Branch], theirs: &[Branch]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, two)| same_map(one, two))
}

fn same_map(ours: &Branch, theirs: &Branch) -> bool {
    let items = |branch: &Branch| -> Vec<(Key, Node)> {
        let items = branch.entries.iter().filter_map(|entry| match entry {
            Entry::Item(key, node) => Some((key.clone(), node.clone())),
            Entry::Comment(_) => None,
        });
        items.collect()
    };
    let (ours, theirs) = (items(ours), items(theirs));
    ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(one, two)| one.0 == two.0 && same(&one.1, &two.1))
}

fn same(ours: &Node, theirs: &Node) -> bool {
    match (ours, theirs) {
        (Node::Map(ours), Node::Map(theirs)) => same_map(ours, theirs),
        (Node::List(ours), Node::List(theirs)) => {
            let counts = |node: &&Node| !is_empty(node) && !matches!(node, Node::Comment(_));
            ours.iter().filter(counts).count() == theirs.iter().filter(counts).count()
                && ours
                    .iter()
                    .filter(counts)
                    .zip(theirs.iter().filter(counts))
                    .all(|(one, two)| same(one, two))
        }
        (Node::Leaf(Value::Text(text)), Node::Leaf(Value::Null)) => is_lost(text.expose()),
        (Node::Leaf(Value::Float(zero)), Node::Leaf(Value::Int(0)))
        | (Node::Leaf(Value::Int(0)), Node::Leaf(Value::Float(zero))) => {
            *zero == 0.0 && zero.is_sign_negative()
        }
        (Node::Leaf(Value::Float(one)), Node::Leaf(Value::Float(two))) => one.total_cmp(two).is_eq(),
        (ours, theirs) => ours == theirs,
    }
}

/// Whether upstream prints this string as `null`.
fn is_lost(text: &[u8]) -> bool {
    text.starts_with(b"\t") && text.contains(&b'\n')
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Leaf(Value::Text(text)) => text.is_empty(),
        Node::Comment(comment) => comment.text.is_empty(),
        _ => false,
    }
}

/// What a text holds besides its values.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The texts of all comments that are not empty, sorted.
    pub comments: Vec<Vec<u8>>,
    /// How many comments are empty.
    pub empty_comments: usize,
    /// How many elements of lists are an empty string.
    pub empty_elements: usize,
    /// How many strings and keys upstream prints as `null`.
    pub lost: usize,
    /// How many floats are `-0.0`.
    pub negative_zeros: usize,
    /// How many comments stand in mappings without keys, where they are dropped.
    pub dropped: usize,
    /// How many elements of lists are encrypted comments.
    pub encrypted_elements: usize,
    /// Whether a comment stands behind the last element of a list, which is a block.
    pub late_comment: bool,
}

impl Census {
    /// Counts what documents hold.
    #[must_use]
    pub fn of(branches: &[Branch]) -> Self {
        let mut census = Self::default();
        branches.iter().for_each(|branch| census.map(branch));
        census.comments.sort();
        census
    }

    /// The comments that are not encrypted, and the number of those that are.
    #[must_use]
    pub fn plain_comments(&self) -> (Vec<&Vec<u8>>, usize) {
        let plain: Vec<_> = self.comments.iter().filter(|text| !is_envelope(text)).collect();
        let encrypted = self.comments.len() - plain.len();
        (plain, encrypted)
    }

    /// The number of comments, encrypted or not.
    #[must_use]
    pub fn all_comments(&self) -> usize {
        self.comments.len() + self.empty_comments + self.encrypted_elements
    }

    fn map(&mut self, branch: &Branch) {
        if branch.entries.iter().all(|entry| matches!(entry, Entry::Comment(_))) {
            self.dropped += branch.entries.len();
        }
        for entry in &branch.entries {
            match entry {
                Entry::Comment(comment) => self.comment(comment.text.expose()),
                Entry::Item(key, node) => {
                    self.lost += usize::from(is_lost(key.as_bytes()));
                    self.node(node);
                }
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Map(branch) => self.map(branch),
            Node::Comment(comment) => self.comment(comment.text.expose()),
            Node::Leaf(Value::Text(text)) => self.lost += usize::from(is_lost(text.expose())),
            Node::Leaf(Value::Float(float)) => {
                self.negative_zeros += usize::from(*float == 0.0 && float.is_sign_negative());
            }
            Node::Leaf(_) => {}
            Node::List(list) => {
                let empty = list.iter().filter(|node| matches!(node, Node::Leaf(_)) && is_empty(node));
                self.empty_elements += empty.count();
                let encrypted = list
                    .iter()
                    .filter(|node| matches!(node, Node::Leaf(_)) && is_comment(node) && !is_empty(node));
                self.encrypted_elements += encrypted.count();
                let last = list.iter().rposition(|node| !is_comment(node));
                let block = last.is_some_and(|last| matches!(list[last], Node::Map(_) | Node::List(_)));
                self.late_comment |= block && last.is_some_and(|last| last + 1 < list.len());
                list.iter().for_each(|node| self.node(node));
            }
        }
    }

    fn comment(&mut self, text: &[u8]) {
        if text.is_empty() {
            self.empty_comments += 1;
        } else {
            self.comments.push(text.to_vec());
        }
    }
}

fn is_envelope(text: &[u8]) -> bool {
    text.starts_with(b"ENC[AES256_GCM,data:") && text.windows(4).any(|piece| piece == b",iv:")
}

/// A comment, encrypted or not, or the empty string that upstream makes of an empty one.
fn is_comment(node: &Node) -> bool {
    match node {
        Node::Comment(_) => true,
        Node::Leaf(Value::Text(text)) => {
            let text = text.expose();
            let kind = b",type:comment]";
            text.is_empty() || is_envelope(text) && text.windows(kind.len()).any(|piece| piece == kind)
        }
        _ => false,
    }
}

/// The text without comments on lines of their own.
#[must_use]
pub fn without_comment_lines(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.trim_ascii_start().starts_with(b"#")).flatten().copied().collect()
}

/// The text without what looks like a comment; the end of a quoted text may go, too.
#[must_use]
pub fn without_comments(text: &[u8]) -> Vec<u8> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| {
        let end = line.windows(2).position(|pair| pair == b" #").unwrap_or(line.len());
        if line.starts_with(b"#") { &line[..0] } else { &line[..end] }
    });
    lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect()
}

/// The text without anything blank: where comments are printed wrongly upstream it may not be YAML any more.
#[must_use]
pub fn squeezed(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// The text with `-0` for `-0.0` at the ends of lines, as upstream prints it.
#[must_use]
pub fn with_integral_zero(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| match line.strip_suffix(b" -0.0\n") {
        Some(start) => [start, b" -0\n"].concat(),
        None => line.to_vec(),
    });
    lines.flatten().collect()
}

/// The text printed again by ksops without its comments.
#[must_use]
pub fn printed_without_comments(text: &[u8]) -> Option<Vec<u8>> {
    let mut branches = read(text)?;
    branches.iter_mut().for_each(strip_map);
    let mut writer = YamlWriter::new(0).ok()?;
    branches.iter().try_for_each(|branch| writer.branch(branch)).ok()?;
    Some(writer.finish().as_bytes().to_vec())
}

fn strip_map(branch: &mut Branch) {
    branch.entries.retain(|entry| matches!(entry, Entry::Item(..)));
    for entry in &mut branch.entries {
        if let Entry::Item(_, node) = entry {
            strip(node);
        }
    }
}

fn strip(node: &mut Node) {
    match node {
        Node::Map(branch) => strip_map(branch),
        Node::List(list) => {
            list.retain(|node| !matches!(node, Node::Comment(_)));
            list.iter_mut().for_each(strip);
        }
        Node::Leaf(_) | Node::Comment(_) => {}
    }
}
