//! AWS (key-services.md section 5).
//!
//! [`session`] finds credentials, region and endpoint as AWS's own tools do, and sends signed requests. It serves
//! publishing to S3, too. [`service`] is KMS as a key service of the core.

mod arn;
mod failure_text;
mod kms;
mod sdk_transport;

pub mod failure;
pub mod s3;
pub mod service;
pub mod session;
