//! Decrypting documents; nothing is given out before the MAC agrees.

use zeroize::Zeroizing;

use crate::crypto::cipher::{Cipher, CipherError, Opened};
use crate::crypto::data_key::DataKey;
use crate::crypto::envelope::Envelope;
use crate::crypto::mac::{Mac, MacError};
use crate::crypto::plaintext::{self, DataType};
use crate::document::rehome;
use crate::document::stash::Stash;
use crate::document::warning::{Warning, place};
use crate::metadata::model::Metadata;
use crate::tree::branch::{Branch, Comment, Node};
use crate::tree::path::TreePath;
use crate::tree::selection::{Selection, SelectionError};
use crate::tree::walk::{self, Fate, MAX_DEPTH, Spot, Visitor, WalkCause};
use crate::value::Value;

/// How it is told which leaves are encrypted (file-format.md section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By the rule.
    Strict,
    /// By the rule; encrypted comments in lists, which are strings there, count as comments.
    Lenient,
    /// A value that authenticates is encrypted, any other is plain. Only the MAC then tells whether that was right.
    ByAuthentication,
}

/// What the caller wants beside the values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Keep comments that stand behind a value there; upstream moves them before it.
    pub keep_inline: bool,
    /// Remember the nonces, for writing the file again.
    pub with_stash: bool,
}

/// A decrypted file whose MAC agreed.
pub struct Decrypted {
    /// The documents.
    pub branches: Vec<Branch>,
    /// The nonces, if they were asked for; else empty.
    pub stash: Stash,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Decrypts the documents of one file, in their order, and keeps them until the MAC has been compared.
pub struct Decryptor<'a> {
    selection: &'a Selection,
    state: State,
    branches: Vec<Branch>,
}

