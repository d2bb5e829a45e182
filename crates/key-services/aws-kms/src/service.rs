//! [`AwsKmsService`]: AWS KMS as a key service of the core (key-services.md section 5).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ksops_core::keys::diagnosis::{Diagnosis, Finding, State};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{KmsKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::runtime::block_on_within;
use tokio::sync::Mutex;

use crate::arn::{region_of, role_session_name};
use crate::failure::Failure;
use crate::kms::{self, Operation};
use crate::session::{AwsSession, Identity};

/// No operation takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Encrypts and decrypts data keys with keys of AWS KMS. Keeps sessions, credentials and connections for the process.
#[derive(Clone, Default)]
pub struct AwsKmsService {
    sessions: Arc<Mutex<HashMap<Identity, Arc<AwsSession>>>>,
}

impl fmt::Debug for AwsKmsService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsKmsService")
    }
}

impl AwsKmsService {
    /// A service that finds credentials as AWS's own tools do: variables, files, roles, instance metadata. Nothing is read or
    /// sent before the first operation.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::default()
    }

    fn run(&self, key: &KmsKey, operation: Operation, body: kms::Body) -> Result<SecretBytes, Failure> {
        let region = region_of(&key.arn)?.to_owned();
        let identity = Identity {
            profile: key.aws_profile.clone(),
            region: region.clone(),
            role: key.role.clone(),
            session_name: if key.role.is_empty() { String::new() } else { role_session_name() },
        };
        let sessions = Arc::clone(&self.sessions);
        block_on_within(LIMIT, async move {
            let session = session(&sessions, identity).await?;
            kms::ask(&session, &region, operation, body).await
        })?
    }

    fn try_encrypt(&self, key: &KmsKey, plain: &SecretBytes) -> Result<EncryptedDataKey, Failure> {
        let cipher = self.run(key, Operation::Encrypt, kms::encrypt_body(key, plain))?;
        Ok(EncryptedDataKey(kms::to_base64(cipher.expose())))
    }

    fn try_decrypt(&self, key: &KmsKey, enc: &EncryptedDataKey) -> Result<SecretBytes, Failure> {
        self.run(key, Operation::Decrypt, kms::decrypt_body(key, &enc.0)?)
    }
}

/// The session of an identity, made once; others wait meanwhile, so that one log-in serves all.
async fn session(
    sessions: &Mutex<HashMap<Identity, Arc<AwsSession>>>,
    identity: Identity,
) -> Result<Arc<AwsSession>, Failure> {
    let mut sessions = sessions.lock().await;
    if let Some(session) = sessions.get(&identity) {
        return Ok(Arc::clone(session));
    }
    let session = Arc::new(AwsSession::new(&identity).await?);
    sessions.insert(identity, Arc::clone(&session));
    Ok(session)
}

impl KeyService for AwsKmsService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::Kms(_))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = kms_key(key)?;
        self.try_encrypt(key, data_key).map_err(|failure| advise(&failure, Operation::Encrypt, key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = kms_key(key)?;
        self.try_decrypt(key, enc).map_err(|failure| advise(&failure, Operation::Decrypt, key))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let key = match kms_key(key) {
            Ok(key) => key,
            Err(error) => return Diagnosis { findings: Vec::new(), result: Err(error) },
        };
        let (operation, outcome) = match enc {
            Some(enc) => (Operation::Decrypt, self.try_decrypt(key, enc).map(Some)),
            // Something that is no secret.
            None => (Operation::Encrypt, self.try_encrypt(key, &SecretBytes::new(vec![0; 32])).map(|_| None)),
        };
        let findings = findings(key, outcome.as_ref().err());
        Diagnosis { findings, result: outcome.map_err(|failure| advise(&failure, operation, key)) }
    }

    fn survey(&self) -> Vec<Finding> {
        let reason = "found when a key needs them: variables, profiles, roles, instance metadata";
        vec![Finding::new("AWS credentials", "AWS_PROFILE, AWS_ACCESS_KEY_ID, …", State::Untried, reason)]
    }
}

/// The steps to a key: who, and what AWS says.
fn findings(key: &KmsKey, failure: Option<&Failure>) -> Vec<Finding> {
    let who = match (key.aws_profile.as_str(), key.role.as_str()) {
        ("", "") => "the default chain".to_owned(),
        (profile, "") => format!("profile {profile}"),
        ("", role) => format!("role {role}"),
        (profile, role) => format!("profile {profile}, role {role}"),
    };
    let (credentials, service) = match failure {
        None => ((State::Used, String::new()), (State::Good, "answers".to_owned())),
        Some(Failure::Name(why)) => ((State::Untried, String::new()), (State::Untried, why.clone())),
        Some(failure @ (Failure::Credentials(_) | Failure::NoRegion)) => {
            ((State::Failed, failure.to_string()), (State::Untried, String::new()))
        }
        Some(failure) => ((State::Used, String::new()), (State::Failed, failure.to_string())),
    };
    let region = region_of(&key.arn).unwrap_or_default();
    vec![
        Finding::new("AWS credentials", who, credentials.0, credentials.1),
        Finding::new("AWS KMS", region, service.0, service.1),
    ]
}

fn kms_key(key: &MasterKey) -> Result<&KmsKey, KeyServiceError> {
    match key {
        MasterKey::Kms(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the AWS key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// Makes the error of a failure: what failed with which key, why, and what helps.
fn advise(failure: &Failure, operation: Operation, key: &KmsKey) -> KeyServiceError {
    let mut error = KeyServiceError::new(format!(
        "{}: failed to {} sops data key with AWS KMS: {failure}",
        key.arn,
        operation.verb()
    ));
    error.hints = failure.hints(operation.action(), &key.arn);
    error
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::KeyService;
    use ksops_core::keys::master_key::{AgeKey, KmsKey, MasterKey};
    use ksops_core::secret::SecretBytes;

    use super::AwsKmsService;

    fn key(arn: &str) -> MasterKey {
        MasterKey::Kms(KmsKey { arn: arn.into(), ..KmsKey::default() })
    }

    #[test]
    fn what_is_no_arn_is_refused_before_any_request() {
        let service = AwsKmsService::from_environment();
        for arn in ["", "alias/x", "1234-5678", "arn:aws:s3:eu-west-1:1:key/k", "arn:aws:kms:a/b:1:key/k"] {
            let error = service.encrypt(&key(arn), &SecretBytes::default()).expect_err(arn);
            assert!(error.message.contains("no valid ARN found"), "{error}");
        }
        assert!(!service.serves(&MasterKey::Age(AgeKey::default())));
    }

    #[test]
    fn an_enc_that_is_no_base64_is_refused_before_any_request() {
        let key = key("arn:aws:kms:eu-west-1:1:key/k");
        let error = AwsKmsService::from_environment()
            .decrypt(&key, &EncryptedDataKey("%".into()))
            .expect_err("refused");
        assert!(error.message.contains("base64"), "{error}");
    }
}
