//! Putting an object into a bucket of Cloud Storage.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::message::{Method, Request};
use ksops_transport::runtime::block_on_within;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::session::{GcpSession, escaped, good};
use crate::settings::GcpSettings;

/// A large object over a slow line takes a while.
const LIMIT: Duration = Duration::from_secs(600);

/// Buckets. Keeps credentials and connections for the process.
#[derive(Debug)]
pub struct Buckets {
    settings: GcpSettings,
    session: OnceLock<Result<Arc<GcpSession>, Failure>>,
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
    /// Buckets that these settings reach. Nothing is read or sent before the first object.
    #[must_use]
    pub fn new(settings: GcpSettings) -> Self {
        Self { settings, session: OnceLock::new() }
    }

    /// Writes an object.
    ///
    /// # Errors
    /// [`PutError`] if Google refuses or gives no answer.
    pub fn put(&self, bucket: &str, name: &str, bytes: Zeroizing<Vec<u8>>) -> Result<(), PutError> {
        self.try_put(bucket, name, bytes).map_err(|failure| PutError {
            message: format!("gcs://{bucket}/{name}: {failure}"),
            hints: failure
                .hints("storage.objects.create and storage.objects.delete", &format!("the bucket {bucket}")),
        })
    }

    fn try_put(&self, bucket: &str, name: &str, body: Zeroizing<Vec<u8>>) -> Result<(), Failure> {
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(Failure::Name(format!("{bucket:?} is no name of a bucket")));
        }
        let (address, is_double) = self.settings.storage_address();
        let url = format!(
            "{address}/upload/storage/v1/b/{bucket}/o?alt=json&name={}&uploadType=media",
            escaped(name).as_str()
        );
        let mut request =
            Request::new(Method::Post, url).with_header("content-type", "application/octet-stream");
        request.body = body;
        if is_double {
            let http = HttpsClient::new(&HttpsSettings::default())?;
            let answer = block_on_within(LIMIT, async move { http.send(&request).await })??;
            return good(answer).map(|_| ());
        }
        let session = self.session.get_or_init(|| GcpSession::new(&self.settings).map(Arc::new));
        let session = Arc::clone(session.as_ref().map_err(Clone::clone)?);
        block_on_within(LIMIT, async move { session.send(request).await })?.map(|_| ())
    }
}
