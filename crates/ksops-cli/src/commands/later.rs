//! Commands that the table of arguments knows already and this version cannot run. They touch nothing.

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
    let text = format!("{title} is not in this version yet; no file was touched");
    Err(Failure::new(Kind::General, text)
        .hints(["sops 3.13 reads and writes the same files and can do it meanwhile"]))
}
