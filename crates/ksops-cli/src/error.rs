//! What ends a command, and the one table from kinds to upstream's exit statuses (cli-and-config.md section 3).

/// Why a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything without a status of its own.
    General,
    /// The input cannot be read or parsed.
    Input,
    /// The output cannot be written.
    Output,
    /// The tree cannot be printed in the output's format.
    Print,
    /// `--encryption-context` does not parse.
    EncryptionContext,
    /// Flags exclude each other.
    Conflict,
    /// The tree cannot be encrypted.
    EncryptTree,
    /// The tree cannot be decrypted.
    DecryptTree,
    /// Keys are to be changed in a file that does not exist.
    KeysOfMissingFile,
    /// The MAC is missing or does not agree.
    Mac,
    /// The path of `--extract` is malformed.
    ExtractPath,
    /// There is no document.
    NoDocument,
    /// No file is named, or it does not exist.
    NoFile,
    /// A type stands twice in the decryption order.
    DecryptionOrder,
    /// The data key cannot be recovered.
    DataKey,
    /// There is a `sops` entry already.
    AlreadyEncrypted,
}

impl Kind {
    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::General => 1,
            Self::Input => 2,
            Self::Output => 3,
            Self::Print => 4,
            Self::EncryptionContext => 6,
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
            Self::AlreadyEncrypted => 203,
        }
    }
}

/// What ends a command: its kind, a message, and what can be done. No message holds a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
    hints: Vec<String>,
    logged: bool,
}

impl Failure {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), hints: Vec::new(), logged: false }
    }

    /// Adds what can be done, one sentence each.
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Marks an error that upstream gives to its logger instead of printing it bare.
    pub(crate) fn logged(mut self) -> Self {
        self.logged = true;
        self
    }

    pub(crate) fn status(&self) -> u8 {
        self.kind.status()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn all_hints(&self) -> &[String] {
        &self.hints
    }

    pub(crate) fn is_logged(&self) -> bool {
        self.logged
    }
}
