//! What is wrong with metadata in the flat form. Names are shown, values never.

/// Metadata that cannot be flattened, or flat metadata that makes no block (exit status 1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlattenError {
    /// A name stands twice.
    #[error("Error while unflattening {name:?}: Duplicate value")]
    DuplicateValue {
        /// The name.
        name: String,
    },
    /// A name is more than one of value, mapping and list.
    #[error("Error while unflattening: Type mismatch (at {name:?})")]
    TypeMismatch {
        /// The name.
        name: String,
    },
    /// The indexes of a list are not 0, 1, 2 and so on.
    #[error("Error while unflattening: Incomplete list (at {name:?})")]
    IncompleteList {
        /// The list's name.
        name: String,
    },
    /// A name has more parts than metadata ever has.
    #[error("Error while unflattening: a name of more than {limit} parts")]
    TooDeep {
        /// How many there may be.
        limit: usize,
    },
    /// A key would be taken for something else when the file is read again.
    #[error("the metadata key {name:?} cannot be flattened: it would be read as another one")]
    Ambiguous {
        /// The flat name.
        name: String,
    },
    /// An element of a list without any value would be gone when the file is read again.
    #[error("the metadata entry {name:?} is empty and cannot be flattened")]
    EmptyElement {
        /// The element's flat name.
        name: String,
    },
    /// The file has two `[sops]` sections.
    #[error("Found duplicate sops entry")]
    DuplicateBlock,
    /// The top-level `sops` entry is no mapping, or one of its values is no text.
    #[error("Found sops entry that is not a mapping")]
    NotAMapping,
}
