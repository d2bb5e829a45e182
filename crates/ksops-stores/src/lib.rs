//! The file formats of SOPS: bytes to trees and back.
//!
//! A store knows neither keys nor configuration nor files.

pub mod format;
pub mod yaml;
