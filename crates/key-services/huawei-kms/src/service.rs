//! [`HuaweiKmsService`]: Huawei Cloud KMS as a key service of the core (key-services.md section 8).

use std::sync::Arc;

use ksops_core::keys::diagnosis::{Diagnosis, Finding, State};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{HckmsKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::message::Response;
use ksops_transport::runtime::block_on_within;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::kms::{self, Operation};
use crate::session::Session;
use crate::settings::HuaweiSettings;

/// Encrypts and decrypts data keys with keys of Huawei Cloud KMS. Keeps access key, project and connections for the process.
pub struct HuaweiKmsService {
    settings: Arc<HuaweiSettings>,
    session: Arc<OnceCell<Session>>,
}

impl HuaweiKmsService {
    /// A service with these settings. Nothing is read or sent before the first operation.
    #[must_use]
    pub fn new(settings: HuaweiSettings) -> Self {
        Self { settings: Arc::new(settings), session: Arc::default() }
    }

    fn send(
        &self,
        region: &str,
        operation: Operation,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Response, Failure> {
        let (settings, session, region) =
            (Arc::clone(&self.settings), Arc::clone(&self.session), region.to_owned());
        block_on_within(self.settings.time_limit, async move {
            let session = session.get_or_try_init(|| Session::new(&settings)).await?;
            session.post(&settings, &region, operation.path(), body).await
        })?
    }

    fn try_encrypt(&self, key: &HckmsKey, plain: &SecretBytes) -> Result<EncryptedDataKey, Failure> {
        let (region, id) = kms::parts(&key.key_id)?;
        let answer = self.send(region, Operation::Encrypt, kms::encrypt_body(id, plain))?;
        kms::ciphertext(&answer.body).map(EncryptedDataKey)
    }

    fn try_decrypt(&self, key: &HckmsKey, enc: &EncryptedDataKey) -> Result<SecretBytes, Failure> {
        let (region, id) = kms::parts(&key.key_id)?;
        let answer = self.send(region, Operation::Decrypt, kms::decrypt_body(id, &enc.0))?;
        kms::plaintext(&answer.body)
    }
}

impl KeyService for HuaweiKmsService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::Hckms(_))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = huawei_key(key)?;
        self.try_encrypt(key, data_key).map_err(|failure| advise(&failure, Operation::Encrypt, key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = huawei_key(key)?;
        self.try_decrypt(key, enc).map_err(|failure| advise(&failure, Operation::Decrypt, key))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let key = match huawei_key(key) {
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
        let region = kms::parts(&key.key_id).map(|(region, _)| region).unwrap_or_default();
        let findings = vec![
            Finding::new("Huawei credentials", source(&self.settings), credentials.0, credentials.1),
            Finding::new("Huawei KMS", self.settings.kms_address(region), service.0, service.1),
        ];
        Diagnosis { findings, result: outcome.map_err(|failure| advise(&failure, operation, key)) }
    }

    fn survey(&self) -> Vec<Finding> {
        vec![Finding::new("Huawei credentials", source(&self.settings), State::Untried, "not asked")]
    }
}

fn source(settings: &HuaweiSettings) -> String {
    match settings {
        HuaweiSettings { access_key: Some(_), .. } => "HUAWEICLOUD_SDK_AK".to_owned(),
        HuaweiSettings { credentials_file: Some(path), .. } if path.exists() => path.display().to_string(),
        _ => "metadata service".to_owned(),
    }
}

fn huawei_key(key: &MasterKey) -> Result<&HckmsKey, KeyServiceError> {
    match key {
        MasterKey::Hckms(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the Huawei key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// Makes the error of a failure: what failed with which key, why, and what helps.
fn advise(failure: &Failure, operation: Operation, key: &HckmsKey) -> KeyServiceError {
    let (name, verb) = (&key.key_id, operation.verb());
    let mut error = KeyServiceError::new(format!(
        "{name}: failed to {verb} sops data key with HuaweiCloud KMS: {failure}"
    ));
    error.hints = failure.hints(operation.action());
    error
}
