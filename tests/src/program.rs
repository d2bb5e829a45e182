//! A program under test or to compare with, and one run of it in a sandbox.
//!
//! Apart, because a test of a program is only as good as its environment is clean.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::failures::excerpt;
use crate::sandbox::Sandbox;

/// After this time a program is killed, and its status is 137.
const LIMIT: Duration = Duration::from_secs(120);

/// An executable file.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
}

/// What a program did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Exit status; 128 and the signal's number if a signal ended it.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Wall time.
    pub took: Duration,
}

impl Program {
    /// The program at `path`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The ksops under test: `KSOPS_BIN`, else the one that this workspace has built.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn ksops() -> Self {
        if let Some(path) = std::env::var_os("KSOPS_BIN").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "KSOPS_BIN={}: no such file", path.display());
            return Self { path };
        }
        // target/debug/deps/TEST -> target/debug/ksops
        let test = std::env::current_exe().expect("a running test has a path");
        let path = test.ancestors().nth(2).map(|folder| folder.join("ksops")).unwrap_or_default();
        assert!(
            path.is_file(),
            "{}: not built; run `cargo build -p ksops-cli` first, or set KSOPS_BIN",
            path.display()
        );
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is real sops standing in for ksops, by which the tests themselves are tested.
    #[must_use]
    pub fn is_upstream(&self) -> bool {
        self.path.file_name() == Some(OsStr::new("sops"))
    }

    /// Prepares a call in `sandbox`, with no environment but `PATH`, `HOME`, `TMPDIR` and `LC_ALL`.
    #[must_use]
    pub fn call<'a>(&'a self, sandbox: &'a Sandbox) -> Call<'a> {
        let mut command = Command::new(&self.path);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", sandbox.home())
            .env("TMPDIR", sandbox.tmp())
            .env("LC_ALL", "C.UTF-8")
            .current_dir(sandbox.work());
        Call { command, stdin: None, sandbox }
    }
}

/// A call that is being prepared.
pub struct Call<'a> {
    command: Command,
    stdin: Option<Vec<u8>>,
    sandbox: &'a Sandbox,
}

impl Call<'_> {
    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets variables.
    #[must_use]
    pub fn envs(mut self, variables: &[(OsString, OsString)]) -> Self {
        self.command.envs(variables.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Hands `bytes` in on standard input, which is empty otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs in `folder` below the work folder.
    #[must_use]
    pub fn cwd(mut self, folder: &str) -> Self {
        self.command.current_dir(self.sandbox.path(folder));
        self
    }

    /// Runs as another user. Only root may.
    #[must_use]
    pub fn user(mut self, user: u32) -> Self {
        self.command.uid(user).gid(user);
        self
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        let input = self.stdin.take();
        self.command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = loop {
            match self.command.spawn() {
                Ok(child) => break child,
                // A program just copied is busy while another thread is between fork and exec.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && started.elapsed() < LIMIT => {
                    thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{:?}: {error}", self.command.get_program()),
            }
        };
        let process = child.id().to_string();
        let stdin = child.stdin.take();
        let (done, ended) = mpsc::channel::<()>();
        let output = thread::scope(|scope| {
            scope.spawn(move || {
                if let (Some(mut stdin), Some(input)) = (stdin, input) {
                    // A program that does not read its input to the end closes the pipe: no failure of the test.
                    let _ = stdin.write_all(&input);
                }
            });
            scope.spawn(move || {
                if ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let _ = Command::new("kill").arg("-9").arg(process).status();
                }
            });
            let output = child.wait_with_output();
            drop(done);
            output
        });
        let output = output.expect("a started program can be waited for");
        let status = output.status;
        Outcome {
            status: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            stdout: output.stdout,
            stderr: output.stderr,
            took: started.elapsed(),
        }
    }
}

impl Outcome {
    /// Standard output, if the program ended well.
    ///
    /// # Errors
    /// What it said, if it did not.
    pub fn output(self) -> Result<Vec<u8>, String> {
        if self.status == 0 { Ok(self.stdout) } else { Err(self.report()) }
    }

    /// Standard error as text.
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Status and both outputs, shortened.
    #[must_use]
    pub fn report(&self) -> String {
        format!("status {}, stdout {}, stderr {}", self.status, excerpt(&self.stdout), excerpt(&self.stderr))
    }
}
