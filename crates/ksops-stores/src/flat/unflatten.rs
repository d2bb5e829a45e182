//! From the flat form to a block, in time linear in the names whatever indexes they hold.

use std::collections::HashMap;
use std::mem;

use ksops_core::secret::SecretBytes;
use ksops_core::tree::branch::{Branch, Entry, Key, Node};
use ksops_core::value::Value;

use crate::flat::error::FlattenError;
use crate::flat::name::{MAX_PARTS, Part, parts, shown};

/// Builds the block that the entries tell, with sorted keys; all values are texts (file-format.md section 6.5).
///
/// # Errors
/// [`FlattenError`] if a name stands twice, is both value and container, or a list has gaps.
pub fn unflatten(entries: Vec<(Key, SecretBytes)>) -> Result<Branch, FlattenError> {
    let (names, values): (Vec<Key>, Vec<SecretBytes>) = entries.into_iter().unzip();
    let mut places = Places { slots: vec![Slot::default()], found: HashMap::new() };
    for (name, value) in names.iter().zip(values) {
        places.put(name.as_bytes(), value)?;
    }
    match places.node(0)? {
        Node::Map(branch) => Ok(branch),
        // Every name begins with a key.
        _ => Err(FlattenError::NotAMapping),
    }
}

#[derive(Default)]
struct Slot<'a> {
    above: usize,
    part: Option<Part<'a>>,
    value: Option<SecretBytes>,
    below: Vec<usize>,
}

struct Places<'a> {
    slots: Vec<Slot<'a>>,
    found: HashMap<(usize, Part<'a>), usize>,
}

impl<'a> Places<'a> {
    fn put(&mut self, name: &'a [u8], value: SecretBytes) -> Result<(), FlattenError> {
        let mut at = 0;
        for (depth, part) in parts(name).enumerate() {
            if depth >= MAX_PARTS {
                return Err(FlattenError::TooDeep { limit: MAX_PARTS });
            }
            let next = *self.found.entry((at, part)).or_insert(self.slots.len());
            if next == self.slots.len() {
                self.slots.push(Slot { above: at, part: Some(part), ..Slot::default() });
                self.slots[at].below.push(next);
            }
            at = next;
        }
        let slot = &mut self.slots[at];
        if slot.value.is_some() {
            return Err(FlattenError::DuplicateValue { name: shown(name) });
        }
        slot.value = Some(value);
        Ok(())
    }

    /// No deeper than the longest name has parts.
    fn node(&mut self, at: usize) -> Result<Node, FlattenError> {
        let slot = &mut self.slots[at];
        let value = slot.value.take();
        let mut below: Vec<(Part<'a>, usize)> = Vec::with_capacity(slot.below.len());
        for child in mem::take(&mut slot.below) {
            if let Some(part) = self.slots[child].part {
                below.push((part, child));
            }
        }
        // Keys sort before indexes, so the ends tell whether there are both.
        below.sort_unstable();
        match (value, below.first(), below.last()) {
            (Some(value), None, _) => Ok(Node::Leaf(Value::Text(value))),
            (None, None, _) => Ok(Node::Map(Branch::default())),
            (None, Some((Part::Key(_), _)), Some((Part::Key(_), _))) => self.map(below).map(Node::Map),
            (None, Some((Part::Index(_), _)), _) => self.list(at, below).map(Node::List),
            _ => Err(FlattenError::TypeMismatch { name: self.name(at) }),
        }
    }

    fn map(&mut self, below: Vec<(Part<'a>, usize)>) -> Result<Branch, FlattenError> {
        let mut branch = Branch { entries: Vec::with_capacity(below.len()) };
        for (part, child) in below {
            if let Part::Key(key) = part {
                let node = self.node(child)?;
                branch.entries.push(Entry::Item(key.into(), node));
            }
        }
        Ok(branch)
    }

    fn list(&mut self, at: usize, below: Vec<(Part<'a>, usize)>) -> Result<Vec<Node>, FlattenError> {
        if (0..).zip(&below).any(|(index, (part, _))| *part != Part::Index(index)) {
            return Err(FlattenError::IncompleteList { name: self.name(at) });
        }
        below.into_iter().map(|(_, child)| self.node(child)).collect()
    }

    fn name(&self, at: usize) -> String {
        let mut path = Vec::new();
        let mut at = at;
        while let Some(part) = self.slots[at].part {
            path.push(part);
            at = self.slots[at].above;
        }
        let mut name = Vec::new();
        for (index, part) in path.iter().rev().enumerate() {
            part.write(index == 0, &mut name);
        }
        shown(&name)
    }
}

#[cfg(test)]
mod tests;
