//! The key services at hand; the only file of this crate that lets the environment in.

use ksops_age::service::AgeService;
use ksops_age::sources::IdentitySources;
use ksops_azure_kv::offline::known::PublicKeySource;
use ksops_azure_kv::service::AzureKvService;
use ksops_azure_kv::settings::AzureSettings;
use ksops_core::keys::key_service::KeyService;

use crate::offline::Offline;
use crate::remembered::Remembered;

/// What the services are told beside the environment.
#[derive(Debug, Clone, Default)]
pub struct ServiceOptions {
    /// Whether nobody may be asked over the network.
    pub offline: bool,
    /// Files and folders with public halves of Azure's keys, for encrypting without the vault.
    pub azure_public_keys: Vec<PublicKeySource>,
}

/// The key services that may be asked, in order.
#[derive(Default)]
pub struct Services {
    list: Vec<Box<dyn KeyService>>,
}

impl Services {
    /// Uses exactly these services.
    #[must_use]
    pub fn new(list: Vec<Box<dyn KeyService>>) -> Self {
        Self { list }
    }

    /// Uses every service of this build, with credentials from where each looks by custom: environment variables,
    /// files below the home directory, tools that are logged in. Nothing is read or asked before a key needs it.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::with_options(ServiceOptions::default())
    }

    /// The same, told more than the environment says.
    #[must_use]
    pub fn with_options(options: ServiceOptions) -> Self {
        let ServiceOptions { offline, azure_public_keys } = options;
        let azure =
            AzureSettings { offline, public_keys: azure_public_keys, ..AzureSettings::from_environment() };
        let list: Vec<Box<dyn KeyService>> = vec![
            Box::new(AgeService::new(IdentitySources::from_environment())),
            Box::new(Remembered::new(Box::new(AzureKvService::new(azure)))),
        ];
        match offline {
            true => Self::new(list.into_iter().map(|service| Box::new(Offline(service)) as _).collect()),
            false => Self::new(list),
        }
    }

    /// Adds a service behind those that are there; it is asked when none of them succeeds.
    pub fn push(&mut self, service: Box<dyn KeyService>) {
        self.list.push(service);
    }

    /// The services themselves, for a server that lends them.
    #[must_use]
    pub fn into_list(self) -> Vec<Box<dyn KeyService>> {
        self.list
    }

    /// What the user should know of the operations so far; every sentence is given once.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        self.list.iter().flat_map(|service| service.take_notices()).collect()
    }

    /// The services, as the core takes them.
    #[must_use]
    pub fn as_slice(&self) -> Vec<&dyn KeyService> {
        self.list.iter().map(AsRef::as_ref).collect()
    }
}
