//! Real sops: the Go program `tests/oracle/sops`, asked over pipes.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ksops_stores::format::Format;

use super::case::Case;
use super::outcome::Outcome;
use crate::fixtures;
use crate::oracle;

/// The class of a case at which the oracle died, as the command line would have.
const CRASH: &str = "crash";

/// A running oracle; started anew when a case kills it.
pub struct Theirs {
    program: PathBuf,
    process: Option<Process>,
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Finds the oracle: `SOPS_ORACLE`, else built from its source with `go`. Without Go there is none.
///
/// # Errors
/// What the compiler says.
pub fn build() -> Result<Option<PathBuf>, String> {
    if let Some(path) = env::var_os("SOPS_ORACLE").filter(|path| !path.is_empty()) {
        return Ok(Some(PathBuf::from(path)));
    }
    let go = env::var_os("GO").unwrap_or_else(|| OsString::from("go"));
    let program = oracle::tools().join("bin/sops-oracle");
    let source = fixtures::workspace().join("tests/oracle/sops");
    let built = Command::new(go)
        .args(["build", "-buildvcs=false", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .stdin(Stdio::null())
        .output();
    match built {
        Ok(output) if output.status.success() => Ok(Some(program)),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

impl Theirs {
    /// Asks the oracle at `program`.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program, process: None }
    }

    /// Parses `text` and writes its nodes down.
    pub fn nodes(&mut self, text: &[u8]) -> Outcome {
        self.ask(&[b"nodes", text])
    }

    /// Loads `text` and prints it in the same format.
    pub fn emit(&mut self, text: &[u8], indent: i64, format: Format) -> Outcome {
        self.ask(&[b"emit", text, indent.to_string().as_bytes(), format.name().as_bytes()])
    }

    /// Encrypts the text of `case`.
    pub fn encrypt(&mut self, case: &Case) -> Outcome {
        self.ask(&[
            b"encrypt",
            &case.text,
            case.indent.to_string().as_bytes(),
            case.rule.name.as_bytes(),
            case.rule.parameter.as_bytes(),
            if case.mac_only_encrypted { b"1" } else { b"0" },
            case.last_modified.to_string().as_bytes(),
            case.stream.to_string().as_bytes(),
            case.formats.plain.name().as_bytes(),
            case.formats.encrypted.name().as_bytes(),
        ])
    }

    /// Decrypts `text` with the data key of `case`.
    pub fn decrypt(&mut self, case: &Case, text: &[u8]) -> Outcome {
        self.decrypt_as(case, text, case.formats.decrypted)
    }

    /// Decrypts `text` with the data key of `case` and prints it in `format`.
    pub fn decrypt_as(&mut self, case: &Case, text: &[u8], format: Format) -> Outcome {
        self.ask(&[
            b"decrypt",
            text,
            case.indent.to_string().as_bytes(),
            case.stream.to_string().as_bytes(),
            case.formats.encrypted.name().as_bytes(),
            format.name().as_bytes(),
        ])
    }

    fn ask(&mut self, request: &[&[u8]]) -> Outcome {
        match self.exchange(request) {
            Ok(outcome) => outcome,
            Err(error) => {
                self.stop();
                Outcome::refused(CRASH, format!("the oracle died: {error}"))
            }
        }
    }

    fn exchange(&mut self, request: &[&[u8]]) -> io::Result<Outcome> {
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::start(&self.program)?),
        };
        process.send(request)?;
        let mut fields = process.receive()?.into_iter();
        let mut field = || fields.next().unwrap_or_default();
        let (class, message, text) = (field(), field(), field());
        let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Outcome { class: words(class), message: words(message), text })
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Process {
    fn start(program: &Path) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { child, input, output: BufReader::new(output) }),
            _ => {
                child.kill()?;
                child.wait()?;
                Err(io::Error::other("no pipe"))
            }
        }
    }

    fn send(&mut self, request: &[&[u8]]) -> io::Result<()> {
        let mut frame = length(request.len())?.to_vec();
        for field in request {
            frame.extend(length(field.len())?);
            frame.extend_from_slice(field);
        }
        self.input.write_all(&frame)?;
        self.input.flush()
    }

    fn receive(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let count = self.number()?;
        (0..count)
            .map(|_| {
                let mut field = vec![0; self.number()?];
                self.output.read_exact(&mut field)?;
                Ok(field)
            })
            .collect()
    }

    fn number(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4];
        self.output.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes) as usize)
    }
}

fn length(length: usize) -> io::Result<[u8; 4]> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(io::Error::other)
}
