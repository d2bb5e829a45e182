//! A program at a pseudo-terminal, as a person sits before it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::sandbox::Sandbox;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A running program and its terminal.
pub struct Terminal {
    master: File,
    child: Child,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Starts `program` in the sandbox, in a session of its own, with the variables given and few others.
    ///
    /// # Panics
    /// If there is no pseudo-terminal, or no `setsid`.
    #[must_use]
    pub fn start(program: &Path, sandbox: &Sandbox, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pseudo-terminal");
        grantpt(&master).expect("own");
        unlockpt(&master).expect("own");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let side = || -> OwnedFd {
            open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other side")
        };
        let mut command = Command::new("/usr/bin/setsid");
        // Whoever started the tests may have made signals ignored.
        command.args(["--ctty", "--wait", "/usr/bin/env", "--default-signal"]).arg(program).args(args);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", sandbox.home())
            .env("TMPDIR", sandbox.tmp())
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .current_dir(sandbox.work())
            .stdin(Stdio::from(side()))
            .stdout(Stdio::from(side()))
            .stderr(Stdio::from(side()));
        let child = command.spawn().expect("setsid of util-linux");
        drop(command);
        let master = File::from(master);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, sink) = (master.try_clone().expect("a copy"), Arc::clone(&seen));
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
            }
        });
        Self { master, child, seen, reader }
    }

    /// Types.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// What was shown so far.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until `text` was shown.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn wait_for(&self, text: &str) {
        let start = Instant::now();
        while !self.shown().contains(text) {
            assert!(start.elapsed() < LIMIT, "{text:?} was not shown: {:?}", self.shown());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end, and gives the exit status.
    ///
    /// # Panics
    /// If that takes too long.
    #[must_use]
    pub fn status(&mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                // What was written last is still to be read; a process that stays behind keeps the terminal open.
                let ended = Instant::now();
                while !self.reader.is_finished() && ended.elapsed() < Duration::from_secs(2) {
                    thread::sleep(Duration::from_millis(5));
                }
                return status.code().unwrap_or(-1);
            }
            if start.elapsed() > LIMIT {
                let _ = self.child.kill();
                panic!("it does not end: {:?}", self.shown());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
