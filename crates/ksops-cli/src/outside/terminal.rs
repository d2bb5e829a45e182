//! Questions at the terminal itself, whatever standard input and output are: passphrases, and what plugins of age want to
//! know. Apart from `prompt`, whose questions go over standard input and output as upstream's do.
//!
//! - The question is written to the terminal, never to standard output.
//! - What is typed is read key by key: the terminal is as it was before Ctrl-C ends the program.
//! - One question at a time, also when several files are worked on.

use std::sync::{Mutex, PoisonError};

use ksops::ksops_age::prompt::Prompt;
use zeroize::Zeroizing;

use crate::ui;

const CANCELLED: &str = "cancelled by the user";
/// The longest answer, in bytes; room for it is made at once, so that growing leaves no copy behind.
const LIMIT: usize = 4096;

/// The person before the terminal.
#[derive(Debug, Default)]
pub(crate) struct TerminalPrompt {
    one: Mutex<()>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// The terminal is gone, or Ctrl-D.
    End,
    /// No UTF-8.
    NoText,
}

impl TerminalPrompt {
    /// Asks, and lets `answer` read the keys.
    fn ask<T>(
        &self,
        question: &str,
        answer: impl FnOnce(&mut device::Terminal) -> Result<T, Stop>,
    ) -> Result<T, String> {
        // Whoever panicked while it asked has left nothing behind.
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let mut terminal = device::Terminal::open()?;
        terminal.say(&format!("{} ", ui::printable(question)));
        let found = answer(&mut terminal);
        terminal.say("\r\n");
        drop(terminal);
        found.map_err(|stop| match stop {
            Stop::Interrupt => {
                device::interrupt();
                CANCELLED.to_owned()
            }
            Stop::End => "the input ended".to_owned(),
            Stop::NoText => "what was typed is no UTF-8".to_owned(),
        })
    }
}

impl Prompt for TerminalPrompt {
    fn show(&self, message: &str) {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        ui::say(&ui::printable(message));
    }

    fn secret(&self, question: &str) -> Result<Zeroizing<String>, String> {
        self.ask(question, |terminal| line(terminal, |_, _| {}))
    }

    fn public(&self, question: &str) -> Result<String, String> {
        self.ask(question, |terminal| line(terminal, |terminal, shown| terminal.say(shown)))
            .map(|line| line.as_str().to_owned())
    }

    fn choose(&self, question: &str, yes: &str, no: Option<&str>) -> Result<bool, String> {
        let choices = match no {
            Some(no) => format!("{question} (1 for {yes:?}, 2 for {no:?})"),
            None => format!("{question} (1 for {yes:?})"),
        };
        self.ask(&choices, |terminal| {
            loop {
                match terminal.key().map_or(Err(Stop::End), sorted)? {
                    Key::Sign(b'1') => return Ok(true),
                    Key::Sign(b'2') if no.is_some() => return Ok(false),
                    _ => {}
                }
            }
        })
    }
}

/// What a byte from the keyboard stands for.
enum Key {
    Sign(u8),
    Enter,
    Backspace,
    EraseLine,
    Nothing,
}

fn sorted(byte: u8) -> Result<Key, Stop> {
    match byte {
        // Ctrl-C and Ctrl-\.
        0x03 | 0x1c => Err(Stop::Interrupt),
        0x04 => Err(Stop::End),
        b'\r' | b'\n' => Ok(Key::Enter),
        0x08 | 0x7f => Ok(Key::Backspace),
        // Ctrl-U.
        0x15 => Ok(Key::EraseLine),
        0x00..0x20 => Ok(Key::Nothing),
        sign => Ok(Key::Sign(sign)),
    }
}

/// Where keys come from.
trait Keys {
    fn key(&mut self) -> Option<u8>;
}

impl Keys for device::Terminal {
    fn key(&mut self) -> Option<u8> {
        Self::key(self)
    }
}

/// Reads a line; `echo` is handed what is to be shown of it.
fn line<K: Keys>(keys: &mut K, mut echo: impl FnMut(&mut K, &str)) -> Result<Zeroizing<String>, Stop> {
    let mut typed = Zeroizing::new(Vec::with_capacity(LIMIT));
    loop {
        match keys.key().map_or(Err(Stop::End), sorted)? {
            Key::Enter => break,
            Key::Sign(sign) if typed.len() < LIMIT => {
                typed.push(sign);
                // The sign as a whole, once its last byte is there.
                let start = last_sign(&typed);
                if let Ok(sign) = str::from_utf8(&typed[start..]) {
                    echo(keys, sign);
                }
            }
            Key::Backspace if !typed.is_empty() => {
                let start = last_sign(&typed);
                typed.truncate(start);
                echo(keys, "\u{8} \u{8}");
            }
            Key::EraseLine => {
                while !typed.is_empty() {
                    let start = last_sign(&typed);
                    typed.truncate(start);
                    echo(keys, "\u{8} \u{8}");
                }
            }
            Key::Sign(_) | Key::Backspace | Key::Nothing => {}
        }
    }
    str::from_utf8(&typed).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Stop::NoText)
}

