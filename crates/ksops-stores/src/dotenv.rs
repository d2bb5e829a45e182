//! dotenv (file-format.md section 9).

pub mod emit;
pub mod load;
pub mod metadata;
pub(crate) mod preserve;
