//! The age key service: data keys under age recipients (key-services.md section 3).

pub mod agent;
pub mod bech32;
mod command;
mod diagnosis;
mod hybrid;
pub mod identities;
mod joint;
pub mod keygen;
mod loader;
mod locked;
mod plugin;
pub mod prompt;
pub mod recipient;
pub mod service;
pub mod sources;
mod ssh;
mod xwing;
