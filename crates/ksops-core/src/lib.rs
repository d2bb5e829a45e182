//! The SOPS file model, pure: bytes and keys in, bytes out.
//!
//! This crate knows no network, file, environment, terminal or thread, and no format; clock and randomness are
//! handed in. It reads bottom-up: ground ([`secret`], [`value`], [`clock`], [`random`]), then [`tree`] and
//! [`crypto`], then [`keys`], [`metadata`] and [`document`].

pub mod clock;
pub mod crypto;
pub mod document;
pub mod keys;
pub mod metadata;
pub mod pattern;
pub mod random;
pub mod secret;
pub mod tree;
pub mod value;
