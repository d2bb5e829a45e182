//! The stand-in as the tests see it: its control interface, and settings for each way to authenticate.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ksops_azure_kv::key_url::parse_key_url;
use ksops_azure_kv::service::AzureKvService;
use ksops_azure_kv::settings::{AzureSettings, ManagedIdentitySource};
use ksops_core::keys::key_group::EncryptedDataKey;
use ksops_core::keys::key_service::{KeyService, KeyServiceError};
use ksops_core::keys::master_key::{AzureKvKey, MasterKey};
use ksops_core::secret::SecretBytes;
use ksops_transport::https::{HttpsClient, HttpsSettings};
use ksops_transport::message::{Method, Request, Route};
use ksops_transport::runtime::block_on;
use serde_json::Value;
use zeroize::Zeroizing;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The stand-in, reset, for one test alone.
pub(crate) struct Rig {
    pub(crate) control: String,
    _alone: MutexGuard<'static, ()>,
}

pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} of the rig is not set"))
}

impl Rig {
    pub(crate) fn start() -> Option<Self> {
        let Ok(control) = env::var("RIG_AZURE_CONTROL") else {
            assert!(env::var_os("CI").is_none(), "CI has to start the Azure rig");
            eprintln!("skipped: no Azure rig");
            return None;
        };
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let rig = Self { control, _alone: alone };
        rig.call(Method::Post, "/_rig/reset", "");
        Some(rig)
    }

    pub(crate) fn call(&self, method: Method, path: &str, body: &str) -> Value {
        let mut request = Request::new(method, format!("{}{path}", self.control));
        request.route = Route::Direct;
        request.body = Zeroizing::new(body.as_bytes().to_vec());
        let response = block_on(async move {
            HttpsClient::new(&HttpsSettings::default()).expect("a client").send(&request).await
        });
        let response = response.expect("runtime").expect("the rig answers");
        assert_eq!(response.status, 200, "{path}");
        serde_json::from_slice(&response.body).expect("JSON")
    }

    pub(crate) fn fault(&self, fault: &str) {
        self.call(Method::Post, "/_rig/fault", fault);
    }

    /// The requests since the start, those of proxies left out.
    pub(crate) fn log(&self) -> Vec<Value> {
        let log = self.call(Method::Get, "/_rig/log", "");
        let entries = log.as_array().expect("a list").iter();
        entries.filter(|entry| entry["method"] != "CONNECT").cloned().collect()
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.log().iter().filter(|entry| entry["target"].as_str().is_some_and(|t| t.contains(part))).count()
    }

    /// Makes a key, or a new version of one, and names it.
    pub(crate) fn new_key(&self, name: &str) -> AzureKvKey {
        let made = self.call(Method::Post, &format!("/_rig/key?name={name}&new=1"), "");
        AzureKvKey {
            vault_url: variable("RIG_AZURE_VAULT_URL"),
            name: name.to_owned(),
            version: made["version"].as_str().expect("text").to_owned(),
        }
    }
}

pub(crate) fn key() -> MasterKey {
    MasterKey::AzureKv(parse_key_url(&variable("RIG_AZURE_KEY_URL")).expect("a key URL"))
}

pub(crate) fn data_key() -> SecretBytes {
    SecretBytes::new((0..33).collect())
}

/// Settings that find no credential.
pub(crate) fn nothing() -> AzureSettings {
    AzureSettings {
        tool_path: Some("nowhere".into()),
        managed_identity: ManagedIdentitySource::Imds { endpoint: "http://127.0.0.1:1/imds".to_owned() },
        retry_unit: Duration::from_millis(20),
        ..AzureSettings::default()
    }
}

pub(crate) fn application() -> AzureSettings {
    AzureSettings {
        tenant_id: Some(variable("RIG_AZURE_TENANT_ID")),
        client_id: Some(variable("RIG_AZURE_CLIENT_ID")),
        ..nothing()
    }
}

pub(crate) fn by_secret() -> AzureSettings {
    AzureSettings {
        client_secret: Some(Zeroizing::new(variable("RIG_AZURE_CLIENT_SECRET"))),
        ..application()
    }
}

pub(crate) fn by_managed_identity() -> AzureSettings {
    let managed_identity = ManagedIdentitySource::AppService {
        endpoint: variable("IDENTITY_ENDPOINT"),
        header: Zeroizing::new(variable("IDENTITY_HEADER")),
    };
    AzureSettings { managed_identity, ..nothing() }
}

/// A `PATH` with this directory in front.
pub(crate) fn path_with(directory: &Path) -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(directory.to_owned()).chain(env::split_paths(&rest));
    env::join_paths(paths).expect("no separator in it")
}

pub(crate) fn rig_file(name: &str) -> PathBuf {
    Path::new(&variable("RIG_AZURE_DIR")).join(name)
}

pub(crate) fn encrypt(settings: AzureSettings) -> Result<EncryptedDataKey, KeyServiceError> {
    AzureKvService::new(settings).encrypt(&key(), &data_key())
}
