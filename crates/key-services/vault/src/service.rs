//! [`TransitService`]: the transit engine as a key service of the core (key-services.md section 7).

use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{HcVaultKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::message::Method;
use zeroize::Zeroizing;

use crate::client::{Call, VaultClient};
use crate::diagnosis;
use crate::failure::Failure;
use crate::settings::VaultSettings;
use crate::transit::{self, Operation};

/// Encrypts and decrypts data keys with transit keys of Vault and OpenBao. Keeps connections and token for the process.
#[derive(Debug)]
pub struct TransitService {
    client: VaultClient,
}

impl TransitService {
    /// A service with these settings.
    #[must_use]
    pub fn new(settings: VaultSettings) -> Self {
        Self { client: VaultClient::new(settings) }
    }

    fn call(
        &self,
        key: &HcVaultKey,
        operation: Operation,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let settings = self.client.settings();
        // A file names the server, so this comes before anything else.
        settings.allow_list.check(&key.vault_address).map_err(Failure::Refused)?;
        if key.engine_path.is_empty() || key.key_name.is_empty() || key.key_name.contains('/') {
            return Err(Failure::Refused(
                "the key needs an engine path and a name without a slash".to_owned(),
            ));
        }
        let address = settings.agent_address.as_deref().unwrap_or(&key.vault_address);
        self.client.call(Call { method: Method::Put, address, path: &operation.path(key), body })
    }

    fn try_encrypt(&self, key: &HcVaultKey, plain: &SecretBytes) -> Result<EncryptedDataKey, Failure> {
        let answer = self.call(key, Operation::Encrypt, transit::encrypt_body(plain))?;
        transit::ciphertext(answer.as_ref().map(|body| body.as_slice())).map(EncryptedDataKey)
    }

    fn try_decrypt(&self, key: &HcVaultKey, enc: &EncryptedDataKey) -> Result<SecretBytes, Failure> {
        let answer = self.call(key, Operation::Decrypt, transit::decrypt_body(&enc.0))?;
        transit::plaintext(answer.as_ref().map(|body| body.as_slice()))
    }
}

impl KeyService for TransitService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::HcVault(_))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = vault_key(key)?;
        self.try_encrypt(key, data_key).map_err(|failure| advise(&failure, Operation::Encrypt, key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = vault_key(key)?;
        self.try_decrypt(key, enc).map_err(|failure| advise(&failure, Operation::Decrypt, key))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let key = match vault_key(key) {
            Ok(key) => key,
            Err(error) => return Diagnosis { findings: Vec::new(), result: Err(error) },
        };
        let (operation, outcome) = match enc {
            Some(enc) => (Operation::Decrypt, self.try_decrypt(key, enc).map(Some)),
            // Something that is no secret.
            None => (Operation::Encrypt, self.try_encrypt(key, &SecretBytes::new(vec![0; 32])).map(|_| None)),
        };
        let findings = diagnosis::findings(self.client.settings(), key, outcome.as_ref().err());
        Diagnosis { findings, result: outcome.map_err(|failure| advise(&failure, operation, key)) }
    }

    fn survey(&self) -> Vec<Finding> {
        diagnosis::survey(self.client.settings())
    }
}

fn vault_key(key: &MasterKey) -> Result<&HcVaultKey, KeyServiceError> {
    match key {
        MasterKey::HcVault(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the Vault key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// Makes the error of a failure: what failed with which key, why, and what helps.
fn advise(failure: &Failure, operation: Operation, key: &HcVaultKey) -> KeyServiceError {
    let done = match operation {
        Operation::Encrypt => "the data key could not be encrypted",
        Operation::Decrypt => "the data key could not be decrypted",
    };
    let name = MasterKey::HcVault(key.clone());
    let mut error = KeyServiceError::new(format!("{name}: {done}: {failure}"));
    error.hints = failure.hints(&operation.path(key), "update");
    if matches!(failure, Failure::Garbage(_)) {
        error.hints.push("check that the address is that of a Vault or OpenBao server".to_owned());
    }
    error
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::KeyService;
    use ksops_core::keys::master_key::{AgeKey, HcVaultKey, MasterKey};
    use ksops_core::secret::SecretBytes;

    use super::TransitService;
    use crate::allow_list::AllowList;
    use crate::settings::VaultSettings;

    fn key(address: &str, engine: &str, name: &str) -> MasterKey {
        MasterKey::HcVault(HcVaultKey {
            vault_address: address.into(),
            engine_path: engine.into(),
            key_name: name.into(),
        })
    }

    #[test]
    fn a_server_that_is_not_on_the_list_is_not_asked() {
        let allow_list = AllowList::parse("https://vault.example");
        let service = TransitService::new(VaultSettings { allow_list, ..VaultSettings::default() });
        let key = key("http://127.0.0.1:1", "transit", "k");
        let encrypted = service.encrypt(&key, &SecretBytes::default()).map(|_| ());
        let decrypted = service.decrypt(&key, &EncryptedDataKey("vault:v1:x".into())).map(|_| ());
        for outcome in [encrypted, decrypted] {
            let error = outcome.expect_err("refused");
            assert!(error.message.contains("nothing was sent"), "{error}");
        }
    }

    #[test]
    fn names_that_would_change_the_path_are_refused() {
        let service = TransitService::new(VaultSettings::default());
        for (engine, name) in [("", "k"), ("transit", ""), ("transit", "a/b"), ("..", "k"), ("transit", "..")]
        {
            let error = service.encrypt(&key("http://127.0.0.1:1", engine, name), &SecretBytes::default());
            let error = error.expect_err("refused").message;
            assert!(!error.contains("connect"), "{error}");
        }
        assert!(!service.serves(&MasterKey::Age(AgeKey::default())));
    }

    #[test]
    fn a_refused_connection_has_advice() {
        let settings = VaultSettings { max_retries: Some("0".into()), ..VaultSettings::default() };
        let error = TransitService::new(settings)
            .encrypt(&key("http://127.0.0.1:1", "transit", "k"), &SecretBytes::default())
            .expect_err("refused");
        assert!(error.message.contains("could not connect"), "{error}");
        assert!(error.hints[0].contains("127.0.0.1:1"), "{:?}", error.hints);
    }
}
