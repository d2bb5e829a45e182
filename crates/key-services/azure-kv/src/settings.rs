//! What the service is told from outside. [`AzureSettings::from_environment`] alone reads the environment
//! (key-services.md section 2.6); everything else takes the value.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::offline::known::PublicKeySource;

/// The authority of the public cloud.
pub const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// The address of a virtual machine's metadata service.
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// How many requests are under way at once, unless `KSOPS_AZURE_MAX_REQUESTS` says otherwise.
const MAX_REQUESTS: usize = 16;

/// Where a managed identity's tokens come from.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagedIdentitySource {
    /// App Service, Functions, Container Apps: an endpoint with a secret header.
    AppService {
        /// `IDENTITY_ENDPOINT`.
        endpoint: String,
        /// `IDENTITY_HEADER`.
        header: Zeroizing<String>,
    },
    /// Azure Machine Learning.
    MachineLearning {
        /// `MSI_ENDPOINT`.
        endpoint: String,
        /// `MSI_SECRET`.
        secret: Zeroizing<String>,
    },
    /// Cloud Shell.
    CloudShell {
        /// `MSI_ENDPOINT`.
        endpoint: String,
    },
    /// The metadata service of a virtual machine.
    Imds {
        /// The address of its token service.
        endpoint: String,
    },
    /// A source that is recognised and not supported.
    Unsupported(&'static str),
}

/// Everything that decides how a vault is reached and with which identity.
#[derive(Clone)]
pub struct AzureSettings {
    /// `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<Zeroizing<String>>,
    /// `AZURE_CLIENT_CERTIFICATE_PATH`.
    pub certificate_path: Option<PathBuf>,
    /// `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`.
    pub send_certificate_chain: bool,
    /// Whether `AZURE_USERNAME` is set.
    pub has_username: bool,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// `AZURE_AUTHORITY_HOST`.
    pub authority_host: Option<String>,
    /// `AZURE_ADDITIONALLY_ALLOWED_TENANTS`, split.
    pub additionally_allowed_tenants: Vec<String>,
    /// `AZURE_TOKEN_CREDENTIALS`.
    pub token_credentials: Option<String>,
    /// `AZURE_AUTH_METHOD`, the switch of sops before 3.8.
    pub auth_method: Option<String>,
    /// Where a managed identity's tokens come from.
    pub managed_identity: ManagedIdentitySource,
    /// `KSOPS_AZURE_KEYVAULT_SUFFIXES`, split: DNS suffixes of vaults beside those of the known clouds.
    pub vault_suffixes: Vec<String>,
    /// The `PATH` in which `az` and `azd` are looked for; `None` for the process's own.
    pub tool_path: Option<OsString>,
    /// No operation takes longer than this.
    pub time_limit: Duration,
    /// The unit of waiting before a retry.
    pub retry_unit: Duration,
    /// How many requests may be under way at once.
    pub max_requests: usize,
    /// Whether nobody may be asked: then only public keys that are at hand are used.
    pub offline: bool,
    /// Files and folders with public keys.
    pub public_keys: Vec<PublicKeySource>,
    /// `$XDG_CACHE_HOME/ksops/azure-keys`, else that below `~/.cache`: the user's public keys.
    pub key_cache: Option<PathBuf>,
}

impl Default for AzureSettings {
    fn default() -> Self {
        Self::from_lookup(|_| None)
    }
}

