//! Managed identities over our own client: the SDK's credential reads the environment by itself, has no probe and
//! retries for minutes.

use azure_core::credentials::AccessToken;
use ksops_transport::https::HttpsClient;
use ksops_transport::message::{Method, Request, Response, Route};
use ksops_transport::retry::{self, RetryPolicy};
use serde_json::Value;
use std::time::Duration;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::failure::plain;
use crate::member::Refusal;
use crate::settings::{AzureSettings, ManagedIdentitySource};

/// How long the probe of the metadata service may take, as one member of several.
const PROBE: Duration = Duration::from_secs(1);

/// The same for the only member: it should be there, and the first answer on a new node can be slow.
const PATIENT_PROBE: Duration = Duration::from_secs(10);

/// Gets a token of the managed identity. `alone`: it was chosen by name.
pub(crate) async fn token(
    settings: &AzureSettings,
    client: &HttpsClient,
    policy: &RetryPolicy,
    scope: &str,
    alone: bool,
) -> Result<AccessToken, Refusal> {
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let mut policy = policy.clone();
    let source = &settings.managed_identity;
    let request = match request(source, resource, settings.client_id.as_deref()) {
        Ok(request) => request,
        Err(kind) => {
            return Err(Refusal::Unavailable(format!("managed identities of {kind} are not supported")));
        }
    };
    let is_imds = matches!(source, ManagedIdentitySource::Imds { .. });
    if is_imds {
        // Without it the retries below would use up the time limit where there is no metadata service.
        probe(client, &request, if alone { PATIENT_PROBE } else { PROBE }).await?;
        policy.statuses.extend([404, 410, 501, 505]);
        policy.retries = 6;
    }
    let response = retry::send(client, &request, &policy).await.map_err(|error| {
        let text = error.to_string();
        if is_imds { Refusal::Unavailable(text) } else { Refusal::Failed(text) }
    })?;
    read(&response, is_imds, settings.client_id.is_some())
}

/// Asks without the header that a real question needs: any answer shows that the service is there.
async fn probe(client: &HttpsClient, request: &Request, limit: Duration) -> Result<(), Refusal> {
    let url = request.url.split('?').next().unwrap_or_default();
    let question = Request { route: Route::Direct, ..Request::new(Method::Get, url) };
    match tokio::time::timeout(limit, client.send(&question)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            Err(Refusal::Unavailable(format!("there is no metadata service on this machine ({error})")))
        }
        Err(_) => Err(Refusal::Unavailable(format!(
            "there is no metadata service on this machine (no answer within {} s)",
            limit.as_secs()
        ))),
    }
}

/// The request of a source; or the name of one that is not supported. None goes through a proxy.
fn request(
    source: &ManagedIdentitySource,
    resource: &str,
    client_id: Option<&str>,
) -> Result<Request, &'static str> {
    let resource = ("resource", resource);
    let id = |name| client_id.map(|id| (name, id));
    let get = |endpoint: &str, version, id: Option<(&str, &str)>| {
        let mut pairs = vec![("api-version", version), resource];
        pairs.extend(id);
        Request::new(Method::Get, format!("{endpoint}?{}", form(&pairs)))
    };
    let request = match source {
        ManagedIdentitySource::AppService { endpoint, header } => {
            get(endpoint, "2019-08-01", id("client_id")).with_header("x-identity-header", header)
        }
        ManagedIdentitySource::MachineLearning { endpoint, secret } => {
            get(endpoint, "2017-09-01", id("clientid")).with_header("secret", secret)
        }
        ManagedIdentitySource::Imds { endpoint } => {
            get(endpoint, "2018-02-01", id("client_id")).with_header("metadata", "true")
        }
        ManagedIdentitySource::CloudShell { endpoint } => {
            let mut request = Request::new(Method::Post, endpoint.as_str())
                .with_header("metadata", "true")
                .with_header("content-type", "application/x-www-form-urlencoded");
            request.body = Zeroizing::new(form(&[resource]).into_bytes());
            request
        }
        ManagedIdentitySource::Unsupported(kind) => return Err(kind),
    };
    Ok(Request { route: Route::Direct, ..request })
}

/// Pairs in the form of a query.
fn form(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let escaped = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        });
        escaped.collect()
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}

