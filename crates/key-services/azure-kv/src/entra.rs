//! The members that ask Entra ID itself: environment (client secret or certificate) and workload identity.

use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, Url};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use ksops_transport::https::HttpsClient;
use ksops_transport::retry::RetryPolicy;

use crate::certificate::CertificateAssertion;
use crate::failure::plain;
use crate::member::Refusal;
use crate::sdk_transport::client_options;
use crate::settings::{AzureSettings, PUBLIC_AUTHORITY};

/// The credential of the environment variables.
pub(crate) fn environment(
    settings: &AzureSettings,
    client: &HttpsClient,
    policy: &RetryPolicy,
    challenge_tenant: Option<&str>,
) -> Result<Arc<dyn TokenCredential>, Refusal> {
    let (own_tenant, client_id) = application(settings)?;
    if settings.client_secret.is_none() && settings.certificate_path.is_none() {
        return Err(Refusal::Unavailable(if settings.has_username {
            "AZURE_USERNAME with AZURE_PASSWORD is not supported: set AZURE_CLIENT_SECRET or \
             AZURE_CLIENT_CERTIFICATE_PATH"
                .to_owned()
        } else {
            "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set".to_owned()
        }));
    }
    let authority = authority(settings)?;
    if let Some(secret) = &settings.client_secret {
        let tenant = tenant(settings, own_tenant, challenge_tenant)?;
        let options =
            ClientSecretCredentialOptions { client_options: entra_options(client, policy, &authority) };
        let secret = Secret::new(secret.as_str().to_owned());
        let credential = ClientSecretCredential::new(&tenant, client_id.to_owned(), secret, Some(options));
        return Ok(credential.map_err(not_set_up)?);
    }
    let path = settings.certificate_path.as_deref().unwrap_or_else(|| "".as_ref());
    let mut assertion = CertificateAssertion::load(path, client_id, settings.send_certificate_chain)
        .map_err(|error| Refusal::Unavailable(error.to_string()))?;
    let tenant = tenant(settings, own_tenant, challenge_tenant)?;
    assertion.set_audience(format!("{authority}/{tenant}/oauth2/v2.0/token"));
    let options =
        ClientAssertionCredentialOptions { client_options: entra_options(client, policy, &authority) };
    let credential = ClientAssertionCredential::new(tenant, client_id.to_owned(), assertion, Some(options));
    Ok(credential.map_err(not_set_up)?)
}

/// The credential of a federated token.
pub(crate) fn workload_identity(
    settings: &AzureSettings,
    client: &HttpsClient,
    policy: &RetryPolicy,
    challenge_tenant: Option<&str>,
) -> Result<Arc<dyn TokenCredential>, Refusal> {
    let (own_tenant, client_id) = application(settings)?;
    let Some(file) = &settings.federated_token_file else {
        return Err(Refusal::Unavailable("AZURE_FEDERATED_TOKEN_FILE is not set".to_owned()));
    };
    let authority = authority(settings)?;
    let tenant = tenant(settings, own_tenant, challenge_tenant)?;
    let options = WorkloadIdentityCredentialOptions {
        credential_options: ClientAssertionCredentialOptions {
            client_options: entra_options(client, policy, &authority),
        },
        client_id: Some(client_id.to_owned()),
        tenant_id: Some(tenant),
        token_file_path: Some(file.clone()),
    };
    // Only a file that cannot be read fails here: it is set up, so the chain ends.
    let credential = WorkloadIdentityCredential::new(Some(options));
    Ok(credential.map_err(|error| Refusal::Failed(plain(&error.to_string())))?)
}

/// The tenant and client that both members need.
fn application(settings: &AzureSettings) -> Result<(&str, &str), Refusal> {
    let unset = |name: &str| Refusal::Unavailable(format!("{name} is not set"));
    let tenant = settings.tenant_id.as_deref().ok_or_else(|| unset("AZURE_TENANT_ID"))?;
    let client = settings.client_id.as_deref().ok_or_else(|| unset("AZURE_CLIENT_ID"))?;
    Ok((tenant, client))
}

/// The tenant to ask: the vault's, if it is ours or an allowed one.
fn tenant(settings: &AzureSettings, own: &str, challenge: Option<&str>) -> Result<String, Refusal> {
    let Some(challenge) = challenge else {
        return Ok(own.to_owned());
    };
    let mut allowed = settings.additionally_allowed_tenants.iter().map(String::as_str).chain([own]);
    if allowed.any(|tenant| tenant == "*" || tenant.eq_ignore_ascii_case(challenge)) {
        return Ok(challenge.to_owned());
    }
    Err(Refusal::Failed(format!(
        "the vault belongs to tenant {challenge}, AZURE_TENANT_ID is {own}: set AZURE_TENANT_ID to the vault's tenant, \
         or name that in AZURE_ADDITIONALLY_ALLOWED_TENANTS"
    )))
}

