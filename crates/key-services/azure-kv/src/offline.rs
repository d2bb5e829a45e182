//! Encrypting without the vault: only the public half of the key is needed (key-services.md section 2.9).

pub mod cache;
mod der;
pub mod key_file;
pub mod known;
pub mod public_key;
