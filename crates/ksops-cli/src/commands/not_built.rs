//! Commands that the table of arguments knows and this build cannot run. They touch nothing.

use crate::args::command::SUBCOMMANDS;
use crate::args::parsed::Command;
use crate::error::{Failure, Kind};

/// Says so.
///
/// # Errors
/// Always.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let found = SUBCOMMANDS.iter().find(|subcommand| subcommand.command == Some(command));
    let title =
        found.map_or_else(|| "this command".to_owned(), |subcommand| format!("`{}`", subcommand.title()));
    let text = format!("{title} is not in this build of ksops; no file was touched");
    Err(Failure::new(Kind::General, text))
}
