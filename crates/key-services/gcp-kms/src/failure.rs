//! Why Google gave nothing, and what helps.

use ksops_transport::https::{HttpError, HttpErrorKind};
use ksops_transport::message::Response;
use ksops_transport::runtime::RuntimeError;
use serde_json::Value;

/// Why there is no answer to use. Never holds a credential or a body that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The name of a key or bucket is none; nothing was sent.
    #[error("{0}")]
    Name(String),
    /// There are no credentials, or they gave no token.
    #[error("no Google credentials: {0}")]
    Credentials(String),
    /// No answer came.
    #[error("{0}")]
    Http(HttpError),
    /// Google refused.
    #[error("Google answered {status}{}", said(.name, .message))]
    Answer {
        /// The status.
        status: u16,
        /// Google's name of the error, as `PERMISSION_DENIED`.
        name: String,
        /// What Google says.
        message: String,
    },
    /// The answer cannot be read.
    #[error("{0}")]
    Garbage(&'static str),
    /// The time was up.
    #[error("there was no result within {0} seconds")]
    TimedOut(u64),
    /// The network thread is gone.
    #[error("{0}")]
    Stopped(String),
}

fn said(name: &str, message: &str) -> String {
    let mut text = String::new();
    if !name.is_empty() {
        text.push_str(&format!(" {}", one_line(name)));
    }
    if !message.is_empty() {
        text.push_str(&format!(" ({})", one_line(message)));
    }
    text
}

/// A text of others for a message of ours: one line, not long.
pub(crate) fn one_line(text: &str) -> String {
    let text: String =
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(400).collect();
    text.trim().to_owned()
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::TimedOut(limit) => Self::TimedOut(limit.as_secs()),
            other => Self::Stopped(other.to_string()),
        }
    }
}

impl Failure {
    /// Reads an error answer: `{"error": {"code", "message", "status"}}`, or OAuth's `{"error", "error_description"}`.
    pub(crate) fn of_answer(response: &Response) -> Self {
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let error = &answer["error"];
        let (name, message) = match error {
            Value::String(name) => (name.clone(), text(&answer["error_description"])),
            error => (text(&error["status"]), text(&error["message"])),
        };
        Self::Answer { status: response.status, name, message }
    }

    /// What helps, one sentence each. `permission` is what is needed, `resource` for what.
    #[must_use]
    pub fn hints(&self, permission: &str, resource: &str) -> Vec<String> {
        let hint = match self {
            Self::Credentials(_) => "log in with `gcloud auth application-default login`, or set \
                 GOOGLE_APPLICATION_CREDENTIALS to the key file of a service account"
                .to_owned(),
            Self::Answer { status: 401, .. } => {
                "the credentials have expired or are not valid: log in again".to_owned()
            }
            Self::Answer { status: 403, message, .. } if message.contains("has not been used") => {
                "enable the API in the project of the key (Cloud KMS: `gcloud services enable cloudkms.googleapis.com`)"
                    .to_owned()
            }
            Self::Answer { status: 403, .. } => {
                format!("the identity needs {permission} on {resource}")
            }
            Self::Answer { status: 404, .. } => format!("check the name: there is no {resource}, or you may not see it"),
            Self::Answer { name, .. } if name == "FAILED_PRECONDITION" => {
                "the key version is disabled or destroyed: enable it again".to_owned()
            }
            Self::Answer { status: 400, .. } => {
                "the data key was encrypted by another key, or the file was edited".to_owned()
            }
            Self::Answer { status: 429, .. } => "Google limits requests; try again later".to_owned(),
            Self::Http(error) => match error.kind {
                HttpErrorKind::Certificate => "name the CA of the proxy in SSL_CERT_FILE".to_owned(),
                _ => format!("check that {} can be reached from here (VPN, proxy, firewall)", error.host),
            },
            Self::TimedOut(_) => "Google is slow or out of reach; try again".to_owned(),
            _ => return Vec::new(),
        };
        vec![hint]
    }
}
