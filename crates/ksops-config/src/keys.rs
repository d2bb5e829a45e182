//! Master keys out of their text forms (key-services.md sections 1.3, 2.1, 3.1).
//!
//! The grammars are here and not with the key services, because a configuration is read without them. Only the
//! shape is checked; whether a key exists, or an age recipient has a valid checksum, its service finds out.

use std::collections::BTreeMap;

use ksops_core::keys::master_key::{
    AgeKey, AzureKvKey, GcpKmsKey, HcVaultKey, HckmsKey, KmsKey, MasterKey, PgpKey,
};

/// A text is not the name of a key of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyTextError(String);

/// Reads an age recipient.
///
/// # Errors
/// [`KeyTextError`] if it begins with none of the known prefixes, or has a character that no recipient has.
pub fn age(text: &str) -> Result<MasterKey, KeyTextError> {
    let recipient = text.trim();
    let allowed: fn(char) -> bool = if recipient.starts_with("age1pq1") {
        |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit()
    } else if recipient.strip_prefix("age1").is_some_and(|rest| rest.contains('1')) {
        |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "+-._".contains(letter)
    } else if recipient.starts_with("age1") {
        |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit()
    } else if recipient.starts_with("ssh-") {
        |letter| !letter.is_control()
    } else {
        return Err(KeyTextError(format!("failed to parse input, unknown recipient type: {recipient:?}")));
    };
    if let Some(letter) = recipient.chars().find(|letter| !allowed(*letter)) {
        let is_plugin = recipient.strip_prefix("age1").is_some_and(|rest| rest.contains('1'));
        let kind = if is_plugin { "age key from age plugin" } else { "age recipient" };
        let hint = if letter.is_whitespace() { "; put commas between recipients" } else { "" };
        return Err(KeyTextError(format!(
            "failed to parse input as {kind}: invalid recipient encoding: invalid character {letter:?} in {recipient:?}{hint}"
        )));
    }
    Ok(MasterKey::Age(AgeKey { recipient: recipient.to_owned() }))
}

/// Reads an OpenPGP fingerprint; blanks inside do not count.
///
/// # Errors
/// [`KeyTextError`] if there is nothing else.
pub fn pgp(text: &str) -> Result<MasterKey, KeyTextError> {
    let fingerprint = not_empty(text, "PGP fingerprint")?;
    Ok(MasterKey::Pgp(PgpKey { fingerprint }))
}

/// Reads `ARN` or `ARN+ROLE_ARN`.
///
/// # Errors
/// [`KeyTextError`] if it is empty.
pub fn kms(
    text: &str,
    context: &BTreeMap<String, Option<String>>,
    aws_profile: &str,
) -> Result<MasterKey, KeyTextError> {
    let text = not_empty(text, "KMS ARN")?;
    // A path in an ARN may hold a plus sign, but no colon: `+arn:` can only begin the role.
    let (arn, role) = match text.find("+arn:") {
        Some(at) if at > 0 => (&text[..at], &text[at + 1..]),
        _ => (text.as_str(), ""),
    };
    Ok(MasterKey::Kms(KmsKey {
        arn: arn.to_owned(),
        role: role.to_owned(),
        context: context.clone(),
        aws_profile: aws_profile.to_owned(),
    }))
}

/// Reads the resource id of a key of Google Cloud KMS.
///
/// # Errors
/// [`KeyTextError`] if it is empty.
pub fn gcp_kms(text: &str) -> Result<MasterKey, KeyTextError> {
    let resource_id = not_empty(text, "GCP KMS resource id")?;
    Ok(MasterKey::GcpKms(GcpKmsKey { resource_id }))
}

/// Reads `REGION:UUID`.
///
/// # Errors
/// [`KeyTextError`] if one of the two is missing.
pub fn hckms(text: &str) -> Result<MasterKey, KeyTextError> {
    let key_id = text.trim();
    match key_id.split_once(':') {
        Some((region, uuid)) if !region.trim().is_empty() && !uuid.trim().is_empty() => {
            Ok(MasterKey::Hckms(HckmsKey { key_id: key_id.to_owned() }))
        }
        _ => Err(KeyTextError(format!("invalid key ID format: expected 'region:key-uuid', got {key_id:?}"))),
    }
}

/// Reads `https://HOST/keys/NAME[/VERSION]`. Without a version, [`AzureKvKey::version`] is empty, and the key service
/// settles it when it is needed.
///
/// # Errors
/// [`KeyTextError`] if it is not of this form, or has a query or fragment.
pub fn azure_key_vault(text: &str) -> Result<MasterKey, KeyTextError> {
    let url = text.trim();
    azure_parts(url).map(MasterKey::AzureKv).ok_or_else(|| {
        KeyTextError(format!(
            "could not parse {url:?} into a valid Azure Key Vault MasterKey; write https://HOST/keys/NAME or \
             https://HOST/keys/NAME/VERSION"
        ))
    })
}

