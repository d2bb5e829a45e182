//! White space as Go sees it in bytes that need not be UTF-8: the Unicode property `White_Space`.

/// The longest white-space character.
const MOST_BYTES: usize = 3;

/// Cuts white space off the start.
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some(width) = (1..=MOST_BYTES.min(text.len())).find(|width| is_space(&text[..*width])) {
        text = &text[width..];
    }
    text
}

/// Cuts white space off the end.
pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some(width) =
        (1..=MOST_BYTES.min(text.len())).find(|width| is_space(&text[text.len() - width..]))
    {
        text = &text[..text.len() - width];
    }
    text
}

/// Cuts white space off both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Whether the bytes are exactly one white-space character.
fn is_space(bytes: &[u8]) -> bool {
    match bytes {
        [byte] => matches!(byte, b'\t'..=b'\r' | b' '),
        [first, ..] if first.is_ascii() => false,
        _ => std::str::from_utf8(bytes).is_ok_and(|text| {
            let mut letters = text.chars();
            letters.next().is_some_and(char::is_whitespace) && letters.next().is_none()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{trim, trim_end, trim_start};

    #[test]
    fn trims_unicode_white_space_only() {
        let text = " \t\u{b}\u{85}\u{a0}\u{1680}\u{2028}\u{3000}a b\u{2029}\u{202f}\r\n";
        assert_eq!(trim(text.as_bytes()), b"a b");
        for kept in ["\u{200b}", "\u{feff}", "\u{1c}"] {
            assert_eq!(trim(kept.as_bytes()), kept.as_bytes());
        }
        assert_eq!(trim_start(b"\x85a"), b"\x85a");
        assert_eq!(trim_end(b"a\xa0"), b"a\xa0");
        assert_eq!(trim(b" \n "), b"");
    }
}
