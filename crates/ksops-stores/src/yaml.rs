//! YAML (file-format.md section 7).

pub mod emit;
pub mod float;
pub mod load;
pub mod preserve;

mod outline;
