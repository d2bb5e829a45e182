//! Random trees, written as YAML in random styles.
//!
//! The tree is made while it is written. The text is mostly valid, so that most cases reach the cipher; comments, blank
//! lines, anchors and indentation are where people put them, and where nobody would.

use super::dice::Dice;
use super::scalars;
use super::trees_print::{double_quoted, fits_plain, literal, single_quoted};

/// The deepest nesting.
pub(super) const DEEPEST: usize = 5;

/// Makes the text of a random tree, of one or more documents.
#[must_use]
pub fn text(dice: &mut Dice) -> Vec<u8> {
    let documents = if dice.chance(85) { 1 } else { 2 + dice.below(2) };
    let mut writer = Writer::new(dice);
    for number in 0..documents {
        writer.document(number);
    }
    let mut text = writer.out;
    if dice.chance(3) {
        text = text.replace('\n', "\r\n");
    }
    if dice.chance(2) {
        text.insert(0, '\u{feff}');
    }
    if dice.chance(5) {
        text.truncate(text.trim_end_matches('\n').len());
    }
    text.into_bytes()
}

/// How often what is done, in percent; drawn once for a text.
pub(super) struct Habits {
    pub(super) indent: usize,
    lists_indented: bool,
    pub(super) comments: usize,
    stray: usize,
    /// Whether there are strings that upstream prints wrongly. Then there are no comments: so each difference shows alone.
    pub(super) misprints: bool,
    pub(super) blanks: usize,
    pub(super) flow: usize,
    pub(super) anchors: usize,
    pub(super) odd_keys: usize,
    pub(super) sloppy: usize,
    repeat_keys: usize,
    tags: usize,
}

pub(super) struct Writer<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) out: String,
    pub(super) habits: Habits,
    /// Names of anchors, and whether each names a mapping.
    pub(super) anchors: Vec<(String, bool)>,
    pub(super) nodes: usize,
}

impl<'a> Writer<'a> {
    fn new(dice: &'a mut Dice) -> Self {
        let mut percent = |choices: &[usize]| *dice.pick(choices);
        let mut habits = Habits {
            misprints: percent(&[0, 0, 0, 0, 0, 0, 1]) == 1,
            indent: percent(&[2, 2, 2, 4, 4, 1, 3, 8]),
            lists_indented: percent(&[0, 1]) == 1,
            comments: percent(&[0, 5, 15, 30, 50]),
            stray: percent(&[0, 0, 10, 40]),
            blanks: percent(&[0, 5, 20, 40]),
            flow: percent(&[0, 5, 15, 40]),
            anchors: percent(&[0, 0, 0, 10, 25]),
            odd_keys: percent(&[0, 0, 5, 20]),
            sloppy: percent(&[0, 0, 2, 5]),
            repeat_keys: percent(&[0, 0, 0, 2]),
            tags: percent(&[0, 0, 3, 10]),
        };
        if habits.misprints {
            (habits.comments, habits.stray) = (0, 0);
        }
        Self { dice, out: String::new(), habits, anchors: Vec::new(), nodes: 0 }
    }

    fn document(&mut self, number: usize) {
        self.comments(0);
        if number > 0 || self.dice.chance(10) {
            self.out.push_str("---");
            if self.dice.chance(5) {
                self.out.push_str(&format!(" #{}", scalars::comment(self.dice)));
            }
            self.out.push('\n');
        }
        self.comments(0);
        match self.dice.below(40) {
            0 => self.out.push_str("{}\n"),
            1 => {
                self.flow_map(0);
                self.out.push('\n');
            }
            2 if number > 0 => {}
            _ => self.block_map(0, 0),
        }
        if self.dice.chance(3) {
            self.out.push_str("...\n");
            self.comments(0);
        }
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.dice.chance(percent)
    }

    /// A string for a value or key.
    pub(super) fn string(&mut self) -> String {
        loop {
            let text = scalars::string(self.dice);
            let misprinted =
                text.contains('\n') && text.starts_with(['\t', ' ', '\n', '\u{2028}', '\u{2029}']);
            if self.habits.misprints || !misprinted {
                return text;
            }
        }
    }

