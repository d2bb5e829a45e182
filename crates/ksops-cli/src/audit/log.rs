//! The audit log: where `/etc/sops/audit.yaml` exists, a row for every file that is encrypted, decrypted or rotated
//! (cli-and-config.md section 6.3). A log that cannot be written stops the work; nothing is skipped in silence.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;

use ksops::ksops_config::audit::AuditConfig;

#[cfg(feature = "audit")]
use crate::audit::postgres::Database;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::outside::user::User;

const AUDIT_FILE: &str = "/etc/sops/audit.yaml";

/// What is done to a file. The names are those of upstream's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Decrypt,
    Encrypt,
    Rotate,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Decrypt => "decrypt",
            Self::Encrypt => "encrypt",
            Self::Rotate => "rotate",
        }
    }
}

/// The log of a run, opened when it is first needed.
#[derive(Default)]
pub(crate) struct Log(OnceLock<Result<Vec<Database>, String>>);

/// Stands for the databases of a build that has none.
#[cfg(not(feature = "audit"))]
struct Database;

/// Sees to it that the log can be written, before anything is done that belongs into it.
///
/// # Errors
/// If an audit is asked for and any of its databases does not answer, or the file that asks cannot be understood.
pub(crate) fn ready(context: &Context) -> Result<(), Failure> {
    databases(context).map(|_| ())
}

/// Writes a row to every database. To be called before the result leaves the process.
///
/// # Errors
/// If any row cannot be written: the work must not go on.
pub(crate) fn record(context: &Context, action: Action, file: Option<&Path>) -> Result<(), Failure> {
    let databases = databases(context)?;
    if databases.is_empty() {
        return Ok(());
    }
    // Upstream names the working directory where there is no file.
    let file = context.absolute(&file.map(Path::to_string_lossy).unwrap_or_default())?;
    let user = User::name_of_this_one()?;
    for database in databases {
        insert(database, action, &user, &file.to_string_lossy())?;
    }
    Ok(())
}

fn databases(context: &Context) -> Result<&[Database], Failure> {
    let result = context.audit.0.get_or_init(|| match config()? {
        Some(config) => connect(&config),
        None => Ok(Vec::new()),
    });
    result.as_deref().map_err(|text| {
        let hint =
            "the administrators of this machine want a log of what is decrypted; without it nothing is";
        Failure::new(Kind::General, format!("the audit that {AUDIT_FILE} asks for: {text}")).hints([hint])
    })
}

fn config() -> Result<Option<AuditConfig>, String> {
    let bytes = match fs::read(AUDIT_FILE) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        // Upstream passes over it.
        Err(error) => return Err(format!("the file cannot be read: {}", reason(&error))),
    };
    AuditConfig::parse(&bytes, AUDIT_FILE).map(Some).map_err(|error| error.to_string())
}

#[cfg(feature = "audit")]
fn connect(config: &AuditConfig) -> Result<Vec<Database>, String> {
    config.postgres.iter().map(|text| Database::connect(text)).collect()
}

#[cfg(not(feature = "audit"))]
fn connect(_: &AuditConfig) -> Result<Vec<Database>, String> {
    Err("this build of ksops cannot write it".to_owned())
}

#[cfg(feature = "audit")]
fn insert(database: &Database, action: Action, user: &str, file: &str) -> Result<(), Failure> {
    database.insert(action.name(), user, file).map_err(|text| {
        let text = format!("the audit that {AUDIT_FILE} asks for: the row of {file} was not written: {text}");
        Failure::new(Kind::General, text)
    })
}

#[cfg(not(feature = "audit"))]
fn insert(_: &Database, action: Action, _: &str, _: &str) -> Result<(), Failure> {
    Err(Failure::new(Kind::General, format!("the audit row of `{}` cannot be written", action.name())))
}
