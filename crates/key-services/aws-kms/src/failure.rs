//! Why AWS gave nothing.

use ksops_transport::https::{HttpError, HttpErrorKind};
use ksops_transport::runtime::RuntimeError;

use crate::failure_text::one_line;

/// Why there is no answer to use. Never holds a credential or a body that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The name of a key or bucket is none; nothing was sent.
    #[error("{0}")]
    Name(String),
    /// No region is known.
    #[error("no region is set")]
    NoRegion,
    /// There are no credentials, or they could not be had.
    #[error("no AWS credentials: {0}")]
    Credentials(String),
    /// The request could not be signed.
    #[error("the request could not be signed: {0}")]
    Signing(String),
    /// No answer came.
    #[error("{0}")]
    Http(HttpError),
    /// AWS refused.
    #[error("AWS answered {status}{}", said(.code, .message))]
    Answer {
        /// The status.
        status: u16,
        /// AWS's name of the error.
        code: String,
        /// What AWS says.
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
    let mut text = String::new();
    if !code.is_empty() {
        text.push_str(&format!(" {}", one_line(code)));
    }
    if !message.is_empty() {
        text.push_str(&format!(" ({})", one_line(message)));
    }
    text
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
    /// What helps, one sentence each. `action` is the permission that is needed, `resource` for what.
    #[must_use]
    pub fn hints(&self, action: &str, resource: &str) -> Vec<String> {
        let hint = match self {
            Self::Answer { code, status, .. } => return answer_hints(code, *status, action, resource),
            Self::NoRegion => "set AWS_REGION, or `region` in the profile".to_owned(),
            Self::Credentials(_) => "log in (`aws sso login`, `aws configure`), or set AWS_PROFILE or \
                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` shows who you are"
                .to_owned(),
            Self::Http(error) => match error.kind {
                HttpErrorKind::Certificate => "name the CA of the proxy in SSL_CERT_FILE".to_owned(),
                _ => format!("check that {} can be reached from here (VPN, proxy, firewall)", error.host),
            },
            Self::TimedOut(_) => "AWS is slow or out of reach; try again".to_owned(),
            _ => return Vec::new(),
        };
        vec![hint]
    }
}

fn answer_hints(code: &str, status: u16, action: &str, resource: &str) -> Vec<String> {
    let hint = match code {
        "AccessDeniedException" | "AccessDenied" => format!(
            "the identity needs {action} on {resource}, in its own policy or in that of the resource; \
             `aws sts get-caller-identity` shows who you are"
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidAccessKeyId" | "SignatureDoesNotMatch"
        | "InvalidSignatureException" => {
            "the access key is not valid; `aws sts get-caller-identity` shows whether it is".to_owned()
        }
        "ExpiredTokenException" | "ExpiredToken" => "the credentials have expired: log in again".to_owned(),
        "NotFoundException" => {
            format!("check the ARN: there is no {resource} in this region and account")
        }
        "NoSuchBucket" => "check the name of the bucket, and the region (AWS_REGION)".to_owned(),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            "the bucket is in another region: set AWS_REGION to it".to_owned()
        }
        "DisabledException" | "KMSInvalidStateException" => {
            "the key is disabled or going to be deleted: enable it, or cancel the deletion".to_owned()
        }
        "InvalidCiphertextException" | "IncorrectKeyException" => {
            "the data key was encrypted by another key or with another encryption context, or the file was edited"
                .to_owned()
        }
        "RequestTimeTooSkewed" => "check the clock of this machine".to_owned(),
        "ThrottlingException" | "SlowDown" => "AWS limits requests; try again later".to_owned(),
        _ if status == 403 => format!("the identity needs {action} on {resource}"),
        _ => return Vec::new(),
    };
    vec![hint]
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn what_aws_says_is_one_line_and_has_advice() {
        let code = "AccessDeniedException".to_owned();
        let failure = Failure::Answer { status: 400, code, message: "not\nyou".to_owned() };
        assert_eq!(failure.to_string(), "AWS answered 400 AccessDeniedException (not you)");
        assert!(failure.hints("kms:Decrypt", "the key")[0].contains("kms:Decrypt on the key"));
        let nobody = Failure::Credentials("x".to_owned());
        assert_eq!(nobody.hints("a", "b").len(), 1);
    }
}
