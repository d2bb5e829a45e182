//! Encrypting documents, one after another, under one MAC.

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::crypto::cipher::{Cipher, TooLongError};
use crate::crypto::data_key::DataKey;
use crate::crypto::gcm::IV_LEN;
use crate::crypto::iv::IvSource;
use crate::crypto::mac::{self, Mac};
use crate::crypto::plaintext::{self, DataType, UnwritableError};
use crate::document::stash::Stash;
use crate::document::warning::{Warning, place};
use crate::random::{Random, RandomError};
use crate::tree::branch::{Branch, Comment, Entry, Key, Node};
use crate::tree::path::{Trail, TreePath};
use crate::tree::selection::{Rule, Selection};
use crate::tree::walk::{self, Fate, MAX_DEPTH, Spot, Visitor, WalkCause};
use crate::value::Value;

/// Encrypts the documents of one file in place, in their order.
///
/// ```text
/// Encryptor::new → branch, branch, … → finish
/// ```
pub struct Encryptor<'a> {
    selection: &'a Selection,
    reserved: ReservedKeys,
    state: State<'a>,
}

/// Which top-level keys are kept for metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReservedKeys {
    /// The key `sops` (YAML, JSON, binary; in INI the section).
    Block,
    /// Keys that begin with `sops_` (dotenv).
    Prefix,
}

/// What becomes of a selected number whose text would change (security.md S13). What is not selected keeps its text,
/// unless numbers are rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// It is refused.
    #[default]
    Refuse,
    /// Its text is encrypted as a string.
    AsText,
    /// It changes as upstream has it, with a warning.
    Rewrite,
}

/// How many leaves were encrypted. Comments do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Leaves that were encrypted.
    pub encrypted: usize,
    /// Leaves that the rule leaves plain.
    pub plain: usize,
    /// Nulls, and empty strings that the rule has encrypted: they have no encrypted form.
    pub empty: usize,
}

/// What the metadata of the encrypted file must say, and what happened.
pub struct Sealed {
    /// The moment of encryption, in UTC with whole seconds.
    pub last_modified: OffsetDateTime,
    /// The text of the `mac` field.
    pub mac: String,
    /// How many leaves were encrypted.
    pub counts: Counts,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Why a document cannot be encrypted. The document is then partly encrypted and must be thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptError {
    /// The document, from 0.
    pub document: usize,
    /// Where.
    pub path: TreePath,
    /// Why.
    pub kind: EncryptErrorKind,
}

/// Why a document cannot be encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptErrorKind {
    /// A top-level key is kept for metadata.
    #[error("Found key {0:?} in encrypted data, which is {1}")]
    ReservedKey(
        /// The key.
        Key,
        /// What it is kept for.
        &'static str,
    ),
    /// The nesting is too deep.
    #[error("the document is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A timestamp has no text form.
    #[error("Could not convert value to bytes: {0}")]
    Unwritable(#[from] UnwritableError),
    /// A value is too long for the cipher.
    #[error("Could not encrypt value: {0}")]
    TooLong(#[from] TooLongError),
    /// No randomness.
    #[error("Could not generate random bytes for IV: {0}")]
    Random(#[from] RandomError),
    /// The rule would take the comment's ciphertext for a comment that leaves plain.
    #[error(
        "Encrypted comment matches UnencryptedCommentRegex! The expression must not match encrypted text; anchor it or \
         make it longer"
    )]
    CommentMatchesRule,
    /// A number would come back with another text.
    #[error(
        "the number is written in a form that encrypting does not keep (such as 1.10, 0x1F or 25 digits); put it into \
         quotes, or write it in the usual form"
    )]
    InexactNumber,
    /// Nobody could decrypt the file.
    #[error(
        "with encrypted_comment_regex, a second comment behind a matching one in a list gives a file that cannot be \
         decrypted; put the comments before the list's key, or the matching one last"
    )]
    CommentAfterMatchInList,
    /// The comment moves when the file is read again.
    #[error(
        "a comment that selects values must not be the first thing in a mapping or list that is itself an element of \
         a list: it would be read as a comment of the outer list; put it behind the value on the same line, or before \
         the key that holds the list"
    )]
    CommentHeadsListItem,
}

impl EncryptErrorKind {
    /// Whether it is a top-level key that is kept for metadata; upstream tells that with another exit status.
    #[must_use]
    pub fn is_reserved_key(&self) -> bool {
        matches!(self, Self::ReservedKey(..))
    }
}

impl std::fmt::Display for EncryptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            EncryptErrorKind::ReservedKey(..) | EncryptErrorKind::Random(_) => write!(f, "{}", self.kind),
            kind => write!(f, "Error walking tree: {kind} (at {})", place(self.document, &self.path)),
        }
    }
}

impl std::error::Error for EncryptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}

