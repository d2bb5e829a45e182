//! [`GcpKmsService`]: Cloud KMS as a key service of the core (key-services.md section 6).

use std::sync::{Arc, OnceLock};

use ksops_core::keys::diagnosis::{Diagnosis, Finding, State};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{GcpKmsKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::message::{Request, Response};
use ksops_transport::runtime::block_on_within;

use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::kms::{self, Operation};
use crate::session::GcpSession;
use crate::settings::GcpSettings;

/// Encrypts and decrypts data keys with keys of Google Cloud KMS. Keeps token and connections for the process.
#[derive(Debug)]
pub struct GcpKmsService {
    settings: GcpSettings,
    session: OnceLock<Result<Arc<GcpSession>, Failure>>,
}

impl GcpKmsService {
    /// A service with these settings. Nothing is read or sent before the first operation.
    #[must_use]
    pub fn new(settings: GcpSettings) -> Self {
        Self { settings, session: OnceLock::new() }
    }

    fn send(&self, request: Request) -> Result<Response, Failure> {
        let session = self.session.get_or_init(|| GcpSession::new(&self.settings).map(Arc::new));
        let session = Arc::clone(session.as_ref().map_err(Clone::clone)?);
        block_on_within(self.settings.time_limit, async move { session.send(request).await })?
    }

    fn try_encrypt(&self, key: &GcpKmsKey, plain: &SecretBytes) -> Result<EncryptedDataKey, Failure> {
        kms::check(&key.resource_id)?;
        let request = kms::encrypt(&self.settings.kms_address(), &key.resource_id, plain);
        kms::ciphertext(&self.send(request)?.body).map(EncryptedDataKey)
    }

    fn try_decrypt(&self, key: &GcpKmsKey, enc: &EncryptedDataKey) -> Result<SecretBytes, Failure> {
        kms::check(&key.resource_id)?;
        let request = kms::decrypt(&self.settings.kms_address(), &key.resource_id, &enc.0)?;
        kms::plaintext(&self.send(request)?.body)
    }
}

impl KeyService for GcpKmsService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::GcpKms(_))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = gcp_key(key)?;
        self.try_encrypt(key, data_key).map_err(|failure| advise(&failure, Operation::Encrypt, key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = gcp_key(key)?;
        self.try_decrypt(key, enc).map_err(|failure| advise(&failure, Operation::Decrypt, key))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let key = match gcp_key(key) {
            Ok(key) => key,
            Err(error) => return Diagnosis { findings: Vec::new(), result: Err(error) },
        };
        let (operation, outcome) = match enc {
            Some(enc) => (Operation::Decrypt, self.try_decrypt(key, enc).map(Some)),
            // Something that is no secret.
            None => (Operation::Encrypt, self.try_encrypt(key, &SecretBytes::new(vec![0; 32])).map(|_| None)),
        };
        let (credentials, service) = match outcome.as_ref().err() {
            None => ((State::Used, String::new()), (State::Good, "answers".to_owned())),
            Some(Failure::Name(why)) => ((State::Untried, String::new()), (State::Untried, why.clone())),
            Some(failure @ Failure::Credentials(_)) => {
                ((State::Failed, failure.to_string()), (State::Untried, String::new()))
            }
            Some(failure) => ((State::Used, String::new()), (State::Failed, failure.to_string())),
        };
        let (name, address) = (Credentials::name(&self.settings), self.settings.kms_address());
        let findings = vec![
            Finding::new("Google credentials", name, credentials.0, credentials.1),
            Finding::new("Cloud KMS", address, service.0, service.1),
        ];
        Diagnosis { findings, result: outcome.map_err(|failure| advise(&failure, operation, key)) }
    }

    fn survey(&self) -> Vec<Finding> {
        let name = Credentials::name(&self.settings);
        vec![Finding::new("Google credentials", name, State::Untried, "not asked")]
    }
}

fn gcp_key(key: &MasterKey) -> Result<&GcpKmsKey, KeyServiceError> {
    match key {
        MasterKey::GcpKms(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the Google key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// Makes the error of a failure: what failed with which key, why, and what helps.
fn advise(failure: &Failure, operation: Operation, key: &GcpKmsKey) -> KeyServiceError {
    let name = &key.resource_id;
    let verb = operation.verb();
    let mut error =
        KeyServiceError::new(format!("{name}: failed to {verb} sops data key with GCP KMS key: {failure}"));
    error.hints = failure.hints(operation.permission(), name);
    error
}
