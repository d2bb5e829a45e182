//! Which hosts are vaults (security.md S22): a URL in a file must not send a token or a ciphertext to just anybody.

use azure_core::http::Url;

/// The DNS suffixes of Key Vault and Managed HSM in the known clouds.
const SUFFIXES: [&str; 6] = [
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
    "managedhsm.azure.net",
    "managedhsm.azure.cn",
    "managedhsm.usgovcloudapi.net",
];

/// Why a URL is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VaultHostError {
    /// Not a plain https URL of a host.
    #[error("{0:?} is not the URL of a vault: https://HOST is expected, with nothing behind the host")]
    Malformed(String),
    /// A host outside the known suffixes.
    #[error("{0:?} is not a host of Azure Key Vault or Managed HSM, so nothing was sent to it")]
    Unknown(String),
}

/// Checks the URL of a vault before any request, and gives it in canonical form.
///
/// # Errors
/// [`VaultHostError`] if it must not be asked.
pub(crate) fn check(vault_url: &str, more_suffixes: &[String]) -> Result<Url, VaultHostError> {
    let malformed = || VaultHostError::Malformed(vault_url.to_owned());
    let url = Url::parse(vault_url).map_err(|_| malformed())?;
    let host = url.host_str().ok_or_else(malformed)?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if url.scheme() != "https" || !bare {
        return Err(malformed());
    }
    let more = more_suffixes.iter().map(String::as_str);
    if SUFFIXES.into_iter().chain(more).any(|suffix| is_below(host, suffix)) {
        Ok(url)
    } else {
        Err(VaultHostError::Unknown(host.to_owned()))
    }
}

/// Whether `host` is a proper subdomain of `suffix`.
pub(crate) fn is_below(host: &str, suffix: &str) -> bool {
    let suffix = suffix.trim_matches('.').to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    !suffix.is_empty()
        && host
            .strip_suffix(&suffix)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|label| !label.is_empty() && !label.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{VaultHostError, check};

    fn allowed(url: &str) -> bool {
        check(url, &["vault.example.org".to_owned()]).is_ok()
    }

    #[test]
    fn the_clouds_and_configured_suffixes_are_vaults() {
        for url in [
            "https://v.vault.azure.net",
            "https://v.vault.azure.net/",
            "https://V.Vault.Azure.NET",
            "https://v.vault.azure.net:443",
            "https://v.vault.azure.cn",
            "https://v.vault.usgovcloudapi.net",
            "https://h.managedhsm.azure.net",
            "https://h.managedhsm.usgovcloudapi.net",
            "https://v.vault.example.org",
        ] {
            assert!(allowed(url), "{url}");
        }
    }

    #[test]
    fn look_alikes_are_not() {
        for url in [
            "https://vault.azure.net",
            "https://.vault.azure.net",
            "https://evilvault.azure.net",
            "https://v.vault.azure.net.evil.example",
            "https://v.vault.azure.net@evil.example",
            "https://evil.example/v.vault.azure.net",
            "https://v.vault.azure.net/x",
            "https://v.vault.azure.net?x",
            "https://u@v.vault.azure.net",
            "http://v.vault.azure.net",
            "https://127.0.0.1",
            "https://",
            "",
        ] {
            assert!(!allowed(url), "{url}");
        }
    }

    #[test]
    fn an_unknown_host_is_named() {
        let error = check("https://vault.example.org", &[]).expect_err("unknown");
        assert_eq!(error, VaultHostError::Unknown("vault.example.org".to_owned()));
    }
}
