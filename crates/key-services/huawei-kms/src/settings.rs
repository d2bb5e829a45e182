//! What Huawei Cloud's variables say (key-services.md section 8.3), read once and handed on as data.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// Before the name of a region, for its address.
const REGION: &str = "HUAWEICLOUD_SDK_REGION_KMS_";

/// The settings of a service.
#[derive(Clone)]
pub struct HuaweiSettings {
    /// `HUAWEICLOUD_SDK_AK`.
    pub access_key: Option<String>,
    /// `HUAWEICLOUD_SDK_SK`.
    pub secret_key: Option<Zeroizing<String>>,
    /// `HUAWEICLOUD_SDK_SECURITY_TOKEN`.
    pub security_token: Option<Zeroizing<String>>,
    /// `HUAWEICLOUD_SDK_PROJECT_ID`.
    pub project_id: Option<String>,
    /// Whether `HUAWEICLOUD_SDK_IDP_ID` is set, which is not supported.
    pub has_idp: bool,
    /// `HUAWEICLOUD_SDK_CREDENTIALS_FILE`, else `~/.huaweicloud/credentials`.
    pub credentials_file: Option<PathBuf>,
    /// `HUAWEICLOUD_SDK_IAM_ENDPOINT`.
    pub iam_endpoint: Option<String>,
    /// `HUAWEICLOUD_SDK_REGION_KMS_…`, by what follows.
    pub endpoints: HashMap<String, String>,
    /// The machine's own service of credentials.
    pub metadata: String,
    /// No operation takes longer than this.
    pub time_limit: Duration,
    /// The unit of waiting before a retry.
    pub retry_unit: Duration,
}

impl Default for HuaweiSettings {
    fn default() -> Self {
        Self::from_variables(std::iter::empty())
    }
}

impl fmt::Debug for HuaweiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HuaweiSettings").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl HuaweiSettings {
    /// Reads the environment. An empty variable counts as unset.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(env::vars_os())
    }

    /// The same with variables handed in.
    pub fn from_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let is_ours = |name: &str| name.starts_with("HUAWEICLOUD_SDK_") || name == "HOME";
        let set: HashMap<String, OsString> = variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, value)| is_ours(name) && !value.is_empty())
            .collect();
        let path = |name: &str| set.get(name).map(PathBuf::from);
        let text = |name: &str| set.get(name).map(|value| value.to_string_lossy().into_owned());
        let secret = |name: &str| text(name).map(Zeroizing::new);
        let endpoint = |(name, value): (&String, &OsString)| {
            Some((name.strip_prefix(REGION)?.to_owned(), value.to_string_lossy().into_owned()))
        };
        Self {
            access_key: text("HUAWEICLOUD_SDK_AK"),
            secret_key: secret("HUAWEICLOUD_SDK_SK"),
            security_token: secret("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
            project_id: text("HUAWEICLOUD_SDK_PROJECT_ID"),
            has_idp: set.contains_key("HUAWEICLOUD_SDK_IDP_ID"),
            credentials_file: path("HUAWEICLOUD_SDK_CREDENTIALS_FILE")
                .or_else(|| path("HOME").map(|home| home.join(".huaweicloud/credentials"))),
            iam_endpoint: text("HUAWEICLOUD_SDK_IAM_ENDPOINT"),
            endpoints: set.iter().filter_map(endpoint).collect(),
            metadata: "http://169.254.169.254".to_owned(),
            time_limit: Duration::from_secs(120),
            retry_unit: Duration::from_millis(300),
        }
    }

    /// The address of the service in a region, without a slash behind it.
    #[must_use]
    pub fn kms_address(&self, region: &str) -> String {
        let name = region.to_ascii_uppercase().replace('-', "_");
        match self.endpoints.get(&name) {
            Some(address) => address.trim_end_matches('/').to_owned(),
            None => format!("https://kms.{region}.{}", domain(region)),
        }
    }

    /// The address of IAM, always https.
    #[must_use]
    pub fn iam_address(&self, region: &str) -> String {
        let named = self.iam_endpoint.as_deref().map(|address| {
            let host = address.split_once("://").map_or(address, |(_, host)| host);
            format!("https://{}", host.trim_end_matches('/'))
        });
        named.unwrap_or_else(|| format!("https://iam.{region}.{}", domain(region)))
    }
}

fn domain(region: &str) -> &'static str {
    if region == "eu-west-101" { "myhuaweicloud.eu" } else { "myhuaweicloud.com" }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::HuaweiSettings;

    fn settings(set: &[(&str, &str)]) -> HuaweiSettings {
        HuaweiSettings::from_variables(
            set.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))),
        )
    }

    #[test]
    fn each_region_has_its_address() {
        let settings = settings(&[
            ("HUAWEICLOUD_SDK_REGION_KMS_TR_WEST_1", "http://h:1/"),
            ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "http://i"),
        ]);
        assert_eq!(settings.kms_address("tr-west-1"), "http://h:1");
        assert_eq!(settings.kms_address("cn-north-4"), "https://kms.cn-north-4.myhuaweicloud.com");
        assert_eq!(settings.kms_address("eu-west-101"), "https://kms.eu-west-101.myhuaweicloud.eu");
        assert_eq!(settings.iam_address("x"), "https://i");
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", settings(&[("HUAWEICLOUD_SDK_SK", "marker")])).contains("marker"));
    }
}
