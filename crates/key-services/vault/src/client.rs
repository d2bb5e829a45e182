//! One request to a Vault or OpenBao server, with the user's token, retries, and at most one redirect.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ksops_transport::https::HttpsClient;
use ksops_transport::message::{Method, Request, Response};
use ksops_transport::retry::{self, RetryPolicy};
use ksops_transport::runtime::block_on_within;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::settings::VaultSettings;

/// What is asked of a server.
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// `http://HOST[:PORT]` or `https://…`, perhaps with a path before the interface's own.
    pub address: &'a str,
    /// The path behind `/v1/`, not escaped.
    pub path: &'a str,
    /// The body, in JSON; empty for none.
    pub body: Zeroizing<Vec<u8>>,
}

/// Speaks to servers. Nothing is read or sent before the first call.
#[derive(Clone)]
pub struct VaultClient {
    settings: Arc<VaultSettings>,
    shared: Arc<OnceLock<Result<Shared, Failure>>>,
}

/// What all calls use together.
struct Shared {
    http: HttpsClient,
    headers: Vec<(String, Zeroizing<String>)>,
    policy: RetryPolicy,
    limit: Duration,
    redirects: bool,
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultClient")
    }
}

impl VaultClient {
    /// A client with these settings.
    #[must_use]
    pub fn new(settings: VaultSettings) -> Self {
        Self { settings: Arc::new(settings), shared: Arc::default() }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &VaultSettings {
        &self.settings
    }

    /// Asks, and gives the body of a good answer. `None`: there is nothing at that path (404 without a complaint).
    ///
    /// # Errors
    /// [`Failure`].
    pub fn call(&self, call: Call<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        let mut request = Request::new(call.method, url(call.address, call.path)?);
        let shared = self.shared.get_or_init(|| self.connect()).as_ref().map_err(Clone::clone)?;
        if !call.body.is_empty() {
            request = request.with_header("content-type", "application/json");
        }
        request.body = call.body;
        request.headers.extend(shared.headers.iter().cloned());
        let (http, policy, redirects) = (shared.http.clone(), shared.policy.clone(), shared.redirects);
        let response =
            block_on_within(shared.limit, async move { send(&http, request, &policy, redirects).await })??;
        let errors = errors(&response.body);
        match response.status {
            200..=299 => Ok(Some(response.body)),
            404 if errors.is_empty() => Ok(None),
            status => Err(Failure::Answer { status, errors }),
        }
    }

    fn connect(&self) -> Result<Shared, Failure> {
        let settings = &self.settings;
        let mut headers = settings.extra_headers()?;
        let mut add =
            |name: &str, value: &str| headers.push((name.to_owned(), Zeroizing::new(value.to_owned())));
        add("x-vault-request", "true");
        if let Some(token) = settings.token()? {
            if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
                return Err(Failure::Settings("the token holds characters that no token has".to_owned()));
            }
            add("x-vault-token", &token);
        }
        if let Some(namespace) = &settings.namespace {
            add("x-vault-namespace", namespace);
        }
        let policy = RetryPolicy {
            retries: settings.retries()?,
            unit: settings.retry_unit,
            cap: Duration::from_millis(1500),
            // A server without a leader answers 412.
            statuses: vec![412, 429, 500, 502, 503, 504],
            ..RetryPolicy::default()
        };
        Ok(Shared {
            http: HttpsClient::new(&settings.https()?)?,
            headers,
            policy,
            limit: settings.time_limit()?,
            redirects: settings.follows_redirects()?,
        })
    }
}

async fn send(
    http: &HttpsClient,
    mut request: Request,
    policy: &RetryPolicy,
    redirects: bool,
) -> Result<Response, Failure> {
    let response = retry::send(http, &request, policy).await?;
    let place = response.header("location").filter(|_| matches!(response.status, 301 | 302 | 307));
    let Some(place) = place.filter(|_| redirects) else { return Ok(response) };
    // A standby server names the active one.
    let is_as_safe =
        place.starts_with("https://") || place.starts_with("http://") && request.url.starts_with("http://");
    if !is_as_safe {
        return Err(Failure::Refused("the server redirects to a place that is not safe to ask".to_owned()));
    }
    request.url = place.to_owned();
    Ok(retry::send(http, &request, policy).await?)
}

/// The URL of a path. Each byte that could end or change the path is escaped.
fn url(address: &str, path: &str) -> Result<String, Failure> {
    let refused = |why: &str| Err(Failure::Refused(why.to_owned()));
    let address = address.trim_end_matches('/');
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty() && !rest.starts_with('/')) else {
        return refused("the address of the server must begin with https:// or http:// and name a host");
    };
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-._~:/[]".contains(sign);
    if !rest.chars().all(is_plain) || rest.split('/').skip(1).any(is_step) {
        return refused("the address of the server may hold a host, a port and a plain path only");
    }
    if path.is_empty() || path.split('/').any(is_step) {
        return refused("the path may not be empty or hold the segments `.` and `..`");
    }
    let mut url = format!("{address}/v1/");
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                url.push(char::from(byte))
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(url)
}

