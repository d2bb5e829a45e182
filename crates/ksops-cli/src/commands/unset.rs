//! `unset` (cli-and-config.md section 2.4).

use ksops::change::{UnsetError, unset};
use ksops::extract;
use ksops::save::Keys;

use crate::args::parsed::Invocation;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::guard;
use crate::opening::open_at;
use crate::place::Place;

/// Runs the command.
///
/// # Errors
/// With the statuses of section 2.4; the file is then as it was.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let [file, path] = call.positionals.as_slice() else {
        return Err(Failure::new(Kind::NoFile, "Error: no file specified, or index is missing"));
    };
    let place = Place::in_place(context, file)?;
    let malformed =
        |problem: String| Failure::new(Kind::SetFormat, format!("Invalid unset index format: {problem}"));
    let path = extract::parse(path).map_err(|error| malformed(error.to_string()))?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let mut opening = open_at(context, flags, &place, &config)?;
    guard::selector(context, flags, &config, &place.path, &opening.opened.metadata)?;
    let Some(first) = opening.opened.branches.first_mut() else {
        return Err(Failure::new(Kind::NoDocument, "the file holds no document"));
    };
    match unset(first, &path) {
        Ok(()) => {}
        Err(error) if error.is_missing() && flags.is_set("idempotent") => return Ok(()),
        Err(UnsetError::Path(error)) => return Err(malformed(error.to_string())),
        Err(error) => return Err(Failure::new(Kind::General, error.to_string())),
    }
    place.write(context, flags, &opening.save(context, flags, Keys::Keep)?)
}
