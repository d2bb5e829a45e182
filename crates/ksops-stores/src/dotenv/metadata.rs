//! The metadata among the items: keys that start with `sops_`.

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;

use crate::flat::error::FlattenError;
use crate::flat::flatten::flatten;
use crate::flat::unflatten::unflatten;
use crate::scalar;

/// What the names of metadata start with.
pub const PREFIX: &str = "sops_";

/// Takes the metadata out, wherever it stands; nothing if there is none.
///
/// Values lose a final carriage return: a file whose lines were converted can be read (file-format.md section 9).
///
/// # Errors
/// [`FlattenError`] if the names do not fit together.
pub fn take_metadata(branch: &mut Branch) -> Result<Option<Branch>, FlattenError> {
    let mut entries = Vec::new();
    let mut problem = None;
    branch.entries.retain_mut(|entry| {
        let Entry::Item(key, node) = entry else { return true };
        let Some(name) = key.as_bytes().strip_prefix(PREFIX.as_bytes()) else { return true };
        match node {
            Node::Leaf(value) => entries.push((Key::from(name), text_of(value))),
            _ => problem = Some(FlattenError::NotAMapping),
        }
        false
    });
    match problem {
        Some(problem) => Err(problem),
        None if entries.is_empty() => Ok(None),
        None => unflatten(entries).map(Some),
    }
}

fn text_of(value: &Value) -> SecretBytes {
    let text = scalar::text(value);
    let text = text.as_deref().unwrap_or_default();
    text.strip_suffix(b"\r").unwrap_or(text).into()
}

/// Puts the metadata at the end.
///
/// # Errors
/// [`FlattenError`] if it has no flat form.
pub fn put_metadata(branch: &mut Branch, metadata: &Branch) -> Result<(), FlattenError> {
    for (name, text) in flatten(metadata)? {
        let key = [PREFIX.as_bytes(), name.as_bytes()].concat();
        branch.entries.push(Entry::Item(key.as_slice().into(), Node::Leaf(Value::Text(text))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::{Entry, Node};
    use ksops_core::value::Value;

    use super::{put_metadata, take_metadata};
    use crate::dotenv::emit::emit;
    use crate::dotenv::load::load;

    #[test]
    fn metadata_is_taken_from_anywhere() {
        let text = b"sops_b__list_0=x\\ny\r\nA=1\r\nsops_a=z\r\n#c\nSOPS_X=1\nsops=2\n";
        let mut branch = load(text).expect("dotenv");
        let block = take_metadata(&mut branch).expect("fits").expect("is there");
        assert_eq!(block.node("a"), Some(&Node::Leaf(Value::text("z"))));
        assert_eq!(block.node("b"), Some(&Node::List(vec![Node::Leaf(Value::text("x\ny"))])));
        assert!(matches!(branch.entries[0], Entry::Item(..)));
        put_metadata(&mut branch, &block).expect("flat");
        let expected = b"A=1\r\n#c\nSOPS_X=1\nsops=2\nsops_a=z\nsops_b__list_0=x\\ny\n";
        assert_eq!(emit(&branch).expect("printed").as_slice(), expected);
        assert_eq!(take_metadata(&mut load(b"A=1\n").expect("dotenv")), Ok(None));
    }
}
