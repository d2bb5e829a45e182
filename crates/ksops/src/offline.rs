//! A key service that may not use the network.

use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{KeyType, MasterKey};
use ksops_core::secret::SecretBytes;

/// Lets through what needs nobody: kinds of keys that are used on this machine, and Azure's, whose service knows what it
/// can do alone.
pub(crate) struct Offline(pub Box<dyn KeyService>);

fn check(key: &MasterKey) -> Result<(), KeyServiceError> {
    match key.key_type() {
        KeyType::Age | KeyType::Pgp | KeyType::AzureKv => Ok(()),
        kind => {
            Err(KeyServiceError::new(format!("{key}: a key of type {kind} needs the network (--offline)")))
        }
    }
}

impl KeyService for Offline {
    fn serves(&self, key: &MasterKey) -> bool {
        self.0.serves(key)
    }

    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        check(key)?;
        self.0.resolve(key)
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        check(key)?;
        self.0.encrypt(key, data_key)
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        check(key)?;
        self.0.decrypt(key, enc)
    }

    fn may_ask(&self, key: &MasterKey) -> bool {
        self.0.may_ask(key)
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        match check(key) {
            Ok(()) => self.0.diagnose(key, enc),
            Err(error) => Diagnosis { findings: Vec::new(), result: Err(error) },
        }
    }

    fn take_notices(&self) -> Vec<String> {
        self.0.take_notices()
    }

    fn survey(&self) -> Vec<Finding> {
        self.0.survey()
    }
}
