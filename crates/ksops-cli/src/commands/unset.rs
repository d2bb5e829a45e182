//! `unset` (cli-and-config.md section 2.4).

use ksops::change::{UnsetError, unset};
use ksops::extract::{self, PathPart};
use ksops::save::Keys;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::batch::{files, state, work};
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
    let none = || Failure::new(Kind::NoFile, "Error: no file specified, or index is missing");
    let (path, names) = call.positionals.split_last().ok_or_else(none)?;
    if files::are_several(context, flags, names) {
        let path = extract::parse(path).map_err(|error| malformed(&error.to_string()))?;
        let config = Config::load(context, flags, Purpose::Read)?;
        let files = files::of_call(flags, names)?;
        let tally = work::side_by_side(context, &files, |context, file| {
            if file.is_found && !state::is_secret(context, flags, &file.name)? {
                return Ok(None);
            }
            let place = Place::in_place(context, &file.name)?;
            let is_changed = without(context, flags, &place, &config, &path)?;
            Ok(Some(if is_changed { "changed" } else { "unchanged" }))
        })?;
        return tally.finish(context);
    }
    let [name] = names else { return Err(none()) };
    let place = Place::in_place(context, name)?;
    let path = extract::parse(path).map_err(|error| malformed(&error.to_string()))?;
    let config = Config::load(context, flags, Purpose::Read)?;
    without(context, flags, &place, &config, &path)?;
    Ok(())
}

fn malformed(problem: &str) -> Failure {
    Failure::new(Kind::SetFormat, format!("Invalid unset index format: {problem}"))
}

/// Takes out what is at `path`, and tells whether there was something.
fn without(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
    path: &[PathPart],
) -> Result<bool, Failure> {
    let mut opening = open_at(context, flags, place, config)?;
    guard::selector(context, flags, config, &place.path, &opening.opened.metadata)?;
    let Some(first) = opening.opened.branches.first_mut() else {
        return Err(Failure::new(Kind::NoDocument, "the file holds no document"));
    };
    match unset(first, path) {
        Ok(()) => {}
        Err(error) if error.is_missing() && flags.is_set("idempotent") => return Ok(false),
        Err(UnsetError::Path(error)) => return Err(malformed(&error.to_string())),
        Err(error) => return Err(Failure::new(Kind::General, error.to_string())),
    }
    place.write(context, flags, &opening.save(context, flags, Keys::Keep)?)?;
    Ok(true)
}
