//! Encrypting and decrypting whole documents.

pub mod ambiguity;
pub mod decrypt;
pub mod encrypt;
mod rehome;
pub mod stash;
pub mod verify;
pub mod warning;
