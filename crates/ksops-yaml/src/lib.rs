//! YAML with exact byte spans, comments and styles for every node, read and written as go-yaml v3 does.
//!
//! Reading: [`parser`] gives one [`syntax::Document`] at a time. Writing: [`emit`] prints a document as go-yaml's
//! encoder would. [`resolve`] tells the type of a scalar. The crate knows nothing of SOPS, secrets or files; it
//! only wipes the texts that it owns, because a caller's texts may be secret.

pub mod emit;
pub mod error;
pub mod input;
pub mod parser;
pub mod resolve;
mod scan;
pub mod span;
pub mod strict;
pub mod syntax;
