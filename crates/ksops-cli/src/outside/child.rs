//! The command that `exec-env` and `exec-file` run, and its end (cli-and-config.md section 8.1).

use std::io;
use std::process::{Child, Command, ExitStatus};

use crate::error::{Failure, Kind};
use crate::io_reason::reason;
use crate::outside::user::User;

/// The status of a command that a signal ended, as upstream reports it.
const KILLED: u8 = 255;

/// What is run.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    /// One text for the shell.
    Shell(String),
    /// A program and its arguments, as they are.
    Program(Vec<String>),
}

impl Line {
    /// Changes every word.
    pub(crate) fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Shell(text) => Self::Shell(change(&text)),
            Self::Program(words) => Self::Program(words.iter().map(|word| change(word)).collect()),
        }
    }

    /// The command, with this process's environment or without.
    pub(crate) fn command(&self, pristine: bool, user: Option<&User>) -> Command {
        let mut command = match self {
            Self::Shell(text) => shell(text),
            Self::Program(words) => {
                let (program, arguments) =
                    words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
                let mut command = Command::new(program);
                command.args(arguments);
                command
            }
        };
        if pristine {
            command.env_clear();
        }
        command.envs(user.into_iter().flat_map(User::variables));
        command
    }
}

#[cfg(unix)]
fn shell(text: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", text]);
    command
}

#[cfg(not(unix))]
fn shell(text: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    command.args(["/C", text]);
    command
}

/// Starts a command.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn spawn(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| {
        let program = command.get_program().to_string_lossy().into_owned();
        Failure::new(Kind::General, format!("exec: {program:?}: {}", reason(&error)))
    })
}

/// Waits for a command, hands signals on to it, and gives the exit status and a word about it.
///
/// # Errors
/// If it cannot be waited for.
pub(crate) fn wait(child: &mut Child) -> Result<End, Failure> {
    let failed = |error: io::Error| {
        Failure::new(Kind::General, format!("waiting for the command: {}", reason(&error)))
    };
    let signals = signals::HandOn::start(child.id()).map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    Ok(End { signal: signals.stop(), status })
}

/// How a command ended.
pub(crate) struct End {
    status: ExitStatus,
    /// The signal that was handed on, if there was one.
    signal: Option<i32>,
}

impl End {
    /// The exit status of this process, and what to say; a signal that was sent to this process ends it likewise.
    pub(crate) fn status(self) -> (u8, Option<String>) {
        if let Some(signal) = self.signal {
            signals::die_of(signal);
        }
        match self.status.code() {
            Some(0) => (0, None),
            Some(code) => (u8::try_from(code).unwrap_or(KILLED), Some(format!("exit status {code}"))),
            None => (KILLED, Some(format!("signal: {}", signals::name(self.status)))),
        }
    }
}

#[cfg(unix)]
mod signals {
    //! Signals that are sent to this process while it waits.

    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::thread;

    use rustix::process::{Pid, Signal, getpgrp, kill_process};
    use rustix::termios::tcgetpgrp;
    use signal_hook::consts::{SIGINT, SIGQUIT};
    use signal_hook::iterator::{Handle, Signals};

    use crate::outside::signals::ending;

    /// Hands signals on to a child.
    pub(super) struct HandOn {
        handle: Handle,
        last: Arc<AtomicI32>,
    }

    impl HandOn {
        pub(super) fn start(child: u32) -> io::Result<Self> {
            let mut signals = Signals::new(ending())?;
            let (handle, last) = (signals.handle(), Arc::new(AtomicI32::new(0)));
            let seen = Arc::clone(&last);
            let child = i32::try_from(child).ok().and_then(Pid::from_raw);
            thread::spawn(move || {
                for signal in signals.forever() {
                    seen.store(signal, Ordering::SeqCst);
                    // What is typed at the terminal goes to the whole group already.
                    let typed = matches!(signal, SIGINT | SIGQUIT) && is_foreground();
                    if let (false, Some(child), Some(signal)) = (typed, child, Signal::from_named_raw(signal))
                    {
                        let _ = kill_process(child, signal);
                    }
                }
            });
            Ok(Self { handle, last })
        }

        /// The last signal that came.
        pub(super) fn stop(self) -> Option<i32> {
            self.handle.close();
            Some(self.last.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
        }
    }

    fn is_foreground() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group == getpgrp())
    }

    /// Ends this process as the signal would have.
    pub(super) fn die_of(signal: i32) {
        crate::outside::scratch::wipe_all();
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }

    pub(super) fn name(status: ExitStatus) -> String {
        match status.signal() {
            Some(9) => "killed".to_owned(),
            Some(15) => "terminated".to_owned(),
            Some(2) => "interrupt".to_owned(),
            Some(1) => "hangup".to_owned(),
            Some(3) => "quit".to_owned(),
            Some(6) => "aborted".to_owned(),
            Some(11) => "segmentation fault".to_owned(),
            Some(other) => other.to_string(),
            None => "unknown".to_owned(),
        }
    }
}

#[cfg(not(unix))]
mod signals {
    //! There are no such signals.

    use std::io;
    use std::process::ExitStatus;

    pub(super) struct HandOn;

    impl HandOn {
        pub(super) fn start(_: u32) -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) fn stop(self) -> Option<i32> {
            None
        }
    }

    pub(super) fn die_of(_: i32) {}

    pub(super) fn name(_: ExitStatus) -> String {
        "unknown".to_owned()
    }
}
