//! [`AwsSession`]: who we are to AWS, and signed requests.
//!
//! Credentials, profiles and endpoints are found by AWS's own library, from the environment and the files of its tools.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::message::{Method, Request, Response};
use ksops_transport::retry::{self, RetryPolicy};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::failure_text::chain;
use crate::sdk_transport::SdkTransport;

/// Credentials that end sooner are fetched anew.
const MARGIN: Duration = Duration::from_secs(60);

/// Who to be, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// A profile that replaces `AWS_PROFILE`; empty for none.
    pub profile: String,
    /// A region that replaces every setting; empty for none.
    pub region: String,
    /// A role to assume with the credentials found; empty for none.
    pub role: String,
    /// The name of the session of that role.
    pub session_name: String,
}

/// A service of AWS, as its requests have to know.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name in signatures and endpoints, such as `kms`.
    pub name: &'static str,
    /// Its name in settings, such as `KMS`.
    pub id: &'static str,
    /// Whether paths are escaped twice for the signature, as every service but S3 has it.
    pub escapes_twice: bool,
}

/// A request before it is signed.
pub struct Call {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// Headers that are signed and sent.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Settings and credentials of one identity. Use it on the network thread.
pub struct AwsSession {
    http: HttpsClient,
    config: SdkConfig,
    provider: SharedCredentialsProvider,
    credentials: Mutex<Option<Credentials>>,
    policy: RetryPolicy,
}

impl fmt::Debug for AwsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsSession")
    }
}

impl AwsSession {
    /// Reads settings; asks nobody, unless a role is to be assumed.
    ///
    /// # Errors
    /// [`Failure`] if there is nobody to be.
    pub async fn new(identity: &Identity) -> Result<Self, Failure> {
        let http = HttpsClient::new(&HttpsSettings::default())?;
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        loader = loader.http_client(SdkTransport::new(http.clone()));
        if !identity.profile.is_empty() {
            loader = loader.profile_name(&identity.profile);
        }
        if !identity.region.is_empty() {
            loader = loader.region(Region::new(identity.region.clone()));
        }
        let mut config = boxed(loader.load()).await;
        if !identity.profile.is_empty() {
            // A profile that a key names wins against credentials of the environment.
            let provider = aws_config::profile::ProfileFileCredentialsProvider::builder()
                .profile_name(&identity.profile)
                .configure(&provider_config(&config, &http))
                .build();
            config =
                config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        }
        let mut provider = config
            .credentials_provider()
            .ok_or_else(|| Failure::Credentials("no source of credentials is set up".to_owned()))?;
        if !identity.role.is_empty() {
            let role = AssumeRoleProvider::builder(&identity.role)
                .session_name(&identity.session_name)
                .configure(&config);
            provider = SharedCredentialsProvider::new(boxed(role.build_from_provider(provider)).await);
        }
        let attempts = config.retry_config().map_or(3, |config| config.max_attempts());
        let policy = RetryPolicy {
            retries: attempts.saturating_sub(1),
            unit: Duration::from_millis(300),
            cap: Duration::from_secs(20),
            ..RetryPolicy::default()
        };
        Ok(Self { http, config, provider, credentials: Mutex::default(), policy })
    }

    /// The region.
    ///
    /// # Errors
    /// [`Failure::NoRegion`].
    pub fn region(&self) -> Result<String, Failure> {
        self.config.region().map(ToString::to_string).ok_or(Failure::NoRegion)
    }

