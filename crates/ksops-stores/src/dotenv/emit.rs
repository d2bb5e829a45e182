//! A tree to dotenv text.

use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use zeroize::Zeroizing;

use crate::newline::write_escaped;
use crate::scalar;

/// A tree that has no dotenv form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DotenvEmitError {
    /// A list or a mapping.
    #[error("cannot use complex value in dotenv file; offending key {key}")]
    ComplexValue {
        /// Its key.
        key: Key,
    },
    /// A moment that has no text form.
    #[error("cannot use a timestamp without an RFC 3339 form in dotenv file; offending key {key}")]
    Timestamp {
        /// Its key.
        key: Key,
    },
}

/// Prints a tree.
///
/// As in upstream nothing is quoted: a key with `=` or a newline, one that starts with `#`, the two characters `\n` in
/// a value and a comment of several lines are read back as something else. Whoever relies on the text must compare.
///
/// # Errors
/// [`DotenvEmitError`] if a value cannot be printed.
pub fn emit(branch: &Branch) -> Result<Zeroizing<Vec<u8>>, DotenvEmitError> {
    // With room for all, so that no copy of a secret is left behind.
    let mut out = Zeroizing::new(Vec::with_capacity(branch.entries.iter().map(most_bytes).sum()));
    for entry in &branch.entries {
        match entry {
            Entry::Comment(comment) => {
                out.push(b'#');
                out.extend_from_slice(comment.text.expose());
            }
            Entry::Item(key, Node::Leaf(value)) => {
                let text =
                    scalar::text(value).ok_or_else(|| DotenvEmitError::Timestamp { key: key.clone() })?;
                out.extend_from_slice(key.as_bytes());
                out.push(b'=');
                write_escaped(&text, &mut out);
            }
            Entry::Item(key, _) => return Err(DotenvEmitError::ComplexValue { key: key.clone() }),
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// How long an entry's text can be.
fn most_bytes(entry: &Entry) -> usize {
    match entry {
        Entry::Comment(comment) => comment.text.len() + 2,
        Entry::Item(key, Node::Leaf(value)) => {
            let text = scalar::text(value);
            let text = text.as_deref().unwrap_or_default();
            key.as_bytes().len() + text.len() + text.iter().filter(|byte| **byte == b'\n').count() + 2
        }
        Entry::Item(..) => 0,
    }
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Branch, Entry, Node};
    use ksops_core::value::Value;

    use super::emit;

    fn printed(node: Node) -> Result<String, String> {
        let branch = Branch { entries: vec![Entry::Item("b".into(), node)] };
        match emit(&branch) {
            Ok(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn typed_values_become_text() {
        assert_eq!(printed(Node::Leaf(Value::Null)).as_deref(), Ok("b=<nil>\n"));
        assert_eq!(printed(Node::Leaf(Value::Float(1.0))).as_deref(), Ok("b=1.0\n"));
        assert_eq!(printed(Node::Leaf(Value::text("a\nb"))).as_deref(), Ok("b=a\\nb\n"));
    }

    #[test]
    fn refuses_lists_and_mappings() {
        let problem = "cannot use complex value in dotenv file; offending key b";
        assert_eq!(printed(Node::List(Vec::new())), Err(problem.to_owned()));
        assert_eq!(printed(Node::Map(Branch::default())), Err(problem.to_owned()));
    }
}
