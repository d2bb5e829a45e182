//! The Azure Key Vault key service: data keys under RSA keys of a vault or a managed HSM (key-services.md section 2).

pub mod advice;
mod certificate;
mod chain;
mod challenge;
mod diagnosis;
mod entra;
pub mod failure;
pub mod key_url;
mod managed_identity;
mod member;
pub mod offline;
mod sdk_transport;
pub mod service;
pub mod settings;
mod tools;
mod vault;
mod vault_host;