impl<'a> Encryptor<'a> {
    /// Sets up the encryption of one file. With a `stash`, unchanged values keep their text.
    #[must_use]
    pub fn new(
        key: &DataKey,
        selection: &'a Selection,
        mac_only_encrypted: bool,
        random: &'a dyn Random,
        stash: Option<Stash>,
    ) -> Self {
        Self {
            selection,
            reserved: ReservedKeys::Block,
            state: State {
                cipher: Cipher::new(key),
                ivs: IvSource::new(random),
                mac: Mac::new(mac_only_encrypted),
                mac_only_encrypted,
                refuses_own_hits: matches!(selection.rule(), Rule::UnencryptedCommentRegex(_)),
                hits_encrypt: matches!(selection.rule(), Rule::EncryptedCommentRegex(_)),
                selection,
                stash,
                seals_empty: false,
                scratch: Zeroizing::new(Vec::with_capacity(512)),
                numbers: Numbers::default(),
                document: 0,
                counts: Counts::default(),
                warnings: Vec::new(),
            },
        }
    }

    /// Says which top-level keys are refused; without this call the key `sops`.
    #[must_use]
    pub fn reserving(mut self, reserved: ReservedKeys) -> Self {
        self.reserved = reserved;
        self
    }

    /// Says what becomes of numbers that would change; without this call they are refused.
    #[must_use]
    pub fn numbers(mut self, numbers: Numbers) -> Self {
        self.state.numbers = numbers;
        self
    }

    /// Encrypts empty strings, too. Upstream leaves them as they are and cannot read them encrypted, so this is for
    /// formats that it does not have: rops encrypts them and demands it.
    #[must_use]
    pub fn sealing_empty_strings(mut self) -> Self {
        self.state.seals_empty = true;
        self
    }

    /// Encrypts the next document in place.
    ///
    /// # Errors
    /// [`EncryptError`] if it cannot be encrypted, or not so that it can be decrypted again.
    pub fn branch(&mut self, branch: &mut Branch) -> Result<(), EncryptError> {
        let document = self.state.document;
        if let Some(kind) = reserved_key(branch, self.reserved) {
            return Err(EncryptError { document, path: TreePath::default(), kind });
        }
        walk::walk(branch, self.selection, &mut self.state).map_err(|error| EncryptError {
            document,
            path: error.path,
            kind: match error.cause {
                WalkCause::TooDeep => EncryptErrorKind::TooDeep,
                WalkCause::Visit(kind) => kind,
            },
        })?;
        self.state.document += 1;
        Ok(())
    }

    /// Ends the file: computes and encrypts the MAC.
    ///
    /// # Errors
    /// [`EncryptError`] if there is no randomness.
    pub fn finish(self, now: OffsetDateTime) -> Result<Sealed, EncryptError> {
        let mut state = self.state;
        let failed = |kind| EncryptError { document: 0, path: TreePath::default(), kind };
        let last_modified = now.to_offset(time::UtcOffset::UTC);
        let last_modified = last_modified.replace_nanosecond(0).unwrap_or(last_modified);
        let text = state.mac.finish();
        let iv = state.ivs.next_iv().map_err(|error| failed(error.into()))?;
        let aad = mac::additional_data(last_modified);
        let mac = state
            .cipher
            .encrypt(DataType::Str, text.as_bytes(), &iv, &aad)
            .map_err(|error| failed(error.into()))?;
        Ok(Sealed {
            last_modified,
            mac: String::from_utf8_lossy(&mac).into_owned(),
            counts: state.counts,
            warnings: state.warnings,
        })
    }
}

/// Finds a top-level key that is kept for metadata.
#[must_use]
pub fn reserved_key(branch: &Branch, reserved: ReservedKeys) -> Option<EncryptErrorKind> {
    branch.entries.iter().find_map(|entry| match entry {
        Entry::Item(key, _) => match reserved {
            ReservedKeys::Block if key.as_bytes() == b"sops" => {
                Some(EncryptErrorKind::ReservedKey(key.clone(), "a reserved key used for SOPS metadata"))
            }
            ReservedKeys::Prefix if key.as_bytes().starts_with(b"sops_") => {
                Some(EncryptErrorKind::ReservedKey(
                    key.clone(),
                    "reserved for SOPS metadata, as all keys are that start with \"sops_\"",
                ))
            }
            _ => None,
        },
        Entry::Comment(_) => None,
    })
}

struct State<'a> {
    cipher: Cipher,
    ivs: IvSource<'a>,
    mac: Mac,
    mac_only_encrypted: bool,
    refuses_own_hits: bool,
    hits_encrypt: bool,
    selection: &'a Selection,
    stash: Option<Stash>,
    seals_empty: bool,
    scratch: Zeroizing<Vec<u8>>,
    numbers: Numbers,
    document: usize,
    counts: Counts,
    warnings: Vec<Warning>,
}

