//! What a connection string of PostgreSQL says of TLS. The client knows less of it than `lib/pq`, which upstream uses: the
//! settings are taken out here (libpq, sections "Connection Strings" and "SSL Support").

use zeroize::Zeroizing;

/// How far the server is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No TLS.
    Disable,
    /// TLS if the server has it.
    Prefer,
    /// TLS, with any certificate.
    Require,
    /// TLS with a certificate of an authority that is trusted, for any host.
    VerifyCa,
    /// TLS with a certificate for this host.
    VerifyFull,
}

/// A connection string, taken apart.
pub(crate) struct ConnectionString {
    /// Everything but the settings below. It holds the password.
    pub rest: Zeroizing<String>,
    /// `sslmode`; absent is [`Mode::Prefer`].
    pub mode: Mode,
    /// `sslrootcert`: a file, or `system`.
    pub root_certificate: Option<String>,
}

/// Settings of `lib/pq` for which there is nothing here. They are named, instead of a text that has the password in it.
const UNSUPPORTED: [&str; 10] = [
    "passfile",
    "service",
    "servicefile",
    "sslcert",
    "sslinline",
    "sslkey",
    "sslpassword",
    "sslcrl",
    "krbspn",
    "krbsrvname",
];

impl ConnectionString {
    /// Takes the text apart, in either of its two forms.
    ///
    /// # Errors
    /// What is wrong, without any part of the text but the names of settings.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let (base, settings) = match (is_url, text.split_once('?')) {
            (true, Some((base, query))) => (base, query.split('&').map(Setting::of_query).collect()),
            (true, None) => (text, Vec::new()),
            (false, _) => ("", Setting::of_words(text)?),
        };
        let mut found =
            Self { rest: Zeroizing::new(base.to_owned()), mode: Mode::Prefer, root_certificate: None };
        let mut separator = if is_url { "?" } else { "" };
        for setting in settings {
            match setting.name {
                "sslmode" => found.mode = mode(&setting.value)?,
                "sslrootcert" => found.root_certificate = Some(setting.value.to_string()),
                name if UNSUPPORTED.contains(&name) => {
                    return Err(format!("the setting `{name}` of a connection string is not supported"));
                }
                _ => {
                    found.rest.push_str(separator);
                    found.rest.push_str(setting.raw);
                    separator = if is_url { "&" } else { " " };
                }
            }
        }
        Ok(found)
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "disable" => Ok(Mode::Disable),
        "allow" | "prefer" => Ok(Mode::Prefer),
        "require" => Ok(Mode::Require),
        "verify-ca" => Ok(Mode::VerifyCa),
        "verify-full" => Ok(Mode::VerifyFull),
        _ => Err("`sslmode` is none of disable, allow, prefer, require, verify-ca, verify-full".to_owned()),
    }
}

struct Setting<'a> {
    name: &'a str,
    value: Zeroizing<String>,
    /// As it stands in the text.
    raw: &'a str,
}

impl<'a> Setting<'a> {
    fn of_query(raw: &'a str) -> Self {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Self { name, value: Zeroizing::new(value.replace("%2F", "/").replace("%2f", "/")), raw }
    }

    /// `name = value` pairs, a value perhaps in single quotes; a backslash takes the next character as it is.
    fn of_words(text: &'a str) -> Result<Vec<Self>, String> {
        let mut settings = Vec::new();
        let mut left = text.trim_start();
        while !left.is_empty() {
            let (name, after) =
                left.split_once('=').ok_or("the connection string has a word without a value")?;
            let after = after.trim_start();
            let (value, length) = value(after)?;
            let end = left.len() - after.len() + length;
            settings.push(Self { name: name.trim(), value, raw: &left[..end] });
            left = left[end..].trim_start();
        }
        Ok(settings)
    }
}

/// The value at the start of the text, and how much of the text it takes.
fn value(text: &str) -> Result<(Zeroizing<String>, usize), String> {
    let is_quoted = text.starts_with('\'');
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.char_indices().skip(usize::from(is_quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, character)| character)),
            '\'' if is_quoted => return Ok((value, at + 1)),
            blank if !is_quoted && blank.is_whitespace() => return Ok((value, at)),
            other => value.push(other),
        }
    }
    match is_quoted {
        true => Err("the connection string has a quote without an end".to_owned()),
        false => Ok((value, text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionString, Mode};

    fn parsed(text: &str) -> (String, Mode, Option<String>) {
        let found = ConnectionString::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (found.rest.to_string(), found.mode, found.root_certificate)
    }

    #[test]
    fn settings_of_tls_are_taken_out_of_both_forms() {
        let none = None::<String>;
        assert_eq!(
            parsed("postgres://u:p@h/d"),
            ("postgres://u:p@h/d".to_owned(), Mode::Prefer, none.clone())
        );
        assert_eq!(
            parsed("postgres://u:p@h/d?sslmode=verify-full&application_name=x&sslrootcert=%2Fetc%2Fca.pem"),
            (
                "postgres://u:p@h/d?application_name=x".to_owned(),
                Mode::VerifyFull,
                Some("/etc/ca.pem".to_owned())
            )
        );
        assert_eq!(
            parsed("host=h sslmode = 'verify-ca'  password='a \\' b' sslrootcert=/ca\\ 1.pem user=u"),
            ("host=h password='a \\' b' user=u".to_owned(), Mode::VerifyCa, Some("/ca 1.pem".to_owned()))
        );
        assert_eq!(parsed(" "), (String::new(), Mode::Prefer, none));
    }

    #[test]
    fn errors_hold_no_part_of_the_text() {
        for text in
            ["host=h password=hush sslmode=hush", "hush", "password='hush", "sslcert=hush", "service=hush"]
        {
            let Err(error) = ConnectionString::parse(text) else { panic!("{text} is accepted") };
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
