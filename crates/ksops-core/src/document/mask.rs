//! Puts a mask in the place of everything that is encrypted in a file: type and class of length, nothing of the value.
//!
//! It works on the encrypted tree and never on a decrypted one. So no key is needed, and what a mask can hold is only
//! what every reader of the file sees.

use std::convert::Infallible;

use crate::crypto::envelope::Envelope;
use crate::crypto::plaintext::DataType;
use crate::document::decrypt::{DecryptError, DecryptErrorKind};
use crate::tree::branch::{Branch, Comment, Node};
use crate::tree::path::TreePath;
use crate::tree::selection::Selection;
use crate::tree::walk::{self, Fate, Spot, Visitor};
use crate::value::Value;

/// What the one value of a file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// Strings of a document.
    Text,
    /// The bytes of a binary file.
    Bytes,
}

/// Masks a document, without its metadata: every envelope, wherever it stands, and every value that the rule has
/// encrypted and that stands there plain nevertheless. Gives the places of the latter: a decryption would refuse them.
/// Comments that stand there plain are shown: hand-written ones are common, and no decryption minds them.
///
/// # Errors
/// [`DecryptError::Value`] if the nesting is too deep.
pub fn mask(
    branch: &mut Branch,
    document: usize,
    selection: &Selection,
    strings: Strings,
) -> Result<Vec<TreePath>, DecryptError> {
    let mut masker = Masker { strings, bare: Vec::new() };
    walk::walk(branch, selection, &mut masker).map_err(|error| DecryptError::Value {
        document,
        path: error.path,
        // The visits cannot fail.
        kind: DecryptErrorKind::TooDeep,
    })?;
    Ok(masker.bare)
}

/// A range of lengths in place of the length: `empty`, `1-8`, `9-16`, `17-32`, and so on.
#[must_use]
pub fn length_class(length: usize) -> String {
    match (length, length.checked_next_power_of_two()) {
        (0, _) => "empty".to_owned(),
        (1..=8, _) => "1-8".to_owned(),
        (_, Some(upper)) => format!("{}-{upper}", upper / 2 + 1),
        (_, None) => format!("over {}", usize::MAX / 2 + 1),
    }
}

struct Masker {
    strings: Strings,
    bare: Vec<TreePath>,
}

impl Masker {
    fn of(&self, kind: Option<DataType>, length: usize) -> String {
        match kind {
            Some(DataType::Str | DataType::Bytes) if self.strings == Strings::Bytes => {
                let unit = if length == 0 { "" } else { " bytes" };
                format!("<redacted binary {}{unit}>", length_class(length))
            }
            Some(DataType::Str | DataType::Bytes) => format!("<redacted str {}>", length_class(length)),
            Some(DataType::Comment) => format!("<redacted comment {}>", length_class(length)),
            Some(kind @ (DataType::Int | DataType::Float | DataType::Bool | DataType::Time)) => {
                format!("<redacted {}>", kind.name())
            }
            // The word in the envelope is not authenticated and can be any text, so it is not shown.
            None => "<redacted>".to_owned(),
        }
    }

    fn of_envelope(&self, envelope: &Envelope<'_>) -> String {
        self.of(DataType::from_name(envelope.kind()), envelope.plaintext_len())
    }

    fn of_plain(&self, value: &Value) -> String {
        let length = match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let mask = self.of(DataType::of(value), length);
        format!("{} not encrypted>", mask.trim_end_matches('>'))
    }
}

fn envelope(value: &Value) -> Option<Envelope<'_>> {
    match value {
        Value::Text(text) => Envelope::parse(text.expose()),
        _ => None,
    }
}

impl Visitor for Masker {
    type Error = Infallible;

    fn leaf(&mut self, node: &mut Node, in_list: bool, spot: &Spot<'_>) -> Result<(), Infallible> {
        let Node::Leaf(value) = &*node else { return Ok(()) };
        let mask = match (envelope(value), value) {
            (Some(envelope), _) => {
                let mask = self.of_envelope(&envelope);
                // In lists an encrypted comment can have the form of an element.
                if in_list && DataType::from_name(envelope.kind()) == Some(DataType::Comment) {
                    *node = Node::Comment(Comment { text: format!(" {mask}").into(), inline: false });
                    return Ok(());
                }
                mask
            }
            (None, _) if !spot.encrypted => return Ok(()),
            // An empty string has no envelope.
            (None, Value::Text(text)) if text.is_empty() => self.of(Some(DataType::Str), 0),
            (None, value) => {
                self.bare.push(spot.trail.to_path());
                self.of_plain(value)
            }
        };
        *node = Node::Leaf(Value::text(mask));
        Ok(())
    }

    fn comment(&mut self, comment: &mut Comment, _: &Spot<'_>) -> Result<(), Infallible> {
        // Envelopes are told by their text, wherever a store leaves blanks before them.
        let mask = Envelope::parse(comment.text.expose().trim_ascii_start())
            .map(|envelope| format!(" {}", self.of_envelope(&envelope)));
        if let Some(mask) = mask {
            comment.text = mask.into();
        }
        Ok(())
    }

