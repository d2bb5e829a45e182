//! `filestatus`: whether a file is encrypted, without any key (cli-and-config.md section 10.4).

use std::path::Path;

use ksops::status::is_encrypted;

use crate::args::parsed::Invocation;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::place::no_file;
use crate::{formats, input};

/// Runs the command.
///
/// # Errors
/// If the file or its metadata cannot be read.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let name = call.positionals.first().ok_or_else(no_file)?;
    let path = Path::new(name);
    Config::load(context, &call.flags, Purpose::Read)?;
    let format = formats::choose(context.program, &call.flags, "input-type", path)?;
    let text =
        input::read_file(path, name).map_err(|text| failure(&format!("Error reading file: {text}")))?;
    let format = formats::as_made(format, &call.flags, "input-type", &text);
    let encrypted = is_encrypted(&text, format).map_err(|error| failure(&error.to_string()))?;
    context.ui.data(format!("{{\"encrypted\":{encrypted}}}\n").as_bytes())
}

fn failure(text: &str) -> Failure {
    let text = format!("cannot check file status: cannot load encrypted file: {text}");
    Failure::new(Kind::General, text).logged()
}
