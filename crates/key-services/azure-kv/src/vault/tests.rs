//! The guard of tokens against a transport that plays a vault.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use azure_core::credentials::AccessToken;
use azure_core::http::headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport, Url,
};
use ksops_core::secret::SecretBytes;
use ksops_transport::runtime::block_on;
use time::{Duration, OffsetDateTime};

use super::{Vault, decode_enc, value, without_echo};
use crate::chain::{Chain, TokenSource};
use crate::failure::{Answer, Failure};
use crate::member::{Member, Refusal};
use crate::sdk_transport::Observed;
use crate::settings::AzureSettings;

/// Gives tokens and counts them.
struct Counting(Arc<AtomicUsize>);

#[async_trait::async_trait]
impl TokenSource for Counting {
    async fn ask(&self, _: Member, _: Option<&str>, _: &str, _: bool) -> Result<AccessToken, Refusal> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(AccessToken::new("marker-token", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// A vault that answers every request without a token with this challenge, and every other with a value.
#[derive(Debug)]
struct Challenging {
    challenge: &'static str,
    /// For each request: whether it had a token, and its body's length.
    seen: Arc<Mutex<Vec<(bool, usize)>>>,
}

#[async_trait::async_trait]
impl HttpClient for Challenging {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let has_token = request.headers().get_optional_str(&AUTHORIZATION).is_some();
        let Body::Bytes(body) = request.body() else {
            panic!("a stream");
        };
        self.seen.lock().expect("not poisoned").push((has_token, body.len()));
        if has_token {
            let body = r#"{"kid":"k","value":"AQID"}"#;
            return Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body));
        }
        let mut headers = Headers::new();
        headers.insert(WWW_AUTHENTICATE, self.challenge);
        Ok(AsyncRawResponse::from_bytes(StatusCode::Unauthorized, headers, ""))
    }
}

/// Encrypts under a vault with this challenge: result, requests seen, tokens given.
fn encrypt(url: &str, challenge: &'static str) -> (Result<String, Failure>, Vec<(bool, usize)>, usize) {
    let (seen, given) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let transport = Challenging { challenge, seen: Arc::clone(&seen) };
    let options = ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::new(transport))),
        ..ClientOptions::default()
    };
    let chain = Arc::new(Chain::new(&AzureSettings::default(), Box::new(Counting(Arc::clone(&given)))));
    let url = Url::parse(url).expect("URL");
    let vault = Vault::with_options(chain, Arc::new(Observed::new(url)), options).expect("a client");
    let result = block_on(async move { vault.encrypt("n", "1", &SecretBytes::new(vec![1; 32])).await })
        .expect("runtime");
    let seen = seen.lock().expect("not poisoned").clone();
    (result, seen, given.load(Ordering::SeqCst))
}

#[test]
fn the_body_follows_the_challenge() {
    let challenge = r#"Bearer authorization="https://login/t", resource="https://vault.azure.net""#;
    let (result, seen, given) = encrypt("https://v.vault.azure.net", challenge);
    assert_eq!(result, Ok("AQID".to_owned()));
    assert_eq!(seen[0], (false, 0));
    assert!(seen[1].0 && seen[1].1 > 40, "{seen:?}");
    assert_eq!((seen.len(), given), (2, 1));
}

#[test]
fn a_foreign_challenge_gets_neither_token_nor_body() {
    for challenge in [
        r#"Bearer authorization="https://login/t", resource="https://management.azure.com""#,
        r#"Bearer authorization="https://login/t", scope="https://graph.microsoft.com/.default""#,
        r#"Bearer authorization="https://login/t", resource="https://v.vault.azure.net""#,
        r#"Bearer authorization="https://login/t", resource="https://vault.azure.net:8443""#,
        r#"Bearer authorization="https://login/t""#,
    ] {
        let (result, seen, given) = encrypt("https://v.vault.azure.net", challenge);
        let failure = result.expect_err("refused");
        assert!(!format!("{failure:?}").contains("marker"));
        assert_eq!((seen.as_slice(), given), ([(false, 0)].as_slice(), 0), "{challenge}: {failure:?}");
    }
}

#[test]
fn an_answer_that_repeats_the_data_key_is_not_shown() {
    let plain = SecretBytes::new((0..32).collect());
    let with = |message: &str| {
        Failure::Answer(Answer { status: 400, message: message.to_owned(), ..Answer::default() })
    };
    let shown = format!("{:?}", without_echo(with("bad value AAECAwQFBgcICQ"), &plain));
    assert!(!shown.contains("AAECAwQF"), "{shown}");
    assert_eq!(without_echo(with("bad value"), &plain), with("bad value"));
}

#[test]
fn enc_is_read_with_and_without_padding() {
    assert_eq!(decode_enc("_-8"), Ok(vec![0xff, 0xef]));
    assert_eq!(decode_enc("_-8=\n"), Ok(vec![0xff, 0xef]));
    assert!(decode_enc("/+8").is_err());
    assert!(decode_enc("_-8!").is_err());
}

#[test]
fn an_answer_s_value_is_read() {
    assert_eq!(value(br#"{"kid":"k","value":"_-8"}"#).expect("a value").as_slice(), [0xff, 0xef]);
    for body in ["", "{}", r#"{"value":7.5}"#, r#"{"value":"+"}"#, "[]"] {
        assert!(value(body.as_bytes()).is_err(), "{body}");
    }
}
