//! `doctor`: which credentials the keys of a file or a rule would use, whether they work, and why not.

use std::path::Path;

use ksops::doctor::{check_file, check_rule, survey};
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::services::Services;
use ksops::system::OsRandom;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::checkup::{Found, Part, json, text};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::place::{Place, WithoutFile};
use crate::{formats, keys, services, settings};

/// Runs the command; the exit status is 0 if all is well.
///
/// # Errors
/// If the file or the configuration cannot be read. Keys that cannot be used are no error, but what is reported.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<u8, Failure> {
    let flags = &call.flags;
    let config = Config::load(context, flags, Purpose::Read)?;
    let services = services::services(context, flags, &config)?;
    let parts = match call.positionals.first() {
        Some(name) => vec![of_file(context, call, name, &config, &services)?],
        None => without_file(flags, &config, &services)?,
    };
    if flags.is_set("json") {
        context.ui.data(&json(&parts)?)?;
    } else {
        context.ui.text(&text(&parts))?;
    }
    Ok(u8::from(!parts.iter().all(Part::is_well)))
}

fn of_file(
    context: &Context,
    call: &Invocation,
    name: &str,
    config: &Config,
    services: &Services,
) -> Result<Part, Failure> {
    let flags = &call.flags;
    let place = Place::find(context, flags, &call.positionals, WithoutFile::Refuse)?;
    let format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let input = place.source.read()?;
    let format = formats::as_made(format, flags, "input-type", &input);
    let checked = check_file(&input, format, services)
        .map_err(|error| Failure::new(Kind::General, format!("{name}: {error}")))?;
    match checked {
        Some(checkup) => Ok(Part { title: name.to_owned(), found: Found::File(checkup) }),
        None => of_new_file(name, &place.path, flags, config, services),
    }
}

/// A file that is not encrypted yet: the keys that it would get.
fn of_new_file(
    name: &str,
    path: &Path,
    flags: &Flags,
    config: &Config,
    services: &Services,
) -> Result<Part, Failure> {
    let settings = settings::merge(flags, config.rule(path)?)?;
    let title = format!("{name} (not encrypted yet)");
    rule(title, &settings.groups, settings.threshold, services)
}

fn without_file(flags: &Flags, config: &Config, services: &Services) -> Result<Vec<Part>, Failure> {
    let named = keys::from_flags(flags, &keys::KmsContext::new())?;
    if !named.is_empty() {
        let title = "the keys of the flags and variables".to_owned();
        return Ok(vec![rule(title, &[named], 0, services)?]);
    }
    let rules = config.rules()?;
    if rules.is_empty() {
        let found = Found::Credentials(survey(services));
        return Ok(vec![Part { title: "the credentials here".to_owned(), found }]);
    }
    let mut parts = Vec::new();
    for (title, found) in rules {
        let threshold = usize::try_from(found.threshold).unwrap_or_default();
        let groups: Vec<Vec<MasterKey>> = found
            .groups
            .into_iter()
            .map(|group| group.into_iter().map(|request| request.key).collect())
            .collect();
        parts.push(rule(title, &groups, threshold, services)?);
    }
    Ok(parts)
}

fn rule(
    title: String,
    groups: &[Vec<MasterKey>],
    threshold: usize,
    services: &Services,
) -> Result<Part, Failure> {
    let checkup = check_rule(groups, threshold, services, &OsRandom::default())
        .map_err(|error| Failure::new(Kind::General, error.to_string()))?;
    Ok(Part { title, found: Found::Rule(checkup) })
}
