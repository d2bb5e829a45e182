//! The front end: reads a pattern as Go's parser does and emits one with the same meaning for the `regex` crate.
//!
//! What is emitted is made of a few safe constructs only: escaped characters, classes of explicit ranges, groups
//! without names, anchors with their flags spelt out, and repetition. Flags of the pattern never reach the output.

use std::fmt::Write;

use super::count;
use super::cursor::{Cursor, Refusal};
use super::escape;
use super::group::{self, Flags};
use super::property;
use super::set::{self, Set};

/// How deep groups may nest; Go allows about 1000.
pub(crate) const MAX_DEPTH: u32 = 100;

/// The most that nested repetitions may multiply to.
const MAX_REPEAT: u32 = 1000;

/// Translates `pattern`.
pub(crate) fn translate(pattern: &str) -> Result<String, Refusal> {
    let mut translator = Translator {
        cursor: Cursor::new(pattern),
        out: String::with_capacity(pattern.len() * 2),
        flags: Flags::default(),
        level: Level::default(),
        outer: Vec::new(),
        after_repeat: None,
    };
    while let Some(next) = translator.cursor.peek() {
        translator.step(next)?;
    }
    match translator.outer.last() {
        None => Ok(translator.out),
        Some(group) => {
            let start = group.start;
            Err(Refusal { problem: "missing closing )", start, end: pattern.len(), advice: None }
                .advise(r"close the group, or write `\(` for a parenthesis"))
        }
    }
}

/// What is known of the expression between two parentheses so far.
#[derive(Debug, Default)]
struct Level {
    /// The last thing that a repetition operator would apply to.
    atom: Option<Atom>,
    /// The largest product of repetitions inside, and the deepest nesting.
    product: u32,
    depth: u32,
}

#[derive(Debug, Clone, Copy)]
struct Atom {
    /// Where it begins in the output.
    start: usize,
    product: u32,
    depth: u32,
    repeated: bool,
}

/// A group that is still open: the level around it, and what is restored at its end.
#[derive(Debug)]
struct Group {
    level: Level,
    flags: Flags,
    /// Where its `(` stands in the pattern.
    start: usize,
    /// Where it begins in the output.
    out_start: usize,
}

#[derive(Debug)]
struct Translator<'a> {
    cursor: Cursor<'a>,
    out: String,
    flags: Flags,
    level: Level,
    outer: Vec<Group>,
    /// Where the repetition operator stands that was read just now.
    after_repeat: Option<usize>,
}

