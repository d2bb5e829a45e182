//! Google Cloud (key-services.md section 6).
//!
//! [`settings`] says where credentials are looked for, [`session`] turns them into tokens and sends requests; [`service`] is Cloud KMS as
//! a key service of the core, and [`storage`] puts objects into buckets, for publishing.

mod credentials;
pub mod failure;
mod jwt;
mod kms;
pub mod service;
pub mod session;
pub mod settings;
pub mod storage;
