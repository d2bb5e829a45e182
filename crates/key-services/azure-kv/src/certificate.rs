//! The client certificate: a JWT signed with its key (key-services.md section 2.6), instead of the SDK's credential,
//! which needs OpenSSL.

use std::fmt;
use std::fs;
use std::path::Path;

use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{KeyPair, RSA_PSS_SHA256, RsaKeyPair};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// How long an assertion is valid.
const LIFETIME: i64 = 600;

/// Why a certificate cannot be used; never holds a part of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the client certificate {file}: {reason}")]
pub(crate) struct CertificateError {
    file: String,
    reason: String,
}

/// Signs assertions with a certificate's key.
pub(crate) struct CertificateAssertion {
    key: RsaKeyPair,
    /// The certificate of the key, then the rest of the file.
    certificates: Vec<Vec<u8>>,
    client_id: String,
    audience: String,
    send_chain: bool,
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateAssertion")
    }
}

impl CertificateAssertion {
    /// Reads a PEM file with an RSA private key and its certificate.
    pub(crate) fn load(path: &Path, client_id: &str, send_chain: bool) -> Result<Self, CertificateError> {
        let fail = |reason: String| CertificateError { file: path.display().to_string(), reason };
        let bytes = Zeroizing::new(fs::read(path).map_err(|error| fail(format!("cannot be read: {error}")))?);
        let text = std::str::from_utf8(&bytes).ok().filter(|text| text.contains("-----BEGIN ")).ok_or_else(
            || {
                fail(
                    "it is not PEM; convert PKCS#12 with `openssl pkcs12 -in FILE -out FILE.pem -nodes`"
                        .to_owned(),
                )
            },
        )?;
        let (key, certificates) = parse(text).map_err(|reason| fail(reason.to_owned()))?;
        Ok(Self { key, certificates, client_id: client_id.to_owned(), audience: String::new(), send_chain })
    }

    /// Sets the token endpoint for which assertions are made.
    pub(crate) fn set_audience(&mut self, audience: String) {
        self.audience = audience;
    }

    /// Makes an assertion.
    fn sign(&self, now: i64) -> Result<String, &'static str> {
        let certificate = self.certificates.first().map(Vec::as_slice).unwrap_or_default();
        // Standard base64 with padding here, as upstream sends it (observed).
        let thumbprint = STANDARD.encode(Sha256::digest(certificate));
        let mut header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        if self.send_chain {
            header["x5c"] = self.certificates.iter().map(|der| STANDARD.encode(der)).collect();
        }
        let claims = json!({
            "aud": self.audience, "iss": self.client_id, "sub": self.client_id,
            "jti": uuid()?, "nbf": now, "exp": now + LIFETIME,
        });
        let encode = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the certificate's key could not sign")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.sign(OffsetDateTime::now_utc().unix_timestamp())
            .map_err(|reason| Error::with_message(ErrorKind::Credential, reason))
    }
}

/// A random UUID, version 4.
fn uuid() -> Result<String, &'static str> {
    let mut bytes = [0_u8; 16];
    fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// Takes key and certificates out of a PEM text; the certificate of the key comes first.
fn parse(text: &str) -> Result<(RsaKeyPair, Vec<Vec<u8>>), &'static str> {
    let mut key = None;
    let mut certificates = Vec::new();
    for (label, body) in blocks(text) {
        let decode = || -> Result<Zeroizing<Vec<u8>>, &'static str> {
            if body.contains(':') {
                return Err(
                    "its key is encrypted, which is not supported; `openssl pkey` removes the passphrase",
                );
            }
            let packed = Zeroizing::new(body.split_ascii_whitespace().collect::<String>());
            STANDARD.decode(packed.as_bytes()).map(Zeroizing::new).map_err(|_| "a block is not in base64")
        };
        let rejected = |_| "its private key is not an RSA key that can be used";
        match label {
            "CERTIFICATE" => certificates.push(decode()?.to_vec()),
            "PRIVATE KEY" => key = Some(RsaKeyPair::from_pkcs8(&decode()?).map_err(rejected)?),
            "RSA PRIVATE KEY" => key = Some(RsaKeyPair::from_der(&decode()?).map_err(rejected)?),
            "ENCRYPTED PRIVATE KEY" => {
                return Err(
                    "its key is encrypted, which is not supported; `openssl pkey` removes the passphrase",
                );
            }
            _ => {}
        }
    }
    let key = key.ok_or("it holds no private key")?;
    // A certificate holds its public key as it is, so no parser is needed to find the right one.
    let public = key.public_key().as_ref();
    let own = certificates
        .iter()
        .position(|der: &Vec<u8>| der.windows(public.len()).any(|window| window == public))
        .ok_or("it holds no certificate that belongs to its private key")?;
    certificates[..=own].rotate_right(1);
    Ok((key, certificates))
}

/// The PEM blocks of a text: label and body.
fn blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("-----BEGIN ").skip(1).filter_map(|block| {
        let (label, rest) = block.split_once("-----")?;
        let (body, end) = rest.split_once("-----END ")?;
        end.starts_with(label).then_some((label, body))
    })
}

#[cfg(test)]
mod tests;
