//! The file formats of SOPS: bytes to trees and back.
//!
//! A store knows neither keys nor configuration nor files.

pub mod align;
pub mod dotenv;
pub mod file;
pub mod flat;
pub mod format;
pub mod ini;
pub mod json;
pub mod misfit;
mod newline;
pub mod notice;
pub mod scalar;
mod splice;
pub mod toml;
pub mod wiped;
pub mod yaml;