impl State<'_> {
    fn written_number(&mut self, value: &mut Value, spot: &Spot<'_>) -> Result<(), EncryptErrorKind> {
        match (self.numbers, spot.encrypted) {
            (Numbers::Refuse, true) => return Err(EncryptErrorKind::InexactNumber),
            (Numbers::Refuse | Numbers::AsText, false) => {}
            (Numbers::AsText, true) => {
                if let Value::Written(number) = value {
                    *value = Value::Text(std::mem::take(&mut number.text));
                }
            }
            (Numbers::Rewrite, is_encrypted) => {
                value.forget_text();
                if is_encrypted {
                    let path = spot.trail.to_path();
                    self.warnings.push(Warning::NumberRewritten { document: self.document, path });
                }
            }
        }
        Ok(())
    }

    fn iv(&mut self, trail: &Trail<'_>, kind: DataType, bytes: &[u8]) -> Result<[u8; IV_LEN], RandomError> {
        let stash = self.stash.as_mut();
        match stash.and_then(|stash| stash.take(self.document, trail, kind, bytes)) {
            Some(iv) => Ok(iv),
            None => self.ivs.next_iv(),
        }
    }

    /// Refuses comments that would select other values when the file is read again (file-format.md section 3.3).
    fn check_comment(
        &self,
        comment: &Comment,
        in_list: bool,
        spot: &Spot<'_>,
    ) -> Result<(), EncryptErrorKind> {
        if in_list && self.hits_encrypt && spot.by_siblings {
            return Err(EncryptErrorKind::CommentAfterMatchInList);
        }
        if spot.decides && spot.heads_list_item && !comment.inline {
            return Err(EncryptErrorKind::CommentHeadsListItem);
        }
        Ok(())
    }

    fn encrypt_comment(&mut self, text: &[u8], spot: &Spot<'_>) -> Result<Vec<u8>, EncryptErrorKind> {
        let iv = self.iv(spot.trail, DataType::Comment, text)?;
        let envelope = self.cipher.encrypt(DataType::Comment, text, &iv, spot.aad)?;
        if self.refuses_own_hits && self.selection.comment_hits(&envelope) {
            return Err(EncryptErrorKind::CommentMatchesRule);
        }
        Ok(envelope)
    }
}

impl Visitor for State<'_> {
    type Error = EncryptErrorKind;

    fn leaf(&mut self, node: &mut Node, _: bool, spot: &Spot<'_>) -> Result<(), EncryptErrorKind> {
        let Node::Leaf(value) = node else { return Ok(()) };
        if matches!(value, Value::Written(_)) {
            self.written_number(value, spot)?;
        }
        let Some(kind) = DataType::of(value) else { return Ok(()) };
        if !spot.encrypted && self.mac_only_encrypted {
            // Neither encrypted nor hashed, so it needs no text form, as upstream has it.
            self.counts.plain += 1;
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let bytes = if let Value::Text(text) = &*value {
            text.expose()
        } else {
            plaintext::write(value, &mut scratch)?;
            scratch.as_slice()
        };
        self.mac.update(bytes);
        if !spot.encrypted {
            self.counts.plain += 1;
        } else if bytes.is_empty() && !self.seals_empty {
            self.counts.empty += 1;
        } else {
            let iv = self.iv(spot.trail, kind, bytes)?;
            let envelope = self.cipher.seal(kind, bytes, &iv, spot.aad)?;
            *value = Value::text(envelope);
            self.counts.encrypted += 1;
        }
        self.scratch = scratch;
        Ok(())
    }

    fn comment(&mut self, comment: &mut Comment, spot: &Spot<'_>) -> Result<(), EncryptErrorKind> {
        self.check_comment(comment, false, spot)?;
        if spot.encrypted && !comment.text.is_empty() {
            comment.text = self.encrypt_comment(comment.text.expose(), spot)?.into();
        }
        Ok(())
    }

    fn list_comment(&mut self, node: &mut Node, spot: &Spot<'_>) -> Result<Fate, EncryptErrorKind> {
        let Node::Comment(comment) = node else { return Ok(Fate::Keep) };
        self.check_comment(comment, true, spot)?;
        if !spot.encrypted {
            return Ok(Fate::Keep);
        }
        if comment.text.is_empty() {
            let path = spot.trail.to_path();
            self.warnings.push(Warning::EmptyCommentDropped { document: self.document, path });
            return Ok(Fate::Drop);
        }
        let envelope = self.encrypt_comment(comment.text.expose(), spot)?;
        *node = Node::Leaf(Value::text(envelope));
        Ok(Fate::Keep)
    }

    fn null(&mut self) {
        self.counts.empty += 1;
    }
}

#[cfg(test)]
mod tests;
