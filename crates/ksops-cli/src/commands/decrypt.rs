//! `decrypt`, with `--redact` too, and the decrypting half of the legacy form (cli-and-config.md section 2.2).

use ksops::decrypt::{DecryptError, DecryptRequest, Decrypted, decrypt};
use ksops::extract;
use ksops::ksops_core::document::decrypt::DecryptError as TreeError;
use ksops::ksops_stores::file::WriteError;
use ksops::ksops_stores::format::Format;
use ksops::redact::{Redacted, decrypt_redacted};
use zeroize::Zeroizing;

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::audit::log::{self, Action};
use crate::batch::{files, state, work};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::place::{Place, WithoutFile};
use crate::{formats, services};

/// Runs the command.
///
/// # Errors
/// With the statuses of section 2.2; nothing was written then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    refuse_to_lose(context, call)?;
    if files::are_several(context, flags, &call.positionals) {
        return run_several(context, call);
    }
    let place = Place::find(context, flags, &call.positionals, WithoutFile::Stdin)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let text = decrypted(context, flags, &place, &config)?;
    place.write(context, flags, &text)
}

/// Without `--in-place` the results follow each other, documents of YAML with a marker between them.
fn run_several(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let files = files::of_call(flags, &call.positionals)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let in_place = flags.is_set("in-place");
    let tally = work::side_by_side(context, &files, |context, file| {
        if file.is_found && !state::is_secret(context, flags, &file.name)? {
            return Ok(None);
        }
        if in_place {
            let place = Place::in_place(context, &file.name)?;
            let text = decrypted(context, flags, &place, &config)?;
            place.write(context, flags, &text)?;
        } else {
            let place = Place::to_read(context, &file.name)?;
            let text = decrypted(context, flags, &place, &config)?;
            let format = formats::choose(context.program, flags, "output-type", &place.path)?;
            if format == Format::Yaml && !text.starts_with(b"---") {
                context.ui.data(b"---\n")?;
            }
            context.ui.data(&text)?;
        }
        Ok(Some("decrypted"))
    })?;
    tally.finish(context)
}

/// Masks in place of the values, written over the file, would be the end of the values.
fn refuse_to_lose(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    if !flags.is_set("redact") {
        return Ok(());
    }
    let file = |name: &str| context.absolute(name).map(|path| path.canonicalize().unwrap_or(path));
    let output = flags.text("output").map(file).transpose()?;
    let input = call.positionals.first().map(|name| file(name)).transpose()?;
    if flags.is_set("in-place") || output.is_some() && output == input {
        let text = "Error: --redact does not write back to the file: its values would be lost";
        return Err(Failure::new(Kind::Conflict, text).hints(["name another file with --output"]));
    }
    Ok(())
}

/// Decrypts what is at `place`; with `--redact` gives masks.
///
/// # Errors
/// As [`run`].
pub(crate) fn decrypted(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    log::ready(context)?;
    let (input, request) = asked(context, flags, place, config)?;
    let services = services::services(context, flags, config)?;
    let (from, to) = (request.input_format, request.output_format);
    context.ui.detail(flags, || format!("decrypting {from} to {to}"));
    let (text, warnings) = if flags.is_set("redact") {
        let Redacted { text, warnings } = decrypt_redacted(&input, &request, &services)
            .map_err(|error| failure(&error, Asked::of(&request)))?;
        (Zeroizing::new(text), warnings)
    } else {
        let Decrypted { text, warnings } =
            decrypt(&input, &request, &services).map_err(|error| failure(&error, Asked::of(&request)))?;
        (text, warnings)
    };
    for warning in &warnings {
        context.ui.warning(warning);
    }
    log::record(context, Action::Decrypt, place.source.file())?;
    Ok(text)
}

/// Reads the input, and what the flags ask for.
///
/// # Errors
/// As [`run`].
pub(crate) fn asked(
    context: &Context,
    flags: &Flags,
    place: &Place,
    config: &Config,
) -> Result<(Zeroizing<Vec<u8>>, DecryptRequest), Failure> {
    let input_format = formats::choose(context.program, flags, "input-type", &place.path)?;
    let output_format = formats::choose(context.program, flags, "output-type", &place.path)?;
    let decryption_order = services::decryption_order(flags)?;
    let extract = extract::parse(flags.text("extract").unwrap_or_default())
        .map_err(|error| Failure::new(Kind::ExtractPath, format!("error parsing --extract path: {error}")))?;
    let ignore_mac = flags.is_set("ignore-mac");
    if ignore_mac && flags.is_set("verbose") {
        context.ui.warning("the integrity of the file is not checked");
    }
    let input = place.source.read()?;
    let input_format = formats::as_made(input_format, flags, "input-type", &input);
    let output_format = formats::as_made(output_format, flags, "output-type", &input);
    let request = DecryptRequest {
        input_format,
        output_format,
        ignore_mac,
        extract: Some(extract),
        indent: formats::indent(flags, &config.stores(), output_format),
        policy: context.program.policy(),
        decryption_order,
        layout: formats::layout(context.program, flags, &config.stores(), output_format)?,
    };
    Ok((input, request))
}

/// The formats that were asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// Of the input.
    pub input_format: Format,
    /// Of the output.
    pub output_format: Format,
}

impl Asked {
    /// Those of a request.
    pub(crate) fn of(request: &DecryptRequest) -> Self {
        Self { input_format: request.input_format, output_format: request.output_format }
    }
}

/// What an error of decrypting means for the caller.
pub(crate) fn failure(error: &DecryptError, asked: Asked) -> Failure {
    let (kind, text) = match error {
        DecryptError::Recover(_) => (Kind::DataKey, error.to_string()),
        DecryptError::Tree(TreeError::Mac(_)) => (Kind::Mac, error.to_string()),
        DecryptError::Tree(TreeError::Value { .. }) => {
            (Kind::DecryptTree, format!("Error decrypting tree: {error}"))
        }
        DecryptError::Emit(WriteError::NotBinary(_)) => {
            let advice = "This is likely not an encrypted binary file? \
                          If not, use --output-type to select the correct output type.";
            (Kind::Print, format!("Error dumping file: {error}\n\n{advice}"))
        }
        DecryptError::Emit(_) | DecryptError::Layout(_) => {
            (Kind::Print, format!("Error dumping file: {error}"))
        }
        _ => (Kind::General, error.to_string()),
    };
    let is_misnamed = match error {
        DecryptError::Load(_) => asked.input_format == Format::Binary,
        DecryptError::Metadata(error) => error.is_missing() && asked.input_format == Format::Binary,
        DecryptError::Emit(error) => matches!(error, WriteError::NotBinary(_)),
        _ => false,
    };
    let name_it = is_misnamed.then(|| formats::NAME_THE_FORMAT.to_owned());
    Failure::new(kind, text).hints(error.hints().into_iter().chain(name_it))
}
