//! The check of our own output (security.md S11): it is decrypted again and compared with what went in.

use zeroize::Zeroizing;

use crate::crypto::data_key::DataKey;
use crate::crypto::plaintext;
use crate::document::decrypt::{DecryptError, Decryptor, Mode, Options};
use crate::document::warning::place;
use crate::metadata::model::Metadata;
use crate::tree::branch::{Branch, Comment, Entry, Key, Node};
use crate::tree::path::{Step, Trail, TreePath};
use crate::tree::selection::Selection;
use crate::tree::walk::MAX_DEPTH;
use crate::value::Value;

/// What the format of the output can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fidelity {
    /// Which types it has.
    pub typing: Typing,
    /// Whether it has comments.
    pub comments: Comments,
}

/// What a format keeps of comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// Their texts.
    Kept,
    /// Their texts without the signs and blanks at the start and end of a line (INI).
    Trimmed,
    /// Nothing.
    Dropped,
}

/// Which types a format has for values that are left plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// All of them (YAML).
    Full,
    /// All but timestamps, which become strings (JSON).
    WithoutTime,
    /// Strings only (dotenv, INI).
    StringsOnly,
}

/// The output does not hold what went in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It cannot be decrypted again.
    #[error("the output cannot be decrypted again: {0}")]
    Decrypt(#[from] DecryptError),
    /// It decrypts to something else.
    #[error("the output decrypts to something else than the input: {problem} (at {})", place(*.document, .path))]
    Different {
        /// The document, from 0.
        document: usize,
        /// Where.
        path: TreePath,
        /// What is different.
        problem: &'static str,
    },
}

/// Decrypts the documents of an output, one after another, and compares each with the input. Nothing is given out.
pub struct Verifier<'a> {
    decryptor: Decryptor<'a>,
    fidelity: Fidelity,
    document: usize,
}

impl<'a> Verifier<'a> {
    /// Sets up the check of one file.
    #[must_use]
    pub fn new(
        key: &DataKey,
        selection: &'a Selection,
        mac_only_encrypted: bool,
        fidelity: Fidelity,
    ) -> Self {
        let options = Options::default();
        let decryptor = Decryptor::new(key, selection, mac_only_encrypted, Mode::Strict, options);
        Self { decryptor, fidelity, document: 0 }
    }

    /// Compares the next document, as read from the output and without metadata, with the input.
    ///
    /// # Errors
    /// [`VerifyError`] if it cannot be decrypted or is different.
    pub fn branch(&mut self, mut encrypted: Branch, input: &Branch) -> Result<(), VerifyError> {
        self.decryptor.open(&mut encrypted)?;
        let document = self.document;
        compare(input, &encrypted, self.fidelity)
            .map_err(|Difference { path, problem }| VerifyError::Different { document, path, problem })?;
        self.document += 1;
        Ok(())
    }

    /// Compares the MAC that the output holds.
    ///
    /// # Errors
    /// [`VerifyError::Decrypt`] if it does not agree.
    pub fn finish(self, metadata: &Metadata) -> Result<(), VerifyError> {
        self.decryptor.finish(metadata)?;
        Ok(())
    }
}

/// Where two documents differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: TreePath,
    /// What is different; never a value.
    pub problem: &'static str,
}

/// Compares a document with what was read back.
///
/// Keys, order, values and types must be the same; a float without a fraction may come back as the integer that it was
/// printed as (file-format.md section 12, row 13). Of comments the texts must be there: they may stand in another
/// place, empty ones may be missing, and so may those of an empty mapping, which upstream's reader drops (section 7.5).
///
/// # Errors
/// The first [`Difference`].
pub fn compare(input: &Branch, output: &Branch, fidelity: Fidelity) -> Result<(), Difference> {
    Comparison { fidelity }.maps(input, output, &Trail::root(), 0)?;
    if !same_comments(input, output, fidelity.comments) {
        return Err(Difference { path: TreePath::default(), problem: "comments are missing or changed" });
    }
    Ok(())
}

