//! Lending the keys of this process to others.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use http::{Request as HttpRequest, Response as HttpResponse};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::MasterKey;
use ksops_core::secret::SecretBytes;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::address::Address;
use crate::message::{Answer, DECRYPT, ENCRYPT, Question, to_master_key};

/// The largest question.
const MAX_QUESTION: usize = 1 << 20;

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A data key is to be encrypted.
    Encrypt,
    /// A data key is to be decrypted.
    Decrypt,
}

/// Says whether a request is answered; asked before anything is done.
pub type Permit = dyn Fn(Operation, &MasterKey) -> Result<bool, String> + Send + Sync;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("listen {address}: {source}")]
    Listen {
        /// The address.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// The server stopped.
    #[error("the key service stopped: {0}")]
    Stopped(String),
}

/// Ends a server.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::channel(false).0))
    }
}

impl Stop {
    /// Ends it: no connection is taken any more.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Serves the keys of `services` at `address` until it is stopped. `on_ready` is called when somebody can connect.
///
/// A unix socket is for its owner alone, and is removed at the end.
///
/// # Errors
/// [`ServeError`] if the address cannot be listened on.
pub fn serve(
    address: &Address,
    services: Vec<Box<dyn KeyService>>,
    permit: Box<Permit>,
    stop: &Stop,
    on_ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let desk = Arc::new(Desk { services, permit });
    let stopped = |error: &dyn std::error::Error| ServeError::Stopped(error.to_string());
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| stopped(&error))?;
    let mut watching = stop.0.subscribe();
    runtime.block_on(async move {
        let signal = async move {
            // A sender that is gone stops it, too.
            let _ = watching.wait_for(|stopped| *stopped).await;
        };
        let refused = |source| ServeError::Listen { address: address.clone(), source };
        let server = Server::builder();
        match address {
            Address::Tcp(host) => {
                let listener = TcpListener::bind(host).await.map_err(refused)?;
                on_ready();
                let incoming = TcpListenerStream::new(listener);
                race(
                    server.serve_with_incoming_shutdown(Switch(desk), incoming, std::future::pending()),
                    signal,
                )
                .await
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                use std::fs::{Permissions, remove_file, set_permissions};
                use std::os::unix::fs::PermissionsExt;

                use tokio::net::UnixListener;
                use tokio_stream::wrappers::UnixListenerStream;

                let listener = UnixListener::bind(path).map_err(refused)?;
                set_permissions(path, Permissions::from_mode(0o600)).map_err(refused)?;
                on_ready();
                let incoming = UnixListenerStream::new(listener);
                let result = race(
                    server.serve_with_incoming_shutdown(Switch(desk), incoming, std::future::pending()),
                    signal,
                )
                .await;
                let _ = remove_file(path);
                result
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(refused(io::Error::new(
                io::ErrorKind::Unsupported,
                "there are no unix sockets on this system",
            ))),
        }
    })
}

/// Serves until the signal comes. Connections that stay open do not hold it up.
async fn race(
    serving: impl Future<Output = Result<(), tonic::transport::Error>>,
    signal: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (mut serving, mut signal) = (Box::pin(serving), Box::pin(signal));
    std::future::poll_fn(move |context| {
        if signal.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        serving.as_mut().poll(context).map_err(|error| ServeError::Stopped(error.to_string()))
    })
    .await
}

/// The services, and who is let at them.
struct Desk {
    services: Vec<Box<dyn KeyService>>,
    permit: Box<Permit>,
}

impl Desk {
    fn answer(&self, operation: Operation, mut question: Question) -> Result<Answer, Status> {
        let key = to_master_key(question.key.take());
        let key = key.ok_or_else(|| Status::not_found("Must provide a key"))?;
        match (self.permit)(operation, &key) {
            Ok(true) => {}
            Ok(false) => return Err(Status::permission_denied("Request rejected by user")),
            Err(problem) => return Err(Status::unknown(problem)),
        }
        let bytes = std::mem::take(&mut question.bytes);
        let mut problem = None;
        for service in self.services.iter().filter(|service| service.serves(&key)) {
            match handled(service.as_ref(), operation, &key, &bytes) {
                Ok(bytes) => return Ok(Answer { bytes }),
                Err(error) => problem = Some(error.message),
            }
        }
        let kind = key.key_type();
        Err(Status::unknown(problem.unwrap_or_else(|| format!("no key service handles keys of type {kind}"))))
    }
}

fn handled(
    service: &dyn KeyService,
    operation: Operation,
    key: &MasterKey,
    bytes: &[u8],
) -> Result<Vec<u8>, KeyServiceError> {
    match operation {
        Operation::Encrypt => {
            let key = service.resolve(key)?;
            Ok(service.encrypt(&key, &SecretBytes::new(bytes.to_vec()))?.0.into_bytes())
        }
        Operation::Decrypt => {
            let text = String::from_utf8(bytes.to_vec())
                .map_err(|_| KeyServiceError::new("the encrypted data key is no text"))?;
            Ok(service.decrypt(key, &EncryptedDataKey(text))?.expose().to_vec())
        }
    }
}

/// Sends each call to its place.
#[derive(Clone)]
struct Switch(Arc<Desk>);

impl Service<HttpRequest<Body>> for Switch {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let desk = Arc::clone(&self.0);
        Box::pin(async move {
            let operation = match request.uri().path() {
                ENCRYPT => Operation::Encrypt,
                DECRYPT => Operation::Decrypt,
                _ => return Ok(Status::unimplemented("there is no such call").into_http()),
            };
            let codec = ProstCodec::<Answer, Question>::default();
            let service = service_fn(move |request: Request<Question>| {
                on_a_thread(Arc::clone(&desk), operation, request)
            });
            let mut grpc = Grpc::new(codec).max_decoding_message_size(MAX_QUESTION);
            Ok(grpc.unary(service, request).await)
        })
    }
}

