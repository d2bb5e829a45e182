//! From words to flags and operands at one level: the strict order of Go's flag package, the reordering in front of it,
//! and the free order of our own. Apart from `parse`, which decides which of them a command line gets.

use crate::args::flags::Flags;
use crate::args::level::Levels;
use crate::args::table::{Flag, Kind};
use crate::args::word::{Word, boolean, integer, may_be_number};

/// What a scan found.
pub(super) struct Scan<'a> {
    /// The flags, in order.
    pub flags: Flags,
    /// The other words. A strict scan leaves everything from the first operand on here.
    pub operands: Vec<&'a str>,
    /// Whether `--` ended the flags.
    pub delimited: bool,
}

/// Reads flags up to the first operand or `--` (rule 4).
///
/// # Errors
/// The complaint, in the words of rule 11.
pub(super) fn strict<'a>(words: &[&'a str], levels: Levels) -> Result<Scan<'a>, String> {
    let mut flags = Flags::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match Word::of(word, levels) {
            Word::Operand => break,
            Word::Delimiter => {
                return Ok(Scan { flags, operands: words[at + 1..].to_vec(), delimited: true });
            }
            found => at += take(&mut flags, &found, word, words.get(at + 1).copied())?,
        }
    }
    Ok(Scan { flags, operands: words.get(at..).unwrap_or_default().to_vec(), delimited: false })
}

/// Reads flags in any place before `--`. A switch never takes the word behind it.
///
/// # Errors
/// The complaint, in the words of rule 11.
pub(super) fn free<'a>(words: &[&'a str], levels: Levels) -> Result<Scan<'a>, String> {
    let mut flags = Flags::default();
    let mut operands = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match Word::of(word, levels) {
            Word::Delimiter => {
                operands.extend_from_slice(&words[at + 1..]);
                return Ok(Scan { flags, operands, delimited: true });
            }
            Word::Operand => {
                operands.push(*word);
                at += 1;
            }
            Word::Unknown { .. } if may_be_number(word) => {
                operands.push(*word);
                at += 1;
            }
            found => at += take(&mut flags, &found, word, words.get(at + 1).copied())?,
        }
    }
    Ok(Scan { flags, operands, delimited: false })
}

/// Moves known flags, each with the word behind it unless that is a known flag too, before the operands (rule 5). The
/// word moves for switches as well: scripts see its effect, so it stays.
///
/// # Errors
/// The complaint about an unknown flag among the operands, and about a value flag at the end, which would take the file
/// for its value and might overwrite it.
pub(super) fn reordered<'a>(words: &[&'a str], levels: Levels) -> Result<Vec<&'a str>, String> {
    let mut front = Vec::with_capacity(words.len());
    let mut rest = Vec::new();
    let mut may_take = false;
    for (at, word) in words.iter().enumerate() {
        let found = Word::of(word, levels);
        match found {
            Word::Known { typed, inline, .. } => {
                if found.wants_next() && at + 1 == words.len() {
                    return Err(format!("flag needs an argument: -{typed}"));
                }
                may_take = inline.is_none();
                front.push(*word);
            }
            _ if may_take => {
                may_take = false;
                front.push(*word);
            }
            Word::Delimiter => {
                front.push(*word);
                rest.extend_from_slice(&words[at + 1..]);
                break;
            }
            Word::Operand => rest.push(*word),
            Word::Unknown { .. } if may_be_number(word) && !rest.is_empty() => rest.push(*word),
            Word::Unknown { .. } | Word::Malformed => return Err(complaint(&found, word)),
        }
    }
    front.append(&mut rest);
    Ok(front)
}

/// Stores a flag. Returns how many words it took.
fn take(flags: &mut Flags, found: &Word<'_>, word: &str, next: Option<&str>) -> Result<usize, String> {
    let Word::Known { flag, typed, inline } = found else {
        return Err(complaint(found, word));
    };
    if let Kind::Switch { .. } = flag.kind {
        let value = inline.unwrap_or("true");
        if boolean(value).is_none() {
            return Err(format!("invalid boolean value {value:?} for -{typed}: parse error"));
        }
        flags.push(flag.name, value);
        return Ok(1);
    }
    let (value, taken) = match (inline, next) {
        (Some(value), _) => (*value, 1),
        (None, Some(value)) => (value, 2),
        (None, None) => return Err(format!("flag needs an argument: -{typed}")),
    };
    check_number(flag, typed, value)?;
    flags.push(flag.name, value);
    Ok(taken)
}

fn check_number(flag: &Flag, typed: &str, value: &str) -> Result<(), String> {
    if flag.kind == Kind::Number && integer(value).is_none() {
        return Err(format!("invalid value {value:?} for flag -{typed}: parse error"));
    }
    Ok(())
}

fn complaint(found: &Word<'_>, word: &str) -> String {
    match found {
        Word::Unknown { typed } => format!("flag provided but not defined: -{typed}"),
        _ => format!("bad flag syntax: {word}"),
    }
}
