//! What Vault's own variables say (key-services.md section 7.4), read once and handed on as data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fmt, fs, io};

use ksops_transport::https::{HttpsSettings, TlsSettings};
use zeroize::Zeroizing;

use crate::allow_list::{self, AllowList};
use crate::failure::Failure;

/// Where a server is looked for that nothing names.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";

/// The settings of a client.
#[derive(Clone)]
pub struct VaultSettings {
    /// `VAULT_TOKEN`.
    pub token: Option<Zeroizing<String>>,
    /// `~/.vault-token`, read when `VAULT_TOKEN` is not set.
    pub token_file: Option<PathBuf>,
    /// `VAULT_NAMESPACE`.
    pub namespace: Option<String>,
    /// `VAULT_ADDR`: the server of a destination that names none.
    pub address: Option<String>,
    /// `VAULT_AGENT_ADDR`: asked in place of the address of a key.
    pub agent_address: Option<String>,
    /// `VAULT_CACERT`.
    pub ca_file: Option<PathBuf>,
    /// `VAULT_CACERT_BYTES`.
    pub ca_bytes: Option<String>,
    /// `VAULT_CAPATH`: a folder of certificates.
    pub ca_folder: Option<PathBuf>,
    /// `VAULT_CLIENT_CERT`.
    pub client_certificate: Option<PathBuf>,
    /// `VAULT_CLIENT_KEY`.
    pub client_key: Option<PathBuf>,
    /// Whether `VAULT_TLS_SERVER_NAME` is set, which is not supported.
    pub has_server_name: bool,
    /// `VAULT_SKIP_VERIFY`.
    pub skip_verify: Option<String>,
    /// `VAULT_PROXY_ADDR` or `VAULT_HTTP_PROXY`.
    pub proxy: Option<String>,
    /// `VAULT_HEADERS`: a JSON object.
    pub headers: Option<Zeroizing<String>>,
    /// `VAULT_MAX_RETRIES`.
    pub max_retries: Option<String>,
    /// `VAULT_CLIENT_TIMEOUT`.
    pub timeout: Option<String>,
    /// `VAULT_DISABLE_REDIRECTS`.
    pub disable_redirects: Option<String>,
    /// `SOPS_HC_VAULT_ALLOWLIST`; only for keys, because a destination is named by the configuration.
    pub allow_list: AllowList,
    /// The unit of waiting before a retry.
    pub retry_unit: Duration,
}

impl Default for VaultSettings {
    fn default() -> Self {
        Self::from_lookup(|_| None)
    }
}

impl fmt::Debug for VaultSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultSettings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl VaultSettings {
    /// Reads the environment. An empty variable counts as unset.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// The same with a look-up of variables handed in.
    #[must_use]
    pub fn from_lookup(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        Self {
            token: text("VAULT_TOKEN").map(Zeroizing::new),
            token_file: home.map(|home| home.join(".vault-token")),
            namespace: text("VAULT_NAMESPACE"),
            address: text("VAULT_ADDR"),
            agent_address: text("VAULT_AGENT_ADDR"),
            ca_file: path("VAULT_CACERT"),
            ca_bytes: text("VAULT_CACERT_BYTES"),
            ca_folder: path("VAULT_CAPATH"),
            client_certificate: path("VAULT_CLIENT_CERT"),
            client_key: path("VAULT_CLIENT_KEY"),
            has_server_name: text("VAULT_TLS_SERVER_NAME").is_some(),
            skip_verify: text("VAULT_SKIP_VERIFY"),
            proxy: text("VAULT_PROXY_ADDR").or_else(|| text("VAULT_HTTP_PROXY")),
            headers: text("VAULT_HEADERS").map(Zeroizing::new),
            max_retries: text("VAULT_MAX_RETRIES"),
            timeout: text("VAULT_CLIENT_TIMEOUT"),
            disable_redirects: text("VAULT_DISABLE_REDIRECTS"),
            allow_list: AllowList::parse(&text(allow_list::VARIABLE).unwrap_or_default()),
            retry_unit: Duration::from_millis(1000),
        }
    }

