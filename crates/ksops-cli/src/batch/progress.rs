//! How far a long run is, on a terminal only; nothing in a pipe, and nothing of a run that is over at once.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Runs that end before this show nothing.
const PATIENCE: Duration = Duration::from_millis(400);

/// A line on standard error that is written over.
pub(crate) struct Progress {
    start: Instant,
    total: usize,
    is_terminal: bool,
    is_shown: bool,
}

impl Progress {
    /// Begins a run over `total` files.
    pub(crate) fn start(total: usize) -> Self {
        Self { start: Instant::now(), total, is_terminal: io::stderr().is_terminal(), is_shown: false }
    }

    /// Shows that `done` files are done.
    pub(crate) fn show(&mut self, done: usize) {
        if self.is_terminal && self.start.elapsed() >= PATIENCE {
            self.is_shown = true;
            // Nobody is left to tell when standard error is closed.
            let _ = write!(io::stderr().lock(), "\r{done}/{} files", self.total);
        }
    }

    /// Takes the line away, so that something else can be said.
    pub(crate) fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}