/// Reads the answer: a token, or why there is none.
fn read(response: &Response, is_imds: bool, user_assigned: bool) -> Result<AccessToken, Refusal> {
    if response.status != 200 {
        let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let said = json["error_description"].as_str().or(json["error"].as_str()).or(json["message"].as_str());
        let said = said.map(|text| format!(": {}", plain(text))).unwrap_or_default();
        let text = format!("the token request was refused with status {}{said}", response.status);
        // A machine without an identity is no machine to ask; an identity asked for by its ID has to be there. A
        // container runtime without the service answers with 403 (Docker).
        let absent = is_imds && (response.status == 400 && !user_assigned || response.status == 403);
        return Err(if absent { Refusal::Unavailable(text) } else { Refusal::Failed(text) });
    }
    let unreadable = || Refusal::Failed("the answer of the managed identity holds no token".to_owned());
    let json: Value = serde_json::from_slice(&response.body).map_err(|_| unreadable())?;
    let token = json["access_token"].as_str().filter(|token| !token.is_empty()).ok_or_else(unreadable)?;
    // Some sources write numbers as text.
    let number = |name: &str| json[name].as_i64().or_else(|| json[name].as_str()?.trim().parse().ok());
    let expires = match (number("expires_on"), number("expires_in")) {
        (Some(moment), _) => OffsetDateTime::from_unix_timestamp(moment).map_err(|_| unreadable())?,
        // Unknown dates and durations end at once, so that the token is not kept.
        (None, seconds) => {
            let seconds = seconds.unwrap_or_default().clamp(0, 86_400);
            OffsetDateTime::now_utc() + time::Duration::seconds(seconds)
        }
    };
    Ok(AccessToken::new(token.to_owned(), expires))
}

#[cfg(test)]
mod tests {
    use ksops_transport::message::{Response, Route};
    use zeroize::Zeroizing;

    use super::{read, request};
    use crate::member::Refusal;
    use crate::settings::ManagedIdentitySource;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    #[test]
    fn every_source_is_asked_its_way_and_never_through_a_proxy() {
        let secret = Zeroizing::new("s".to_owned());
        let endpoint = "http://h/t".to_owned();
        let cases = [
            (
                ManagedIdentitySource::AppService { endpoint: endpoint.clone(), header: secret.clone() },
                "http://h/t?api-version=2019-08-01&resource=https%3A%2F%2Fv&client_id=c%26",
                "x-identity-header",
            ),
            (
                ManagedIdentitySource::MachineLearning { endpoint: endpoint.clone(), secret },
                "http://h/t?api-version=2017-09-01&resource=https%3A%2F%2Fv&clientid=c%26",
                "secret",
            ),
            (
                ManagedIdentitySource::Imds { endpoint: endpoint.clone() },
                "http://h/t?api-version=2018-02-01&resource=https%3A%2F%2Fv&client_id=c%26",
                "metadata",
            ),
            (ManagedIdentitySource::CloudShell { endpoint }, "http://h/t", "metadata"),
        ];
        for (source, url, header) in cases {
            let request = request(&source, "https://v", Some("c&")).expect("supported");
            assert_eq!(request.url, url);
            assert_eq!(request.headers[0].0, header);
            assert_eq!(request.route, Route::Direct);
        }
        assert_eq!(request(&ManagedIdentitySource::Unsupported("x"), "r", None).err(), Some("x"));
    }

    #[test]
    fn expiry_is_read_as_text_number_or_duration() {
        let expires =
            |body| read(&answer(200, body), false, false).expect("a token").expires_on.unix_timestamp();
        assert_eq!(expires(r#"{"access_token":"t","expires_on":"4000000000"}"#), 4_000_000_000);
        assert_eq!(expires(r#"{"access_token":"t","expires_on":4000000000}"#), 4_000_000_000);
        assert!(expires(r#"{"access_token":"t","expires_in":"3600"}"#) > 1_700_000_000);
    }

    #[test]
    fn a_machine_without_identity_is_passed_over() {
        let refusal =
            |status, is_imds, user| read(&answer(status, "{}"), is_imds, user).expect_err("refused");
        assert!(matches!(refusal(400, true, false), Refusal::Unavailable(_)));
        assert!(matches!(refusal(400, true, true), Refusal::Failed(_)));
        for status in [400, 401, 403, 404, 500] {
            assert!(matches!(refusal(status, false, false), Refusal::Failed(_)));
        }
        let empty = read(&answer(200, "{}"), false, false);
        assert!(matches!(empty, Err(Refusal::Failed(_))));
    }
}