    /// The server of a destination: the one named, else the agent, else `VAULT_ADDR`.
    #[must_use]
    pub fn destination_address(&self, named: &str) -> String {
        let named = Some(named).filter(|named| !named.is_empty()).map(str::to_owned);
        let address = named.or_else(|| self.agent_address.clone()).or_else(|| self.address.clone());
        address.unwrap_or_else(|| DEFAULT_ADDRESS.to_owned())
    }

    /// The token; none if there is neither the variable nor the file.
    ///
    /// # Errors
    /// [`Failure::Settings`] if the file cannot be read.
    pub fn token(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(token) = &self.token {
            return Ok(Some(token.clone()));
        }
        let Some(file) = &self.token_file else { return Ok(None) };
        match fs::read_to_string(file).map(Zeroizing::new) {
            Ok(text) => {
                let token = text.trim();
                Ok((!token.is_empty()).then(|| Zeroizing::new(token.to_owned())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(file, &error)),
        }
    }

    /// The longest that an operation may take.
    ///
    /// # Errors
    /// [`Failure::Settings`] if `VAULT_CLIENT_TIMEOUT` is no time.
    pub fn time_limit(&self) -> Result<Duration, Failure> {
        let Some(text) = &self.timeout else { return Ok(Duration::from_secs(60)) };
        let limit = duration(text.trim()).filter(|limit| !limit.is_zero());
        limit.ok_or_else(|| {
            Failure::Settings(format!("VAULT_CLIENT_TIMEOUT {text:?} is no time, such as 30s"))
        })
    }

    /// How often a request is sent again.
    ///
    /// # Errors
    /// [`Failure::Settings`] if `VAULT_MAX_RETRIES` is no number.
    pub fn retries(&self) -> Result<u32, Failure> {
        let Some(text) = &self.max_retries else { return Ok(2) };
        let wrong = |_| Failure::Settings(format!("VAULT_MAX_RETRIES {text:?} is no number"));
        text.trim().parse().map_err(wrong)
    }

    /// Whether a redirect may be followed.
    ///
    /// # Errors
    /// [`Failure::Settings`] if `VAULT_DISABLE_REDIRECTS` is neither true nor false.
    pub fn follows_redirects(&self) -> Result<bool, Failure> {
        Ok(!switch("VAULT_DISABLE_REDIRECTS", self.disable_redirects.as_deref())?)
    }

    /// The headers that every request gets.
    ///
    /// # Errors
    /// [`Failure::Settings`] if `VAULT_HEADERS` is no object of texts, or names a header that belongs to the protocol.
    pub fn extra_headers(&self) -> Result<Vec<(String, Zeroizing<String>)>, Failure> {
        let Some(text) = &self.headers else { return Ok(Vec::new()) };
        let wrong = |why: &str| Failure::Settings(format!("VAULT_HEADERS {why}"));
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|_| wrong("is no JSON object"))?;
        let header = |(name, value): (String, serde_json::Value)| match value {
            _ if name.to_ascii_lowercase().starts_with("x-vault-") => {
                Err(wrong(&format!("may not hold {name}")))
            }
            serde_json::Value::String(value) => Ok((name, Zeroizing::new(value))),
            _ => Err(wrong(&format!("has no text for {name}"))),
        };
        object.into_iter().map(header).collect()
    }

    /// What the HTTP client has to know.
    ///
    /// # Errors
    /// [`Failure::Settings`] if a file of certificates cannot be read, or a setting is not supported.
    pub fn https(&self) -> Result<HttpsSettings, Failure> {
        if self.has_server_name {
            return Err(Failure::Settings(
                "VAULT_TLS_SERVER_NAME is not supported: use the name in the address".to_owned(),
            ));
        }
        let mut roots = Vec::new();
        match (&self.ca_file, &self.ca_bytes, &self.ca_folder) {
            (Some(file), ..) => roots = read(file)?,
            (None, Some(bytes), _) => roots = bytes.clone().into_bytes(),
            (None, None, Some(folder)) => {
                let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
                for entry in entries {
                    let path = entry.map_err(|error| unreadable(folder, &error))?.path();
                    if path.is_file() {
                        roots.extend(read(&path)?);
                        roots.push(b'\n');
                    }
                }
            }
            (None, None, None) => {}
        }
        let identity = match (&self.client_certificate, &self.client_key) {
            (Some(certificate), Some(key)) => {
                let mut pem = Zeroizing::new(read(certificate)?);
                pem.push(b'\n');
                pem.extend_from_slice(&Zeroizing::new(read(key)?));
                Some(pem)
            }
            (None, None) => None,
            _ => {
                return Err(Failure::Settings(
                    "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY are of use together only".to_owned(),
                ));
            }
        };
        let danger_accepts_any = switch("VAULT_SKIP_VERIFY", self.skip_verify.as_deref())?;
        let tls = TlsSettings { roots, identity, danger_accepts_any };
        let limit = self.time_limit()?;
        Ok(HttpsSettings { read: limit, tls, proxy: self.proxy.clone(), ..HttpsSettings::default() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Settings(format!("{} cannot be read: {error}", path.display()))
}

/// The words that Go's `strconv.ParseBool` takes.
fn switch(name: &str, value: Option<&str>) -> Result<bool, Failure> {
    match value {
        None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
        Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
        Some(other) => Err(Failure::Settings(format!("{name} {other:?} is neither true nor false"))),
    }
}

/// Seconds, or numbers with a unit: `90`, `90s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|sign: char| !sign.is_ascii_digit() && sign != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit =
            rest[digits..].find(|sign: char| sign.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let seconds = match &rest[digits..unit] {
            "ms" => number / 1000.0,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = &rest[unit..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::time::Duration;

    use super::{VaultSettings, duration};

    fn settings(set: &[(&str, &str)]) -> VaultSettings {
        VaultSettings::from_lookup(|name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_token_comes_from_the_variable_or_the_file() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().to_str().expect("text");
        let token =
            |set: &[(&str, &str)]| settings(set).token().map(|token| token.map(|token| token.to_string()));
        assert_eq!(token(&[("HOME", path)]), Ok(None));
        fs::write(home.path().join(".vault-token"), " of-the-file \n").expect("written");
        assert_eq!(token(&[("HOME", path)]), Ok(Some("of-the-file".to_owned())));
        assert_eq!(token(&[("HOME", path), ("VAULT_TOKEN", "t")]), Ok(Some("t".to_owned())));
        fs::remove_file(home.path().join(".vault-token")).expect("removed");
        fs::create_dir(home.path().join(".vault-token")).expect("made");
        let error = token(&[("HOME", path)]).expect_err("a folder");
        assert!(error.to_string().contains(".vault-token cannot be read"), "{error}");
    }

    #[test]
    fn times_are_seconds_or_have_units() {
        for (text, seconds) in [("90", 90.0), ("90s", 90.0), ("1m30s", 90.0), ("1.5m", 90.0), ("250ms", 0.25)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["x", "5x", "s", "-1s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for set in [
            ("VAULT_CLIENT_TIMEOUT", "soon"),
            ("VAULT_SKIP_VERIFY", "maybe"),
            ("VAULT_CLIENT_CERT", "/nowhere"),
            ("VAULT_CACERT", "/nowhere"),
            ("VAULT_TLS_SERVER_NAME", "x"),
        ] {
            let error = settings(&[set]).https().expect_err(set.0);
            assert!(error.to_string().contains(set.0) || error.to_string().contains(set.1), "{error}");
        }
        assert!(settings(&[("VAULT_HEADERS", r#"{"X-Vault-Token":"x"}"#)]).extra_headers().is_err());
        let headers = settings(&[("VAULT_HEADERS", r#"{"A":"b"}"#)]).extra_headers().expect("headers");
        assert_eq!(headers, [("A".to_owned(), "b".to_owned().into())]);
    }

    #[test]
    fn a_destination_has_the_address_that_it_names() {
        let settings = settings(&[("VAULT_ADDR", "a"), ("VAULT_AGENT_ADDR", "b")]);
        assert_eq!(settings.destination_address("c"), "c");
        assert_eq!(settings.destination_address(""), "b");
        assert_eq!(VaultSettings::default().destination_address(""), "https://127.0.0.1:8200");
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", settings(&[("VAULT_TOKEN", "marker")])).contains("marker"));
    }
}
