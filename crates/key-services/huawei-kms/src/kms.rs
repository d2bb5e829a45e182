//! Names, bodies and answers (key-services.md sections 8.1, 8.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ksops_core::secret::SecretBytes;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::failure::Failure;

const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// The two operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Encrypting a data key.
    Encrypt,
    /// Decrypting one.
    Decrypt,
}

impl Operation {
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }

    /// The permission.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::Encrypt => "kms:cmk:encryptData",
            Self::Decrypt => "kms:cmk:decryptData",
        }
    }

    /// The end of the path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt-data",
            Self::Decrypt => "decrypt-data",
        }
    }
}

/// Region and key of `REGION:UUID`.
///
/// # Errors
/// [`Failure::Name`] if it has another form; the region becomes a part of a host.
pub(crate) fn parts(key_id: &str) -> Result<(&str, &str), Failure> {
    let fail = || Failure::Name(format!("invalid key ID format: expected 'region:key-uuid', got {key_id:?}"));
    let (region, key) = key_id.split_once(':').ok_or_else(fail)?;
    let (region, key) = (region.trim(), key.trim());
    let is_plain = |text: &str| {
        !text.is_empty() && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_".contains(sign))
    };
    if is_plain(region) && is_plain(key) { Ok((region, key)) } else { Err(fail()) }
}

/// The body that asks to encrypt: the service sees the text in base64. By hand, so that it is wiped.
pub(crate) fn encrypt_body(key: &str, plain: &SecretBytes) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new(STANDARD.encode(plain.expose()));
    let mut body = Zeroizing::new(Vec::new());
    for part in [
        r#"{"encryption_algorithm":"SYMMETRIC_DEFAULT","key_id":""#,
        key,
        r#"","plain_text":""#,
        text.as_str(),
        r#""}"#,
    ] {
        body.extend_from_slice(part.as_bytes());
    }
    body
}

/// The body that asks to decrypt.
pub(crate) fn decrypt_body(key: &str, enc: &str) -> Zeroizing<Vec<u8>> {
    let body = json!({"cipher_text": enc, "encryption_algorithm": ALGORITHM, "key_id": key});
    Zeroizing::new(body.to_string().into_bytes())
}

/// The ciphertext of an answer, which is what a file holds.
pub(crate) fn ciphertext(body: &[u8]) -> Result<String, Failure> {
    Ok(field(body, "cipher_text", "the answer holds no ciphertext")?.to_string())
}

/// The data key of an answer.
pub(crate) fn plaintext(body: &[u8]) -> Result<SecretBytes, Failure> {
    let text = field(body, "plain_text", "the answer holds no plaintext")?;
    let bytes = STANDARD.decode(text.as_bytes());
    bytes.map(SecretBytes::new).map_err(|_| Failure::Garbage("the plaintext of the answer is no base64"))
}

fn field(body: &[u8], name: &str, missing: &'static str) -> Result<Zeroizing<String>, Failure> {
    let mut answer: Value =
        serde_json::from_slice(body).map_err(|_| Failure::Garbage("the answer is no JSON"))?;
    // Taken out of the tree, which does not wipe its texts.
    match answer.get_mut(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(Zeroizing::new(std::mem::take(text))),
        _ => Err(Failure::Garbage(missing)),
    }
}

#[cfg(test)]
mod tests {
    use ksops_core::secret::SecretBytes;
    use serde_json::{Value, json};

    use super::{ciphertext, encrypt_body, parts, plaintext};
    use crate::failure::Failure;

    #[test]
    fn names_are_split_and_checked() {
        assert_eq!(parts(" tr-west-1 : 0d-1 "), Ok(("tr-west-1", "0d-1")));
        for name in ["", "x", ":k", "r:", "evil.example/:k", "r:k/../x"] {
            assert!(matches!(parts(name), Err(Failure::Name(_))), "{name}");
        }
    }

    #[test]
    fn bodies_and_answers_have_their_form() {
        let body: Value = serde_json::from_slice(&encrypt_body("k", &SecretBytes::from("ab"))).expect("JSON");
        let expected =
            json!({"key_id": "k", "plain_text": "YWI=", "encryption_algorithm": "SYMMETRIC_DEFAULT"});
        assert_eq!(body, expected);
        assert_eq!(plaintext(br#"{"plain_text": "YWI="}"#), Ok(SecretBytes::from("ab")));
        assert_eq!(ciphertext(br#"{"cipher_text": "x"}"#).as_deref(), Ok("x"));
        for body in [&b"<html>"[..], b"{}", br#"{"plain_text": 5}"#, br#"{"plain_text": "%"}"#] {
            assert!(matches!(plaintext(body), Err(Failure::Garbage(_))));
        }
    }
}
