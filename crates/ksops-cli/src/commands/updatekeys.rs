//! `updatekeys`: the recipients of files brought in line with their creation rules (cli-and-config.md section 10.2).

use std::path::Path;
use std::sync::Arc;

use ksops::consistency::selector_difference;
use ksops::ksops_config::rule::CreationRule;
use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::keys::distribute::new_group;
use ksops::ksops_core::keys::key_group::{KeyEntry, KeyGroup};
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::regroup::{self, Closed, GroupDiff, differences};
use ksops::save::Keys;
use ksops::services::Services;
use ksops::system::SystemClock;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::args::program::Program;
use crate::audit::log;
use crate::batch::files::Candidate;
use crate::batch::{files, state, work};
use crate::commands::decrypt::{self, Asked};
use crate::commands::encrypt;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::opening::open_at;
use crate::place::{Place, no_file};
use crate::prompt::confirm;
use crate::{formats, services};

/// Runs the command.
///
/// # Errors
/// That of the file if there is one; else that some failed. Files that failed are as they were.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let config = Config::load(context, flags, Purpose::Write)?;
    if config.name().is_none() {
        return Err(Failure::new(Kind::General, "config file not found").hints(["`ksops init` writes one"]));
    }
    log::ready(context)?;
    let services = services::services(context, flags, &config)?;
    let update = Update { context, flags, config: &config, services };
    match call.positionals.as_slice() {
        [] => Err(no_file()),
        [name] if !flags.is_set("recursive") => match update.file(context, name)? {
            DIFFERS => Err(Failure::new(Kind::General, "")),
            _ => Ok(()),
        },
        names => update.files(names),
    }
}

struct Update<'a> {
    context: &'a Context,
    flags: &'a Flags,
    config: &'a Config,
    services: Arc<Services>,
}

/// What becomes of a file, in the words of the summary.
const UP_TO_DATE: &str = "up to date";
const SYNCED: &str = "synced";
const LEFT: &str = "left unchanged";
/// With `--check`.
const DIFFERS: &str = "would change";
const NO_RULE: &str = "without a creation rule";

impl Update<'_> {
    fn files(&self, names: &[String]) -> Result<(), Failure> {
        let Self { context, flags, .. } = *self;
        let files = files::of_call(flags, names)?;
        let work = |context: &Context, file: &Candidate| {
            if file.is_found && !state::is_secret(context, flags, &file.name)? {
                return Ok(None);
            }
            if file.is_found && self.config.is_named_by_rule(&context.absolute(&file.name)?)?.is_none() {
                context.ui.warning("no creation rule is for this file; its recipients stay");
                return Ok(Some(NO_RULE));
            }
            self.file(context, &file.name).map(Some)
        };
        let asks = !flags.is_set("yes") && !flags.is_set("check");
        let tally = match asks {
            true => work::one_by_one(context, &files, work),
            false => work::side_by_side(context, &files, work)?,
        };
        if context.program == Program::Sops && tally.failed() > 0 {
            let text = format!("failed updating {} key(s)", tally.failed());
            return Err(Failure::new(Kind::General, text));
        }
        if context.program == Program::Ksops || flags.is_set("recursive") {
            tally.finish(context)?;
        }
        match tally.count(DIFFERS) {
            0 => Ok(()),
            _ => Err(Failure::new(Kind::General, "")),
        }
    }

    /// Brings one file in line.
    fn file(&self, context: &Context, name: &str) -> Result<&'static str, Failure> {
        let flags = self.flags;
        let path = context.absolute(name)?;
        require_file(&path)?;
        let place = Place::in_place(context, name)?;
        context.ui.note(&format!("Syncing keys for file {}", path.display()));
        let format = formats::choose(context.program, flags, "input-type", &path)?;
        let original = place.source.read().map_err(|failure| Failure { kind: Kind::General, ..failure })?;
        let format = formats::as_made(format, flags, "input-type", &original);
        let asked = Asked { input_format: format, output_format: format };
        let closed = regroup::read(&original, format).map_err(|error| decrypt::failure(&error, asked))?;
        let rule = self.config.rule(&path)?.ok_or_else(|| {
            let name = self.config.name().unwrap_or_default();
            Failure::new(Kind::General, format!("The config file {name} does not contain any creation rule"))
        })?;
        report_selector(context, &closed, &rule);
        let wanted = self.resolved(&rule)?;
        let diffs = differences(&closed.metadata.key_groups, &wanted);
        let before = closed.metadata.shamir_threshold;
        let asked_for = flags.number("shamir-secret-sharing-threshold").filter(|threshold| *threshold != 0);
        let threshold =
            asked_for.map_or(before, |threshold| usize::try_from(threshold).unwrap_or(usize::MAX));
        let threshold = threshold.min(wanted.len());
        let changes = |diff: &GroupDiff| !diff.added.is_empty() || !diff.removed.is_empty();
        if !diffs.iter().any(changes) && threshold == before {
            context.ui.note(&format!("File {} already up to date", path.display()));
            return Ok(UP_TO_DATE);
        }
        context.ui.changes(&(threshold_shown(before, threshold) + &shown(&diffs)))?;
        if flags.is_set("check") {
            return Ok(DIFFERS);
        }
        if !flags.is_set("yes") && !confirm(context, "Is this okay? (y/n):")? {
            context.ui.note(&format!("File {} left unchanged", path.display()));
            return Ok(LEFT);
        }
        let groups = regrouped(&closed.metadata.key_groups, &wanted);
        let removes = diffs.iter().any(|diff| !diff.removed.is_empty());
        let text = if self.rotates(context, removes) {
            let opening = open_at(context, flags, &place, self.config)?;
            opening.save(context, flags, Keys::Rotate(groups, threshold))?
        } else {
            let order = services::decryption_order(flags)?;
            let key =
                closed.data_key(&self.services, &order).map_err(|error| decrypt::failure(&error, asked))?;
            let indent = formats::indent(flags, &self.config.stores(), format);
            let layout = formats::layout(context.program, flags, &self.config.stores(), format)?;
            let form = (indent, layout);
            closed.regroup(&key, &groups, threshold, &original, form, &self.services).map_err(|error| {
                let failure = encrypt::failure(&error);
                let text = failure.text.replacen(
                    "Could not generate data key",
                    "error updating one or more master keys",
                    1,
                );
                Failure { text, ..failure }
            })?
        };
        services::tell(context, &self.services);
        place.write(context, flags, &text).map_err(|failure| {
            let text = failure.text.replacen("Could not open in-place file", "could not open file", 1);
            Failure { kind: Kind::General, text, ..failure }
        })?;
        context.ui.note(&format!("File {} synced with new keys", path.display()));
        Ok(SYNCED)
    }

    /// Whether the data key changes: who is removed could read every later version otherwise (security.md S9).
    fn rotates(&self, context: &Context, removes: bool) -> bool {
        if !removes {
            return false;
        }
        let keeps = self.flags.is_set("keep-data-key");
        let ui = &context.ui;
        match context.program {
            Program::Ksops if !keeps => {
                ui.note(
                    "a recipient is removed, so the data key becomes a new one; the secrets themselves are known to \
                     them and should be changed, too",
                );
                true
            }
            _ => {
                ui.warning(
                    "a recipient is removed, but the data key stays: they can read later versions, too; `rotate` \
                     changes it, and the secrets themselves should be changed",
                );
                false
            }
        }
    }

    /// The rule's keys, with the newest version for Azure keys without one.
    fn resolved(&self, rule: &CreationRule) -> Result<Vec<Vec<MasterKey>>, Failure> {
        let services = self.services.as_slice();
        let resolve = |key: &MasterKey| match services.iter().find(|service| service.serves(key)) {
            Some(service) => service
                .resolve(key)
                .map_err(|error| Failure::new(Kind::General, error.message).hints(error.hints)),
            None => Ok(key.clone()),
        };
        let group = |group: &Vec<_>| {
            let keys =
                group.iter().map(|request: &ksops::ksops_config::rule::KeyRequest| resolve(&request.key));
            keys.collect::<Result<Vec<_>, _>>()
        };
        rule.groups.iter().map(group).collect()
    }
}

