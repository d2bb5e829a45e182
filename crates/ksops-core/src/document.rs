//! Encrypting and decrypting whole documents.

pub mod ambiguity;
pub mod decrypt;
pub mod encrypt;
pub mod mask;
mod rehome;
pub mod stash;
pub mod verify;
pub mod warning;
