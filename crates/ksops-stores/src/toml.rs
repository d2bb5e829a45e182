//! TOML, with comments and layout kept.
//!
//! Upstream has no TOML; rops is the peer. The text is never printed from a tree if it can be helped: what changed is
//! put into the text that was read, so that everything else stays as it was, byte for byte.

pub mod emit;
pub mod emit_like;
pub mod error;
pub mod load;
mod outline;
mod page;
mod quote;
mod scalar;