/// The authority without a trailing slash.
fn authority(settings: &AzureSettings) -> Result<String, Refusal> {
    let text = settings.authority_host.as_deref().unwrap_or(PUBLIC_AUTHORITY).trim_end_matches('/');
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" => Ok(text.to_owned()),
        _ => Err(Refusal::Unavailable(format!("AZURE_AUTHORITY_HOST {text:?} is not an https URL"))),
    }
}

fn entra_options(client: &HttpsClient, policy: &RetryPolicy, authority: &str) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    // Always given: the SDK would read the variable by itself otherwise.
    custom.authority_host = authority.to_owned();
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
        ..client_options(client, policy, None)
    }
}

fn not_set_up(error: azure_core::Error) -> Refusal {
    Refusal::Unavailable(plain(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use ksops_transport::https::{HttpsClient, HttpsSettings};
    use ksops_transport::retry::RetryPolicy;
    use zeroize::Zeroizing;

    use super::{authority, environment, tenant, workload_identity};
    use crate::member::Refusal;
    use crate::settings::AzureSettings;

    fn application() -> AzureSettings {
        AzureSettings {
            tenant_id: Some("own".into()),
            client_id: Some("c".into()),
            ..AzureSettings::default()
        }
    }

    fn asked(settings: &AzureSettings, tenant: &str) -> [Option<Refusal>; 2] {
        let client = HttpsClient::new(&HttpsSettings::default()).expect("a client");
        let policy = RetryPolicy::default();
        [
            environment(settings, &client, &policy, Some(tenant)).err(),
            workload_identity(settings, &client, &policy, Some(tenant)).err(),
        ]
    }

    #[test]
    fn unset_variables_are_named() {
        for refusal in asked(&AzureSettings::default(), "own") {
            assert_eq!(refusal, Some(Refusal::Unavailable("AZURE_TENANT_ID is not set".into())));
        }
        let [environment, workload] = asked(&application(), "own");
        assert!(
            matches!(environment, Some(Refusal::Unavailable(text)) if text.contains("AZURE_CLIENT_SECRET"))
        );
        assert!(matches!(workload, Some(Refusal::Unavailable(text)) if text.contains("FEDERATED")));
    }

    #[test]
    fn user_names_are_refused_with_what_to_use() {
        let settings = AzureSettings { has_username: true, ..application() };
        let [refusal, _] = asked(&settings, "own");
        assert!(matches!(refusal, Some(Refusal::Unavailable(text)) if text.contains("not supported")));
    }

    #[test]
    fn a_missing_certificate_is_passed_over_and_a_missing_token_file_is_not() {
        let settings = AzureSettings {
            certificate_path: Some("missing.pem".into()),
            federated_token_file: Some("missing".into()),
            ..application()
        };
        let [certificate, token] = asked(&settings, "own");
        assert!(matches!(certificate, Some(Refusal::Unavailable(text)) if text.contains("missing.pem")));
        assert!(matches!(token, Some(Refusal::Failed(text)) if text.contains("missing")));
    }

    #[test]
    fn another_tenant_has_to_be_allowed() {
        let mut settings = AzureSettings { client_secret: Some(Zeroizing::new("s".into())), ..application() };
        assert_eq!(asked(&settings, "OWN")[0], None);
        assert!(
            matches!(&asked(&settings, "other")[0], Some(Refusal::Failed(text)) if text.contains("other"))
        );
        settings.additionally_allowed_tenants = vec!["other".into()];
        assert_eq!(tenant(&settings, "own", Some("other")), Ok("other".into()));
        settings.additionally_allowed_tenants = vec!["*".into()];
        assert_eq!(tenant(&settings, "own", Some("any")), Ok("any".into()));
        assert_eq!(tenant(&settings, "own", None), Ok("own".into()));
    }

    #[test]
    fn the_authority_is_https_with_or_without_a_slash() {
        let with =
            |host: &str| authority(&AzureSettings { authority_host: Some(host.into()), ..application() });
        assert_eq!(with("https://login.microsoftonline.us/"), Ok("https://login.microsoftonline.us".into()));
        assert!(matches!(with("http://login"), Err(Refusal::Unavailable(_))));
        assert!(matches!(with("login"), Err(Refusal::Unavailable(_))));
    }
}
