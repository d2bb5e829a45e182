//! The Huawei Cloud KMS key service (key-services.md section 8).

mod credentials;
pub mod failure;
mod kms;
pub mod service;
mod session;
pub mod settings;
mod signature;
