//! Random JSON.

use crate::differential::dice::Dice;
use crate::differential::scalars;

/// Numbers at the edges, and what is none.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "0", "1", "-1", "7", "42", "-0", "1.0", "1.10", "-0.0", "0.1", "1e3", "1E+3", "1e-7", "1e21", "1e20", "123456789012345678901234567890",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "1e400", "1e-400",
    "0.30000000000000004", "1.7976931348623157e308", "5e-324", "100000000000000000000000", "1.5e300", "2.50", "1000000.0", "0.00001", "1e0",
    "01", "+1", ".5", "5.", "1e", "0x1F", "NaN", "Infinity", "-", "1_000",
];

/// Pieces of strings as JSON writes them.
#[rustfmt::skip]
const ESCAPES: &[&str] = &[
    "\\n", "\\t", "\\r", "\\b", "\\f", "\\/", "\\\\", "\\\"", "\\u0041", "\\u00e9", "\\u2028", "\\ud83d\\ude00", "\\ud800", "\\udc00x",
    "\\u0000", "\\u007f", "\\u003c", "\\uFEFF", "\\uD83D", "\\q", "\\u12", "\\x41", "é", "日", "\u{1F600}", "<b>&", "\u{2029}", "\u{7f}",
];

/// How a text is written.
struct Habits {
    newline: bool,
    wild: usize,
}

/// Makes a text: mostly an object.
#[must_use]
pub fn text(dice: &mut Dice) -> Vec<u8> {
    let habits = Habits { newline: dice.chance(60), wild: *dice.pick(&[0, 0, 0, 1, 3, 10]) };
    let mut out = String::new();
    space(dice, &habits, &mut out, 0);
    match dice.below(40) {
        0 => value(dice, &habits, &mut out, 0),
        1 => array(dice, &habits, &mut out, 0),
        _ => object(dice, &habits, &mut out, 0),
    }
    if dice.chance(50) {
        out.push('\n');
    }
    if dice.chance(habits.wild) {
        object(dice, &habits, &mut out, 0);
    }
    out.into_bytes()
}

fn value(dice: &mut Dice, habits: &Habits, out: &mut String, depth: usize) {
    match dice.below(if depth < 5 { 20 } else { 14 }) {
        0..=6 => string(dice, habits, out),
        7..=10 => {
            let most = if dice.chance(habits.wild) { NUMBERS.len() } else { NUMBERS.len() - 10 };
            out.push_str(NUMBERS[dice.below(most)]);
        }
        11 | 12 => out.push_str(dice.text(&["true", "false"])),
        13 => out.push_str("null"),
        14..=16 => array(dice, habits, out, depth),
        _ => object(dice, habits, out, depth),
    }
}

fn array(dice: &mut Dice, habits: &Habits, out: &mut String, depth: usize) {
    out.push('[');
    let count = *dice.pick(&[0, 1, 1, 2, 3]);
    for number in 0..count {
        comma(dice, habits, out, number);
        space(dice, habits, out, depth + 1);
        value(dice, habits, out, depth + 1);
    }
    space(dice, habits, out, depth);
    out.push(']');
}

fn object(dice: &mut Dice, habits: &Habits, out: &mut String, depth: usize) {
    out.push('{');
    let count = *dice.pick(&[0, 1, 1, 2, 2, 3, 4, 6]);
    for number in 0..count {
        comma(dice, habits, out, number);
        space(dice, habits, out, depth + 1);
        match dice.below(20) {
            0 => string(dice, habits, out),
            1 => out.push_str(&quoted(dice.text(scalars::KEYS))),
            2 if dice.chance(20) => {
                out.push_str(dice.text(&["\"sops\"", "\"sops_mac\"", "\"data\"", "\"\"", "a"]))
            }
            _ => out.push_str(&quoted(&format!("k{}", dice.below(8) + 10 * number))),
        }
        out.push(':');
        if habits.newline || dice.chance(20) {
            out.push(' ');
        }
        value(dice, habits, out, depth + 1);
    }
    space(dice, habits, out, depth);
    out.push('}');
}

fn comma(dice: &mut Dice, habits: &Habits, out: &mut String, number: usize) {
    if number > 0 && !dice.chance(habits.wild / 3) {
        out.push(',');
    } else if dice.chance(habits.wild / 3) {
        out.push_str(dice.text(&[",", ",,", ";", "// c\n", "/* c */", "#c\n"]));
    }
}

fn space(dice: &mut Dice, habits: &Habits, out: &mut String, depth: usize) {
    if habits.newline {
        out.push('\n');
        out.extend(std::iter::repeat_n('\t', depth));
    } else if dice.chance(20) {
        out.push_str(dice.text(&[" ", "\t", "\r\n", "\n", "  "]));
    }
}

fn string(dice: &mut Dice, habits: &Habits, out: &mut String) {
    if dice.chance(60) {
        return out.push_str(&quoted(&scalars::string(dice)));
    }
    out.push('"');
    for _ in 0..dice.below(4) {
        match dice.below(3) {
            0 => out.push_str(dice.text(scalars::WORDS)),
            _ => {
                let piece = dice.text(ESCAPES);
                let is_wrong = matches!(piece, "\\q" | "\\u12" | "\\x41");
                out.push_str(if is_wrong && !dice.chance(habits.wild) { "x" } else { piece });
            }
        }
    }
    out.push('"');
}

/// `text` as a JSON string; other control characters are left as they are, now and then.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
