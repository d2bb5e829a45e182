//! Byte order marks within a text.
//!
//! Upstream's reader takes a character for a byte order mark when one happens to stand at the start of its buffer, and
//! loses characters at the starts of lines then. Where that is depends on the size of its pieces; ksops does not follow.

/// The text with something harmless in the place of each byte order mark behind the first character, if there is one.
#[must_use]
pub fn without_marks(text: &[u8]) -> Option<Vec<u8>> {
    let replaced = match text {
        [0xff, 0xfe, rest @ ..] => [&text[..2], &replaced(rest, b"\xff\xfe", b"\x60\x20", 2)].concat(),
        [0xfe, 0xff, rest @ ..] => [&text[..2], &replaced(rest, b"\xfe\xff", b"\x20\x60", 2)].concat(),
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            [&text[..3], &replaced(rest, b"\xef\xbb\xbf", "\u{2060}".as_bytes(), 1)].concat()
        }
        _ => replaced(text, b"\xef\xbb\xbf", "\u{2060}".as_bytes(), 1),
    };
    (replaced != text).then_some(replaced)
}

/// `text` with `to` for each `from` that stands at a multiple of `step`; both have the same length.
fn replaced(text: &[u8], from: &[u8], to: &[u8], step: usize) -> Vec<u8> {
    let mut replaced = text.to_vec();
    let mut at = 0;
    while at + from.len() <= replaced.len() {
        if replaced[at..].starts_with(from) {
            replaced[at..at + to.len()].copy_from_slice(to);
        }
        at += step;
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::without_marks;

    #[test]
    fn leaves_the_first_mark() {
        assert_eq!(without_marks("\u{feff}a".as_bytes()), None);
        let expected = "\u{feff}\u{2060}a".as_bytes().to_vec();
        assert_eq!(without_marks("\u{feff}\u{feff}a".as_bytes()), Some(expected));
        assert_eq!(without_marks(b"\xff\xfe\xff\xfea\0"), Some(b"\xff\xfe\x60\x20a\0".to_vec()));
    }
}
