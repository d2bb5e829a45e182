//! Runs GnuPG: input in, bounded output out, no longer than a limit. Apart, because a program that hangs, or that never stops
//! talking, must not do the same to us.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::settings::PgpSettings;

/// The most that is read of each output. An encrypted data key takes some 2 KiB.
const OUTPUT_LIMIT: usize = 64 * 1024;
/// How often a child without output is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// What the program gave.
pub(crate) struct Output {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Standard output.
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    /// Standard error as text.
    pub(crate) stderr: String,
}

/// Why there is nothing.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The program could not be started.
    Start(io::Error),
    /// It did not end in time.
    TimedOut(Duration),
    /// It gave more than any data key is long.
    TooLong,
    /// Talking to it failed.
    Talk(io::Error),
}

/// Runs the program.
///
/// # Errors
/// [`RunError`]; the program is killed if it still runs then.
pub(crate) fn run(
    settings: &PgpSettings,
    arguments: &[&OsStr],
    input: &[u8],
    limit: Duration,
) -> Result<Output, RunError> {
    let mut command = Command::new(&settings.program);
    if let Some(home) = &settings.home {
        command.arg("--homedir").arg(home);
    }
    if let Some(terminal) = &settings.terminal {
        command.env("GPG_TTY", terminal);
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(RunError::Start)?;
    let found = converse(&mut child, input, Instant::now() + limit);
    if found.is_err() {
        // Whoever it started may still hold the pipes: the threads that read them are left alone.
        let _ = child.kill();
        let _ = child.wait();
    }
    found.map_err(|error| error.unwrap_or(RunError::TimedOut(limit)))
}

/// `None` if the deadline passed.
fn converse(child: &mut Child, input: &[u8], deadline: Instant) -> Result<Output, Option<RunError>> {
    if let Some(mut stdin) = child.stdin.take() {
        let input = Zeroizing::new(input.to_vec());
        thread::spawn(move || {
            // A program that does not read its input to the end tells why by its status.
            let _ = stdin.write_all(&input);
        });
    }
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let stdout = received(stdout, deadline)?;
    let stderr = received(stderr, deadline)?;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() >= deadline => return Err(None),
            Ok(None) => thread::sleep(PAUSE),
            Err(error) => return Err(Some(RunError::Talk(error))),
        }
    };
    Ok(Output { status, stdout, stderr: String::from_utf8_lossy(&stderr).trim().to_owned() })
}

/// What was read, or that there was too much.
type Collected = Result<Zeroizing<Vec<u8>>, RunError>;

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Collected> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        // Room for all of it, so that growing leaves no copy of a data key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(OUTPUT_LIMIT + 64));
        let read = pipe.by_ref().take(OUTPUT_LIMIT as u64 + 1).read_to_end(&mut bytes);
        let result = match read {
            Ok(count) if count > OUTPUT_LIMIT => Err(RunError::TooLong),
            Ok(_) => Ok(bytes),
            Err(error) => Err(RunError::Talk(error)),
        };
        // Nobody waits any more when the limit has passed.
        let _ = sender.send(result);
    });
    receiver
}

fn received(
    from: Option<Receiver<Collected>>,
    deadline: Instant,
) -> Result<Zeroizing<Vec<u8>>, Option<RunError>> {
    let Some(from) = from else { return Ok(Zeroizing::default()) };
    match from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(collected) => collected.map_err(Some),
        Err(RecvTimeoutError::Timeout) => Err(None),
        Err(RecvTimeoutError::Disconnected) => Err(Some(RunError::Talk(io::ErrorKind::UnexpectedEof.into()))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::{RunError, run};
    use crate::settings::PgpSettings;

    fn shell(script: &str, input: &[u8], limit: u64) -> Result<(bool, Vec<u8>, String), RunError> {
        let settings = PgpSettings { program: "sh".into(), ..PgpSettings::default() };
        let found = run(&settings, &["-c".as_ref(), script.as_ref()], input, Duration::from_millis(limit))?;
        Ok((found.status.success(), found.stdout.to_vec(), found.stderr))
    }

    #[test]
    fn input_reaches_the_program_and_output_comes_back() {
        let big = vec![b'x'; 50_000];
        let found = shell("cat; echo ' said ' >&2; exit 3", &big, 5000).expect("it runs");
        assert_eq!(found, (false, big, "said".to_owned()));
        assert!(shell("true", &[0; 500_000], 5000).expect("it runs").0);
    }

    #[test]
    fn a_program_that_hangs_or_never_stops_talking_is_ended() {
        let start = Instant::now();
        assert!(matches!(shell("sleep 60", b"", 50), Err(RunError::TimedOut(_))));
        assert!(matches!(shell("exec >/dev/null 2>&1; exec sleep 60", b"", 50), Err(RunError::TimedOut(_))));
        assert!(matches!(shell("sleep 60 & sleep 60", b"", 50), Err(RunError::TimedOut(_))));
        assert!(matches!(
            shell("while :; do echo yyyyyyyyyyyyyyyy; done", b"", 9000),
            Err(RunError::TooLong)
        ));
        assert!(start.elapsed() < Duration::from_secs(8));
        let nowhere = PgpSettings { program: "/nowhere/gpg".into(), ..PgpSettings::default() };
        assert!(matches!(run(&nowhere, &[], b"", Duration::from_secs(1)), Err(RunError::Start(_))));
    }
}
