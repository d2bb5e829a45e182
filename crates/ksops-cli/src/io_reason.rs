//! Why an operation of the system failed, in the words that upstream's callers match (cli-and-config.md section 1.2).

use std::io;

/// The system's words in lower case, without Rust's error number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(end)) => &text[..end],
        _ => &text,
    };
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "unknown reason".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::reason;

    #[test]
    fn says_it_as_go_does() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "no such file or directory");
        assert_eq!(reason(&io::Error::other("Own words (os error 2)")), "own words (os error 2)");
    }
}
