//! Prints documents in the layout of go-yaml's encoder.

pub mod emitter;
pub mod event;
pub mod style;
pub mod waiting;