/// Where the last sign of a text begins that may be cut.
fn last_sign(text: &[u8]) -> usize {
    text.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or_default()
}

#[cfg(unix)]
mod device {
    use std::fs::{File, OpenOptions};
    use std::io::{self, IsTerminal, Read, Write};
    use std::os::fd::AsFd;

    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    use crate::io_reason::reason;

    /// The terminal, without echo; as it was when dropped.
    pub(super) struct Terminal {
        device: File,
        before: Termios,
    }

    impl Terminal {
        /// The terminal of this process; if it has none, standard input if that is one.
        pub(super) fn open() -> Result<Self, String> {
            let device = match OpenOptions::new().read(true).write(true).open("/dev/tty") {
                Ok(device) => device,
                Err(_) if io::stdin().is_terminal() => {
                    let copy = io::stdin().as_fd().try_clone_to_owned();
                    File::from(copy.map_err(|error| reason(&error))?)
                }
                Err(error) => {
                    return Err(format!(
                        "standard input is not a terminal, and /dev/tty is not available: {}",
                        reason(&error)
                    ));
                }
            };
            let failed = |error: rustix::io::Errno| format!("cannot set up the terminal: {error}");
            let before = tcgetattr(&device).map_err(failed)?;
            let mut quiet = before.clone();
            quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
            quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(&device, OptionalActions::Now, &quiet).map_err(failed)?;
            Ok(Self { device, before })
        }

        /// Shows a text.
        pub(super) fn say(&mut self, text: &str) {
            // A terminal that is gone is noticed in reading.
            let _ = self.device.write_all(text.as_bytes());
        }

        /// The next byte that is typed; `None` at the end.
        pub(super) fn key(&mut self) -> Option<u8> {
            let mut byte = [0];
            loop {
                match self.device.read(&mut byte) {
                    Ok(1..) => return Some(byte[0]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => return None,
                }
            }
        }
    }

    impl Drop for Terminal {
        fn drop(&mut self) {
            // What else could be done is done by the shell.
            let _ = tcsetattr(&self.device, OptionalActions::Now, &self.before);
        }
    }

    /// What Ctrl-C does outside a question: whoever has something to clean up does so.
    pub(super) fn interrupt() {
        let _ = kill_process(getpid(), Signal::INT);
    }
}

#[cfg(not(unix))]
mod device {
    /// There is none.
    pub(super) struct Terminal;

    impl Terminal {
        pub(super) fn open() -> Result<Self, String> {
            Err("ksops asks nothing at a terminal on this system".to_owned())
        }

        pub(super) fn say(&mut self, _: &str) {}

        pub(super) fn key(&mut self) -> Option<u8> {
            None
        }
    }

    pub(super) fn interrupt() {}
}

#[cfg(test)]
mod tests {
    use super::{Keys, Stop, line};

    struct Typed(Vec<u8>, String);

    impl Keys for Typed {
        fn key(&mut self) -> Option<u8> {
            (!self.0.is_empty()).then(|| self.0.remove(0))
        }
    }

    fn typed(keys: &[u8]) -> (Result<String, Stop>, String) {
        let mut keys = Typed(keys.to_vec(), String::new());
        let line = line(&mut keys, |keys, shown| keys.1.push_str(shown));
        (line.map(|line| line.as_str().to_owned()), keys.1)
    }

    #[test]
    fn a_line_ends_at_enter_and_can_be_corrected() {
        assert_eq!(typed("grü\u{7f}ün\r".as_bytes()), (Ok("grün".into()), "grü\u{8} \u{8}ün".into()));
        assert_eq!(typed(b"ab\x15c\x01\x7f\x7fd\n").0, Ok("d".into()));
        assert_eq!(typed(b"\n").0, Ok(String::new()));
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        assert_eq!(typed(b"ab\x03").0, Err(Stop::Interrupt));
        assert_eq!(typed(b"ab\x04").0, Err(Stop::End));
        assert_eq!(typed(b"ab").0, Err(Stop::End));
        assert_eq!(typed(b"\xff\n").0, Err(Stop::NoText));
    }
}
