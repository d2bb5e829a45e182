//! `view`: an encrypted file with every secret masked. No key service is made, so no credential is ever looked at.

use ksops::redact::view;

use crate::args::parsed::Invocation;
use crate::commands::decrypt::{Asked, asked, failure};
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::Failure;
use crate::place::{Place, WithoutFile};

/// Runs the command.
///
/// # Errors
/// If the file cannot be read or is not encrypted; nothing is printed then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let flags = &call.flags;
    let place = Place::find(context, flags, &call.positionals, WithoutFile::Stdin)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    let (input, request) = asked(context, flags, &place, &config)?;
    let shown = view(&input, &request).map_err(|error| failure(&error, Asked::of(&request)))?;
    for warning in &shown.warnings {
        context.ui.warning(warning);
    }
    context.ui.data(&shown.text)
}
