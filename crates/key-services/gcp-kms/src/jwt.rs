//! The assertion of a service account: a JWT signed by RS256 (RFC 7523).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use zeroize::Zeroizing;

/// How long an assertion lasts, in seconds.
const LIFE: i64 = 3600;

/// Signs the claim to be `email`, for the token endpoint `audience`, at `now` in seconds since 1970.
///
/// # Errors
/// What is wrong with the private key, without a part of it.
pub(crate) fn assertion(
    email: &str,
    key_id: &str,
    private_key: &str,
    (audience, scope): (&str, &str),
    now: i64,
) -> Result<Zeroizing<String>, String> {
    let pair = key_pair(private_key)?;
    let mut head = json!({"alg": "RS256", "typ": "JWT"});
    if !key_id.is_empty() {
        head["kid"] = key_id.into();
    }
    let claims = json!({"iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + LIFE});
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(&head.to_string()), encode(&claims.to_string()));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| "the private key cannot sign".to_owned())?;
    Ok(Zeroizing::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn key_pair(pem: &str) -> Result<KeyPair, String> {
    let body = pem
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .ok_or("the private key is no PKCS#8 in PEM (`BEGIN PRIVATE KEY`)")?
        .0;
    let text = Zeroizing::new(body.split_ascii_whitespace().collect::<String>());
    let der = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
    let der = der.map_err(|_| "the private key is no base64")?;
    KeyPair::from_pkcs8(&der).map_err(|_| "the private key is none of RSA".to_owned())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::Value;

    use super::assertion;

    #[test]
    fn the_public_key_verifies_what_was_signed() {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der = pair.as_der().expect("DER");
        let body = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let text = assertion("e", "k", &pem, ("https://aud", "s"), 1000).expect("signed");
        let parts: Vec<&str> = text.split('.').collect();
        let [head, claims, signature] = parts.as_slice() else { panic!("{} parts", parts.len()) };
        let json = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
        };
        assert_eq!((json(head)["kid"].as_str(), json(claims)["exp"].as_i64()), (Some("k"), Some(4600)));
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        public.verify(format!("{head}.{claims}").as_bytes(), &signature).expect("genuine");
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_showing_it() {
        for pem in ["hush", "-----BEGIN PRIVATE KEY-----\nhush%\n-----END PRIVATE KEY-----"] {
            let error = assertion("e", "", pem, ("a", "s"), 0).expect_err("refused");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
