//! The key services at hand; the only file of this crate that lets the environment in.

use std::sync::Arc;

#[cfg(feature = "age")]
use ksops_age::prompt::{NobodyToAsk, Prompt};
#[cfg(feature = "age")]
use ksops_age::service::AgeService;
#[cfg(feature = "age")]
use ksops_age::sources::IdentitySources;
#[cfg(feature = "aws-kms")]
use ksops_aws_kms::service::AwsKmsService;
#[cfg(feature = "azure-kv")]
use ksops_azure_kv::offline::known::PublicKeySource;
#[cfg(feature = "azure-kv")]
use ksops_azure_kv::service::AzureKvService;
#[cfg(feature = "azure-kv")]
use ksops_azure_kv::settings::AzureSettings;
use ksops_core::keys::key_service::KeyService;
#[cfg(feature = "gcp-kms")]
use ksops_gcp_kms::service::GcpKmsService;
#[cfg(feature = "gcp-kms")]
use ksops_gcp_kms::settings::GcpSettings;
#[cfg(feature = "huawei-kms")]
use ksops_huawei_kms::service::HuaweiKmsService;
#[cfg(feature = "huawei-kms")]
use ksops_huawei_kms::settings::HuaweiSettings;
#[cfg(feature = "pgp")]
use ksops_pgp::service::PgpService;
#[cfg(feature = "pgp")]
use ksops_pgp::settings::PgpSettings;
#[cfg(feature = "vault")]
use ksops_vault::service::TransitService;
#[cfg(feature = "vault")]
use ksops_vault::settings::VaultSettings;

use crate::offline::Offline;
#[cfg(any(
    feature = "aws-kms",
    feature = "azure-kv",
    feature = "gcp-kms",
    feature = "huawei-kms",
    feature = "vault"
))]
use crate::remembered::Remembered;

/// What the services are told beside the environment.
#[derive(Clone, Default)]
pub struct ServiceOptions {
    /// Whether nobody may be asked over the network.
    pub offline: bool,
    #[cfg(feature = "azure-kv")]
    /// Files and folders with public halves of Azure's keys, for encrypting without the vault.
    pub azure_public_keys: Vec<PublicKeySource>,
    #[cfg(feature = "age")]
    /// Whom to ask for passphrases, and for what plugins of age want to know; without it nobody is asked.
    pub prompt: Option<Arc<dyn Prompt>>,
}

/// The key services that may be asked, in order.
#[derive(Default)]
pub struct Services {
    list: Vec<Arc<dyn KeyService>>,
}

impl Services {
    /// Uses exactly these services.
    #[must_use]
    pub fn new(list: Vec<Box<dyn KeyService>>) -> Self {
        Self { list: list.into_iter().map(Arc::from).collect() }
    }

    /// Uses every service of this build, with credentials from where each looks by custom: environment variables,
    /// files below the home directory, tools that are logged in. Nothing is read or asked before a key needs it, and
    /// nobody is asked for a passphrase.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::with_options(ServiceOptions::default())
    }

    /// The same, told more than the environment says.
    #[must_use]
    pub fn with_options(options: ServiceOptions) -> Self {
        let offline = options.offline;
        #[cfg(feature = "age")]
        let prompt = options.prompt.unwrap_or_else(|| Arc::new(NobodyToAsk));
        #[cfg(feature = "azure-kv")]
        let azure = AzureSettings {
            offline,
            public_keys: options.azure_public_keys,
            ..AzureSettings::from_environment()
        };
        let list: Vec<Box<dyn KeyService>> = vec![
            #[cfg(feature = "age")]
            Box::new(AgeService::with_prompt(IdentitySources::from_environment(), prompt)),
            #[cfg(feature = "pgp")]
            Box::new(PgpService::new(PgpSettings::from_environment())),
            #[cfg(feature = "azure-kv")]
            Box::new(Remembered::new(Box::new(AzureKvService::new(azure)))),
            #[cfg(feature = "aws-kms")]
            Box::new(Remembered::new(Box::new(AwsKmsService::from_environment()))),
            #[cfg(feature = "gcp-kms")]
            Box::new(Remembered::new(Box::new(GcpKmsService::new(GcpSettings::from_environment())))),
            #[cfg(feature = "huawei-kms")]
            Box::new(Remembered::new(Box::new(HuaweiKmsService::new(HuaweiSettings::from_environment())))),
            #[cfg(feature = "vault")]
            Box::new(Remembered::new(Box::new(TransitService::new(VaultSettings::from_environment())))),
        ];
        match offline {
            true => Self::new(list.into_iter().map(|service| Box::new(Offline(service)) as _).collect()),
            false => Self::new(list),
        }
    }

    /// Adds a service behind those that are there; it is asked when none of them succeeds.
    pub fn push(&mut self, service: Box<dyn KeyService>) {
        self.list.push(Arc::from(service));
    }

    /// The services themselves, for a server that lends them.
    #[must_use]
    pub fn into_list(self) -> Vec<Box<dyn KeyService>> {
        self.list.into_iter().map(|service| Box::new(service) as Box<dyn KeyService>).collect()
    }

    /// The services, to be asked from several threads.
    pub(crate) fn shared(&self) -> Vec<Arc<dyn KeyService>> {
        self.list.clone()
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