fn report_selector(context: &Context, closed: &Closed, rule: &CreationRule) {
    if let Some((found, wanted)) = selector_difference(&closed.metadata, rule) {
        context.ui.warning(&format!(
            "the file selects by `{found}`, but its creation rule says `{wanted}`; that is not changed here"
        ));
    }
}

fn require_file(path: &Path) -> Result<(), Failure> {
    let general = |text: String| Failure::new(Kind::General, text);
    let data = path
        .metadata()
        .map_err(|error| general(format!("stat {}: {}", path.display(), crate::io_reason::reason(&error))))?;
    match data.is_dir() {
        true => Err(general(format!("can't operate on a directory: {}", path.display()))),
        false => Ok(()),
    }
}

/// The new groups; keys that stay keep the moment at which they came.
fn regrouped(old: &[KeyGroup], wanted: &[Vec<MasterKey>]) -> Vec<KeyGroup> {
    let entries: Vec<&KeyEntry> = old.iter().flat_map(|group| &group.entries).collect();
    let now = SystemClock.now();
    let group = |keys: &Vec<MasterKey>| {
        let mut group = new_group(keys.iter().cloned(), now);
        for entry in &mut group.entries {
            if let Some(old) = entries.iter().find(|old| old.key == entry.key) {
                entry.created_at = old.created_at;
            }
        }
        group
    };
    wanted.iter().map(group).collect()
}

fn threshold_shown(before: usize, threshold: usize) -> String {
    let mut text = "The following changes will be made to the file's groups:\n".to_owned();
    if before > 0 && before == threshold {
        text.push_str(&format!("shamir_threshold: {threshold}\n"));
    } else {
        if threshold > 0 {
            text.push_str(&format!("+++ shamir_threshold: {threshold}\n"));
        }
        if before > 0 {
            text.push_str(&format!("--- shamir_threshold: {before}\n"));
        }
    }
    text
}

/// What changes, group by group.
pub(crate) fn shown(diffs: &[GroupDiff]) -> String {
    let mut text = String::new();
    for (number, diff) in diffs.iter().enumerate() {
        text.push_str(&format!("Group {}\n", number + 1));
        for (sign, keys) in [("    ", &diff.kept), ("+++ ", &diff.added), ("--- ", &diff.removed)] {
            keys.iter().for_each(|key| text.push_str(&format!("{sign}{key}\n")));
        }
    }
    text
}
