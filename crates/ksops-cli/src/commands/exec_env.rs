//! `exec-env`: a command with the decrypted values in its environment (cli-and-config.md section 8.1).

use ksops::environment::{Null, Variable, variables};

use crate::args::parsed::Invocation;
use crate::config::{Config, Purpose};
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::opening::open_file;
use crate::outside::exec::{self, Job};

/// Runs the command. Its status is ours.
///
/// # Errors
/// If a file cannot be decrypted or used; nothing was run then.
pub(crate) fn run(context: &Context, call: &Invocation) -> Result<u8, Failure> {
    let flags = &call.flags;
    let job = Job::from_call(call)?;
    let config = Config::load(context, flags, Purpose::Read)?;
    if flags.is_set("background") {
        context.ui.warning(
            "exec-env's --background option is deprecated and will be removed in a future version of sops",
        );
        if flags.is_set("same-process") {
            let text = "Error: The --same-process flag cannot be used with --background";
            return Err(Failure::new(Kind::Conflict, text));
        }
    }
    let null = if flags.is_set("null-as-empty") { Null::AsEmpty } else { Null::AsNil };
    let mut list: Vec<Variable> = Vec::new();
    for file in &job.files {
        let opened = open_file(context, flags, file, &config)?;
        let Some(first) = opened.branches.first() else { continue };
        let found = variables(first, null).map_err(|error| Failure::new(Kind::General, error.to_string()))?;
        list.extend(found);
    }
    let user = exec::user(flags)?;
    let mut command = job.line.command(flags.is_set("pristine"), user.as_ref());
    for (name, value) in &list {
        command.env(name, os_text(value));
    }
    drop(list);
    if flags.is_set("same-process") {
        return Err(replaced_by(command));
    }
    exec::run(context, flags, command)
}

#[cfg(unix)]
fn os_text(bytes: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn os_text(bytes: &[u8]) -> std::ffi::OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Replaces this process by the command; comes back only if that fails.
#[cfg(unix)]
fn replaced_by(mut command: std::process::Command) -> Failure {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Failure::new(Kind::General, format!("exec: {}", crate::io_reason::reason(&error)))
}

#[cfg(not(unix))]
fn replaced_by(mut command: std::process::Command) -> Failure {
    let _ = crate::outside::child::spawn(&mut command);
    Failure::new(Kind::General, "The --same-process flag is not supported on Windows")
}
