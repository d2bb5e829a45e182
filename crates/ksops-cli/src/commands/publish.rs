//! `publish`: a file, or those of a folder, to where a destination rule says (cli-and-config.md section 10.1).

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ksops::ksops_config::destination::{Destination, DestinationError};
use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::keys::distribute::new_group;
use ksops::ksops_core::keys::key_group::KeyGroup;
use ksops::ksops_core::keys::master_key::MasterKey;
use ksops::ksops_core::tree::selection::RuleTexts;
use ksops::publish::document::merged;
use ksops::publish::upload::{Uploaded, Uploader};
use ksops::regroup::{self, GroupDiff, differences};
use ksops::save::Keys;
use ksops::system::SystemClock;
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::commands::decrypt::{self, Asked};
use crate::commands::updatekeys::shown;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::opening::open_at;
use crate::place::{Place, no_file};
use crate::prompt::confirm;
use crate::{formats, output};

/// Runs the command. As upstream the first file that fails ends it.
///
/// # Errors
/// With status 1, or that of decrypting.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let config = Config::load(context, flags, Purpose::Write)?;
    if config.name().is_none() {
        return Err(Failure::new(Kind::General, "config file not found").hints(["`ksops init` writes one"]));
    }
    let name = call.positionals.first().ok_or_else(no_file)?;
    let is_folder = fs::metadata(name)
        .map_err(|error| Failure::new(Kind::General, format!("stat {name}: {}", reason(&error))))?
        .is_dir();
    if is_folder && !flags.is_set("recursive") {
        let text = "can't operate on a directory without --recursive flag.";
        return Err(Failure::new(Kind::General, text).logged());
    }
    if flags.is_set("offline") {
        return Err(Failure::new(Kind::General, "publishing needs the network (--offline)"));
    }
    let mut files = Vec::new();
    collect(Path::new(name), &mut files)?;
    let publisher =
        Publisher { context, flags, config: &config, root: name, uploader: Uploader::from_environment() };
    files.iter().try_for_each(|file| publisher.file(file))
}

/// The file itself, or all below a folder, in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| {
        Failure::new(Kind::General, format!("open {}: {}", path.display(), reason(error)))
    };
    if !fs::symlink_metadata(path).map_err(|error| failed(&error))?.is_dir() {
        if !path.file_name().is_some_and(output::is_temporary) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|error| failed(&error))?;
    let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    names.sort();
    names.iter().try_for_each(|name| collect(name, files))
}

struct Publisher<'a> {
    context: &'a Context,
    flags: &'a Flags,
    config: &'a Config,
    root: &'a str,
    uploader: Uploader,
}

