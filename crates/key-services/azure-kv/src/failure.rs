//! Why asking a vault failed, as data: what an answer, the network and the credentials said, out of the SDK's errors.

use std::error::Error as StdError;

use azure_core::error::{Error, ErrorKind};
use ksops_transport::https::HttpError;
use ksops_transport::runtime::RuntimeError;
use serde_json::Value;

/// How many causes are looked at.
const DEPTH: usize = 16;

/// Why an operation on a vault failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The vault answered with an error.
    Answer(Answer),
    /// There was no answer.
    Http(HttpError),
    /// No credential gave a token.
    Credential(CredentialFailure),
    /// The vault's challenge asks for a token that must not go to it.
    Challenge {
        /// The scope asked for.
        scope: String,
        /// The vault's host.
        vault: String,
    },
    /// The URL of the vault is not asked.
    Host {
        /// Why.
        message: String,
        /// Whether a configured suffix would allow it.
        unknown_suffix: bool,
    },
    /// Nobody may be asked.
    Offline,
    /// The time limit passed.
    TimedOut(u64),
    /// Anything else.
    Other(String),
}

/// An error answer of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `error.code`.
    pub code: String,
    /// `error.innererror.code`.
    pub inner_code: String,
    /// `error.message`, shortened.
    pub message: String,
}

/// Why no credential gave a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
#[error("{}", self.describe())]
pub struct CredentialFailure {
    /// Each credential tried, with its reason, in order.
    pub tried: Vec<(String, String)>,
    /// Credentials after these that were not tried, because the last one is set up.
    pub not_tried: Vec<String>,
    /// The credential that is set up and got no token, if there is one.
    pub ended_at: Option<String>,
    /// A mistake in the settings, found before any credential was tried.
    pub settings: Option<String>,
}

impl CredentialFailure {
    /// One line for each credential.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(mistake) = &self.settings {
            return mistake.clone();
        }
        let mut lines = vec!["no credential gave a token:".to_owned()];
        lines.extend(self.tried.iter().map(|(name, reason)| format!("  {name}: {reason}")));
        if !self.not_tried.is_empty() {
            lines.push(format!("  not tried after that: {}", self.not_tried.join(", ")));
        }
        lines.join("\n")
    }
}

/// The failure of the check that guards every token; travels through the SDK.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the challenge of {vault} asks for a token for {scope}")]
pub(crate) struct ForeignChallenge {
    pub(crate) scope: String,
    pub(crate) vault: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut next: Option<&(dyn StdError + 'static)> = Some(&error);
        // The outer texts are the SDK's wrapping.
        let mut innermost = String::new();
        for _ in 0..DEPTH {
            let Some(cause) = next else {
                break;
            };
            innermost = cause.to_string();
            if let Some(http) = cause.downcast_ref::<HttpError>() {
                return Self::Http(http.clone());
            }
            if let Some(failure) = cause.downcast_ref::<CredentialFailure>() {
                return Self::Credential(failure.clone());
            }
            if let Some(foreign) = cause.downcast_ref::<ForeignChallenge>() {
                return Self::Challenge { scope: foreign.scope.clone(), vault: foreign.vault.clone() };
            }
            if let Some(answer) = cause.downcast_ref::<Error>().and_then(answer) {
                return Self::Answer(answer);
            }
            next = cause.source();
        }
        Self::Other(plain(&innermost))
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::TimedOut(limit) => Self::TimedOut(limit.as_secs()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// What an error answer of a vault or of Entra says.
fn answer(error: &Error) -> Option<Answer> {
    let ErrorKind::HttpResponse { status, error_code, raw_response } = error.kind() else {
        return None;
    };
    let body: &[u8] = raw_response.as_ref().map_or(&[], |raw| raw.body().as_ref());
    let mut answer = parse_answer(u16::from(*status), body);
    if answer.code.is_empty() {
        answer.code = plain(error_code.as_deref().unwrap_or_default());
    }
    Some(answer)
}

fn parse_answer(status: u16, body: &[u8]) -> Answer {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let error = &json["error"];
    if error.is_string() {
        // Entra: `error` is the code, and the text is `error_description`.
        return Answer {
            status,
            code: text(error),
            inner_code: String::new(),
            message: text(&json["error_description"]),
        };
    }
    Answer {
        status,
        code: text(&error["code"]),
        inner_code: text(&error["innererror"]["code"]),
        message: text(&error["message"]),
    }
}

/// The first line of a foreign text, shortened and without control characters, for a terminal.
pub(crate) fn plain(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let shown: String = line.chars().filter(|c| !c.is_control()).take(400).collect();
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use azure_core::error::{Error, ErrorKind};
    use ksops_transport::https::{HttpError, HttpErrorKind};

    use super::{Answer, CredentialFailure, Failure, parse_answer, plain};

    #[test]
    fn a_vault_s_error_is_taken_apart() {
        let body =
            br#"{"error":{"code":"Forbidden","message":"no","innererror":{"code":"ForbiddenByRbac"}}}"#;
        let expected = Answer {
            status: 403,
            code: "Forbidden".into(),
            inner_code: "ForbiddenByRbac".into(),
            message: "no".into(),
        };
        assert_eq!(parse_answer(403, body), expected);
        let entra =
            br#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong\r\nTrace ID: x"}"#;
        assert_eq!(parse_answer(401, entra).message, "AADSTS7000215: wrong");
        assert_eq!(parse_answer(500, b"<html>").message, "");
    }

    #[test]
    fn causes_are_found_below_the_sdk_s_wrapping() {
        let http = HttpError { kind: HttpErrorKind::Connect, host: "h".into(), message: "m".into() };
        let error = Error::with_error(ErrorKind::Other, http.clone(), "outer").with_context("more");
        assert_eq!(Failure::from(error), Failure::Http(http));
        let credential = CredentialFailure { tried: vec![("a".into(), "b".into())], ..Default::default() };
        let inner = Error::with_error(ErrorKind::Credential, credential.clone(), "inner");
        let error = Error::with_error(ErrorKind::Credential, inner, "outer").with_context("more");
        assert_eq!(Failure::from(error), Failure::Credential(credential));
    }

    #[test]
    fn foreign_text_is_kept_short_and_plain() {
        assert_eq!(plain(" a\u{1b}[31mb \n second"), "a[31mb");
        assert_eq!(plain(&"x".repeat(1000)).len(), 400);
    }
}
