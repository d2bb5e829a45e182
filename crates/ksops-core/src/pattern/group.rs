//! What stands between a `(` and the content of its group: a name, or flags.

use super::cursor::{Cursor, Refusal};

/// The flags in force; they never reach the output as such.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) fold: bool,
    pub(crate) multi_line: bool,
    pub(crate) dot_all: bool,
    pub(crate) ungreedy: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// The flags from here on.
    pub(crate) flags: Flags,
    /// Whether a group follows; if not, it was flags alone, as in `(?i)`.
    pub(crate) opens: bool,
}

const PERL: &str = "invalid or unsupported Perl syntax";
const NO_LOOK_AROUND: &str = "there is no look-around in this dialect (RE2)";

/// Reads the head of a group, the cursor standing on the `?` and `start` being the place of the `(`.
pub(crate) fn head(cursor: &mut Cursor<'_>, flags: Flags, start: usize) -> Result<Head, Refusal> {
    if cursor.eat("?<=") || cursor.eat("?<!") {
        return Err(cursor.refuse(PERL, start).advise(NO_LOOK_AROUND));
    }
    if cursor.eat("?P<") || cursor.eat("?<") {
        return name(cursor, flags, start);
    }
    let rest = cursor.rest();
    cursor.next();
    let mut changed = flags;
    let mut value = true;
    let mut seen = false;
    while let Some(flag) = cursor.next() {
        match flag {
            'i' => changed.fold = value,
            'm' => changed.multi_line = value,
            's' => changed.dot_all = value,
            'U' => changed.ungreedy = value,
            '-' if value => {
                value = false;
                seen = false;
                continue;
            }
            ':' | ')' if value || seen => return Ok(Head { flags: changed, opens: flag == ':' }),
            _ => break,
        }
        seen = true;
    }
    let advice = match &rest[..rest.len() - cursor.rest().len()] {
        "?=" | "?!" => NO_LOOK_AROUND,
        "?>" => "there are no atomic groups; write `(?:…)`",
        "?#" => "there are no comments inside a pattern",
        _ => "only the flags i, m, s and U exist",
    };
    Err(cursor.refuse(PERL, start).advise(advice))
}

/// Reads a group's name. Names mean nothing here, and may repeat.
fn name(cursor: &mut Cursor<'_>, flags: Flags, start: usize) -> Result<Head, Refusal> {
    let valid = cursor.until(">").is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    });
    if valid {
        return Ok(Head { flags, opens: true });
    }
    let refusal = cursor.refuse("invalid named capture", start);
    Err(refusal.advise("a name is letters, digits and `_` between `<` and `>`"))
}
