//! Prints scalars.

use crate::emit::emitter::Emitter;
use crate::emit::style::{analyse, break_len, is_printable, width};
use crate::syntax::ScalarStyle;

/// How long a key may be without `?`, in bytes, its tag included.
const MAX_SIMPLE_KEY: usize = 128;

/// Whether a key stands before its colon without `?`.
pub(super) fn is_simple_key(text: &str, tag: Option<&str>) -> bool {
    text.len() + tag.map_or(0, str::len) <= MAX_SIMPLE_KEY && !analyse(text).multiline
}

impl Emitter {
    pub(super) fn scalar(&mut self, text: &str, wanted: ScalarStyle, tag: Option<&str>) {
        let style = self.possible_style(text, wanted);
        if let Some(tag) = tag {
            self.write_indicator(tag, true, false, false);
        }
        self.increase_indent(true);
        match style {
            ScalarStyle::Plain => {
                if !text.is_empty() {
                    if !self.whitespace {
                        self.put(" ");
                    }
                    self.put(text);
                    self.whitespace = false;
                }
                self.indention = false;
            }
            ScalarStyle::SingleQuoted => self.single_quoted(text),
            ScalarStyle::DoubleQuoted => self.double_quoted(text),
            ScalarStyle::Literal | ScalarStyle::Folded => self.literal(text),
        }
        self.pop_indent();
    }

    /// The style wanted, or the next one that can hold the text here.
    fn possible_style(&self, text: &str, wanted: ScalarStyle) -> ScalarStyle {
        // The common case first: nothing but letters, digits and what never matters.
        let is_harmless =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'.' | b'+' | b'=');
        if wanted == ScalarStyle::Plain
            && !text.starts_with('.')
            && !text.is_empty()
            && text.bytes().all(is_harmless)
        {
            return ScalarStyle::Plain;
        }
        let analysis = analyse(text);
        let mut style = wanted;
        if self.is_key && analysis.multiline {
            style = ScalarStyle::DoubleQuoted;
        }
        if style == ScalarStyle::Plain && (!analysis.plain || (text.is_empty() && self.is_key)) {
            style = ScalarStyle::SingleQuoted;
        }
        if style == ScalarStyle::SingleQuoted && !analysis.single {
            style = ScalarStyle::DoubleQuoted;
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && (!analysis.block || self.is_key || self.upstream_breaks_literal(text))
        {
            style = ScalarStyle::DoubleQuoted;
        }
        style
    }

    /// Whether upstream would lose or change this literal (file-format.md section 7.4, end): it writes `null` for a
    /// text that starts with a tab, a wrong indentation indicator below a list, and the further lines of a comment
    /// that waits for the line into the text.
    fn upstream_breaks_literal(&self, text: &str) -> bool {
        let needs_hint = text.starts_with(' ') || break_len(text.as_bytes(), 0) > 0;
        // Nothing but empty lines reads back whatever the indicator says.
        let has_content = !text.trim_matches(['\n', '\u{2028}', '\u{2029}']).is_empty();
        let line = self.line.as_bytes();
        text.starts_with('\t')
            || (needs_hint && has_content && self.child_indent(true) - self.indent.max(0) != self.best_indent)
            || (0..line.len()).any(|at| break_len(line, at) > 0)
    }

    fn single_quoted(&mut self, text: &str) {
        self.write_indicator("'", true, false, false);
        let bytes = text.as_bytes();
        let (mut at, mut start, mut after_break) = (0, 0, false);
        while at < bytes.len() {
            let length = break_len(bytes, at);
            if length > 0 {
                self.put(&text[start..at]);
                if !after_break && length == 1 {
                    self.put_break();
                }
                self.write_break(&text[at..at + length]);
                at += length;
                start = at;
                after_break = true;
                continue;
            }
            if after_break && bytes[at] != b' ' {
                self.write_indent();
                after_break = false;
            }
            if bytes[at] == b'\'' {
                self.put(&text[start..at]);
                self.put("'");
                start = at;
            }
            if bytes[at] != b' ' {
                self.indention = false;
            }
            at += 1;
        }
        self.put(&text[start..]);
        self.write_indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str) {
        self.write_indicator("\"", true, false, false);
        let bytes = text.as_bytes();
        // As go-yaml: behind a byte-order mark at the beginning everything is escaped.
        let escape_all = text.starts_with('\u{feff}');
        let (mut at, mut start) = (0, 0);
        while at < bytes.len() {
            let length = width(bytes, at);
            let escape = escape_all
                || !is_printable(bytes, at)
                || break_len(bytes, at) > 0
                || matches!(bytes[at], b'"' | b'\\');
            if escape {
                self.put(&text[start..at]);
                start = at + length;
                if let Some(character) = text[at..start].chars().next() {
                    self.escape(character);
                }
            }
            at += length;
        }
        self.put(&text[start..]);
        self.write_indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => "",
        };
        if !short.is_empty() {
            return self.put(short);
        }
        match u32::from(character) {
            code @ ..=0xff => self.put(&format!("\\x{code:02X}")),
            code @ ..=0xffff => self.put(&format!("\\u{code:04X}")),
            code => self.put(&format!("\\U{code:08X}")),
        }
    }

    fn literal(&mut self, text: &str) {
        self.write_indicator("|", true, false, false);
        let bytes = text.as_bytes();
        if !bytes.is_empty() && (bytes[0] == b' ' || break_len(bytes, 0) > 0) {
            // Always the indentation asked for, even below a list, where it is another one.
            let hint = self.best_indent.to_string();
            self.write_indicator(&hint, false, false, false);
        }
        let chomping = chomping(text);
        if !chomping.is_empty() {
            self.write_indicator(chomping, false, false, false);
        }
        if self.line.is_empty() {
            self.put_break();
        } else {
            self.write_line_comment();
        }
        self.whitespace = true;
        let (mut at, mut after_break) = (0, true);
        while at < bytes.len() {
            let length = break_len(bytes, at);
            if length > 0 {
                self.write_break(&text[at..at + length]);
                after_break = true;
                at += length;
                continue;
            }
            if after_break {
                self.write_indent();
            }
            let start = at;
            while at < bytes.len() && break_len(bytes, at) == 0 {
                at += 1;
            }
            self.put(&text[start..at]);
            self.indention = false;
            after_break = false;
        }
    }
}

/// The indicator for the line breaks at the end: none for exactly one.
fn chomping(text: &str) -> &'static str {
    let is_break = |character: char| matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut last = text.chars().rev();
    match (last.next(), last.next()) {
        (Some(character), _) if !is_break(character) => "-",
        (Some(_), None) => "+",
        (Some(_), Some(character)) if is_break(character) => "+",
        (None, _) => "-",
        _ => "",
    }
}
