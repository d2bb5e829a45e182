//! Runs the SDK's requests on our client: retries and limits are ours.
//!
//! The SDK's own retries are off. They would lose the body of a vault's first request, which the SDK puts aside until
//! the challenge is answered, and they know no limit for the whole operation.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::Bytes;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Method as SdkMethod, Request as SdkRequest,
    RetryOptions, Transport, Url,
};
use ksops_transport::https::HttpsClient;
use ksops_transport::message::{Method, Request};
use ksops_transport::retry::{self, RetryPolicy};
use zeroize::Zeroizing;

use crate::challenge;
use crate::failure::ForeignChallenge;

/// What a vault's answers told beside their content.
pub(crate) struct Observed {
    vault: Url,
    tenant: Mutex<Option<String>>,
    rejected: Mutex<Option<Zeroizing<String>>>,
}

impl Observed {
    pub(crate) fn new(vault: Url) -> Self {
        Self { vault, tenant: Mutex::default(), rejected: Mutex::default() }
    }

    /// The vault's URL.
    pub(crate) fn vault(&self) -> &Url {
        &self.vault
    }

    /// The tenant of the last challenge.
    pub(crate) fn tenant(&self) -> Option<String> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the token that the vault rejected, if it rejected one.
    pub(crate) fn take_rejected(&self) -> Option<Zeroizing<String>> {
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes note of a challenge, unless it asks for a token that must not go to this vault.
    fn note(&self, challenge: &str, bearer: Option<&str>) -> Result<(), ForeignChallenge> {
        if let Some(scope) = challenge::foreign_scope(&self.vault, challenge) {
            let vault = self.vault.host_str().unwrap_or_default().to_owned();
            return Err(ForeignChallenge { scope: scope.to_owned(), vault });
        }
        if let Some(tenant) = challenge::tenant_of(challenge) {
            *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = Some(tenant);
        }
        if let Some(bearer) = bearer {
            let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
            *rejected = Some(Zeroizing::new(bearer.to_owned()));
        }
        Ok(())
    }
}

/// The SDK's transport.
pub(crate) struct SdkTransport {
    client: HttpsClient,
    policy: RetryPolicy,
    observed: Option<Arc<Observed>>,
}

impl fmt::Debug for SdkTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SdkTransport")
    }
}

/// The SDK's options for a client on our transport; `observed` is told of a vault's challenges.
pub(crate) fn client_options(
    client: &HttpsClient,
    policy: &RetryPolicy,
    observed: Option<Arc<Observed>>,
) -> ClientOptions {
    let transport = SdkTransport { client: client.clone(), policy: policy.clone(), observed };
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::new(transport))),
        ..ClientOptions::default()
    }
}

#[async_trait::async_trait]
impl HttpClient for SdkTransport {
    async fn execute_request(&self, request: &SdkRequest) -> azure_core::Result<AsyncRawResponse> {
        let ours = translate(request)?;
        let response = retry::send(&self.client, &ours, &self.policy).await.map_err(|error| {
            let text = error.to_string();
            // Not of the kind that the SDK takes for a transport error: we have retried already.
            Error::with_error(ErrorKind::Other, error, text)
        })?;
        if let Some(observed) = &self.observed
            && response.status == 401
            && let Some(challenge) = response.header("www-authenticate")
        {
            observed.note(challenge, bearer(&ours)).map_err(|foreign| {
                let text = foreign.to_string();
                Error::with_error(ErrorKind::Other, foreign, text)
            })?;
        }
        let mut headers = Headers::new();
        for (name, value) in response.headers {
            headers.insert(HeaderName::from(name), HeaderValue::from(value));
        }
        let body = Bytes::from_owner(response.body);
        Ok(AsyncRawResponse::from_bytes(response.status.into(), headers, body))
    }
}

fn translate(request: &SdkRequest) -> azure_core::Result<Request> {
    let method = match request.method() {
        SdkMethod::Get => Method::Get,
        SdkMethod::Post => Method::Post,
        other => return Err(Error::with_message(ErrorKind::Other, format!("{other} is not used here"))),
    };
    let Body::Bytes(body) = request.body() else {
        return Err(Error::with_message(ErrorKind::Other, "streams are not used here"));
    };
    let mut ours = Request::new(method, request.url().as_str());
    ours.body = Zeroizing::new(body.to_vec());
    for (name, value) in request.headers().iter() {
        // The client counts by itself.
        if !name.as_str().eq_ignore_ascii_case("content-length") {
            ours = ours.with_header(name.as_str(), value.as_str());
        }
    }
    Ok(ours)
}

fn bearer(request: &Request) -> Option<&str> {
    let (_, value) = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    value.strip_prefix("Bearer ")
}