    /// Writes `one` in `percent` of 100 calls, else `other`.
    pub(super) fn either(&mut self, percent: usize, one: &str, other: &str) {
        let text = if self.chance(percent) { one } else { other };
        self.out.push_str(text);
    }

    pub(super) fn pad(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    /// Blank lines and comment lines, at `column` or somewhere near.
    pub(super) fn comments(&mut self, column: usize) {
        if self.chance(self.habits.blanks) {
            self.out.push('\n');
        }
        if !self.chance(self.habits.comments) {
            return;
        }
        for _ in 0..1 + self.dice.below(3) {
            let at = match self.chance(self.habits.stray) {
                true => self.dice.below(column + 2 * self.habits.indent + 1),
                false => column,
            };
            self.pad(at);
            let text = scalars::comment(self.dice);
            self.out.push('#');
            self.out.push_str(&text);
            self.out.push('\n');
            if self.chance(self.habits.blanks / 2) {
                self.out.push('\n');
            }
        }
    }

    /// A comment behind what stands on the line, and the line's end.
    pub(super) fn end_line(&mut self) {
        if self.chance(self.habits.comments / 3) {
            let text = scalars::comment(self.dice);
            self.either(5, "\t#", " #");
            self.out.push_str(&text);
        } else if self.chance(2) {
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    fn block_map(&mut self, column: usize, depth: usize) {
        self.block_map_from(column, depth, false);
    }

    /// `started`: the first key stands on a line that has begun.
    fn block_map_from(&mut self, column: usize, depth: usize, started: bool) {
        let count = 1 + self.dice.below(if depth == 0 { 6 } else { 4 });
        let mut used: Vec<String> = Vec::new();
        for index in 0..count {
            if index > 0 || !started {
                self.comments(column);
                self.pad(column);
            }
            self.entry(column, depth, &mut used);
        }
        if self.chance(self.habits.comments / 3) {
            self.comments(column);
        }
    }

    fn entry(&mut self, column: usize, depth: usize, used: &mut Vec<String>) {
        self.nodes += 1;
        if self.chance(self.habits.anchors / 2) && !used.iter().any(|key| key == "<<") {
            let maps: Vec<String> =
                self.anchors.iter().filter(|(_, map)| *map).map(|(name, _)| name.clone()).collect();
            if !maps.is_empty() {
                let name = self.dice.pick(&maps).clone();
                self.out.push_str(&format!("<<: *{name}"));
                self.end_line();
                used.push("<<".to_owned());
                return;
            }
        }
        let mut key = self.key();
        for _ in 0..20 {
            if !used.contains(&key) || self.chance(self.habits.repeat_keys) {
                break;
            }
            key = self.key();
        }
        if used.contains(&key) {
            key = format!("q{}", self.nodes);
        }
        let explicit = self.chance(1) || key.contains('\n') || key.len() > 120;
        if explicit {
            self.out.push_str("? ");
        }
        let style = self.dice.below(10);
        self.scalar_in_line(&key, style);
        used.push(key);
        if explicit {
            self.end_line();
            self.comments(column);
            self.pad(column);
        }
        self.out.push(':');
        self.value(column, depth);
    }

    pub(super) fn key(&mut self) -> String {
        if self.chance(self.habits.odd_keys) {
            return match self.dice.below(4) {
                0 => self.dice.text(scalars::TYPED).to_owned(),
                1 => "k".repeat(120 + self.dice.below(20)),
                _ => self.string(),
            };
        }
        match self.dice.below(3) {
            0 => format!("k{}", self.dice.below(30)),
            _ => self.dice.text(scalars::KEYS).to_owned(),
        }
    }

    /// What stands behind a key's colon, and the end of its line.
    fn value(&mut self, column: usize, depth: usize) {
        let next = column + self.habits.indent;
        let properties = self.properties();
        let kind =
            if depth >= DEEPEST || self.nodes > 60 { 4 + self.dice.below(16) } else { self.dice.below(20) };
        match kind {
            0..=1 => {
                self.anchor(&properties, true);
                self.end_line();
                self.block_map(next, depth + 1);
            }
            2..=3 => {
                self.anchor(&properties, false);
                self.end_line();
                let column = if self.habits.lists_indented { next } else { column };
                self.block_list(column, depth + 1, false);
            }
            4 if self.chance(self.habits.flow * 2) => {
                let map = self.chance(50);
                self.anchor(&properties, map);
                self.out.push(' ');
                if map {
                    self.flow_map(depth + 1)
                } else {
                    self.flow_list(depth + 1)
                }
                self.end_line();
            }
            5 => {
                // Nothing: a null; a comment may stand on the line.
                self.anchor(&properties, false);
                self.end_line();
            }
            6 if !self.anchors.is_empty() => {
                let name = self.dice.pick(&self.anchors).0.clone();
                self.out.push_str(&format!(" *{name}"));
                self.end_line();
            }
            7 => {
                self.either(50, " {}", " []");
                self.end_line();
            }
            8..=9 => {
                self.anchor(&properties, false);
                let text = self.string();
                self.block_scalar(&text, column);
            }
            10 => {
                // On a line of its own.
                self.end_line();
                self.comments(next);
                self.pad(next);
                self.scalar();
                self.end_line();
            }
            _ => {
                self.anchor(&properties, false);
                self.out.push(' ');
                self.scalar();
                self.end_line();
            }
        }
    }

    fn properties(&mut self) -> String {
        let mut text = String::new();
        if self.chance(self.habits.tags) {
            text.push(' ');
            text.push_str(self.dice.text(scalars::TAGS));
        }
        text
    }

    fn anchor(&mut self, properties: &str, map: bool) {
        if self.chance(self.habits.anchors) {
            let name = format!("n{}", self.dice.below(6));
            self.out.push_str(&format!(" &{name}"));
            self.anchors.push((name, map));
        }
        self.out.push_str(properties);
    }

    fn block_list(&mut self, column: usize, depth: usize, started: bool) {
        for index in 0..1 + self.dice.below(4) {
            if index > 0 || !started {
                self.comments(column);
                self.pad(column);
            }
            self.nodes += 1;
            self.out.push('-');
            let kind = if depth >= DEEPEST || self.nodes > 60 {
                4 + self.dice.below(8)
            } else {
                self.dice.below(12)
            };
            match kind {
                0..=1 => {
                    self.out.push(' ');
                    self.block_map_from(column + 2, depth + 1, true);
                }
                2 => {
                    self.out.push(' ');
                    self.block_list(column + 2, depth + 1, true);
                }
                3 => {
                    self.end_line();
                    let next = column + self.habits.indent;
                    if self.chance(50) {
                        self.block_map(next, depth + 1)
                    } else {
                        self.block_list(next, depth + 1, false)
                    }
                }
                _ => self.value(column, DEEPEST),
            }
        }
        if self.chance(self.habits.comments / 4) {
            self.comments(column);
        }
    }

    fn scalar(&mut self) {
        if self.chance(40) {
            let text = self.dice.text(scalars::TYPED);
            self.out.push_str(text);
            return;
        }
        let text = self.string();
        let style = self.dice.below(10);
        self.scalar_in_line(&text, style);
    }

    /// Plain where that is right, or nearly; else quoted.
    pub(super) fn scalar_in_line(&mut self, text: &str, style: usize) {
        let sloppy = self.chance(self.habits.sloppy) && !text.contains(['\n', '\r']);
        if style < 6 && (fits_plain(text) || sloppy) {
            self.out.push_str(text);
        } else if style < 8 && single_quoted(text, &mut self.out) {
            // Done.
        } else {
            double_quoted(text, &mut self.out);
        }
    }

    fn block_scalar(&mut self, text: &str, column: usize) {
        let header = self.dice.text(&["|", "|", "|-", "|+", ">", ">-", ">+", "|2", ">1-"]);
        self.out.push(' ');
        self.out.push_str(header);
        self.end_line();
        let explicit = header.chars().find_map(|letter| letter.to_digit(10));
        let indent = explicit.map_or(self.habits.indent, |digit| digit as usize);
        literal(text, column + indent, &mut self.out);
    }
}