struct Comparison {
    fidelity: Fidelity,
}

impl Comparison {
    fn maps(
        &self,
        input: &Branch,
        output: &Branch,
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<(), Difference> {
        let mut theirs = output.entries.iter().filter_map(as_item);
        for (key, node) in input.entries.iter().filter_map(as_item) {
            let below = trail.below(Step::Key(key));
            match theirs.next() {
                Some((name, other)) if name == key => self.nodes(node, other, &below, depth + 1)?,
                _ => return different(&below, "a key is missing or in another place"),
            }
        }
        match theirs.next() {
            Some((key, _)) => different(&trail.below(Step::Key(key)), "a key was added"),
            None => Ok(()),
        }
    }

    fn lists(
        &self,
        input: &[Node],
        output: &[Node],
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<(), Difference> {
        let is_content = |node: &&Node| !matches!(node, Node::Comment(_));
        let mut theirs = output.iter().filter(is_content);
        for (index, node) in input.iter().enumerate().filter(|(_, node)| is_content(node)) {
            let below = trail.below(Step::Index(index));
            match theirs.next() {
                Some(other) => self.nodes(node, other, &below, depth + 1)?,
                None => return different(&below, "an element is missing"),
            }
        }
        if theirs.next().is_some() { different(trail, "an element was added") } else { Ok(()) }
    }

    fn nodes(&self, input: &Node, output: &Node, trail: &Trail<'_>, depth: usize) -> Result<(), Difference> {
        if depth > MAX_DEPTH {
            return different(trail, "the nesting is too deep");
        }
        match (input, output) {
            (Node::Leaf(value), Node::Leaf(other)) if self.equal(value, other) => Ok(()),
            (Node::Leaf(value), Node::Leaf(other)) if value.type_name() != other.type_name() => {
                different(trail, "a value has another type")
            }
            (Node::Leaf(_), Node::Leaf(_)) => different(trail, "a value is different"),
            (Node::Map(branch), Node::Map(other)) => self.maps(branch, other, trail, depth),
            (Node::List(list), Node::List(other)) => self.lists(list, other, trail, depth),
            _ => different(trail, "a scalar, list or mapping became something else"),
        }
    }

    fn equal(&self, input: &Value, output: &Value) -> bool {
        match (input, output) {
            (Value::Written(number), Value::Written(other)) => number.text == other.text,
            // Selected, and encrypted as a string.
            (Value::Written(number), Value::Text(text)) if number.text == *text => true,
            (Value::Written(_), _) | (_, Value::Written(_)) => self.equal(input.plain(), output.plain()),
            // Both are ours, so this need not take the same time whatever they are.
            (Value::Text(text), Value::Text(other)) => text.expose() == other.expose(),
            (Value::Int(int), Value::Int(other)) => int == other,
            (Value::Bool(truth), Value::Bool(other)) => truth == other,
            (Value::Null, Value::Null) => true,
            (Value::Float(_), Value::Float(_) | Value::Int(_)) => same_bytes(input, output),
            // Also one that has no text form and stays plain.
            (Value::Timestamp(moment), Value::Timestamp(other)) => {
                moment == other && moment.offset() == other.offset()
            }
            (Value::Timestamp(_), Value::Text(_)) => {
                self.fidelity.typing != Typing::Full && same_bytes(input, output)
            }
            (Value::Int(_) | Value::Float(_) | Value::Bool(_), Value::Text(_)) => {
                self.fidelity.typing == Typing::StringsOnly && same_bytes(input, output)
            }
            _ => false,
        }
    }
}

/// Whether two values are the same for cipher and MAC.
fn same_bytes(input: &Value, output: &Value) -> bool {
    let bytes = |value| {
        let mut bytes = Zeroizing::new(Vec::new());
        plaintext::write(value, &mut bytes).ok().map(|()| bytes)
    };
    bytes(input).is_some_and(|input| Some(input) == bytes(output))
}

fn as_item(entry: &Entry) -> Option<(&Key, &Node)> {
    match entry {
        Entry::Item(key, node) => Some((key, node)),
        Entry::Comment(_) => None,
    }
}

fn different(trail: &Trail<'_>, problem: &'static str) -> Result<(), Difference> {
    Err(Difference { path: trail.to_path(), problem })
}

/// Whether the lines of all comments that are not empty are there: some change places when the file is read again, and
/// those of empty mappings are dropped, or printed before an element of a list and so kept.
fn same_comments(input: &Branch, output: &Branch, kept: Comments) -> bool {
    if kept == Comments::Dropped {
        return true;
    }
    let is_trimmed = kept == Comments::Trimmed;
    let (needed, found) = (Found::of(input, is_trimmed), Found::of(output, is_trimmed));
    if needed.lines == found.lines {
        return true;
    }
    let (mut needed, mut droppable) = (needed.lines, needed.in_empty_mappings);
    let take = |lines: &mut Vec<_>, line| lines.binary_search(line).map(|at| lines.remove(at)).is_ok();
    found.lines.iter().all(|line| take(&mut needed, line) || take(&mut droppable, line)) && needed.is_empty()
}

/// The lines of comments, sorted.
#[derive(Default)]
struct Found<'a> {
    is_trimmed: bool,
    lines: Vec<&'a [u8]>,
    in_empty_mappings: Vec<&'a [u8]>,
}

impl<'a> Found<'a> {
    fn of(branch: &'a Branch, is_trimmed: bool) -> Self {
        let mut comments = Self { is_trimmed, ..Self::default() };
        comments.map(branch, 0);
        comments.lines.sort_unstable();
        comments.in_empty_mappings.sort_unstable();
        comments
    }