/// A step that is no name.
fn is_step(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

/// The complaints of an answer; an answer without any may hold warnings only.
fn errors(body: &[u8]) -> Vec<String> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return Vec::new() };
    let errors = answer.get("errors").and_then(Value::as_array);
    errors.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use ksops_transport::message::Method;
    use zeroize::Zeroizing;

    use super::{Call, VaultClient, url};
    use crate::failure::Failure;
    use crate::settings::VaultSettings;

    /// Answers as many connections as there are answers, and gives what was sent.
    fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let handle = std::thread::spawn(move || {
            let answer = |answer: String| {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).expect("a request");
                stream.write_all(answer.as_bytes()).expect("written");
                String::from_utf8_lossy(&buffer[..read]).to_lowercase()
            };
            answers.into_iter().map(answer).collect()
        });
        (address, handle)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn get(settings: VaultSettings, address: &str) -> Result<Option<Vec<u8>>, Failure> {
        let call = Call { method: Method::Get, address, path: "kv/a b", body: Zeroizing::default() };
        VaultClient::new(settings).call(call).map(|body| body.map(|body| body.to_vec()))
    }

    fn settings() -> VaultSettings {
        VaultSettings {
            token: Some("t0".to_owned().into()),
            namespace: Some("team".to_owned()),
            retry_unit: std::time::Duration::from_millis(1),
            ..VaultSettings::default()
        }
    }

    #[test]
    fn token_and_namespace_go_along_and_answers_are_told_apart() {
        let (address, seen) = serve(vec![answer("200 OK", "", "{}")]);
        assert_eq!(get(settings(), &address), Ok(Some(b"{}".to_vec())));
        let seen = seen.join().expect("served").remove(0);
        for line in [
            "get /v1/kv/a%20b http/1.1",
            "x-vault-token: t0",
            "x-vault-namespace: team",
            "x-vault-request: true",
        ] {
            assert!(seen.contains(&format!("{line}\r\n")), "{line}: {seen}");
        }
        let (address, _seen) = serve(vec![answer("404 X", "", r#"{"errors":[]}"#)]);
        assert_eq!(get(settings(), &address), Ok(None));
        let (address, _seen) = serve(vec![answer("403 X", "", r#"{"errors":["denied"]}"#)]);
        let expected = Failure::Answer { status: 403, errors: vec!["denied".to_owned()] };
        assert_eq!(get(settings(), &address), Err(expected));
    }

    #[test]
    fn one_redirect_is_followed_unless_it_is_forbidden() {
        let moved = |to: &str| answer("307 X", &format!("Location: {to}\r\n"), "");
        let (active, seen) = serve(vec![answer("200 OK", "", "{}")]);
        let (standby, _) = serve(vec![moved(&format!("{active}/v1/x"))]);
        assert_eq!(get(settings(), &standby), Ok(Some(b"{}".to_vec())));
        assert!(seen.join().expect("served")[0].contains("x-vault-token: t0"));
        let (standby, _) = serve(vec![moved("https://127.0.0.1:1/")]);
        let fixed = VaultSettings { disable_redirects: Some("true".to_owned()), ..settings() };
        assert!(matches!(get(fixed, &standby), Err(Failure::Answer { status: 307, .. })));
        let (standby, _) = serve(vec![moved("ftp://127.0.0.1:1/")]);
        assert!(matches!(get(settings(), &standby), Err(Failure::Refused(_))));
    }

    #[test]
    fn a_server_without_leader_is_asked_again() {
        let (address, seen) =
            serve(vec![answer("412 X", "", ""), answer("503 X", "", ""), answer("200 OK", "", "{}")]);
        assert_eq!(get(settings(), &address), Ok(Some(b"{}".to_vec())));
        assert_eq!(seen.join().expect("served").len(), 3);
    }

    #[test]
    fn a_path_cannot_leave_its_place() {
        let made = |address: &str, path: &str| url(address, path).ok();
        assert_eq!(made("http://h:1/", "/a/b").as_deref(), Some("http://h:1/v1/a/b"));
        assert_eq!(made("https://h/x", "a?b#c%").as_deref(), Some("https://h/x/v1/a%3Fb%23c%25"));
        for (address, path) in [
            ("https://h", "a/../sys"),
            ("https://h", "./a"),
            ("https://h", ""),
            ("h", "a"),
            ("https://", "a"),
            ("https:///x", "a"),
            ("https://u:p@h", "a"),
            ("https://h?x", "a"),
            ("unix:///run/vault", "a"),
            ("https://h/..", "a"),
        ] {
            assert_eq!(made(address, path), None, "{address} {path}");
        }
    }
}
