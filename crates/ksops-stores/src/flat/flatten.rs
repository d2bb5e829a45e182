//! From a block to the flat form.

use std::collections::HashSet;

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};

use crate::flat::error::FlattenError;
use crate::flat::name::{MAX_PARTS, Part, parts, shown};
use crate::scalar;

/// Flattens a block, depth first in its order; empty lists and mappings vanish (file-format.md section 6.5).
///
/// # Errors
/// [`FlattenError`] if reading the names would give another block.
pub fn flatten(metadata: &Branch) -> Result<Vec<(Key, SecretBytes)>, FlattenError> {
    let mut flattener = Flattener { path: Vec::new(), name: Vec::new(), entries: Vec::new() };
    flattener.map(metadata)?;
    let entries = flattener.entries;
    let mut seen = HashSet::new();
    match entries.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(FlattenError::Ambiguous { name: shown(name.as_bytes()) }),
        None => Ok(entries),
    }
}

struct Flattener<'a> {
    path: Vec<Part<'a>>,
    name: Vec<u8>,
    entries: Vec<(Key, SecretBytes)>,
}

impl<'a> Flattener<'a> {
    fn map(&mut self, branch: &'a Branch) -> Result<(), FlattenError> {
        for entry in &branch.entries {
            if let Entry::Item(key, node) = entry {
                self.child(Part::Key(key.as_bytes()), node)?;
            }
        }
        Ok(())
    }

    fn child(&mut self, part: Part<'a>, node: &'a Node) -> Result<(), FlattenError> {
        if self.path.len() >= MAX_PARTS {
            return Err(FlattenError::TooDeep { limit: MAX_PARTS });
        }
        let length = self.name.len();
        part.write(self.path.is_empty(), &mut self.name);
        self.path.push(part);
        let before = self.entries.len();
        match node {
            Node::Map(branch) => self.map(branch)?,
            Node::List(list) => {
                let elements = list.iter().filter(|node| !matches!(node, Node::Comment(_)));
                for (index, node) in (0..).zip(elements) {
                    self.child(Part::Index(index), node)?;
                }
            }
            Node::Leaf(value) => self.leaf(scalar::text(value).as_deref().unwrap_or_default())?,
            Node::Comment(_) => {}
        }
        if self.entries.len() == before && matches!(part, Part::Index(_)) {
            return Err(FlattenError::EmptyElement { name: shown(&self.name) });
        }
        self.path.pop();
        self.name.truncate(length);
        Ok(())
    }

    fn leaf(&mut self, text: &[u8]) -> Result<(), FlattenError> {
        if !parts(&self.name).eq(self.path.iter().copied()) {
            return Err(FlattenError::Ambiguous { name: shown(&self.name) });
        }
        self.entries.push((self.name.as_slice().into(), text.into()));
        Ok(())
    }
}
