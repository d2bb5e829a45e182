//! Bodies and answers of Cloud KMS over REST (key-services.md section 6.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ksops_core::secret::SecretBytes;
use ksops_transport::message::{Method, Request};
use serde_json::{Value, json};
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
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
        }
    }

    /// The permission.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Self::Encrypt => "cloudkms.cryptoKeyVersions.useToEncrypt",
            Self::Decrypt => "cloudkms.cryptoKeyVersions.useToDecrypt",
        }
    }
}

/// Checks the name of a key: `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
///
/// # Errors
/// [`Failure::Name`], in upstream's words.
pub(crate) fn check(resource: &str) -> Result<(), Failure> {
    let parts: Vec<&str> = resource.split('/').collect();
    let is_name = |text: &str| {
        !text.is_empty()
            && text.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.:".contains(sign))
            && !matches!(text, "." | "..")
    };
    match parts.as_slice() {
        ["projects", a, "locations", b, "keyRings", c, "cryptoKeys", d]
            if [a, b, c, d].into_iter().all(|part| is_name(part)) =>
        {
            Ok(())
        }
        _ => Err(Failure::Name(format!("no valid resource ID found in {resource:?}"))),
    }
}

/// The request to encrypt.
pub(crate) fn encrypt(address: &str, resource: &str, plain: &SecretBytes) -> Request {
    let text = Zeroizing::new(STANDARD.encode(plain.expose()));
    let mut request = to(address, resource, Operation::Encrypt);
    // By hand, so that it is wiped.
    for part in [r#"{"name":""#, resource, r#"","plaintext":""#, text.as_str(), r#""}"#] {
        request.body.extend_from_slice(part.as_bytes());
    }
    request
}

/// The request to decrypt.
///
/// # Errors
/// If `enc` is no base64.
pub(crate) fn decrypt(address: &str, resource: &str, enc: &str) -> Result<Request, Failure> {
    let cipher = STANDARD.decode(enc.trim_end_matches(['\r', '\n']));
    let cipher = cipher.map_err(|_| Failure::Garbage("the encrypted data key of the file is no base64"))?;
    let mut request = to(address, resource, Operation::Decrypt);
    let body = json!({"name": resource, "ciphertext": STANDARD.encode(cipher)});
    request.body = Zeroizing::new(body.to_string().into_bytes());
    Ok(request)
}

fn to(address: &str, resource: &str, operation: Operation) -> Request {
    let url = format!("{address}/v1/{resource}:{}?%24alt=json%3Benum-encoding%3Dint", operation.verb());
    Request::new(Method::Post, url).with_header("content-type", "application/json")
}

/// The ciphertext of an answer, which is what a file holds.
pub(crate) fn ciphertext(body: &[u8]) -> Result<String, Failure> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|_| Failure::Garbage("the answer is no JSON"))?;
    let text = answer["ciphertext"].as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or(Failure::Garbage("the answer holds no ciphertext"))
}

/// The data key of an answer.
pub(crate) fn plaintext(body: &[u8]) -> Result<SecretBytes, Failure> {
    let mut answer: Value =
        serde_json::from_slice(body).map_err(|_| Failure::Garbage("the answer is no JSON"))?;
    // Taken out of the tree, which does not wipe its texts.
    let text = match answer.get_mut("plaintext") {
        Some(Value::String(text)) => Zeroizing::new(std::mem::take(text)),
        _ => return Err(Failure::Garbage("the answer holds no plaintext")),
    };
    let bytes = STANDARD.decode(text.as_bytes());
    bytes.map(SecretBytes::new).map_err(|_| Failure::Garbage("the plaintext of the answer is no base64"))
}

#[cfg(test)]
mod tests {
    use ksops_core::secret::SecretBytes;
    use serde_json::{Value, json};

    use super::{check, ciphertext, decrypt, encrypt, plaintext};
    use crate::failure::Failure;

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

    #[test]
    fn only_names_of_keys_are_asked_for() {
        assert_eq!(check(KEY), Ok(()));
        assert_eq!(check("projects/example.com:p/locations/l/keyRings/r/cryptoKeys/k"), Ok(()));
        for name in [
            "",
            "projects/p",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            "projects/p/locations/../keyRings/r/cryptoKeys/k",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k?x",
            "projects/p/locations/l/keyRings/r/cryptoKeys/",
        ] {
            assert!(matches!(check(name), Err(Failure::Name(_))), "{name}");
        }
    }

    #[test]
    fn requests_and_answers_have_their_form() {
        let request = encrypt("https://h", KEY, &SecretBytes::from("ab"));
        assert!(request.url.starts_with(&format!("https://h/v1/{KEY}:encrypt?")), "{}", request.url);
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(body, json!({"name": KEY, "plaintext": "YWI="}));
        assert!(decrypt("https://h", KEY, "%").is_err());
        assert_eq!(plaintext(br#"{"plaintext": "YWI="}"#), Ok(SecretBytes::from("ab")));
        assert_eq!(ciphertext(br#"{"ciphertext": "x"}"#).as_deref(), Ok("x"));
        for body in [&b"<html>"[..], b"{}", br#"{"plaintext": 5}"#] {
            assert!(matches!(plaintext(body), Err(Failure::Garbage(_))));
        }
    }
}
