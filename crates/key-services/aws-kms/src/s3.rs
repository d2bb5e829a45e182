//! Putting an object into a bucket of S3.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ksops_transport::message::{Method, Response};
use ksops_transport::runtime::block_on_within;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::session::{AwsSession, Call, Identity, Service};

const S3: Service = Service { name: "s3", id: "S3", escapes_twice: false };

/// A large object over a slow line takes a while.
const LIMIT: Duration = Duration::from_secs(600);

/// Buckets, with the credentials and the region of the environment. Keeps them for the process.
#[derive(Debug, Default)]
pub struct Buckets {
    session: OnceLock<Result<Arc<AwsSession>, Failure>>,
}

/// Why an object was not written; never holds a part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PutError {
    /// Where, and what failed.
    pub message: String,
    /// What helps, a sentence each.
    pub hints: Vec<String>,
}

impl Buckets {
    /// Finds credentials as AWS's own tools do, when they are first needed.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::default()
    }

    /// Writes an object.
    ///
    /// # Errors
    /// [`PutError`] if S3 refuses or gives no answer.
    pub fn put(&self, bucket: &str, key: &str, bytes: Zeroizing<Vec<u8>>) -> Result<(), PutError> {
        self.try_put(bucket, key, bytes).map_err(|failure| PutError {
            hints: failure.hints("s3:PutObject", &format!("arn:aws:s3:::{bucket}/{key}")),
            message: format!("s3://{bucket}/{key}: {failure}"),
        })
    }

    fn try_put(&self, bucket: &str, key: &str, body: Zeroizing<Vec<u8>>) -> Result<(), Failure> {
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || ".-_".contains(sign);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(Failure::Name(format!("{bucket:?} is no name of a bucket")));
        }
        let session = self.session.get_or_init(|| {
            let made = async { AwsSession::new(&Identity::default()).await.map(Arc::new) };
            block_on_within(LIMIT, made)?
        });
        let session = Arc::clone(session.as_ref().map_err(Clone::clone)?);
        let region = session.region()?;
        let endpoint = session.endpoint(S3);
        let base = endpoint.unwrap_or_else(|| format!("https://{}", session.host(S3, &region)));
        let call = Call {
            method: Method::Put,
            url: url(&base, bucket, key),
            headers: vec![("content-type", "application/octet-stream".to_owned())],
            body,
        };
        let response = block_on_within(LIMIT, async move { session.send(S3, &region, &call).await })??;
        match response.status {
            200..=299 => Ok(()),
            status => Err(refused(status, &response)),
        }
    }
}

/// The bucket stands in the host where it can, else in the path.
fn url(base: &str, bucket: &str, key: &str) -> String {
    let key = escaped(key);
    let (scheme, host) = base.split_once("://").unwrap_or(("https", base));
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_address = name.parse::<IpAddr>().is_ok() || name.starts_with('[') || host.contains('/');
    let fits = bucket.len() > 2
        && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match fits && !is_address {
        true => format!("{scheme}://{bucket}.{host}/{key}"),
        false => format!("{base}/{bucket}/{key}"),
    }
}

/// Every byte but those that a path may hold as they are.
fn escaped(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// S3 answers in XML: `<Error><Code>…</Code><Message>…</Message>`.
fn refused(status: u16, response: &Response) -> Failure {
    let body = String::from_utf8_lossy(&response.body);
    let field = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.to_owned())
    };
    Failure::Answer {
        status,
        code: field("Code").unwrap_or_default(),
        message: field("Message").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use ksops_transport::message::Response;
    use zeroize::Zeroizing;

    use super::{Buckets, refused, url};
    use crate::failure::Failure;

    #[test]
    fn the_bucket_is_in_the_host_where_it_can() {
        let aws = "https://s3.eu-west-1.amazonaws.com";
        assert_eq!(
            url(aws, "my-bucket", "a b/ü.yaml"),
            "https://my-bucket.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC.yaml"
        );
        assert_eq!(url(aws, "my.bucket", "k"), format!("{aws}/my.bucket/k"));
        assert_eq!(url("http://127.0.0.1:5000", "bucket", "k"), "http://127.0.0.1:5000/bucket/k");
        assert_eq!(url("http://minio:9000", "bucket", "k"), "http://bucket.minio:9000/k");
    }

    #[test]
    fn refusals_are_read() {
        let body = b"<?xml?><Error><Code>NoSuchBucket</Code><Message>none</Message></Error>".to_vec();
        let answer = Response { status: 404, headers: Vec::new(), body: Zeroizing::new(body) };
        let expected =
            Failure::Answer { status: 404, code: "NoSuchBucket".to_owned(), message: "none".to_owned() };
        assert_eq!(refused(404, &answer), expected);
        let error = Buckets::from_environment().put("a/b", "k", Zeroizing::default()).expect_err("refused");
        assert!(error.to_string().contains("no name of a bucket"), "{error}");
    }
}
