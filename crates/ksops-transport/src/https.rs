//! The shared HTTP client: rustls with the platform's certificates, the system's proxies, no redirects.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured (key-services.md section
//! 2.10); they belong to the HTTP stack and are read there.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::message::{Method, Request, Response, Route};

/// No answer of a key service is larger.
const BODY_LIMIT: usize = 4 << 20;

/// Limits of one attempt.
#[derive(Debug, Clone)]
pub struct HttpsSettings {
    /// How long connecting may take, TLS included.
    pub connect: Duration,
    /// How long the other side may stay silent.
    pub read: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// What differs from the platform's custom in TLS.
    pub tls: TlsSettings,
    /// The URL of a proxy for every request that may go through one, in place of the system's.
    pub proxy: Option<String>,
}

/// TLS for services that bring their own certificates.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// Certificates in PEM that are trusted in place of the platform's; empty for the platform's.
    pub roots: Vec<u8>,
    /// The client's certificate and private key, both in PEM, one behind the other.
    pub identity: Option<Zeroizing<Vec<u8>>>,
    /// Takes any certificate. Only where the user asked for it.
    pub danger_accepts_any: bool,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("danger_accepts_any", &self.danger_accepts_any)
            .finish_non_exhaustive()
    }
}

impl Default for HttpsSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            read: Duration::from_secs(30),
            user_agent: concat!("ksops/", env!("CARGO_PKG_VERSION")).to_owned(),
            tls: TlsSettings::default(),
            proxy: None,
        }
    }
}

/// Why no response came; never holds a header, body or query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {message}")]
pub struct HttpError {
    /// What kind of failure.
    pub kind: HttpErrorKind,
    /// The host asked.
    pub host: String,
    /// What the HTTP stack says.
    pub message: String,
}

/// The kinds of [`HttpError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The name has no address.
    NameResolution,
    /// The server's certificate is not trusted.
    Certificate,
    /// No connection, or the proxy refused one.
    Connect,
    /// The other side stayed silent.
    Timeout,
    /// The connection broke.
    Broken,
    /// The request or the client could not be made.
    Setup,
}

/// The client. Clones share connections; use it on one runtime only.
#[derive(Debug, Clone)]
pub struct HttpsClient {
    system: reqwest::Client,
    direct: reqwest::Client,
}

impl HttpsClient {
    /// Makes a client.
    ///
    /// # Errors
    /// [`HttpErrorKind::Setup`] if TLS cannot be set up, for example without any trusted certificate.
    pub fn new(settings: &HttpsSettings) -> Result<Self, HttpError> {
        let build = |route: Route| -> Result<reqwest::Client, reqwest::Error> {
            let mut builder = reqwest::Client::builder()
                .connect_timeout(settings.connect)
                .read_timeout(settings.read)
                .user_agent(settings.user_agent.clone())
                // No service answers with a redirect by custom; following one could carry a body elsewhere.
                .redirect(reqwest::redirect::Policy::none());
            if !settings.tls.roots.is_empty() {
                builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(&settings.tls.roots)?);
            }
            if let Some(identity) = &settings.tls.identity {
                builder = builder.identity(reqwest::Identity::from_pem(identity)?);
            }
            if settings.tls.danger_accepts_any {
                builder = builder.tls_danger_accept_invalid_certs(true);
            }
            match (route, &settings.proxy) {
                (Route::Direct, _) => builder.no_proxy().build(),
                (Route::System, Some(proxy)) => builder.proxy(reqwest::Proxy::all(proxy)?).build(),
                (Route::System, None) => builder.build(),
            }
        };
        let made = |client: Result<reqwest::Client, reqwest::Error>| {
            client.map_err(|error| HttpError {
                kind: HttpErrorKind::Setup,
                host: "HTTP client".to_owned(),
                message: innermost(&error),
            })
        };
        Ok(Self { system: made(build(Route::System))?, direct: made(build(Route::Direct))? })
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// [`HttpError`] if there is no whole response. A response of any status is none.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let client = match request.route {
            Route::System => &self.system,
            Route::Direct => &self.direct,
        };
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let host = host_of(&request.url);
        let mut builder = client.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value.as_str());
        }
        if request.method != Method::Get {
            if request.body.is_empty() {
                // Left out by the HTTP stack, and demanded by some services.
                builder = builder.header("content-length", "0");
            } else {
                // Wiped when the last user of the buffer is done.
                builder = builder.body(Bytes::from_owner(request.body.clone()));
            }
        }
        let mut answer = builder.send().await.map_err(|error| describe(&host, &error))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let announced = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = Zeroizing::new(Vec::with_capacity(announced.min(BODY_LIMIT)));
        while let Some(chunk) = answer.chunk().await.map_err(|error| describe(&host, &error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(HttpError {
                    kind: HttpErrorKind::Broken,
                    host,
                    message: "the answer is too large".to_owned(),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body })
    }
}

