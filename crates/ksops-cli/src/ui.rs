//! The only place that prints: data goes to standard output, everything else to standard error.

use std::io::{ErrorKind, IsTerminal, Write};

use ksops::ksops_core::clock::Clock;
use ksops::system::SystemClock;

use crate::args::program::Program;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;

/// Speaks with the user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    program: Program,
}

impl Ui {
    pub(crate) fn new(program: Program) -> Self {
        Self { program }
    }

    /// Writes data. A closed pipe is the reader's wish and no error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(crate) fn data(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
                Kind::Output,
                format!("cannot write to standard output: {}", reason(&error)),
            )),
            _ => Ok(()),
        }
    }

    /// Tells why a command failed, and, as `ksops`, what can be done.
    pub(crate) fn failure(self, failure: &Failure) {
        if failure.is_logged() && self.program == Program::Sops {
            line(&log_line("fatal", failure.text()));
        } else if !failure.text().is_empty() {
            line(failure.text());
        }
        if self.program == Program::Ksops {
            for hint in failure.all_hints() {
                line(&format!("{} {hint}", coloured("36", "hint:")));
            }
        }
    }

    /// Warns; as `sops` in the form of upstream's logger.
    pub(crate) fn warning(self, text: &str) {
        match self.program {
            Program::Ksops => line(&format!("{} {text}", coloured("33", "warning:"))),
            Program::Sops => line(&log_line("warning", text)),
        }
    }

    /// Tells of something done.
    pub(crate) fn note(self, text: &str) {
        line(text);
    }
}

/// A line of upstream's logger (cli-and-config.md section 4.2).
fn log_line(level: &str, text: &str) -> String {
    let now = SystemClock.now();
    let (date, hour, minute, second) = (now.date(), now.hour(), now.minute(), now.second());
    format!("[CMD]\t time=\"{date}T{hour:02}:{minute:02}:{second:02}Z\" level={level} msg={text:?}")
}

fn line(text: &str) {
    let mut err = std::io::stderr().lock();
    // Nobody is left to be told when this fails.
    let _ = writeln!(err, "{}", text.strip_suffix('\n').unwrap_or(text));
}

fn coloured(code: &str, text: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain || !std::io::stderr().is_terminal() {
        text.to_owned()
    } else {
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
