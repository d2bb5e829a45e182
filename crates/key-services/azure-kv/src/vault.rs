//! One vault: the SDK's client for it, and the guard that decides which token it gets.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::Bytes;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{ClientOptions, RequestContent, Url};
use azure_security_keyvault_keys::models::{KeyClientEncryptOptions, KeyClientGetKeyOptions};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};
use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::{alphabet, engine::DecodePaddingMode};
use ksops_core::secret::SecretBytes;
use ksops_transport::https::HttpsClient;
use ksops_transport::retry::RetryPolicy;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::chain::{Chain, Place, Walk};
use crate::challenge;
use crate::failure::{CredentialFailure, Failure, ForeignChallenge};
use crate::sdk_transport::{Observed, client_options};

/// The version of the service's interface.
const API_VERSION: &str = "2025-07-01";

/// base64url that takes padding or none.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A vault.
pub(crate) struct Vault {
    client: KeyClient,
    chain: Arc<Chain>,
    asked: Arc<Mutex<Option<Place>>>,
}

/// Gives the SDK tokens for one vault only.
struct Guard {
    chain: Arc<Chain>,
    observed: Arc<Observed>,
    /// For which tenant and scope a token was asked for last.
    asked: Arc<Mutex<Option<Place>>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

#[async_trait::async_trait]
impl TokenCredential for Guard {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        // The transport has looked at the challenge already; but this is the only way to a token.
        if scopes.len() != 1 || !challenge::may_receive(self.observed.vault(), scope) {
            let vault = self.observed.vault().host_str().unwrap_or_default().to_owned();
            let foreign = ForeignChallenge { scope: scope.to_owned(), vault };
            let text = foreign.to_string();
            return Err(Error::with_error(ErrorKind::Other, foreign, text));
        }
        let tenant = self.observed.tenant();
        let rejected = self.observed.take_rejected();
        let rejected = rejected.as_ref().map(|token| token.as_str());
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some((tenant.clone(), scope.to_owned()));
        self.chain.token(tenant.as_deref(), scope, rejected).await.map_err(|failure: CredentialFailure| {
            let text = failure.to_string();
            Error::with_error(ErrorKind::Credential, failure, text)
        })
    }
}

impl Vault {
    /// A client for the vault at `url`, which was checked. Nothing is sent yet.
    pub(crate) fn new(
        url: Url,
        chain: Arc<Chain>,
        client: &HttpsClient,
        policy: &RetryPolicy,
    ) -> Result<Self, Failure> {
        let observed = Arc::new(Observed::new(url));
        let options = client_options(client, policy, Some(Arc::clone(&observed)));
        Self::with_options(chain, observed, options)
    }

    fn with_options(
        chain: Arc<Chain>,
        observed: Arc<Observed>,
        client_options: ClientOptions,
    ) -> Result<Self, Failure> {
        let options = KeyClientOptions {
            api_version: API_VERSION.to_owned(),
            client_options,
            verify_challenge_resource: Some(true),
        };
        let endpoint = observed.vault().to_string();
        let asked = Arc::default();
        let guard = Guard { chain: Arc::clone(&chain), observed, asked: Arc::clone(&asked) };
        Ok(Self { client: KeyClient::new(&endpoint, Arc::new(guard), Some(options))?, chain, asked })
    }

