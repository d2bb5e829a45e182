//! The other formats: random texts of each, and the differences that are meant.

pub mod dotenv;
pub mod ini;
pub mod json;
pub mod known;
pub mod mutations;
