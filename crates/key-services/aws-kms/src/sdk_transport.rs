//! Runs the requests by which AWS's library finds credentials on our client, so that there is one set of certificates,
//! proxies and connections.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use ksops_transport::https::{HttpErrorKind, HttpsClient};
use ksops_transport::message::{Method, Request, Response, Route};

/// Hosts of the machine itself and of its container: never asked through a proxy.
const METADATA: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]"];

/// The library's transport.
#[derive(Debug, Clone)]
pub(crate) struct SdkTransport {
    client: HttpsClient,
    limit: Option<Duration>,
}

impl SdkTransport {
    pub(crate) fn new(client: HttpsClient) -> Self {
        Self { client, limit: None }
    }
}

impl HttpClient for SdkTransport {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // For instance metadata the library asks for a second each.
        let limit = match (settings.connect_timeout(), settings.read_timeout()) {
            (Some(connect), Some(read)) => Some(connect + read),
            (connect, read) => connect.or(read),
        };
        SharedHttpConnector::new(Self { client: self.client.clone(), limit })
    }
}

impl HttpConnector for SdkTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, limit) = (self.client.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            let request = translate(&request).map_err(|why| ConnectorError::user(why.into()))?;
            let sent = client.send(&request);
            let answer = match limit {
                Some(limit) => tokio::time::timeout(limit, sent)
                    .await
                    .map_err(|late| ConnectorError::timeout(late.into()))?,
                None => sent.await,
            };
            match answer {
                Ok(response) => translate_back(&response),
                Err(error) if error.kind == HttpErrorKind::Timeout => {
                    Err(ConnectorError::timeout(error.into()))
                }
                Err(error) => Err(ConnectorError::io(error.into())),
            }
        })
    }
}

fn translate(request: &HttpRequest) -> Result<Request, &'static str> {
    let method = match request.method() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        _ => return Err("an unexpected method"),
    };
    let mut ours = Request::new(method, request.uri());
    for (name, value) in request.headers().iter() {
        // The HTTP stack writes these itself.
        if !["host", "content-length", "user-agent"].contains(&name) {
            ours = ours.with_header(name, value);
        }
    }
    ours.body.extend_from_slice(request.body().bytes().ok_or("a body that is not in memory")?);
    let host = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    if METADATA.iter().any(|known| host.strip_prefix(known).is_some_and(|rest| !rest.starts_with('.'))) {
        ours.route = Route::Direct;
    }
    Ok(ours)
}

fn translate_back(response: &Response) -> Result<HttpResponse, ConnectorError> {
    let status = response.status.try_into().map_err(|_| ConnectorError::io("an invalid status".into()))?;
    let mut theirs = HttpResponse::new(status, SdkBody::from(response.body.as_slice()));
    for (name, value) in &response.headers {
        let _ = theirs.headers_mut().try_append(name.clone(), value.clone());
    }
    Ok(theirs)
}
