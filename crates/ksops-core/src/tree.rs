//! The ordered tree of one document.

pub mod branch;
