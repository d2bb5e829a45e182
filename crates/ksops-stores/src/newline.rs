//! Newlines in formats whose values have one line: the two characters `\n` (file-format.md sections 6.5 and 9).
//!
//! There is no escape for the two characters themselves.

/// Replaces each newline by the two characters.
pub(crate) fn escaped(text: &[u8]) -> Vec<u8> {
    let newlines = text.iter().filter(|byte| **byte == b'\n').count();
    // Room for all, so that no copy of a secret is left behind.
    let mut out = Vec::with_capacity(text.len() + newlines);
    write_escaped(text, &mut out);
    out
}

/// As [`escaped`], behind what stands in `out`.
pub(crate) fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\\n");
        }
        out.extend_from_slice(line);
    }
}

/// Replaces each pair of a backslash and `n` by a newline.
pub(crate) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = match (first, tail.split_first()) {
            (b'\\', Some((b'n', behind))) => {
                out.push(b'\n');
                behind
            }
            _ => {
                out.push(*first);
                tail
            }
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, unescaped};

    #[test]
    fn replaces_pairs_from_the_left() {
        assert_eq!(unescaped(br"a\nb\\nc\"), b"a\nb\\\nc\\");
        assert_eq!(escaped(b"a\nb\\\nc\n"), br"a\nb\\nc\n");
        assert_eq!(unescaped(b""), b"");
    }
}
