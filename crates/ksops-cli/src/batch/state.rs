//! Whether a file that was found below a folder concerns a command.

use std::path::Path;

use ksops::ksops_stores::format::Format;
use ksops::status::is_encrypted;
use memchr::memmem;

use crate::args::flags::Flags;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::{formats, input};

/// What every encrypted value begins with.
const ENVELOPE: &[u8] = b"ENC[AES256_GCM,";
/// What the name of every metadata block begins with.
const METADATA: &[u8] = b"sops";

/// Whether a file is encrypted.
///
/// # Errors
/// If it cannot be read, or looks encrypted and is broken.
pub(crate) fn is_secret(context: &Context, flags: &Flags, name: &str) -> Result<bool, Failure> {
    let path = Path::new(name);
    let format = formats::choose(context.program, flags, "input-type", path)?;
    let text = input::read_file(path, name)
        .map_err(|text| Failure::new(Kind::Input, format!("Error reading file: {text}")))?;
    if memmem::find(&text, METADATA).is_none() {
        return Ok(false);
    }
    let format = formats::as_made(format, flags, "input-type", &text);
    match is_encrypted(&text, format) {
        Ok(answer) => Ok(answer),
        // Any text may hold the word, and need not be of the format that its name tells.
        Err(_) if memmem::find(&text, ENVELOPE).is_none() => Ok(false),
        Err(_) if format == Format::Binary => Ok(false),
        Err(error) => Err(Failure::new(Kind::General, error.to_string())),
    }
}

/// Whether a creation rule asks for a file to be encrypted: by its path, or, if the rule is for all paths, by being of
/// a format that has keys. The configuration itself never is.
///
/// # Errors
/// If a `path_regex` is wrong.
pub(crate) fn is_asked_for(
    context: &Context,
    flags: &Flags,
    config: &Config,
    name: &str,
) -> Result<bool, Failure> {
    let path = context.absolute(name)?;
    if path.file_name().is_some_and(|name| name == ".sops.yaml") || config.is_at(&path) {
        return Ok(false);
    }
    match config.is_named_by_rule(&path)? {
        Some(true) => Ok(true),
        Some(false) => {
            let format = formats::choose(context.program, flags, "input-type", &path)?;
            Ok(format != Format::Binary)
        }
        None => Ok(false),
    }
}
