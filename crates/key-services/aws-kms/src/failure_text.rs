//! Texts of others for messages of ours.

use std::error::Error;

/// One line, not long.
pub(crate) fn one_line(text: &str) -> String {
    let text: String =
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(400).collect();
    text.trim().to_owned()
}

/// An error with its causes, innermost last, each once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        // Many of the library's errors repeat their cause.
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        // A cause that wraps itself must not hang the program.
        if texts.len() == 12 {
            break;
        }
        next = cause.source();
    }
    one_line(&texts.join(": "))
}
