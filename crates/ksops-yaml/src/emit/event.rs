//! What the emitter is given: the parts of a document in their order, and their comments.

use crate::emit::waiting::WaitingText;
use crate::syntax::ScalarStyle;

/// A part of a document. It has no `Debug` because its text may be secret.
#[derive(Clone, Copy)]
pub enum Event<'e> {
    /// A document begins.
    DocumentStart,
    /// A document ends.
    DocumentEnd,
    /// A list begins; it is told now whether it has no items.
    SequenceStart {
        /// No items.
        empty: bool,
    },
    /// A list ends.
    SequenceEnd,
    /// A mapping begins; it is told now whether it has no items.
    MappingStart {
        /// No items.
        empty: bool,
    },
    /// A mapping ends.
    MappingEnd,
    /// A scalar, or a mapping's key.
    Scalar {
        /// Its text.
        text: &'e str,
        /// The style wanted; another one is taken where this one cannot hold the text.
        style: ScalarStyle,
        /// A tag to print, short (`!!merge`).
        tag: Option<&'e str>,
    },
}

impl Event<'_> {
    /// Whether it begins what is printed as `[]` or `{}`.
    pub(super) fn is_empty_collection(&self) -> bool {
        matches!(self, Self::SequenceStart { empty: true } | Self::MappingStart { empty: true })
    }
}

/// The comments of an event, `#` included, lines joined by `\n`; empty for none.
#[derive(Clone, Default)]
pub struct EventComments {
    /// Before it.
    pub head: WaitingText,
    /// Behind it on its line.
    pub line: WaitingText,
    /// After it.
    pub foot: WaitingText,
    /// After the former key and its value: comes with the next key or the mapping's end.
    pub tail: WaitingText,
}
