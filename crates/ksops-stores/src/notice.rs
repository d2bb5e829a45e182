//! What a store noticed while reading: text that upstream reads in a way that loses or hides something.

use std::fmt;

use ksops_yaml::span::Position;

/// Something that the user should know before the text is relied on.
///
/// Encrypting refuses a grave one, decrypting tells it as a warning: nobody may be locked out of an old file
/// (security.md S12). No notice holds a value; keys may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is, without the place.
    pub problem: String,
    /// Where; line 0 if the place is not known.
    pub position: Position,
    /// Whether data would be lost or change without a word.
    pub grave: bool,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        if self.position.line > 0 {
            write!(f, " (at line {}, column {})", self.position.line, self.position.column)?;
        }
        Ok(())
    }
}