/// Why a file cannot be decrypted. No message holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// A value, or the nesting (exit status 25).
    #[error("Error walking tree: {kind} (at {})", place(*.document, .path))]
    Value {
        /// The document, from 0.
        document: usize,
        /// Where.
        path: TreePath,
        /// Why.
        kind: DecryptErrorKind,
    },
    /// The MAC (exit status 51).
    #[error(transparent)]
    Mac(#[from] MacError),
    /// The rules in the metadata contradict each other (exit status 1).
    #[error("Cannot use {0} in the same file")]
    Selection(#[from] SelectionError),
}

/// Why a value cannot be decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptErrorKind {
    /// The cipher refuses it.
    #[error("Could not decrypt value: {0}")]
    Cipher(#[from] CipherError),
    /// It should be encrypted, but is no text.
    #[error("Expected encrypted value as string, but got {0}")]
    NotText(
        /// The type found.
        &'static str,
    ),
    /// The value of a key says that it is a comment: it would vanish (security.md S6).
    #[error("Could not decrypt value: its type is comment, which the value of a key cannot be")]
    CommentAsValue,
    /// A comment says that it is a number, a truth value or a timestamp.
    #[error("Could not decrypt comment: its type is {0}")]
    CommentOfType(
        /// The type.
        &'static str,
    ),
    /// A timestamp that cannot be written, and so not hashed.
    #[error(transparent)]
    Unwritable(#[from] plaintext::UnwritableError),
    /// The nesting is too deep.
    #[error("the document is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Decrypts a file, and when the comments of the file do not tell any more what is encrypted, tries the other
/// [`Mode`]s. `read` gives the encrypted documents without their metadata; it is called once for each attempt.
///
/// # Errors
/// [`DecryptError`] of the first attempt if none succeeds.
pub fn decrypt(
    key: &DataKey,
    metadata: &Metadata,
    options: Options,
    mut read: impl FnMut() -> Vec<Branch>,
) -> Result<Decrypted, DecryptError> {
    let (selection, problem) = Selection::for_decrypting(&metadata.rules)?;
    let mut attempt = |mode| {
        let mut decryptor = Decryptor::new(key, &selection, metadata.mac_only_encrypted, mode, options);
        for branch in read() {
            decryptor.branch(branch)?;
        }
        decryptor.finish(metadata)
    };
    let mut result = attempt(Mode::Strict);
    if selection.goes_by_comments() && result.is_err() {
        result = result.or_else(|first| {
            attempt(Mode::Lenient).or_else(|_| attempt(Mode::ByAuthentication)).map_err(|_| first)
        });
    }
    result.map(|mut decrypted| {
        decrypted.warnings.extend(problem.map(Warning::InvalidPattern));
        decrypted
    })
}

impl<'a> Decryptor<'a> {
    /// Sets up the decryption of one file.
    #[must_use]
    pub fn new(
        key: &DataKey,
        selection: &'a Selection,
        mac_only_encrypted: bool,
        mode: Mode,
        options: Options,
    ) -> Self {
        Self {
            selection,
            state: State {
                cipher: Cipher::new(key),
                mac: Mac::new(mac_only_encrypted),
                mac_only_encrypted,
                mode,
                options,
                stash: Stash::default(),
                scratch: Zeroizing::new(Vec::with_capacity(512)),
                document: 0,
                lost_comments: false,
                warnings: Vec::new(),
            },
            branches: Vec::new(),
        }
    }

    /// Decrypts the next document, without its metadata, and keeps it.
    ///
    /// # Errors
    /// [`DecryptError::Value`] if a value cannot be decrypted.
    pub fn branch(&mut self, mut branch: Branch) -> Result<(), DecryptError> {
        self.open(&mut branch)?;
        self.branches.push(branch);
        Ok(())
    }

    /// Compares the MAC and gives out the documents.
    ///
    /// # Errors
    /// [`DecryptError::Mac`] if it is missing, or does not agree.
    pub fn finish(self, metadata: &Metadata) -> Result<Decrypted, DecryptError> {
        let Self { mut state, branches, .. } = self;
        state.mac.verify(&mut state.cipher, &metadata.mac, metadata.last_modified)?;
        let mut warnings = state.warnings;
        if state.mode == Mode::ByAuthentication {
            warnings.push(Warning::DecidedByAuthentication);
        }
        Ok(Decrypted { branches, stash: state.stash, warnings })
    }

    /// Decrypts a document in place, for a caller in this crate that gives nothing out.
    pub(crate) fn open(&mut self, branch: &mut Branch) -> Result<(), DecryptError> {
        let document = self.state.document;
        self.state.lost_comments = false;
        walk::walk(branch, self.selection, &mut self.state).map_err(|error| DecryptError::Value {
            document,
            path: error.path,
            kind: match error.cause {
                WalkCause::TooDeep => DecryptErrorKind::TooDeep,
                WalkCause::Visit(kind) => kind,
            },
        })?;
        if self.state.lost_comments {
            rehome::rehome(branch, &mut self.state.cipher, document, &mut self.state.warnings);
        }
        self.state.document += 1;
        Ok(())
    }
}

/// What must be asked for by name.
pub mod danger {
    use crate::document::decrypt::{Decrypted, Decryptor};

    /// Gives out the documents whatever the MAC says: values may have been changed, moved, added or taken away, and
    /// plain values may be anything (`--ignore-mac`).
    #[must_use]
    pub fn finish_ignoring_mac(decryptor: Decryptor<'_>) -> Decrypted {
        let Decryptor { state, branches, .. } = decryptor;
        Decrypted { branches, stash: state.stash, warnings: state.warnings }
    }
}

struct State {
    cipher: Cipher,
    mac: Mac,
    mac_only_encrypted: bool,
    mode: Mode,
    options: Options,
    stash: Stash,
    scratch: Zeroizing<Vec<u8>>,
    document: usize,
    lost_comments: bool,
    warnings: Vec<Warning>,
}

impl State {
    /// Decrypts a leaf's text; nothing if the mode finds that it is plain.
    fn open(&mut self, value: &Value, spot: &Spot<'_>) -> Result<Option<Opened>, DecryptErrorKind> {
        let Value::Text(text) = value else {
            return if spot.encrypted && self.mode != Mode::ByAuthentication {
                Err(DecryptErrorKind::NotText(value.type_name()))
            } else {
                Ok(None)
            };
        };
        if self.mode == Mode::ByAuthentication {
            let Some(envelope) = Envelope::parse(text.expose()) else { return Ok(None) };
            // The MAC tells whether a value was plain. It says nothing of comments, so one that does not authenticate
            // must not become an element.
            let is_comment = envelope.kind() == DataType::Comment.name().as_bytes();
            return match self.cipher.decrypt(text.expose(), spot.aad) {
                Err(CipherError::Authentication | CipherError::Base64(_) | CipherError::EmptyIv)
                    if !is_comment =>
                {
                    Ok(None)
                }
                opened => Ok(Some(opened?)),
            };
        }
        if spot.encrypted { Ok(Some(self.cipher.decrypt(text.expose(), spot.aad)?)) } else { Ok(None) }
    }

    fn hash(&mut self, value: &Value) -> Result<(), DecryptErrorKind> {
        if let Value::Text(text) = value {
            self.mac.update(text.expose());
        } else {
            self.scratch.clear();
            plaintext::write(value, &mut self.scratch)?;
            self.mac.update(&self.scratch);
        }
        Ok(())
    }

    fn remember(&mut self, spot: &Spot<'_>, kind: DataType, bytes: &[u8]) {
        if self.options.with_stash {
            // None, and so not kept, for an empty string without an envelope.
            let iv = self.cipher.last_iv();
            self.stash.insert(self.document, spot.trail, kind, bytes, iv);
        }
    }

    /// Decrypts a comment where it stands, if the rule, or its authentication, says so.
    fn open_comment(&mut self, comment: &mut Comment, spot: &Spot<'_>) -> Result<(), DecryptErrorKind> {
        let by_authentication = self.mode == Mode::ByAuthentication;
        if comment.text.is_empty() {
            return Ok(());
        }
        if !(spot.encrypted || by_authentication) {
            // It can have moved here from a container that is encrypted.
            self.lost_comments |= Envelope::parse(comment.text.expose()).is_some();
            return Ok(());
        }
        let opened = match self.cipher.decrypt(comment.text.expose(), spot.aad) {
            Ok(opened) => opened,
            Err(error) => {
                if error == CipherError::Authentication {
                    self.lost_comments = true;
                } else if !by_authentication {
                    let path = spot.trail.to_path();
                    self.warnings.push(Warning::CommentLeft { document: self.document, path });
                }
                return Ok(());
            }
        };
        match opened.kind {
            DataType::Comment => comment.inline &= self.options.keep_inline,
            // The first versions with comments encrypted them as strings, and hashed them as such.
            DataType::Str | DataType::Bytes => self.mac.update(opened.bytes.expose()),
            other => return Err(DecryptErrorKind::CommentOfType(other.name())),
        }
        self.remember(spot, DataType::Comment, opened.bytes.expose());
        comment.text = opened.bytes;
        Ok(())
    }
}

impl Visitor for State {
    type Error = DecryptErrorKind;

    fn leaf(&mut self, node: &mut Node, in_list: bool, spot: &Spot<'_>) -> Result<(), DecryptErrorKind> {
        let Node::Leaf(value) = node else { return Ok(()) };
        let Some(Opened { kind, bytes }) = self.open(value, spot)? else {
            return if self.mac_only_encrypted { Ok(()) } else { self.hash(value) };
        };
        if kind == DataType::Comment {
            if !in_list {
                return Err(DecryptErrorKind::CommentAsValue);
            }
            self.remember(spot, kind, bytes.expose());
            *node = Node::Comment(Comment { text: bytes, inline: false });
            return Ok(());
        }
        *value = plaintext::read(kind, bytes).map_err(CipherError::from)?;
        let Node::Leaf(value) = &*node else { return Ok(()) };
        self.hash(value)?;
        if self.options.with_stash {
            let mut canonical = Zeroizing::new(Vec::new());
            plaintext::write(value, &mut canonical)?;
            let kind = DataType::of(value).unwrap_or(kind);
            self.remember(spot, kind, &canonical);
        }
        Ok(())
    }

    fn comment(&mut self, comment: &mut Comment, spot: &Spot<'_>) -> Result<(), DecryptErrorKind> {
        self.open_comment(comment, spot)
    }

    fn list_comment(&mut self, node: &mut Node, spot: &Spot<'_>) -> Result<Fate, DecryptErrorKind> {
        match node {
            Node::Comment(comment) => self.open_comment(comment, spot)?,
            // In the lenient mode: an encrypted comment in the form that it has in lists. If the rule has it plain, the
            // comments do not tell, and it must not stay as an element: the next mode is to find out.
            Node::Leaf(_) if !spot.encrypted => return Err(CipherError::Authentication.into()),
            Node::Leaf(_) => self.leaf(node, true, spot)?,
            Node::Map(_) | Node::List(_) => {}
        }
        Ok(Fate::Keep)
    }

    fn acts_as_comment<'n>(&self, node: &'n Node) -> Option<&'n [u8]> {
        match node {
            Node::Comment(comment) => Some(comment.text.expose()),
            Node::Leaf(Value::Text(text)) if self.mode == Mode::Lenient => {
                let envelope = Envelope::parse(text.expose())?;
                (envelope.kind() == DataType::Comment.name().as_bytes()).then_some(text.expose())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
