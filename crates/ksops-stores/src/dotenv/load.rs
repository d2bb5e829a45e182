//! dotenv text to a tree: no quotes, no trimming, strings only.

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Comment, Entry, Node};
use ksops_core::value::Value;
use ksops_yaml::span::Position;

use crate::newline::unescaped;

/// A text that is not dotenv. No message holds a line: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DotenvError {
    /// A line that is neither empty, a comment nor `key=value`.
    #[error("invalid dotenv input line (line {} has no `=`)", position.line)]
    MissingDelimiter {
        /// Where.
        position: Position,
    },
}

impl DotenvError {
    /// Where.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::MissingDelimiter { position } => *position,
        }
    }
}

/// Reads a text; the metadata of an encrypted file stays among the items.
///
/// # Errors
/// [`DotenvError`] if a line cannot be read.
pub fn load(bytes: &[u8]) -> Result<Branch, DotenvError> {
    let mut branch = Branch::default();
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1_u32..) {
        let entry = match line {
            [] => continue,
            [b'#', text @ ..] => Entry::Comment(Comment { text: text.into(), inline: false }),
            _ => {
                let position = Position { line: number, column: 1 };
                let end = line.iter().position(|byte| *byte == b'=');
                let end = end.ok_or(DotenvError::MissingDelimiter { position })?;
                let value = SecretBytes::new(unescaped(&line[end + 1..]));
                Entry::Item(line[..end].into(), Node::Leaf(Value::Text(value)))
            }
        };
        branch.entries.push(entry);
    }
    Ok(branch)
}

#[cfg(test)]
mod tests {
    use super::load;

    #[test]
    fn errors_name_the_line_and_never_show_it() {
        let error = load(b"A=1\n\nhunter2\n").expect_err("refused");
        assert_eq!(error.to_string(), "invalid dotenv input line (line 3 has no `=`)");
        assert_eq!(error.position().line, 3);
    }
}
