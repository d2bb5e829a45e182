//! `groups add` and `groups delete` (cli-and-config.md section 10.3).

use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::keys::distribute::new_group;
use ksops::ksops_core::keys::key_group::KeyGroup;
use ksops::regroup::{self, Closed};
use ksops::save::Keys;
use ksops::system::SystemClock;
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::args::program::Program;
use crate::audit::log;
use crate::commands::decrypt::{self, Asked};
use crate::commands::encrypt;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::opening::open_at;
use crate::place::{Place, WithoutFile};
use crate::{formats, guard, keys, services};

/// Runs `groups add`.
///
/// # Errors
/// With the statuses of section 10.3; nothing was written then.
pub(crate) fn add(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    if !call.positionals.is_empty() {
        return Err(Failure::new(Kind::General, "error: no positional arguments allowed"));
    }
    let kms_context = keys::encryption_context(flags)?;
    let group = keys::of_group(flags, &kms_context)?;
    let file = File::read(context, flags)?;
    let metadata = &file.closed.metadata;
    guard::recipients(context, flags, &file.config, &file.place.path, metadata, &group)?;
    let mut groups = metadata.key_groups.clone();
    groups.push(new_group(group, SystemClock.now()));
    let threshold = asked_for(flags)?.unwrap_or(metadata.shamir_threshold);
    file.regroup(context, flags, &groups, threshold)
}

/// Runs `groups delete`.
///
/// # Errors
/// With the statuses of section 10.3; nothing was written then.
pub(crate) fn delete(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let general = |text: String| Failure::new(Kind::General, text);
    let [index] = call.positionals.as_slice() else {
        return Err(general("error: exactly one positional argument (index) required".to_owned()));
    };
    let index: usize = index.parse().map_err(|_| {
        general(format!("failed to parse [index] argument: {index:?} is no whole number from 0"))
    })?;
    let file = File::read(context, flags)?;
    let mut groups = file.closed.metadata.key_groups.clone();
    if index >= groups.len() {
        return Err(general(format!("there is no key group {index}: the file has {}, from 0", groups.len())));
    }
    if groups.len() == 1 {
        return Err(general(
            "the file has one key group only: without it nobody could decrypt it".to_owned(),
        ));
    }
    groups.remove(index);
    let threshold = asked_for(flags)?.unwrap_or(file.closed.metadata.shamir_threshold);
    if groups.len() < threshold {
        return Err(general(format!(
            "removing this key group will make the Shamir threshold impossible to satisfy: Shamir threshold is \
             {threshold}, but we only have {} key groups",
            groups.len()
        ))
        .hints(["`--shamir-secret-sharing-threshold` sets another one"]));
    }
    if context.program == Program::Ksops && !flags.is_set("keep-data-key") {
        context.ui.note(
            "recipients are removed, so the data key becomes a new one; the secrets themselves are known to them and \
             should be changed, too",
        );
        let File { place, config, .. } = file;
        let opening = open_at(context, flags, &place, &config)?;
        return place.write(context, flags, &opening.save(context, flags, Keys::Rotate(groups, threshold))?);
    }
    file.regroup(context, flags, &groups, threshold)
}

/// The threshold that the flag asks for.
fn asked_for(flags: &Flags) -> Result<Option<usize>, Failure> {
    let asked = flags.number("shamir-secret-sharing-threshold").filter(|threshold| *threshold != 0);
    asked
        .map(|threshold| {
            usize::try_from(threshold).map_err(|_| {
                Failure::new(Kind::General, format!("the Shamir threshold {threshold} is negative"))
            })
        })
        .transpose()
}

/// The file that `--file` names.
struct File {
    place: Place,
    config: Config,
    original: Zeroizing<Vec<u8>>,
    closed: Closed,
    asked: Asked,
}

impl File {
    fn read(context: &Context, flags: &Flags) -> Result<Self, Failure> {
        log::ready(context)?;
        let Some(name) = flags.text("file") else {
            return Err(Failure::new(Kind::Input, "no file is named").hints(["name it with `--file FILE`"]));
        };
        let place = Place::find(context, flags, &[name.to_owned()], WithoutFile::Refuse)
            .map_err(|failure| Failure { kind: Kind::Input, ..failure })?;
        let config = Config::load(context, flags, Purpose::Read)?;
        let format = formats::choose(context.program, flags, "input-type", &place.path)?;
        let original = place.source.read()?;
        let format = formats::as_made(format, flags, "input-type", &original);
        let asked = Asked { input_format: format, output_format: format };
        let closed = regroup::read(&original, format).map_err(|error| decrypt::failure(&error, asked))?;
        Ok(Self { place, config, original, closed, asked })
    }

    fn regroup(
        self,
        context: &Context,
        flags: &Flags,
        groups: &[KeyGroup],
        threshold: usize,
    ) -> Result<(), Failure> {
        let Self { place, config, original, closed, asked } = self;
        let services = services::services(context, flags, &config)?;
        let order = services::decryption_order(flags)?;
        let key = closed.data_key(&services, &order).map_err(|error| decrypt::failure(&error, asked))?;
        let indent = formats::indent(flags, &config.stores(), asked.output_format);
        let layout = formats::layout(context.program, flags, &config.stores(), asked.output_format)?;
        let text = closed
            .regroup(&key, groups, threshold, &original, (indent, layout), &services)
            .map_err(|error| encrypt::failure(&error))?;
        place.write(context, flags, &text)
    }
}
