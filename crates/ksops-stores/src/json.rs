//! JSON (file-format.md section 8).

pub mod emit;
pub mod float;
pub mod load;
pub(crate) mod scan;
