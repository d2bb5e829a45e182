//! The ordered tree of one document.

pub mod branch;
pub mod path;
pub mod selection;
pub mod walk;
