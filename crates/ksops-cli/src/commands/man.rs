//! `man [COMMAND]`: the manual page of a command; or all of them as files.

use std::fs;
use std::path::Path;

use crate::args::manual::{page, pages};
use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::output;

/// Runs the command.
///
/// # Errors
/// If there is no such command, or a file cannot be written.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<(), Failure> {
    if let Some(folder) = call.flags.text("directory") {
        return write_all(context, Path::new(folder));
    }
    let words: Vec<&str> = call.positionals.iter().map(String::as_str).collect();
    let page = page(&words, context.program).ok_or_else(|| {
        Failure::new(Kind::General, format!("there is no command `{}`", words.join(" ")))
            .hints(["`ksops help` lists the commands"])
    })?;
    context.ui.data(page.text.as_bytes())
}

fn write_all(context: &Context, folder: &Path) -> Result<(), Failure> {
    let failed = |text: String| Failure::new(Kind::Output, text);
    fs::create_dir_all(folder)
        .map_err(|error| failed(format!("cannot make {}: {}", folder.display(), reason(&error))))?;
    for page in pages(context.program) {
        output::replace(&folder.join(&page.file_name), page.text.as_bytes()).map_err(failed)?;
    }
    Ok(())
}
