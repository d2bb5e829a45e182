//! The one trait through which the core reaches any key service.

use std::sync::Arc;

use crate::keys::diagnosis::{Diagnosis, Finding};
use crate::keys::key_group::EncryptedDataKey;
use crate::keys::master_key::{KeyType, MasterKey};
use crate::secret::SecretBytes;

/// Encrypts and decrypts data keys (or shares of them: 33 bytes) under master keys of some kinds.
pub trait KeyService: Send + Sync {
    /// Whether this service handles keys of this kind.
    fn serves(&self, key: &MasterKey) -> bool;

    /// Settles what the name of a key leaves open, before the key is written to a file: an Azure key
    /// without a version becomes one with the newest version. The default gives the key back.
    ///
    /// # Errors
    /// [`KeyServiceError`] if the service could not be asked or refused.
    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        Ok(key.clone())
    }

    /// Encrypts `data_key` under `key`.
    ///
    /// # Errors
    /// [`KeyServiceError`] if the key cannot be used.
    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError>;

    /// Decrypts `enc` under `key`.
    ///
    /// # Errors
    /// [`KeyServiceError`] if the key cannot be used or did not make `enc`.
    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError>;

    /// Whether decrypting with `key` may need a person: a passphrase, a touch. Such keys are asked alone and in their turn.
    fn may_ask(&self, _: &MasterKey) -> bool {
        false
    }

    /// Tells which credentials there are for `key`, and how far each gets: by decrypting `enc`, or without one by what
    /// can be tried else. The default has nothing to tell beside the outcome.
    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let result = enc.map(|enc| self.decrypt(key, enc)).transpose();
        Diagnosis { findings: Vec::new(), result }
    }

    /// Gives out what the user should know of the operations so far, a sentence each; every one is given once.
    fn take_notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells which credentials are set up, without any key and without asking anybody.
    fn survey(&self) -> Vec<Finding> {
        Vec::new()
    }
}

/// A service that several threads ask.
impl KeyService for Arc<dyn KeyService> {
    fn serves(&self, key: &MasterKey) -> bool {
        self.as_ref().serves(key)
    }

    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        self.as_ref().resolve(key)
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        self.as_ref().encrypt(key, data_key)
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        self.as_ref().decrypt(key, enc)
    }

    fn may_ask(&self, key: &MasterKey) -> bool {
        self.as_ref().may_ask(key)
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        self.as_ref().diagnose(key, enc)
    }

    fn survey(&self) -> Vec<Finding> {
        self.as_ref().survey()
    }

    fn take_notices(&self) -> Vec<String> {
        self.as_ref().take_notices()
    }
}

/// Why a key service failed; never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyServiceError {
    /// What failed and why, one or more lines.
    pub message: String,
    /// What the user can do about it, one sentence each.
    pub hints: Vec<String>,
}

impl KeyServiceError {
    /// An error without hints.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new() }
    }

    /// No service handles keys of this kind.
    #[must_use]
    pub fn unserved(kind: KeyType) -> Self {
        Self::new(format!("no key service handles keys of type {kind}")).with_hint(format!(
            "this build has no service for keys of type {kind}: another build, sops, or a key service elsewhere \
             (`--keyservice`) may have one; the key stays in the file"
        ))
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
