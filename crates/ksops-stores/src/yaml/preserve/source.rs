//! The text whose layout is kept: its lines, and what stands between its tokens. Apart from the changes, which ask it.

use ksops_yaml::span::Span;

/// A text, and the places of its comments in their order.
#[derive(Clone, Copy)]
pub(crate) struct Source<'s> {
    /// The text.
    pub text: &'s str,
    /// Where comments stand.
    pub comments: &'s [Span],
}

impl<'s> Source<'s> {
    fn byte(self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// A part of the text; empty if there is no such part.
    pub(crate) fn slice(self, start: usize, end: usize) -> &'s str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Where the line of a place starts.
    pub(crate) fn line_start(self, at: usize) -> usize {
        memchr::memrchr2(b'\n', b'\r', &self.text.as_bytes()[..at]).map_or(0, |found| found + 1)
    }

    /// Where the line of a place ends, its break not included.
    pub(crate) fn line_end(self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        memchr::memchr2(b'\n', b'\r', rest).map_or(self.text.len(), |found| at + found)
    }

    /// Where the line behind that of a place starts; the end of the text if there is none.
    pub(crate) fn next_line(self, at: usize) -> usize {
        let end = self.line_end(at);
        match (self.byte(end), self.byte(end + 1)) {
            (b'\r', b'\n') => end + 2,
            (b'\r' | b'\n', _) => end + 1,
            _ => end,
        }
    }

    /// Whether something ends with a line break, as a text of whole lines does.
    pub(crate) fn has_break_before(self, at: usize) -> bool {
        at == 0 || matches!(self.byte(at - 1), b'\n' | b'\r')
    }

    /// How many bytes a place is from the start of its line.
    pub(crate) fn column(self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// Whether only blanks stand before a place on its line.
    pub(crate) fn is_first_on_line(self, at: usize) -> bool {
        self.slice(self.line_start(at), at).bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    /// Whether the line behind that of a place is there and empty.
    pub(crate) fn is_followed_by_blank(self, at: usize) -> bool {
        let next = self.next_line(at);
        next < self.text.len() && self.slice(next, self.line_end(next)).trim().is_empty()
    }

    /// Goes back over blanks, breaks and comments: the byte before the result is that of a token.
    pub(crate) fn token_end_before(self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        loop {
            if let Some(comment) = self.comment_ending_at(at) {
                at = comment.start as usize;
            } else if at > 0 && matches!(self.byte(at - 1), b' ' | b'\t' | b'\n' | b'\r') {
                at -= 1;
            } else {
                return at;
            }
        }
    }

    /// The place of a token of one character that stands before another place.
    pub(crate) fn indicator_before(self, at: usize, indicator: u8) -> Option<usize> {
        let found = self.token_end_before(at).checked_sub(1)?;
        (self.byte(found) == indicator).then_some(found)
    }

    fn comment_ending_at(self, at: usize) -> Option<Span> {
        let found = self.comments.binary_search_by_key(&at, |span| span.end as usize).ok()?;
        self.comments.get(found).copied()
    }

    /// The comments that start from one place on and before another.
    pub(crate) fn comments_between(self, start: usize, end: usize) -> &'s [Span] {
        let first = self.comments.partition_point(|span| (span.start as usize) < start);
        let last = self.comments.partition_point(|span| (span.start as usize) < end);
        self.comments.get(first..last).unwrap_or_default()
    }

    /// Where the blanks before a place start, on its line.
    pub(crate) fn before_blanks(self, at: usize) -> usize {
        let line = self.line_start(at);
        line + self.slice(line, at).trim_end_matches([' ', '\t']).len()
    }

    /// The line break that most lines have, judged by the first one.
    pub(crate) fn line_break(self) -> &'static str {
        match memchr::memchr2(b'\n', b'\r', self.text.as_bytes()) {
            Some(at) if self.byte(at) == b'\r' && self.byte(at + 1) == b'\n' => "\r\n",
            Some(at) if self.byte(at) == b'\r' => "\r",
            _ => "\n",
        }
    }
}
