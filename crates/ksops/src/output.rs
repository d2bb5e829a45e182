//! Puts the `sops` block behind every document of an encrypted text.
//!
//! The block holds the MAC over all documents, so it is known only at the end; keeping all trees until then would
//! take several times the file's size. Each document is printed with a short stand-in for the block instead, and
//! the stand-ins are replaced in place.

use ksops_core::tree::branch::{Branch, Entry, Node};
use ksops_core::value::Value;
use ksops_stores::yaml::emit::{EmitError, YamlWriter};

/// Printed as a plain scalar; looked for only behind the last key of a document.
const STAND_IN: &str = "ksops-metadata-stand-in";

/// Printed documents that wait for their `sops` block.
pub(crate) struct Pages {
    writer: YamlWriter,
    indent: i64,
    /// The length of the text behind each document.
    ends: Vec<usize>,
}

impl Pages {
    /// Starts an empty text.
    pub(crate) fn new(indent: i64) -> Result<Self, EmitError> {
        Ok(Self { writer: YamlWriter::new(indent)?, indent, ends: Vec::new() })
    }

    /// Makes room for a text of this length.
    pub(crate) fn reserve(&mut self, length: usize) {
        self.writer.reserve(length);
    }

    /// Prints the next document.
    pub(crate) fn add(&mut self, mut branch: Branch) -> Result<(), EmitError> {
        branch.entries.push(Entry::Item("sops".into(), Node::Leaf(Value::text(STAND_IN))));
        self.writer.branch(&branch)?;
        self.ends.push(self.writer.len());
        Ok(())
    }

    /// Gives the finished text.
    pub(crate) fn finish(self, metadata: Branch) -> Result<String, EmitError> {
        let mut block = YamlWriter::new(self.indent)?;
        block.branch(&Branch { entries: vec![Entry::Item("sops".into(), Node::Map(metadata))] })?;
        let block = block.finish();
        let block = block.strip_prefix("sops:").unwrap_or(&block);
        let mut text = self.writer.finish();
        Ok(splice(std::mem::take(&mut *text), &self.ends, block))
    }
}

/// Replaces the stand-in at the end of each document by the block; what follows the stand-in on its line (a
/// comment) stays on it. Works from the back within one buffer, because the text can be large.
fn splice(text: String, ends: &[usize], block: &str) -> String {
    const HOLE: usize = STAND_IN.len() + 1;
    let mut bytes = text.into_bytes();
    let holes: Vec<(usize, usize)> =
        ends.iter().filter_map(|end| Some((hole(&bytes[..*end])?, *end))).collect();
    let mut source = bytes.len();
    // The line break at a document's end comes from the block.
    bytes.resize(source + holes.len() * block.len() - holes.len() * (HOLE + 1), 0);
    let mut target = bytes.len();
    let move_back = |bytes: &mut [u8], from: usize, to: usize, target: &mut usize| {
        *target -= to - from;
        bytes.copy_within(from..to, *target);
    };
    for (start, end) in holes.into_iter().rev() {
        move_back(&mut bytes, end, source, &mut target);
        target -= block.len();
        let place = target;
        // First out of the way what the block may cover.
        move_back(&mut bytes, start + HOLE, end - 1, &mut target);
        bytes[place..place + block.len()].copy_from_slice(block.as_bytes());
        source = start;
    }
    // Only whole characters were moved.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Where the blank before the last stand-in stands.
fn hole(document: &[u8]) -> Option<usize> {
    let stand_in = STAND_IN.as_bytes();
    let found = document.windows(stand_in.len()).rposition(|window| window == stand_in)?;
    found.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::{STAND_IN, splice};

    #[test]
    fn every_document_gets_the_block_and_keeps_what_stands_behind_the_key() {
        let block = format!("\n    mac: {}\n", "x".repeat(50));
        let first = format!("a: {STAND_IN}\nsops: {STAND_IN} # c\n");
        let second = format!("---\nsops: {STAND_IN}\n");
        let ends = [first.len(), first.len() + second.len()];
        assert_eq!(
            splice(first + &second, &ends, &block),
            format!("a: {STAND_IN}\nsops: # c{block}---\nsops:{block}")
        );
    }
}
