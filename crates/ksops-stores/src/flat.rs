//! Metadata as a flat list of names and texts (file-format.md section 6.5).

pub mod error;
pub mod flatten;
mod name;
pub mod unflatten;
