//! Random texts from the pieces of YAML, line by line, with little care whether they fit together.

use super::dice::Dice;
use super::scalars;

/// Pieces that stand at the start of what a line says.
#[rustfmt::skip]
const STARTS: &[&str] = &[
    "", "", "", "- ", "- ", "- - ", "-", "? ", ": ", "- ? ", "!!str ", "&x ", "*x ", "--- ", "&y !t ", "- &z ", "- !!map ", "<<: ", "- a: ", "? - ",
];

/// Pieces that stand where a value stands.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "", "", "x", "1", "v w", "'s'", "\"d\"", "|", ">", "|-", ">+", "|2", ">1-", "| # c", "{}", "[]", "{", "}", "[", "]", "[1, 2]", "{a: 1}",
    "{a: 1, b: [x, y]}", "[a: 1]", "[? a : b]", "{a, b: }", "*x", "*y", "&x", "&x 1", "&y {k: v}", "&x", "!!int 5", "!!int x", "! 5", "!t",
    "!!binary gIGCgw==", "!!binary x", "~", "null", "---", "...", "- x", "? x", ": x", "a: b", "'s", "\"d", "'s' t", "\"\\x41\\u00e9\\n\"",
    "\"\\q\"", "a #b", "a#b", "a: ", "<<", "!!merge <<", "@x", "`x", "%x", "\t", "\tx", "x\t", "x\ty", ",", "a, b", "[x,]", "[,]", "{x: 1,}", "[]]",
    "{\"a\":1}", "{'a':1}", "[\"a\":1]", "{a:1}", "[a,b]", "{a: b # c", "[a # c", "\"a", "b\"", "'a", "b'", "\\", "\"\\",
];

/// Whole lines.
#[rustfmt::skip]
const LINES: &[&str] = &[
    "", "", "", "---", "---", "...", "%YAML 1.1", "%YAML 1.2", "%TAG ! tag:x,2000:", "%FOO bar", "--- |", "--- >-", "--- {a: 1}", "--- # c",
    "{", "}", "[", "]", "\t", "  ", "# c", "#", "  # c", "    # c", "      # c", "\t# c", " #", "  text", "    text", "sops:", "sops: {}",
    "<<: *x", "<<: [*x, *y]", "\"<<\": 1", "? a", ": b", "? |", "  k", "- ", "-", "  -", "\u{feff}", "? [a, b]", "? {a: b}", "? - a",
];

/// What the lines so far have opened.
struct Open {
    /// The columns of open blocks, and whether each is a list.
    blocks: Vec<(usize, bool)>,
    /// Whether the last line left room for a block below it.
    wants_more: bool,
}

/// How often what is done, in percent.
struct Habits {
    unit: usize,
    comments: usize,
    wild: usize,
}

/// Makes a text.
#[must_use]
pub fn text(dice: &mut Dice) -> Vec<u8> {
    let mut out = String::new();
    let habits = Habits {
        unit: *dice.pick(&[1, 2, 2, 2, 4]),
        comments: *dice.pick(&[0, 10, 30, 60]),
        wild: *dice.pick(&[0, 0, 3, 10, 40]),
    };
    let mut open = Open { blocks: vec![(0, false)], wants_more: false };
    for number in 0..1 + dice.below(10) {
        if dice.chance(habits.wild / 2) {
            out.push_str(dice.text(LINES));
            out.push('\n');
            continue;
        }
        let column = place(dice, &habits, &mut open);
        if dice.chance(habits.comments) {
            let at = match dice.below(3) {
                0 => column,
                1 => column + habits.unit,
                _ => habits.unit * dice.below(4),
            };
            out.extend(std::iter::repeat_n(' ', at));
            out.push('#');
            out.push_str(&scalars::comment(dice));
            out.push('\n');
        }
        if dice.chance(10) {
            out.push('\n');
        }
        out.extend(std::iter::repeat_n(' ', column));
        line(dice, &mut out, &habits, &mut open, number);
    }
    if dice.chance(4) {
        out = out.replace('\n', if dice.chance(70) { "\r\n" } else { "\r" });
    }
    if dice.chance(5) {
        out.truncate(out.trim_end_matches('\n').len());
    }
    out.into_bytes()
}

/// Chooses the column of the next line: mostly one that fits.
fn place(dice: &mut Dice, habits: &Habits, open: &mut Open) -> usize {
    if dice.chance(habits.wild / 2) {
        return dice.below(9);
    }
    if open.wants_more && dice.chance(80) {
        let (column, list) = open.blocks.last().copied().unwrap_or_default();
        let is_list = dice.chance(40);
        let flush = is_list && !list && dice.chance(40);
        open.blocks.push((if flush { column } else { column + habits.unit }, is_list));
    } else {
        let kept = 1 + dice.below(open.blocks.len());
        let kept = if dice.chance(60) { open.blocks.len() } else { kept };
        open.blocks.truncate(kept);
    }
    open.blocks.last().copied().unwrap_or_default().0
}

fn line(dice: &mut Dice, out: &mut String, habits: &Habits, open: &mut Open, number: usize) {
    let (column, is_list) = open.blocks.last().copied().unwrap_or_default();
    if dice.chance(habits.wild) {
        out.push_str(dice.text(STARTS));
    }
    let mut has_key = !is_list;
    if is_list {
        out.push_str("- ");
        if dice.chance(20) {
            out.push_str("- ");
            open.blocks.push((column + 2, true));
        } else if dice.chance(40) {
            open.blocks.push((column + 2, false));
            has_key = true;
        }
    }
    if has_key && !dice.chance(habits.wild / 2) {
        match dice.below(12) {
            0 if dice.chance(habits.wild) => out.push_str(dice.text(VALUES)),
            1 => out.push_str(dice.text(scalars::KEYS)),
            _ => out.push_str(&format!("k{number}")),
        }
        out.push_str(if dice.chance(98) { ":" } else { " :" });
    }
    open.wants_more = dice.chance(40);
    if !open.wants_more {
        out.push(' ');
        if dice.chance(habits.wild + 5) {
            out.push_str(dice.text(VALUES));
        } else {
            let typed = dice.text(scalars::TYPED);
            out.push_str(dice.text(&[
                typed, "1", "x", "'s'", "v w", "[1, 2]", "{a: 1}", "|", "{}", "[]", "&x 1", "&y", "!t z",
            ]));
        }
    }
    if dice.chance(habits.comments / 2) {
        out.push_str(" #");
        out.push_str(&scalars::comment(dice));
    }
    out.push('\n');
}