impl Publisher<'_> {
    fn file(&self, path: &Path) -> Result<(), Failure> {
        let Self { context, flags, .. } = *self;
        let name = path.to_string_lossy();
        let destination = self.config.destination(&name)?;
        let remote = self.remote_name(path, &destination);
        let content = self.content(&name, &destination)?;
        let (full, place) = (context.absolute(&name)?, self.uploader.place(&destination.target, &remote));
        let question = format!("uploading {} to {place} ? (y/n): ", full.display());
        if !flags.is_set("yes") && !confirm(context, &question)? {
            let text = format!("Publication of {} canceled", full.display());
            return match flags.is_set("recursive") {
                true => context.ui.data(format!("{text}\n").as_bytes()),
                false => Err(Failure::new(Kind::General, text)),
            };
        }
        let uploaded = self.uploader.upload(&destination.target, &remote, content);
        let uploaded = uploaded
            .map_err(|error| Failure::new(Kind::General, error.message.clone()).hints(error.hints))?;
        if uploaded == Uploaded::UpToDate {
            context.ui.note(&format!("{place} is up to date already"));
        } else {
            context.ui.detail(flags, || format!("published {} to {place}", full.display()));
        }
        Ok(())
    }

    /// What the file is called there.
    fn remote_name(&self, path: &Path, destination: &Destination) -> String {
        let below = path.strip_prefix(self.root).ok().filter(|below| !below.as_os_str().is_empty());
        let name = match (self.flags.is_set("recursive"), below) {
            (true, Some(below)) => below.to_string_lossy().into_owned(),
            // Upstream's name of a file relative to itself.
            (true, None) => ".".to_owned(),
            (false, _) => path.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned(),
        };
        if !self.flags.is_set("omit-extensions") && !destination.omit_extensions {
            return name;
        }
        // As Go has it: from the last dot of the last part, be it the first character.
        match name.rfind('.').filter(|dot| !name[*dot..].contains('/')) {
            Some(dot) => name[..dot].to_owned(),
            None => name,
        }
    }

    /// What is sent. The file must be an encrypted one in any case.
    fn content(&self, name: &str, destination: &Destination) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let Self { context, flags, config, .. } = *self;
        let place = Place::to_read(context, name)?;
        if Uploader::takes_values(&destination.target) {
            let opening = open_at(context, flags, &place, config)?;
            return merged(&opening.opened.branches)
                .map_err(|error| Failure::new(Kind::General, error.to_string()));
        }
        let groups: Vec<Vec<MasterKey>> = destination
            .recreation
            .groups
            .iter()
            .map(|group| group.iter().map(|request| request.key.clone()).collect())
            .collect();
        if groups.iter().all(Vec::is_empty) {
            let format = formats::choose(context.program, flags, "input-type", &place.path)?;
            let bytes = place.source.read().map_err(|failure| Failure { kind: Kind::General, ..failure })?;
            let format = formats::as_made(format, flags, "input-type", &bytes);
            let asked = Asked { input_format: format, output_format: format };
            regroup::read(&bytes, format)
                .map_err(|error| Failure { kind: Kind::General, ..decrypt::failure(&error, asked) })?;
            return Ok(bytes);
        }
        self.recreated(&place, destination, &groups)
    }

    /// A copy under a new data key for the keys of the rule.
    fn recreated(
        &self,
        place: &Place,
        destination: &Destination,
        groups: &[Vec<MasterKey>],
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let Self { context, flags, config, .. } = *self;
        let mut opening = open_at(context, flags, place, config)?;
        let metadata = &mut opening.opened.metadata;
        let diffs = differences(&metadata.key_groups, groups);
        let changes = |diff: &GroupDiff| !diff.added.is_empty() || !diff.removed.is_empty();
        if diffs.iter().any(changes) {
            let head = "The following changes will be made to the file's key groups:\n";
            context.ui.changes(&format!("{head}{}", shown(&diffs)))?;
        }
        let rule = &destination.recreation;
        // Upstream takes the two suffixes only, and loses what else the rule says.
        let texts = RuleTexts {
            unencrypted_suffix: rule.selection.unencrypted_suffix.value.clone(),
            encrypted_suffix: rule.selection.encrypted_suffix.value.clone(),
            unencrypted_regex: rule.selection.unencrypted_regex.value.clone(),
            encrypted_regex: rule.selection.encrypted_regex.value.clone(),
            unencrypted_comment_regex: rule.selection.unencrypted_comment_regex.value.clone(),
            encrypted_comment_regex: rule.selection.encrypted_comment_regex.value.clone(),
        };
        // A rule that says nothing leaves the file's own selection.
        if texts != RuleTexts::default() {
            metadata.rules = texts;
        }
        metadata.mac_only_encrypted |= rule.mac_only_encrypted;
        opening.opened.raise_version().map_err(|error| Failure::new(Kind::Version, error.to_string()))?;
        let threshold = usize::try_from(rule.threshold).unwrap_or_default();
        let now = SystemClock.now();
        let groups: Vec<KeyGroup> =
            groups.iter().map(|group| new_group(group.iter().cloned(), now)).collect();
        opening.save(context, flags, Keys::Rotate(groups, threshold)).map(Zeroizing::new)
    }
}

/// What an error of looking for a destination means.
pub(crate) fn no_destination(error: &DestinationError) -> Failure {
    let failure = Failure::new(Kind::General, error.to_string());
    match error {
        DestinationError::NoMatch | DestinationError::NoPlace => {
            failure.hints(["`destination_rules` in .sops.yaml say where files are published to"])
        }
        _ => failure,
    }
}
