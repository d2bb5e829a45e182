//! A text with some of its bytes replaced: what JSON and dotenv need to keep a layout.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::misfit::Misfit;

/// Changes of a text.
#[derive(Default)]
pub(crate) struct Splices(Vec<(Range<usize>, Zeroizing<Vec<u8>>)>);

impl Splices {
    /// Puts `text` in the place of a range.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<Vec<u8>>) {
        self.0.push((range, Zeroizing::new(text.into())));
    }

    /// Puts `text` before a place.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<Vec<u8>>) {
        self.replace(at..at, text);
    }

    /// Takes a range out.
    pub(crate) fn delete(&mut self, range: Range<usize>) {
        self.replace(range, Vec::new());
    }

    /// Makes the text with all changes.
    ///
    /// # Errors
    /// [`Misfit`] if two changes concern the same bytes.
    pub(crate) fn apply(mut self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Misfit> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end > range.start));
        let growth: usize = self.0.iter().map(|(_, new)| new.len()).sum();
        let mut out = Zeroizing::new(Vec::with_capacity(text.len() + growth));
        let mut at = 0;
        for (range, new) in &self.0 {
            if range.start < at && !new.is_empty() {
                return Err(Misfit::somewhere("changes that concern the same place"));
            }
            out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(new);
            at = at.max(range.end);
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Ok(out)
    }
}
