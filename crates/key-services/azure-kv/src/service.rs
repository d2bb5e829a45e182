//! [`AzureKvService`]: Azure Key Vault as a key service of the core.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ksops_core::keys::diagnosis::{Diagnosis, Finding};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AzureKvKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::pace::Pace;
use ksops_transport::retry::RetryPolicy;
use ksops_transport::runtime::{block_on, block_on_within};

use crate::advice::{Operation, advise};
use crate::chain::{Chain, RealSource};
use crate::diagnosis::{self, Trial};
use crate::failure::Failure;
use crate::key_url::url_of;
use crate::offline::cache::KeyCache;
use crate::offline::key_file::{KnownKey, is_same};
use crate::offline::known::KnownKeys;
use crate::settings::AzureSettings;
use crate::vault::{Vault, decode_enc};
use crate::vault_host::{self, VaultHostError};

/// Encrypts and decrypts data keys with keys of Azure Key Vault and Managed HSM.
///
/// One value for the process: it keeps the tokens, the connections and what the vaults' challenges said. Nothing is
/// read or sent before the first operation.
pub struct AzureKvService {
    settings: Arc<AzureSettings>,
    policy: RetryPolicy,
    known: KnownKeys,
    notices: Mutex<Vec<String>>,
    shared: OnceLock<Result<Shared, Failure>>,
    vaults: Mutex<HashMap<String, Arc<Vault>>>,
}

/// What all vaults use together.
struct Shared {
    client: HttpsClient,
    chain: Arc<Chain>,
}

impl fmt::Debug for AzureKvService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AzureKvService")
    }
}

impl AzureKvService {
    /// A service with these settings.
    #[must_use]
    pub fn new(settings: AzureSettings) -> Self {
        let cache = settings.key_cache.clone().map(KeyCache::at);
        Self {
            known: KnownKeys::new(settings.public_keys.clone(), cache),
            notices: Mutex::default(),
            policy: RetryPolicy {
                unit: settings.retry_unit,
                pace: Some(Arc::new(Pace::new(settings.max_requests))),
                ..RetryPolicy::default()
            },
            settings: Arc::new(settings),
            shared: OnceLock::new(),
            vaults: Mutex::default(),
        }
    }

    /// Asks the vault for the newest version of a key, whatever version `key` names.
    ///
    /// # Errors
    /// [`KeyServiceError`] if the vault could not be asked or refused.
    pub fn resolve_latest(&self, key: &AzureKvKey) -> Result<AzureKvKey, KeyServiceError> {
        let name = key.name.clone();
        let version = self.run(key, move |vault| async move { vault.newest_version(&name).await });
        match version {
            Ok(version) => Ok(AzureKvKey { version, ..key.clone() }),
            Err(failure) => {
                let mut error = advise(&failure, Operation::Get, key);
                error.message =
                    format!("failed to fetch Azure Key to retrieve key version: {}", error.message);
                Err(error)
            }
        }
    }

    /// Asks the vault for the public half of a key, of its newest version if none is named. It is what encrypting needs
    /// without a vault.
    ///
    /// # Errors
    /// [`KeyServiceError`] if the vault could not be asked or refused, or the key is none that can be used.
    pub fn fetch_public_key(&self, key: &AzureKvKey) -> Result<KnownKey, KeyServiceError> {
        let (name, version) = (key.name.clone(), key.version.clone());
        let answer = self.run(key, move |vault| async move { vault.public_half(&name, &version).await });
        let answer = answer.map_err(|failure| advise(&failure, Operation::Get, key))?;
        let refused = |reason: String| KeyServiceError::new(format!("{}: {reason}", url_of(key)));
        let declared = (!key.version.is_empty()).then_some(key);
        let known = KnownKey::from_json(&answer, declared).map_err(refused)?;
        let named = AzureKvKey { version: known.key.version.clone(), ..key.clone() };
        if !is_same(&known.key, &named) {
            return Err(refused(format!("the vault answered with the key {}", url_of(&known.key))));
        }
        Ok(known)
    }

