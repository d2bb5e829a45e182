//! JSON (file-format.md section 8).

pub mod emit;
pub mod float;
pub mod load;
mod outline;
pub(crate) mod preserve;
pub(crate) mod scan;