    /// The endpoint that the settings name for a service; none for AWS's own.
    #[must_use]
    pub fn endpoint(&self, service: Service) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let own = key.and_then(|key| self.config.service_config()?.load_config(key));
        let found = own.or_else(|| self.config.endpoint_url().map(str::to_owned));
        found.map(|url| url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty())
    }

    /// AWS's own host of a service in a region, without anything before the service's name.
    #[must_use]
    pub fn host(&self, service: Service, region: &str) -> String {
        let fips = if self.config.use_fips() == Some(true) { "-fips" } else { "" };
        let (dual, suffix) = match self.config.use_dual_stack() {
            // S3 has a word of its own for it.
            Some(true) if service.name == "s3" => (".dualstack", domain(region, false)),
            Some(true) => ("", domain(region, true)),
            _ => ("", domain(region, false)),
        };
        format!("{}{fips}{dual}.{region}.{suffix}", service.name)
    }

    /// Signs and sends a request, again and again while AWS asks to.
    ///
    /// # Errors
    /// [`Failure`]; an answer of any status is none.
    pub async fn send(&self, service: Service, region: &str, call: &Call) -> Result<Response, Failure> {
        let credentials = self.credentials().await?;
        let request = signed(service, region, call, credentials)?;
        Ok(boxed(retry::send(&self.http, &request, &self.policy)).await?)
    }

    /// The credentials, kept until shortly before they end.
    ///
    /// # Errors
    /// [`Failure::Credentials`].
    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        let mut kept = self.credentials.lock().await;
        let lasts = |credentials: &Credentials| {
            credentials.expiry().is_none_or(|end| end > SystemTime::now() + MARGIN)
        };
        if let Some(credentials) = kept.as_ref().filter(|credentials| lasts(credentials)) {
            return Ok(credentials.clone());
        }
        let found = boxed(self.provider.provide_credentials()).await;
        let credentials = found.map_err(|error| Failure::Credentials(chain(&error)))?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }
}

/// The library's futures are large; on the heap they do not blow up ours.
fn boxed<F: Future>(future: F) -> std::pin::Pin<Box<F>> {
    Box::pin(future)
}

fn provider_config(config: &SdkConfig, http: &HttpsClient) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_http_client(SdkTransport::new(http.clone()))
        .with_region(config.region().cloned())
}

/// The domain of the partition that a region belongs to.
fn domain(region: &str, is_dual_stack: bool) -> &'static str {
    let is = |prefix: &str| region.starts_with(prefix);
    match is_dual_stack {
        true if is("cn-") => "api.amazonwebservices.com.cn",
        true if is("eusc-") => "api.amazonwebservices.eu",
        true => "api.aws",
        false if is("cn-") => "amazonaws.com.cn",
        false if is("us-iso-") => "c2s.ic.gov",
        false if is("us-isob-") => "sc2s.sgov.gov",
        false if is("eu-isoe-") => "cloud.adc-e.uk",
        false if is("us-isof-") => "csp.hci.ic.gov",
        false if is("eusc-") => "amazonaws.eu",
        false => "amazonaws.com",
    }
}

fn signed(service: Service, region: &str, call: &Call, credentials: Credentials) -> Result<Request, Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| Failure::Signing(chain(error));
    let method = match call.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    let mut settings = SigningSettings::default();
    if !service.escapes_twice {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service.name)
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(method, &call.url, headers, SignableBody::Bytes(&call.body))
        .map_err(|error| failed(&error))?;
    let (instructions, _) = sign(signable, &parameters).map_err(|error| failed(&error))?.into_parts();
    let mut request = Request::new(call.method, &call.url);
    for (name, value) in &call.headers {
        request = request.with_header(name, value);
    }
    for (name, value) in instructions.headers() {
        request = request.with_header(name, value);
    }
    request.body = call.body.clone();
    Ok(request)
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use ksops_transport::message::Method;
    use zeroize::Zeroizing;

    use super::{Call, Service, domain, signed};

    #[test]
    fn each_partition_has_its_domain() {
        for (region, expected) in [
            ("eu-west-1", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
        ] {
            assert_eq!(domain(region, false), expected);
        }
        assert_eq!(domain("eu-west-1", true), "api.aws");
    }

    #[test]
    fn a_request_is_signed_with_token_and_body() {
        let credentials = Credentials::new("AKID", "secret-marker", Some("token".into()), None, "test");
        let service = Service { name: "s3", id: "S3", escapes_twice: false };
        let call = Call {
            method: Method::Put,
            url: "https://h/a%20b".to_owned(),
            headers: vec![("content-type", "text/plain".to_owned())],
            body: Zeroizing::new(b"x".to_vec()),
        };
        let request = signed(service, "eu-west-1", &call, credentials).expect("signed");
        let header = |name: &str| {
            request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string())
        };
        let authorization = header("authorization").expect("signed");
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{authorization}");
        assert!(authorization.contains("/eu-west-1/s3/aws4_request"), "{authorization}");
        assert!(authorization.contains(
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
        ));
        assert_eq!(header("x-amz-security-token").as_deref(), Some("token"));
        let digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        assert_eq!(header("x-amz-content-sha256").as_deref(), Some(digest));
        assert!(request.headers.iter().all(|(_, value)| !value.contains("secret-marker")));
    }
}
