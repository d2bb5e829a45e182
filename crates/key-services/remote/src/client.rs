//! Asking a key service: a [`KeyService`] that handles every kind of key, because the other side knows what it can do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::uri::PathAndQuery;
use ksops_core::keys::diagnosis::{Diagnosis, Finding, State};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::secret::SecretBytes;
use ksops_transport::runtime::block_on_within;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::address::{Address, AddressError};
use crate::message::{Answer, DECRYPT, ENCRYPT, Question, from_master_key};

/// How long reaching the other side may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take: somebody may be asked whether to give it.
const ANSWER: Duration = Duration::from_secs(120);
/// The largest answer.
const MAX_ANSWER: usize = 1 << 20;

/// A key service at an address. It is connected when it is first asked, and then once for the whole run.
pub struct RemoteService {
    address: Address,
    limit: Duration,
    channel: Mutex<Option<Channel>>,
}

impl RemoteService {
    /// The service at `address`.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, limit: ANSWER, channel: Mutex::new(None) }
    }

    /// Says how long an answer may take.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    fn ask(&self, path: &'static str, key: &MasterKey, bytes: Vec<u8>) -> Result<Vec<u8>, KeyServiceError> {
        let failed =
            |problem: String| KeyServiceError::new(format!("key service {}: {problem}", self.address));
        let key = from_master_key(key);
        let key = key.ok_or_else(|| failed("the protocol does not have this kind of key".to_owned()))?;
        let question = Question { key: Some(key), bytes };
        let held = self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let address = self.address.clone();
        let asked = block_on_within(self.limit, async move {
            let channel = match held {
                Some(channel) => channel,
                None => connect(&address).await?,
            };
            let answer = call(channel.clone(), path, question).await;
            answer.map(|answer| (channel, answer)).map_err(|status| explained(&status))
        });
        let (channel, mut answer) =
            asked.map_err(|error| failed(error.to_string())).and_then(|asked| asked.map_err(failed))?;
        *self.channel.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel);
        Ok(std::mem::take(&mut answer.bytes))
    }
}

async fn connect(address: &Address) -> Result<Channel, String> {
    let connected = match address {
        Address::Tcp(host) => {
            let endpoint = Endpoint::from_shared(format!("http://{host}")).map_err(|error| reason(&error))?;
            endpoint.connect_timeout(CONNECT).connect().await
        }
        #[cfg(unix)]
        Address::Unix(path) => {
            use hyper_util::rt::TokioIo;
            use tokio::net::UnixStream;
            use tower::service_fn;

            let path = path.clone();
            let connector = service_fn(move |_| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            });
            // The name counts for nothing.
            Endpoint::from_static("http://localhost")
                .connect_timeout(CONNECT)
                .connect_with_connector(connector)
                .await
        }
        #[cfg(not(unix))]
        Address::Unix(_) => return Err("there are no unix sockets on this system".to_owned()),
    };
    connected.map_err(|error| reason(&error))
}

async fn call(channel: Channel, path: &'static str, question: Question) -> Result<Answer, Status> {
    let mut client = Grpc::new(channel).max_decoding_message_size(MAX_ANSWER);
    client.ready().await.map_err(|error| Status::unavailable(reason(&error)))?;
    let codec = ProstCodec::<Question, Answer>::default();
    Ok(client.unary(Request::new(question), PathAndQuery::from_static(path), codec).await?.into_inner())
}

fn explained(status: &Status) -> String {
    match status.code() {
        // What the other side's key service says.
        Code::Unknown | Code::PermissionDenied | Code::NotFound => status.message().to_owned(),
        code => format!("{} ({code:?})", status.message()),
    }
}

/// The innermost cause, which tells more than the outer ones; the system's in lower case, without Rust's number.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

impl KeyService for RemoteService {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    /// Somebody may be asked on the other side.
    fn may_ask(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, key: &MasterKey, data_key: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        let text = self.ask(ENCRYPT, key, data_key.expose().to_vec())?;
        match String::from_utf8(text) {
            Ok(text) if !text.is_empty() => Ok(EncryptedDataKey(text)),
            _ => Err(KeyServiceError::new(format!("key service {}: it sent no text", self.address))),
        }
    }

    fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        Ok(SecretBytes::new(self.ask(DECRYPT, key, enc.0.clone().into_bytes())?))
    }

    fn diagnose(&self, key: &MasterKey, enc: Option<&EncryptedDataKey>) -> Diagnosis {
        let result = enc.map(|enc| self.decrypt(key, enc)).transpose();
        let (state, reason) = match &result {
            Ok(Some(_)) => (State::Used, "decrypts the data key".to_owned()),
            Ok(None) => (State::Untried, "there is nothing to decrypt".to_owned()),
            Err(error) => (State::Failed, error.message.clone()),
        };
        let finding = Finding::new("remote key service", self.address.to_string(), state, reason);
        Diagnosis { findings: vec![finding], result }
    }

    fn survey(&self) -> Vec<Finding> {
        vec![Finding::new("remote key service", self.address.to_string(), State::Untried, "not asked")]
    }
}

/// A service whose address is none: it is an error only when it is asked.
pub struct Unreachable(pub AddressError);

impl KeyService for Unreachable {
    fn serves(&self, _: &MasterKey) -> bool {
        true
    }

    fn encrypt(&self, _: &MasterKey, _: &SecretBytes) -> Result<EncryptedDataKey, KeyServiceError> {
        Err(KeyServiceError::new(self.0.to_string()))
    }

    fn decrypt(&self, _: &MasterKey, _: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
        Err(KeyServiceError::new(self.0.to_string()))
    }
}
