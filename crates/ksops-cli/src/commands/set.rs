//! `set` and its legacy form (cli-and-config.md section 2.4).

use std::path::Path;

use ksops::change::{self, set};
use ksops::extract::{self, PathPart};
use ksops::ksops_core::tree::branch::Node;
use ksops::ksops_core::value::Value;
use ksops::save::Keys;
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::args::program::Program;
use crate::batch::{files, state, work};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::guard;
use crate::input::Source;
use crate::opening::open_at;
use crate::place::Place;

const THREE: &str =
    "Error: no file specified, or index and value are missing. Need precisely 3 positional arguments.";
/// The missing "no" is upstream's, and callers compare.
const TWO: &str = "Error: file specified, or index and value are missing. Need precisely 2 positional arguments since \
    --value-stdin is used.";

/// Runs the command.
///
/// # Errors
/// With the statuses of section 2.4; the file is then as it was.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let (from_file, from_stdin) = (flags.is_set("value-file"), flags.is_set("value-stdin"));
    if from_file && from_stdin {
        let text = "Error: cannot use both --value-file and --value-stdin";
        return Err(Failure::new(Kind::General, text));
    }
    let (names, path, last) = match (from_stdin, call.positionals.as_slice()) {
        (false, [names @ .., path, last]) => (names, path, last.as_str()),
        (true, [names @ .., path]) => (names, path, ""),
        _ => (&[][..], &String::new(), ""),
    };
    let several = !names.is_empty() && files::are_several(context, flags, names);
    let place = match names {
        _ if several => None,
        [name] => Some(Place::in_place(context, name)?),
        _ => return Err(Failure::new(Kind::NoFile, if from_stdin { TWO } else { THREE })),
    };
    let path = path_of(path)?;
    let text = match (from_stdin, from_file) {
        (true, _) => Source::Stdin.read()?,
        (_, true) => value_file(last)?,
        _ => Zeroizing::new(last.as_bytes().to_vec()),
    };
    let config = Config::load(context, flags, Purpose::Read)?;
    let value = value_of(context, &text)?;
    if let Some(place) = place {
        apply(context, flags, &place, &config, &path, value)?;
        return Ok(());
    }
    let files = files::of_call(flags, names)?;
    let tally = work::side_by_side(context, &files, |context, file| {
        if file.is_found && !state::is_secret(context, flags, &file.name)? {
            return Ok(None);
        }
        let place = Place::in_place(context, &file.name)?;
        let is_changed = apply(context, flags, &place, &config, &path, value.clone())?;
        Ok(Some(if is_changed { "changed" } else { "unchanged" }))
    })?;
    tally.finish(context)
}

/// Runs the legacy form `--set 'PATH VALUE'`.
///
/// # Errors
/// As [`run`].
pub(crate) fn legacy(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<Vec<u8>, Failure> {
    let text = flags.text("set").unwrap_or_default();
    let Some((path, value)) = text.split_once("] ") else {
        return Err(Failure::new(Kind::SetFormat, "Invalid --set format")
            .hints(["write the path, a blank and a JSON value, as in '[\"a\"][\"b\"] \"text\"'"]));
    };
    let path = path_of(&format!("{path}]"))?;
    let value = value_of(context, value.as_bytes())?;
    Ok(changed(context, flags, place, config, &path, value)?.0)
}

/// Sets the value, and tells whether it was another before.
fn apply(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
    path: &[PathPart],
    value: Node,
) -> Result<bool, Failure> {
    let (text, is_changed) = changed(context, flags, place, config, path, value)?;
    if !is_changed && flags.is_set("idempotent") {
        context.ui.detail(flags, || "File not written due to no change".to_owned());
        return Ok(false);
    }
    place.write(context, flags, &text)?;
    Ok(is_changed)
}

fn changed(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
    path: &[PathPart],
    value: Node,
) -> Result<(Vec<u8>, bool), Failure> {
    let mut opening = open_at(context, flags, place, config)?;
    guard::selector(context, flags, config, &place.path, &opening.opened.metadata)?;
    let Some(first) = opening.opened.branches.first_mut() else {
        return Err(Failure::new(Kind::NoDocument, "the file holds no document"));
    };
    let is_changed = set(first, path, value)
        .map_err(|error| Failure::new(Kind::SetFormat, format!("Invalid set index format: {error}")))?;
    if !is_changed && flags.is_set("idempotent") {
        return Ok((Vec::new(), false));
    }
    Ok((opening.save(context, flags, Keys::Keep)?, is_changed))
}

fn path_of(text: &str) -> Result<Vec<PathPart>, Failure> {
    extract::parse(text)
        .map_err(|error| Failure::new(Kind::SetFormat, format!("Invalid set index format: {error}")))
}

fn value_file(name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Source::File(Path::new(name).to_owned())
        .read()
        .map_err(|failure| Failure { kind: Kind::General, ..failure })
}

/// Reads the new value. As `sops` a number alone is a float, as upstream has it.
fn value_of(context: &Context, text: &[u8]) -> Result<Node, Failure> {
    let value = change::value(text).map_err(|error| {
        Failure::new(Kind::SetFormat, format!("Value for --set is not valid JSON: {error}"))
            .hints(["a string needs its quotes, as in '\"text\"'"])
    })?;
    Ok(match (context.program, value) {
        (Program::Sops, Node::Leaf(value)) => Node::Leaf(match value.plain() {
            Value::Int(int) => Value::Float(*int as f64),
            plain => plain.clone(),
        }),
        (_, value) => value,
    })
}
