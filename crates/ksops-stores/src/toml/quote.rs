//! How keys, texts, numbers and comments are written.

use ksops_core::crypto::timestamp;
use ksops_core::value::Value;
use zeroize::Zeroizing;

use crate::toml::page::Page;

/// Why something has no form; the caller knows where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritable {
    Null,
    Bytes,
    Timestamp,
}

/// Writes a value.
pub(crate) fn value(value: &Value, page: &mut Page) -> Result<(), Unwritable> {
    if let Some(number) = number(value) {
        page.push(&Zeroizing::new(number));
        return Ok(());
    }
    match value {
        Value::Text(bytes) => text(bytes.expose_str().ok_or(Unwritable::Bytes)?, page),
        Value::Bool(truth) => page.push(if *truth { "true" } else { "false" }),
        Value::Timestamp(moment) => {
            let mut bytes = Zeroizing::new(Vec::with_capacity(40));
            timestamp::write_exact(*moment, &mut bytes).ok_or(Unwritable::Timestamp)?;
            page.push(&String::from_utf8_lossy(&bytes));
        }
        _ => return Err(Unwritable::Null),
    }
    Ok(())
}

/// The form of a number; nothing for another value.
pub(crate) fn number(value: &Value) -> Option<String> {
    Some(match value.plain() {
        Value::Int(int) => int.to_string(),
        Value::Float(float) if float.is_nan() => "nan".to_owned(),
        Value::Float(float) if float.is_infinite() => if *float < 0.0 { "-inf" } else { "inf" }.to_owned(),
        // The shortest digits that give the same float, always with a point or an exponent.
        Value::Float(float) => format!("{float:?}"),
        _ => return None,
    })
}

/// Writes a text: on one line unless it has several, literal if that saves escapes.
pub(crate) fn text(text: &str, page: &mut Page) {
    let plain = !text.chars().any(|letter| is_control(letter) && letter != '\n');
    if text.contains('\n') {
        if plain && text.contains('\\') && !text.contains("''") && !text.ends_with('\'') {
            surrounded("'''\n", text, "'''", page);
        } else {
            page.push("\"\"\"\n");
            escaped(text, true, page);
            page.push("\"\"\"");
        }
    } else if plain && text.contains(['\\', '"']) && !text.contains('\'') {
        surrounded("'", text, "'", page);
    } else {
        page.push("\"");
        escaped(text, false, page);
        page.push("\"");
    }
}

fn surrounded(before: &str, text: &str, after: &str, page: &mut Page) {
    page.push(before);
    page.push(text);
    page.push(after);
}

fn escaped(text: &str, several_lines: bool, page: &mut Page) {
    let mut quotes = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        quotes = if letter == '"' { quotes + 1 } else { 0 };
        match letter {
            // Two may stand together between the three at the ends, but not at the last place.
            '"' if several_lines && quotes < 3 && letters.peek().is_some() => page.push("\""),
            '"' => {
                page.push("\\\"");
                quotes = 0;
            }
            '\\' => page.push("\\\\"),
            '\n' if several_lines => page.push("\n"),
            '\n' => page.push("\\n"),
            '\r' => page.push("\\r"),
            letter if is_control(letter) => page.push(&format!("\\u{:04X}", u32::from(letter))),
            letter => page.push_char(letter),
        }
    }
}

/// What may not stand in a TOML text as it is.
fn is_control(letter: char) -> bool {
    letter != '\t' && (letter < ' ' || letter == '\u{7f}')
}

/// Writes a key: bare if it can be.
pub(crate) fn key(key: &str, page: &mut Page) {
    let is_bare = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    if !key.is_empty() && key.bytes().all(is_bare) {
        page.push(key);
    } else {
        page.push("\"");
        escaped(key, false, page);
        page.push("\"");
    }
}

/// Writes a comment of one line, without the line's end.
pub(crate) fn comment(bytes: &[u8], page: &mut Page) -> Result<(), Unwritable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unwritable::Bytes)?;
    if text.chars().any(is_control) {
        return Err(Unwritable::Bytes);
    }
    page.push("#");
    page.push(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::toml::page::Page;

    fn quoted(words: &str) -> String {
        let mut page = Page::default();
        text(words, &mut page);
        page.finish().to_string()
    }

    #[test]
    fn texts_take_the_form_with_the_fewest_escapes() {
        for (words, form) in [
            ("", r#""""#),
            ("a", r#""a""#),
            ("it's", r#""it's""#),
            (r"C:\x", r"'C:\x'"),
            (r#"{"a": 1}"#, r#"'{"a": 1}'"#),
            ("'\"", r#""'\"""#),
            ("a\tb\u{1}", "\"a\tb\\u0001\""),
            ("a\nb\n", "\"\"\"\na\nb\n\"\"\""),
            ("a\\\nb", "'''\na\\\nb'''"),
            ("a\"\"\"\"\n\"", "\"\"\"\na\"\"\\\"\"\n\\\"\"\"\""),
        ] {
            assert_eq!(quoted(words), form, "{words:?}");
        }
    }
}
