//! Files that hold the public half of a vault's key: a JWK, alone or as the vault answers it, or PEM and DER, which name no
//! key of a vault and need its URL beside them (key-services.md section 2.9).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ksops_core::keys::master_key::AzureKvKey;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::key_url::{parse_key_url, url_of};
use crate::offline::public_key::PublicKey;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PEM_LABEL: &str = "PUBLIC KEY-----";

/// The public half of one version of a key, and what the vault said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key, with its version.
    pub key: AzureKvKey,
    /// Its public half.
    pub public: PublicKey,
    enabled: bool,
    /// In seconds since 1970.
    expires: Option<i64>,
    not_before: Option<i64>,
}

impl KnownKey {
    /// Reads a file. `declared` is the key that its user says it is.
    ///
    /// # Errors
    /// Why it is not used, without a full stop.
    pub fn parse(bytes: &[u8], declared: Option<&AzureKvKey>) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim_start();
        if text.starts_with('{') {
            let value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
            return Self::from_json(&value, declared);
        }
        let public = match pem(text) {
            Some(der) => PublicKey::from_der(&der?),
            None => PublicKey::from_der(bytes),
        };
        let public = public.map_err(|error| error.to_string())?;
        let key = declared.ok_or("such a file does not say whose key it is; write `URL=FILE`")?;
        Ok(Self { key: with_version(key.clone())?, public, enabled: true, expires: None, not_before: None })
    }

    /// Reads what a vault answers, or a JWK.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_json(value: &Value, declared: Option<&AzureKvKey>) -> Result<Self, String> {
        let jwk = if value["key"].is_object() { &value["key"] } else { value };
        let kind = jwk["kty"].as_str().unwrap_or_default();
        if !["RSA", "RSA-HSM"].contains(&kind) {
            return Err(format!("it is a key of type {kind:?}, not RSA"));
        }
        let named = match jwk["kid"].as_str() {
            Some(url) => Some(parse_key_url(url).map_err(|error| format!("its `kid`: {error}"))?),
            None => None,
        };
        let key = match (named, declared) {
            (Some(named), Some(declared)) if !is_same(&named, declared) => {
                return Err(format!("it is the key {}, not {}", url_of(&named), url_of(declared)));
            }
            (Some(named), _) => named,
            (None, Some(declared)) => declared.clone(),
            (None, None) => return Err("it has no `kid`; write `URL=FILE`".to_owned()),
        };
        let operations = [&jwk["key_ops"], &jwk["keyOps"]].into_iter().find_map(Value::as_array);
        let encrypts = |name: &Value| ["encrypt", "wrapKey"].contains(&name.as_str().unwrap_or_default());
        if operations.is_some_and(|names| !names.iter().any(encrypts)) {
            return Err("its `key_ops` do not allow to encrypt".to_owned());
        }
        let public = PublicKey::new(&number(jwk, "n")?, &number(jwk, "e")?);
        let attribute = |name: &str| [&value["attributes"], value, jwk].map(|part| part[name].clone());
        let flag = |name: &str| attribute(name).iter().find_map(Value::as_bool);
        Ok(Self {
            key: with_version(key)?,
            public: public.map_err(|error| error.to_string())?,
            enabled: flag("enabled").unwrap_or(true),
            expires: attribute("exp").iter().chain(&attribute("expires")).find_map(seconds),
            not_before: attribute("nbf").iter().chain(&attribute("notBefore")).find_map(seconds),
        })
    }

    /// The file for this key, in the form of the vault's answer.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut attributes = json!({"enabled": self.enabled});
        for (name, value) in [("exp", self.expires), ("nbf", self.not_before)] {
            if let Some(value) = value {
                attributes[name] = value.into();
            }
        }
        let key = json!({
            "kid": url_of(&self.key), "kty": "RSA", "n": self.public.modulus(), "e": self.public.exponent(),
            "key_ops": ["encrypt", "wrapKey"],
        });
        format!("{:#}\n", json!({"key": key, "attributes": attributes}))
    }

    /// Whether it may be used at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: i64) -> Result<(), String> {
        match self {
            Self { enabled: false, .. } => Err("the key is disabled".to_owned()),
            Self { expires: Some(end), .. } if *end <= now => {
                Err(format!("the key has expired on {}", day(*end)))
            }
            Self { not_before: Some(start), .. } if *start > now => {
                Err(format!("the key must not be used before {}", day(*start)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether both name the same version of the same key; hosts without regard to case.
#[must_use]
pub fn is_same(one: &AzureKvKey, other: &AzureKvKey) -> bool {
    one.vault_url.trim_end_matches('/').eq_ignore_ascii_case(other.vault_url.trim_end_matches('/'))
        && one.name == other.name
        && one.version == other.version
}

fn with_version(key: AzureKvKey) -> Result<AzureKvKey, String> {
    match key.version.is_empty() {
        // The ciphertext does not say which version made it.
        true => Err(format!("{} names no version, and only a version has a public key", url_of(&key))),
        false => Ok(key),
    }
}

/// A number of a JWK. The REST API writes base64url; `az` writes base64.
fn number(jwk: &Value, name: &str) -> Result<Vec<u8>, String> {
    let text = jwk[name].as_str().unwrap_or_default();
    let alphabet = if text.contains(['+', '/']) { alphabet::STANDARD } else { alphabet::URL_SAFE };
    let bytes = GeneralPurpose::new(&alphabet, LENIENT).decode(text).unwrap_or_default();
    if bytes.is_empty() { Err(format!("its `{name}` is no number in base64")) } else { Ok(bytes) }
}

/// Seconds since 1970, or a date as `az` writes it.
fn seconds(value: &Value) -> Option<i64> {
    let date = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp);
    value.as_i64().or_else(|| date(value.as_str()?))
}

fn day(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map(|time| time.date().to_string()).unwrap_or_default()
}

/// The bytes of a PEM file; `None` if it is none.
fn pem(text: &str) -> Option<Result<Vec<u8>, String>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let Some(rest) = rest.strip_prefix(PEM_LABEL) else {
        return Some(Err("it is PEM, but not of a public key (`BEGIN PUBLIC KEY`)".to_owned()));
    };
    let body: String = rest.split("-----END").next()?.split_ascii_whitespace().collect();
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, LENIENT).decode(body);
    Some(decoded.map_err(|_| "its PEM holds no base64".to_owned()))
}

#[cfg(test)]
mod tests {
    use ksops_core::keys::master_key::AzureKvKey;
    use serde_json::{Value, json};

    use super::KnownKey;
    use crate::key_url::parse_key_url;
    use crate::offline::der;

    const URL: &str = "https://v.vault.azure.net/keys/n/0123";

    fn numbers() -> (Vec<u8>, Vec<u8>) {
        // With the bytes that differ between the alphabets, and an odd end.
        (vec![0xfb; 256], vec![1, 0, 1])
    }

    fn jwk() -> Value {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let (modulus, exponent) = numbers();
        let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        json!({"kid": URL, "kty": "RSA", "n": n, "e": e})
    }

    fn key(url: &str) -> AzureKvKey {
        parse_key_url(url).expect("a key URL")
    }

    fn refused(value: &Value, declared: Option<&AzureKvKey>) -> String {
        KnownKey::from_json(value, declared).expect_err("refused")
    }

    #[test]
    fn every_form_gives_the_same_key() {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;

        let known = KnownKey::from_json(&jwk(), None).expect("a key");
        assert_eq!(known.key, key(URL));
        let (modulus, exponent) = numbers();
        let mut az = jwk();
        az["n"] = STANDARD.encode(&modulus).into();
        az["e"] = STANDARD.encode(&exponent).into();
        az["kty"] = "RSA-HSM".into();
        az["keyOps"] = json!(["wrapKey"]);
        az["p"] = Value::Null;
        let info = der::write(&modulus, &exponent);
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&info));
        for bytes in [
            az.to_string().into_bytes(),
            json!({"key": az, "attributes": {"enabled": true}}).to_string().into_bytes(),
            pem.into_bytes(),
            info,
            known.to_json().into_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(KnownKey::parse(&bytes, Some(&key(URL))).as_ref(), Ok(&known), "{shown}");
        }
    }

    #[test]
    fn a_key_of_another_name_is_refused() {
        for other in [
            "https://w.vault.azure.net/keys/n/0123",
            "https://v.vault.azure.net/keys/m/0123",
            "https://v.vault.azure.net/keys/n/0124",
            "https://v.vault.azure.net/keys/n",
        ] {
            assert!(refused(&jwk(), Some(&key(other))).starts_with("it is the key"), "{other}");
        }
        assert!(KnownKey::from_json(&jwk(), Some(&key(&URL.replace("v.vault", "V.Vault")))).is_ok());
        let mut nameless = jwk();
        nameless["kid"] = Value::Null;
        assert!(refused(&nameless, None).contains("no `kid`"));
        assert!(refused(&nameless, Some(&key("https://v.vault.azure.net/keys/n"))).contains("no version"));
    }

    #[test]
    fn keys_that_are_not_for_this_are_refused() {
        for (name, value, expected) in [
            ("kty", json!("EC"), "not RSA"),
            ("key_ops", json!(["sign"]), "do not allow"),
            ("n", json!("AQAB"), "17 bits"),
            ("n", json!("%"), "no number"),
            ("e", Value::Null, "no number"),
        ] {
            let mut jwk = jwk();
            jwk[name] = value;
            assert!(refused(&jwk, None).contains(expected), "{name}: {}", refused(&jwk, None));
        }
        assert!(KnownKey::parse(b"-----BEGIN PRIVATE KEY-----\n", Some(&key(URL))).is_err());
        assert!(KnownKey::parse(b"", Some(&key(URL))).is_err());
    }

    #[test]
    fn a_key_is_used_in_its_time_only() {
        let check = |attributes: Value, now| {
            KnownKey::from_json(&json!({"key": jwk(), "attributes": attributes}), None)
                .expect("a key")
                .check(now)
        };
        assert_eq!(check(json!({"exp": 100}), 99), Ok(()));
        assert_eq!(check(json!({"exp": 100}), 100), Err("the key has expired on 1970-01-01".to_owned()));
        assert!(check(json!({"expires": "2020-01-01T00:00:00+00:00"}), 1_700_000_000).is_err());
        assert!(check(json!({"nbf": 100}), 99).is_err());
        assert!(check(json!({"enabled": false}), 0).is_err());
    }
}