    fn list_comment(&mut self, node: &mut Node, spot: &Spot<'_>) -> Result<Fate, Infallible> {
        if let Node::Comment(comment) = node {
            self.comment(comment, spot)?;
        }
        Ok(Fate::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::{Strings, length_class, mask};
    use crate::crypto::envelope;
    use crate::tree::branch::{Branch, Comment, Entry, Node};
    use crate::tree::selection::Selection;
    use crate::value::Value;

    fn sealed(length: usize, kind: &str) -> String {
        String::from_utf8(envelope::write(&vec![7; length], &[1; 32], &[2; 16], kind)).expect("ASCII")
    }

    fn masked(entries: Vec<Entry>) -> (Branch, Vec<String>) {
        let mut branch = Branch { entries };
        let bare = mask(&mut branch, 0, &Selection::default(), Strings::Text).expect("shallow");
        (branch, bare.iter().map(ToString::to_string).collect())
    }

    fn leaf(text: impl Into<String>) -> Node {
        Node::Leaf(Value::text(text.into()))
    }

    fn text(node: Option<&Node>) -> String {
        match node {
            Some(Node::Leaf(Value::Text(text))) => text.expose_str().expect("text").to_owned(),
            other => panic!("no text: {other:?}"),
        }
    }

    #[test]
    fn a_class_holds_many_lengths() {
        let classes = [(0, "empty"), (1, "1-8"), (8, "1-8"), (9, "9-16"), (16, "9-16"), (17, "17-32")];
        for (length, class) in classes.into_iter().chain([(1025, "1025-2048"), (1 << 20, "524289-1048576")]) {
            assert_eq!(length_class(length), class);
        }
        assert!(length_class(usize::MAX).starts_with("over "));
    }

    #[test]
    fn numbers_and_truth_values_show_their_type_alone() {
        for kind in ["int", "float", "bool", "time"] {
            let (branch, _) = masked(vec![Entry::Item("a".into(), leaf(sealed(3, kind)))]);
            assert_eq!(text(branch.node("a")), format!("<redacted {kind}>"));
        }
        let (branch, _) = masked(vec![Entry::Item("a".into(), leaf(sealed(3, "marker")))]);
        assert_eq!(text(branch.node("a")), "<redacted>");
    }

    #[test]
    fn an_envelope_is_masked_even_where_the_rule_has_values_plain() {
        let (branch, bare) = masked(vec![
            Entry::Item("a_unencrypted".into(), leaf(sealed(20, "str"))),
            Entry::Item("b_unencrypted".into(), leaf("shown")),
        ]);
        assert_eq!(text(branch.node("a_unencrypted")), "<redacted str 17-32>");
        assert_eq!(text(branch.node("b_unencrypted")), "shown");
        assert!(bare.is_empty());
    }

    #[test]
    fn a_value_that_should_be_encrypted_is_masked_and_told() {
        let list = Node::List(vec![Node::Leaf(Value::Int(4711)), leaf("")]);
        let (branch, bare) =
            masked(vec![Entry::Item("a".into(), leaf("hunter2")), Entry::Item("l".into(), list)]);
        assert_eq!(text(branch.node("a")), "<redacted str 1-8 not encrypted>");
        assert_eq!(bare, ["a", "l[0]"]);
        let Some(Node::List(list)) = branch.node("l") else { panic!("no list") };
        assert_eq!(text(list.first()), "<redacted int not encrypted>");
        assert_eq!(text(list.last()), "<redacted str empty>");
    }

    #[test]
    fn comments_are_masked_in_both_their_forms() {
        let comment = |text: String| Comment { text: text.into(), inline: false };
        let list = Node::List(vec![
            leaf(sealed(5, "comment")),
            Node::Comment(comment(sealed(12, "comment"))),
            leaf(sealed(5, "str")),
        ]);
        let (branch, bare) = masked(vec![
            Entry::Comment(comment(sealed(30, "comment"))),
            Entry::Comment(comment(" by hand".to_owned())),
            Entry::Item("l".into(), list),
        ]);
        let shown = |comment: &Comment| comment.text.expose_str().expect("text").to_owned();
        let top: Vec<String> = branch
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Comment(comment) => Some(shown(comment)),
                Entry::Item(..) => None,
            })
            .collect();
        assert_eq!(top, [" <redacted comment 17-32>", " by hand"]);
        let Some(Node::List(list)) = branch.node("l") else { panic!("no list") };
        let [Node::Comment(first), Node::Comment(second), Node::Leaf(_)] = list.as_slice() else {
            panic!("the comments are not told apart")
        };
        assert_eq!(
            (shown(first), shown(second)),
            (" <redacted comment 1-8>".into(), " <redacted comment 9-16>".into())
        );
        assert!(bare.is_empty());
    }
}