    /// Encrypts with a public key that is at hand; `None` if there is none.
    fn encrypt_here(
        &self,
        key: &AzureKvKey,
        data_key: &SecretBytes,
    ) -> Result<Option<EncryptedDataKey>, String> {
        let Some(found) = self.known.find(key)? else { return Ok(None) };
        let made = found.known.public.encrypt(data_key);
        let enc = made.map_err(|error| format!("the public key in {}: {error}", found.place))?;
        if self.known.is_first_use(&found.known) {
            self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(format!(
                "{} is encrypted for without the vault, by the public key in {} (SHA256:{})",
                url_of(key),
                found.place,
                found.known.public.thumbprint()
            ));
        }
        Ok(Some(EncryptedDataKey(enc)))
    }

    /// Runs an operation on the vault of `key` within the time limit.
    fn run<T, F>(
        &self,
        key: &AzureKvKey,
        operation: impl FnOnce(Arc<Vault>) -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        check_names(key)?;
        if self.settings.offline {
            return Err(Failure::Offline);
        }
        let vault = self.vault(&key.vault_url)?;
        block_on_within(self.settings.time_limit, async move { operation(vault).await })?
    }

    fn try_decrypt(&self, key: &AzureKvKey, enc: &str) -> Result<SecretBytes, Failure> {
        let (name, version) = (key.name.clone(), key.version.clone());
        let cipher = decode_enc(enc)?;
        self.run(key, move |vault| async move { vault.decrypt(&name, &version, &cipher).await })
    }

    /// Encrypts something that is no secret.
    fn try_encrypt(&self, key: &AzureKvKey) -> Result<(), Failure> {
        let (name, version, plain) = (key.name.clone(), key.version.clone(), SecretBytes::new(vec![0; 32]));
        self.run(key, move |vault| async move { vault.encrypt(&name, &version, &plain).await }).map(|_| ())
    }

    /// The client of a vault, made once.
    fn vault(&self, vault_url: &str) -> Result<Arc<Vault>, Failure> {
        let url =
            vault_host::check(vault_url, &self.settings.vault_suffixes).map_err(|error| Failure::Host {
                unknown_suffix: matches!(error, VaultHostError::Unknown(_)),
                message: error.to_string(),
            })?;
        let shared = self.shared.get_or_init(|| self.connect()).as_ref().map_err(Clone::clone)?;
        // A thread that panicked while it held the lock leaves the map whole.
        let mut vaults = self.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vault) = vaults.get(url.as_str()) {
            return Ok(Arc::clone(vault));
        }
        let name = url.to_string();
        let vault = Arc::new(Vault::new(url, Arc::clone(&shared.chain), &shared.client, &self.policy)?);
        vaults.insert(name, Arc::clone(&vault));
        Ok(vault)
    }

    fn connect(&self) -> Result<Shared, Failure> {
        let client = HttpsClient::new(&HttpsSettings::default()).map_err(Failure::Http)?;
        let source = RealSource {
            settings: Arc::clone(&self.settings),
            client: client.clone(),
            policy: self.policy.clone(),
        };
        let chain = Arc::new(Chain::new(&self.settings, Box::new(source)));
        Ok(Shared { client, chain })
    }
}

impl KeyService for AzureKvService {
    fn serves(&self, key: &MasterKey) -> bool {
        matches!(key, MasterKey::AzureKv(_))
    }

    fn resolve(&self, key: &MasterKey) -> Result<MasterKey, KeyServiceError> {
        let key = azure_key(key)?;
        if key.version.is_empty() {
            return self.resolve_latest(key).map(MasterKey::AzureKv);
        }
        Ok(MasterKey::AzureKv(key.clone()))
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let key = azure_key(key)?;
        match self.encrypt_here(key, data_key) {
            Ok(None) => {}
            Ok(Some(enc)) => return Ok(enc),
            Err(reason) => {
                let hint = "fetch the key again with `ksops azure fetch-key`, or take the file away to ask the vault";
                return Err(KeyServiceError::new(reason).with_hint(hint));
            }
        }
        let (name, version, plain) = (key.name.clone(), key.version.clone(), data_key.clone());
        self.run(key, move |vault| async move { vault.encrypt(&name, &version, &plain).await })
            .map(EncryptedDataKey)
            .map_err(|failure| advise(&failure, Operation::Encrypt, key))
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        let key = azure_key(key)?;
        self.try_decrypt(key, &enc.0).map_err(|failure| advise(&failure, Operation::Decrypt, key))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let key = match azure_key(key) {
            Ok(key) => key,
            Err(error) => return Diagnosis { findings: Vec::new(), result: Err(error) },
        };
        let (operation, outcome) = match enc {
            Some(enc) => (Operation::Decrypt, self.try_decrypt(key, &enc.0).map(Some)),
            None => (Operation::Encrypt, self.try_encrypt(key).map(|()| None)),
        };
        let walk = self
            .vault(&key.vault_url)
            .ok()
            .and_then(|vault| block_on(async move { vault.walked().await }).ok()?);
        let trial = Trial { operation, failure: outcome.as_ref().err(), walk: walk.as_ref() };
        let findings = diagnosis::findings(&self.settings, key, &trial);
        Diagnosis { findings, result: outcome.map_err(|failure| advise(&failure, operation, key)) }
    }

    fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn survey(&self) -> Vec<Finding> {
        diagnosis::survey(&self.settings)
    }
}

fn azure_key(key: &MasterKey) -> Result<&AzureKvKey, KeyServiceError> {
    match key {
        MasterKey::AzureKv(key) => Ok(key),
        other => Err(KeyServiceError::new(format!(
            "the Azure key service cannot use a key of type {}",
            other.key_type()
        ))),
    }
}

/// Names and versions become parts of a URL's path, unescaped by the SDK: only what Azure allows gets there.
fn check_names(key: &AzureKvKey) -> Result<(), Failure> {
    let plain =
        |text: &str| text.len() <= 127 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if key.name.is_empty() || !plain(&key.name) {
        return Err(Failure::Other(format!(
            "{:?} is no name of a key: letters, digits and dashes",
            key.name
        )));
    }
    if !plain(&key.version) {
        return Err(Failure::Other(format!("{:?} is no version of a key: letters and digits", key.version)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::KeyService;
    use ksops_core::keys::master_key::{AgeKey, AzureKvKey, MasterKey};
    use ksops_core::secret::SecretBytes;

    use super::AzureKvService;
    use crate::settings::AzureSettings;

    fn key(vault_url: &str, name: &str, version: &str) -> MasterKey {
        MasterKey::AzureKv(AzureKvKey {
            vault_url: vault_url.into(),
            name: name.into(),
            version: version.into(),
        })
    }

    #[test]
    fn hosts_that_are_no_vaults_are_refused_before_any_request() {
        let service = AzureKvService::new(AzureSettings::default());
        let error = service
            .encrypt(&key("https://127.0.0.1:1", "n", "1"), &SecretBytes::default())
            .expect_err("refused");
        assert!(error.message.contains("nothing was sent"), "{error}");
        assert!(error.hints.iter().any(|hint| hint.contains("KSOPS_AZURE_KEYVAULT_SUFFIXES")));
        assert!(service.shared.get().is_none());
    }

    #[test]
    fn names_that_would_change_the_path_are_refused() {
        let service = AzureKvService::new(AzureSettings::default());
        let enc = EncryptedDataKey("AAAA".into());
        for (name, version) in
            [("..", "1"), ("n/x", "1"), ("n?x", "1"), ("", "1"), ("n", "../x"), ("n", "%2e")]
        {
            let error = service.decrypt(&key("https://v.vault.azure.net", name, version), &enc);
            assert!(error.expect_err("refused").message.contains("of a key"), "{name} {version}");
        }
        assert!(service.shared.get().is_none());
    }

    #[test]
    fn an_enc_that_is_not_base64url_is_refused_before_any_request() {
        let service = AzureKvService::new(AzureSettings::default());
        let enc = EncryptedDataKey("a+/=".into());
        let error = service.decrypt(&key("https://v.vault.azure.net", "n", "1"), &enc).expect_err("refused");
        assert!(error.message.contains("failed to base64 decode"), "{error}");
        assert!(service.shared.get().is_none());
    }

    #[test]
    fn a_version_given_is_not_asked_for() {
        let service = AzureKvService::new(AzureSettings::default());
        let key = key("https://v.vault.azure.net", "n", "1");
        assert_eq!(service.resolve(&key), Ok(key));
        assert!(!service.serves(&MasterKey::Age(AgeKey::default())));
    }
}
