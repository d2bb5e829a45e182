//! Why a server gave nothing, and what helps.

use ksops_transport::https::{HttpError, HttpErrorKind};
use ksops_transport::runtime::RuntimeError;

const SLOW: &str = "the server is slow or out of reach; VAULT_CLIENT_TIMEOUT sets the limit";

/// Why there is no answer to use. Never holds a token or a body that was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A setting is wrong; nothing was sent.
    #[error("{0}")]
    Settings(String),
    /// The address or path is not one that may be asked; nothing was sent.
    #[error("{0}")]
    Refused(String),
    /// No answer came.
    #[error("{0}")]
    Http(HttpError),
    /// The server refused.
    #[error("the server answered {status}{}", said(.errors))]
    Answer {
        /// The status.
        status: u16,
        /// What the server says.
        errors: Vec<String>,
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

fn said(errors: &[String]) -> String {
    let text = errors.join("; ");
    // A text of the server's own: of one line, and not long.
    let text: String =
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(400).collect();
    if text.is_empty() { text } else { format!(" ({})", text.trim()) }
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
    /// What helps, one sentence each. `path` is what was asked for, `capability` what the policy must hold for it.
    #[must_use]
    pub fn hints(&self, path: &str, capability: &str) -> Vec<String> {
        let hint = match self {
            Self::Answer { status: 403, .. } => format!(
                "check the token (VAULT_TOKEN, else ~/.vault-token, from `vault login`): it may have expired, and its \
                 policy needs `{capability}` on {path:?}; in a namespace VAULT_NAMESPACE must be set"
            ),
            Self::Answer { status: 404, .. } => format!(
                "check that an engine is mounted for {path:?}; in a namespace VAULT_NAMESPACE must be set"
            ),
            Self::Answer { status: 400, errors }
                if errors.iter().any(|text| text.contains("missing client token")) =>
            {
                "log in with `vault login`, or set VAULT_TOKEN".to_owned()
            }
            Self::Answer { status: 400, .. } => {
                "the key may have been made anew since, or its old versions are not allowed any more \
                 (min_decryption_version)"
                    .to_owned()
            }
            Self::Answer { status: 503, .. } => {
                "the server is sealed or in standby: `vault status` tells".to_owned()
            }
            Self::Answer { status: 429 | 472 | 473, .. } => {
                "the server limits requests or is in standby; try again later".to_owned()
            }
            Self::Http(error) => match error.kind {
                HttpErrorKind::Certificate => {
                    "name the server's CA in VAULT_CACERT or SSL_CERT_FILE".to_owned()
                }
                HttpErrorKind::Setup => {
                    "check the certificates that VAULT_CACERT, VAULT_CLIENT_CERT and VAULT_CLIENT_KEY name"
                        .to_owned()
                }
                HttpErrorKind::Timeout => SLOW.to_owned(),
                _ => format!("check that {} can be reached from here (VPN, proxy, firewall)", error.host),
            },
            Self::TimedOut(_) => SLOW.to_owned(),
            _ => return Vec::new(),
        };
        vec![hint]
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn the_servers_text_is_one_short_line() {
        let errors = vec!["a\u{1b}[31m\nb".to_owned(), "c".repeat(9000)];
        let text = Failure::Answer { status: 400, errors }.to_string();
        assert!(text.starts_with("the server answered 400 (a [31m b; c") && text.len() < 500, "{text}");
    }

    #[test]
    fn each_refusal_has_advice() {
        for status in [400, 403, 404, 429, 503] {
            let failure = Failure::Answer { status, errors: Vec::new() };
            assert_eq!(failure.hints("transit/encrypt/k", "update").len(), 1, "{status}");
        }
    }
}
