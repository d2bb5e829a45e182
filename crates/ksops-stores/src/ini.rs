//! INI (file-format.md section 10).

pub mod emit;
pub mod error;
mod key;
mod lines;
pub mod load;
pub mod metadata;
pub(crate) mod preserve;
mod space;
mod value;
