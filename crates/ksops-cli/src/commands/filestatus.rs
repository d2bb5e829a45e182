//! `filestatus`: whether a file is encrypted, without any key (cli-and-config.md section 10.4).

use std::path::Path;

use ksops::status::is_encrypted;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::batch::{files, state, work};
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
    let flags = &call.flags;
    let config = Config::load(context, flags, Purpose::Read)?;
    if !files::are_several(context, flags, &call.positionals) {
        let name = call.positionals.first().ok_or_else(no_file)?;
        let encrypted = status(context, flags, name)?;
        return context.ui.data(format!("{{\"encrypted\":{encrypted}}}\n").as_bytes());
    }
    let files = files::of_call(flags, &call.positionals)?;
    let tally = work::side_by_side(context, &files, |context, file| {
        let encrypted = match file.is_found {
            true => state::is_secret(context, flags, &file.name)?,
            false => status(context, flags, &file.name)?,
        };
        if file.is_found && !encrypted && !state::is_asked_for(context, flags, &config, &file.name)? {
            return Ok(None);
        }
        let name = serde_json::Value::from(file.name.as_str());
        context.ui.data(format!("{{\"file\":{name},\"encrypted\":{encrypted}}}\n").as_bytes())?;
        Ok(Some(if encrypted { "encrypted" } else { "not encrypted" }))
    })?;
    tally.finish(context)
}

fn status(context: &Context, flags: &Flags, name: &str) -> Result<bool, Failure> {
    let path = Path::new(name);
    let format = formats::choose(context.program, flags, "input-type", path)?;
    let text =
        input::read_file(path, name).map_err(|text| failure(&format!("Error reading file: {text}")))?;
    let format = formats::as_made(format, flags, "input-type", &text);
    is_encrypted(&text, format).map_err(|error| failure(&error.to_string()))
}

fn failure(text: &str) -> Failure {
    let text = format!("cannot check file status: cannot load encrypted file: {text}");
    Failure::new(Kind::General, text).logged()
}
