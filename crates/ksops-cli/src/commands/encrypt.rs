//! `encrypt`, and the encrypting half of the legacy form (cli-and-config.md section 2.1).

use ksops::encrypt::{EncryptError, EncryptRequest, encrypt};
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::audit::log::{self, Action};
use crate::batch::{files, state, work};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::place::{Place, WithoutFile};
use crate::{formats, services, settings};

/// Begins with the words that callers match (section 4.1).
const ALREADY_ENCRYPTED: &str = "\
The file you have provided contains a top-level entry called 'sops', which is
where the keys and the MAC of an encrypted file are kept. Most likely it is
encrypted already.";

/// Runs the command.
///
/// # Errors
/// With the statuses of section 2.1; nothing was written then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    if files::are_several(context, flags, &call.positionals) {
        return run_several(context, call);
    }
    let place = Place::find(context, flags, &call.positionals, WithoutFile::NamedStdin)?;
    let config = Config::load(context, flags, Purpose::Write)?;
    let text = encrypted(context, flags, &place, &config)?;
    place.write(context, flags, &text)
}

fn run_several(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let files = files::of_call(flags, &call.positionals)?;
    files::require_in_place(flags)?;
    let config = Config::load(context, flags, Purpose::Write)?;
    if flags.is_set("recursive") {
        config.require_rules()?;
    }
    let tally = work::side_by_side(context, &files, |context, file| {
        if file.is_found {
            if !state::is_asked_for(context, flags, &config, &file.name)? {
                return Ok(None);
            }
            if state::is_secret(context, flags, &file.name)? {
                return Ok(Some("encrypted already"));
            }
        }
        let place = Place::in_place(context, &file.name)?;
        let text = encrypted(context, flags, &place, &config)?;
        place.write(context, flags, &text)?;
        Ok(Some("encrypted"))
    })?;
    tally.finish(context)
}

/// Encrypts what is at `place`.
///
/// # Errors
/// As [`run`].
pub(crate) fn encrypted(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    log::ready(context)?;
    let input_format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let output_format = formats::choose(context.program, flags, "output-type", &place.path)?;
    let services = services::services(context, flags, config)?;
    let settings = settings::merge(flags, config.rule(&place.path)?)?;
    let request = EncryptRequest {
        input_format,
        output_format,
        selection: settings.selection,
        mac_only_encrypted: settings.mac_only_encrypted,
        groups: settings.groups,
        threshold: settings.threshold,
        indent: formats::indent(flags, &config.stores(), output_format),
        policy: context.program.policy(),
        as_string: flags.is_set("as-string"),
        allow_unencrypted: flags.is_set("allow-unencrypted"),
        layout: formats::layout(context.program, flags, &config.stores(), output_format)?,
    };
    context
        .ui
        .detail(flags, || format!("encrypting {input_format} for {} key group(s)", request.groups.len()));
    let mut input = place.source.read()?;
    let encrypted =
        encrypt(std::mem::take(&mut *input), &request, &services).map_err(|error| failure(&error))?;
    for warning in &encrypted.warnings {
        context.ui.warning(warning);
    }
    services::tell(context, &services);
    log::record(context, Action::Encrypt, place.source.file())?;
    Ok(Zeroizing::new(encrypted.text))
}

/// What an error of encrypting means for the caller.
pub(crate) fn failure(error: &EncryptError) -> Failure {
    let (kind, text) = match error {
        EncryptError::Load(read) if read.is_unencryptable() => {
            (Kind::EncryptTree, format!("Error encrypting tree: {error}"))
        }
        EncryptError::Load(_) | EncryptError::Lossy { .. } => {
            (Kind::Input, format!("Error unmarshalling file: {error}"))
        }
        EncryptError::NoDocument => (Kind::NoDocument, error.to_string()),
        EncryptError::AlreadyEncrypted => (Kind::AlreadyEncrypted, ALREADY_ENCRYPTED.to_owned()),
        EncryptError::Tree(_) => (Kind::EncryptTree, format!("Error encrypting tree: {error}")),
        EncryptError::ReservedKey(_) | EncryptError::Emit(_) | EncryptError::Unfit { .. } => {
            (Kind::Print, format!("Could not marshal tree: {error}"))
        }
        EncryptError::Distribute(_) => (Kind::WrapDataKey, error.to_string()),
        _ => (Kind::General, error.to_string()),
    };
    let hints = match error {
        EncryptError::AlreadyEncrypted => {
            vec!["`ksops decrypt` shows it; if `sops` is an entry of your own, rename it".to_owned()]
        }
        other => other.hints(),
    };
    Failure::new(kind, text).hints(hints)
}
