//! The argument layer: words in, one [`parsed::Parsed`] out. It reads no file and prints nothing, so every rule of the
//! command line can be tested as a function of its words and variables.

pub(crate) mod command;
pub(crate) mod completion;
pub(crate) mod flags;
pub(crate) mod help;
pub(crate) mod level;
pub(crate) mod manual;
pub(crate) mod nushell;
pub(crate) mod parse;
pub(crate) mod parsed;
pub(crate) mod program;
pub(crate) mod scan;
pub(crate) mod suggest;
pub(crate) mod table;
pub(crate) mod word;

#[cfg(test)]
mod tests;
