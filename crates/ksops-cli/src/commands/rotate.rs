//! `rotate` and its legacy form (cli-and-config.md section 2.3).

use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::keys::distribute::new_group;
use ksops::ksops_core::keys::key_group::KeyGroup;
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::save::Keys;
use ksops::system::SystemClock;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::audit::log::{self, Action};
use crate::batch::{files, state, work};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::opening::open_at;
use crate::place::{Place, WithoutFile};
use crate::{guard, keys};

/// Runs the command.
///
/// # Errors
/// With the statuses of section 2.3; nothing was written then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    if files::are_several(context, flags, &call.positionals) {
        return run_several(context, call);
    }
    let place = Place::find(context, flags, &call.positionals, WithoutFile::Refuse).map_err(|failure| {
        // Upstream finds out when it reads the file.
        let is_missing = failure.kind == Kind::NoFile && !call.positionals.is_empty();
        if is_missing { Failure { kind: Kind::Input, ..failure } } else { failure }
    })?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let text = rotated(context, flags, &place, &config)?;
    place.write(context, flags, &text)
}

fn run_several(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let files = files::of_call(flags, &call.positionals)?;
    files::require_in_place(flags)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let tally = work::side_by_side(context, &files, |context, file| {
        if file.is_found && !state::is_secret(context, flags, &file.name)? {
            return Ok(None);
        }
        let place = Place::in_place(context, &file.name)?;
        let text = rotated(context, flags, &place, &config)?;
        place.write(context, flags, &text)?;
        Ok(Some("rotated"))
    })?;
    tally.finish(context)
}

/// Encrypts what is at `place` under a new data key.
///
/// # Errors
/// As [`run`].
pub(crate) fn rotated(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<Vec<u8>, Failure> {
    // Malformed pairs are fatal elsewhere; here upstream goes on without them.
    let kms_context = keys::encryption_context(flags).unwrap_or_else(|failure| {
        context.ui.warning(&failure.text);
        keys::KmsContext::new()
    });
    let added = keys::with_prefix(flags, "add-", &kms_context)?;
    let removed = keys::with_prefix(flags, "rm-", &kms_context)?;
    let opening = open_at(context, flags, place, config)?;
    let metadata = &opening.opened.metadata;
    guard::selector(context, flags, config, &place.path, metadata)?;
    let mut groups = metadata.key_groups.clone();
    let kept: Vec<MasterKey> = added.iter().chain(&removed).cloned().collect();
    guard::recipients(context, flags, config, &place.path, metadata, &kept)?;
    let threshold = metadata.shamir_threshold;
    change(&mut groups, added, &removed);
    let text = opening.save(context, flags, Keys::Rotate(groups, threshold))?;
    log::record(context, Action::Rotate, place.source.file())?;
    Ok(text)
}

/// Adds keys to the first group, and removes keys from all groups. A key that is there already is not added again.
fn change(groups: &mut Vec<KeyGroup>, added: Vec<MasterKey>, removed: &[MasterKey]) {
    let is = |one: &MasterKey, other: &MasterKey| {
        one.key_type() == other.key_type() && one.to_string() == other.to_string()
    };
    if groups.is_empty() {
        groups.push(KeyGroup::default());
    }
    if let Some(first) = groups.first_mut() {
        let new = added.into_iter().filter(|key| !first.entries.iter().any(|entry| is(&entry.key, key)));
        let new = new_group(new.collect::<Vec<_>>(), SystemClock.now());
        first.entries.extend(new.entries);
    }
    for group in groups {
        group.entries.retain(|entry| !removed.iter().any(|key| is(key, &entry.key)));
    }
}
