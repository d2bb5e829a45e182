//! Runs the commands of `SOPS_AGE_KEY_CMD` and `SOPS_AGE_SSH_PRIVATE_KEY_CMD`.

use std::process::{Command, Stdio};

use zeroize::Zeroizing;

/// Runs `command`, the value of `variable`, split like a shell does but without one, and gives what it prints. The recipient being tried is in
/// `SOPS_AGE_RECIPIENT`.
///
/// # Errors
/// A text for the list of errors of sources. It names the program only: arguments can hold a secret.
pub(crate) fn run(variable: &str, command: &str, recipient: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let words = shlex::split(command)
        .ok_or_else(|| format!("failed to parse the command of {variable}: expecting closing quote"))?;
    let words: Vec<Zeroizing<String>> = words.into_iter().map(Zeroizing::new).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(format!("{variable} is set but holds no command"));
    };
    let fail = |reason: String| format!("failed to execute command {}: {reason}", program.as_str());
    let output = Command::new(program.as_str())
        .args(arguments.iter().map(|argument| argument.as_str()))
        .env("SOPS_AGE_RECIPIENT", recipient)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| fail(error.to_string()))?;
    let printed = Zeroizing::new(output.stdout);
    let _wiped = Zeroizing::new(output.stderr);
    if output.status.success() {
        return Ok(printed);
    }
    // As Go prints it.
    Err(fail(output.status.to_string().replacen("exit status: ", "exit status ", 1)))
}

#[cfg(all(test, unix))]
mod tests {
    use super::run;

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
}
