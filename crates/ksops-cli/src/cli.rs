//! From the process to a command and back to an exit status: one enum, one match.

use std::process::ExitCode;

use crate::args::help;
use crate::args::parse::parse;
use crate::args::parsed::{Command, Invocation, Parsed};
use crate::args::program::Program;
#[cfg(feature = "azure-kv")]
use crate::commands::azure_fetch_key;
#[cfg(feature = "age")]
use crate::commands::keygen;
#[cfg(feature = "keyservice")]
use crate::commands::keyservice;
#[cfg(not(all(feature = "age", feature = "azure-kv", feature = "keyservice")))]
use crate::commands::not_built;
use crate::commands::{
    completion, decrypt, doctor, edit, encrypt, exec_env, exec_file, filestatus, git_install, git_merge,
    git_textconv, groups, init, legacy, man, mergetool, publish, rotate, set, unset, updatekeys, verify,
    version, view,
};
use crate::context::{self, Context};
use crate::error::{Failure, Kind};
use crate::hardening;
use crate::outside::janitor;

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    hardening::apply();
    if janitor::serve() {
        return ExitCode::SUCCESS;
    }
    let context = Context::from_process();
    let result = match context::arguments() {
        Ok(arguments) => dispatch(&context, &arguments),
        Err(failure) => Err(failure),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            context.ui.failure(&failure);
            ExitCode::from(failure.kind.status())
        }
    }
}

fn dispatch(context: &Context, arguments: &[String]) -> Result<u8, Failure> {
    if arguments.is_empty() && context.program == Program::Ksops {
        context.ui.data(help::top(context.program).as_bytes())?;
        return Ok(Kind::General.status());
    }
    match parse(context.program, arguments, &context::variable) {
        Parsed::Help { text, status: 0 } => context.ui.data(text.as_bytes()).map(|()| 0),
        Parsed::Help { text, status } => {
            context.ui.note(text.trim_end());
            Ok(status)
        }
        Parsed::Version => version::run(context).map(|()| 0),
        Parsed::BadUsage { stdout, message } => {
            context.ui.data(stdout.as_bytes())?;
            Err(Failure::new(Kind::General, message).logged())
        }
        Parsed::Candidates(candidates) => {
            let lines: String = candidates.iter().map(|line| format!("{line}\n")).collect();
            context.ui.data(lines.as_bytes()).map(|()| 0)
        }
        Parsed::Run(invocation) => {
            for warning in &invocation.warnings {
                context.ui.warning(warning);
            }
            execute(context, &invocation)
        }
    }
}

fn execute(context: &Context, call: &Invocation) -> Result<u8, Failure> {
    match call.command {
        Command::Encrypt => encrypt::run(context, call)?,
        Command::Decrypt => decrypt::run(context, call)?,
        Command::Legacy => legacy::run(context, call)?,
        Command::Filestatus => filestatus::run(context, call)?,
        Command::Completion => completion::run(context, call)?,
        #[cfg(feature = "age")]
        Command::Keygen => keygen::run(context, call)?,
        #[cfg(not(feature = "age"))]
        Command::Keygen => not_built::run(call.command)?,
        Command::Init => init::run(context, call)?,
        Command::Edit => edit::run(context, call)?,
        Command::Set => set::run(context, call)?,
        Command::Unset => unset::run(context, call)?,
        Command::Rotate => rotate::run(context, call)?,
        Command::Updatekeys => updatekeys::run(context, call)?,
        Command::GroupsAdd => groups::add(context, call)?,
        Command::GroupsDelete => groups::delete(context, call)?,
        Command::ExecEnv => return exec_env::run(context, call),
        Command::ExecFile => return exec_file::run(context, call),
        Command::View => view::run(context, call)?,
        Command::Man => man::run(context, call)?,
        Command::Verify => verify::run(context, call)?,
        #[cfg(feature = "azure-kv")]
        Command::AzureFetchKey => azure_fetch_key::run(context, call)?,
        #[cfg(not(feature = "azure-kv"))]
        Command::AzureFetchKey => not_built::run(call.command)?,
        Command::Doctor => return doctor::run(context, call),
        Command::GitInstall => git_install::run(context, call)?,
        Command::GitTextconv => git_textconv::run(context, call)?,
        Command::GitMerge => return git_merge::run(context, call),
        Command::Mergetool => mergetool::run(context, call)?,
        Command::Publish => publish::run(context, call)?,
        #[cfg(feature = "keyservice")]
        Command::Keyservice => keyservice::run(context, call)?,
        #[cfg(not(feature = "keyservice"))]
        Command::Keyservice => not_built::run(call.command)?,
    }
    Ok(0)
}
