//! Plaintext that other programs have to read, and how it is taken back (security.md S16).

pub(crate) mod child;
pub(crate) mod diff_cache;
pub(crate) mod editor;
pub(crate) mod exec;
pub(crate) mod git;
pub(crate) mod janitor;
pub(crate) mod scratch;
pub(crate) mod signals;
#[cfg(feature = "age")]
pub(crate) mod terminal;
pub(crate) mod user;
