//! Text to tokens, with the comments between them.

pub(crate) mod comment;
pub(crate) mod cursor;
pub(crate) mod scanner;
pub(crate) mod token;
