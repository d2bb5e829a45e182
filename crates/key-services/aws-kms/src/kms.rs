//! Bodies and answers of KMS (key-services.md section 5.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ksops_core::keys::master_key::KmsKey;
use ksops_core::secret::SecretBytes;
use ksops_transport::message::{Method, Response};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::session::{AwsSession, Call, Service};

/// KMS in signatures and settings.
const KMS: Service = Service { name: "kms", id: "KMS", escapes_twice: true };

/// A body; it is wiped.
pub(crate) type Body = Zeroizing<Vec<u8>>;

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
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Encrypt => "TrentService.Encrypt",
            Self::Decrypt => "TrentService.Decrypt",
        }
    }

    fn result(self) -> &'static str {
        match self {
            Self::Encrypt => "CiphertextBlob",
            Self::Decrypt => "Plaintext",
        }
    }
}

/// Asks KMS, and gives the bytes of its answer.
pub(crate) async fn ask(
    session: &AwsSession,
    region: &str,
    operation: Operation,
    body: Body,
) -> Result<SecretBytes, Failure> {
    let url = session.endpoint(KMS).unwrap_or_else(|| format!("https://{}", session.host(KMS, region)));
    let call = Call {
        method: Method::Post,
        url: format!("{url}/"),
        headers: vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", operation.target().to_owned()),
        ],
        body,
    };
    let response = session.send(KMS, region, &call).await?;
    match response.status {
        200 => result(&response.body, operation),
        status => Err(refused(status, &response)),
    }
}

/// The body that asks to encrypt. The secret by hand, so that it is wiped.
pub(crate) fn encrypt_body(key: &KmsKey, plain: &SecretBytes) -> Body {
    let text = Zeroizing::new(STANDARD.encode(plain.expose()));
    let head = json!({"EncryptionContext": context(key), "KeyId": key.arn}).to_string();
    let mut body = Zeroizing::new(Vec::with_capacity(head.len() + text.len() + 20));
    body.extend_from_slice(head.strip_suffix('}').unwrap_or(&head).as_bytes());
    body.extend_from_slice(br#","Plaintext":""#);
    body.extend_from_slice(text.as_bytes());
    body.extend_from_slice(br#""}"#);
    body
}

/// The body that asks to decrypt.
///
/// # Errors
/// If `enc` is no base64.
pub(crate) fn decrypt_body(key: &KmsKey, enc: &str) -> Result<Body, Failure> {
    let cipher = STANDARD.decode(enc.trim_end_matches(['\r', '\n']));
    let cipher =
        cipher.map_err(|_| Failure::Garbage("error base64-decoding encrypted data key of the file"))?;
    let body = json!({
        "CiphertextBlob": to_base64(&cipher), "EncryptionContext": context(key), "KeyId": key.arn,
    });
    Ok(Zeroizing::new(body.to_string().into_bytes()))
}

/// Standard base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn context(key: &KmsKey) -> Map<String, Value> {
    // Upstream leaves out what is null.
    let pairs = key.context.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?.into())));
    pairs.collect()
}

fn result(body: &[u8], operation: Operation) -> Result<SecretBytes, Failure> {
    let mut answer: Value =
        serde_json::from_slice(body).map_err(|_| Failure::Garbage("the answer is no JSON"))?;
    // Taken out of the tree, which does not wipe its texts.
    let text = match answer.get_mut(operation.result()) {
        Some(Value::String(text)) => Zeroizing::new(std::mem::take(text)),
        _ => return Err(Failure::Garbage("the answer holds no result")),
    };
    let bytes = STANDARD.decode(text.as_bytes());
    bytes.map(SecretBytes::new).map_err(|_| Failure::Garbage("the result of the answer is no base64"))
}

fn refused(status: u16, response: &Response) -> Failure {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let named = [response.header("x-amzn-errortype").unwrap_or_default().to_owned(), text("__type")];
    let code = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    // `com.amazonaws.kms#NotFoundException`, `NotFoundException:http://…`.
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    let message = [text("message"), text("Message")].into_iter().find(|text| !text.is_empty());
    Failure::Answer { status, code, message: message.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::master_key::KmsKey;
    use ksops_core::secret::SecretBytes;
    use ksops_transport::message::Response;
    use serde_json::{Value, json};
    use zeroize::Zeroizing;

    use super::{Operation, decrypt_body, encrypt_body, refused, result};
    use crate::failure::Failure;

    #[test]
    fn bodies_hold_key_context_and_bytes() {
        let mut key = KmsKey { arn: "arn".to_owned(), ..KmsKey::default() };
        let body = |key: &KmsKey| -> Value {
            serde_json::from_slice(&encrypt_body(key, &SecretBytes::from("ab"))).expect("JSON")
        };
        assert_eq!(body(&key), json!({"EncryptionContext": {}, "KeyId": "arn", "Plaintext": "YWI="}));
        key.context.insert("a".to_owned(), Some("}\"".to_owned()));
        key.context.insert("b".to_owned(), None);
        assert_eq!(body(&key)["EncryptionContext"], json!({"a": "}\""}));
        let body = decrypt_body(&key, "YWI=\n").expect("base64");
        let expected = json!({"CiphertextBlob": "YWI=", "EncryptionContext": {"a": "}\""}, "KeyId": "arn"});
        assert_eq!(serde_json::from_slice::<Value>(&body).expect("JSON"), expected);
        assert!(decrypt_body(&key, "%").is_err());
    }

    #[test]
    fn answers_are_read_or_refused() {
        let good = br#"{"Plaintext": "YWI=", "KeyId": "k"}"#;
        assert_eq!(result(good, Operation::Decrypt), Ok(SecretBytes::from("ab")));
        for body in [&b"<html>"[..], b"{}", br#"{"Plaintext": 5}"#, br#"{"Plaintext": "%"}"#] {
            assert!(matches!(result(body, Operation::Decrypt), Err(Failure::Garbage(_))));
        }
        let body = br#"{"__type": "com.amazonaws.kms#NotFoundException", "message": "no"}"#;
        let answer = Response { status: 400, headers: Vec::new(), body: Zeroizing::new(body.to_vec()) };
        let expected =
            Failure::Answer { status: 400, code: "NotFoundException".to_owned(), message: "no".to_owned() };
        assert_eq!(refused(400, &answer), expected);
    }
}
