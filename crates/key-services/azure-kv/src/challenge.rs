//! The vault's challenge (key-services.md section 2.4): which tenant it names, and whether a token for a resource may
//! be sent to the vault.

use azure_core::http::Url;

use crate::vault_host::is_below;

/// The tenant that a `WWW-Authenticate` header names: the first part of the authority's path.
pub(crate) fn tenant_of(challenge: &str) -> Option<String> {
    let authority =
        parameter(challenge, "authorization").or_else(|| parameter(challenge, "authorization_uri"))?;
    let url = Url::parse(authority).ok()?;
    let tenant = url.path_segments()?.next()?;
    let plain = !tenant.is_empty()
        && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    plain.then(|| tenant.to_owned())
}

/// Whether a token for `scope` may go to `vault`: the vault is a proper subdomain of the scope's host, and the ports
/// are the same. This keeps a forged URL in a file from harvesting tokens.
pub(crate) fn may_receive(vault: &Url, scope: &str) -> bool {
    let Ok(resource) = Url::parse(scope) else {
        return false;
    };
    let (Some(vault_host), Some(resource_host)) = (vault.host_str(), resource.host_str()) else {
        return false;
    };
    resource.scheme() == "https"
        && vault.port_or_known_default() == resource.port_or_known_default()
        && is_below(vault_host, resource_host)
}

/// The quoted value of a parameter.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    challenge.match_indices(name).find_map(|(start, _)| {
        let before = challenge[..start].chars().next_back();
        if !matches!(before, None | Some(' ' | ',' | '\t')) {
            return None;
        }
        let value = challenge[start + name.len()..].strip_prefix("=\"")?;
        value.split_once('"').map(|(value, _)| value)
    })
}

#[cfg(test)]
mod tests {
    use azure_core::http::Url;

    use super::{may_receive, tenant_of};

    #[test]
    fn finds_the_tenant() {
        let tenant = |text| tenant_of(text);
        assert_eq!(
            tenant(
                r#"Bearer authorization="https://login.microsoftonline.com/T-1", resource="https://vault.azure.net""#
            ),
            Some("T-1".to_owned())
        );
        assert_eq!(
            tenant(r#"Bearer scope="https://vault.azure.net/.default",authorization_uri="https://l/T/x""#),
            Some("T".to_owned())
        );
        assert_eq!(tenant(r#"Bearer authorization="https://login""#), None);
        assert_eq!(tenant(r#"Bearer authorization="https://l/%2e%2e""#), None);
        assert_eq!(tenant("Bearer"), None);
        assert_eq!(tenant(r#"Bearer authorization="https://l/T"#), None);
    }

    #[test]
    fn a_token_goes_to_subdomains_of_its_resource_only() {
        let may = |vault: &str, scope: &str| may_receive(&Url::parse(vault).expect("URL"), scope);
        assert!(may("https://v.vault.azure.net", "https://vault.azure.net/.default"));
        assert!(may("https://v.vault.local:8443", "https://vault.local:8443/.default"));
        for (vault, scope) in [
            ("https://v.vault.azure.net", "https://management.azure.com/.default"),
            ("https://v.vault.azure.net", "https://v.vault.azure.net/.default"),
            ("https://v.vault.azure.net", "http://vault.azure.net/.default"),
            ("https://evilvault.azure.net", "https://vault.azure.net/.default"),
            ("https://v.vault.local:8443", "https://vault.local/.default"),
            ("https://v.vault.azure.net", "vault.azure.net"),
        ] {
            assert!(!may(vault, scope), "{vault} {scope}");
        }
    }
}
