//! Between the `age` crate and our own kinds of recipients and identities: its traits know only its own errors, and
//! stop at the first identity that fails.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use age::{DecryptError, EncryptError, Identity, Recipient};
use age_core::format::{FileKey, Stanza};
use ksops_core::keys::key_service::KeyServiceError;

use crate::prompt::Prompt;

/// Wraps the file key of an age file for one recipient.
pub(crate) trait Wrap {
    /// The stanzas.
    ///
    /// # Errors
    /// If the recipient cannot be used.
    fn wrap(&self, file_key: &FileKey) -> Result<Vec<Stanza>, KeyServiceError>;
}

/// Unwraps the file key of an age file with one identity.
pub(crate) trait Open: Send + Sync {
    /// The file key; `None` if no stanza is for this identity. Questions go to `prompt`.
    ///
    /// # Errors
    /// If a stanza is for it, or may be, and it does not open.
    fn open(&self, stanzas: &[Stanza], prompt: &Arc<dyn Prompt>) -> Result<Option<FileKey>, KeyServiceError>;

    /// What it is, in words, for people who look for a key.
    fn describe(&self) -> String;

    /// The recipient that belongs to it, if that can be told without asking.
    fn recipient(&self) -> Option<String>;

    /// Whether the user may have to do something.
    fn may_ask(&self) -> bool {
        false
    }
}

/// One of our recipients as one of the crate.
pub(crate) struct Wrapping<'a> {
    inner: &'a dyn Wrap,
    error: RefCell<Option<KeyServiceError>>,
}

impl<'a> Wrapping<'a> {
    pub(crate) fn new(inner: &'a dyn Wrap) -> Self {
        Self { inner, error: RefCell::new(None) }
    }

    /// Why it failed, if it was ours.
    pub(crate) fn into_error(self) -> Option<KeyServiceError> {
        self.error.into_inner()
    }
}

impl Recipient for Wrapping<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        match self.inner.wrap(file_key) {
            // Each of our files has one recipient: no label has to keep others out.
            Ok(stanzas) => Ok((stanzas, HashSet::new())),
            Err(error) => {
                let message = error.message.clone();
                *self.error.borrow_mut() = Some(error);
                Err(EncryptError::Io(io::Error::other(message)))
            }
        }
    }
}

/// All identities as one of the crate: each is tried, errors are kept until all have failed.
pub(crate) struct Trial<'a> {
    identities: &'a [Arc<dyn Open>],
    prompt: &'a Arc<dyn Prompt>,
    errors: RefCell<Vec<KeyServiceError>>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(identities: &'a [Arc<dyn Open>], prompt: &'a Arc<dyn Prompt>) -> Self {
        Self { identities, prompt, errors: RefCell::new(Vec::new()) }
    }

    /// Why identities failed that were tried.
    pub(crate) fn into_errors(self) -> Vec<KeyServiceError> {
        self.errors.into_inner()
    }
}

impl Identity for Trial<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        for identity in self.identities {
            match identity.open(stanzas, self.prompt) {
                Ok(Some(file_key)) => return Some(Ok(file_key)),
                Ok(None) => {}
                Err(error) => self.errors.borrow_mut().push(error),
            }
        }
        None
    }
}

/// A file key of what was unwrapped; `None` if it has another length.
pub(crate) fn file_key(bytes: &[u8]) -> Option<FileKey> {
    FileKey::try_init_with_mut(|key| {
        let fits = bytes.len() == key.len();
        if fits {
            key.copy_from_slice(bytes);
        }
        fits.then_some(()).ok_or(())
    })
    .ok()
}
