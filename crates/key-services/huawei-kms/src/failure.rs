//! Why Huawei Cloud gave nothing, and what helps.

use ksops_transport::https::{HttpError, HttpErrorKind};
use ksops_transport::message::Response;
use ksops_transport::runtime::RuntimeError;
use serde_json::Value;

/// Why there is no answer to use. Never holds a credential or a body that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The name of the key is none; nothing was sent.
    #[error("{0}")]
    Name(String),
    /// There are no credentials.
    #[error("no Huawei Cloud credentials: {0}")]
    Credentials(String),
    /// No answer came.
    #[error("{0}")]
    Http(HttpError),
    /// Huawei Cloud refused.
    #[error("Huawei Cloud answered {status}{}", said(.code, .message))]
    Answer {
        /// The status.
        status: u16,
        /// The error's code, as `KMS.0301`.
        code: String,
        /// What the service says.
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

fn said(code: &str, message: &str) -> String {
    let line = |text: &str| -> String {
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(400).collect()
    };
    match (code, message) {
        ("", "") => String::new(),
        (code, "") => format!(" {}", line(code)),
        (code, message) => format!(" {} ({})", line(code), line(message)).replace("  ", " "),
    }
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
    /// Reads an error answer: `{"error": {"error_code", "error_msg"}}`, or the two alone.
    pub(crate) fn of_answer(response: &Response) -> Self {
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let error = if answer["error"].is_object() { &answer["error"] } else { &answer };
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Self::Answer { status: response.status, code: text("error_code"), message: text("error_msg") }
    }

    /// What helps, one sentence each. `action` is the permission that is needed.
    #[must_use]
    pub fn hints(&self, action: &str) -> Vec<String> {
        let hint = match self {
            Self::Credentials(_) => "set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, or write them into \
                 ~/.huaweicloud/credentials (section [basic], ak and sk)"
                .to_owned(),
            Self::Answer { status: 401, .. } => {
                "the access key is not valid or has expired, or the clock of this machine is wrong".to_owned()
            }
            Self::Answer { status: 403, .. } => format!("the identity needs {action} for the key"),
            Self::Answer { status: 404, .. } => {
                "check region, project (HUAWEICLOUD_SDK_PROJECT_ID) and key".to_owned()
            }
            Self::Answer { status: 400, .. } => {
                "check that the key exists in this region and is enabled, and that the file was encrypted by it".to_owned()
            }
            Self::Answer { status: 429, .. } => "the service limits requests; try again later".to_owned(),
            Self::Http(error) => match error.kind {
                HttpErrorKind::Certificate => "name the CA of the proxy in SSL_CERT_FILE".to_owned(),
                _ => format!("check the region, and that {} can be reached from here (VPN, proxy, firewall)", error.host),
            },
            Self::TimedOut(_) => "the service is slow or out of reach; try again".to_owned(),
            _ => return Vec::new(),
        };
        vec![hint]
    }
}
