//! Bodies and answers of the transit engine (key-services.md section 7.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ksops_core::keys::master_key::HcVaultKey;
use ksops_core::secret::SecretBytes;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The two operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Encrypting a data key.
    Encrypt,
    /// Decrypting one.
    Decrypt,
}

impl Operation {
    /// The path of an operation with `key`, behind `/v1/`.
    pub(crate) fn path(self, key: &HcVaultKey) -> String {
        let word = match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        };
        format!("{}/{word}/{}", key.engine_path, key.key_name)
    }
}

/// The body that asks to encrypt. By hand, so that it is wiped.
pub(crate) fn encrypt_body(plain: &SecretBytes) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(STANDARD.encode(plain.expose()));
    let mut body = Zeroizing::new(Vec::with_capacity(text.len() + 20));
    body.extend_from_slice(br#"{"plaintext":""#);
    body.extend_from_slice(text.as_bytes());
    body.extend_from_slice(br#""}"#);
    body
}

/// The body that asks to decrypt.
pub(crate) fn decrypt_body(enc: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::json!({ "ciphertext": enc }).to_string().into_bytes())
}

/// The ciphertext of an answer, which is what a file holds.
pub(crate) fn ciphertext(body: Option<&[u8]>) -> Result<String, Failure> {
    let text = field(body, "ciphertext", "the answer holds no ciphertext")?;
    Ok(text.to_string())
}

/// The data key of an answer.
pub(crate) fn plaintext(body: Option<&[u8]>) -> Result<SecretBytes, Failure> {
    let text = field(body, "plaintext", "the answer holds no plaintext")?;
    let bytes = STANDARD.decode(text.as_bytes());
    bytes.map(SecretBytes::new).map_err(|_| Failure::Garbage("the plaintext of the answer is no base64"))
}

fn field(body: Option<&[u8]>, name: &str, missing: &'static str) -> Result<Zeroizing<String>, Failure> {
    // Upstream's words for an engine or key that is not there.
    let body = body.ok_or(Failure::Garbage("transit backend is empty"))?;
    let mut answer: Value =
        serde_json::from_slice(body).map_err(|_| Failure::Garbage("the answer is no JSON"))?;
    match answer.pointer_mut(&format!("/data/{name}")) {
        // Taken out of the tree, which does not wipe its texts.
        Some(Value::String(text)) => Ok(Zeroizing::new(std::mem::take(text))),
        _ => Err(Failure::Garbage(missing)),
    }
}

#[cfg(test)]
mod tests {
    use ksops_core::secret::SecretBytes;

    use super::{ciphertext, decrypt_body, encrypt_body, plaintext};
    use crate::failure::Failure;

    #[test]
    fn bodies_are_json() {
        assert_eq!(*encrypt_body(&SecretBytes::from("ab")), *br#"{"plaintext":"YWI="}"#);
        assert_eq!(*decrypt_body("a\"b"), *br#"{"ciphertext":"a\"b"}"#);
    }

    #[test]
    fn answers_are_read_or_refused() {
        let good = br#"{"data":{"plaintext":"YWI=","ciphertext":"vault:v1:x"}}"#;
        assert_eq!(plaintext(Some(good)), Ok(SecretBytes::from("ab")));
        assert_eq!(ciphertext(Some(good)).as_deref(), Ok("vault:v1:x"));
        for body in
            [&b"<html>"[..], b"{}", br#"{"data":{"plaintext":5}}"#, br#"{"data":{"plaintext":"%"}}"#, b""]
        {
            assert!(matches!(plaintext(Some(body)), Err(Failure::Garbage(_))));
        }
        assert_eq!(plaintext(None), Err(Failure::Garbage("transit backend is empty")));
    }
}
