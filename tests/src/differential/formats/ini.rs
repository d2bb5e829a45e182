//! Random INI.

use crate::differential::dice::Dice;
use crate::differential::scalars;

/// Whole lines, or what passes for them.
#[rustfmt::skip]
const LINES: &[&str] = &[
    "", "", " ", "\t", "#", ";", "# c", "; c", ";c", "  ; c", "\t# c", "[s]", "[ s ]", "[s", "s]", "[]", "[s]x", "[s] ; c", "[s.t]", "[DEFAULT]",
    "[default]", "[sops]", "[a]b]", "[a[b]", "[\"s\"]", "[é]", "a", "a b", "=", "=x", " =x", "a=", " a = 1", "a=1", "a: 1", "a:1", "a : = 1", "a=b=c",
    "a=\"x\"", "a='x'", "a=`x`", "a=\"x", "a=`x", "a=\"x\" y", "a=\"\"\"x\"\"\"", "a=\"\"\"x\ny\"\"\"", "a=\"\"\"x", "a=\"x\" ; c", "a=x ; c", "a=x # c",
    "a=x#c", "a=x;c", "a=\"x;y\"", "a=\"x#y\"", "a=x\\", "a=x\\\n  y", "a=\\n", "a=\\\\", "\"a\"=1", "`a`=1", "'a'=1", "\"a=b\"=1", "\"a\" x=1", "`a=1",
    "-=1", "- = 2", "-", "+=1", "a+=1", "a[]=1", "%(a)s=1", "a=%(b)s", "a=%%", "a=x ", "a=\tx", "a\t=x", "a=\r", "a=1\r", "\u{feff}a=1", "\r",
    "a=\0", "a_unencrypted=1", "a=\u{85}", "a=\u{a0}x", "#\ta", ";;", "##", "# a\n; b", ";\n; x", "a=[b]", "a={b}", "a=\"", "a=`", "a='",
];

/// Makes a text.
#[must_use]
pub fn text(dice: &mut Dice) -> Vec<u8> {
    let wild = *dice.pick(&[0, 0, 5, 20, 60]);
    let mut out = String::new();
    for number in 0..dice.below(10) {
        match dice.below(12) {
            _ if dice.chance(wild) => out.push_str(dice.text(LINES)),
            0 | 1 => {
                out.push_str(&format!("{}{}", dice.text(&[";", "#", "; ", "# "]), scalars::comment(dice)))
            }
            2 => {}
            3 | 4 => out.push_str(&format!("[{}]", name(dice, number))),
            _ => {
                let key = name(dice, number);
                let value = match dice.below(6) {
                    0 | 1 => scalars::string(dice),
                    2 => dice.text(scalars::TYPED).to_owned(),
                    _ => dice.text(scalars::WORDS).to_owned(),
                };
                let value = if dice.chance(93) { value.replace('\n', " ") } else { value };
                out.push_str(&format!("{key}{}{value}", dice.text(&["=", " = ", " = ", ": ", "   = "])));
            }
        }
        out.push('\n');
    }
    if dice.chance(15) {
        out.pop();
    }
    if dice.chance(3) {
        out = out.replace('\n', "\r\n");
    }
    out.into_bytes()
}

fn name(dice: &mut Dice, number: usize) -> String {
    match dice.below(9) {
        0 => dice.text(scalars::KEYS).to_owned(),
        1 if dice.chance(30) => scalars::string(dice).replace('\n', " "),
        2 => format!("k{}", dice.below(4)),
        _ => format!("k{number}"),
    }
}
