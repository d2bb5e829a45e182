//! `--version`. Never asks the network (cli-and-config.md sections 2.5 and 15).

use ksops::encrypt::FORMAT_VERSION;

use crate::args::program::Program;
use crate::context::Context;
use crate::error::Failure;

/// Prints one line. As `sops` callers parse it.
///
/// # Errors
/// If standard output is closed.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let line = match context.program {
        Program::Sops => format!("sops {FORMAT_VERSION}\n"),
        Program::Ksops => {
            format!("ksops {} (compatible with sops {FORMAT_VERSION})\n", env!("CARGO_PKG_VERSION"))
        }
    };
    context.ui.data(line.as_bytes())
}
