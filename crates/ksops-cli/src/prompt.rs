//! Questions with two answers, as upstream asks them: on standard output, read from standard input.

use std::io;

use crate::context::Context;
use crate::error::{Failure, Kind};

/// Asks until the answer is exactly `y` or `n`.
///
/// # Errors
/// If the input ends, or an empty line is given.
pub(crate) fn confirm(context: &Context, question: &str) -> Result<bool, Failure> {
    loop {
        context.ui.data(question.as_bytes())?;
        let mut line = String::new();
        let count = io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::new(Kind::General, error.to_string()))?;
        match line.trim() {
            "y" => return Ok(true),
            "n" => return Ok(false),
            "" if count == 0 => {
                return Err(Failure::new(Kind::General, "EOF").hints(["`--yes` answers for you"]));
            }
            _ => {}
        }
    }
}
