//! What is to change in a text, and the text with the changes. Apart from finding the changes.

use ksops_core::tree::branch::Branch;
use zeroize::Zeroizing;

use crate::misfit::Misfit;
use crate::yaml::preserve::print::Printer;

/// Stands for the metadata until they are known.
pub(crate) const STAND_IN: &str = "ksops-metadata-stand-in";

/// A change: bytes from `start` to `end` become `text`.
struct Edit {
    start: usize,
    end: usize,
    text: Zeroizing<String>,
    slot: Option<Slot>,
}

/// Says how metadata are printed that take the place of the stand-in in an [`Edit`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// The forms of the document.
    pub printer: Printer,
    /// The column of the key.
    pub column: usize,
    /// Whether they stand in braces.
    pub in_flow: bool,
}

/// The changes of a text. They may come in any order; those of one place keep theirs.
#[derive(Default)]
pub(crate) struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Puts `text` in the place of what stands from `start` to `end`.
    pub(crate) fn replace(&mut self, start: usize, end: usize, text: Zeroizing<String>) {
        self.edits.push(Edit { start, end, text, slot: None });
    }

    /// Takes out what stands from `start` to `end`.
    pub(crate) fn delete(&mut self, start: usize, end: usize) {
        self.replace(start, end, Zeroizing::default());
    }

    /// Puts `text` before what stands at a place.
    pub(crate) fn insert(&mut self, at: usize, text: Zeroizing<String>) {
        self.replace(at, at, text);
    }

    /// Says how the metadata are to be printed in the last change.
    pub(crate) fn mark_slot(&mut self, slot: Slot) {
        if let Some(last) = self.edits.last_mut() {
            last.slot = Some(slot);
        }
    }

    /// Whether there is any change between two places.
    pub(crate) fn touches(&self, start: usize, end: usize) -> bool {
        self.edits.iter().any(|edit| edit.start < end && edit.end > start)
    }

    /// Makes the text with all changes; `metadata` takes the place of every stand-in.
    ///
    /// # Errors
    /// [`Misfit`] if two changes concern the same bytes.
    pub(crate) fn apply(
        mut self,
        text: &str,
        metadata: Option<&Branch>,
        prefix: &str,
    ) -> Result<Zeroizing<String>, Misfit> {
        self.edits.sort_by_key(|edit| (edit.start, edit.end > edit.start));
        for edit in &mut self.edits {
            if let (Some(slot), Some(metadata)) = (edit.slot, metadata) {
                let block = slot.printer.metadata(metadata, slot)?;
                edit.text = Zeroizing::new(edit.text.replacen(&format!(" {STAND_IN}"), &block, 1));
            }
        }
        let growth: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        // Taken at once: no copy of the text is left behind while it grows.
        let mut out = Zeroizing::new(String::with_capacity(prefix.len() + text.len() + growth));
        out.push_str(prefix);
        let mut at = 0;
        for edit in &self.edits {
            let is_deletion = edit.text.is_empty();
            if edit.start < at && !is_deletion {
                return Err(Misfit::at(text, edit.start, "changes that concern the same place"));
            }
            if edit.start > at {
                out.push_str(text.get(at..edit.start).unwrap_or_default());
            }
            out.push_str(&edit.text);
            at = at.max(edit.end);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Ok(out)
    }
}
