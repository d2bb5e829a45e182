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

/// The first scope or resource of a `WWW-Authenticate` header that must not be asked for on behalf of `vault`; an empty
/// text if the header names none at all. The SDK takes the first it finds, so every one has to be good.
pub(crate) fn foreign_scope<'a>(vault: &Url, challenge: &'a str) -> Option<&'a str> {
    let mut named = parameters(challenge, "scope").chain(parameters(challenge, "resource")).peekable();
    if named.peek().is_none() {
        return Some("");
    }
    named.find(|scope| !may_receive(vault, scope))
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

/// The first quoted value of a parameter.
fn parameter<'a>(challenge: &'a str, name: &'a str) -> Option<&'a str> {
    parameters(challenge, name).next()
}

/// The quoted values of a parameter.
fn parameters<'a>(challenge: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    challenge.match_indices(name).filter_map(move |(start, _)| {
        let value = challenge[start + name.len()..].strip_prefix("=\"")?;
        value.split_once('"').map(|(value, _)| value)
    })
}

#[cfg(test)]
mod tests {
    use azure_core::http::Url;

    use super::{foreign_scope, may_receive, tenant_of};

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

    #[test]
    fn every_scope_and_resource_of_a_challenge_has_to_be_good() {
        let vault = Url::parse("https://v.vault.azure.net").expect("URL");
        let good = "resource=\"https://vault.azure.net\"";
        assert_eq!(foreign_scope(&vault, &format!("Bearer {good}")), None);
        assert_eq!(foreign_scope(&vault, "Bearer authorization=\"https://l/t\""), Some(""));
        for other in [
            "scope=\"https://x/.default\"",
            "myscope=\"https://x/.default\"",
            "resource=\"https://x/.default\"",
        ] {
            let (before, behind) = (format!("Bearer {other}, {good}"), format!("Bearer {good}, {other}"));
            assert_eq!(foreign_scope(&vault, &before), Some("https://x/.default"));
            assert_eq!(foreign_scope(&vault, &behind), Some("https://x/.default"));
        }
    }
}
