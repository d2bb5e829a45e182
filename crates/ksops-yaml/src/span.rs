//! Places in the input.

/// A range of bytes of the input; `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

/// A line and column for messages, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// Finds the position of a byte offset of `text`. LF, CR LF and CR end a line. Linear in `offset`: for messages.
    #[must_use]
    pub fn of(text: &str, offset: u32) -> Self {
        let mut at = (offset as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let mut line = 1;
        let mut line_start = 0;
        let bytes = before.as_bytes();
        for (index, byte) in bytes.iter().enumerate() {
            let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
            if ends {
                line += 1;
                line_start = index + 1;
            }
        }
        let column = before[line_start..].chars().count() as u32 + 1;
        Self { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn counts_lines_and_characters_from_one() {
        assert_eq!(Position::of("a\r\nbé: x", 6), Position { line: 2, column: 3 });
        assert_eq!(Position::of("", 9), Position { line: 1, column: 1 });
    }
}
