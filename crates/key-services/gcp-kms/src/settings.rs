//! What Google's and sops's variables say (key-services.md section 6.3, 6.4), read once and handed on as data.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// The settings of a session.
#[derive(Clone)]
pub struct GcpSettings {
    /// `GOOGLE_CREDENTIALS`: a file, or JSON itself.
    pub credentials: Option<Zeroizing<String>>,
    /// `GOOGLE_OAUTH_ACCESS_TOKEN`.
    pub token: Option<Zeroizing<String>>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`.
    pub credentials_file: Option<PathBuf>,
    /// The file of `gcloud auth application-default login`.
    pub default_file: Option<PathBuf>,
    /// `GOOGLE_CLOUD_QUOTA_PROJECT`: the project that requests of a user count for.
    pub quota_project: Option<String>,
    /// `GCE_METADATA_HOST`, without a scheme.
    pub metadata_host: Option<String>,
    /// `SOPS_GCP_KMS_ENDPOINT`.
    pub endpoint: Option<String>,
    /// `SOPS_GCP_KMS_UNIVERSE_DOMAIN`.
    pub universe_domain: Option<String>,
    /// `STORAGE_EMULATOR_HOST`: a double of Cloud Storage, which is asked without credentials.
    pub storage_emulator: Option<String>,
    /// No operation takes longer than this.
    pub time_limit: Duration,
    /// The unit of waiting before a retry.
    pub retry_unit: Duration,
}

impl Default for GcpSettings {
    fn default() -> Self {
        Self::from_lookup(|_| None)
    }
}

impl fmt::Debug for GcpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpSettings").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl GcpSettings {
    /// Reads the environment. An empty variable counts as unset.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// The same with a look-up of variables handed in.
    #[must_use]
    pub fn from_lookup(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let folder = path("CLOUDSDK_CONFIG")
            .or_else(|| path("APPDATA").map(|folder| folder.join("gcloud")))
            .or_else(|| path("HOME").map(|home| home.join(".config/gcloud")));
        Self {
            credentials: text("GOOGLE_CREDENTIALS").map(Zeroizing::new),
            token: text("GOOGLE_OAUTH_ACCESS_TOKEN").map(Zeroizing::new),
            credentials_file: path("GOOGLE_APPLICATION_CREDENTIALS"),
            default_file: folder.map(|folder| folder.join("application_default_credentials.json")),
            quota_project: text("GOOGLE_CLOUD_QUOTA_PROJECT"),
            metadata_host: text("GCE_METADATA_HOST"),
            endpoint: text("SOPS_GCP_KMS_ENDPOINT"),
            universe_domain: text("SOPS_GCP_KMS_UNIVERSE_DOMAIN"),
            storage_emulator: text("STORAGE_EMULATOR_HOST"),
            time_limit: Duration::from_secs(60),
            retry_unit: Duration::from_millis(300),
        }
    }

    /// The address of Cloud KMS, without a slash behind it.
    #[must_use]
    pub fn kms_address(&self) -> String {
        match (&self.endpoint, &self.universe_domain) {
            (Some(endpoint), _) => with_scheme(endpoint, "https"),
            (None, Some(domain)) => format!("https://cloudkms.{domain}"),
            (None, None) => "https://cloudkms.googleapis.com".to_owned(),
        }
    }

    /// The address of Cloud Storage, and whether it is a double that takes no credentials.
    #[must_use]
    pub fn storage_address(&self) -> (String, bool) {
        match &self.storage_emulator {
            Some(host) => (with_scheme(host, "http"), true),
            None => ("https://storage.googleapis.com".to_owned(), false),
        }
    }
}

/// Endpoints of gRPC are written without a scheme.
fn with_scheme(address: &str, scheme: &str) -> String {
    let address = address.trim_end_matches('/');
    if address.contains("://") { address.to_owned() } else { format!("{scheme}://{address}") }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::GcpSettings;

    fn settings(set: &[(&str, &str)]) -> GcpSettings {
        GcpSettings::from_lookup(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_endpoint_wins_over_the_domain() {
        let (endpoint, domain) =
            (("SOPS_GCP_KMS_ENDPOINT", "h:1"), ("SOPS_GCP_KMS_UNIVERSE_DOMAIN", "d.example"));
        assert_eq!(settings(&[]).kms_address(), "https://cloudkms.googleapis.com");
        assert_eq!(settings(&[domain]).kms_address(), "https://cloudkms.d.example");
        assert_eq!(settings(&[domain, endpoint]).kms_address(), "https://h:1");
        assert_eq!(settings(&[("SOPS_GCP_KMS_ENDPOINT", "http://h/")]).kms_address(), "http://h");
        let double = settings(&[("STORAGE_EMULATOR_HOST", "h:2")]).storage_address();
        assert_eq!(double, ("http://h:2".to_owned(), true));
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = settings(&[("GOOGLE_CREDENTIALS", "marker"), ("GOOGLE_OAUTH_ACCESS_TOKEN", "marker")]);
        assert!(!format!("{settings:?}").contains("marker"));
    }
}
