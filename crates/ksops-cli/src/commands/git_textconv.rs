//! `git textconv`: what `git diff` compares, the decrypted text.

use std::path::Path;

use ksops::decrypt::{DecryptRequest, decrypt};
use ksops::merge::is_encrypted;

use crate::args::parsed::Invocation;
use crate::audit::log::{self, Action};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::input::read_file;
use crate::outside::diff_cache::DiffCache;
use crate::{formats, place, services};

/// Runs the command. A file that is not encrypted, or whose key is not here, is shown as it is.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let name = call.positionals.first().ok_or_else(place::no_file)?;
    let text = read_file(Path::new(name), name)
        .map_err(|text| Failure::new(Kind::Input, format!("Error reading file: {text}")))?;
    let format = formats::choose(context.program, flags, "input-type", Path::new(name))?;
    let format = formats::as_made(format, flags, "input-type", &text);
    if !is_encrypted(&text, format) {
        return context.ui.data(&text);
    }
    let cache = DiffCache::open(&context.directory()?);
    if let Some(plain) = cache.as_ref().and_then(|cache| cache.get(&text)) {
        return context.ui.data(plain.expose());
    }
    log::ready(context)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let request = DecryptRequest {
        input_format: format,
        output_format: format,
        ignore_mac: false,
        extract: None,
        indent: formats::indent(flags, &config.stores(), format),
        policy: context.program.policy(),
        decryption_order: services::decryption_order(flags)?,
        layout: formats::layout(context.program, flags, &config.stores(), format)?,
    };
    let services = services::services(context, flags, &config)?;
    match decrypt(&text, &request, &services) {
        Ok(plain) => {
            log::record(context, Action::Decrypt, Some(Path::new(name)))?;
            if let Some(cache) = &cache {
                cache.put(&text, &plain.text);
            }
            context.ui.data(&plain.text)
        }
        Err(error) => {
            // A diff of what is encrypted is better than none.
            let first = error.to_string();
            let first = first.lines().next().unwrap_or_default().to_owned();
            context.ui.note(&format!("shown encrypted: {first}"));
            context.ui.data(&text)
        }
    }
}
