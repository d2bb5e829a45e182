//! Breaking text into lines, as the report on a failed recovery needs it.

/// Breaks `text` at blanks so that lines have at most `limit` characters; words are never broken, line breaks stay.
pub(crate) fn wrap(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        wrap_line(line, limit, &mut out);
    }
    out
}

fn wrap_line(line: &str, limit: usize, out: &mut String) {
    let is_blank = |letter: char| letter.is_whitespace() && letter != '\u{A0}';
    let mut width = 0;
    let mut rest = line;
    while !rest.is_empty() {
        let (blanks, tail) = rest.split_at(rest.find(|letter| !is_blank(letter)).unwrap_or(rest.len()));
        let (word, tail) = tail.split_at(tail.find(is_blank).unwrap_or(tail.len()));
        let (blank_width, word_width) = (blanks.chars().count(), word.chars().count());
        let before = width + blank_width;
        // As upstream's library: a word that is too long even for a line of its own gets one, but not at the start.
        if before + word_width <= limit || before <= 1 {
            out.push_str(blanks);
            width = before + word_width;
        } else if word.is_empty() {
            // Blanks at the end that do not fit are left out.
        } else {
            out.push('\n');
            width = word_width;
        }
        out.push_str(word);
        rest = tail;
    }
}

/// Puts `first` before the first line and `other` before every other one, empty ones included.
pub(crate) fn indent(text: &str, first: &str, other: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(if number == 0 { first } else { other });
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{indent, wrap};

    #[test]
    fn breaks_at_blanks_only() {
        assert_eq!(wrap("aa bb cc", 5), "aa bb\ncc");
        assert_eq!(wrap("aa bb\ncc dd ee", 5), "aa bb\ncc dd\nee");
        assert_eq!(wrap("aaaaaaaaaa bb", 5), "aaaaaaaaaa\nbb");
        assert_eq!(wrap("a\n\nb", 5), "a\n\nb");
        assert_eq!(wrap("", 5), "");
        assert_eq!(wrap("a bbbbbbbb c", 5), "a\nbbbbbbbb\nc");
        assert_eq!(wrap(" bbbbbbbb", 5), " bbbbbbbb");
        assert_eq!(wrap("  bbbbbbbb", 5), "\nbbbbbbbb");
        assert_eq!(wrap("aaaaa  \nb", 5), "aaaaa\nb");
    }

    #[test]
    fn indents_empty_lines_too() {
        assert_eq!(indent("a\n\nb", "- ", "  "), "- a\n  \n  b");
    }
}
