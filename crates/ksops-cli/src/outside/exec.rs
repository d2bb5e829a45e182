//! What `exec-env` and `exec-file` have in common: files, the command, and running it (cli-and-config.md section 8).

use std::process::{Command, Stdio};

use crate::args::flags::Flags;
use crate::args::parsed::Invocation;
use crate::context::Context;
use crate::error::{Failure, Kind};
use crate::outside::child::{self, Line};
use crate::outside::user::User;

/// Files and the command behind them.
pub(crate) struct Job {
    /// The files, at least one.
    pub files: Vec<String>,
    /// What to run.
    pub line: Line,
}

impl Job {
    /// Reads the operands: `FILE COMMAND`, where the command is one text for the shell, or `FILE... -- PROGRAM ARG...`.
    ///
    /// # Errors
    /// If there are not as many as that.
    pub(crate) fn from_call(call: &Invocation) -> Result<Self, Failure> {
        let operands = &call.positionals;
        let behind = call.behind_delimiter;
        match operands.as_slice() {
            [file, command] => Ok(Self { files: vec![file.clone()], line: Line::Shell(command.clone()) }),
            [files @ .., command] if behind == 1 && !files.is_empty() => {
                Ok(Self { files: files.to_vec(), line: Line::Shell(command.clone()) })
            }
            _ if behind > 1 && operands.len() > behind => {
                let (files, words) = operands.split_at(operands.len() - behind);
                Ok(Self { files: files.to_vec(), line: Line::Program(words.to_vec()) })
            }
            _ => Err(Failure::new(Kind::General, "error: missing file to decrypt")
                .hints(["write FILE 'COMMAND', the command as one word, or FILE... -- PROGRAM ARGUMENT..."])),
        }
    }
}

/// Becomes the user of `--user`.
///
/// # Errors
/// If that cannot be.
pub(crate) fn user(flags: &Flags) -> Result<Option<User>, Failure> {
    flags.text("user").map(User::become_one).transpose()
}

/// Runs a command to its end, or only starts it with `--background`. Gives the exit status.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn run(context: &Context, flags: &Flags, mut command: Command) -> Result<u8, Failure> {
    if flags.is_set("background") {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        child::spawn(&mut command)?;
        return Ok(0);
    }
    let mut started = child::spawn(&mut command)?;
    drop(command);
    let (status, words) = child::wait(&mut started)?.status();
    if let Some(words) = words {
        context.ui.note(&words);
    }
    Ok(status)
}