impl fmt::Debug for AzureSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureSettings")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl AzureSettings {
    /// Reads the environment. An empty variable counts as unset.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// The same with a look-up of variables handed in.
    #[must_use]
    pub fn from_lookup(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let text = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some(value.to_string_lossy().into_owned())
        };
        let secret = |name: &str| text(name).map(Zeroizing::new);
        let list = |name: &str, separators: &[char]| -> Vec<String> {
            let text = text(name).unwrap_or_default();
            let items = text.split(separators).map(str::trim).filter(|item| !item.is_empty());
            items.map(str::to_owned).collect()
        };
        let send_chain = text("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN").unwrap_or_default();
        Self {
            tenant_id: text("AZURE_TENANT_ID"),
            client_id: text("AZURE_CLIENT_ID"),
            client_secret: secret("AZURE_CLIENT_SECRET"),
            certificate_path: path("AZURE_CLIENT_CERTIFICATE_PATH"),
            send_certificate_chain: send_chain == "1" || send_chain.eq_ignore_ascii_case("true"),
            has_username: text("AZURE_USERNAME").is_some(),
            federated_token_file: path("AZURE_FEDERATED_TOKEN_FILE"),
            authority_host: text("AZURE_AUTHORITY_HOST"),
            additionally_allowed_tenants: list("AZURE_ADDITIONALLY_ALLOWED_TENANTS", &[';']),
            token_credentials: text("AZURE_TOKEN_CREDENTIALS"),
            auth_method: text("AZURE_AUTH_METHOD"),
            managed_identity: managed_identity(&text),
            vault_suffixes: list("KSOPS_AZURE_KEYVAULT_SUFFIXES", &[',', ';', ' ']),
            tool_path: None,
            time_limit: Duration::from_secs(60),
            retry_unit: Duration::from_millis(800),
            max_requests: text("KSOPS_AZURE_MAX_REQUESTS")
                .and_then(|number| number.parse().ok())
                .unwrap_or(MAX_REQUESTS),
            offline: false,
            public_keys: Vec::new(),
            key_cache: path("XDG_CACHE_HOME")
                .or_else(|| Some(path("HOME")?.join(".cache")))
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join("ksops/azure-keys")),
        }
    }
}

fn managed_identity(text: &impl Fn(&str) -> Option<String>) -> ManagedIdentitySource {
    let secret = |name: &str| text(name).map(Zeroizing::new);
    if let Some(endpoint) = text("IDENTITY_ENDPOINT") {
        if let Some(header) = secret("IDENTITY_HEADER") {
            return match text("IDENTITY_SERVER_THUMBPRINT") {
                Some(_) => ManagedIdentitySource::Unsupported("Service Fabric"),
                None => ManagedIdentitySource::AppService { endpoint, header },
            };
        }
        if text("IMDS_ENDPOINT").is_some() {
            return ManagedIdentitySource::Unsupported("Azure Arc");
        }
    } else if let Some(endpoint) = text("MSI_ENDPOINT") {
        return match secret("MSI_SECRET") {
            Some(secret) => ManagedIdentitySource::MachineLearning { endpoint, secret },
            None => ManagedIdentitySource::CloudShell { endpoint },
        };
    }
    ManagedIdentitySource::Imds { endpoint: IMDS.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{AzureSettings, ManagedIdentitySource};

    fn settings(set: &[(&str, &str)]) -> AzureSettings {
        AzureSettings::from_lookup(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let settings = settings(&[("AZURE_TENANT_ID", ""), ("AZURE_CLIENT_ID", "c")]);
        assert_eq!((settings.tenant_id, settings.client_id.as_deref()), (None, Some("c")));
    }

    #[test]
    fn lists_are_split_and_trimmed() {
        let settings = settings(&[
            ("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "a; b;"),
            ("KSOPS_AZURE_KEYVAULT_SUFFIXES", "x.org, y.org"),
        ]);
        assert_eq!(settings.additionally_allowed_tenants, ["a", "b"]);
        assert_eq!(settings.vault_suffixes, ["x.org", "y.org"]);
    }

    #[test]
    fn the_source_of_a_managed_identity_follows_the_variables() {
        let source = |set: &[(&str, &str)]| settings(set).managed_identity;
        let (endpoint, header) = (("IDENTITY_ENDPOINT", "e"), ("IDENTITY_HEADER", "h"));
        assert!(matches!(source(&[endpoint, header]), ManagedIdentitySource::AppService { .. }));
        assert!(matches!(
            source(&[endpoint, header, ("IDENTITY_SERVER_THUMBPRINT", "t")]),
            ManagedIdentitySource::Unsupported("Service Fabric")
        ));
        assert!(matches!(
            source(&[endpoint, ("IMDS_ENDPOINT", "i")]),
            ManagedIdentitySource::Unsupported("Azure Arc")
        ));
        assert!(matches!(
            source(&[("MSI_ENDPOINT", "e"), ("MSI_SECRET", "s")]),
            ManagedIdentitySource::MachineLearning { .. }
        ));
        assert!(matches!(source(&[("MSI_ENDPOINT", "e")]), ManagedIdentitySource::CloudShell { .. }));
        assert!(matches!(source(&[]), ManagedIdentitySource::Imds { .. }));
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = settings(&[("AZURE_CLIENT_SECRET", "marker"), ("IDENTITY_HEADER", "marker")]);
        assert!(!format!("{settings:?}").contains("marker"));
    }
}
