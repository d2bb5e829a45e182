//! Reads the command line, runs one command and gives its exit status.

use crate::args::parse::parse;
use crate::args::parsed::{Command, Invocation, Parsed};
use crate::commands::{completion, decrypt, encrypt, filestatus, init, keygen, later, legacy, version};
use crate::context::{Context, program};
use crate::error::{Failure, Kind};
use crate::hardening;
use crate::ui::Ui;

/// Runs the program; gives its exit status.
pub(crate) fn run() -> u8 {
    hardening::apply();
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let own_path = words.next();
    let program = program(own_path.as_deref(), std::env::var("KSOPS_COMPAT").ok().as_deref());
    let context = Context { program, ui: Ui::new(program) };
    let arguments: Vec<String> = words.collect();
    let parsed = parse(program, &arguments, &|name| std::env::var(name).ok());
    match answer(&context, parsed) {
        Ok(status) => status,
        Err(failure) => {
            context.ui.failure(&failure);
            failure.status()
        }
    }
}

fn answer(context: &Context, parsed: Parsed) -> Result<u8, Failure> {
    match parsed {
        Parsed::Help { text, status: 0 } => context.ui.data(text.as_bytes())?,
        Parsed::Help { text, status } => {
            context.ui.note(&text);
            return Ok(status);
        }
        Parsed::Version => version::run(context)?,
        Parsed::BadUsage { stdout, message } => {
            context.ui.data(stdout.as_bytes())?;
            return Err(Failure::new(Kind::General, message).logged());
        }
        Parsed::Candidates(words) => {
            let lines: String = words.into_iter().map(|word| word + "\n").collect();
            context.ui.data(lines.as_bytes())?;
        }
        Parsed::Run(call) => command(context, &call)?,
    }
    Ok(0)
}

fn command(context: &Context, call: &Invocation) -> Result<(), Failure> {
    for warning in &call.warnings {
        context.ui.warning(warning);
    }
    match call.command {
        Command::Encrypt => encrypt::run(context, call),
        Command::Decrypt => decrypt::run(context, call),
        Command::Filestatus => filestatus::run(context, call),
        Command::Completion => completion::run(context, call),
        Command::Keygen => keygen::run(context, call),
        Command::Init => init::run(context, call),
        Command::Legacy => legacy::run(context, call),
        Command::Rotate
        | Command::Edit
        | Command::Set
        | Command::Unset
        | Command::Updatekeys
        | Command::GroupsAdd
        | Command::GroupsDelete
        | Command::ExecEnv
        | Command::ExecFile
        | Command::Publish
        | Command::Keyservice => later::run(call.command),
    }
}