fn azure_parts(url: &str) -> Option<AzureKvKey> {
    let (host, rest) = url.strip_prefix("https://")?.split_once('/')?;
    let rest = rest.strip_prefix("keys/")?;
    let (name, version) = rest.split_once('/').unwrap_or((rest, ""));
    // A query would be taken for a part of the name or version, and sent escaped.
    let plain =
        !url.contains(['?', '#']) && !url.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    let good = plain && !host.is_empty() && !name.is_empty() && !version.contains('/');
    good.then(|| AzureKvKey {
        vault_url: format!("https://{host}"),
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

/// Reads `ADDRESS/v1/ENGINE/keys/NAME`.
///
/// # Errors
/// [`KeyTextError`] if it has no scheme, a prefix before `/v1`, a query, or too few parts.
pub fn hc_vault(text: &str) -> Result<MasterKey, KeyTextError> {
    const FORM: &str = "https://vault.example.com:8200/v1/transit/keys/keyName";
    let uri = text.trim();
    let valid_scheme = |scheme: &str| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    };
    let Some((scheme, rest)) = uri.split_once("://").filter(|(scheme, _)| valid_scheme(scheme)) else {
        return Err(KeyTextError(format!(
            "missing scheme in Vault URL (should be like this: {FORM}), got: {uri}"
        )));
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let segments: Vec<&str> = path.split('/').collect();
    let mut versions = (1..segments.len()).filter(|at| {
        segments[*at]
            .strip_prefix('v')
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            && segments.iter().skip(at + 1).take(3).filter(|segment| !segment.is_empty()).count() == 3
    });
    let malformed = || {
        KeyTextError(format!("vault path does not seem to be formatted correctly: (eg. {FORM}), got: {uri}"))
    };
    if uri.contains(['?', '#']) {
        return Err(malformed());
    }
    match versions.next() {
        None => return Err(malformed()),
        Some(1) => {}
        Some(at) if segments[at - 1].is_empty() => {}
        Some(_) => {
            return Err(KeyTextError(format!(
                "running Vault with a prefixed URL is not supported! (Format has to be like {FORM}), got: {uri}"
            )));
        }
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (Some(key_name), Some(engine)) = (parts.last(), parts.get(1..parts.len().saturating_sub(2))) else {
        return Err(malformed());
    };
    let engine: Vec<&str> = engine.iter().copied().filter(|part| !matches!(*part, "" | ".")).collect();
    Ok(MasterKey::HcVault(HcVaultKey {
        vault_address: format!("{}://{host}", scheme.to_ascii_lowercase()),
        engine_path: engine.join("/"),
        key_name: (*key_name).to_owned(),
    }))
}

fn not_empty(text: &str, what: &str) -> Result<String, KeyTextError> {
    let text: String = text.trim().chars().filter(|letter| *letter != ' ').collect();
    if text.is_empty() { Err(KeyTextError(format!("empty {what}"))) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{age, azure_key_vault, hc_vault, hckms, kms, pgp};

    #[test]
    fn reads_the_three_forms_of_an_azure_url() {
        for (url, text) in [
            ("https://v.vault.azure.net/keys/n", "https://v.vault.azure.net/keys/n/"),
            (" https://v.vault.azure.net:1/keys/n/ ", "https://v.vault.azure.net:1/keys/n/"),
            ("https://v.vault.azure.net/keys/n/1a", "https://v.vault.azure.net/keys/n/1a"),
        ] {
            assert_eq!(azure_key_vault(url).map(|key| key.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn refuses_other_azure_urls() {
        for url in [
            "",
            "http://v/keys/n",
            "HTTPS://v/keys/n",
            "https://v/x/keys/n",
            "https://v/keys/",
            "https://v/secrets/n",
            "https://v/keys/n/1/",
            "https:///keys/n",
            "https://v/keys/n?x=1",
            "https://v/keys/n/1#f",
        ] {
            assert!(azure_key_vault(url).is_err(), "{url}");
        }
    }

    #[test]
    fn tells_age_recipients_by_their_prefix() {
        for good in ["age1abc", " age1pq1abc ", "age1yubi-key1abc", "ssh-ed25519 AAAA user@host"] {
            assert_eq!(age(good).map(|key| key.to_string()).as_deref(), Ok(good.trim()));
        }
        let error = age("AGE1ABC").expect_err("upper case").to_string();
        assert_eq!(error, "failed to parse input, unknown recipient type: \"AGE1ABC\"");
        let error = age("age1abc\n age1def").expect_err("two").to_string();
        assert!(error.ends_with("put commas between recipients"), "{error}");
    }

    #[test]
    fn splits_a_role_from_an_arn() {
        let key =
            kms("arn:aws:kms:r:1:key/a+b + arn:aws:iam::1:role/x", &BTreeMap::new(), "p").expect("valid");
        assert_eq!(key.to_string(), "arn:aws:kms:r:1:key/a+b+arn:aws:iam::1:role/x||p");
    }

    #[test]
    fn takes_blanks_out_of_fingerprints() {
        assert_eq!(pgp("85D7 7543").map(|key| key.to_string()).as_deref(), Ok("85D77543"));
        assert!(pgp(" ").is_err());
    }

    #[test]
    fn checks_the_two_parts_of_a_huawei_key() {
        assert!(hckms("eu:1-2").is_ok());
        assert!(hckms("eu").is_err() && hckms(":1").is_err() && hckms("eu: ").is_err());
    }

    #[test]
    fn takes_vault_uris_apart() {
        for (uri, text) in [
            ("https://vault:8200/v1/transit/keys/k", "https://vault:8200/v1/transit/keys/k"),
            ("HTTP://vault/v1/a/b/keys/k/", "http://vault/v1/a/b/keys/k"),
            ("https://vault//v1/transit/keys/k", "https://vault/v1/transit/keys/k"),
        ] {
            assert_eq!(hc_vault(uri).map(|key| key.to_string()).as_deref(), Ok(text));
        }
        for uri in [
            "vault:8200/v1/t/keys/k",
            "https://v/x/v1/t/keys/k",
            "https://v/v1/t/k",
            "https://v",
            "https://v/",
        ] {
            assert!(hc_vault(uri).is_err(), "{uri}");
        }
    }
}
