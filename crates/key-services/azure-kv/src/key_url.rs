//! The grammar of key URLs (key-services.md section 2.1).

use ksops_core::keys::master_key::AzureKvKey;

/// A text that is no key URL; the first words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not parse {text:?} into a valid Azure Key Vault MasterKey []{reason}")]
pub struct KeyUrlError {
    text: String,
    reason: &'static str,
}

/// Reads `https://VAULT/keys/NAME[/VERSION]`, blanks around it dropped.
///
/// # Errors
/// [`KeyUrlError`] if it is none. Unlike upstream a query or fragment is refused: it would become part of the name or
/// version.
pub fn parse_key_url(text: &str) -> Result<AzureKvKey, KeyUrlError> {
    let fail = |reason| KeyUrlError { text: text.to_owned(), reason };
    let url = text.trim();
    if url.contains(['?', '#']) {
        return Err(fail(": a query or fragment cannot be part of it"));
    }
    split(url).ok_or_else(|| fail(""))
}

/// Reads a comma-separated text of key URLs. An empty text has none.
///
/// # Errors
/// [`KeyUrlError`] for the first item that is no key URL; an empty item beside others is none.
pub fn parse_key_urls(text: &str) -> Result<Vec<AzureKvKey>, KeyUrlError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(parse_key_url).collect()
}

/// The URL of a key, without a slash behind it if there is no version.
#[must_use]
pub fn url_of(key: &AzureKvKey) -> String {
    let url = format!("{}/keys/{}", key.vault_url.trim_end_matches('/'), key.name);
    if key.version.is_empty() { url } else { format!("{url}/{}", key.version) }
}

fn split(url: &str) -> Option<AzureKvKey> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let key = path.strip_prefix("keys/")?;
    let (name, version) = key.split_once('/').unwrap_or((key, ""));
    if host.is_empty() || name.is_empty() || version.contains('/') {
        return None;
    }
    Some(AzureKvKey {
        vault_url: format!("https://{host}"),
        name: name.to_owned(),
        version: version.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_key_url, parse_key_urls};

    fn parts(text: &str) -> Option<(String, String, String)> {
        let key = parse_key_url(text).ok()?;
        Some((key.vault_url, key.name, key.version))
    }

    #[test]
    fn reads_keys_with_and_without_version() {
        let key = |version: &str| Some(("https://v.vault.azure.net".into(), "n".into(), version.into()));
        assert_eq!(parts("https://v.vault.azure.net/keys/n"), key(""));
        assert_eq!(parts("https://v.vault.azure.net/keys/n/"), key(""));
        assert_eq!(parts(" https://v.vault.azure.net/keys/n/0a1\n"), key("0a1"));
        assert_eq!(
            parts("https://v:8443/keys/n"),
            Some(("https://v:8443".into(), "n".into(), String::new()))
        );
    }

    #[test]
    fn refuses_everything_else_with_the_words_of_upstream() {
        for text in [
            "",
            "http://v/keys/n",
            "HTTPS://v/keys/n",
            "https://v/keys/n/1/",
            "https://v/x/keys/n",
            "https://v/keys/",
            "https:///keys/n",
            "https://v/secrets/n",
            "v/keys/n",
        ] {
            assert_eq!(
                parse_key_url(text).expect_err(text).to_string(),
                format!("could not parse {text:?} into a valid Azure Key Vault MasterKey []")
            );
        }
    }

    #[test]
    fn refuses_a_query_or_fragment() {
        for text in ["https://v/keys/n?x=1", "https://v/keys/n/1#x"] {
            assert!(parse_key_url(text).expect_err(text).to_string().ends_with("cannot be part of it"));
        }
    }

    #[test]
    fn splits_lists_at_commas() {
        let keys = parse_key_urls("https://v/keys/a, https://v/keys/b/1").expect("valid");
        assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(parse_key_urls("").expect("valid"), []);
        assert!(parse_key_urls("https://v/keys/a,").is_err());
    }
}
