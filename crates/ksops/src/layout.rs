//! Whether a file keeps its layout, or is laid out as upstream does it (docs/layout.md).

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As upstream: laid out anew from end to end, byte for byte what sops writes.
    #[default]
    Upstream,
    /// Only the bytes of what changed are others. A file whose layout cannot be kept is written as upstream does it,
    /// with a warning.
    Preserve,
    /// As [`Layout::Preserve`]; that the layout cannot be kept is an error.
    PreserveStrictly,
}

impl Layout {
    /// Whether it is to be kept.
    #[must_use]
    pub fn is_kept(self) -> bool {
        self != Self::Upstream
    }
}

/// The warning that a layout was not kept.
pub(crate) fn not_kept(misfit: &ksops_stores::misfit::Misfit) -> String {
    format!("the layout of the file cannot be kept ({misfit}); it is written as sops lays it out")
}
