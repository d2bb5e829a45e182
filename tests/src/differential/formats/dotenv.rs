//! Random dotenv.

use crate::differential::dice::Dice;
use crate::differential::scalars;

/// Whole lines, or what passes for them.
#[rustfmt::skip]
const LINES: &[&str] = &[
    "", "", " ", "\t", "#", "# c", "#c", "  # c", "\t#c", "# é", "# a=b", "A", "A B", "=", "=x", " =x", "A=", " A=1", "A =1", "A= 1", "A=1 ",
    "export A=1", "A=\"x\"", "A='x'", "A=\"x", "A=x # c", "A=x#c", "A=a=b", "A==", "A=\\n", "A=a\\nb", "A=a\\\\nb", "A=a\\\\\\nb", "A=\\", "A=x\\",
    "A=\\t\\\"", "A=$B", "A=${B}", "A=x\r", "# c\r", "\r", "sops=1", "sops_x=1", "sops_mac=x", "SOPS_X=1", "a.b=1", "a-b=1", "é=1", "A=\u{feff}",
    "\u{feff}A=1", "A=\0", "A_unencrypted=1", "A__map_b=1", "A__list_0=1", "A=1\u{85}", "A=\u{2028}", "\u{c}", "\u{b}=1", "#\\n", "# a\\nb",
];

/// Makes a text.
#[must_use]
pub fn text(dice: &mut Dice) -> Vec<u8> {
    let wild = *dice.pick(&[0, 0, 5, 20, 60]);
    let mut out = String::new();
    for number in 0..dice.below(8) {
        match dice.below(10) {
            _ if dice.chance(wild) => out.push_str(dice.text(LINES)),
            0 => out.push_str(&format!("#{}", scalars::comment(dice))),
            1 => {}
            _ => {
                let key = match dice.below(8) {
                    0 => dice.text(scalars::KEYS).to_owned(),
                    _ => format!("K{number}"),
                };
                let value = match dice.below(6) {
                    0 | 1 => scalars::string(dice),
                    2 => dice.text(scalars::TYPED).to_owned(),
                    _ => dice.text(scalars::WORDS).to_owned(),
                };
                let value = if dice.chance(95) { value.replace('\n', "\\n") } else { value };
                out.push_str(&format!("{key}={value}"));
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
