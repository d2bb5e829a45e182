//! The place in a pattern that is being read, and what is said when it cannot be read.

/// Reads a pattern character by character.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Why a pattern is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Go's words for the problem.
    pub(crate) problem: &'static str,
    /// The range of bytes that is wrong.
    pub(crate) start: usize,
    /// The end of that range.
    pub(crate) end: usize,
    /// What to write instead.
    pub(crate) advice: Option<&'static str>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The number of bytes read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What is still to be read.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character, without reading it.
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Reads a character.
    pub(crate) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Reads `expected` if it comes next.
    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads up to `end` and over it, and gives what stands before it; reads nothing without it.
    pub(crate) fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len();
        Some(before)
    }

    /// Reads everything.
    pub(crate) fn finish(&mut self) -> &'a str {
        let rest = self.rest();
        self.at = self.text.len();
        rest
    }

    /// A refusal of what was read since `start`.
    pub(crate) fn refuse(&self, problem: &'static str, start: usize) -> Refusal {
        Refusal { problem, start, end: self.at, advice: None }
    }
}

impl Refusal {
    pub(crate) fn advise(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// The text for the user.
    pub(crate) fn reason(&self, pattern: &str) -> String {
        let construct = pattern.get(self.start..self.end).unwrap_or_default();
        let column = pattern.get(..self.start).unwrap_or_default().chars().count() + 1;
        let mut reason = self.problem.to_owned();
        if !construct.is_empty() {
            reason.push_str(": `");
            reason.extend(construct.chars().take(60));
            reason.push('`');
        }
        reason.push_str(&format!(" at character {column}"));
        if let Some(advice) = self.advice {
            reason.push_str("; ");
            reason.push_str(advice);
        }
        reason
    }
}
