//! The only place that prints. The rules:
//!
//! - stdout carries data and help, stderr everything else; on success stderr is silent, but for warnings.
//! - The text of an error is printed bare, because callers match it (cli-and-config.md section 4.1).
//! - As `sops`, warnings and logged errors are lines of upstream's logger (section 4.2); as `ksops` they begin with
//!   `warning:` and `error:`. Hints follow as `hint:`, as `sops` those about keys alone.
//! - Colour only on a terminal, and not with `NO_COLOR` or `TERM=dumb`.
//! - Characters that steer a terminal are shown escaped: messages name keys and paths that others chose.
//! - What is said of one of several files is held until it is its turn, and names the file.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::mem;
use std::sync::{Mutex, PoisonError};

use ksops::ksops_core::clock::Clock;
use ksops::ksops_core::crypto::timestamp;
use ksops::system::SystemClock;
use zeroize::Zeroizing;

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
    held: Option<Held>,
}

/// What is said of one file while others are at work, too.
struct Held {
    file: String,
    said: Mutex<Vec<Said>>,
}

enum Said {
    Data(Zeroizing<Vec<u8>>),
    Lines(String),
}

impl Ui {
    /// Speaks as `program`.
    pub(crate) fn new(program: Program) -> Self {
        Self { program, held: None }
    }

    /// Speaks about `file` as `program`, but not before [`Self::release`].
    pub(crate) fn holding(program: Program, file: &str) -> Self {
        Self { program, held: Some(Held { file: file.to_owned(), said: Mutex::default() }) }
    }

    /// Says what was held.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn release(&self) -> Result<(), Failure> {
        let Some(held) = &self.held else { return Ok(()) };
        let said = mem::take(&mut *held.said.lock().unwrap_or_else(PoisonError::into_inner));
        for said in said {
            match said {
                Said::Data(bytes) => written(&bytes)?,
                Said::Lines(text) => say(&text),
            }
        }
        Ok(())
    }

    /// Whether anything is held.
    fn hold(&self, said: impl FnOnce() -> Said) -> bool {
        let Some(held) = &self.held else { return false };
        held.said.lock().unwrap_or_else(PoisonError::into_inner).push(said());
        true
    }

    fn lines(&self, text: &str) {
        if !self.hold(|| Said::Lines(text.to_owned())) {
            say(text);
        }
    }

    fn labelled(&self, label: &str, colour: &str, text: &str) {
        self.lines(&format!("{}: {}", painted(label, colour), printable(text)));
    }

    fn log(&self, level: &str, text: &str) {
        self.lines(&log_line(level, text));
    }

    /// The text with the file it is about, if others are at work, too.
    fn about<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        match &self.held {
            Some(held) => format!("{}: {text}", held.file).into(),
            None => text.into(),
        }
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// If it cannot be written. A reader that went away gets no message.
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        if self.hold(|| Said::Data(Zeroizing::new(bytes.to_vec()))) { Ok(()) } else { written(bytes) }
    }

    /// Writes text for people to standard output; it may name keys that others chose.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        self.data(printable(text).as_bytes())
    }

    /// Writes a list of changes to standard output, on a terminal what comes (`+++ `) and what goes (`--- `) in colour.
    ///
    /// # Errors
    /// As [`Self::data`].
    pub(crate) fn changes(&self, text: &str) -> Result<(), Failure> {
        let is_coloured = io::stdout().is_terminal() && wants_colour();
        let line = |line: &str| match line.get(..4) {
            Some("+++ ") if is_coloured => in_colour(line, GREEN),
            Some("--- ") if is_coloured => in_colour(line, RED),
            _ => line.to_owned(),
        };
        let lines: Vec<String> = printable(text).split('\n').map(line).collect();
        self.data(lines.join("\n").as_bytes())
    }

    /// Tells something that is neither data nor a complaint.
    pub(crate) fn note(&self, text: &str) {
        self.lines(&printable(text));
    }

    /// Tells what is being done, for those who asked for it.
    pub(crate) fn detail(&self, flags: &Flags, text: impl FnOnce() -> String) {
        if !flags.is_set("verbose") {
            return;
        }
        match self.program {
            Program::Sops => self.log("info", &text()),
            Program::Ksops => self.lines(&printable(&self.about(&text()))),
        }
    }

    /// Warns.
    pub(crate) fn warning(&self, text: &str) {
        match self.program {
            Program::Sops => self.log("warning", text),
            Program::Ksops => self.labelled("warning", YELLOW, &self.about(text)),
        }
    }

    /// Tells why one of several files failed, and what to do.
    pub(crate) fn error(&self, failure: &Failure) {
        match self.program {
            _ if failure.text.is_empty() => {}
            Program::Sops => self.log("error", &failure.text),
            Program::Ksops => self.labelled("error", RED, &self.about(&failure.text)),
        }
        self.hints(failure);
    }

    /// Tells why the command failed, and what to do.
    pub(crate) fn failure(&self, failure: &Failure) {
        match (failure.is_logged, self.program) {
            _ if failure.text.is_empty() => {}
            (true, Program::Sops) => self.log("fatal", &failure.text),
            (true, Program::Ksops) => self.labelled("error", RED, &failure.text),
            (false, _) => self.lines(&report(&failure.text)),
        }
        self.hints(failure);
    }

    /// As `sops` the text alone is the interface, and some callers compare it whole.
    fn hints(&self, failure: &Failure) {
        let shown = self.program == Program::Ksops || failure.kind.is_of_keys();
        for hint in failure.hints.iter().filter(|_| shown) {
            self.labelled("hint", CYAN, hint);
        }
    }
}

fn written(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| {
        let text = match error.kind() {
            ErrorKind::BrokenPipe => String::new(),
            _ => format!("write /dev/stdout: {}", reason(&error)),
        };
        Failure::new(Kind::General, text)
    })
}

/// Says something at once; also where no [`Ui`] is at hand because a signal ends the process.
pub(crate) fn say(text: &str) {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn log_line(level: &str, text: &str) -> String {
    let time = timestamp::to_text(SystemClock.now()).unwrap_or_default();
    let name = painted("[CMD]", BOLD);
    format!("{name}\t time=\"{time}\" level={level} msg={}", quoted(text))
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

fn painted(text: &str, colour: &str) -> String {
    if has_colour() { in_colour(text, colour) } else { text.to_owned() }
}

fn in_colour(text: &str, colour: &str) -> String {
    format!("\u{1b}[{colour}m{text}\u{1b}[0m")
}

fn has_colour() -> bool {
    io::stderr().is_terminal() && wants_colour()
}

fn wants_colour() -> bool {
    context::variable("NO_COLOR").is_none_or(|value| value.is_empty())
        && context::variable("TERM").is_none_or(|term| term != "dumb")
}

/// The text with characters escaped that steer a terminal, but for line breaks and tabs.
pub(crate) fn printable(text: &str) -> String {
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
