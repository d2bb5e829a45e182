//! Runs the commands of `SOPS_AGE_KEY_CMD` and `SOPS_AGE_SSH_PRIVATE_KEY_CMD`.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

/// How long a command may take: it may ask somebody.
const LIMIT: Duration = Duration::from_secs(600);
/// How often a command that printed everything is looked at.
const PAUSE: Duration = Duration::from_millis(5);
/// The most that is read, as from a file.
const KEY_LIMIT: u64 = 16 << 20;
/// Room for usual key texts.
const ROOM: usize = 64 * 1024;

/// What a program printed, and how it ended.
type Printed = (Zeroizing<Vec<u8>>, ExitStatus);

/// Runs `command`, the value of `variable`, split like a shell does but without one, and gives what it prints. The recipient being tried is in
/// `SOPS_AGE_RECIPIENT`.
///
/// # Errors
/// A text for the list of errors of sources. It names the program only: arguments can hold a secret.
pub(crate) fn run(variable: &str, command: &str, recipient: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    run_within(LIMIT, variable, command, recipient)
}

fn run_within(
    limit: Duration,
    variable: &str,
    command: &str,
    recipient: &str,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let words = shlex::split(command)
        .ok_or_else(|| format!("failed to parse the command of {variable}: expecting closing quote"))?;
    let words: Vec<Zeroizing<String>> = words.into_iter().map(Zeroizing::new).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(format!("{variable} is set but holds no command"));
    };
    let fail = |reason: String| format!("failed to execute command {}: {reason}", program.as_str());
    let mut child = Command::new(program.as_str())
        .args(arguments.iter().map(|argument| argument.as_str()))
        .env("SOPS_AGE_RECIPIENT", recipient)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it says may be the secret.
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(error.to_string()))?;
    let found = printed(&mut child, Instant::now() + limit);
    if found.is_none() {
        // Whoever it started may still hold the pipe: the thread that reads it is left alone.
        let _ = child.kill();
        let _ = child.wait();
    }
    let found = found.ok_or_else(|| fail(format!("no answer within {} seconds", limit.as_secs())))?;
    let (text, status) = found.map_err(|error| fail(error.to_string()))?;
    if status.success() {
        return Ok(text);
    }
    // As Go prints it.
    Err(fail(status.to_string().replacen("exit status: ", "exit status ", 1)))
}

/// What the program prints, and how it ends; `None` if it does not do so in time.
fn printed(child: &mut Child, deadline: Instant) -> Option<io::Result<Printed>> {
    let (sender, receiver) = channel();
    if let Some(pipe) = child.stdout.take() {
        thread::spawn(move || {
            // Room at once, so that growing leaves no copy of a key behind.
            let mut text = Zeroizing::new(Vec::with_capacity(ROOM));
            let read = pipe.take(KEY_LIMIT).read_to_end(&mut text);
            // Nobody waits any more when the limit has passed.
            let _ = sender.send(read.map(|_| text));
        });
    }
    let text = match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => return Some(Err(error)),
        Err(_) => return None,
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(Ok((text, status))),
            Ok(None) if Instant::now() >= deadline => return None,
            Ok(None) => thread::sleep(PAUSE),
            Err(error) => return Some(Err(error)),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::{run, run_within};

    #[test]
    fn hands_on_the_recipient_and_reads_quotes() {
        let printed = run("SOPS_AGE_KEY_CMD", "sh -c 'printf %s \"$SOPS_AGE_RECIPIENT\"' # end", "age1x")
            .expect("runs");
        assert_eq!(printed.as_slice(), b"age1x");
    }

    #[test]
    fn failures_name_the_program_and_no_argument() {
        let error =
            run("SOPS_AGE_KEY_CMD", "sh -c 'echo secret >&2; exit 3' marker", "r").expect_err("fails");
        assert_eq!(error, "failed to execute command sh: exit status 3");
        assert!(run("SOPS_AGE_KEY_CMD", "", "r").expect_err("empty").contains("holds no command"));
        assert!(run("SOPS_AGE_KEY_CMD", "sh 'x", "r").expect_err("open quote").contains("quote"));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let start = Instant::now();
        for command in ["sleep 60", "sh -c 'exec >&-; exec sleep 60'", "sh -c 'sleep 60 & sleep 60'"] {
            let limit = Duration::from_millis(50);
            let error = run_within(limit, "SOPS_AGE_KEY_CMD", command, "r").expect_err("hangs");
            assert!(error.contains("no answer within 0 seconds"), "{error}");
        }
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