impl Translator<'_> {
    fn step(&mut self, next: char) -> Result<(), Refusal> {
        let after_repeat = self.after_repeat.take();
        match next {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => {
                self.cursor.next();
                self.leave_atom();
                self.out.push('|');
            }
            '^' => self.simple(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
            '$' => self.simple(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
            '.' => self.simple(1, if self.flags.dot_all { "(?s:.)" } else { r"[^\n]" }),
            '[' => {
                let class = set::parse(&mut self.cursor)?;
                self.class(&class);
            }
            '*' | '+' | '?' => {
                let start = self.cursor.at();
                self.cursor.next();
                let (min, max) = match next {
                    '*' => (0, None),
                    '+' => (1, None),
                    _ => (0, Some(1)),
                };
                self.repeat(start, min, max, false, after_repeat)?;
            }
            '{' => {
                let start = self.cursor.at();
                match count::read(&mut self.cursor) {
                    None => {
                        self.cursor.next();
                        self.literal(u32::from('{'));
                    }
                    Some((min, max)) => self.repeat(start, min, max, true, after_repeat)?,
                }
            }
            '\\' => self.backslash()?,
            other => {
                self.cursor.next();
                self.literal(u32::from(other));
            }
        }
        Ok(())
    }

    /// Begins an atom at the end of the output.
    fn begin_atom(&mut self) {
        self.leave_atom();
        self.level.atom = Some(Atom { start: self.out.len(), product: 1, depth: 0, repeated: false });
    }

    /// Takes the last atom into account; nothing can repeat it any more.
    fn leave_atom(&mut self) {
        if let Some(atom) = self.level.atom.take() {
            self.level.product = self.level.product.max(atom.product);
            self.level.depth = self.level.depth.max(atom.depth);
        }
    }

    fn simple(&mut self, length: usize, emitted: &str) {
        for _ in 0..length {
            self.cursor.next();
        }
        self.begin_atom();
        self.out.push_str(emitted);
    }

    fn class(&mut self, class: &str) {
        self.begin_atom();
        if self.flags.fold {
            let _ = write!(self.out, "(?i:{class})");
        } else {
            self.out.push_str(class);
        }
    }

    fn literal(&mut self, value: u32) {
        let Some(letter) = char::from_u32(value) else {
            // A surrogate: Go accepts it and no text has it.
            let mut set = Set::default();
            set.add(value, value);
            return self.class(&set.emit(false));
        };
        self.begin_atom();
        let fold = self.flags.fold && letter.is_alphabetic();
        self.out.push_str(if fold { "(?i:" } else { "" });
        if letter.is_ascii_alphanumeric() {
            self.out.push(letter);
        } else {
            let _ = write!(self.out, r"\x{{{value:X}}}");
        }
        self.out.push_str(if fold { ")" } else { "" });
    }

    fn backslash(&mut self) -> Result<(), Refusal> {
        let rest = self.cursor.rest();
        match rest.as_bytes().get(1) {
            Some(b'A') => self.simple(2, r"\A"),
            Some(b'z') => self.simple(2, r"\z"),
            Some(b'b') => self.simple(2, r"(?-u:\b)"),
            Some(b'B') => self.simple(2, r"(?-u:\B)"),
            Some(b'Q') => {
                self.cursor.eat(r"\Q");
                let text = match self.cursor.until(r"\E") {
                    Some(text) => text,
                    None => self.cursor.finish(),
                };
                for letter in text.chars() {
                    self.literal(u32::from(letter));
                }
            }
            _ => {
                let mut set = Set::default();
                if property::parse(&mut self.cursor, &mut set)?
                    || escape::perl_class(&mut self.cursor, &mut set)
                {
                    self.class(&set.emit(false));
                } else {
                    let value = escape::character(&mut self.cursor)?;
                    self.literal(value);
                }
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), Refusal> {
        let start = self.cursor.at();
        self.cursor.next();
        let flags = self.flags;
        if self.cursor.peek() == Some('?') {
            let head = group::head(&mut self.cursor, flags, start)?;
            // At the end of the group, what was in force before it is restored.
            self.flags = head.flags;
            if !head.opens {
                return Ok(());
            }
        }
        if self.outer.len() >= MAX_DEPTH as usize {
            return Err(self.cursor.refuse("expression nests too deeply", start));
        }
        self.leave_atom();
        let level = std::mem::take(&mut self.level);
        self.outer.push(Group { level, flags, start, out_start: self.out.len() });
        self.out.push_str("(?:");
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let start = self.cursor.at();
        self.cursor.next();
        let Some(group) = self.outer.pop() else {
            return Err(self
                .cursor
                .refuse("unexpected )", start)
                .advise(r"remove it, or write `\)` for a parenthesis"));
        };
        self.leave_atom();
        self.out.push(')');
        let inner = std::mem::replace(&mut self.level, group.level);
        let (product, depth) = (inner.product.max(1), inner.depth + 1);
        self.level.atom = Some(Atom { start: group.out_start, product, depth, repeated: false });
        self.flags = group.flags;
        Ok(())
    }

    fn repeat(
        &mut self,
        start: usize,
        min: u32,
        max: Option<u32>,
        counted: bool,
        after_repeat: Option<usize>,
    ) -> Result<(), Refusal> {
        if counted && (min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || max < min)) {
            return Err(self.too_many(start));
        }
        let lazy = self.cursor.eat("?");
        if let Some(previous) = after_repeat {
            return Err(self
                .cursor
                .refuse("invalid nested repetition operator", previous)
                .advise("write the inner one as a group, `(?:…)`"));
        }
        let Some(mut atom) = self.level.atom else {
            return Err(self
                .cursor
                .refuse("missing argument to repetition operator", start)
                .advise(r"write `.*` for any text, or a backslash before a literal one"));
        };
        if atom.repeated {
            // `a*(?i)*`: between the two stood only flags, which leave nothing in the output.
            self.out.insert_str(atom.start, "(?:");
            self.out.push(')');
            atom.depth += 1;
        }
        if counted {
            // Go's rule: a maximum of 0 hides what is inside, an open range counts as its minimum.
            atom.product = match max {
                Some(0) => 0,
                _ => atom.product.saturating_mul(max.unwrap_or(min).max(1)),
            };
            if (min >= 2 || max.is_some_and(|max| max >= 2)) && atom.product > MAX_REPEAT {
                return Err(self.too_many(start));
            }
        }
        atom.repeated = true;
        if atom.depth > MAX_DEPTH {
            return Err(self.cursor.refuse("expression nests too deeply", start));
        }
        match (min, max) {
            (0, Some(1)) => self.out.push('?'),
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (min, None) => {
                let _ = write!(self.out, "{{{min},}}");
            }
            (min, Some(max)) => {
                let _ = write!(self.out, "{{{min},{max}}}");
            }
        }
        if lazy != self.flags.ungreedy {
            self.out.push('?');
        }
        self.level.atom = Some(atom);
        self.after_repeat = Some(start);
        Ok(())
    }

    fn too_many(&self, start: usize) -> Refusal {
        self.cursor
            .refuse("invalid repeat count", start)
            .advise("counts, and nested counts multiplied, may be 1000 at most, the smaller one first")
    }
}