/// Key services wait for their networks, and for people: each call has a thread of its own.
async fn on_a_thread(
    desk: Arc<Desk>,
    operation: Operation,
    request: Request<Question>,
) -> Result<Response<Answer>, Status> {
    let (sender, receiver) = oneshot::channel();
    let started = thread::Builder::new().name("ksops-request".to_owned()).spawn(move || {
        // A caller that is gone needs no answer.
        let _ = sender.send(desk.answer(operation, request.into_inner()));
    });
    started.map_err(|error| Status::internal(format!("no thread for the request: {error}")))?;
    receiver.await.map_err(|_| Status::internal("the request was lost"))?.map(Response::new)
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use ksops_core::keys::key_group::EncryptedDataKey;
    use ksops_core::keys::key_service::{KeyService, KeyServiceError};
    use ksops_core::keys::master_key::{AgeKey, MasterKey};
    use ksops_core::secret::SecretBytes;

    use super::{Operation, Stop, serve};
    use crate::address::Address;
    use crate::client::RemoteService;

    /// Turns bytes round, and refuses one key.
    struct Backwards;

    impl KeyService for Backwards {
        fn serves(&self, key: &MasterKey) -> bool {
            matches!(key, MasterKey::Age(_))
        }

        fn encrypt(
            &self,
            _: &MasterKey,
            data_key: &SecretBytes,
        ) -> Result<EncryptedDataKey, KeyServiceError> {
            let text: Vec<u8> = data_key.expose().iter().rev().copied().collect();
            Ok(EncryptedDataKey(String::from_utf8_lossy(&text).into_owned()))
        }

        fn decrypt(&self, key: &MasterKey, enc: &EncryptedDataKey) -> Result<SecretBytes, KeyServiceError> {
            match key {
                MasterKey::Age(age) if age.recipient == "bad" => Err(KeyServiceError::new("no identity")),
                _ => Ok(SecretBytes::new(enc.0.bytes().rev().collect())),
            }
        }
    }

    fn age(recipient: &str) -> MasterKey {
        MasterKey::Age(AgeKey { recipient: recipient.to_owned() })
    }

    #[test]
    fn both_sides_understand_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = Address::Unix(folder.path().join("k.sock"));
        let (stop, (ready, is_ready)) = (Stop::default(), mpsc::channel());
        let (stopper, place) = (stop.clone(), address.clone());
        let server = thread::spawn(move || {
            let permit = |operation: Operation, key: &MasterKey| {
                Ok(operation == Operation::Encrypt || key.to_string() != "refused")
            };
            serve(&place, vec![Box::new(Backwards)], Box::new(permit), &stop, move || {
                let _ = ready.send(());
            })
        });
        is_ready.recv_timeout(Duration::from_secs(20)).expect("ready");
        let client = RemoteService::new(address);
        let enc = client.encrypt(&age("a"), &SecretBytes::new(b"abc".to_vec())).expect("encrypts");
        assert_eq!(enc.0, "cba");
        assert_eq!(client.decrypt(&age("a"), &enc).expect("decrypts").expose(), b"abc");
        let message = |key| client.decrypt(&key, &enc).map(|_| ()).expect_err("refused").message;
        assert!(message(age("bad")).ends_with("no identity"));
        assert!(message(age("refused")).ends_with("Request rejected by user"));
        assert!(
            message(MasterKey::Pgp(Default::default())).contains("no key service handles keys of type pgp")
        );
        stopper.stop();
        assert!(server.join().expect("no panic").is_ok());
        assert!(!folder.path().join("k.sock").exists());
    }

    #[test]
    fn a_peer_that_never_answers_is_given_up() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = Address::Tcp(listener.local_addr().expect("bound").to_string());
        let client = RemoteService::new(address).within(Duration::from_millis(300));
        let error = client.encrypt(&age("a"), &SecretBytes::new(vec![1])).map(|_| ()).expect_err("nobody");
        assert!(error.message.contains("no result within"), "{}", error.message);
    }

    #[test]
    fn nobody_there_is_an_error_with_the_address() {
        let client = RemoteService::new(Address::Unix("/nowhere/k.sock".into()));
        let error = client.encrypt(&age("a"), &SecretBytes::new(vec![1])).map(|_| ()).expect_err("nobody");
        assert!(error.message.contains("/nowhere/k.sock"), "{}", error.message);
    }
}
