//! SOPS-encrypted files in Rust: [`encrypt`](encrypt::encrypt), [`decrypt`](decrypt::decrypt),
//! [`is_encrypted`](status::is_encrypted), [`view`](redact::view).
//!
//! The library does not read the environment, the home directory or the network unless
//! [`Services::from_environment`](services::Services::from_environment) made the services.

mod asking;
mod beside;
mod condense;
mod guard;
mod offline;
mod output;
mod remembered;
mod sheet;
mod whole;

pub mod all_keys;
pub mod change;
pub mod consistency;
pub mod create;
pub mod decrypt;
pub mod doctor;
pub mod edit;
pub mod encrypt;
pub mod environment;
pub mod extract;
pub mod layout;
pub mod markers;
pub mod merge;
pub mod open;
pub mod policy;
pub mod publish;
pub mod redact;
pub mod regroup;
pub mod save;
pub mod services;
pub mod status;
pub mod system;

#[cfg(feature = "age")]
pub use ksops_age;
#[cfg(feature = "aws-kms")]
pub use ksops_aws_kms;
#[cfg(feature = "azure-kv")]
pub use ksops_azure_kv;
pub use ksops_config;
pub use ksops_core;
#[cfg(feature = "gcp-kms")]
pub use ksops_gcp_kms;
#[cfg(feature = "huawei-kms")]
pub use ksops_huawei_kms;
#[cfg(feature = "pgp")]
pub use ksops_pgp;
#[cfg(feature = "keyservice")]
pub use ksops_remote;
pub use ksops_stores;
#[cfg(feature = "vault")]
pub use ksops_vault;
