//! The kinds of credentials, and where they are found (key-services.md section 6.4). Nothing here is sent anywhere.

use std::fs;
use std::path::Path;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::settings::GcpSettings;

/// Where a refresh token is exchanged.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Who to be.
pub(crate) enum Credentials {
    /// A token of the user's own.
    Token(Zeroizing<String>),
    /// A service account with its private key.
    ServiceAccount {
        email: String,
        key_id: String,
        /// PKCS#8 in PEM.
        private_key: Zeroizing<String>,
        token_uri: String,
    },
    /// A user who has logged in with `gcloud`.
    User {
        client_id: String,
        client_secret: Zeroizing<String>,
        refresh_token: Zeroizing<String>,
        token_uri: String,
    },
    /// A service account that somebody else may act as.
    Impersonated { source: Box<Credentials>, url: String, delegates: Vec<String> },
    /// The identity of the machine.
    Metadata { host: String },
}

/// Credentials, and the project that requests count for; Cloud KMS wants one of users.
pub(crate) struct Found {
    pub(crate) credentials: Credentials,
    pub(crate) quota_project: Option<String>,
}

impl From<Credentials> for Found {
    fn from(credentials: Credentials) -> Self {
        Self { credentials, quota_project: None }
    }
}

impl Credentials {
    /// Finds them: in the variables, in files, else of the machine.
    ///
    /// # Errors
    /// [`Failure::Credentials`] if what is found first cannot be used.
    pub(crate) fn find(settings: &GcpSettings) -> Result<Found, Failure> {
        let mut found = Self::first(settings)?;
        // The variable wins, as with upstream.
        found.quota_project = settings.quota_project.clone().or(found.quota_project);
        Ok(found)
    }

    fn first(settings: &GcpSettings) -> Result<Found, Failure> {
        if let Some(text) = &settings.credentials {
            let path = Path::new(text.as_str());
            // As upstream: a file of that name, else the JSON itself.
            let is_file = text.len() < 4096 && path.is_file();
            return match is_file {
                true => Self::of_file(path),
                false => Self::parse(text.as_bytes(), "GOOGLE_CREDENTIALS"),
            };
        }
        if let Some(token) = &settings.token {
            return Ok(Self::Token(token.clone()).into());
        }
        if let Some(path) = &settings.credentials_file {
            return Self::of_file(path);
        }
        if let Some(path) = settings.default_file.as_deref().filter(|path| path.is_file()) {
            return Self::of_file(path);
        }
        let host = settings.metadata_host.clone();
        Ok(Self::Metadata { host: host.unwrap_or_else(|| "169.254.169.254".to_owned()) }.into())
    }

    /// What they are called.
    pub(crate) fn name(settings: &GcpSettings) -> String {
        let file = |path: &Path| path.display().to_string();
        match settings {
            GcpSettings { credentials: Some(_), .. } => "GOOGLE_CREDENTIALS".to_owned(),
            GcpSettings { token: Some(_), .. } => "GOOGLE_OAUTH_ACCESS_TOKEN".to_owned(),
            GcpSettings { credentials_file: Some(path), .. } => file(path),
            GcpSettings { default_file: Some(path), .. } if path.is_file() => file(path),
            _ => "metadata server".to_owned(),
        }
    }

    fn of_file(path: &Path) -> Result<Found, Failure> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map(Zeroizing::new);
        let bytes = bytes.map_err(|error| Failure::Credentials(format!("{name} cannot be read: {error}")))?;
        Self::parse(&bytes, &name)
    }

    fn parse(bytes: &[u8], name: &str) -> Result<Found, Failure> {
        // The parser's own message would repeat parts of the text.
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|_| Failure::Credentials(format!("{name} is no JSON and no file")))?;
        let quota_project = value["quota_project_id"].as_str().map(str::to_owned);
        Ok(Found { credentials: Self::of_value(&value, name, 0)?, quota_project })
    }

    fn of_value(value: &Value, name: &str, depth: u8) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::Credentials(format!("{name}: {why}"));
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let need = |field: &str| text(field).ok_or_else(|| wrong(format!("{field:?} is missing")));
        let kind = text("type").unwrap_or_default();
        match kind.as_str() {
            "service_account" => Ok(Self::ServiceAccount {
                email: need("client_email")?,
                key_id: text("private_key_id").unwrap_or_default(),
                private_key: Zeroizing::new(need("private_key")?),
                token_uri: text("token_uri").unwrap_or_else(|| TOKEN_URI.to_owned()),
            }),
            "authorized_user" => Ok(Self::User {
                client_id: need("client_id")?,
                client_secret: Zeroizing::new(need("client_secret")?),
                refresh_token: Zeroizing::new(need("refresh_token")?),
                token_uri: text("token_uri").unwrap_or_else(|| TOKEN_URI.to_owned()),
            }),
            "impersonated_service_account" if depth == 0 => {
                let delegates = value["delegates"].as_array().into_iter().flatten();
                Ok(Self::Impersonated {
                    source: Box::new(Self::of_value(&value["source_credentials"], name, depth + 1)?),
                    url: need("service_account_impersonation_url")?,
                    delegates: delegates.filter_map(Value::as_str).map(str::to_owned).collect(),
                })
            }
            other => Err(wrong(format!(
                "credentials of type {other:?} are not supported; a token works, too: \
                 GOOGLE_OAUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::Credentials;
    use crate::settings::GcpSettings;

    fn found(text: &str) -> Result<Credentials, String> {
        let credentials = Some(Zeroizing::new(text.to_owned()));
        let settings = GcpSettings { credentials, ..GcpSettings::default() };
        Credentials::find(&settings).map(|found| found.credentials).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_is_recognised() {
        let account = r#"{"type": "service_account", "client_email": "e", "private_key": "k"}"#;
        assert!(matches!(found(account), Ok(Credentials::ServiceAccount { .. })));
        let user =
            r#"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}"#;
        assert!(matches!(found(user), Ok(Credentials::User { .. })));
        let acting = format!(
            r#"{{"type": "impersonated_service_account", "source_credentials": {user},
            "service_account_impersonation_url": "https://x"}}"#
        );
        assert!(matches!(found(&acting), Ok(Credentials::Impersonated { .. })));
        assert!(matches!(
            Credentials::find(&GcpSettings::default()).map(|found| found.credentials),
            Ok(Credentials::Metadata { host }) if host == "169.254.169.254"
        ));
    }

    #[test]
    fn what_cannot_be_used_is_named_and_not_shown() {
        for (text, expected) in [
            ("hush", "no JSON and no file"),
            (r#"{"type": "external_account", "x": "hush"}"#, "\"external_account\" are not supported"),
            (r#"{"type": "service_account", "client_email": "hush"}"#, "\"private_key\" is missing"),
        ] {
            let Err(error) = found(text) else { panic!("{text} is accepted") };
            assert!(error.contains(expected) && !error.contains("hush"), "{error}");
        }
    }
}