    /// How the token for this vault was found, if there is one.
    pub(crate) async fn walked(&self) -> Option<Walk> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.chain.walked(&asked?).await
    }

    /// Encrypts `plain`, and gives base64url without padding.
    pub(crate) async fn encrypt(
        &self,
        name: &str,
        version: &str,
        plain: &SecretBytes,
    ) -> Result<String, Failure> {
        let options = KeyClientEncryptOptions {
            key_version: Some(in_path(version).to_owned()),
            ..KeyClientEncryptOptions::default()
        };
        let answer = self.client.encrypt(name, parameters(plain.expose()), Some(options)).await;
        let response = answer.map_err(|error| without_echo(error.into(), plain))?;
        let bytes = value(response.body().as_ref())?;
        Ok(URL_SAFE_NO_PAD.encode(&*bytes))
    }

    /// Decrypts `cipher`.
    pub(crate) async fn decrypt(
        &self,
        name: &str,
        version: &str,
        cipher: &[u8],
    ) -> Result<SecretBytes, Failure> {
        let response = self.client.decrypt(name, in_path(version), parameters(cipher), None).await?;
        let mut bytes = value(response.body().as_ref())?;
        Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
    }

    /// Asks for what the vault makes public of a key, of its newest version if none is named.
    pub(crate) async fn public_half(&self, name: &str, version: &str) -> Result<Value, Failure> {
        let options = KeyClientGetKeyOptions {
            key_version: Some(version.to_owned()).filter(|version| !version.is_empty()),
            ..KeyClientGetKeyOptions::default()
        };
        let response = self.client.get_key(name, Some(options)).await?;
        serde_json::from_slice(response.body().as_ref())
            .map_err(|_| Failure::Other("the vault's answer is no JSON".to_owned()))
    }

    /// Asks for the newest version of a key.
    pub(crate) async fn newest_version(&self, name: &str) -> Result<String, Failure> {
        let response = self.client.get_key(name, None).await?;
        let json: Value = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
        let id = json["key"]["kid"].as_str().unwrap_or_default();
        let version = id.rsplit('/').next().unwrap_or_default();
        let plain = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // `…/keys/NAME/VERSION`: with fewer parts the last one would be the name.
        if !plain || !id.contains(&format!("/keys/{name}/")) {
            return Err(Failure::Other("the answer does not name a version of the key".to_owned()));
        }
        Ok(version.to_owned())
    }
}

/// Decodes the `enc` of a file: base64url, with or without padding.
pub(crate) fn decode_enc(text: &str) -> Result<Vec<u8>, Failure> {
    LENIENT
        .decode(text.trim_end_matches(['\r', '\n']))
        .map_err(|_| Failure::Other("failed to base64 decode the encrypted data key".to_owned()))
}

/// A version in a URL's path. Without one a dot stands there, which URLs drop: `/keys/NAME/./decrypt` is sent as
/// `/keys/NAME/decrypt`, the form that upstream sends.
fn in_path(version: &str) -> &str {
    if version.is_empty() { "." } else { version }
}

/// Drops the message of an answer that repeats a part of what was to be encrypted.
fn without_echo(failure: Failure, plain: &SecretBytes) -> Failure {
    const PART: usize = 12;
    let Failure::Answer(mut answer) = failure else {
        return failure;
    };
    let forms = [URL_SAFE_NO_PAD.encode(plain.expose()), STANDARD.encode(plain.expose())].map(Zeroizing::new);
    let repeats = |form: &Zeroizing<String>| {
        let parts = form.as_bytes().windows(PART).filter_map(|part| std::str::from_utf8(part).ok());
        parts.into_iter().any(|part| answer.message.contains(part) || answer.code.contains(part))
    };
    if forms.iter().any(repeats) {
        answer.message = "the message repeats the request and is not shown".to_owned();
        answer.code.clear();
    }
    Failure::Answer(answer)
}

/// The body of both operations. By hand, so that it is wiped.
fn parameters<T, F>(bytes: &[u8]) -> RequestContent<T, F> {
    let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
    let mut body = Zeroizing::new(Vec::with_capacity(value.len() + 40));
    body.extend_from_slice(br#"{"alg":"RSA-OAEP-256","value":""#);
    body.extend_from_slice(value.as_bytes());
    body.extend_from_slice(br#""}"#);
    Bytes::from_owner(body).into()
}

/// The bytes of an answer's `value`.
fn value(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable = || Failure::Other("the vault's answer holds no value".to_owned());
    let mut json: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let Some(Value::String(text)) = json.get_mut("value") else {
        return Err(unreadable());
    };
    // Taken out of the tree, which does not wipe its texts.
    let text = Zeroizing::new(std::mem::take(text));
    LENIENT.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests;
