//! What ends a command without success, and the one table from kinds of failure to exit statuses (cli-and-config.md
//! section 3). Callers know the numbers: they are an interface.

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything without a number of its own.
    General,
    /// The input cannot be read, or not as plain text of its format.
    Input,
    /// The output cannot be written.
    Output,
    /// The tree cannot be printed in the output's format.
    Print,
    /// `--encryption-context` is malformed.
    EncryptionContext,
    /// The path or value of `set` or `unset` is malformed.
    SetFormat,
    /// Flags that exclude each other.
    Conflict,
    /// A value or key cannot be encrypted.
    EncryptTree,
    /// A value cannot be decrypted.
    DecryptTree,
    /// Keys are to be added to or removed from a file that does not exist.
    KeysOfMissingFile,
    /// The MAC does not agree.
    Mac,
    /// The path of `--extract` is malformed.
    ExtractPath,
    /// The input holds no document.
    NoDocument,
    /// No file is named, or there is none of that name.
    NoFile,
    /// A kind of key stands twice in the decryption order.
    DecryptionOrder,
    /// The data key cannot be given to every master key.
    WrapDataKey,
    /// The data key cannot be recovered.
    DataKey,
    /// The edited file is what it was.
    Unchanged,
    /// There is no editor, or it failed.
    Editor,
    /// The version in the file is none.
    Version,
    /// The input has metadata already.
    AlreadyEncrypted,
}

impl Kind {
    /// Whether a key service has failed: the hints then say how to get at the key, which is told under every name.
    pub(crate) fn is_of_keys(self) -> bool {
        matches!(self, Self::WrapDataKey | Self::DataKey)
    }

    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::General | Self::WrapDataKey => 1,
            Self::Input => 2,
            Self::Output => 3,
            Self::Print => 4,
            Self::EncryptionContext => 6,
            Self::SetFormat => 7,
            Self::Conflict => 8,
            Self::EncryptTree => 23,
            Self::DecryptTree => 25,
            Self::KeysOfMissingFile => 49,
            Self::Mac => 51,
            Self::ExtractPath => 91,
            Self::NoDocument => 92,
            Self::NoFile => 100,
            Self::DecryptionOrder => 112,
            Self::DataKey => 128,
            Self::Unchanged => 200,
            Self::Editor => 201,
            Self::Version => 202,
            Self::AlreadyEncrypted => 203,
        }
    }
}

/// A command that ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Gives the exit status.
    pub kind: Kind,
    /// What failed and where; empty when nobody is there to read it.
    pub text: String,
    /// What the user can do, one sentence each.
    pub hints: Vec<String>,
    /// Whether upstream says it through its logger; otherwise the text is printed bare (section 4.1).
    pub is_logged: bool,
}

impl Failure {
    /// A failure without hints.
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), hints: Vec::new(), is_logged: false }
    }

    /// Adds hints.
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Marks it as one that upstream logs.
    pub(crate) fn logged(mut self) -> Self {
        self.is_logged = true;
        self
    }
}
