//! The Azure Key Vault rig: where it is, its environment, its faults and its log.
//!
//! The rig is a folder beside the project (`KSOPS_RIG_AZURE` names another place). `start.sh` prints the environment; it is
//! handed to the programs under test only, so that its proxy and certificates never reach `cargo`.

use std::env;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::fixtures;
use crate::oracle;

/// Only one test at a time may set faults.
static ONE: Mutex<()> = Mutex::new(());

/// The running rig, for one test at a time.
pub struct Rig {
    variables: Vec<(String, String)>,
    _one: MutexGuard<'static, ()>,
}

/// A way of logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// `AZURE_CLIENT_SECRET`.
    ClientSecret,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    WorkloadIdentity,
    /// `IDENTITY_ENDPOINT`, as in App Service.
    ManagedIdentity,
    /// The `az` program.
    AzureCli,
}

impl Login {
    /// Every one of them.
    pub const ALL: [Self; 4] =
        [Self::ClientSecret, Self::WorkloadIdentity, Self::ManagedIdentity, Self::AzureCli];
}

impl Rig {
    /// Finds the running rig or starts it. Without a rig the test is skipped, or fails in CI.
    ///
    /// # Panics
    /// If the rig is there and does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = env::var_os("KSOPS_RIG_AZURE")
            .map_or_else(|| fixtures::workspace().join("../shared/rigs/azure"), PathBuf::from);
        let script = folder.join("start.sh");
        if !script.is_file() {
            oracle::skipped("the Azure rig");
            return None;
        }
        let output = Command::new(&script).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        assert!(output.status.success(), "{} failed", script.display());
        let variables = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
            .collect();
        let rig = Self { variables, _one: one };
        rig.reset();
        Some(rig)
    }

    /// A variable that the rig exports, such as `RIG_AZURE_KEY_URL`.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("the rig exports no {name}"))
    }

    /// What a program needs to reach the vault, without any credential.
    #[must_use]
    pub fn route(&self) -> Vec<(OsString, OsString)> {
        ["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE"]
            .iter()
            .map(|name| (name.into(), self.get(name).into()))
            .collect()
    }

    /// What a program needs to reach the vault and to log in.
    #[must_use]
    pub fn login(&self, login: Login) -> Vec<(OsString, OsString)> {
        let mut variables = self.route();
        let mut set = |name: &str, value: String| variables.push((name.into(), value.into()));
        let (folder, ours) = (self.get("RIG_AZURE_DIR"), |name: &str| self.get(name).to_owned());
        match login {
            Login::ClientSecret | Login::WorkloadIdentity => {
                set("AZURE_TENANT_ID", ours("RIG_AZURE_TENANT_ID"));
                set("AZURE_CLIENT_ID", ours("RIG_AZURE_CLIENT_ID"));
                if login == Login::ClientSecret {
                    set("AZURE_CLIENT_SECRET", ours("RIG_AZURE_CLIENT_SECRET"));
                } else {
                    set("AZURE_FEDERATED_TOKEN_FILE", format!("{folder}/federated-token"));
                }
            }
            Login::ManagedIdentity => {
                set("IDENTITY_ENDPOINT", ours("IDENTITY_ENDPOINT"));
                set("IDENTITY_HEADER", ours("IDENTITY_HEADER"));
            }
            Login::AzureCli => {
                set("AZURE_TOKEN_CREDENTIALS", "AzureCLICredential".to_owned());
                let path = env::var("PATH").unwrap_or_default();
                set("PATH", format!("{folder}/bin:{path}"));
            }
        }
        variables
    }

    /// Forgets faults and log.
    pub fn reset(&self) {
        self.control("POST", "/_rig/reset", "");
    }

    /// Makes the next answers to an operation fail, for example `{"op":"decrypt","status":429,"count":2}`.
    pub fn fault(&self, fault: &Value) {
        self.control("POST", "/_rig/fault", &fault.to_string());
    }

    /// The requests since the last reset.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        let text = self.control("GET", "/_rig/log", "");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Switches the key off or on.
    pub fn enable(&self, enabled: bool) {
        let name = self.get("RIG_AZURE_KEY_NAME");
        self.control("POST", &format!("/_rig/key?name={name}&enabled={enabled}"), "");
    }

    /// One plain request to the rig's control port; gives the body.
    fn control(&self, method: &str, target: &str, body: &str) -> String {
        let address = self.get("RIG_AZURE_CONTROL").trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the rig listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit above zero");
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the rig reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the rig answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "the rig refuses {target}: {answer}");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}
