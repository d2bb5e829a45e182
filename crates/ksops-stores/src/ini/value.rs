//! The value behind a key: quotes, continuations and what is cut off as a comment (file-format.md section 10.1).

use ksops_core::secret::SecretBytes;

use crate::ini::lines::Lines;
use crate::ini::space::{trim, trim_end, trim_start};

const TRIPLE: &[u8] = b"\"\"\"";
const BACKTICK: &[u8] = b"`";

/// A value, and what else its lines hold.
#[derive(Default)]
pub(crate) struct Read<'a> {
    pub(crate) value: SecretBytes,
    /// What was cut off as a comment.
    pub(crate) comment: &'a [u8],
    pub(crate) oddity: Option<Oddity>,
}

/// Something that a person may not expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// `#` or `;` inside quotes starts a comment.
    CutInQuotes,
    /// `#` or `;` starts a comment without a blank before it.
    CutInWord,
    /// Text behind the closing quote is ignored.
    BehindQuote,
}

/// A quote is not closed.
#[derive(Debug)]
pub(crate) struct Unclosed;

/// Reads the value that begins in the rest of the current line.
pub(crate) fn value<'a>(rest: &'a [u8], lines: &mut Lines<'a>) -> Result<Read<'a>, Unclosed> {
    let line = trim_start(rest);
    let quote = match line {
        [] => return Ok(Read::default()),
        // Upstream counts the line feed; three quotes at the end of the file are a value.
        [b'"', b'"', b'"', _, ..] => TRIPLE,
        [b'`', ..] => BACKTICK,
        _ => return Ok(bare(trim_end(line), lines)),
    };
    let inner = &line[quote.len()..];
    match last(inner, quote) {
        Some(end) => {
            let ignored = trim(&inner[end + quote.len()..]);
            let oddity = (!ignored.is_empty()).then_some(Oddity::BehindQuote);
            Ok(Read { value: inner[..end].into(), comment: b"", oddity })
        }
        None => multi_line(lines.offset(inner), quote, lines),
    }
}

/// The text from `start` to the last quote of the first line that has one.
fn multi_line<'a>(start: usize, quote: &[u8], lines: &mut Lines<'a>) -> Result<Read<'a>, Unclosed> {
    loop {
        let line = lines.next().ok_or(Unclosed)?;
        let Some(end) = last(line, quote) else { continue };
        let behind = &line[end + quote.len()..];
        if trim(behind).ends_with(b"\\") {
            continue;
        }
        let value = lines.slice(start, lines.offset(&line[end..]));
        let mark = comment_mark(behind).unwrap_or(behind.len());
        let oddity = (!trim(&behind[..mark]).is_empty()).then_some(Oddity::BehindQuote);
        return Ok(Read { value: value.into(), comment: trim(&behind[mark..]), oddity });
    }
}

/// A value that no quote opens, without white space at its ends; not empty.
fn bare<'a>(line: &'a [u8], lines: &mut Lines<'a>) -> Read<'a> {
    if let Some(first) = line.strip_suffix(b"\\") {
        return Read { value: continued(first, lines), ..Read::default() };
    }
    let mark = comment_mark(line);
    let (text, comment) = line.split_at(mark.unwrap_or(line.len()));
    let oddity = match mark {
        None | Some(0) => None,
        Some(_) if matches!(text, [quote @ (b'"' | b'\''), rest @ ..] if !rest.contains(quote)) => {
            Some(Oddity::CutInQuotes)
        }
        Some(_) => (trim_end(text).len() == text.len()).then_some(Oddity::CutInWord),
    };
    Read { value: unquoted(trim_end(text)).into(), comment, oddity }
}

/// Joins the lines of a value that go on behind a backslash.
fn continued(first: &[u8], lines: &mut Lines<'_>) -> SecretBytes {
    let mut pieces = vec![first];
    while let Some(line) = lines.next().map(trim).filter(|line| !line.is_empty()) {
        match line.strip_suffix(b"\\") {
            Some(piece) => pieces.push(piece),
            None => {
                pieces.push(line);
                break;
            }
        }
    }
    SecretBytes::new(pieces.concat())
}

/// Removes a pair of quotes around a text in which that quote stands nowhere else.
fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [first @ (b'"' | b'\''), inner @ .., end] if first == end && !inner.contains(first) => inner,
        _ => text,
    }
}

/// Where a comment starts.
pub(crate) fn comment_mark(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| matches!(byte, b'#' | b';'))
}

fn last(text: &[u8], quote: &[u8]) -> Option<usize> {
    text.windows(quote.len()).rposition(|bytes| bytes == quote)
}
