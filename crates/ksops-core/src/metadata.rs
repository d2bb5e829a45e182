//! The `sops` block of a file.

mod field;
pub mod model;
pub mod unknown;
pub mod wire;
