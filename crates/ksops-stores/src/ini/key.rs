//! The key of a line, quoted or not (file-format.md section 10.1).

use crate::ini::space::trim;

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyProblem {
    Unclosed,
    NoDelimiter,
    Empty,
}

/// A key and what stands behind its delimiter.
pub(crate) struct KeyLine<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) rest: &'a [u8],
}

/// Reads the key of a line that is not empty and does not start with white space.
pub(crate) fn key<'a>(line: &'a [u8]) -> Result<KeyLine<'a>, KeyProblem> {
    let split = |text: &'a [u8]| -> Result<usize, KeyProblem> {
        text.iter().position(|byte| matches!(byte, b'=' | b':')).ok_or(KeyProblem::NoDelimiter)
    };
    let quote: &[u8] = match line {
        [b'"', b'"', b'"', ..] if line.len() > 6 => b"\"\"\"",
        [b'"', ..] => b"\"",
        [b'`', ..] => b"`",
        _ => {
            let end = split(line)?;
            if end == 0 {
                return Err(KeyProblem::Empty);
            }
            return Ok(KeyLine { name: trim(&line[..end]), rest: &line[end + 1..] });
        }
    };
    let inner = &line[quote.len()..];
    let end = inner.windows(quote.len()).position(|bytes| bytes == quote).ok_or(KeyProblem::Unclosed)?;
    let behind = &inner[end + quote.len()..];
    let name = trim(&inner[..end]);
    let delimiter = split(behind)?;
    // Upstream reads the value first, but that error is no better.
    if name.is_empty() {
        return Err(KeyProblem::Empty);
    }
    Ok(KeyLine { name, rest: &behind[delimiter + 1..] })
}

#[cfg(test)]
mod tests {
    use super::{KeyProblem, key};

    fn read(line: &str) -> Result<(String, String), KeyProblem> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        key(line.as_bytes()).map(|line| (text(line.name), text(line.rest)))
    }

    #[test]
    fn quotes_may_surround_a_key() {
        for (line, name, rest) in [
            ("a b = c", "a b", " c"),
            ("a:b=c", "a", "b=c"),
            ("\"a=b\" x = c", "a=b", " c"),
            ("`a\"b`=c", "a\"b", "c"),
            ("\"\"\"a`\"\"\"=c", "a`", "c"),
        ] {
            assert_eq!(read(line), Ok((name.to_owned(), rest.to_owned())), "{line}");
        }
        assert_eq!(read("=x"), Err(KeyProblem::Empty));
        assert_eq!(read("\" \"=x"), Err(KeyProblem::Empty));
        assert_eq!(read("\"a=x"), Err(KeyProblem::Unclosed));
        assert_eq!(read("\"a\"x"), Err(KeyProblem::NoDelimiter));
        assert_eq!(read("x"), Err(KeyProblem::NoDelimiter));
    }
}