/// The host and port of a URL, for messages.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

fn describe(host: &str, error: &reqwest::Error) -> HttpError {
    let message = innermost(error);
    let whole = chain(error).join(": ");
    let kind = if whole.contains("certificate") || whole.contains("UnknownIssuer") {
        HttpErrorKind::Certificate
    } else if whole.contains("dns error") || whole.contains("failed to lookup address") {
        HttpErrorKind::NameResolution
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_builder() {
        HttpErrorKind::Setup
    } else {
        HttpErrorKind::Broken
    };
    let message = match kind {
        HttpErrorKind::NameResolution => format!("the name could not be resolved ({message})"),
        HttpErrorKind::Certificate => format!("the server's certificate is not trusted ({message})"),
        HttpErrorKind::Connect => format!("could not connect ({message})"),
        HttpErrorKind::Timeout => "no answer in time".to_owned(),
        HttpErrorKind::Broken => format!("the connection broke ({message})"),
        HttpErrorKind::Setup => format!("the request could not be made ({message})"),
    };
    HttpError { kind, host: host.to_owned(), message }
}

/// The texts of an error and its causes. The outermost of reqwest names the URL, so it is left out.
fn chain(error: &reqwest::Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        // A cause that wraps itself must not hang the program.
        if texts.len() == 16 {
            break;
        }
        next = cause.source();
    }
    texts
}

fn innermost(error: &reqwest::Error) -> String {
    chain(error).pop().unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::{HttpErrorKind, HttpsClient, HttpsSettings};
    use crate::message::{Method, Request, Route};
    use crate::runtime::block_on;

    fn direct(method: Method, url: &str) -> Request {
        Request { route: Route::Direct, ..Request::new(method, url) }
    }

    fn send(request: Request, settings: HttpsSettings) -> Result<(u16, Vec<u8>), super::HttpError> {
        block_on(async move {
            let response = HttpsClient::new(&settings)?.send(&request).await?;
            Ok((response.status, response.body.to_vec()))
        })
        .expect("runtime")
    }

    /// Answers one connection with `answer`, and gives what was sent.
    fn serve(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/p?q=1", listener.local_addr().expect("address"));
        let handle = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).expect("a request");
            stream.write_all(answer).expect("written");
            String::from_utf8_lossy(&buffer[..read]).into_owned()
        });
        (url, handle)
    }

    #[test]
    fn a_post_without_body_says_so() {
        let (url, seen) = serve(b"HTTP/1.1 401 X\r\nContent-Length: 2\r\n\r\nno");
        let answer = send(direct(Method::Post, &url), HttpsSettings::default());
        assert_eq!(answer, Ok((401, b"no".to_vec())));
        assert!(seen.join().expect("served").to_lowercase().contains("content-length: 0\r\n"));
    }

    #[test]
    fn redirects_are_not_followed() {
        let (url, _seen) =
            serve(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(send(direct(Method::Get, &url), HttpsSettings::default()), Ok((302, Vec::new())));
    }

    #[test]
    fn failures_name_the_host_and_no_query() {
        let refused = direct(Method::Get, "http://127.0.0.1:1/p?marker");
        let error = send(refused, HttpsSettings::default()).expect_err("refused");
        assert_eq!((error.kind, error.host.as_str()), (HttpErrorKind::Connect, "127.0.0.1:1"));
        assert!(!error.to_string().contains("marker"), "{error}");
        let (url, _seen) = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno");
        assert_eq!(
            send(direct(Method::Get, &url), HttpsSettings::default()).expect_err("cut off").kind,
            HttpErrorKind::Broken
        );
    }

    #[test]
    fn silence_ends_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("address"));
        let settings = HttpsSettings { read: Duration::from_millis(50), ..HttpsSettings::default() };
        assert_eq!(
            send(direct(Method::Get, &url), settings).expect_err("silent").kind,
            HttpErrorKind::Timeout
        );
    }
}
