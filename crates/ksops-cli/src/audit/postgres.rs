//! The table `audit_event` of a PostgreSQL database, as upstream's `schema.sql` makes it.

use std::error::Error as _;
use std::io;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};

use crate::audit::connection_string::{ConnectionString, Mode};
use crate::audit::tls;
use crate::io_reason::reason;

/// A database that does not answer must not hold up the user for ever.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the peer may leave what was sent without an answer.
const ANSWER: Duration = Duration::from_secs(30);

const INSERT: &str = "INSERT INTO audit_event (action, username, file) VALUES ($1, $2, $3)";

/// A connection.
pub(crate) struct Database {
    client: Mutex<Client>,
    hosts: String,
}

impl Database {
    /// Connects, and asks for an answer.
    ///
    /// # Errors
    /// What failed, with the database's host and without its password.
    pub(crate) fn connect(connection_string: &str) -> Result<Self, String> {
        let text = ConnectionString::parse(connection_string)?;
        // The client's own error may quote the text, and with it the password.
        let mut config =
            Config::from_str(&text.rest).map_err(|_| "the connection string is malformed".to_owned())?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(ANSWER);
        }
        let hosts = hosts(&config);
        let failed = |error: &postgres::Error| format!("{hosts}: {}", told(error));
        let connected = match text.mode {
            Mode::Disable => config.ssl_mode(SslMode::Disable).connect(NoTls),
            mode => {
                let wanted = if mode == Mode::Prefer { SslMode::Prefer } else { SslMode::Require };
                config.ssl_mode(wanted).connect(tls::connector(mode, text.root_certificate.as_deref())?)
            }
        };
        let mut client = connected.map_err(|error| failed(&error))?;
        client.simple_query("SELECT 1").map_err(|error| failed(&error))?;
        Ok(Self { client: Mutex::new(client), hosts })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// What failed.
    pub(crate) fn insert(&self, action: &str, user: &str, file: &str) -> Result<(), String> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        match client.execute(INSERT, &[&action, &user, &file]) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{}: {}", self.hosts, told(&error))),
        }
    }
}

fn hosts(config: &Config) -> String {
    let names = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The error with its causes.
fn told(error: &postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{}: {}", answer.severity(), answer.message());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        let more = io.map_or_else(|| error.to_string(), |error| reason(error).to_string());
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
