//! `completion SHELL`: a script for the shell (cli-and-config.md section 10.5).

use crate::args::completion::script;
use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};

/// Prints the script.
///
/// # Errors
/// If the shell is not known.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    let shell = call.positionals.first().map(String::as_str).unwrap_or_default();
    let script = script(shell, context.program).ok_or_else(|| {
        Failure::new(Kind::General, format!("there is no completion for the shell {shell:?}"))
    })?;
    context.ui.data(script.as_bytes())
}