    fn map(&mut self, branch: &'a Branch, depth: usize) {
        for entry in &branch.entries {
            match entry {
                Entry::Comment(comment) => push_comment(comment, self.is_trimmed, &mut self.lines),
                Entry::Item(_, node) => self.node(node, depth + 1),
            }
        }
    }

    fn node(&mut self, node: &'a Node, depth: usize) {
        match node {
            Node::Comment(comment) => push_comment(comment, self.is_trimmed, &mut self.lines),
            Node::Leaf(_) => {}
            // Nothing deeper was walked, so nothing deeper gets here.
            _ if depth > MAX_DEPTH => {}
            Node::Map(branch) if !branch.entries.iter().any(|entry| as_item(entry).is_some()) => {
                for entry in &branch.entries {
                    if let Entry::Comment(comment) = entry {
                        push_comment(comment, self.is_trimmed, &mut self.in_empty_mappings);
                    }
                }
            }
            Node::Map(branch) => self.map(branch, depth),
            Node::List(list) => list.iter().for_each(|node| self.node(node, depth + 1)),
        }
    }
}

fn push_comment<'a>(comment: &'a Comment, is_trimmed: bool, found: &mut Vec<&'a [u8]>) {
    let lines = comment.text.expose().split(|byte| *byte == b'\n');
    let lines = lines.map(|line| if is_trimmed { without_signs(line) } else { line });
    found.extend(lines.filter(|line| !line.is_empty()));
}

fn without_signs(line: &[u8]) -> &[u8] {
    let is_sign_or_blank = |letter: char| matches!(letter, '#' | ';') || letter.is_whitespace();
    if let Ok(text) = std::str::from_utf8(line) {
        return text.trim_start_matches(is_sign_or_blank).trim_end().as_bytes();
    }
    let start = line.iter().take_while(|byte| matches!(byte, b'#' | b';' | b' ' | b'\t')).count();
    line[start..].trim_ascii_end()
}

#[cfg(test)]
mod tests;
