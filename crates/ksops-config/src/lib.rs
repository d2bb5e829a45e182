//! `.sops.yaml`: where it is, what it says, and the creation rule for a path.
//!
//! [`lookup`] finds and reads the file and is the only module that asks for files. [`model`] holds it as written,
//! [`rule`] picks the rule for a path and turns its keys into master keys with [`keys`]. [`template`] writes a new
//! one. Matching is textual: the paths are handed in.

pub mod audit;
mod decode;
pub mod destination;
pub mod keys;
pub mod lookup;
pub mod model;
pub mod problem;
mod read;
mod request;
pub mod rule;
mod scalar;
mod source;
pub mod template;
