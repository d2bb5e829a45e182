//! The members that run a developer's tool: `az` and `azd`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions, Executor,
};
use tokio::process::Command;

use crate::failure::plain;
use crate::member::Refusal;
use crate::settings::AzureSettings;

/// How long a tool may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Runs a tool's command line, with a limit.
struct LimitedExecutor {
    path: Option<OsString>,
}

impl fmt::Debug for LimitedExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitedExecutor")
    }
}

#[async_trait::async_trait]
impl Executor for LimitedExecutor {
    async fn run(&self, program: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        match tokio::time::timeout(LIMIT, command.output()).await {
            Ok(output) => output,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 seconds")),
        }
    }
}

/// `az account get-access-token`.
pub(crate) fn azure_cli(
    settings: &AzureSettings,
    tenant: Option<&str>,
) -> Result<Arc<dyn TokenCredential>, Refusal> {
    let options = AzureCliCredentialOptions {
        tenant_id: tenant.map(str::to_owned),
        executor: Some(executor(settings)),
        ..AzureCliCredentialOptions::default()
    };
    Ok(AzureCliCredential::new(Some(options)).map_err(not_set_up)?)
}

/// `azd auth token`.
pub(crate) fn azure_developer_cli(
    settings: &AzureSettings,
    tenant: Option<&str>,
) -> Result<Arc<dyn TokenCredential>, Refusal> {
    let options = AzureDeveloperCliCredentialOptions {
        tenant_id: tenant.map(str::to_owned),
        executor: Some(executor(settings)),
    };
    Ok(AzureDeveloperCliCredential::new(Some(options)).map_err(not_set_up)?)
}

fn executor(settings: &AzureSettings) -> Arc<dyn Executor> {
    Arc::new(LimitedExecutor { path: settings.tool_path.clone() })
}

fn not_set_up(error: azure_core::Error) -> Refusal {
    Refusal::Unavailable(plain(&error.to_string()))
}
