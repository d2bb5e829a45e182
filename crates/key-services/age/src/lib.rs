//! The age key service: data keys under age recipients (key-services.md section 3).
//!
//! X25519 recipients and identities work. Hybrid post-quantum, plugin and ssh ones and identity files under a
//! passphrase are recognised and refused by name; they come with a later version.

pub mod bech32;
mod command;
mod diagnosis;
pub mod identities;
pub mod keygen;
mod loader;
pub mod recipient;
pub mod service;
pub mod sources;
