//! The metadata in a section of its own, flattened; newlines in it are the two characters `\n`.

use ksops_core::metadata::wire::BLOCK_KEY;
use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;

use crate::flat::error::FlattenError;
use crate::flat::flatten::flatten;
use crate::flat::unflatten::unflatten;
use crate::newline::{escaped, unescaped};

/// Takes the section out; nothing if there is none with a key.
///
/// # Errors
/// [`FlattenError`] if there are several, or the names do not fit together.
pub fn take_metadata(branch: &mut Branch) -> Result<Option<Branch>, FlattenError> {
    let mut sections = branch.entries.extract_if(.., |entry| is_block(entry));
    let Some(Entry::Item(_, section)) = sections.next() else { return Ok(None) };
    let is_only = sections.next().is_none();
    // The rest is removed, too.
    sections.for_each(drop);
    let Node::Map(section) = section else { return Err(FlattenError::NotAMapping) };
    if !is_only {
        return Err(FlattenError::DuplicateBlock);
    }
    let mut entries: Vec<(Key, SecretBytes)> = Vec::new();
    for entry in section.entries {
        match entry {
            Entry::Comment(_) => {}
            Entry::Item(key, Node::Leaf(Value::Text(text))) => {
                entries.push((key, SecretBytes::new(unescaped(text.expose()))));
            }
            Entry::Item(..) => return Err(FlattenError::NotAMapping),
        }
    }
    if entries.is_empty() { Ok(None) } else { unflatten(entries).map(Some) }
}

fn is_block(entry: &Entry) -> bool {
    matches!(entry, Entry::Item(key, _) if key == BLOCK_KEY)
}

/// Puts the section at the end.
///
/// # Errors
/// [`FlattenError`] if the metadata has no flat form.
pub fn put_metadata(branch: &mut Branch, metadata: &Branch) -> Result<(), FlattenError> {
    let item = |(name, text): (Key, SecretBytes)| {
        Entry::Item(name, Node::Leaf(Value::Text(SecretBytes::new(escaped(text.expose())))))
    };
    let section = Branch { entries: flatten(metadata)?.into_iter().map(item).collect() };
    branch.entries.push(Entry::Item(BLOCK_KEY.into(), Node::Map(section)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use ksops_core::tree::branch::Node;
    use ksops_core::value::Value;

    use super::{put_metadata, take_metadata};
    use crate::flat::error::FlattenError;
    use crate::ini::emit::emit;
    use crate::ini::load::load;

    #[test]
    fn newlines_are_read_in_both_forms() {
        let text = b"[s]\nk = v\n\n[sops]\na = x\\ny\nb__list_0 = \"\"\"x\ny\"\"\"\n; c\nc = z\n";
        let mut branch = load(text).expect("INI").branch;
        let block = take_metadata(&mut branch).expect("fits").expect("is there");
        let leaf = || Node::Leaf(Value::text("x\ny"));
        assert_eq!(block.node("a"), Some(&leaf()));
        assert_eq!(block.node("b"), Some(&Node::List(vec![leaf()])));
        put_metadata(&mut branch, &block).expect("flat");
        let expected = b"[s]\nk = v\n\n[sops]\na         = x\\ny\nb__list_0 = x\\ny\nc         = z\n";
        assert_eq!(emit(&branch).expect("printed").as_slice(), expected);
    }

    #[test]
    fn there_is_one_section_at_most() {
        let taken = |text: &[u8]| take_metadata(&mut load(text).expect("INI").branch);
        assert_eq!(taken(b"[sops]\na = 1\n[sops]\na = 1\n"), Err(FlattenError::DuplicateBlock));
        assert_eq!(taken(b"[a]\nsops = 1\n"), Ok(None));
        assert_eq!(taken(b"[sops]\n"), Ok(None));
    }
}
