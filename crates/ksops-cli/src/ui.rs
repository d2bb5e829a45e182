//! The only place that prints. The rules:
//!
//! - stdout carries data and help, stderr everything else; on success stderr is silent, but for warnings.
//! - The text of an error is printed bare, because callers match it (cli-and-config.md section 4.1).
//! - As `sops`, warnings and logged errors are lines of upstream's logger (section 4.2); as `ksops` they begin with
//!   `warning:` and `error:`. Hints follow as `hint:`, as `sops` those about keys alone.
//! - Colour only on a terminal, and not with `NO_COLOR` or `TERM=dumb`.
//! - Characters that steer a terminal are shown escaped: messages name keys and paths that others chose.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::crypto::timestamp;
use ksops::system::SystemClock;

use crate::args::flags::Flags;
use crate::args::program::Program;
use crate::context;
use crate::error::{Failure, Kind};
use crate::io_reason::reason;

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// The way to the user.
pub(crate) struct Ui {
    program: Program,
}

impl Ui {
    /// Speaks as `program`.
    pub(crate) fn new(program: Program) -> Self {
        Self { program }
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// If it cannot be written. A reader that went away gets no message.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| {
            let text = match error.kind() {
                ErrorKind::BrokenPipe => String::new(),
                _ => format!("write /dev/stdout: {}", reason(&error)),
            };
            Failure::new(Kind::General, text)
        })
    }

    /// Writes text for people to standard output; it may name keys that others chose.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.data(printable(text).as_bytes())
    }

    /// Tells something that is neither data nor a complaint.
    pub(crate) fn note(&self, text: &str) {
        lines(&printable(text));
    }

    /// Tells what is being done, for those who asked for it.
    pub(crate) fn detail(&self, flags: &Flags, text: impl FnOnce() -> String) {
        if !flags.is_set("verbose") {
            return;
        }
        match self.program {
            Program::Sops => log("info", &text()),
            Program::Ksops => lines(&printable(&text())),
        }
    }

    /// Warns.
    pub(crate) fn warning(&self, text: &str) {
        match self.program {
            Program::Sops => log("warning", text),
            Program::Ksops => labelled("warning", YELLOW, text),
        }
    }

    /// Tells why one of several files failed, and what to do.
    pub(crate) fn error(&self, failure: &Failure) {
        match self.program {
            Program::Sops => log("error", &failure.text),
            Program::Ksops => labelled("error", RED, &failure.text),
        }
        self.hints(failure);
    }

    /// Tells why the command failed, and what to do.
    pub(crate) fn failure(&self, failure: &Failure) {
        match (failure.is_logged, self.program) {
            _ if failure.text.is_empty() => {}
            (true, Program::Sops) => log("fatal", &failure.text),
            (true, Program::Ksops) => labelled("error", RED, &failure.text),
            (false, _) => lines(&report(&failure.text)),
        }
        self.hints(failure);
    }

    /// As `sops` the text alone is the interface, and some callers compare it whole.
    fn hints(&self, failure: &Failure) {
        let shown = self.program == Program::Ksops || failure.kind.is_of_keys();
        for hint in failure.hints.iter().filter(|_| shown) {
            labelled("hint", CYAN, hint);
        }
    }
}

/// Says something where no [`Ui`] is at hand: a signal ends the process.
pub(crate) fn say(text: &str) {
    lines(text);
}

fn labelled(label: &str, colour: &str, text: &str) {
    lines(&format!("{}: {}", painted(label, colour), printable(text)));
}

fn log(level: &str, text: &str) {
    let time = timestamp::to_text(SystemClock.now()).unwrap_or_default();
    let name = painted("[CMD]", BOLD);
    lines(&format!("{name}\t time=\"{time}\" level={level} msg={}", quoted(text)));
}

/// The text of an error; in a report on the data key the two outcomes are coloured (section 4.3).
fn report(text: &str) -> String {
    let text = printable(text);
    if !has_colour() {
        return text;
    }
    let lines = text.split('\n').map(|line| {
        [("FAILED", RED), ("SUCCESS", GREEN)]
            .into_iter()
            .find_map(|(word, colour)| {
                let before = line.strip_suffix(word).filter(|before| before.ends_with(": "))?;
                Some(format!("{before}{}", painted(word, colour)))
            })
            .unwrap_or_else(|| line.to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn lines(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn painted(text: &str, colour: &str) -> String {
    if has_colour() { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn has_colour() -> bool {
    io::stderr().is_terminal()
        && context::variable("NO_COLOR").is_none_or(|value| value.is_empty())
        && context::variable("TERM").is_none_or(|term| term != "dumb")
}

/// The text with characters escaped that steer a terminal, but for line breaks and tabs.
fn printable(text: &str) -> String {
    let steers = |sign: char| {
        (sign.is_control() && !matches!(sign, '\n' | '\t'))
            || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        if steers(sign) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{}", sign.escape_unicode());
        } else {
            shown.push(sign);
        }
    }
    shown
}

/// The text as the logger quotes it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{}\"", printable(&escaped))
}

#[cfg(test)]
mod tests {
    use super::{printable, quoted};

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\tb\n\u{1b}[31m\u{9b}\u{202e}"), "a\tb\n\\u{1b}[31m\\u{9b}\\u{202e}");
        assert_eq!(printable("Grüße"), "Grüße");
    }

    #[test]
    fn a_log_line_stays_one_line() {
        assert_eq!(quoted("say \"a\\b\"\nc"), r#""say \"a\\b\"\nc""#);
    }
}
