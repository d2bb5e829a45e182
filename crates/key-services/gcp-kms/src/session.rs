//! [`GcpSession`]: tokens, and requests that carry them.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::message::{Method, Request, Response, Route};
use ksops_transport::retry::{self, RetryPolicy};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::credentials::{Credentials, Found};
use crate::failure::Failure;
use crate::jwt;
use crate::settings::GcpSettings;

const SCOPES: &str =
    "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/cloudkms";

/// A token with less than this left is fetched anew.
const MARGIN: Duration = Duration::from_secs(120);

/// The metadata server is near or not there.
const METADATA_LIMIT: Duration = Duration::from_secs(5);

/// Credentials with their token. Use it on the network thread.
pub struct GcpSession {
    http: HttpsClient,
    credentials: Credentials,
    quota_project: Option<String>,
    policy: RetryPolicy,
    /// Held while a token is fetched, so that many operations cause one request.
    token: Mutex<Option<(Zeroizing<String>, Instant)>>,
}

impl fmt::Debug for GcpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcpSession")
    }
}

impl GcpSession {
    /// Finds the credentials; asks nobody.
    ///
    /// # Errors
    /// [`Failure`] if what is found cannot be used.
    pub fn new(settings: &GcpSettings) -> Result<Self, Failure> {
        let Found { credentials, quota_project } = Credentials::find(settings)?;
        Ok(Self {
            http: HttpsClient::new(&HttpsSettings::default())?,
            credentials,
            quota_project,
            policy: policy(settings),
            token: Mutex::default(),
        })
    }

    /// Sends a request with the token.
    ///
    /// # Errors
    /// [`Failure`] if there is no good answer.
    pub async fn send(&self, request: Request) -> Result<Response, Failure> {
        let token = self.token().await?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.as_str()));
        let mut request = request.with_header("authorization", &bearer);
        if let Some(project) = &self.quota_project {
            request = request.with_header("x-goog-user-project", project);
        }
        good(retry::send(&self.http, &request, &self.policy).await?)
    }

    async fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let mut kept = self.token.lock().await;
        if let Some((token, _)) = kept.as_ref().filter(|(_, end)| *end > Instant::now() + MARGIN) {
            return Ok(token.clone());
        }
        let (token, life) = self.fetch(&self.credentials).await?;
        *kept = Some((token.clone(), Instant::now() + life));
        Ok(token)
    }

    async fn fetch(&self, credentials: &Credentials) -> Result<(Zeroizing<String>, Duration), Failure> {
        match credentials {
            Credentials::Token(token) => Ok((token.clone(), Duration::from_secs(3600))),
            Credentials::ServiceAccount { email, key_id, private_key, token_uri } => {
                let assertion = jwt::assertion(email, key_id, private_key, (token_uri, SCOPES), now())
                    .map_err(Failure::Credentials)?;
                let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                self.exchange(token_uri, &[("grant_type", grant), ("assertion", assertion.as_str())]).await
            }
            Credentials::User { client_id, client_secret, refresh_token, token_uri } => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id.as_str()),
                    ("client_secret", client_secret.as_str()),
                    ("refresh_token", refresh_token.as_str()),
                ];
                self.exchange(token_uri, &fields).await
            }
            Credentials::Impersonated { source, url, delegates } => {
                require_safe(url)?;
                let (token, _) = Box::pin(self.fetch(source)).await?;
                let scopes: Vec<&str> = SCOPES.split(' ').collect();
                let body = json!({"scope": scopes, "delegates": delegates, "lifetime": "3600s"}).to_string();
                let mut request = Request::new(Method::Post, url)
                    .with_header("content-type", "application/json")
                    .with_header("authorization", &format!("Bearer {}", token.as_str()));
                request.body = Zeroizing::new(body.into_bytes());
                let answer =
                    no_token(retry::send(&self.http, &request, &self.policy).await.map_err(Failure::from))?;
                let token = text(&answer, "accessToken")?;
                Ok((token, Duration::from_secs(3300)))
            }
            Credentials::Metadata { host } => self.of_machine(host).await,
        }
    }

    async fn exchange(
        &self,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<(Zeroizing<String>, Duration), Failure> {
        require_safe(url)?;
        let mut request =
            Request::new(Method::Post, url).with_header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in fields {
            let separator: &[u8] = if request.body.is_empty() { b"" } else { b"&" };
            request.body.extend_from_slice(separator);
            request.body.extend_from_slice(name.as_bytes());
            request.body.push(b'=');
            request.body.extend_from_slice(escaped(value).as_bytes());
        }
        of_answer(no_token(retry::send(&self.http, &request, &self.policy).await.map_err(Failure::from))?)
    }

    async fn of_machine(&self, host: &str) -> Result<(Zeroizing<String>, Duration), Failure> {
        let scopes = SCOPES.replace(' ', ",");
        let url = format!(
            "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
            escaped(&scopes).as_str()
        );
        let mut request = Request::new(Method::Get, url).with_header("metadata-flavor", "Google");
        request.route = Route::Direct;
        let nobody = || {
            let why = "no variable and no file names any, and there is no metadata server";
            Failure::Credentials(why.to_owned())
        };
        let answer = tokio::time::timeout(METADATA_LIMIT, self.http.send(&request)).await;
        let answer = answer.map_err(|_| nobody())?.map_err(|_| nobody())?;
        of_answer(no_token(Ok(answer))?)
    }
}

fn policy(settings: &GcpSettings) -> RetryPolicy {
    RetryPolicy { unit: settings.retry_unit, ..RetryPolicy::default() }
}

/// The answer if it is a good one.
///
/// # Errors
/// [`Failure::Answer`].
pub(crate) fn good(response: Response) -> Result<Response, Failure> {
    if (200..300).contains(&response.status) { Ok(response) } else { Err(Failure::of_answer(&response)) }
}

/// An answer about a token, in which a refusal is about the credentials.
fn no_token(answer: Result<Response, Failure>) -> Result<Response, Failure> {
    let answer = answer.map_err(|failure| match failure {
        // The host of the token endpoint, not of the key.
        Failure::Http(error) => Failure::Credentials(error.to_string()),
        other => other,
    })?;
    good(answer).map_err(|failure| Failure::Credentials(failure.to_string()))
}

/// `access_token` and how long it lasts.
fn of_answer(response: Response) -> Result<(Zeroizing<String>, Duration), Failure> {
    let token = text(&response, "access_token")?;
    let value: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let life = value["expires_in"].as_u64().unwrap_or(300);
    Ok((token, Duration::from_secs(life)))
}

fn text(response: &Response, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match answer.get_mut(name) {
        Some(Value::String(text)) => Ok(Zeroizing::new(std::mem::take(text))),
        _ => Err(Failure::Credentials("the token endpoint gave no token".to_owned())),
    }
}

/// The file of credentials must not send what is secret over an open line.
fn require_safe(url: &str) -> Result<(), Failure> {
    match url.starts_with("https://") || is_local(url) {
        true => Ok(()),
        false => Err(Failure::Credentials("a token endpoint of the credentials is not https".to_owned())),
    }
}

fn is_local(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|local| {
        url.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A value for a form or a query.
pub(crate) fn escaped(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 3));
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
